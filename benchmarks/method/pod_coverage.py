"""Does a90/95 hold what it promises? Hits and misses are drawn from curves that are known."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.common.report import write_page
from benchmarks.common.work import append_rows, read_rows

_LOW, _HIGH, _A50 = 1.0, 6.0, 2.5  # Of the sizes; and the size of which half are found.
_SHAPES = {"flat": 3.0, "usual": 6.0, "steep": 12.0}  # Slopes, per unit of the log size.
_COUNTS = (60, 100, 200, 400)
_COLUMNS = ["link", "curve", "objects", "held", "plain", "a90", "a90_95", "penalised", "refused"]


def find_truth(link: str, slope: float) -> float:
    from scipy.special import logit, ndtri

    deviate = {"logit": logit, "probit": ndtri}[link](0.9)
    return float(_A50 * np.exp(deviate / slope))


def draw(link: str, slope: float, count: int, generator: np.random.Generator):
    from scipy.special import expit, ndtr

    sizes = np.exp(generator.uniform(np.log(_LOW), np.log(_HIGH), count))
    line = slope * np.log(sizes / _A50)
    chance = {"logit": expit, "probit": ndtr}[link](line)
    return sizes, generator.uniform(size=count) < chance


def measure(link: str, slope: float, count: int, repetitions: int, seed: int) -> list[object]:
    """Return the coverage of a90/95, corrected and not, and what the estimates are like."""
    from mscam_tf import MscamError
    from mscam_tf.metrics import fit_detection

    truth, generator = find_truth(link, slope), np.random.default_rng(seed)
    rows, refused = [], 0
    for _ in range(repetitions):
        try:
            curve = fit_detection(*draw(link, slope, count, generator), link)
        except MscamError:
            refused += 1
            continue
        bounds = [curve.bound_size(corrected=corrected) for corrected in (True, False)]
        rows.append((curve.find_size(), *bounds, curve.penalized))
    a90, bound, plain, penalized = np.array(rows).T
    return [
        count,
        describe_share(bound >= truth),
        describe_share(plain >= truth),
        f"{np.median(a90) / truth:.3f}",
        f"{np.median(bound) / truth:.3f}",
        int(penalized.sum()),
        refused,
    ]


def describe_share(inside: np.ndarray) -> str:
    from mscam_tf.metrics import clopper_pearson

    low, high = clopper_pearson(int(inside.sum()), len(inside))
    return f"{inside.mean():.1%} ({low:.1%} to {high:.1%})"


def list_rows(links: list[str], repetitions: int, seed: int, table: Path) -> Iterator[list[object]]:
    """Measure each case once: finished ones are kept in a table."""
    known = {(row["link"], row["curve"], row["objects"]): row for row in read_rows(table)}
    for link in links:
        for name, slope in _SHAPES.items():
            # A probit is as steep as a logit with a slope 1.7 times as large.
            slope = slope if link == "logit" else slope / 1.7
            for count in _COUNTS:
                if (link, name, str(count)) not in known:
                    row = [link, name, *measure(link, slope, count, repetitions, seed)]
                    append_rows(table, _COLUMNS, [row])
                    known[link, name, str(count)] = dict(zip(_COLUMNS, row, strict=True))
                yield list(known[link, name, str(count)].values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--links", nargs="+", default=["logit", "probit"])
    parser.add_argument("--work", type=Path, default=Path("runs/pod_coverage"))
    arguments = parser.parse_args()
    table = arguments.work / f"{arguments.repetitions}_{arguments.seed}.csv"
    write_page(
        "pod_coverage",
        "Does a90/95 hold what it promises?",
        f"In each of {arguments.repetitions} repetitions, objects are drawn with sizes from "
        f"{_LOW:g} to {_HIGH:g}, evenly in the logarithm, of which half are found at {_A50:g}. The "
        "curve is fitted, and a90/95 is compared with the true a90: at a confidence of 95 % it "
        "should not be smaller in 95 % of the repetitions. `plain` is the bound of the "
        "likelihood ratio alone, without the correction for small samples. Medians are over "
        "the repetitions, as a "
        "multiple of the true a90. Where hits and misses do not overlap, the fit is `penalised`; "
        "where there is no miss or no hit, it is refused, and not counted.",
        [
            *("link", "curve", "objects", "a90/95 holds (95 % interval)", "plain"),
            *("median a90", "median a90/95", "penalised", "refused"),
        ],
        list(list_rows(arguments.links, arguments.repetitions, arguments.seed, table)),
        f"--repetitions {arguments.repetitions} --seed {arguments.seed} "
        f"--links {' '.join(arguments.links)}",
    )


if __name__ == "__main__":
    main()
