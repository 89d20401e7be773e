import csv

import pytest

from mscam_tf.experiments.scores import (
    SCORES_FILE,
    add_scores,
    list_done,
    list_versions,
    read_scores,
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


def write_predictions(folder, labels, said):
    folder.mkdir(parents=True)
    with (folder / "predictions.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "predicted", "probability_none"])
        writer.writerows(
            ("x", *pair, chance) for *pair, chance in zip(labels, said, NONE, strict=True)
        )


def finish(folder, trial, labels, said):
    write_predictions(trial.locate(folder) / "test", labels, said)
    add_scores(folder, trial.key, trial.locate(folder), {"keras": "3.9"})


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
    assert "fresh, own classes" not in found["none", "c"]
    assert list_versions(folder) == ["keras 3.9"]


def test_a_seed_counts_once_all_models_have_it(folder):
    path = folder / SCORES_FILE
    assert ("none", "c", 1) in list_done(folder)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert ("none", "c", 1) not in list_done(folder)
    found = read_scores(folder, NAMES)
    assert {len(one["test, own classes"]) for one in found.values()} == {1}


def test_before_all_models_are_there_no_seed_counts(tmp_path):
    assert read_scores(tmp_path, NAMES) == {}
    finish(tmp_path, list_trials(["none"], 1)[0], LABELS, LABELS)
    assert read_scores(tmp_path, NAMES) == {("none", name): {} for name in NAMES}


def test_starts_join_those_that_are_there(folder):
    for trial in list_trials(["imagenet"], 3):
        finish(folder, trial, LABELS, LABELS)
    found = read_scores(folder, NAMES)
    assert [(start, len(found[start, "a"]["test, AUROC"])) for start in ("imagenet", "none")] == [
        ("imagenet", 3),
        ("none", 2),
    ]


def test_without_predictions_a_trial_is_not_done(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"predictions\.csv"):
        add_scores(tmp_path, ("none", "a", 0), tmp_path / "nowhere", {})
    assert list_done(tmp_path) == set()
