import csv

import numpy as np
import pytest

import mscam_tf
from mscam_tf import ImageError
from mscam_tf.explanation import describe_logit, list_images
from mscam_tf.runs import RunError


@pytest.fixture(scope="module")
def explanations(finished_run, image_folder):
    return list(mscam_tf.explain(finished_run, sorted(image_folder.glob("wide/*"))[:9]))


def test_one_explanation_an_image_in_order(explanations, image_folder):
    assert [e.path for e in explanations] == sorted(image_folder.glob("wide/*"))[:9]
    assert explanations[0].image.shape == (64, 64)


def test_scales_add_up_to_map_and_logit(explanations):
    for e in explanations:
        np.testing.assert_allclose(e.scale_maps.sum(0), e.maps, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(e.maps.mean((0, 1)), e.contributions.sum(0), atol=1e-4)
        np.testing.assert_allclose(
            np.exp(e.logits) / np.exp(e.logits).sum(), e.probabilities, rtol=1e-4
        )


def test_in_words_by_hand():
    words = describe_logit("bone", -1.25, np.array([-2.0, 0.5]))
    assert words == "logit of bone = -1.25 = -2.00 from scale 1 + 0.50 from scale 2 + 0.25 bias"
    words = describe_logit("none", 1.0, np.array([1.5, -0.5, 0.25]))
    assert words.endswith("1.50 from scale 1 - 0.50 from scale 2 + 0.25 from scale 3 - 0.25 bias")


def test_writes_pictures_and_table(finished_run, image_folder, tmp_path):
    paths = [image_folder / "none" / "none0.png", image_folder / "wide" / "wide1.png"]
    seen = []
    mscam_tf.write_explanations(finished_run, paths, tmp_path / "out", seen.append)
    assert [e.path for e in seen] == paths
    names = {path.name for path in (tmp_path / "out").iterdir()}
    pictures = {
        f"{stem}_{kind}.png" for stem in ("none0", "wide1") for kind in ("overlay", "scales")
    }
    assert names == pictures | {"sheet.png", "relevance.png", "explanations.csv"}
    with (tmp_path / "out" / "explanations.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["in_words"] == seen[0].describe()
    assert float(rows[1]["contributions_scale2"]) == pytest.approx(
        seen[1].contributions[1, seen[1].predicted], abs=1e-5
    )


def test_other_images_do_not_mix(finished_run, image_folder, tmp_path):
    first, second = (image_folder / "none" / f"none{number}.png" for number in (0, 1))
    mscam_tf.write_explanations(finished_run, [first], tmp_path / "out")
    with pytest.raises(RunError, match="--overwrite"):
        mscam_tf.write_explanations(finished_run, [second], tmp_path / "out")
    mscam_tf.write_explanations(finished_run, [second], tmp_path / "out", overwrite=True)
    names = {path.name for path in (tmp_path / "out").glob("none*")}
    assert names == {"none1_overlay.png", "none1_scales.png"}
    notes = tmp_path / "out" / "notes.txt"
    notes.touch()
    with pytest.raises(RunError, match=r"not only explanations.*Received: notes\.txt"):
        mscam_tf.write_explanations(finished_run, [second], tmp_path / "out", overwrite=True)
    with pytest.raises(RunError, match="not only explanations"):
        mscam_tf.write_explanations(finished_run, [second], notes, overwrite=True)
    assert notes.exists()


def test_images_of_the_same_name_do_not_overwrite_each_other(finished_run, image_folder, tmp_path):
    from shutil import copy

    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        copy(image_folder / "none" / "none0.png", tmp_path / folder / "x.png")
    paths = [tmp_path / "a" / "x.png", tmp_path / "b" / "x.png"]
    mscam_tf.write_explanations(finished_run, paths, tmp_path / "out")
    assert (tmp_path / "out" / "a_x_overlay.png").exists()
    assert (tmp_path / "out" / "b_x_overlay.png").exists()


def test_names_never_collide():
    from pathlib import Path

    from mscam_tf.explanation import _name_files

    paths = [Path(name) for name in ("a/x.png", "b/x.png", "c/a_x.png", "d/a_x.png", "e/a/x.png")]
    assert len(set(_name_files(paths))) == 5


def test_list_images(image_folder, tmp_path):
    assert len(list_images([image_folder / "wide", image_folder / "none" / "none0.png"])) == 13
    (tmp_path / "some.csv").write_text(f"path,label\n{image_folder / 'none' / 'none0.png'},none\n")
    assert list_images([tmp_path / "some.csv"]) == [image_folder / "none" / "none0.png"]
    (tmp_path / ".hidden.png").touch()
    with pytest.raises(FileNotFoundError, match="No images found"):
        list_images([tmp_path])
    with pytest.raises(FileNotFoundError, match=r"No such image.*missing"):
        list_images([tmp_path / "missing"])


def test_no_images(finished_run):
    with pytest.raises(ValueError, match="at least one image"):
        mscam_tf.explain(finished_run, [])
    with pytest.raises(ValueError, match="at least one image"):
        mscam_tf.write_explanations(finished_run, [], "nowhere")


def test_unreadable_images_are_named(finished_run, tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(ImageError, match=r"a\.png"):
        mscam_tf.write_explanations(finished_run, [tmp_path / "a.png"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_unreadable_images_are_left_out_on_request(finished_run, image_folder, tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    paths = [tmp_path / "a.png", image_folder / "none" / "none0.png"]
    mscam_tf.write_explanations(finished_run, paths, tmp_path / "out", skip_bad=True)
    assert (tmp_path / "out" / "none0_overlay.png").exists()
    assert not (tmp_path / "out" / "a_overlay.png").exists()
    rows = (tmp_path / "out" / "skipped.csv").read_text().splitlines()
    assert rows[0] == "path,reason"
    assert rows[1].startswith(str(tmp_path / "a.png"))
