# SPDX-License-Identifier: Apache-2.0
# rpcctl knows every method of the tree: the list is made from the stubs.
RPCCTL_HEADERS := $(patsubst proto/%.proto,$(B)/gen/%.ct.h,$(filter $(SERVICE_STEMS:%=proto/%.proto),$(PROTOS)))
$(B)/gen/rpcctl_services.c: scripts/list-services.sh $(RPCCTL_HEADERS)
	$(call say,GEN,$@)
	$(Q)scripts/list-services.sh $(B)/gen $(RPCCTL_HEADERS) > $@
$(B)/obj/gen/rpcctl_services.o: | stub-headers
