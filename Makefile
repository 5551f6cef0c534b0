# Two commands: `make run` starts the app, `make test` runs the whole suite. Each sets up all it needs.
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: run test lint
run: .venv/.app
	$(BIN)/streamlit run streamlit_app.py

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

.venv/.app: requirements.txt constraints.txt | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt
	touch $@

.venv/.dev: requirements-dev.txt .venv/.app
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt
	touch $@
