"""Explain images with a run: overlays, per-scale maps, and every logit as a sum in words."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from mscam_tf.cam import build_explainer
from mscam_tf.data.images import check_images, is_image_file, write_problems
from mscam_tf.data.manifest import read_manifest
from mscam_tf.data.pipeline import make_dataset
from mscam_tf.files import write_table, write_whole_folder
from mscam_tf.layers import RelevanceCombine
from mscam_tf.plots import (
    plot_maps,
    plot_overlay,
    plot_relevance,
    plot_scales,
    plot_sheet,
    save_figure,
)
from mscam_tf.runs import Run, RunError, is_empty

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHEET_IMAGES = 24
_TABLE = "explanations.csv"
_PICTURES = ("_overlay.png", "_scales.png", "_maps.png")


@dataclass(frozen=True)
class Explanation:
    """What a run says of one image.

    Attributes:
        path: The image file.
        image: The image as the model saw it, `(H, W)`, values in `[0, 1]`.
        logits: `(C,)`.
        probabilities: `(C,)`.
        contributions: `(B, C)`, logits: what each scale adds to each logit.
        relevance: `(B, C)`.
        maps: `(H, W, C)`, logits.
        scale_maps: `(B, H, W, C)`, logits: `h_b M_b`, which add up to `maps`.
        class_names: Name of each class.
    """

    path: Path
    image: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray
    contributions: np.ndarray
    relevance: np.ndarray
    maps: np.ndarray
    scale_maps: np.ndarray
    class_names: list[str]

    @property
    def predicted(self) -> int:
        """Index of the most probable class, or finding."""
        return int(self.probabilities.argmax())

    def describe(self, class_index: int | None = None) -> str:
        """Say a class's logit as a sum over the scales; by default of the predicted class."""
        index = self.predicted if class_index is None else class_index
        name = self.class_names[index]
        return describe_logit(name, self.logits[index], self.contributions[:, index])


def describe_logit(class_name: str, logit: float, contributions: np.ndarray) -> str:
    """Say a logit in words: what each scale adds, and what the heads' biases add.

    Examples:
        >>> import numpy as np
        >>> describe_logit("bone", 1.3, np.array([0.4, 0.7]))
        'logit of bone = 1.30 = 0.40 from scale 1 + 0.70 from scale 2 + 0.20 bias'
    """
    terms = [(value, f"from scale {b}") for b, value in enumerate(contributions, start=1)]
    terms.append((logit - float(np.sum(contributions)), "bias"))
    words = f"{terms[0][0]:.2f} {terms[0][1]}"
    for value, source in terms[1:]:
        words += f" {'-' if value < 0 else '+'} {abs(value):.2f} {source}"
    return f"logit of {class_name} = {logit:.2f} = {words}"


def list_images(paths: Sequence[Path]) -> list[Path]:
    """List image files: those given, all within the folders given, and those of CSV manifests.

    Raises:
        FileNotFoundError: If a path does not exist, or nothing is found.
    """
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"No such image or folder. Received: {path}")
        files += _list_inside(path)
    if not files:
        raise FileNotFoundError(f"No images found. Received: {', '.join(map(str, paths))}")
    return files


def _list_inside(path: Path) -> list[Path]:
    if path.suffix.lower() == ".csv":
        return read_manifest(path).paths
    if path.is_dir():
        return [file for file in sorted(path.rglob("*")) if is_image_file(file, path)]
    return [path]


def explain(run: Run, paths: Sequence[Path]) -> Iterator[Explanation]:
    """Explain images with the model of a run, one after the other.

    Args:
        run: A finished run.
        paths: Image files.

    Returns:
        An iterator of one `Explanation` an image.

    Raises:
        ImageError: If images cannot be read: all of them are named at once.
    """
    _check_paths(paths)
    check_images(paths, run.config.read)  # Before any picture is written.
    return _explain(run, paths)


def _check_paths(paths: Sequence[Path]) -> None:
    if not paths:
        raise ValueError("Give at least one image. Received: paths=[]")


def _explain(run: Run, paths: Sequence[Path]) -> Iterator[Explanation]:
    model = run.load_model()
    relevance = _read_relevance(model, len(run.class_names))
    explainer = build_explainer(model, scale_maps=True, activation=run.config.activation)
    dataset = make_dataset(
        paths,
        [0] * len(paths),
        run.image_size,
        run.config.batch_size,
        read=run.config.read,
        cache_bytes=0,
    )
    return _explain_batches(explainer, dataset, paths, relevance, run.class_names)


def write_explanations(
    run: Run,
    paths: Sequence[Path],
    folder: str | Path,
    on_progress: Callable[[Explanation], None] | None = None,
    *,
    skip_bad: bool = False,
    overwrite: bool = False,
) -> None:
    """Explain images and write the pictures and the table.

    For each image `NAME_overlay.png` (the predicted class's map) and `NAME_scales.png` (its
    scales side by side), and of a run that knows several findings in one image `NAME_maps.png`
    (the map of each); for the first of them together `sheet.png`; `relevance.png` and
    `explanations.csv`. All maps are on the run's one colour scale.

    Args:
        run: A finished run.
        paths: Image files.
        folder: Where to write, whole or not at all; created if missing.
        on_progress: Called with each explanation once its pictures are written.
        skip_bad: Leave out images that cannot be read, and list them in `skipped.csv`.
        overwrite: Replace the explanations that the folder holds, so that none of other images or
            of another run stay among the new ones.

    Raises:
        ImageError: If images cannot be read: all of them are named at once.
        RunError: If the folder holds something; with `overwrite`, anything but explanations.
    """
    _check_paths(paths)
    folder = Path(folder)
    check_explanations_free(folder, overwrite)
    value_range = run.read_value_range()
    readable, skipped = check_images(paths, run.config.read, skip_bad=skip_bad)
    paths = [path for path in paths if path in readable]
    with write_whole_folder(folder) as partial:
        _write_all(run, paths, partial, value_range, on_progress)
        if skip_bad:
            write_problems(skipped, partial / "skipped.csv")


def check_explanations_free(folder: Path, overwrite: bool) -> None:
    """Raise `RunError` if the folder cannot be used for new explanations.

    Earlier ones may be overwritten, on request, and nothing else.
    """
    if is_empty(folder, overwrite):
        return
    others = ["no folder"] if folder.is_file() else sorted(_list_others(folder))
    if others:
        raise RunError(
            f"{folder} holds not only explanations; it is left alone. Received: {others[0]}"
        )


def _list_others(folder: Path) -> list[str]:
    ours = {_TABLE, "sheet.png", "relevance.png", "skipped.csv"}
    names = [entry.name for entry in folder.iterdir()]
    return [name for name in names if name not in ours and not name.endswith(_PICTURES)]


def _write_all(
    run: Run,
    paths: Sequence[Path],
    folder: Path,
    value_range: tuple[float, float],
    on_progress: Callable[[Explanation], None] | None,
) -> None:
    sheet: list[Explanation] = []
    rows = []
    for name, explanation in zip(_name_files(paths), _explain(run, paths), strict=True):
        _write_pictures(explanation, folder, name, value_range)
        if run.config.several:
            save_figure(_plot_all(explanation, value_range), folder / f"{name}_maps.png")
        rows.append(_make_row(explanation))
        sheet += [explanation] if len(sheet) < _SHEET_IMAGES else []
        if on_progress is not None:
            on_progress(explanation)
    save_figure(_make_sheet(sheet, value_range), folder / "sheet.png")
    save_figure(plot_relevance(sheet[0].relevance, run.class_names), folder / "relevance.png")
    write_table(folder / _TABLE, rows)


def _explain_batches(
    explainer: keras.Model,
    dataset: Iterable[Any],
    paths: Sequence[Path],
    relevance: np.ndarray,
    class_names: list[str],
) -> Iterator[Explanation]:
    remaining = iter(paths)
    for images, _ in dataset:
        outputs = explainer.predict_on_batch(images)
        for index, image in enumerate(np.asarray(images)):
            one = {name: values[index] for name, values in outputs.items()}
            yield _collect(next(remaining), image[..., 0], one, relevance, class_names)


def _read_relevance(model: keras.Model, num_classes: int) -> np.ndarray:
    layers = [layer for layer in model.layers if isinstance(layer, RelevanceCombine)]
    return layers[0].get_relevance() if layers else np.ones((1, num_classes), np.float32)


def _collect(
    path: Path,
    image: np.ndarray,
    outputs: dict[str, np.ndarray],
    relevance: np.ndarray,
    class_names: list[str],
) -> Explanation:
    scale_maps = [outputs[f"scale{b}_maps"] * h for b, h in enumerate(relevance, start=1)]
    return Explanation(
        path=path,
        image=image,
        logits=outputs["logits"],
        probabilities=outputs["probabilities"],
        contributions=outputs["contributions"],
        relevance=relevance,
        maps=outputs["maps"],
        scale_maps=np.stack(scale_maps),
        class_names=class_names,
    )


def _name_files(paths: Sequence[Path]) -> list[str]:
    """Name the pictures after the images; images of the same name also after their folder."""
    stems = Counter(path.stem for path in paths)
    names: list[str] = []
    for path in paths:
        name = path.stem if stems[path.stem] == 1 else f"{path.parent.name}_{path.stem}"
        number = 1
        while name in names:
            number += 1
            name = f"{path.parent.name}_{path.stem}_{number}"
        names.append(name)
    return names


def _write_pictures(
    explanation: Explanation, folder: Path, name: str, value_range: tuple[float, float]
) -> None:
    index = explanation.predicted
    class_map = explanation.maps[..., index]
    overlay = plot_overlay(explanation.image, class_map, _title(explanation), value_range)
    save_figure(overlay, folder / f"{name}_overlay.png")
    scales = plot_scales(
        explanation.image,
        class_map,
        explanation.scale_maps[..., index],
        explanation.relevance[:, index],
        explanation.contributions[:, index],
        f"{explanation.path.name}: {explanation.describe()}",
        value_range,
    )
    save_figure(scales, folder / f"{name}_scales.png")


def _plot_all(explanation: Explanation, value_range: tuple[float, float]) -> "Figure":
    return plot_maps(
        explanation.image,
        explanation.maps,
        explanation.class_names,
        value_range,
        explanation.probabilities,
    )


def _make_sheet(explanations: Sequence[Explanation], value_range: tuple[float, float]) -> "Figure":
    return plot_sheet(
        [e.image for e in explanations],
        [e.maps[..., e.predicted] for e in explanations],
        [_title(e) for e in explanations],
        value_range,
    )


def _title(explanation: Explanation) -> str:
    index = explanation.predicted
    return f"{explanation.class_names[index]}: {explanation.probabilities[index]:.3f}"


def _make_row(explanation: Explanation) -> dict[str, str]:
    index = explanation.predicted
    row = {
        "path": str(explanation.path),
        "predicted": explanation.class_names[index],
        "probability": f"{explanation.probabilities[index]:.6f}",
        "logit": f"{explanation.logits[index]:.6f}",
    }
    for what in ("relevance", "contributions"):
        for scale, value in enumerate(getattr(explanation, what)[:, index], start=1):
            row[f"{what}_scale{scale}"] = f"{value:.6f}"
    return row | {"in_words": explanation.describe()}
