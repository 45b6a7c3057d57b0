# Two commands are enough: `make run` and `make test`. `make help` lists the others.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
TESTS ?=

.PHONY: help run test check format bench clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## set up what is missing, then serve with demo data
	@$(PYTHON) run.py $(ARGS)

.PHONY: dev
dev:
	@$(PYTHON) scripts/environment.py --dev
	@sh scripts/system_packages
	@.venv/bin/python scripts/vendor.py
	@.venv/bin/python scripts/compile_translations.py

test: dev ## check everything, then run all tests (TESTS="-k name" for some)
	@scripts/check
	@.venv/bin/python -m pytest -n 2 --dist loadfile $(TESTS)

check: dev ## style, format, types, imports, definitions
	@scripts/check

format: dev ## put the code into the agreed form
	@.venv/bin/ruff check --fix --select I .
	@.venv/bin/ruff format .

bench: dev ## measure speed beside a bare Flask page
	@.venv/bin/python scripts/bench.py

clean: ## remove what can be made again (never the data in instance/)
	rm -rf .venv node_modules app/static/vendor .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
