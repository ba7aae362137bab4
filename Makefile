# SPDX-License-Identifier: Apache-2.0
# Cascade. `make help` lists the targets; CONTRIBUTING.md explains the layout.
#
# One non-recursive makefile. Every shared/ layer becomes an archive of its own
# and a test of a layer links only what stands left of it, so the linker checks
# the layering too.

VARIANT ?=
B := build$(if $(VARIANT),/$(VARIANT))
ifeq ($(origin CC),default)
CC := gcc
endif
OPT ?= -O2
SAN ?=
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror
CPPFLAGS += -D_GNU_SOURCE -Ishared -Itools -I$(B)/gen -I. -DCT_VERSION='"$(shell cat VERSION)"'
# Programs are optimized as a whole, a tenth of a call's time; tests link the same
# objects without that. gcc alone, and no VARIANT.
LTO ?= $(if $(VARIANT)$(findstring clang,$(CC)),,-flto=auto)
CFLAGS += -std=c11 -g -pthread -fno-omit-frame-pointer $(OPT) $(SAN) $(if $(LTO),$(LTO) -ffat-lto-objects)
LDFLAGS += -pthread $(SAN) $(if $(LTO),-fno-lto)
AS_A_WHOLE = $(if $(LTO),$(OPT) $(LTO))
DEPFLAGS = -MMD -MP

# V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),,@echo '  $(1)	$(2)')

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

# ---- layers, left to right: each may use what stands before it -------------
LAYERS := base conc obs conf wire net rpc
SIDE_LAYERS := json store
below_base := base
below_conc := base conc
below_obs := base conc obs
below_conf := base conc obs conf
below_wire := base conc obs conf wire
below_net := base conc obs conf wire net
below_rpc := base conc obs conf wire net rpc
below_json := base json
below_store := base conc obs store
libs_base :=
libs_conc :=
libs_obs :=
libs_conf := -lconfig
libs_wire :=
libs_net := -lnng
libs_rpc := -lprotobuf-c
libs_json := -lprotobuf-c -ljansson
libs_store := -lsqlite3
ALL_LIBS := -lnng -lprotobuf-c -lconfig -ljansson -lsqlite3 -lz -lm

src_of = $(sort $(wildcard $(addsuffix /*.c,$(1))))
obj_of = $(patsubst %.c,$(B)/obj/%.o,$(1))

# ---- generated code ---------------------------------------------------------
PROTOS := $(sort $(wildcard proto/*/v1/*.proto tests/data/proto/*/v1/*.proto))
PB_STEMS := $(patsubst tests/data/proto/%.proto,%,$(patsubst proto/%.proto,%,$(PROTOS)))
PB_C := $(PB_STEMS:%=$(B)/gen/%.pb-c.c)
PB_H := $(PB_C:.c=.h)
PBUF_EXTRA := $(B)/gen/google/protobuf/descriptor.pb-c.c $(B)/gen/google/protobuf/compiler/plugin.pb-c.c
SERVICE_STEMS := $(patsubst tests/data/proto/%.proto,%,$(patsubst proto/%.proto,%,$(shell grep -l '^service ' $(PROTOS))))
CT_C := $(SERVICE_STEMS:%=$(B)/gen/%.ct.c)
CT_H := $(CT_C:.c=.h)
PROTOC_FLAGS := -Iproto -Itests/data/proto -I/usr/include
gen: $(PB_H) $(CT_H)

$(B)/gen/%.pb-c.c $(B)/gen/%.pb-c.h &: proto/%.proto | $(B)/gen/.dir
	$(call say,PROTOC,$<)
	$(Q)protoc-c $(PROTOC_FLAGS) --c_out=$(B)/gen $<
$(B)/gen/%.pb-c.c $(B)/gen/%.pb-c.h &: tests/data/proto/%.proto | $(B)/gen/.dir
	$(call say,PROTOC,$<)
	$(Q)protoc-c $(PROTOC_FLAGS) --c_out=$(B)/gen $<
$(B)/gen/google/%.pb-c.c $(B)/gen/google/%.pb-c.h &: /usr/include/google/%.proto | $(B)/gen/.dir
	$(call say,PROTOC,$<)
	$(Q)protoc-c -I/usr/include --c_out=$(B)/gen $<
$(B)/gen/%.ct.c $(B)/gen/%.ct.h &: proto/%.proto $(B)/bin/protoc-gen-ct
	$(call say,STUBS,$<)
	$(Q)protoc $(PROTOC_FLAGS) --plugin=protoc-gen-ct=$(B)/bin/protoc-gen-ct --ct_out=$(B)/gen $<
$(B)/gen/%.ct.c $(B)/gen/%.ct.h &: tests/data/proto/%.proto $(B)/bin/protoc-gen-ct
	$(call say,STUBS,$<)
	$(Q)protoc $(PROTOC_FLAGS) --plugin=protoc-gen-ct=$(B)/bin/protoc-gen-ct --ct_out=$(B)/gen $<
$(B)/gen/.dir:
	@mkdir -p $(@D) && touch $@

# What only needs messages waits for pb-c headers; what uses stubs, for both.
# Of proto/ alone for the library; what tests bring goes in an archive of its own.
TEST_STEMS := $(patsubst tests/data/proto/%.proto,%,$(filter tests/%,$(PROTOS)))
TEST_GEN_OBJ := $(patsubst %,$(B)/obj/gen/%.pb-c.o,$(TEST_STEMS)) $(patsubst %,$(B)/obj/gen/%.ct.o,$(filter $(TEST_STEMS),$(SERVICE_STEMS)))
GEN_OBJ := $(filter-out $(TEST_GEN_OBJ),$(patsubst $(B)/gen/%.c,$(B)/obj/gen/%.o,$(PB_C) $(CT_C) $(B)/gen/google/protobuf/descriptor.pb-c.c))
PB_OBJ := $(patsubst $(B)/gen/%.c,$(B)/obj/gen/%.o,$(PB_C) $(B)/gen/google/protobuf/descriptor.pb-c.c)

$(B)/obj/gen/%.o: $(B)/gen/%.c | gen-headers
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(DEPFLAGS) -c $< -o $@
gen-headers: $(PB_H) $(B)/gen/google/protobuf/descriptor.pb-c.h
stub-headers: gen-headers $(CT_H)

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) $(DEPFLAGS) -c $< -o $@
$(call obj_of,$(call src_of,shared/rpc shared/json tests/unit/rpc tests/unit/json)): | gen-headers
$(call obj_of,$(call src_of,clinic/* patient-svc patient-svc/* report-svc report-svc/* tools/rpcctl tools/sdtm-import tools/patient-view tests/component tests/conformance tests/e2e tests/lib/rpc bench)): | stub-headers
# handlers the runtime itself brings (health, stats, probe) use stubs too
$(call obj_of,$(call src_of,shared/rpc/services)): | stub-headers

# ---- archives ---------------------------------------------------------------
define layer_rule
$(B)/layers/$(1).a: $(call obj_of,$(call src_of,shared/$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	$(Q)ar rcs $$@ $$^
endef
$(foreach l,$(LAYERS) $(SIDE_LAYERS),$(eval $(call layer_rule,$(l))))

$(B)/layers/gen-pb.a: $(PB_OBJ)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(B)/layers/gen-test.a: $(TEST_GEN_OBJ)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcs $@ $^

# The whole runtime, with the services every server has, for users and our own programs.
LIBCT_OBJ := $(call obj_of,$(call src_of,$(addprefix shared/,$(LAYERS) $(SIDE_LAYERS)) shared/rpc/services)) $(GEN_OBJ)
$(B)/libct.a: $(LIBCT_OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^

layer_archives = $(foreach l,$(1),$(B)/layers/$(l).a)
reverse = $(if $(1),$(call reverse,$(wordlist 2,$(words $(1)),$(1))) $(firstword $(1)))

# ---- programs ---------------------------------------------------------------
PROGRAMS := patient-svc report-svc rpcctl sdtm-import study-gen patient-view
# what both services share: the study's data rules and how a batch is put
src_clinic := $(call src_of,clinic/domain clinic/store clinic/handlers)
src_patient-svc := $(src_clinic) $(call src_of,patient-svc patient-svc/handlers patient-svc/domain patient-svc/store patient-svc/clients)
src_report-svc := $(src_clinic) $(call src_of,report-svc report-svc/handlers report-svc/domain report-svc/store)
src_rpcctl := $(call src_of,tools/rpcctl)
extra_rpcctl := $(B)/obj/gen/rpcctl_services.o $(B)/load.a # mk/rpcctl.mk, mk/load.mk
src_sdtm-import := $(call src_of,tools/sdtm-import) clinic/domain/iso_date.c
src_study-gen := $(call src_of,tools/study-gen)
src_patient-view := $(call src_of,tools/patient-view)
define program_rule
$(B)/bin/$(1): $(call obj_of,$(src_$(1))) $(extra_$(1)) $(B)/libct.a
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$(CC) $(LDFLAGS) $(AS_A_WHOLE) -o $$@ $(call obj_of,$(src_$(1))) $(extra_$(1)) $(B)/libct.a $(ALL_LIBS)
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rule,$(p))))

# The plugin comes before everything generated, so it links no layer but base.
$(call obj_of,$(call src_of,tools/protoc-gen-ct)): $(B)/gen/google/protobuf/compiler/plugin.pb-c.h $(B)/gen/google/protobuf/descriptor.pb-c.h $(B)/gen/ct/v1/options.pb-c.h
PLUGIN_GEN := $(patsubst %,$(B)/obj/plugin/%.pb-c.o,google/protobuf/descriptor google/protobuf/compiler/plugin ct/v1/options)
$(B)/obj/plugin/%.o: $(B)/gen/%.c $(B)/gen/google/protobuf/descriptor.pb-c.h $(B)/gen/google/protobuf/compiler/plugin.pb-c.h
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@
$(B)/bin/protoc-gen-ct: $(call obj_of,$(call src_of,tools/protoc-gen-ct)) $(PLUGIN_GEN) $(B)/layers/base.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lprotobuf-c

all: $(B)/libct.a $(B)/bin/protoc-gen-ct $(PROGRAMS:%=$(B)/bin/%) ## build everything

# ---- tests ------------------------------------------------------------------
# unit/<layer>/test_*.c: Criterion, one binary a layer, links only that layer
# and what stands left of it.
TEST_LIB_OBJ := $(call obj_of,$(call src_of,tests/lib))
define unit_rule
$(B)/tests/unit-$(1): $(call obj_of,$(call src_of,tests/unit/$(1))) $(TEST_LIB_OBJ) $(call layer_archives,$(below_$(1))) $(if $(filter rpc json,$(1)),$(B)/layers/gen-pb.a)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$(CC) $(LDFLAGS) -o $$@ $(call obj_of,$(call src_of,tests/unit/$(1))) $(TEST_LIB_OBJ) -Wl,--start-group $(call layer_archives,$(below_$(1))) $(if $(filter rpc json,$(1)),$(B)/layers/gen-pb.a) -Wl,--end-group $(foreach l,$(below_$(1)),$(libs_$(l))) -lcriterion
endef
UNIT_LAYERS := $(foreach l,$(LAYERS) $(SIDE_LAYERS),$(if $(wildcard tests/unit/$(l)/*.c),$(l)))
$(foreach l,$(UNIT_LAYERS),$(eval $(call unit_rule,$(l))))
UNIT_BINS := $(UNIT_LAYERS:%=$(B)/tests/unit-%)

-include $(wildcard mk/*.mk)

# ---- housekeeping -----------------------------------------------------------
clean: ## remove everything built
	rm -rf build

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/  \1\t\2/' | expand -t 20 | sort

.PHONY: all clean help gen gen-headers stub-headers

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
