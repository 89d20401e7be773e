import subprocess
import sys

import pytest

from tests.cli.command import call


def test_help_lists_the_commands():
    text = call("--help")
    assert "mscam train DATA --out RUN" in text
    assert "Usage" in text


@pytest.mark.parametrize(
    "command",
    [
        *("train", "evaluate", "explain", "analyze", "demo"),
        *("check", "split", "relabel", "tile", "simulate", "pretrain", "reproduce"),
    ],
)
def test_help_teaches(command):
    text = call(command, "--help")
    assert "Usage" in text
    assert command in text


def list_loaded(names, *arguments):
    """Say which modules a command has loaded, in a new process."""
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom mscam_tf.cli import app\n"
        f"result = CliRunner().invoke(app, {list(map(str, arguments))})\n"
        "assert result.exit_code == 0, result.output\n"
        f"print([name for name in {names} if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_help_loads_neither_keras_nor_tensorflow():
    assert list_loaded(("keras", "tensorflow", "matplotlib", "numpy"), "--help") == "[]"


def test_commands_about_data_load_neither_keras_nor_tensorflow(data):
    assert list_loaded(("keras", "tensorflow", "matplotlib"), "check", data) == "[]"
