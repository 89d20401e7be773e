import sys
from pathlib import Path

import pytest

from mscam_tf import ManifestError
from mscam_tf.datasets import resolve_source


def test_files_are_returned_as_they_are():
    assert resolve_source("images/") == Path("images")
    assert resolve_source(Path("data.csv")) == Path("data.csv")


def test_missing_extra(monkeypatch):
    kept = ("mscam_tf.datasets", resolve_source.__module__)
    for name in [name for name in sys.modules if name.startswith(kept[0]) and name not in kept]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ManifestError, match=r"mscam-tf\[tfds\].* Received: tfds:gdxray_welds"):
        resolve_source("tfds:gdxray_welds")
