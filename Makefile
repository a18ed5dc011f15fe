# Two commands do all the set-up on a fresh Debian machine with Python 3.11 and git: `make demo` and `make test`.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
PRACTICE_HOME ?= $(HOME)/tkyt-practice
export PYTHONUTF8 = 1

.PHONY: help setup system demo test lab dashboards gallery bench docs check fix lock
.DEFAULT_GOAL := help

help: ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t14

setup: $(VENV)/.ready ## .venv with the exact versions of requirements.lock

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info[:2] == (3, 11) else "Cần Python 3.11 (tìm thấy " + sys.version.split()[0] + "). Python 3.11 is needed.")'
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); tools/install_system_packages.sh python3-venv && $(PYTHON) -m venv $(VENV); }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

system: ## Debian packages that tests need (Chromium, fonts with Vietnamese letters, what the driver of the browser needs, PostgreSQL)
	@tools/install_system_packages.sh chromium fonts-noto-core libatomic1 postgresql

demo: setup ## the whole flow on practice data, ending with links to open
	$(BIN)/tkyt demo --home $(PRACTICE_HOME)

test: setup system ## every check: style, types, tests, notebooks, reports, apps
	$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=15

check: setup ## style, format, types, catalog; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/tkyt catalog check

fix: setup ## mend style and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lab: setup ## JupyterLab with the workbench's notebooks, on practice data
	test -e $(PRACTICE_HOME)/releases/CURRENT || $(BIN)/tkyt demo --home $(PRACTICE_HOME)
	$(BIN)/tkyt lab --home $(PRACTICE_HOME)

dashboards: setup ## the dashboards (Voilà) on practice data
	test -e $(PRACTICE_HOME)/releases/CURRENT || $(BIN)/tkyt demo --home $(PRACTICE_HOME)
	$(BIN)/tkyt dashboards --home $(PRACTICE_HOME)

gallery: setup ## every kind of map and chart on practice data, into build/gallery
	$(BIN)/tkyt gallery -o build/gallery

bench: setup ## benchmarks: one table each
	@for script in benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

docs: setup ## documentation pages into build/docs
	$(BIN)/python tools/make_docs.py

lock: setup ## new requirements.lock from pyproject.toml
	$(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.11 --extra dev pyproject.toml -o requirements.lock
	$(BIN)/python tools/make_environment.py
