import csv

import numpy as np
import pytest

from mscam_tf.experiments.tables import (
    describe_differences,
    describe_models,
    pair_interval,
    read_accuracies,
    to_markdown,
)
from mscam_tf.experiments.trials import list_trials

LABELS = ["none", "none", "scale1", "scale2"]
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
        writer.writerow(["path", "label", "predicted"])
        writer.writerows(("x", *pair) for pair in zip(labels, said, strict=True))
    (folder / "metrics.json").write_text("{}")


@pytest.fixture
def folder(tmp_path):
    for trial in list_trials(["xray"], 2):
        name = trial.model.name
        labels = ["none" if x == "none" else "bone" for x in LABELS] if name == "a" else LABELS
        write_scores(trial.locate(tmp_path) / "test", labels, SAID[name, trial.seed])
    return tmp_path


def test_accuracies_by_hand(folder):
    found = read_accuracies(folder, list_trials(["xray"], 2))
    assert found["xray", "a"]["test, own classes"].tolist() == [0.75, 0.75]
    assert found["xray", "b"]["test, own classes"].tolist() == [0.75, 0.75]
    assert found["xray", "b"]["test, two classes"].tolist() == [1.0, 0.75]
    assert found["xray", "c"]["test, own classes"].tolist() == [1.0, 0.75]
    rows = describe_models(found)
    assert rows[2]["test, own classes"] == "0.875 ± 0.177"
    assert rows[2]["paper"] == "0.867"
    assert rows[2]["fresh, own classes"] == ""


def test_differences_are_paired(folder):
    rows = describe_differences(read_accuracies(folder, list_trials(["xray"], 2)))
    assert [row["difference"] for row in rows] == ["(b) - (a)", "(c) - (b)"]
    # Half a deviation of 0.25 / sqrt(2) each way, times 12.706, the quantile for two pairs.
    assert rows[1]["test, own classes"] == "+0.125 [-1.463, +1.713]"


def test_a_seed_counts_once_all_models_have_it(folder):
    trials = list_trials(["xray"], 2)
    (trials[-1].locate(folder) / "test" / "metrics.json").unlink()
    found = read_accuracies(folder, trials)
    assert {len(one["test, own classes"]) for one in found.values()} == {1}


def test_without_any_trial_there_is_an_empty_table(tmp_path):
    found = read_accuracies(tmp_path, list_trials(["xray"], 1))
    assert [row["seeds"] for row in describe_models(found)] == ["0"] * 3
    assert describe_differences(found)[0]["test, own classes"] == ""


def test_interval_of_a_single_pair():
    assert np.isnan(pair_interval(np.array([0.1]))).all()


def test_markdown():
    assert to_markdown([{"a": "1", "b": "x"}]) == "| a | b |\n| --- | --- |\n| 1 | x |\n"
    assert to_markdown([]) == ""
