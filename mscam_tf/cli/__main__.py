"""Run the command as `python -m mscam_tf.cli`."""

from mscam_tf.cli import app

app()
