from pathlib import Path

from mscam_tf import Manifest, Sample


def test_a_manifest_selects_a_split_and_sorts_its_classes():
    samples = (Sample("b.png", "void", "1", "test"), Sample("a.png", "bone", "2", "train"))
    manifest = Manifest(Path("data"), samples)
    assert manifest.class_names == ["bone", "void"]
    assert manifest.select("test").paths == [Path("data/b.png")]
