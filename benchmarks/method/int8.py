"""What does int8 cost? Verdicts, marks and a90 of exports of one network, beside float32.

    python -m benchmarks.method.int8 [--images 160] [--tests 500]

The exports and the images are kept in the work folder, and made where they are missing.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.common.data import make_data
from benchmarks.common.report import write_page
from benchmarks.common.work import open_work

_SIDE, _GOOD, _CLASS, _ALL = 128, "none", "bone", (0.0, np.inf)
_FALSE = 0.05  # Share of the good calibration images that is rejected.
_EXACT = "float32"
# The folder of the export, and whether it may compute in less than float32.
_CASES = {
    _EXACT: ("openvino", False),
    "default precision": ("openvino", True),
    "int8": ("int8", False),
    "int8, the rest in default precision": ("int8", True),
}


@dataclass(frozen=True)
class Findings:
    """What one export says of the test images: a row an image, and the marks on its maps."""

    rejected: np.ndarray
    widths: np.ndarray  # Of the largest object; 0 without one.
    marks: object

    def measure(self, rows: np.ndarray) -> tuple[float, float, float]:
        """Return the accuracy, the share found at one false mark an image, and a90 of images."""
        from mscam_tf import MscamError
        from mscam_tf.metrics import fit_detection

        right = self.rejected[rows] == (self.widths[rows] > 0)
        there = rows[self.widths[rows] > 0]
        try:
            size = fit_detection(self.widths[there], self.rejected[there]).find_size()
        except MscamError:
            size = float("nan")
        return float(right.mean()), self.marks.measure("found", _ALL, rows), size


def make_exports(work: Path, manifest) -> None:
    """Export the pretrained classifier, unless that is done."""
    import mscam_tf

    run = mscam_tf.open_pretrained((_SIDE, _SIDE))
    for name in ("openvino", "int8"):
        if not (work / name).exists():
            paths = manifest.paths
            mscam_tf.export_run(run, work / name, "openvino", int8=name == "int8", images=paths)


def choose_threshold(session, manifest) -> float:
    """Return the logit that only a few of the good calibration images reach."""
    from mscam_tf.metrics import exceed_all_but

    pairs = zip(manifest.samples, manifest.paths, strict=True)
    paths = [path for sample, path in pairs if sample.label == _GOOD]
    index = session.task.class_names.index(_CLASS)
    logits = np.array([one.logits[index] for one in session.explain(paths)])
    return float(exceed_all_but(logits, int(_FALSE * len(logits))))


def observe(session, threshold: float, manifest, marked, widths) -> Findings:
    """Take the test images through an export."""
    from mscam_tf.evaluation import MapScore, MapScores
    from mscam_tf.metrics import score_marks

    index = session.task.class_names.index(_CLASS)
    rejected, scores = [], []
    for image, explanation in zip(marked, session.explain(manifest.paths), strict=True):
        rejected.append(explanation.logits[index] >= threshold)
        scores.append(MapScore(score_marks([explanation.maps[..., index]], [image.corners])))
    return Findings(np.array(rejected, bool), widths, MapScores(marked, scores))


def observe_all(work: Path, calibration, tests) -> dict[str, Findings]:
    import mscam_tf
    from mscam_tf.data.reading import ReadOptions
    from mscam_tf.evaluation import read_marked_images, read_objects

    size, read = (_SIDE, _SIDE), ReadOptions()
    tests, marked, _ = read_marked_images(tests, size, read, good=_GOOD)
    objects = read_objects(tests, good=_GOOD, read=read)
    each = [objects.get(sample.path, ()) for sample in tests.samples]
    widths = np.array([max((o.measure("width") for o in ones), default=0.0) for ones in each])
    threshold = choose_threshold(mscam_tf.load_exported(work / "openvino"), calibration)
    found = {}
    for name, (folder, fast) in _CASES.items():
        session = mscam_tf.load_exported(work / folder, fast=fast)
        found[name] = observe(session, threshold, tests, marked, widths)
        print(name, found[name].measure(np.arange(len(marked))), flush=True)
    return found


def list_rows(found: dict[str, Findings], resamples: int, seed: int):
    """Give a row of each export: its figures, and paired differences from float32 over images."""
    count = len(found[_EXACT].rejected)
    draws = np.random.default_rng(seed).integers(count, size=(resamples, count))
    rows = [np.arange(count), *draws]
    tables = {name: np.array([one.measure(r) for r in rows]) for name, one in found.items()}
    base = tables[_EXACT]
    for name, table in tables.items():
        differences = table - base
        differences[:, 2] /= base[:, 2]
        accuracy, share, size = table[0]
        cells = [f"{accuracy:.1%}", f"{share:.1%}", f"{size:.2f} px"]
        if name != _EXACT:
            parts = zip(cells, 100 * differences.T, ("points", "points", "%"), strict=True)
            cells = [f"{cell}, {describe(values)} {unit}" for cell, values, unit in parts]
        verdicts = np.mean(found[name].rejected == found[_EXACT].rejected)
        yield [name, *cells, f"{verdicts:.1%}"]


def describe(values: np.ndarray) -> str:
    """Say a difference, the first of the values, and the 95 % interval of all others."""
    low, high = np.nanpercentile(values[1:], [2.5, 97.5])
    return f"{values[0]:+.2f} [{low:+.2f}, {high:+.2f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=160)
    parser.add_argument("--tests", type=int, default=500)
    parser.add_argument("--resamples", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, default=None)
    arguments = parser.parse_args()
    import mscam_tf

    images, tests, seed = arguments.images, arguments.tests, arguments.seed
    work = open_work("int8", arguments.work, images=images, tests=tests, seed=seed)
    calibration, unseen = (
        mscam_tf.read_manifest(make_data(work / name, count, seed=start + seed))
        for name, count, start in (("calibration", images, 0), ("tests", tests, 10**6))
    )
    make_exports(work, calibration)
    found = observe_all(work, calibration, unseen)
    write_page(
        "int8",
        "What does int8 cost?",
        f"The pretrained classifier (`xray`: DenseNet-121, {_SIDE} x {_SIDE} pixels) is exported "
        f"for OpenVINO in float32 and in int8, with {images} simulated radiographs to calibrate. "
        f"All exports see the same {tests} others, with masks; the class `bone` counts. Images "
        f"are rejected from the logit on that {_FALSE:.0%} of the good calibration images reach, "
        "in float32. Accuracy is the share of images that are rejected with a bone and accepted "
        "without one; `objects found` is the share of bones that have a mark at one false mark an "
        "image; a90 is the width (the shorter side of the box) of the largest bone of an image of "
        "which 90 % are rejected. "
        "Behind each figure stands its difference from float32, with the 95 % interval over the "
        f"images, which are drawn alike for both ({arguments.resamples} resamples). The bars for "
        "int8: at most 0.5 points of accuracy and 1 point of objects lost, and 5 % of a90.",
        ["export", "accuracy", "objects found", "a90", "same verdict as float32"],
        list(list_rows(found, arguments.resamples, seed)),
        f"--images {images} --tests {tests} --resamples {arguments.resamples} --seed {seed}",
    )


if __name__ == "__main__":
    main()
