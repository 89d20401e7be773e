from pathlib import Path

import numpy as np
import pytest

from mscam_tf import Manifest, ManifestError, Sample
from mscam_tf.data.labelling import fit_thresholds, label_binary, label_by_size
from mscam_tf.errors import MscamError


def make_manifest(labels, splits=""):
    splits = splits or " " * len(labels)
    pairs = enumerate(zip(labels, splits, strict=True))
    names = {"t": "train", "v": "validation", " ": ""}
    return Manifest(
        Path(), tuple(Sample(f"{i}.png", label, str(i), names[s]) for i, (label, s) in pairs)
    )


def list_labels(manifest):
    return [sample.label for sample in manifest.samples]


def test_quantiles_of_the_training_split_only():
    manifest = make_manifest("xxxxxxxx", "tttttttv")
    sizes = np.array([0, 1, 2, 3, 4, 5, 6, 1000.0])
    thresholds = fit_thresholds(manifest, sizes, 3)
    assert thresholds == pytest.approx([1 + 5 / 3, 1 + 10 / 3])
    counts = np.bincount(np.searchsorted(thresholds, sizes[1:7], side="right"))
    assert counts.tolist() == [2, 2, 2]


def test_without_a_split_all_images_count(caplog):
    assert fit_thresholds(make_manifest("xxxx"), np.array([1, 2, 3, 4.0]), 2) == [2.5]
    assert "thresholds are fitted on all images" in caplog.text


@pytest.mark.parametrize("sizes", [[0, 0, 0], [5, 5, 5], [0, 0, 7]])
def test_too_few_sizes(sizes):
    with pytest.raises(ValueError, match="must make 2 classes; give thresholds"):
        fit_thresholds(make_manifest("xxx", "ttt"), np.array(sizes, float), 2)


@pytest.mark.parametrize("classes", [1, 10, "3", 2.5])
def test_bad_number_of_classes(classes):
    message = f"`classes` must be a whole number of at least 2 and at most 9. .*={classes!r}"
    with pytest.raises(ValueError, match=message):
        fit_thresholds(make_manifest("x"), np.ones(1), classes)


def test_labels_and_what_they_were(caplog):
    manifest = make_manifest(["none", "bone", "bone", "bone"])
    labelled = label_by_size(manifest, np.array([0, 12.4999, 12.5, 30]), [12.5, 22])
    assert list_labels(labelled) == ["none", "scale1", "scale2", "scale3"]
    assert labelled.samples[1].extra == {"original_label": "bone", "object_size": "12.4999"}
    assert labelled.samples[2].extra == {"original_label": "bone", "object_size": "12.5"}
    assert not caplog.text
    again = label_by_size(labelled, np.array([1, 0, 0, 0.0]), [3])
    assert again.samples[2].extra == {"original_label": "bone", "object_size": "0"}
    assert "4 images are labelled none but have an object, or the reverse" in caplog.text


def test_classes_without_an_image_are_said(caplog):
    samples = tuple(Sample(f"{i}.png", "bone", str(i)) for i in range(2))
    label_by_size(Manifest(Path(), samples), np.array([0, 3.0]), [2.0, 5.0])
    assert "No image has the label scale1 or scale3." in caplog.text


def test_a_column_of_the_users_stays():
    manifest = Manifest(Path(), (Sample("a.png", "bone", "1", extra={"size": "large"}),))
    (sample,) = label_by_size(manifest, np.array([123456.7]), [3]).samples
    assert sample.extra["size"] == "large"
    assert sample.extra["object_size"] == "123456.7"


@pytest.mark.parametrize("thresholds", [[0, 1], [2, 2], [3, 1], list(range(1, 10)), ["2"], [None]])
def test_bad_thresholds(thresholds):
    with pytest.raises(ValueError, match="`thresholds` must be above 0, rise"):
        label_by_size(make_manifest("x"), np.ones(1), thresholds)


def test_back_to_two_classes():
    manifest = make_manifest(["none", "scale1", "scale2"])
    assert list_labels(label_binary(manifest, ("none", "bone"))) == ["none", "bone", "bone"]
    sizes = np.array([0, 0, 4])
    assert list_labels(label_binary(manifest, sizes=sizes)) == ["none", "none", "object"]
    with pytest.raises(ManifestError, match=r"One class must be 'good'.* Received: \['none'"):
        label_binary(manifest, ("good", "bad"))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ([1, float("nan")], "at least 0. Received: nan for 1.png"),
        ([1, -2.0], "at least 0. Received: -2.0 for 1.png"),
        ([float("inf"), 1], "at least 0. Received: inf for 0.png"),
        ([1, 2j], r"2 real numbers.* Received: shape \(2,\), complex128"),
        ([1], r"2 real numbers.* Received: shape \(1,\)"),
        (["1", "2"], "2 real numbers"),
    ],
)
def test_what_is_no_size_makes_no_label(sizes, message):
    manifest, sizes = make_manifest("xy"), np.array(sizes)
    with pytest.raises(MscamError, match=message):
        label_by_size(manifest, sizes, [5])
    with pytest.raises(MscamError, match=message):
        label_binary(manifest, sizes=sizes)
    with pytest.raises(MscamError, match=message):
        fit_thresholds(manifest, sizes, 2)


@pytest.mark.parametrize("threshold", [float("nan"), float("inf"), -1])
def test_thresholds_are_finite(threshold):
    with pytest.raises(MscamError, match="`thresholds` must be above 0, rise"):
        label_by_size(make_manifest("xy"), np.array([1, 2]), [threshold])


@pytest.mark.parametrize(
    "names",
    [
        ("a", "a"),
        ("", "bone"),
        ("none", " bone"),
        ("a",),
        ("a", "b", "c"),
        (1, 2),
        "ab",
        ("a", "b\nc"),
    ],
)
def test_two_labels_differ_and_can_be_read_back(names):
    with pytest.raises(MscamError, match="`names` must be two different labels"):
        label_binary(make_manifest("xy"), names, np.array([0, 1]))


def test_images_with_an_object_are_not_called_none():
    with pytest.raises(MscamError, match=r"'none' .* comes first. Received: names=\('b', 'none'\)"):
        label_binary(make_manifest("xy"), ("b", "none"), np.array([0, 1]))


def test_masked_sizes_are_refused():
    """What a mask hides would count."""
    manifest = Manifest(Path(), (Sample("a.png", "x", "a"), Sample("b.png", "x", "b")))
    with pytest.raises(MscamError, match="Received: masked values"):
        label_by_size(manifest, np.ma.masked_array([1.0, 2.0], [True, False]), [1.5])
