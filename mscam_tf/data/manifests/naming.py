"""What names say: a folder is a split, or holds masks, or is no class; a picture is a mask."""

import re
import unicodedata
from collections.abc import Iterable

_SPLITS = {
    **dict.fromkeys(("train", "training", "trn", "학습", "훈련", "训练", "訓練"), "train"),
    **dict.fromkeys(
        ("validation", "validate", "valid", "val", "dev", "검증", "验证", "検証"), "validation"
    ),
    **dict.fromkeys(("test", "testing", "tst", "holdout", "시험", "테스트"), "test"),
    **dict.fromkeys(("测试", "テスト"), "test"),
    **dict.fromkeys(("entrainement", "entraînement", "apprentissage", "entrenamiento"), "train"),
    **dict.fromkeys(("treino", "treinamento", "addestramento", "trainings"), "train"),
    **dict.fromkeys(("validierung", "validierungs", "validación", "validacion"), "validation"),
    **dict.fromkeys(("validação", "validacao", "validazione"), "validation"),
    **dict.fromkeys(("prueba", "pruebas", "teste", "tests"), "test"),
    **dict.fromkeys(("学習", "обучение", "обучающая", "eğitim", "trening", "treningowy"), "train"),
    **dict.fromkeys(("валидация", "doğrulama", "validering", "walidacja"), "validation"),
    **dict.fromkeys(("тест", "тестовая", "testowy"), "test"),
}
_FILLERS = {
    *("set", "data", "dataset", "image", "images", "img", "imgs", "split", "folder", "zip"),
    *("데이터", "데이터셋", "数据", "数据集", "データ"),
    *("daten", "bilder", "datos", "données", "dados", "dati", "de", "d"),
}
_NO_CLASS = {
    *("images", "image", "imgs", "img", "jpegimages", "labels", "annotations"),  # As YOLO has them.
    *("eval", "evaluation", "development", "unlabeled", "unlabelled"),
}
_PARTS = {"tr", "ts", "va"}  # As in imagesTr.
# Without a number it may be a defect.
_FOLD = re.compile(r"(?:k[\W_]*)?(?:folds?|cv|split)[\W_]*\d+", re.IGNORECASE)
_SPELT = re.compile(
    r"(\w+?)(?:set|data|daten|datensatz|bilder|dataset|images|imgs|split|용|셋|세트|데이터|데이터셋|集|数据|数据集|データ)"
)
_TRUTH = {"groundtruth", "gt"}
_MASKS = {"mask", "masks", "segmentation", "segmentations"}
_MARKS = {"label", "labels", "annotation", "annotations"}
_MASK_WORD = r"(?:masks?|gt|labels?|seg|segmentation|ground[ _-]?truth|annotation)"
_MASK = re.compile(rf"[ ._-]+{_MASK_WORD}([ _-]?\d+)?$|^{_MASK_WORD}[ ._-]+(?=.)", re.IGNORECASE)


def find_split(name: str) -> str:
    """Return the split that a folder is named after, in any spelling, or nothing.

    Examples:
        >>> [find_split(name) for name in ("Training", "val_set", "Test-2", "testset", "bone")]
        ['train', 'validation', 'test', 'test', '']
    """
    words = _list_words(name)
    kept = [word for word in words if word not in _FILLERS] or words
    # Several words are one name at most, such as hold-out.
    return _find_word(kept[0]) if len(kept) == 1 else _SPLITS.get("".join(kept), "")


def find_splits(names: Iterable[str]) -> dict[str, str]:
    """Return the split of each folder that is one; `valid` beside `invalid` is a class.

    Examples:
        >>> find_splits(["Train", "valid", "bone"]), find_splits(["invalid", "valid"])
        ({'Train': 'train', 'valid': 'validation'}, {})
    """
    found = {name: find_split(name) for name in names}
    opposed = "invalid" in map(str.casefold, found)
    return {
        name: split
        for name, split in found.items()
        if split and not (opposed and name.casefold() == "valid")
    }


def list_joined(names: Iterable[str]) -> list[str]:
    """List names that are a split and something else, if they are of several splits.

    Examples:
        >>> list_joined(["train_ok", "test_ok"]), list_joined(["test piece", "rail"])
        (['test_ok', 'train_ok'], [])
    """
    found = {split: name for name in names for split in _find_ends(name) if not find_split(name)}
    return sorted(found.values()) if len(found) > 1 else []


def is_no_class(name: str) -> bool:
    """Whether a folder of this name is part of a layout, and no class.

    Examples:
        >>> [is_no_class(name) for name in ("images", "imagesTr", "fold_1", "images_ok", "fold")]
        [True, True, True, False, False]
    """
    words = set(_list_words(name))
    known = words <= {*_NO_CLASS, *_FILLERS, *_SPLITS, *_PARTS} and not words.isdisjoint(_NO_CLASS)
    return known or is_truth(name) or bool(_FOLD.fullmatch(name))


def is_truth(name: str) -> bool:
    """Whether a folder of this name holds the masks of a public data set, and no class.

    Examples:
        >>> is_truth("ground_truth"), is_truth("Ground Truth"), is_truth("bone")
        (True, True, False)
    """
    return "".join(filter(str.isalpha, name.casefold())) in _TRUTH


def is_of_masks(name: str) -> bool:
    """Whether a folder of this name, beside images or beside classes, may hold masks.

    Examples:
        >>> is_of_masks("Mask"), is_of_masks("bone_masks"), is_of_masks("masked")
        (True, True, False)
    """
    return not _MASKS.isdisjoint(_list_words(name))


def holds_masks(name: str) -> bool:
    """Whether a folder of this name, inside a class, holds masks and no images of the class.

    Examples:
        >>> holds_masks("labels"), holds_masks("Mask"), holds_masks("label_left")
        (True, True, False)
    """
    return name.strip().casefold() in _MARKS or is_of_masks(name)


def strip_mask(stem: str) -> str:
    """Return the name of the image that a mask is of.

    Examples:
        >>> [strip_mask(name) for name in ("001_mask", "mask-001", "001", "benign (1)_mask_2")]
        ['001', '001', '001', 'benign (1)']
    """
    return _MASK.sub("", stem)


def loosen(name: str) -> str:
    r"""Write names alike that are shown alike: in any letter case, with marks of direction.

    Examples:
        >>> loosen("\u200fBone  x") == loosen("bone x")
        True
    """
    plain = unicodedata.normalize("NFKC", name).casefold()
    shown = (letter for letter in plain if unicodedata.category(letter) != "Cf")
    return " ".join("".join(shown).split())


def _list_words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", name)
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain)  # As in trainSet.
    return re.findall(r"[^\W\d_]+", plain.casefold())


def _find_word(word: str) -> str:
    joined = _SPELT.fullmatch(word)
    return _SPLITS.get(word, "") or _SPLITS.get(joined[1] if joined else "", "")


def _find_ends(name: str) -> set[str]:
    words = _list_words(name)
    return {_find_word(word) for word in (*words[:1], *words[-1:])} - {""}
