"""Call the command line as a user does."""

from typer.testing import CliRunner

from mscam_tf.cli import app


def call(*arguments, status=0):
    """Return what the command prints, line breaks as spaces; it must end with this status."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return " ".join(result.output.split())
