# Each command sets up what it needs from the lock files: exact versions, each file checked against its SHA-256.
#   make run      start the app
#   make check    lint, types, import rules and the fast tests: a minute
#   make test     the whole suite: about twenty minutes
PYTHON ?= python3.11
BIN := .venv/bin

INSTALL := install --quiet --disable-pip-version-check --require-hashes
# The project itself, by the setuptools of the lock file: pip fetches nothing here.
INSTALL_EMOJIFY := install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
AUDIT := .audit/bin
# Compiled tests and modules are kept for the next process, also where the environment forbids it: that saves minutes.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run phone check test-fast test lint fuzz lock audit sbom
run: .venv/.app
	$(BIN)/streamlit run streamlit_app.py

# The app over HTTPS, for a phone in the same network.
phone: .venv/.app
	$(BIN)/emojify phone

# Lint and tests run side by side; each prints its output when it ends.
check: .venv/.dev
	$(MAKE) --no-print-directory --jobs=2 --output-sync=recurse lint test-fast

test-fast: .venv/.dev
	$(BIN)/pytest -q -n logical --dist loadfile -p no:hypothesispytest -m "not (slow or training or browser)" \
		--ignore=tests/training --ignore=tests/browser --ignore=tests/faults --ignore=tests/fuzz

# Two workers that keep the order of the files: tests/conftest.py puts the longest first.
TWO := -n 2 --dist loadfile --no-loadscope-reorder

# Three sets of processes: Playwright keeps an event loop in its process that disturbs other tests, and LiteRT has crashed
# while opening a model in a process that had loaded TensorFlow. One after the other: side by side, the first two took
# 1,270 s in place of 507 + 563 s on two cores, and seven browser tests failed.
test: .venv/.dev
	$(BIN)/pytest $(TWO) --ignore=tests/training --ignore=tests/browser
	$(BIN)/pytest $(TWO) tests/browser
	$(BIN)/pytest $(TWO) tests/training

lint: .venv/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

.venv/bin/python:
	$(PYTHON) -m venv .venv

# Search for inputs that break a parser, for an hour. `make test` includes a minute of it.
fuzz: .venv/.dev
	$(BIN)/python -m tests.fuzz.run --minutes 60

# Rewrite the lock files after a change of requirements*.txt. Pins stay unless: make lock LOCK=--upgrade
lock: .audit/.done
	$(AUDIT)/uv pip compile $(COMPILE) requirements.txt -o requirements.lock
	$(AUDIT)/uv pip compile $(COMPILE) requirements-cluster.txt -c requirements.lock -o requirements-cluster.lock
	$(AUDIT)/uv pip compile $(COMPILE) requirements-dev.txt -c requirements-cluster.lock -o requirements-dev.lock
	$(AUDIT)/uv pip compile $(COMPILE) requirements-audit.txt -o requirements-audit.lock
COMPILE = --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	--custom-compile-command "make lock" $(LOCK)

# List known vulnerabilities of the pinned packages. Fails if PyPI's service does not know a package.
audit: .audit/.done
	$(AUDIT)/pip-audit --strict --disable-pip --require-hashes -r requirements-dev.lock

# Write the app's bill of materials to sbom.json, as CycloneDX.
sbom: .audit/.done
	$(AUDIT)/cyclonedx-py requirements requirements.lock --output-reproducible -o sbom.json

.venv/.app: requirements.lock pyproject.toml | .venv/bin/python
	$(BIN)/pip $(INSTALL) -r requirements.lock
	$(BIN)/pip $(INSTALL_EMOJIFY)
	touch $@

.venv/.dev: requirements-dev.lock .venv/.app
	$(BIN)/pip $(INSTALL) -r requirements-dev.lock
	touch $@

.audit/bin/python:
	$(PYTHON) -m venv .audit

.audit/.done: requirements-audit.lock | .audit/bin/python
	$(AUDIT)/pip $(INSTALL) -r requirements-audit.lock
	touch $@
