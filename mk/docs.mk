# SPDX-License-Identifier: Apache-2.0
# What of the documents is generated. tests/tools/test_docs.sh checks that it is current.

docs: ## write docs/configuration.md from the services' tables
	@scripts/setup-debian.sh build
	+@$(SUBMAKE) $(B)/bin/patient-svc $(B)/bin/report-svc
	@scripts/make-docs.sh $(B) > docs/configuration.md.new
	@mv docs/configuration.md.new docs/configuration.md

.PHONY: docs
