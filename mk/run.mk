# SPDX-License-Identifier: Apache-2.0
# Setting up, running, installing, and the cluster.

setup: ## install the Debian packages that building and testing need
	@scripts/setup-debian.sh build test

demo: ## build, run both services on a sample study and show a cascade
	@scripts/setup-debian.sh build
	+@$(SUBMAKE) all
	@scripts/demo.sh $(B)

run: ## build and keep both services running until Ctrl-C
	@scripts/setup-debian.sh build
	+@$(SUBMAKE) all
	@scripts/run-local.sh $(B)

# ---- install: for services that live elsewhere ------------------------------
PREFIX ?= /usr/local
DESTDIR ?=
INSTALL_DIR = $(DESTDIR)$(PREFIX)
PUBLIC_HEADERS = $(filter-out %_internal.h,$(wildcard $(foreach l,$(LAYERS) $(SIDE_LAYERS),shared/$(l)/*.h) shared/rpc/services/*.h))
# What the .proto files of proto/ became: theirs is in libct.a.
PUBLIC_GEN = $(patsubst %,$(B)/gen/%.pb-c.h,$(filter-out $(TEST_STEMS),$(PB_STEMS))) \
	$(patsubst %,$(B)/gen/%.ct.h,$(filter-out $(TEST_STEMS),$(SERVICE_STEMS))) \
	$(B)/gen/google/protobuf/descriptor.pb-c.h
install: ## programs, libct.a, headers and protos to PREFIX (/usr/local)
	@scripts/setup-debian.sh build
	+@$(SUBMAKE) all
	install -d $(INSTALL_DIR)/bin $(INSTALL_DIR)/lib/pkgconfig $(INSTALL_DIR)/share/cascade
	install -m 755 $(B)/bin/protoc-gen-ct $(PROGRAMS:%=$(B)/bin/%) $(INSTALL_DIR)/bin
	install -m 644 $(B)/libct.a $(INSTALL_DIR)/lib
	for h in $(PUBLIC_HEADERS); do install -D -m 644 $$h $(INSTALL_DIR)/include/cascade/$${h#shared/}; done
	for h in $(PUBLIC_GEN); do install -D -m 644 $$h $(INSTALL_DIR)/include/cascade/$${h#$(B)/gen/}; done
	for p in $(wildcard proto/*/v1/*.proto); do install -D -m 644 $$p $(INSTALL_DIR)/share/cascade/$$p; done
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(shell cat VERSION)|' -e 's|@LIBS@|$(ALL_LIBS)|' mk/ct.pc.in > $(INSTALL_DIR)/lib/pkgconfig/ct.pc

# ---- cluster ------------------------------------------------------------------
IMAGE ?= cascade:$(shell cat VERSION)
image: ## build the container image
	@scripts/make-base-image.sh
	docker build --force-rm --network host -t $(IMAGE) -t cascade:latest .

compose-test: ## start the cluster, break it, and check what callers saw
	@scripts/setup-debian.sh build
	+@$(SUBMAKE) all
	+@MAKE="$(MAKE)" tests/compose/compose-test.sh $(B)

.PHONY: setup demo run install image compose-test
