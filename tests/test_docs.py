import importlib
import re
from pathlib import Path

import pytest
import typer

import mscam_tf
from mscam_tf.cli import app

DOCS = Path(__file__).parents[1] / "docs"
DOCUMENTED = re.findall(r":: (mscam_tf\.[\w.]+)", (DOCS / "api.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_documented_name_stands_in_a_folder(name):
    folder, _, last = name.rpartition(".")
    assert folder.count(".") <= (2 if folder.startswith("mscam_tf.data.") else 1)
    module = importlib.import_module(folder)
    assert hasattr(module, "__path__"), f"{folder} is a file, not a folder"
    assert getattr(module, last).__doc__


def test_every_name_of_the_package_is_documented():
    expected = {f"mscam_tf.{name}" for name in mscam_tf.__all__ if not name.startswith("_")}
    assert expected <= set(DOCUMENTED)


def test_no_name_is_documented_twice():
    assert len(set(DOCUMENTED)) == len(DOCUMENTED)


PAGES = [DOCS.parent / "README.md", *sorted(DOCS.glob("**/*.md"))]
COMMANDS = typer.main.get_command(app).commands


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_named_has_the_options_named(page):
    text = page.read_text(encoding="utf-8")
    for name, arguments in re.findall(r"(?:^|`)mscam ([a-z]+)([^`\n#]*)", text, re.MULTILINE):
        known = {option for one in COMMANDS[name].params for option in one.opts} | {"--help"}
        used = set(re.findall(r" (--[a-z0-9-]+)", arguments))
        assert used <= known, f"mscam {name}{arguments}"
