# SPDX-License-Identifier: Apache-2.0
# The benchmark: the servers that we are measured beside, and what measures.
#
# C++ and the libraries of the rivals are used below bench/rivals alone, so nothing
# that `make all` builds needs them.

BENCH := $(B)/bench
BENCH_GEN := $(BENCH)/gen
ifeq ($(origin CXX),default)
CXX := g++
endif
BENCH_CPPFLAGS := -Ibench -isystem $(BENCH_GEN)
CXXFLAGS := -std=c++17 -g -pthread -fno-omit-frame-pointer $(OPT) -Wall -Wextra -Wshadow -Werror

# ---- the message of the rivals ----------------------------------------------------
$(BENCH_GEN)/echo.pb-c.c $(BENCH_GEN)/echo.pb-c.h &: bench/rivals/echo.proto
	@mkdir -p $(BENCH_GEN)
	$(call say,PROTOC,$<)
	$(Q)protoc-c -Ibench/rivals --c_out=$(BENCH_GEN) $<
$(BENCH_GEN)/echo.pb.cc $(BENCH_GEN)/echo.grpc.pb.cc $(BENCH_GEN)/echo.pb.h $(BENCH_GEN)/echo.grpc.pb.h &: bench/rivals/echo.proto
	@mkdir -p $(BENCH_GEN)
	$(call say,PROTOC,$<)
	$(Q)protoc -Ibench/rivals --cpp_out=$(BENCH_GEN) --grpc_out=$(BENCH_GEN) --plugin=protoc-gen-grpc=$$(command -v grpc_cpp_plugin) $<

$(B)/obj/bench/gen/%.o: $(BENCH_GEN)/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(DEPFLAGS) -c $< -o $@
$(B)/obj/bench/gen/%.o: $(BENCH_GEN)/%.cc
	@mkdir -p $(@D)
	$(call say,CXX,$<)
	$(Q)$(CXX) -isystem $(BENCH_GEN) $(CXXFLAGS) $(DEPFLAGS) -c $< -o $@

# ---- rivals -------------------------------------------------------------------------
$(B)/obj/bench/rivals/%.o: bench/rivals/%.c | $(BENCH_GEN)/echo.pb-c.h
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(BENCH_CPPFLAGS) $(CFLAGS) $(WARN) $(DEPFLAGS) -c $< -o $@
$(B)/obj/bench/rivals/%.o: bench/rivals/%.cc | $(BENCH_GEN)/echo.pb.h $(BENCH_GEN)/echo.grpc.pb.h
	@mkdir -p $(@D)
	$(call say,CXX,$<)
	$(Q)$(CXX) -D_GNU_SOURCE -Itools $(BENCH_CPPFLAGS) $(CXXFLAGS) $(DEPFLAGS) -c $< -o $@

# What each is made of beside its server.* or client.*, and what it links.
RIVALS := epoll nng_stream nng_reqrep grpc
parts_epoll := bench/rivals/epoll/socket.o
parts_nng_stream := bench/rivals/nng_stream/link.o
parts_nng_reqrep := bench/gen/echo.pb-c.o
parts_grpc := bench/gen/echo.pb.o bench/gen/echo.grpc.pb.o
libs_rival_epoll :=
libs_rival_nng_stream := -lnng
libs_rival_nng_reqrep := -lnng -lprotobuf-c
libs_rival_grpc := -lgrpc++ -lgrpc -lgpr -labsl_synchronization -lprotobuf
ld_rival = $(if $(filter grpc,$(1)),$(CXX),$(CC))

# A client also has the load generator, which stands on the runtime's lowest layers.
LOAD_ARCHIVES := $(B)/load.a $(call layer_archives,conc base)
define rival_rule
$(BENCH)/$(1)-server: $(addprefix $(B)/obj/,bench/rivals/$(1)/server.o bench/rivals/common/server.o $(parts_$(1)))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$(call ld_rival,$(1)) $$(LDFLAGS) -o $$@ $$^ $(libs_rival_$(1))
$(BENCH)/$(1)-client: $(addprefix $(B)/obj/,bench/rivals/$(1)/client.o $(parts_$(1))) $(LOAD_ARCHIVES)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$(call ld_rival,$(1)) $$(LDFLAGS) -o $$@ $(addprefix $(B)/obj/,bench/rivals/$(1)/client.o $(parts_$(1))) $(LOAD_ARCHIVES) $(libs_rival_$(1)) -lm
endef
$(foreach r,$(RIVALS),$(eval $(call rival_rule,$(r))))
BENCH_PROGRAMS += $(foreach r,$(RIVALS),$(BENCH)/$(r)-server $(BENCH)/$(r)-client)

# ---- what drives the services ---------------------------------------------------------
$(call obj_of,$(call src_of,bench/services)): | stub-headers
$(BENCH)/service-client: $(call obj_of,$(call src_of,bench/services)) $(B)/load.a $(B)/libct.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $(AS_A_WHOLE) -o $@ $^ $(ALL_LIBS)
BENCH_PROGRAMS += $(BENCH)/service-client $(addprefix $(BENCH)/ours-,server client stops goodput) # mk/load.mk

# ---- what measures --------------------------------------------------------------------
bench-programs: all $(BENCH_PROGRAMS)

bench: ## measure everything beside gRPC, nng and a bare echo, and write docs/benchmarks.md
	@scripts/setup-debian.sh build bench
	+@$(SUBMAKE) bench-programs
	@bench/run.py --build $(B)
bench-quick: ## the lines that have a goal, in under three minutes
	@scripts/setup-debian.sh build bench
	+@$(SUBMAKE) bench-programs
	@bench/run.py --build $(B) --quick

.PHONY: bench bench-quick bench-programs
