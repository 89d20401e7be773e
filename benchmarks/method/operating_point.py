"""Does a calibrated threshold hold what it promises? Scores are drawn from what is known."""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.common.report import write_page

_CASES = ((0.01, 299), (0.01, 1000), (0.005, 1500), (0.05, 200))  # Wanted rate, groups.
_GROUP = 4  # Images of a group at most.
_Draw = Callable[[np.random.Generator, int], np.ndarray]


def draw_normal(generator: np.random.Generator, count: int) -> np.ndarray:
    return generator.normal(-4, 1.5, count)


def draw_heavy(generator: np.random.Generator, count: int) -> np.ndarray:
    """Few images have scores far above those of the others: a second kind of good part."""
    rare = generator.uniform(size=count) < 0.02
    return np.where(rare, generator.normal(1, 2, count), generator.standard_t(3, count) - 5)


def draw_groups(generator: np.random.Generator, count: int) -> np.ndarray:
    """The highest score of each group: its images are alike, and there are one to four."""
    sizes = generator.integers(1, _GROUP + 1, count)
    scores = generator.normal(-4, 1.2, count)[:, None] + generator.normal(0, 0.9, (count, _GROUP))
    return np.where(np.arange(_GROUP) < sizes[:, None], scores, -np.inf).max(axis=1)


def resample(scores: np.ndarray) -> _Draw:
    return lambda generator, count: generator.choice(scores, count)


def measure(draw: _Draw, rate: float, count: int, repetitions: int, seed: int) -> list[str]:
    """Return how often the true rate is at most the wanted one, and inside the stated interval."""
    from mscam_tf.metrics import clopper_pearson, count_allowed, exceed_all_but

    generator = np.random.default_rng(seed)
    everything = np.sort(draw(np.random.default_rng(seed + 1), 2_000_000))
    allowed = count_allowed(count, rate)
    assert allowed is not None
    thresholds = [exceed_all_but(draw(generator, count), allowed) for _ in range(repetitions)]
    truth = 1 - np.searchsorted(everything, thresholds) / len(everything)
    low, high = clopper_pearson(allowed, count)
    inside = (low <= truth) & (truth <= high)
    return [
        f"{rate:.1%}",
        str(count),
        str(allowed),
        f"{low:.2%} to {high:.2%}",
        describe_share(truth <= rate),
        describe_share(inside),
        f"{np.median(truth):.2%}",
    ]


def describe_share(held: np.ndarray) -> str:
    from mscam_tf.metrics import clopper_pearson

    low, high = clopper_pearson(int(held.sum()), len(held))
    return f"{held.mean():.1%} ({low:.1%} to {high:.1%})"


def score_images(folder: Path, count: int) -> np.ndarray:
    """Return the reject scores that the pretrained classifier gives to simulated good patches."""
    import mscam_tf
    from mscam_tf.runs import score_rejects
    from mscam_tf.simulation import Plan, SimulationConfig, write_radiographs

    file = folder / f"scores{count}.npy"
    if file.exists():
        scores: np.ndarray = np.load(file)
        return scores
    plan = Plan(count, SimulationConfig(image_size=(64, 64)), balance={"none": 1.0}, seed=5)
    if not (folder / "good").exists():
        write_radiographs(folder / "good", plan, processes=2)
    session = mscam_tf.open_session(mscam_tf.open_pretrained((64, 64)), scale_maps=False)
    paths = mscam_tf.read_manifest(folder / "good").paths
    logits = [one.logits for one in session.explain(paths)]
    scores = score_rejects(session.task, np.array(logits), None)
    np.save(file, scores)
    return scores


def list_rows(draws: dict[str, _Draw], repetitions: int, seed: int) -> Iterator[list[str]]:
    for name, draw in draws.items():
        for rate, count in _CASES:
            yield [name, *measure(draw, rate, count, repetitions, seed)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=4000)
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, default=Path("runs/operating_point"))
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    draws = {"normal": draw_normal, "heavy tail": draw_heavy, "groups of 1 to 4": draw_groups}
    if arguments.images:
        draws["simulated patches"] = resample(score_images(arguments.work, arguments.images))
    write_page(
        "operating_point",
        "Does a calibrated threshold hold what it promises?",
        f"In each of {arguments.repetitions} repetitions so many good groups are drawn, the "
        "threshold is chosen as `mscam calibrate --max-false-rejects` does, and the true rate of "
        "false rejects at this threshold is computed from two million more. Scores are normal, "
        "heavy in the tail, the highest of one to four images of a group that are alike, or those "
        "that the pretrained classifier gives to good patches of `mscam simulate` (64 x 64 pixels, "
        f"{arguments.images} of them, drawn with replacement; left out if 0). The true rate "
        "should be at most the wanted one in 95 % of the repetitions or more, and inside the "
        "stated interval too.",
        [
            *("scores", "wanted", "groups", "rejected", "stated interval"),
            *("at most the wanted (95 % interval)", "inside the stated", "median true rate"),
        ],
        list(list_rows(draws, arguments.repetitions, arguments.seed)),
        f"--repetitions {arguments.repetitions} --images {arguments.images} "
        f"--seed {arguments.seed}",
    )


if __name__ == "__main__":
    main()
