# Everything here needs only Python >= 3.11 and make; what else it takes goes into .venv, from the package registry.

.DEFAULT_GOAL := help
.PHONY: help up test test-system test-long check gen contract-release format clean
.DELETE_ON_ERROR:

ARGS ?=
BIN := .venv/bin
SYNCED := .venv/.synced

# Python is only taken from this machine, and the environment only lives here, whatever else is active.
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv
unexport VIRTUAL_ENV

help: ## show this
	@awk 'BEGIN {FS = ":.*## "} /^[a-z%-]+:.*## / {printf "  make %-18s%s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo "ARGS are passed on: make up ARGS='--port 9090', make test ARGS='tests/mesh -k relay'"

up: $(SYNCED) ## run the whole system here, until Ctrl-C
	@exec $(BIN)/sagamesh up $(ARGS)

test: $(SYNCED) ## all tests but the minute-long ones, on real servers
	$(BIN)/python -m pytest -m "not long and not system" $(ARGS)

test-system: $(SYNCED) ## the tests that need Debian's packages (.ci/run installs them)
	$(BIN)/uv run --frozen --group browser python -m pytest -m system $(ARGS)

test-long: $(SYNCED) ## all tests with their full counts and the minute-long outages
	$(BIN)/python -m pytest -m "not system" $(ARGS)

check: $(SYNCED) ## format, lint, types, imports, contracts, and everything generated up to date
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --project pyproject.toml
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/python -m tools.contracts check
	$(BIN)/python -m tools.readme check
	$(BIN)/python -m tools.diagrams check
	$(BIN)/python -m tools.gateway_settings check
	$(BIN)/python -m tools.tree

gen: $(SYNCED) ## regenerate gen/, and the generated sections of README.md and docs/
	$(BIN)/python -m tools.contracts gen
	$(BIN)/python -m tools.readme write
	$(BIN)/python -m tools.diagrams write
	$(BIN)/python -m tools.gateway_settings write

contract-release: $(SYNCED) ## make the present contracts the baseline that later ones may not break
	$(BIN)/python -m tools.contracts release

format: $(SYNCED) ## format Python and proto
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/python -m tools.contracts format

bench-%: $(SYNCED) ## run a benchmark: make bench-saga, make bench-gateway
	$(BIN)/uv run --frozen --group bench python -m benchmarks.$* $(ARGS)

clean: ## remove what can be made again; the data in .sagamesh stays
	rm -rf .venv .bench .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment follows the lock file, and is not touched while that is unchanged. Whatever is compiled for it has a
# make of its own, which ours must not disturb.
$(SYNCED): pyproject.toml uv.lock .venv/.made
	@env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS $(BIN)/uv sync --frozen --quiet
	@touch $@

.venv/.made: $(BIN)/python
	@$(BIN)/uv --version >/dev/null 2>&1 || $(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
	@touch $@

# The first that runs and for which the registry has every library ready-made; else the first that is new enough, for
# which Redis is compiled. An environment whose Python is gone is made anew.
$(BIN)/python:
	@for below in 13 99; do for python in $(or $(PYTHON),python3 python3.12 python3.11 python3.13 python3.14 python); do \
	  if $$python -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, $$below))" 2>/dev/null; then \
	    echo "Setting up .venv with $$($$python --version); this happens once."; \
	    $$python -m venv --clear .venv && exit 0; \
	    rm -rf .venv; exit 1; \
	  fi; \
	done; done; \
	echo "Python 3.11 or newer is needed; 'make PYTHON=/path/to/python3 ...' names one." >&2; exit 1
