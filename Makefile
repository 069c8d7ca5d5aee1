# Every target does its own set-up; `make` alone says what there is.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help install demo test fire lint format bench mutate css browser clean

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PACKAGES := domain app projections tests

help: ## list these targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | while IFS=$$'\t' read -r name what; do printf 'make %-9s %s\n' "$$name" "$$what"; done

install: $(STAMP) ## everything that the others need, into .venv alone, at the versions of constraints.txt

$(STAMP): constraints.txt setup.cfg pyproject.toml
	@for python in python3.11 python3.12 python3.13 python3.14 python3; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$${found:-}" ]; then \
	  echo "Casebook needs Python 3.11 or newer; found: $$(python3 --version 2>&1 || true)." >&2; exit 1; \
	fi; \
	if [ ! -x $(BIN)/python ] || ! $(BIN)/python -c 'import pip' 2>/dev/null; then \
	  "$$found" -m venv --clear $(VENV) || { echo "$$found can't make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }; \
	fi
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt setuptools
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-build-isolation \
	  --config-settings editable_mode=compat -e '.[test]'
	@touch $(STAMP)

demo: install ## an invented school on this machine: database, web, everything; Ctrl-C ends it
	@$(BIN)/casebook demo

test: install browser lint ## all checks and all tests, browser included
	@$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder

fire: install ## ten minutes of new attacks on API, forms and parsers, by the same tests as in `make test`
	@CASEBOOK_FIRE=1 $(BIN)/python -m pytest -n 2 -rP --show-capture=no tests/fuzz tests/api/test_schemathesis.py \
	  tests/api/test_any_request.py tests/pages/test_any_form.py tests/server/test_crowd.py tests/server/test_raw.py

lint: install ## ruff, mypy and the rules of who may import whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(PACKAGES)
	@$(BIN)/lint-imports

format: install ## lay the code out as `make lint` wants it
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: install ## speed, as ratios to baselines of the same run: ten minutes, 15 GB of disk (less with HOW=--quick)
	@$(BIN)/python -m tests.benchmarks $(HOW)

browser: install ## a browser for the tests: the installed one, else Playwright's, else Debian's
	@for name in chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable; do \
	  if command -v "$$name" >/dev/null; then exit 0; fi; \
	done; \
	if $(BIN)/playwright install chromium; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -q && export DEBIAN_FRONTEND=noninteractive && \
	  { apt-get install -y -q chromium-headless-shell || apt-get install -y -q chromium; }; \
	else \
	  echo "The browser tests need Chromium or Chrome: install one and run this again." >&2; exit 1; \
	fi

mutate: install ## change the rules and the sealing one line at a time, and see whether a test notices (long)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-build-isolation \
	  --config-settings editable_mode=compat -e '.[mutation]'
	@$(BIN)/python -m tests.mutation

css: ## compile the pages' style sheet (needs Node.js; what it makes is committed, so nobody else does)
	@npm ci --prefix frontend --no-audit --no-fund
	@npm run --prefix frontend build

clean: ## remove what was built, .venv too
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis .coverage* htmlcov
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
