# `make demo` and `make test` need Python 3.11 to 3.13, pip and make; the rest installs itself into .venv.
PYTHON ?= python3
BIN := .venv/bin
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: demo test slow lint docs bench backends clean

demo: .venv/installed
	$(BIN)/mscam demo --out demo --overwrite

# Workers share the cores, so each computes with one thread. Another order: make test SEED=2.
WORKERS ?= 2
SEED ?= 1
test: .venv/installed-test
	TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/pytest \
		--numprocesses $(WORKERS) --dist worksteal --random-order --random-order-seed $(SEED)

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
	rm -rf .venv demo docs/_build
