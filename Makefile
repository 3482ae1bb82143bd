.DEFAULT_GOAL := help
PYTHON ?= python3
UV_VERSION := 0.13.9
BIN := .venv/bin
RUN := $(BIN)/uv run --frozen --no-sync
# Demo, tests and benchmarks start many processes: without bytecode each would compile everything again.
unexport PYTHONDONTWRITEBYTECODE

##@ The two that matter

.PHONY: demo
demo: .venv/ready ## Play the plan's spring of 2024 through the real services; report in build/demo/
	$(RUN) duban demo

.PHONY: test
test: .venv/ready ## All tests, with a real nats-server and mongod
	$(RUN) pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile

##@ Working on it

.PHONY: setup
setup: .venv/ready ## A virtual environment with the locked dependencies, nothing else

.venv/ready: pyproject.toml contracts/pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/uv && $(BIN)/uv --version | grep -qF $(UV_VERSION) || { \
	  $(PYTHON) -m venv .venv && $(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); }
	$(BIN)/uv sync --frozen --all-extras --inexact --quiet --compile-bytecode
	@touch $@

.PHONY: lint
lint: .venv/ready ## Style, imports between the rooms, types
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) lint-imports
	$(RUN) mypy

.PHONY: format
format: .venv/ready ## Put the style right
	$(RUN) ruff check --fix
	$(RUN) ruff format

.PHONY: contracts
contracts: .venv/ready ## Write the JSON Schemas and the table of messages anew
	$(RUN) python -m duban_contracts.publish

.PHONY: faults
faults: .venv/ready ## Break everything there is under load, then compare what is left; SEED=N repeats a run
	$(RUN) python -m tests.faults $(if $(SEED),--seed $(SEED))
	$(RUN) pytest -m long

.PHONY: mutants
mutants: .venv/ready ## Change every rule in small ways, list what no test noticed; ROOM=escalation only there
	$(RUN) python -m tests.mutants $(if $(ROOM),--room $(ROOM))

.PHONY: compose-test
compose-test: .venv/ready ## docker compose up for real, a matter through it, and down again
	DUBAN_TEST_DOCKER=1 $(RUN) pytest tests/deploy -rs

.PHONY: bench
bench: .venv/ready ## Speed next to what it is compared with, as a table and as build/bench.json
	$(RUN) python -m tests.benchmarks

.PHONY: up
up: .venv/ready ## All servers and services here, until Ctrl-C
	$(RUN) duban up

.PHONY: clean
clean: ## Remove what was built, keep the virtual environment
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
