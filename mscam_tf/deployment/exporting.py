"""Export a run: write, compare with Keras, describe."""

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from mscam_tf.deployment.about import ABOUT, EXPORT_FOLDER, describe_export, describe_model
from mscam_tf.deployment.comparing import Comparison, compare
from mscam_tf.deployment.consumers import write_consumers
from mscam_tf.deployment.formats import EXACT, FAST, INT8, Format, find_format
from mscam_tf.deployment.loading import RUN_MODEL
from mscam_tf.deployment.recasting import recast
from mscam_tf.deployment.samples import find_images, read_batches
from mscam_tf.errors import MscamError
from mscam_tf.files import write_json
from mscam_tf.folders import write_whole_folder
from mscam_tf.models import build_explainer, hash_file
from mscam_tf.outputs import claim
from mscam_tf.runs import Engine, KerasEngine, Run, read_operating_point

_COMPARED = 64  # Images; more would find no other mistake of a conversion.
_CALIBRATED = 300
_OTHER = 3  # Images in another size.
_BYTES = 4  # Of a weight in float32.


@dataclass(frozen=True)
class Export:
    """An export that was written.

    Attributes:
        folder: Where it is.
        file: The file of the model, or the folder of a SavedModel.
        comparisons: How far it is from the run, by the precision of the computation.
    """

    folder: Path
    file: Path
    comparisons: dict[str, Comparison]


def export_run(
    run: Run,
    folder: str | Path,
    format: str = "onnx",
    *,
    int8: bool = False,
    free_size: bool = False,
    scale_maps: bool = False,
    images: Sequence[Path] | None = None,
    server: str | None = None,
    overwrite: bool = False,
) -> Export:
    """Export a run: one file that makes logits, probabilities, contributions and maps of images.

    The file takes `(n, H, W, 1)`, float32 in `[0, 1]`, as `mscam_tf.read_image` reads images; what
    the model does with them at first, such as standardizing each, is in it. Its outputs are those
    of `mscam_tf.build_explainer`, in the same units. It computes in float32, whatever the run was
    trained in.

    Beside it, `export.json` says all that a program needs: names and layouts of input and outputs,
    classes, window, operating point, range of colours, hashes, versions, and how far the file is
    from the run. The file is compared with Keras on real images before the folder is written.

    Args:
        run: A finished run, or the pretrained classifier (`mscam_tf.open_pretrained`).
        folder: The folder to write, whole or not at all.
        format: `"savedmodel"`, `"onnx"`, `"openvino"` or `"litert"`.
        int8: Compute the convolutions in int8, which is quicker and less exact; OpenVINO alone. The
            file is first compared in float32. How far it is from the run in int8 is stated, and
            not refused.
        free_size: Take images of any height and width, and not of the run's size alone; LiteRT
            cannot.
        scale_maps: Return the maps of each scale too, and what each of its cells adds; always so
            if the operating point of the run marks those of one scale. OpenVINO's Model API
            takes no file with so many outputs.
        images: Real images to compare with, and to calibrate int8 with; by default the run's
            validation images.
        server: Put the file where a model server looks for it, `models/SERVER/1`, under that name,
            and write the server's settings: `config.json` of OpenVINO Model Server for
            `"openvino"`, `config.pbtxt` of Triton for `"onnx"`.
        overwrite: Replace the export that the folder holds.

    Returns:
        The `Export`.

    Raises:
        ExportError: If logits or maps differ by more than 1e-4 of the largest value, or of one
            logit where all are smaller. Nothing is written.
        MscamError: If an argument is not one of those above, a package is missing, there are no
            images to compare with, or the model takes one size alone.
        OutputError: If the folder holds something else.

    Examples:
        >>> import mscam_tf
        >>> run = mscam_tf.open_run("run")  # doctest: +SKIP
        >>> export = mscam_tf.export_run(run, "export", "onnx")  # doctest: +SKIP
        >>> export.comparisons["float32"].maps_error  # doctest: +SKIP
        1.4e-06
    """
    chosen = find_format(format)
    file = chosen.place(server)
    paths = list(images) if images is not None else find_images(run)
    claim(folder, EXPORT_FOLDER, overwrite=overwrite, inputs=[run.folder, *paths])
    if int8 and chosen.quantize is None:
        raise MscamError(f"Only OpenVINO has files in int8 here. Received: {int8=}, {format=}")
    count = _CALIBRATED if int8 else _COMPARED
    with write_whole_folder(folder, EXPORT_FOLDER.find) as partial:
        subject = _prepare(run, paths[:count], free_size, scale_maps)
        comparisons = _write(subject, chosen, partial, file, int8)
        if server is not None and chosen.configure is not None:
            chosen.configure(partial / file, server)
    return Export(Path(folder), Path(folder) / file, comparisons)


@dataclass(frozen=True)
class _Subject:
    """What is exported, and what it is compared with."""

    run: Run
    explainer: keras.Model
    reference: Engine
    batches: list[np.ndarray]

    @property
    def free_size(self) -> bool:
        return None in self.explainer.input_shape[1:]


def _prepare(run: Run, paths: Sequence[Path], free_size: bool, scale_maps: bool) -> _Subject:
    point = read_operating_point(run)
    scale_maps = scale_maps or (point is not None and point.needs_scale_maps)
    loaded, activation = run.load_model(), run.task.activation
    model = recast(loaded, free_size=free_size)
    batches = list(_read_all(run, paths, free_size))
    explainer = build_explainer(
        recast(loaded, free_size=free_size, steady=True),
        scale_maps=scale_maps,
        activation=activation,
        cell_contributions=scale_maps,
    )
    explainer(batches[0][:1])  # Keras exports no model to ONNX that was never called.
    return _Subject(run, explainer, KerasEngine(model, activation, scale_maps=scale_maps), batches)


def _write(
    subject: _Subject, chosen: Format, folder: Path, file: str, int8: bool
) -> dict[str, Comparison]:
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    _check_room(subject.explainer, folder)
    chosen.write(subject.explainer, path, describe_model(subject.run))
    comparisons = _compare(subject, chosen, path)
    comparisons[EXACT].check()
    if int8 and chosen.quantize is not None:
        chosen.quantize(path, subject.batches)
        comparisons = _compare(subject, chosen, path)
        comparisons = {INT8: comparisons.pop(EXACT), **comparisons}
    shapes = {name: len(value.shape) for name, value in subject.explainer.output.items()}
    about = describe_export(
        subject.run,
        kind=chosen.name,
        file=file,
        precision=INT8 if int8 else EXACT,
        free_size=subject.free_size,
        relevance=subject.reference.relevance,
        hashes=_hash_all(subject.run, folder),
        outputs={name: chosen.describe_output(name, axes) for name, axes in shapes.items()},
        comparisons={name: asdict(one) for name, one in comparisons.items()},
    )
    write_json(folder / ABOUT, about)
    write_consumers(subject.run, folder, chosen.name, file)
    return comparisons


def _check_room(explainer: keras.Model, folder: Path) -> None:
    """Refuse a disk that has no room for the weights: runtimes have errors that do not say so."""
    if shutil.disk_usage(folder).free < explainer.count_params() * _BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _compare(subject: _Subject, chosen: Format, file: Path) -> dict[str, Comparison]:
    """Compare an export with Keras in each precision in which it is run."""
    run, reference = subject.run, subject.reference
    point, found = read_operating_point(run), {}
    for precision, load in chosen.loaders.items():
        # Positions in a large image are no numbers of bfloat16: the maps would lie beside them.
        if precision == FAST and subject.free_size:
            continue
        engine = load(file, reference.relevance)
        found[precision] = compare(reference, engine, subject.batches, run.task, point)
    return found


def _read_all(run: Run, paths: Sequence[Path], free_size: bool) -> Iterator[np.ndarray]:
    """Read images in the run's size, and some in another one if the file takes any."""
    yield from read_batches(run, paths)
    if free_size:
        height, width = run.image_size
        yield from read_batches(run, paths[:_OTHER], (height + 64, width + 32))


def _hash_all(run: Run, folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of the export, and of the model of the run."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    hashes = {path.relative_to(folder).as_posix(): hash_file(path) for path in files}
    trained = run.folder / "model.keras"
    return hashes | ({RUN_MODEL: hash_file(trained)} if trained.is_file() else {})
