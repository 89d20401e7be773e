from collections import Counter

import pytest

from mscam_tf import read_manifest
from mscam_tf.data.manifests import list_images, sample_classes


def test_sampling_takes_of_each_class_alike_many(image_folder):
    manifest = read_manifest(image_folder)
    few = sample_classes(manifest, 10)
    assert Counter(sample.label for sample in few.samples) == {"none": 5, "wide": 5}
    assert sample_classes(manifest, 99) == manifest
    everything = Counter(sample.label for sample in sample_classes(manifest, 30).samples)
    assert everything == {"none": 18, "wide": 12}


def test_list_images(image_folder, tmp_path):
    assert len(list_images([image_folder / "wide", image_folder / "none" / "none0.png"])) == 13
    (tmp_path / "some.csv").write_text(f"path,label\n{image_folder / 'none' / 'none0.png'},none\n")
    assert list_images([tmp_path / "some.csv"]) == [image_folder / "none" / "none0.png"]
    (tmp_path / ".hidden.png").touch()
    with pytest.raises(FileNotFoundError, match="No images found"):
        list_images([tmp_path])
    with pytest.raises(FileNotFoundError, match=r"No such image.*missing"):
        list_images([tmp_path / "missing"])
