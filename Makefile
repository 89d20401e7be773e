# `make demo` and `make test` need Python 3.11 to 3.13, pip and make; the rest installs itself into .venv.
PYTHON ?= python3
BIN := .venv/bin
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: demo test slow lint docs bench backends oldest hub clean

demo: .venv/installed
	$(BIN)/mscam demo --out demo --overwrite

test: .venv/installed-test
	$(BIN)/pytest

slow: .venv/installed-test
	$(BIN)/pytest -m slow

lint: .venv/installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/installed-docs
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

bench: .venv/installed-jax
	$(BIN)/python -m benchmarks.speed.reading
	$(BIN)/python -m benchmarks.speed.epoch_gap
	$(BIN)/python -m benchmarks.speed.simulation_speed
	$(BIN)/python -m benchmarks.speed.explainer
	$(BIN)/python -m benchmarks.speed.training_step
	$(BIN)/python -m benchmarks.speed.throughput
	$(BIN)/python -m benchmarks.speed.fused_norms
	$(BIN)/python -m benchmarks.method.relevance_rate

# The pure Keras core on the two other backends.
backends: .venv/installed-test .venv/installed-jax .venv/installed-torch
	KERAS_BACKEND=jax $(BIN)/pytest -m backends
	KERAS_BACKEND=torch $(BIN)/pytest -m backends

# The pure Keras core with the lowest versions of Keras and TensorFlow that setup.cfg allows.
oldest: .venv-oldest/installed
	.venv-oldest/bin/pytest -m "backends and not slow"

# Backbones of KerasHub, which brings many packages of its own.
hub: .venv/installed-test .venv/installed-hub
	$(BIN)/pytest tests/models/test_registry.py

.venv-oldest/installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/pip install --quiet --upgrade pip
	sed -nE 's/^ +(keras|tensorflow) >= (.*)/\1 == \2/p' setup.cfg > .venv-oldest/constraints.txt
	.venv-oldest/bin/pip install --quiet --constraint .venv-oldest/constraints.txt --editable ".[test]"
	touch $@

.venv/bin/pip:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip

.venv/installed: setup.cfg pyproject.toml | .venv/bin/pip
	$(BIN)/pip install --quiet --editable .
	touch $@

.venv/installed-%: .venv/installed
	$(BIN)/pip install --quiet --editable ".[$*]"
	touch $@

clean:
	rm -rf .venv .venv-oldest demo docs/_build
