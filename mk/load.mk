# SPDX-License-Identifier: Apache-2.0
# What makes load: tools/load is an archive of its own, for the benchmark's drivers and
# for rpcctl. It needs base and conc alone.
$(B)/load.a: $(call obj_of,$(call src_of,tools/load))
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcs $@ $^

LOAD_TEST_OBJ := $(call obj_of,$(call src_of,tests/unit/load))
$(B)/tests/unit-load: $(LOAD_TEST_OBJ) $(TEST_LIB_OBJ) $(B)/load.a $(call layer_archives,base conc)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(LOAD_TEST_OBJ) $(TEST_LIB_OBJ) $(B)/load.a $(B)/layers/conc.a $(B)/layers/base.a -lcriterion
UNIT_BINS += $(B)/tests/unit-load

# ---- the benchmark's programs on the runtime ------------------------------------
# ours-server and ours-client count what they ask of the heap (bench/ours/mallocs.c);
# the server's handlers are the product's, under watch (bench/ours/watched.h).
$(B)/bench/ours-server: $(call obj_of,$(addprefix bench/ours/,server.c watched.c watch.c mallocs.c)) $(B)/libct.a
$(B)/bench/ours-server: private LDFLAGS += -Wl,--wrap=probe_register,--wrap=ct_call_ctx
$(B)/bench/ours-client: $(call obj_of,$(addprefix bench/ours/,client.c mallocs.c)) $(B)/load.a $(B)/libct.a
$(B)/bench/ours-stops: $(call obj_of,$(addprefix bench/ours/,stops.c cancel.c late.c waste.c crowd.c stand.c watch.c)) $(B)/load.a $(B)/libct.a
$(B)/bench/ours-goodput: $(call obj_of,bench/ours/goodput.c) $(B)/load.a $(B)/libct.a
BENCH_OURS := $(addprefix $(B)/bench/ours-,server client stops goodput)
$(BENCH_OURS):
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $(AS_A_WHOLE) -o $@ $(filter %.o %.a,$^) $(ALL_LIBS)
$(call obj_of,$(call src_of,bench/ours)): | stub-headers

bench-ours: $(BENCH_OURS)
.PHONY: bench-ours
