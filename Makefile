# Two commands: `make run` starts the app, `make test` runs the whole suite. Each sets up all it needs, from the lock
# files: exact versions, each file checked against its SHA-256.
PYTHON ?= python3.11
BIN := .venv/bin

INSTALL := install --quiet --disable-pip-version-check --require-hashes
AUDIT := .audit/bin

.PHONY: run phone test lint fuzz lock audit sbom
run: .venv/.app
	$(BIN)/streamlit run streamlit_app.py

# The same for a phone in this network, over HTTPS.
phone: .venv/.app
	$(BIN)/python -m emojify phone

# Two processes, as in life: where TensorFlow is loaded, LiteRT has been seen to crash while opening a model.
test: .venv/.dev
	$(BIN)/pytest --ignore=tests/training
	$(BIN)/pytest tests/training

lint: .venv/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

.venv/bin/python:
	$(PYTHON) -m venv .venv

# Looks for inputs that break something, for an hour; a minute of it is part of `make test`.
fuzz: .venv/.dev
	$(BIN)/python -m tests.fuzz.run --minutes 60

# Writes the lock files anew after a change of requirements*.txt. What is pinned stays, unless: make lock LOCK=--upgrade
lock: .audit/.done
	$(AUDIT)/uv pip compile $(COMPILE) requirements.txt -o requirements.lock
	$(AUDIT)/uv pip compile $(COMPILE) requirements-dev.txt -c requirements.lock -o requirements-dev.lock
	$(AUDIT)/uv pip compile $(COMPILE) requirements-audit.txt -o requirements-audit.lock
COMPILE = --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	--custom-compile-command "make lock" $(LOCK)

# Known holes in what is pinned; asks PyPI's vulnerability service, and fails where it says nothing about a package.
audit: .audit/.done
	$(AUDIT)/pip-audit --strict --disable-pip --require-hashes -r requirements-dev.lock

# What the app is made of, for those who must know: sbom.json, as CycloneDX.
sbom: .audit/.done
	$(AUDIT)/cyclonedx-py requirements requirements.lock --output-reproducible -o sbom.json

.venv/.app: requirements.lock | .venv/bin/python
	$(BIN)/pip $(INSTALL) -r requirements.lock
	touch $@

.venv/.dev: requirements-dev.lock .venv/.app
	$(BIN)/pip $(INSTALL) -r requirements-dev.lock
	touch $@

.audit/bin/python:
	$(PYTHON) -m venv .audit

.audit/.done: requirements-audit.lock | .audit/bin/python
	$(AUDIT)/pip $(INSTALL) -r requirements-audit.lock
	touch $@
