"""Measurements: run one with `python -m benchmarks.NAME`; each writes its page in docs/results."""
