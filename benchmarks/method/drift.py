"""Is drift told? False alarms on images of the same line, and four faults of a line, simulated."""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.common.line import FAULTS, PHOTONS, SIDE, Change, Line, keep
from benchmarks.common.report import make_table, write_page

_REFERENCE, _PERIOD, _WATCHED = 300, 50, 1000  # Images.


class Study:
    """What features and logits of images of a line come to, with many references."""

    def __init__(self, work: Path, seed: int) -> None:
        import mscam_tf

        self._work, self._seed, self._line = work, seed, Line(seed)
        self.session = mscam_tf.open_session(
            mscam_tf.open_pretrained((SIDE, SIDE)), scale_maps=False
        )

    def measure(self, number: int, change: Change, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return features and logits of images; they are kept in a file."""
        from mscam_tf.drift import measure_image

        path = self._work / f"{self._seed}_{number}_{count}.npz"
        if not path.exists():
            found = []
            for start in range(0, count, 8):
                keys = range(start, min(start + 8, count))
                generators = [np.random.default_rng([self._seed, number, key]) for key in keys]
                images = [self._line.scan(change, one).astype(np.float32) for one in generators]
                for one in self.session.explain_arrays(Path(), [i / 65535 for i in images]):
                    found.append((measure_image(one.image), one.logits.copy()))
            features, logits = zip(*found, strict=True)
            np.savez(path, features=features, logits=logits)
        with np.load(path) as kept:
            return kept["features"], kept["logits"]

    def watch(
        self,
        like: tuple[np.ndarray, np.ndarray],
        others: tuple[np.ndarray, np.ndarray] | None,
        repetition: int,
    ) -> "Told":
        """Watch images, with a reference of the like ones; without others, some of the rest."""
        generator = np.random.default_rng([self._seed, repetition])
        order = generator.permutation(len(like[0]))
        reference = [values[order[:_REFERENCE]] for values in like]
        seen = (
            [values[order[_REFERENCE:][:_WATCHED]] for values in like] if others is None else others
        )
        shuffled = generator.permutation(len(seen[0]))
        return self._watch(reference, [values[shuffled] for values in seen])

    def _watch(self, reference: list[np.ndarray], seen: list[np.ndarray]) -> "Told":
        from mscam_tf.drift import FEATURES, DriftWatch, OutlierTest, Reference
        from mscam_tf.runs import OperatingPoint, score_rejects

        scores = score_rejects(self.session.task, reference[1], None)
        point = OperatingPoint({}, decision_threshold=float(np.quantile(scores, 0.99)))
        watch = DriftWatch(Reference(*reference), self.session.task, point)
        test, moved = OutlierTest(reference[0]), []
        for features, logits in zip(*seen, strict=True):
            distance, name = test.judge(features)
            row = dict(zip(FEATURES, features, strict=True)) | {"drift": distance}
            row |= {"path": "", "drift_feature": name, "logits": logits}
            moved.append(watch.add(row) is not None)
        summary = watch.summarize()
        names = Counter(name for period in summary.periods for name in period.features)
        return Told(summary.unlike / summary.images, moved[_PERIOD - 1 :: _PERIOD], names)


@dataclass(frozen=True)
class Told:
    """Which share of images was told, which periods in their order, and by which features."""

    images: float
    periods: list[bool]
    features: Counter[str]

    @property
    def wait(self) -> float:
        """Images until the first period is told; infinite if none is."""
        return _PERIOD * (1 + self.periods.index(True)) if any(self.periods) else np.inf


def list_false_alarms(
    study: Study, like: tuple[np.ndarray, np.ndarray], repetitions: int
) -> Iterator[list[str]]:
    told = [study.watch(like, None, repetition) for repetition in range(repetitions)]
    rates = {"images": [one.images for one in told]}
    rates["periods"] = [float(np.mean(one.periods)) for one in told]
    counts = _WATCHED, len(told[0].periods)
    for (name, values), count in zip(rates.items(), counts, strict=True):
        low, high = np.mean(values) + np.array([-1.96, 1.96]) * np.std(values) / repetitions**0.5
        spread = np.percentile(values, (5, 95))
        yield [
            name,
            f"{np.mean(values):.2%} ({low:.2%} to {high:.2%})",
            f"{spread[0]:.1%} to {spread[1]:.1%}",
            str(count),
            _describe_one(values[0], count),
        ]


def _describe_one(rate: float, count: int) -> str:
    from mscam_tf.metrics import clopper_pearson

    low, high = clopper_pearson(round(rate * count), count)
    return f"{rate:.1%} ({low:.1%} to {high:.1%})"


def list_faults(
    study: Study, like: tuple[np.ndarray, np.ndarray], images: int, repetitions: int
) -> Iterator[list[str]]:
    for number, (name, change) in enumerate(FAULTS.items(), start=1):
        others = study.measure(number, change, images)
        told = [study.watch(like, others, repetition) for repetition in range(repetitions)]
        features = sum((one.features for one in told), Counter[str]()).most_common(3)
        wait = np.median([one.wait for one in told])
        yield [
            name,
            _describe_one(told[0].images, images),
            f"{np.mean([one.periods for one in told]):.0%}",
            f"{wait:.0f}" if np.isfinite(wait) else f"more than {images}",
            ", ".join(feature for feature, _ in features) or "none",
        ]


def measure_time(turns: int) -> list[str]:
    """Compare what watching takes with a forward pass of DenseNet-121, in turns, at 256 x 256."""
    import mscam_tf
    from mscam_tf.drift import FEATURES, OutlierTest, measure_image

    generator = np.random.default_rng(0)
    image = generator.random((256, 256), np.float32)
    batch = np.broadcast_to(image, (8, *image.shape))
    session = mscam_tf.open_session(mscam_tf.open_pretrained((256, 256)), scale_maps=False)
    test = OutlierTest(generator.normal(size=(_REFERENCE, len(FEATURES))))
    jobs: list[Callable[[], object]] = [
        lambda: [test.judge(measure_image(one)) for one in batch],
        lambda: list(session.explain_arrays(Path(), list(batch))),
    ]
    seconds: list[list[float]] = [[], []]
    for turn in range(turns + 1):
        for job, kept in zip(jobs, seconds, strict=True):
            start = time.perf_counter()
            job()
            kept += [(time.perf_counter() - start) / len(batch)] if turn else []
    watching, model = (float(np.median(one)) for one in seconds)
    return [f"{watching * 1000:.1f} ms", f"{model * 1000:.0f} ms", f"{watching / model:.1%}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--like", type=int, default=3300)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--repetitions", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, default=Path("runs/drift"))
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    study = Study(arguments.work, arguments.seed)
    like, repetitions = study.measure(0, keep, arguments.like), arguments.repetitions
    alarms = make_table(
        (
            *("false alarms", "mean over references (95 % interval)", "90 % of the references"),
            *("watched", "with the first"),
        ),
        list(list_false_alarms(study, like, 5 * repetitions)),
    )
    cost = make_table(("watching", "the model", "share"), [measure_time(6)])
    write_page(
        "drift",
        "Is drift told, and how often for nothing?",
        f"A simulated line: whole fillets along a belt, {SIDE} x {SIDE} pixels, one detector, "
        f"{PHOTONS:,.0f} photons a pixel, and the pretrained classifier. "
        f"In each of {repetitions} repetitions, {_REFERENCE} of {arguments.like} images are the "
        "reference. False alarms are those on others of them, with five times as many references. "
        f"Of each fault {arguments.images} images are watched, in an order that is drawn anew: "
        "which share of images is told (with the first reference, with its 95 % interval), which "
        f"share of periods of {_PERIOD} images, after how many images the first period is told "
        "(median), and the features that are named most. The image is what the detector makes of a "
        "changed scene. With an old air image the output of the tube grows as the square of its "
        "voltage, and nobody corrects it; with a renewed one only the contrasts change.",
        ("fault", "images told", "periods told", "images until then", "features"),
        list(list_faults(study, like, arguments.images, repetitions)),
        f"--like {arguments.like} --images {arguments.images} --repetitions {repetitions} "
        f"--seed {arguments.seed}",
        f"{alarms}\n\nTime an image of 256 x 256 pixels, batches of 8, the model in Keras on the "
        f"cores that stand below:\n\n{cost}",
    )


if __name__ == "__main__":
    main()
