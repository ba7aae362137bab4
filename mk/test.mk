# SPDX-License-Identifier: Apache-2.0
# Test programs and the targets that run them; docs/testing.md tells what goes where.
#
# Where a program needs less than the whole runtime it links only the archives
# of the layers it includes, so it builds and runs before the layers above do.

# ---- what test programs may link --------------------------------------------
# Each program of ours without its main, for tests that call into it.
src_protoc-gen-ct := $(call src_of,tools/protoc-gen-ct)
main_of = $(filter %/main.c,$(src_$(1)))
define program_archive_rule
$(B)/layers/prog-$(1).a: $(call obj_of,$(filter-out $(call main_of,$(1)),$(src_$(1))))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(Q)ar rcs $$@ $$^
endef
$(foreach p,$(PROGRAMS) protoc-gen-ct,$(eval $(call program_archive_rule,$(p))))
SERVICE_ARCHIVES := $(B)/layers/prog-patient-svc.a $(B)/layers/prog-report-svc.a

# Archives, so that a program takes only the helpers it calls.
TEST_LIB_RPC_OBJ := $(call obj_of,$(call src_of,tests/lib/rpc))
$(B)/tests/lib.a: $(TEST_LIB_OBJ)
$(B)/tests/lib-rpc.a: $(TEST_LIB_RPC_OBJ)
$(B)/tests/lib.a $(B)/tests/lib-rpc.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcs $@ $^

grouped = -Wl,--start-group $(1) -Wl,--end-group
full_archives := $(B)/tests/lib.a $(B)/tests/lib-rpc.a $(SERVICE_ARCHIVES) $(B)/layers/gen-test.a $(B)/load.a $(B)/libct.a

# Folders of the quoted includes of a file; "conc/pool.h" is in conc.
included = $(filter-out tests,$(sort $(shell sed -n 's/^\#include "\([a-z]*\)\/.*/\1/p' $(1))))
# The first layer whose own and lower layers hold all of them; none: the whole runtime.
lowest = $(firstword $(foreach l,base conc obs conf wire net store,$(if $(filter-out $(below_$(l)),$(1)),,$(l))))
archives_for = $(if $(1),$(B)/tests/lib.a $(call layer_archives,$(below_$(1))),$(full_archives))
libs_for = $(if $(1),$(foreach l,$(below_$(1)),$(libs_$(l))),$(ALL_LIBS))

# $(call plain_rule,program,sources,lowest layer): a program with its own main.
define plain_rule
$(B)/tests/$(1): $(call obj_of,$(2)) $(call archives_for,$(3))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(LDFLAGS) $(4) -o $$@ $(call obj_of,$(2)) $(call grouped,$(call archives_for,$(3))) $(call libs_for,$(3))
$(if $(3),,$(call obj_of,$(2)): | stub-headers)
endef
plain = $(eval $(call plain_rule,$(1),$(2),$(call lowest,$(call included,$(2))),$(3)))

# ---- kinds --------------------------------------------------------------------
# unit: a layer (Makefile) or a service; tools: the same for our tools, and scripts
define program_unit_rule
$(B)/tests/unit-$(1): $(call obj_of,$(call src_of,tests/unit/$(1))) $(B)/layers/prog-$(1).a $(2)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(LDFLAGS) -o $$@ $(call obj_of,$(call src_of,tests/unit/$(1))) $(call grouped,$(B)/layers/prog-$(1).a $(2)) $(ALL_LIBS) -lcriterion
$(if $(filter protoc-gen-ct,$(1)),,$(call obj_of,$(call src_of,tests/unit/$(1))): | stub-headers)
endef
with_unit_tests = $(foreach p,$(1),$(if $(wildcard tests/unit/$(p)/*.c),$(p)))
UNIT_SERVICES := $(call with_unit_tests,patient-svc report-svc)
UNIT_TOOLS := $(call with_unit_tests,rpcctl sdtm-import study-gen patient-view)
UNIT_PLUGIN := $(call with_unit_tests,protoc-gen-ct)
$(foreach p,$(UNIT_SERVICES) $(UNIT_TOOLS),$(eval $(call program_unit_rule,$(p),$(B)/tests/lib.a $(B)/tests/lib-rpc.a $(B)/libct.a)))
$(foreach p,$(UNIT_PLUGIN),$(eval $(call program_unit_rule,$(p),$(PLUGIN_GEN) $(B)/tests/lib.a $(B)/layers/base.a)))
tests_unit := $(UNIT_BINS) $(UNIT_SERVICES:%=$(B)/tests/unit-%)

# component: several layers in one process; test_*.c and helpers make one
# Criterion program, each main_*.c a program of its own
COMPONENT_SRC := $(filter-out tests/component/main_%,$(call src_of,tests/component))
COMPONENT_MAINS := $(patsubst tests/component/main_%.c,component-%,$(wildcard tests/component/main_*.c))
$(B)/tests/component: $(call obj_of,$(COMPONENT_SRC)) $(full_archives)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(call obj_of,$(COMPONENT_SRC)) $(call grouped,$(full_archives)) $(ALL_LIBS) -lcriterion
$(foreach p,$(COMPONENT_MAINS),$(call plain,$(p),tests/component/main_$(p:component-%=%).c))
tests_component_mains := $(COMPONENT_MAINS:%=$(B)/tests/%)
tests_component := $(if $(COMPONENT_SRC),$(B)/tests/component) $(tests_component_mains)

# conformance: one program with a table of cases
CONFORMANCE_SRC := $(call src_of,tests/conformance)
$(if $(CONFORMANCE_SRC),$(eval $(call plain_rule,conformance,$(CONFORMANCE_SRC),)))
tests_conformance := $(if $(CONFORMANCE_SRC),$(B)/tests/conformance)

# e2e: programs and scripts that start our programs as processes
E2E_MAINS := $(patsubst tests/e2e/test_%.c,e2e-%,$(wildcard tests/e2e/test_*.c))
E2E_HELPERS := $(filter-out tests/e2e/test_%,$(call src_of,tests/e2e))
$(foreach p,$(E2E_MAINS),$(eval $(call plain_rule,$(p),tests/e2e/test_$(p:e2e-%=%).c $(E2E_HELPERS),)))
tests_e2e := $(E2E_MAINS:%=$(B)/tests/%)
scripts_e2e := $(sort $(wildcard tests/e2e/test_*.sh))

# stress: one plain program each, the ones that run under the thread sanitizer
STRESS_MAINS := $(patsubst tests/stress/stress_%.c,stress-%,$(wildcard tests/stress/stress_*.c))
$(foreach p,$(STRESS_MAINS),$(call plain,$(p),tests/stress/stress_$(p:stress-%=%).c))
tests_stress := $(STRESS_MAINS:%=$(B)/tests/%)

# tools: our command-line programs and the scripts of this repository
tests_tools := $(patsubst %,$(B)/tests/unit-%,$(UNIT_PLUGIN) $(UNIT_TOOLS))
scripts_tools := $(sort $(wildcard tests/tools/test_*.sh))

# corpus: each fuzz target fed its saved inputs, without the fuzzer
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
define fuzz_replay_rule
$(call plain_rule,corpus-$(1),tests/fuzz/fuzz_$(1).c tests/fuzz/replay.c,$(call lowest,$(call included,tests/fuzz/fuzz_$(1).c)))
endef
$(foreach f,$(FUZZ_NAMES),$(eval $(call fuzz_replay_rule,$(f))))
tests_corpus := $(FUZZ_NAMES:%=$(B)/tests/corpus-%)

# ---- running --------------------------------------------------------------------
TEST_KINDS := unit component conformance e2e stress tools corpus
KINDS ?= $(TEST_KINDS)
LOGS := $(B)/test-logs
# One make -j that was not asked for otherwise; make passes a -j of its own on.
JOBS = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
SUBMAKE = $(MAKE) --no-print-directory $(JOBS)
of_kind = $(tests_$(1)) $(scripts_$(1))

test-programs: $(foreach k,$(KINDS),$(tests_$(k)))
ifneq ($(filter component conformance e2e tools,$(KINDS)),)
test-programs: all
endif
ifneq ($(filter tools,$(KINDS)),)
test-programs: bench-ours
endif

# Builds first, so that a program that cannot be built fails the target.
test-run: test-programs
	@CT_BUILD=$(B) scripts/run-tests.sh -l $(LOGS) $(foreach k,$(KINDS),$(addprefix $(k):,$(call of_kind,$(k))))

test: ## set up, build and run every test (no cluster)
	@scripts/setup-debian.sh build test
	+@$(SUBMAKE) test-run
test-unit: ## tests of one layer or service at a time
test-component: ## tests of several layers in one process
test-conformance: ## the table of deadlines and cancels across processes
test-e2e: ## tests of our programs as processes
test-stress: ## concurrency programs
test-tools: ## tests of the command-line programs and scripts
test-corpus: ## saved fuzz inputs
$(TEST_KINDS:%=test-%): test-%:
	@scripts/setup-debian.sh build test
	+@$(SUBMAKE) test-run KINDS=$*

# `make asan KINDS=unit` narrows what a sanitizer runs.
narrowed = $(if $(filter command,$(firstword $(origin KINDS))),$(KINDS),$(1))
# Slower by an order of magnitude, so a program may take longer.
SANITIZED_SECONDS := TEST_SECONDS=900
# The sanitizers cannot share a binary, so each has a build directory.
ASAN := -fsanitize=address,undefined -fno-sanitize-recover=all
asan: ## the same tests under address, leak and undefined-behaviour sanitizers
	@scripts/setup-debian.sh build test
	+@$(SANITIZED_SECONDS) $(SUBMAKE) VARIANT=asan OPT=-O1 SAN="$(ASAN)" KINDS="$(call narrowed,unit component conformance e2e corpus)" test-run

# Criterion does not run under this sanitizer: plain programs only. setarch
# switches address randomisation off, which this sanitizer cannot always take.
tsan: ## stress, conformance and plain component programs under the thread sanitizer
	@scripts/setup-debian.sh build test
	+@$(SANITIZED_SECONDS) setarch -R $(SUBMAKE) VARIANT=tsan OPT=-O1 SAN=-fsanitize=thread tests_component='$$(tests_component_mains)' KINDS="$(call narrowed,component conformance stress)" test-run

clang: ## build everything, tests too, with clang and its thread-safety analysis
	@scripts/setup-debian.sh build test check
	+@$(SUBMAKE) VARIANT=clang CC=clang clang-build
clang-build: WARN += -Wthread-safety
clang-build: all test-programs

# ---- fuzzing ------------------------------------------------------------------
FUZZ_SECONDS ?= 20
FUZZ_SAN := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
$(foreach f,$(FUZZ_NAMES),$(eval $(call plain_rule,fuzz-$(f),tests/fuzz/fuzz_$(f).c,$(call lowest,$(call included,tests/fuzz/fuzz_$(f).c)),-fsanitize=fuzzer)))
fuzz-programs: $(FUZZ_NAMES:%=$(B)/tests/fuzz-%)
fuzz-run: fuzz-programs
	@FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/run-fuzz.sh $(B) $(FUZZ_NAMES)
fuzz: ## run each fuzz target for FUZZ_SECONDS (20)
	@scripts/setup-debian.sh build test check
	+@$(SUBMAKE) VARIANT=fuzz CC=clang OPT=-O1 SAN="$(FUZZ_SAN)" fuzz-run

.PHONY: test test-run test-programs $(TEST_KINDS:%=test-%) asan tsan clang clang-build fuzz fuzz-run fuzz-programs
