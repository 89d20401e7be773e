"""Run `mscam` with the backbone of the tests, in a process of its own."""

import sys

import tests.conftest  # noqa: F401  It registers the backbone.
from mscam_tf.cli import app

if __name__ == "__main__":
    app(sys.argv[1:])
