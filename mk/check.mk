# SPDX-License-Identifier: Apache-2.0
# What a machine can say about the code without running it.

CODE_DIRS := shared clinic patient-svc report-svc tools tests bench
SOURCES := $(sort $(shell find $(CODE_DIRS) -name '*.c' -not -path 'bench/rivals/*' 2>/dev/null))
HEADERS := $(sort $(shell find $(CODE_DIRS) -name '*.h' -not -path 'bench/rivals/*' 2>/dev/null))
# What stands beside the runtime: formatted as the rest, and else as its libraries are used.
RIVAL_SOURCES := $(sort $(shell find bench/rivals -name '*.[ch]' -o -name '*.cc'))
PYTHON := $(sort $(shell find bench -name '*.py'))
SCRIPTS := $(sort .ci/run $(shell find scripts tests bench -name '*.sh' 2>/dev/null))
OTHER_SOURCES := $(sort Makefile $(wildcard mk/*.mk) $(SCRIPTS) $(PYTHON))
CHECKS := format style layers banned shell methods headers symbols cppcheck tidy

check: ## formatting, layers, banned calls, headers, symbols, static analysis
	@scripts/setup-debian.sh build test check
	+@MAKE="$(SUBMAKE)" scripts/check.sh $(CHECKS)

check-format:
	@clang-format --dry-run -Werror $(SOURCES) $(HEADERS) $(RIVAL_SOURCES)
	@echo "$(words $(SOURCES) $(HEADERS) $(RIVAL_SOURCES)) files"

format: ## rewrite the sources as check-format wants them
	@scripts/setup-debian.sh check
	clang-format -i $(SOURCES) $(HEADERS) $(RIVAL_SOURCES)

check-style:
	@scripts/check-style.sh $(SOURCES) $(HEADERS) $(RIVAL_SOURCES) $(OTHER_SOURCES)

check-layers:
	@scripts/check-layers.sh

check-banned:
	@scripts/check-banned.sh

check-shell:
	@shellcheck -S warning $(SCRIPTS)
	@echo "$(words $(SCRIPTS)) scripts"

check-headers: stub-headers $(PBUF_EXTRA:.c=.h)
	@scripts/check-headers.sh gcc $(CPPFLAGS) -std=c11 $(WARN) -- $(HEADERS)
	@scripts/check-headers.sh clang $(CPPFLAGS) -std=c11 $(WARN) -Wthread-safety -- $(HEADERS)

RUNTIME_OBJ := $(filter-out $(GEN_OBJ),$(LIBCT_OBJ))
check-symbols: $(RUNTIME_OBJ)
	@scripts/check-symbols.sh $(RUNTIME_OBJ)

CPPCHECK_FLAGS := --enable=warning,performance,portability --std=c11 --quiet --error-exitcode=1 \
	--library=posix,scripts/cppcheck/cascade.cfg --inline-suppr \
	--suppressions-list=scripts/cppcheck/suppressions -D__GNUC__=12 -D__x86_64__ \
	'-D_Noreturn=__attribute__((noreturn))'
check-cppcheck: $(PB_H) $(CT_H)
	@cppcheck $(CPPCHECK_FLAGS) -j $(shell nproc) $(CPPFLAGS) $(SOURCES)
	@echo "$(words $(SOURCES)) files"

# Only what changed is looked at again; the object stands for the headers.
$(B)/check/tidy/%.ok: %.c $(B)/obj/%.o .clang-tidy
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- $(CPPFLAGS) -std=c11 2>$@.log || { cat $@.log; exit 1; }
	@touch $@
check-tidy: $(SOURCES:%.c=$(B)/check/tidy/%.ok)
	@echo "$(words $(SOURCES)) files"

.PHONY: check format $(CHECKS:%=check-%)
