# These need Python 3.11 to 3.13, pip and make; each target installs what else it needs into .venv.
PYTHON ?= python3
BIN := .venv/bin
export TF_CPP_MIN_LOG_LEVEL ?= 2
# Tests run in WORKERS processes, in a shuffled order; another order is `make test SEED=2`.
WORKERS ?= 2
SEED ?= 1
PARALLEL = --numprocesses $(WORKERS) --dist worksteal --random-order --random-order-seed $(SEED)

.DEFAULT_GOAL := help
.PHONY: help demo test slow lint fix docs bench backends hosts oldest hub ray clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "%-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/installed  ## simulate radiographs, train, score, and draw maps into demo/
	$(BIN)/mscam demo --out demo --overwrite

test: .venv/installed-test  ## run the tests and the examples in the docstrings
	$(BIN)/pytest $(PARALLEL)

slow: .venv/installed-test  ## run the tests that take more than a few seconds
	$(BIN)/pytest $(PARALLEL) -m slow

lint: .venv/installed-lint  ## check rules, format, types and imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: .venv/installed-lint  ## mend what ruff can mend, and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/installed-docs  ## build the documentation into docs/_build/html
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

bench: .venv/installed-jax  ## repeat the quick measurements of docs/results
	$(BIN)/python -m benchmarks.speed.reading
	$(BIN)/python -m benchmarks.speed.epoch_gap
	$(BIN)/python -m benchmarks.speed.simulation_speed
	$(BIN)/python -m benchmarks.speed.explainer
	$(BIN)/python -m benchmarks.speed.training_step
	$(BIN)/python -m benchmarks.speed.throughput
	$(BIN)/python -m benchmarks.speed.fused_norms
	$(BIN)/python -m benchmarks.method.relevance_rate

backends: .venv/installed-test .venv/installed-jax .venv/installed-torch  ## run the tests of the pure Keras core on JAX and PyTorch
	KERAS_BACKEND=jax $(BIN)/pytest $(PARALLEL) -m "backends and not slow"
	KERAS_BACKEND=torch $(BIN)/pytest $(PARALLEL) -m "backends and not slow"

hosts: .venv/installed-test .venv/installed-jax  ## test trainings that devices or processes share, on the CPU
	$(BIN)/pytest -m "slow or not slow" tests/training/test_distributing.py

oldest: .venv-oldest/installed  ## run the tests of the core with the oldest Keras that setup.cfg allows
	.venv-oldest/bin/pytest $(PARALLEL) -m "backends and not slow"

hub: .venv/installed-test .venv/installed-hub  ## test backbones of KerasHub, an optional package
	$(BIN)/pytest tests/models/test_registry.py

ray: .venv/installed-test .venv/installed-ray  ## test inspections on a cluster of Ray, an optional package
	$(BIN)/pytest -m "slow or not slow" tests/inspection/test_clusters.py

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

clean:  ## remove what the other targets made
	rm -rf .venv .venv-oldest demo docs/_build
