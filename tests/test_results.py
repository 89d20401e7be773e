import argparse
import importlib
import re
import shlex
import sys
from pathlib import Path

import pytest

from benchmarks.common import report

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("benchmarks/*/*.py"),
        ROOT / "Makefile",
    ]
)
_COMMAND = re.compile(r"python -m (benchmarks\.[^`\n#]*(?:\n(?!\s*\n)[^`\n#]*(?=`))?)")


class ParsedError(Exception):
    """The arguments were understood; the work itself is left out."""


def list_commands():
    """Return each command that a page or a benchmark names, and a page that names it."""
    found = {}
    for page in PAGES:
        for command in _COMMAND.findall(page.read_text(encoding="utf-8")):
            # Brackets stand around what may be left out; values in braces are computed.
            found[" ".join(re.sub(r"[\[\]]", "", command).split())] = page
    return {command: page for command, page in found.items() if "{" not in command}


COMMANDS = list_commands()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_named_can_be_run(command, monkeypatch):
    name, *arguments = shlex.split(command)
    module = importlib.import_module(name)
    parse = argparse.ArgumentParser.parse_args

    def stop(parser):
        parse(parser)
        raise ParsedError

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop)
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    with pytest.raises(ParsedError):
        module.main()


def test_commands_are_found():
    assert 'benchmarks.method.ablation --seeds 2 --difficulty 1 --variants "1 scale"' in " ".join(
        COMMANDS
    )
    assert "benchmarks.transfer.transfer fishbones --seeds 5" in COMMANDS
    assert len(COMMANDS) > 20


def test_every_benchmark_says_what_it_does_and_takes_arguments(capsys, monkeypatch):
    for path in sorted(ROOT.glob("benchmarks/*/*.py")):
        if path.parent.name == "common" or path.stem == "__init__":
            continue
        module = importlib.import_module(f"benchmarks.{path.parent.name}.{path.stem}")
        monkeypatch.setattr(sys, "argv", [path.stem, "--help"])
        with pytest.raises(SystemExit) as raised:
            module.main()
        assert raised.value.code == 0
        assert "usage:" in capsys.readouterr().out


def test_a_page_written_anew_keeps_its_notes(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    path = report.write_page("speed", "Speed", "How fast.", ["a"], [[1]], arguments="--seeds 2")
    first = path.read_text()
    assert first.startswith("# Speed\n\nHow fast.\n\n| a |\n| --- |\n| 1 |\n\nMade by `python -m ")
    assert " --seeds 2` with Python " in first
    path.write_text(first + "\n## Notes\n\nIt was cold.\n")
    report.write_page("speed", "Speed", "How fast.", ["a"], [[2]])
    assert "| 2 |" in path.read_text()
    assert path.read_text().endswith(".\n\n## Notes\n\nIt was cold.\n")
    assert "| 2 |" in capsys.readouterr().out


def test_no_benchmark_imports_another():
    for path in ROOT.glob("benchmarks/*/*.py"):
        text = path.read_text(encoding="utf-8")
        for room in re.findall(r"from benchmarks\.(\w+)", text):
            assert room == "common", path
