# SPDX-License-Identifier: Apache-2.0
# Each run of protoc-gen-ct sees one .proto and what it imports; two methods of
# unrelated files with one hash show only when all are looked at together.
METHODS_CHECKED := $(B)/gen/.methods-checked
$(METHODS_CHECKED): $(PROTOS) $(B)/bin/protoc-gen-ct | $(B)/gen/.dir
	protoc $(PROTOC_FLAGS) --plugin=protoc-gen-ct=$(B)/bin/protoc-gen-ct --ct_out=check:$(B)/gen $(PROTOS)
	@touch $@
stub-headers: $(METHODS_CHECKED)

check-methods: $(METHODS_CHECKED) ## fail when two methods of the tree collide

.PHONY: check-methods
