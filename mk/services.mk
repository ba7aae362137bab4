# SPDX-License-Identifier: Apache-2.0
# Unit tests of the services' domain link base and the messages alone, which shows
# that it needs nothing else. mk/test.mk has the component tests.

DOMAIN_SRC := $(call src_of,clinic/domain patient-svc/domain report-svc/domain)
DOMAIN_TEST_OBJ := $(call obj_of,$(call src_of,tests/unit/domain))
$(DOMAIN_TEST_OBJ): | stub-headers
$(B)/tests/unit-domain: $(DOMAIN_TEST_OBJ) $(TEST_LIB_OBJ) $(call obj_of,$(DOMAIN_SRC)) $(B)/layers/gen-pb.a $(B)/layers/base.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ -lprotobuf-c -lm -lcriterion
UNIT_BINS += $(B)/tests/unit-domain
