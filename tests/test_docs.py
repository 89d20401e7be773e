import importlib
import re
from pathlib import Path

import pytest

import mscam_tf

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
