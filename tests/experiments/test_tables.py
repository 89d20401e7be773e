import csv

import numpy as np
import pytest

from mscam_tf.experiments.scores import SCORES_FILE, add_scores, list_done, read_scores
from mscam_tf.experiments.tables import (
    describe_differences,
    describe_models,
    pair_interval,
    to_markdown,
)
from mscam_tf.experiments.trials import list_trials

NAMES = ("a", "b", "c")
LABELS = ["none", "none", "scale1", "scale2"]
NONE = [0.9, 0.3, 0.4, 0.1]  # Their probability of `none`.
SAID = {  # By model and seed: what four images were taken for.
    ("a", 0): ["none", "bone", "bone", "bone"],
    ("a", 1): ["none", "none", "none", "bone"],
    ("b", 0): ["none", "none", "scale2", "scale2"],
    ("b", 1): ["none", "scale1", "scale1", "scale2"],
    ("c", 0): LABELS,
    ("c", 1): ["none", "none", "scale1", "none"],
}


def write_scores(folder, labels, said):
    folder.mkdir(parents=True)
    with (folder / "predictions.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "predicted", "probability_none"])
        writer.writerows(
            ("x", *pair, chance) for *pair, chance in zip(labels, said, NONE, strict=True)
        )


def finish(folder, trial, labels, said):
    write_scores(trial.locate(folder) / "test", labels, said)
    add_scores(folder, trial.key, trial.locate(folder))


@pytest.fixture
def folder(tmp_path):
    for trial in list_trials(["none"], 2):
        name = trial.model.name
        labels = ["none" if x == "none" else "bone" for x in LABELS] if name == "a" else LABELS
        finish(tmp_path, trial, labels, SAID[name, trial.seed])
    return tmp_path


def test_accuracies_by_hand(folder):
    found = read_scores(folder, NAMES)
    assert found["none", "a"]["test, own classes"].tolist() == [0.75, 0.75]
    assert found["none", "b"]["test, own classes"].tolist() == [0.75, 0.75]
    assert found["none", "b"]["test, two classes"].tolist() == [0.75, 0.75]
    assert found["none", "b"]["test, AUROC"].tolist() == [0.75, 0.75]
    assert found["none", "c"]["test, own classes"].tolist() == [1.0, 0.75]
    rows = describe_models(found)
    assert rows[2]["test, own classes"] == "0.875 ± 0.177"
    assert rows[2]["paper"] == "0.867"
    assert rows[2]["fresh, own classes"] == ""


def test_differences_are_paired(folder):
    rows = describe_differences(read_scores(folder, NAMES))
    assert [row["difference"] for row in rows] == ["(b) - (a)", "(c) - (a)", "(c) - (b)"]
    # 12.706, the quantile for two pairs, times 0.177, the deviation, times sqrt(1 / 2 + 2 / 7).
    assert rows[2]["test, own classes"] == "+0.125 ± 0.177 [-1.866, +2.116]"


def test_a_seed_counts_once_all_models_have_it(folder):
    path = folder / SCORES_FILE
    assert ("none", "c", 1) in list_done(folder)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert ("none", "c", 1) not in list_done(folder)
    found = read_scores(folder, NAMES)
    assert {len(one["test, own classes"]) for one in found.values()} == {1}


def test_before_all_models_are_there_the_table_is_empty(tmp_path):
    assert describe_models(read_scores(tmp_path, NAMES)) == []
    trial = list_trials(["none"], 1)[0]
    finish(tmp_path, trial, LABELS, LABELS)
    found = read_scores(tmp_path, NAMES)
    assert [row["seeds"] for row in describe_models(found)] == ["0"] * 3
    assert describe_differences(found)[0]["test, own classes"] == ""


def test_starts_and_seeds_join_those_that_are_there(folder):
    for trial in list_trials(["imagenet"], 3):
        labels = ["none" if x == "none" else "bone" for x in LABELS]
        finish(folder, trial, labels, labels)
    rows = describe_models(read_scores(folder, NAMES))
    assert [(row["weights"], row["seeds"]) for row in rows[::3]] == [
        ("imagenet", "3"),
        ("none", "2"),
    ]


def test_fresh_images_need_no_correction():
    low, high = pair_interval(np.array([0.0, 0.25]))
    assert high - low == pytest.approx(2 * 12.7062 * 0.125, rel=1e-4)


def test_interval_of_a_single_pair():
    assert np.isnan(pair_interval(np.array([0.1]))).all()


def test_markdown():
    assert to_markdown([{"a": "1", "b": "x"}]) == "| a | b |\n| --- | --- |\n| 1 | x |\n"
    assert to_markdown([]) == ""
