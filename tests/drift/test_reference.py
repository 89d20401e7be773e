import json

import numpy as np
import pytest

from mscam_tf import RunError, TrainConfig
from mscam_tf.drift import FEATURES, Reference, fit_reference, read_reference, write_reference
from mscam_tf.errors import MscamError
from mscam_tf.runs import Run


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path, TrainConfig(), ["bone", "none"], "")


def make(count=99, classes=2):
    generator = np.random.default_rng(0)
    return generator.normal(size=(count, len(FEATURES))), generator.normal(size=(count, classes))


def test_it_is_kept_with_a_run(run):
    assert read_reference(run) is None
    reference = fit_reference(*make())
    write_reference(run, reference)
    found = read_reference(run)
    np.testing.assert_array_equal(found.features, reference.features)  # Ties must stay ties.
    np.testing.assert_array_equal(found.logits, reference.logits)
    assert found.sha256 == reference.sha256
    assert found.sha256 != fit_reference(*make(100)).sha256


def test_of_many_images_an_even_choice():
    features, logits = make(1001)
    features[:, 0] = np.arange(1001)
    reference = fit_reference(features, logits)
    assert len(reference.features) == len(reference.logits) == 500
    assert reference.features[[0, -1], 0].tolist() == [0, 1000]
    assert set(np.diff(reference.features[:, 0])) == {2, 3}


def test_few_images_make_none():
    assert fit_reference(*make(98)) is None
    with pytest.raises(MscamError, match=r"needs 99 images\. Received: 98 images"):
        Reference(*make(98))


def test_what_is_no_reference_is_refused():
    features, logits = make()
    with pytest.raises(MscamError, match=r"Received: features of shape \(99, 9\)"):
        Reference(features[:, 1:], logits)
    with pytest.raises(MscamError, match="logits of shape"):
        Reference(features, logits[1:])
    features[3, 4] = np.nan
    with pytest.raises(MscamError, match="finite numbers"):
        Reference(features, logits)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "Expected: format=1. Received: format=2"),
        ({"features": {}}, "is no reference of this run"),
        ({"logits": {"bone": [0.0] * 99, "none": "many"}}, "is no reference of this run"),
        ({"logits": {"bone": [0.0] * 99, "none": [0.0] * 98}}, "is no reference of this run"),
    ],
)
def test_damaged_files_are_named(run, change, message):
    write_reference(run, fit_reference(*make()))
    path = run.folder / "drift.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(RunError, match=message):
        read_reference(run)
