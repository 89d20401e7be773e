import json

import pytest

from tests.inspection.models import PointEngine, make_session
from tests.inspection.scans import write_scan


@pytest.fixture
def session(tmp_path):
    """A session whose run is a folder with what an inspection reads of it."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "model.keras").write_bytes(b"a model")
    (folder / "display.json").write_text(json.dumps({"low": -5, "high": 10}))
    point = {"map_thresholds": {"bone": 5.0}, "decision_threshold": 0.5, "good": "none"}
    (folder / "operating_point.json").write_text(json.dumps(point))
    return make_session(PointEngine(), (40, 32), folder=folder)


@pytest.fixture
def scans(tmp_path):
    """Seven images: those with an odd number have a bone."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(7):
        write_scan(folder / f"{number}.png", number % 2)
    return folder
