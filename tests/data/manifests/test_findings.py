from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mscam_tf import Manifest, ManifestError, Sample
from mscam_tf.data.manifests import (
    encode_findings,
    join_findings,
    label_finding,
    list_findings,
    merge_rare,
    split_findings,
)
from tests.data.manifests.odd import LABELS

NAMES = st.lists(LABELS.filter(lambda word: "|" not in word), max_size=4, unique=True)


def make_manifest(*labels):
    return Manifest(Path(), tuple(Sample(f"{i}.png", x, str(i)) for i, x in enumerate(labels)))


def test_labels_name_findings():
    assert split_findings(" bone | void ") == ["bone", "void"]
    assert split_findings("none") == []
    manifest = make_manifest("void|bone", "none", "metal")
    assert list_findings(manifest) == ["bone", "metal", "void"]
    expected = [[1, 0, 1], [0, 0, 0], [0, 1, 0]]
    np.testing.assert_array_equal(encode_findings(manifest, ["bone", "metal", "void"]), expected)


def test_images_without_any_finding_can_be_encoded():
    assert encode_findings(make_manifest("none", "none"), ["bone"]).tolist() == [[0], [0]]


def test_labels_without_findings_and_unknown_ones_are_refused():
    with pytest.raises(ManifestError, match=r"must name findings.*Received: .*\['none'\]"):
        list_findings(make_manifest("none", "none"))
    with pytest.raises(ManifestError, match=r"among \['bone'\]\. Received: \['void'\]"):
        encode_findings(make_manifest("void|bone"), ["bone"])


def test_rare_combinations_count_as_their_rarest_finding():
    manifest = make_manifest("bone", "bone", "void|bone", "none", "bone|void|metal", "bone|void")
    labels = [sample.label for sample in merge_rare(manifest, least=2).samples]
    assert labels[:3] + labels[5:] == ["bone", "bone", "bone|void", "bone|void"]
    assert labels[3] == labels[4] in ("bone", "bone|void")  # The most frequent, for want of more.


def test_groups_count_and_not_their_images():
    samples = [Sample(f"{i}.png", "void", "one film") for i in range(9)]
    samples += [Sample(f"b{i}.png", "bone", str(i)) for i in range(3)]
    merged = merge_rare(Manifest(Path(), tuple(samples)), least=3)
    assert merged.class_names == ["bone"]


def test_one_finding_by_itself():
    labels = label_finding(make_manifest("void|bone", "none", "bone"), "void")
    assert [sample.label for sample in labels.samples] == ["void", "no void", "no void"]


@given(NAMES)
def test_findings_are_joined_and_split_again(names):
    assert split_findings(join_findings(names)) == names


@given(st.lists(NAMES, min_size=1, max_size=5))
def test_tables_of_findings_say_what_the_labels_say(rows):
    manifest = make_manifest(*map(join_findings, rows))
    known = sorted({name for row in rows for name in row})
    table = encode_findings(manifest, known)
    found = [{name for name, there in zip(known, row, strict=True) if there} for row in table]
    assert found == [set(row) for row in rows]


@pytest.mark.parametrize("label", ["none|bone", "bone|None", "NONE", "|", "bone||void", "bone| "])
def test_labels_that_contradict_themselves_are_refused(label):
    samples = (Sample("a.png", "bone", "a"), Sample("b.png", label, "b"))
    with pytest.raises(ManifestError, match=r"The label of b\.png must be findings.*Received: "):
        list_findings(Manifest(Path(), samples))
