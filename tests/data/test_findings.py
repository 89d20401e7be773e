from pathlib import Path

import numpy as np
import pytest

from mscam_tf import Manifest, ManifestError, Sample
from mscam_tf.data.findings import encode_findings, list_findings, merge_rare, split_findings


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
    manifest = make_manifest("bone", "bone", "bone|void", "none", "bone|void|metal", "bone|void")
    labels = [sample.label for sample in merge_rare(manifest, least=2).samples]
    assert labels == ["bone", "bone", "bone|void", "none", "metal", "bone|void"]
