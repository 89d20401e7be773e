import pytest

from mscam_tf.data.manifests.naming import find_split, is_no_class, list_joined, strip_mask


@pytest.mark.parametrize(
    ("name", "split"),
    [
        *(("학습데이터", "train"), ("검증용 데이터", "validation"), ("测试集", "test")),
        *(("訓練データ", "train"), ("train.zip", "train"), ("val2017", "validation")),
        *(("Trainingsdaten", "train"), ("Testbilder", "test"), ("Validierung", "validation")),
        *(("datos de prueba", "test"), ("entraînement", "train"), ("validação", "validation")),
        *(
            ("Eğitim", "train"),
            ("学習データ", "train"),
            ("Обучение", "train"),
            ("Trening", "train"),
        ),
        *(("doğrulama", "validation"), ("Тест", "test"), ("zbiór testowy", "")),
        *(("tr\u00e4ning", ""), ("trainer", ""), ("test piece", ""), ("trainval", "")),
    ],
)
def test_splits_in_any_language(name, split):
    assert find_split(name) == split


@pytest.mark.parametrize(
    "names",
    [
        ["trainA", "testB"],
        ["ok_train", "ok_val"],
        ["X_train", "X_test"],
        ["train good", "test bad"],
    ],
)
def test_a_split_may_be_joined_with_something_else(names):
    assert list_joined([*names, "bone"]) == sorted(names)


@pytest.mark.parametrize(
    "names",
    [["test piece", "bone"], ["tested", "trained"], ["train", "test"], ["test a", "test b"]],
)
def test_one_split_in_a_name_is_no_layout(names):
    assert list_joined(names) == []


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        *(("images", True), ("imagesTr", True), ("labels_train", True), ("image", True)),
        *(("JPEGImages", True), ("k-fold-1", True), ("cv_2", True), ("split3", True)),
        *(("images_ok", False), ("label free", False), ("cv", False), ("development board", False)),
    ],
)
def test_parts_of_a_layout_are_no_classes(name, odd):
    assert is_no_class(name) is odd


def test_names_of_masks():
    names = ["1_mask", "1-GT", "Part0_label", "b (1)_mask_1", "masked", "label", "_mask"]
    more = ["1.mask", "1 mask", "mask_1", "Label-1", "1_ground_truth", "1_groundtruth", "gt 1"]
    more += ["1_segmentation", "1_masks", "1_annotation"]
    assert [strip_mask(name) for name in more] == ["1"] * len(more)
    plain = ["mask_", "labelled_1", "unmask_1", "gts_1", "1mask"]
    assert [strip_mask(name) for name in plain] == plain
    assert [strip_mask(name) for name in names] == [
        "1",
        "1",
        "Part0",
        "b (1)",
        "masked",
        "label",
        "",
    ]
