# benchwarden: every command a developer or user needs; `make` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CACHE := $(or $(BENCHWARDEN_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/benchwarden)
BIN := .venv/bin
# The newest Python >= 3.11 that runs.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
SOURCES := $(shell git ls-files 'operator/*.py' 'runner/*.py' 'tests/*.py' 'benchmarks/*.py' 2>/dev/null)

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

.PHONY: setup
setup: .venv/.runtime ## prepare .venv with the benchwarden command

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python >= 3.11 with venv is needed (on Debian: apt install python3-venv)" >&2; exit 3; }
	$(PYTHON) -m venv .venv

.venv/.runtime: locks/runtime.txt locks/build.txt pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r locks/runtime.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r locks/build.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: setup-dev
setup-dev: .venv/.dev ## prepare .venv for development and tests too

.venv/.dev: locks/dev.txt .venv/.runtime
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r locks/dev.txt
	@touch $@

.PHONY: demo
demo: setup ## run the bundled mini suite: on the cluster of KUBECONFIG if it answers, else locally
	@$(BIN)/python examples/demo.py

.PHONY: check
check: setup-dev ## lint, types, import contracts, drift of generated files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.sizes
	$(BIN)/python -m tests.supply.secret_scan
	$(MAKE) --no-print-directory docs
	$(MAKE) --no-print-directory generate
	@git diff --exit-code --stat -- crds charts/benchwarden/files docs/reference tests/golden || { echo "generated files differ: commit what make generate wrote" >&2; exit 1; }

.PHONY: generate
generate: setup-dev ## write everything that is generated: CRDs, the chart's copies, references, goldens
	$(BIN)/python -m tests.generate

.PHONY: docs
docs: setup-dev ## build the documentation into out/docs; every warning is an error
	$(BIN)/sphinx-build -q -E -a -W --keep-going -n -b html docs out/docs

.PHONY: screenshots
screenshots: docs ## take the documentation's pictures anew (needs Chromium; runs the mini suite on this machine)
	$(BIN)/python -m tests.docs.screenshots

.PHONY: test
test: setup-dev ## every test, the cluster ones included (needs root and Go, or KUBECONFIG)
	@$(BIN)/python -m tests.everything

.PHONY: test-long
test-long: setup-dev ## the tests that take longer: chains with Prometheus and others, campaigns
	@$(BIN)/python -m tests.everything long

.PHONY: chaos
chaos: setup-dev ## every fault of docs/concepts/faults.md on the test cluster, a crash at every single write included
	@BENCHWARDEN_DEATH_STRIDE=1 $(BIN)/pytest -q -rP -m cluster tests/cluster_promises/test_death_at_every_write.py \
		tests/cluster_promises/test_faults.py tests/cluster_promises/test_node_faults.py \
		tests/cluster_promises/test_refused_pods.py tests/cluster_promises/test_api_server_restart.py \
		tests/cluster_promises/test_unkind_api_server.py tests/cluster_promises/test_changed_underneath.py \
		tests/cluster_promises/test_image_registry.py tests/cluster_promises/test_memory_pressure.py \
		tests/cluster_promises/test_clocks.py tests/cluster_promises/test_outcomes.py \
		tests/cluster_promises/test_two_operators.py tests/cluster_promises/test_deletion.py

.PHONY: test-unit
test-unit: setup-dev ## the tests that need no cluster and no Claude Code
	$(BIN)/pytest -q

.PHONY: audit
audit: setup-dev ## known vulnerabilities in the locked dependencies (exit code 2: the service cannot say)
	@$(BIN)/python -m tests.supply.audit

.PHONY: sbom
sbom: setup-dev ## what is in the product, as CycloneDX, into out/sbom
	@$(BIN)/python -m tests.supply.sbom

.PHONY: fuzz
fuzz: setup-dev ## a million executions over all parsers (half an hour), and which branches they reach
	$(BIN)/python -m tests.fuzz.campaign
	$(BIN)/python -m tests.fuzz.branches

.PHONY: bench
bench: setup-dev ## measure what README and docs promise, side by side
	@$(BIN)/python -m benchmarks

.PHONY: bench-scale
bench-scale: setup-dev ## thousands of instances on fake nodes with the real API server (a quarter of an hour)
	$(BIN)/python -m benchmarks.scale --instances 1000 --instances 10000 --held 1000 --held 5000 --write

.PHONY: bench-stats
bench-stats: setup-dev ## simulate the detectors (minutes)
	$(BIN)/python benchmarks/stats.py

.PHONY: cluster-up
cluster-up: ## start the test cluster (built on first use)
	@python3 tests/cluster/cli.py up

.PHONY: cluster-images
cluster-images: setup-dev ## build the product's and the mini suite's images and load them into the test cluster
	@$(BIN)/python -m tests.installed

.PHONY: cluster-down
cluster-down: ## stop the test cluster and remove every trace
	@python3 tests/cluster/cli.py down

.PHONY: lock
lock: ## resolve the dependencies anew (needs uv)
	uv lock -q
	uv export -q --no-emit-project --no-dev --extra storage --no-header --no-annotate -o locks/runtime.txt
	uv export -q --no-emit-project --all-extras --no-extra swebench --no-header --no-annotate -o locks/dev.txt
	uv export -q --only-group build --no-header --no-annotate -o locks/build.txt

.PHONY: clean
clean: ## remove what make wrote into the work tree
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis out
