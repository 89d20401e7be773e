import pytest

from mscam_tf import ManifestError, read_manifest, split_manifest
from tests.data.manifests.test_walking import fill


def read(folder):
    return [(s.path, s.label, s.split, s.mask) for s in read_manifest(folder).samples]


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (("Training", "Testing"), ("train", "test")),
        (("train", "valid"), ("train", "validation")),
        (("Train_Set", "VAL"), ("train", "validation")),
        (("trn", "tst"), ("train", "test")),
        (("train_images", "validation_images"), ("train", "validation")),
        (("01_train", "02-test"), ("train", "test")),
        (("학습", "검증"), ("train", "validation")),
    ],
)
def test_folders_of_splits_in_any_spelling(tmp_path, names, splits):
    first, second = names
    fill(tmp_path, *(f"{name}/{label}/1.png" for name in names for label in ("bone", "none")))
    assert sorted(read(tmp_path)) == sorted(
        (f"{name}/{label}/1.png", label, split, "")
        for name, split in zip((first, second), splits, strict=True)
        for label in ("bone", "none")
    )


def test_splits_inside_of_classes(tmp_path):
    fill(tmp_path, *(f"{label}/{name}/1.png" for label in "ab" for name in ("train", "Test")))
    assert read(tmp_path) == [
        *(("a/Test/1.png", "a", "test", ""), ("a/train/1.png", "a", "train", "")),
        *(("b/Test/1.png", "b", "test", ""), ("b/train/1.png", "b", "train", "")),
    ]


def test_the_masks_of_a_ground_truth_are_taken(tmp_path, caplog):
    fill(
        *(tmp_path, "train/good/000.png", "test/good/000.png", "test/crack/000.png"),
        *("test/hole/001.png", "ground_truth/crack/000_mask.png", "ground_truth/hole/001.png"),
        *("ground_truth/hole/009_mask.png", "license.txt"),
    )
    assert read(tmp_path) == [
        ("test/crack/000.png", "crack", "test", "ground_truth/crack/000_mask.png"),
        ("test/good/000.png", "good", "test", ""),
        ("test/hole/001.png", "hole", "test", "ground_truth/hole/001.png"),
        ("train/good/000.png", "good", "train", ""),
    ]
    assert "masks of no image (1, such as ground_truth/hole/009_mask.png)" in caplog.text
    with pytest.raises(ManifestError, match=r"in the split train. .*'hole'\]; `mscam split` makes"):
        split_manifest(read_manifest(tmp_path))


def test_masks_in_a_folder_for_each_image_are_left_out_and_said(tmp_path, caplog):
    fill(
        *(tmp_path, "train/good/0.png", "validation/good/0.png", "test/good/0.png"),
        *("test/logical_anomalies/0.png", "test/structural_anomalies/1.png"),
        *("ground_truth/logical_anomalies/0/000.png", "ground_truth/logical_anomalies/0/001.png"),
        "ground_truth/structural_anomalies/1/000.png",
    )
    assert read(tmp_path) == [
        ("test/good/0.png", "good", "test", ""),
        ("test/logical_anomalies/0.png", "logical_anomalies", "test", ""),
        ("test/structural_anomalies/1.png", "structural_anomalies", "test", ""),
        ("train/good/0.png", "good", "train", ""),
        ("validation/good/0.png", "good", "validation", ""),
    ]
    assert "masks in a folder for each image; use one file for each (3, such as " in caplog.text


@pytest.mark.parametrize("names", [("valid", "invalid"), ("Invalid", "Valid", "unsure")])
@pytest.mark.parametrize(("folder", "split"), [("", ""), ("train/", "train")])
def test_valid_beside_invalid_is_a_class(tmp_path, names, folder, split):
    fill(tmp_path, *(f"{folder}{name}/1.png" for name in names))
    assert sorted(read(tmp_path)) == sorted(
        (f"{folder}{name}/1.png", name, split, "") for name in names
    )


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("train/a/1.png", "test/a/1.png", "samples/1.png"), r"'train'\] beside \['samples'\]"),
        (("train/a/1.png", "bone/1.png"), r"\['train'\] beside \['bone'\]"),
        (("bone/1.png", "none/1.png", "Ground-Truth/1.png"), r"\['Ground-Truth'\], which are no c"),
        (("images/train/1.png", "labels/train/1.txt"), r"'labels'\], which are no classes"),
        (("fold1/a/1.png", "fold2/a/1.png"), r"'fold2'\], which are no classes"),
        (("development/1.png", "evaluation/1.png"), r"'evaluation'\], which are no classes"),
        (("train/1.png", "test/a/1.png"), r"image in no class folder of its split, train/1\.png"),
        (("train/train/a/1.png",), "a split inside a split, train/train/a"),
        (
            ("set/train/a/1.png", "set/test/a/1.png"),
            "inside a split inside a folder, such as set/test/a",
        ),
        (("a/train/1.png", "a/2.png", "b/3.png"), "such as a/train/1.png, beside a/2.png"),
        (("a/x/test/1.png", "b/3.png"), "inside a split inside a folder, such as a/x/test/1.png"),
        (("train/images/a/1.png", "val/images/a/2.png"), "no class by its name, train/images/a/1"),
        (("train_ok/1.png", "train_bad/1.png", "test_ok/1.png"), r"one name, \['test_ok', 'train_"),
        (("image/1.png", "mask/1.png"), r"'image'\], which are no classes"),
        (
            ("bone/1.png", "none/2.png", "bone_masks/1.png"),
            "'bone_masks', whose pictures seem to be masks",
        ),
        (
            ("a/1.png", "b/2.png", "Mask/1_mask.png", "Mask/2.png"),
            r"'Mask', whose pictures seem to",
        ),
        (("a/x/1.tif", "b/2.tif", "segmentation/x/1.png"), r"'segmentation', whose pictures"),
        (
            ("test/a/1.png", "test/a/2.png", "test/b/1.png", "ground_truth/a/1_mask.png"),
            r"masks amiss \(1\), such as no mask of test/a/2\.png",
        ),
        (
            ("test/a/1.png", "test/b/1.png", "test/c/1.png", "ground_truth/a/1_mask.png"),
            r"masks, but none of several classes: \['b', 'c'\]",
        ),
        (
            ("test/a/1.png", "train/a/1.png", "ground_truth/a/1_mask.png"),
            "1_mask.png, which fits several images",
        ),
    ],
)
def test_what_is_neither_is_refused(tmp_path, names, message):
    with pytest.raises(ManifestError, match=f"Expected one folder per class, or .*{message}"):
        read_manifest(fill(tmp_path, *names))


def test_no_class_comes_of_a_name_that_only_resembles_a_split(tmp_path):
    fill(tmp_path, "trains/1.png", "tested steel/1.png", "valve/1.png", "fold/1.png")
    assert {row[1] for row in read(tmp_path)} == {"trains", "tested steel", "valve", "fold"}


def test_labels_that_hardly_differ_are_told(tmp_path, caplog):
    fill(tmp_path, "bone/1.png", "Bone/2.png", "none/3.png")
    read(tmp_path)
    assert "different classes: ['Bone', 'bone']" in caplog.text


def test_masks_beside_their_images_are_no_images(tmp_path, caplog):
    names = ("bone/b (1).png", "bone/b (1)_mask.png", "bone/b (1)_mask_1.png", "none/n_gt.png")
    fill(tmp_path, *names, "none/mask/n.png", "none/n_mask.png", "none/x_label.png", "none/n.png")
    assert [row[0] for row in read(tmp_path)] == [
        "bone/b (1).png",
        "none/n.png",
        "none/x_label.png",
    ]
    assert "pictures of a ground truth (4, such as bone/b (1)_mask.png)" in caplog.text
    assert "pictures in folders of masks (1, such as none/mask/n.png)" in caplog.text


@pytest.mark.parametrize(
    "mask",
    ["1.mask.png", "1 mask.tif", "mask_1.png", "1_GroundTruth.bmp", "1_segmentation.png"],
)
def test_masks_beside_their_images_have_many_names(tmp_path, caplog, mask):
    fill(tmp_path, "bone/1.png", f"bone/{mask}", "none/2.png", f"none/{mask}")  # No image 1 there.
    expected = {"bone/1.png", "none/2.png", f"none/{mask}"}
    assert {row[0] for row in read(tmp_path)} == expected
    assert f"pictures of a ground truth (1, such as bone/{mask})" in caplog.text


def test_masks_beside_their_images_are_taken_in_splits(tmp_path):
    names = [f"{split}/crack/1{end}.png" for split in ("train", "test") for end in ("", "_mask")]
    rows = read(fill(tmp_path, *names))
    assert [(row[0], row[3]) for row in rows] == [tuple(names[2:]), tuple(names[:2])]


def test_images_that_differ_in_the_suffix_only_are_told(tmp_path, caplog):
    fill(tmp_path, "crack/Imgs/a.jpg", "crack/Imgs/a.png", "free/Imgs/a.jpg")
    assert len(read(tmp_path)) == 3
    assert "2 images of" in caplog.text
    assert "crack/Imgs/a.jpg and crack/Imgs/a.png: all are taken" in caplog.text


def test_labels_that_differ_in_what_is_not_shown_are_told(tmp_path, caplog):
    read(fill(tmp_path, "bone/1.png", "\u200fbone/2.png", "bo\u200bne/3.png"))
    assert caplog.text.count("different classes") == 1


def test_a_class_of_masks_and_names_with_spaces_around(tmp_path):
    fill(tmp_path, "mask/7.png", " no mask /1.png")
    assert read(tmp_path) == [
        (" no mask /1.png", "no mask", "", ""),
        ("mask/7.png", "mask", "", ""),
    ]


@pytest.mark.parametrize("name", ["labels", "Label", "annotations", "masks"])
@pytest.mark.parametrize("inside", ["", "images/"])
def test_pictures_of_labels_inside_a_class_are_left_out(tmp_path, caplog, name, inside):
    images = [f"{label}/{inside}{k}.png" for label in ("bad", "ok") for k in range(2)]
    fill(tmp_path, *images, *(f"{label}/{name}/{k}.png" for label in ("bad", "ok") for k in "01"))
    assert [row[0] for row in read(tmp_path)] == images
    assert "folders of masks (" in caplog.text
    fill(tmp_path, "ok/label_left/7.png")  # What a class may hold.
    assert "ok/label_left/7.png" in [row[0] for row in read(tmp_path)]


@pytest.mark.parametrize(
    "marks",
    [
        ("config.json", "split.csv", "history.png"),
        ("explanations.csv", "sheet.png"),
        ("inspection.json", "pictures/a.png"),
        ("pod.json", "pod.png"),
    ],
)
@pytest.mark.parametrize("place", ["run", "bone/run"])
def test_folders_of_results_are_no_class(tmp_path, caplog, marks, place):
    fill(tmp_path, "bone/1.png", "none/2.png", *(f"{place}/{name}" for name in marks))
    assert [row[:2] for row in read(tmp_path)] == [("bone/1.png", "bone"), ("none/2.png", "none")]
    assert f"folders of results of mscam (1, such as {place})" in caplog.text


@pytest.mark.parametrize("mark", ["tiling.json", "manifest.csv"])
@pytest.mark.parametrize("place", ["tiles", "bone/tiles"])
def test_data_sets_of_their_own_are_no_class(tmp_path, caplog, mark, place):
    fill(tmp_path, "bone/1.png", "none/2.png", *(f"{place}/{n}" for n in (mark, "images/3.png")))
    assert [row[:2] for row in read(tmp_path)] == [("bone/1.png", "bone"), ("none/2.png", "none")]
    assert f"data sets of their own (1, such as {place})" in caplog.text


def test_patches_beside_their_frames_are_no_class(tmp_path):
    fill(tmp_path, "1.png", *(f"{c}/{name}" for c in "ab" for name in ("tiling.json", "2.png")))
    with pytest.raises(ManifestError, match="No images found"):
        read(tmp_path)


def test_patches_may_be_classes(tmp_path):
    fill(tmp_path, *(f"{c}/{name}" for c in "ab" for name in ("tiling.json", "images/1.png")))
    assert {row[1] for row in read(tmp_path)} == {"a", "b"}


@pytest.mark.parametrize("before", ["", "train/", "test/"])
def test_folders_of_the_same_names_in_several_classes_are_told(tmp_path, caplog, before):
    """Days, cameras, and splits in languages that nobody thought of may come before the classes."""
    names = [f"{day}/{label}/1.png" for day in ("day1", "day2") for label in ("bone", "none")]
    fill(tmp_path, *(f"{before}{name}" for name in names))
    if before:
        fill(tmp_path, "validation/day1/1.png", "validation/day2/1.png")
    assert {row[1] for row in read(tmp_path)} == {"day1", "day2"}
    said = (
        "are ['day1', 'day2']. In several of them are folders of the same names, ['bone', 'none']"
    )
    assert (said in caplog.text) == (not before)  # Where images lie in a class, it is one.


def test_folders_of_one_class_each_need_no_word(tmp_path, caplog):
    fill(tmp_path, "bone/film1/1.png", "bone/film2/1.png", "none/film2/2.png", "none/film3/1.png")
    assert {row[1] for row in read(tmp_path)} == {"bone", "none"}
    assert not caplog.text
