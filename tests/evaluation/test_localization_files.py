import csv
import json

import numpy as np

from mscam_tf.data.reading import Problem
from mscam_tf.evaluation import Localization, LocatedRow, write_localization

NAN = float("nan")
ROWS = [
    LocatedRow("sum", "all", 2, 3, {"pointing": (0.5, 0.25, 1.0), "found": (1 / 3, NAN, NAN)}),
    LocatedRow("operating point", "all", 2, 3, {"found": (0.5, 0, 1), "false_marks": (2.5, 2, 3)}),
]
CURVES = {"all": {"sum": (np.array([0.0, 0.5]), np.array([0.5, 1.0]))}}


def test_scores_are_a_table_and_a_file_with_settings(tmp_path):
    found = Localization(ROWS, CURVES, 4, 2, 0.125, [Problem(tmp_path / "x.png", "broken")])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    write_localization(found, tmp_path / "out", {"split": "test"})
    with (tmp_path / "out" / "localization.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["map"], first["size"], first["objects"]) == ("sum", "all", "3")
    assert (first["pointing"], first["pointing_low"]) == ("0.500000", "0.250000")
    assert (first["found"], first["found_low"], first["pxap"]) == ("0.333333", "", "")
    assert second["false_marks_high"] == "3.000000"
    written = json.loads((tmp_path / "out" / "localization.json").read_text())
    assert written["split"] == "test"
    assert (written["num_images"], written["num_groups"], written["prevalence"]) == (4, 2, 0.125)
    assert written["rows"][0]["found"] == {"value": 0.333333, "low": None, "high": None}
    assert written["skipped"] == [{"path": str(tmp_path / "x.png"), "reason": "broken"}]
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        *("localization.csv", "localization.json", "free_response.png"),
        *("skipped.csv", "mine.txt"),
    }
    write_localization(Localization(ROWS, CURVES, 4, 2, 0.125), tmp_path / "out")
    assert not (tmp_path / "out" / "skipped.csv").exists()
    assert (tmp_path / "out" / "mine.txt").exists()
