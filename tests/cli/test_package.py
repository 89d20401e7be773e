import subprocess
import sys

import pytest
import typer

from mscam_tf.cli import app
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


SHARED = ("run", "data", "out", "split", "good", "flips", "skip_bad", "overwrite")


@pytest.mark.parametrize(
    "command", ["evaluate", "analyze", "locate", "calibrate", "pod", "explain"]
)
def test_what_commands_share_is_said_once_and_in_one_order(command):
    evaluated, located = list_options("evaluate"), list_options("locate")
    known = {**located, **evaluated, **list_options("pod")}
    found = {name: one for name, one in list_options(command).items() if name in SHARED}
    assert list(found) == [name for name in SHARED if name in found]
    # A run may be `xray`, some have a folder for it, and `explain` takes images, not DATA.
    other = {"run", "out"} | ({"split"} if command == "explain" else set())
    for name in found.keys() - other:
        assert found[name].help.startswith(known[name].help)
        assert (found[name].metavar, found[name].opts) == (known[name].metavar, known[name].opts)


def list_options(command):
    """Return the arguments and options of a command, in order, by name."""
    return {one.name: one for one in typer.main.get_command(app).commands[command].params}
