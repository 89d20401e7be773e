import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mscam_tf import MscamError
from mscam_tf.cli import app
from mscam_tf.cli.console import CONSOLE, explain_errors, make_table, say, say_next, set_up
from mscam_tf.names import clean

RUNNER = CliRunner()
NAMES = ["film[bone]", "[/x]", "a$b", ":bone:", "필름", "{epoch}", "=1+1", "<script>", "'\"\\"]


def call(*arguments):
    return RUNNER.invoke(app, [str(argument) for argument in arguments])


def fail(error, capsys, *, debug=False):
    set_up(debug=debug)
    with pytest.raises(BaseException) as caught, explain_errors(tensorflow=False):  # noqa: PT011
        raise error
    return caught.value.exit_code, capsys.readouterr().err


@pytest.mark.parametrize("error", [MscamError("`a` must be [b]"), FileNotFoundError("no [b]")])
def test_what_a_user_can_mend_is_one_message(error, capsys):
    status, text = fail(error, capsys)
    assert status == 1
    assert text == f"Error: {error}\n"
    status, text = fail(error, capsys, debug=True)
    assert status == 1
    assert "Traceback" in text
    assert text.endswith(f"Error: {error}\n")


@pytest.mark.parametrize("error", [ValueError("odd"), KeyError("odd"), RuntimeError("odd")])
def test_what_is_a_bug_shows_as_one(error, capsys):
    status, text = fail(error, capsys)
    assert status == 1
    assert "Traceback" in text
    assert "Please report it" in text.splitlines()[-1]


def test_a_full_memory_is_no_bug(capsys):
    status, text = fail(MemoryError("Unable to allocate 37.3 GiB"), capsys)
    assert status == 1
    assert text.startswith("Error: The memory is full. Take smaller images")
    assert "37.3 GiB" in text
    assert "Traceback" in fail(MemoryError(), capsys, debug=True)[1]


def test_ctrl_c_ends_in_a_sentence(capsys):
    assert fail(KeyboardInterrupt(), capsys) == (130, "Stopped.\n")


def test_a_missing_package_is_named(capsys):
    status, text = fail(ModuleNotFoundError("No module named 'jax'", name="jax"), capsys)
    assert status == 1
    assert "package jax is not installed" in text
    assert "Traceback" not in text


def test_debug_is_an_option_of_all_commands(tmp_path):
    for options, shown in ((["--debug"], True), ([], False)):
        result = call(*options, "check", tmp_path / "missing")
        assert result.exit_code == 1
        assert ("Traceback" in result.output) == shown
        assert "DATA must be a folder" in result.output


def test_names_are_printed_as_they_are(capsys):
    for name in NAMES:
        say(name)
    assert capsys.readouterr().out.splitlines() == NAMES
    CONSOLE.print(make_table("[b]", "[c]", "$", rows=[(name, "1") for name in NAMES]))
    text = capsys.readouterr().out
    assert "[b]" in text
    assert all(name in text for name in NAMES)


def test_names_that_begin_alike_are_printed_whole(capsys):
    names = [f"porosity_of_the_{where}_weld_{'x' * 90}" for where in ("upper", "lower")]
    CONSOLE.print(make_table("", *("a column",) * 6, rows=[(*names, *"abcd")]))
    text = capsys.readouterr().out
    assert "…" not in text
    cells = [line.split("│")[1:3] for line in text.splitlines() if "│" in line]
    assert ["".join(part[k].strip() for part in cells) for k in (0, 1)] == names


def test_what_cannot_be_printed_is_escaped(capsys):
    assert clean("a\x1b[31m\x07\udcff") == r"a\x1b[31m\x07\udcff"
    say("a\x1b[31m\udcff")
    assert capsys.readouterr().out == "a\\x1b[31m\\udcff\n"


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_code_page_costs_no_command(tmp_path, encoding):
    for number in range(6):
        folder = tmp_path / "data" / ("none" if number % 2 else "필름 [b]")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.png").touch()
    arguments = ["split", tmp_path / "data", "--out", tmp_path / "b.csv"]
    result = subprocess.run(
        [sys.executable, "-m", "mscam_tf.cli", *arguments],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )
    assert result.returncode == 0, result.stderr
    assert rb"\ud544\ub984 [b]" in result.stdout
    assert b"6 images" in result.stdout


@pytest.mark.parametrize("name", ["theano", "torch"])
def test_a_backend_that_keras_lacks_is_named(tmp_path, name):
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError('none', name='torch')")
    result = subprocess.run(
        [sys.executable, "-m", "mscam_tf.cli", "evaluate", tmp_path, tmp_path],
        env={**os.environ, "KERAS_BACKEND": name, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert f"KERAS_BACKEND={name!r}" in result.stderr


def test_the_next_command_can_be_pasted(capsys):
    say_next("evaluate", Path("run {epoch} $x"), Path("it's"))
    assert shlex.split(capsys.readouterr().out) == [
        *("Next:", "mscam", "evaluate", "run {epoch} $x", "it's")
    ]
    say_next("check", Path("--split.csv"), Path("a/-b"))
    assert capsys.readouterr().out.split()[-2:] == ["./--split.csv", "a/-b"]
