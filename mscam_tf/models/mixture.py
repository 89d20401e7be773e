"""The few pretrained targets that tell classes of your own: a regression on their logits."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp
from scipy.stats import rankdata

PRIOR = (1.0, 0.1)  # Inverse variances of gains and of offsets.
_CANDIDATES = 4  # Targets a class that are tried: those that tell it best.
_ENOUGH = 0.9  # A target that explains so much of what the best one does is as good.


def fit_mixture(
    logits: np.ndarray,
    labels: np.ndarray,
    classes: int,
    empty: int = 0,
    prior: tuple[float, float] = PRIOR,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mixture `(K, C)`, at most one target a class, and the offset `(C,)`.

    The first `empty` classes have no target. `prior`: inverse variances of gains and of offsets.
    """
    chosen: dict[int, int] = {}
    best = _fit_chosen(logits, labels, classes, chosen, prior)
    while len(chosen) < classes - empty:
        left = set(range(empty, classes)) - set(chosen)
        candidates = _extend(chosen, left, logits, labels)
        fits = [_fit_chosen(logits, labels, classes, candidate, prior) for candidate in candidates]
        gains = best[0] - np.array([fit[0] for fit in fits])
        # The first is taken if it says anything, others as the Bayesian criterion asks.
        if gains.max() <= (np.log(len(labels)) if chosen else 0):
            break
        number = int(np.argmax(gains >= _ENOUGH * gains.max()))  # The first: the most general.
        best, chosen = fits[number], candidates[number]
    mixture = np.zeros((logits.shape[1], classes))
    for c, k in chosen.items():
        mixture[k, c] = best[1][c]
    return mixture, best[2]


def fit_findings(
    logits: np.ndarray, labels: np.ndarray, classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Fit each finding by itself, as the second of two classes of which the first is empty."""
    fits = [fit_mixture(logits, labels[:, c].astype(int), 2, empty=1) for c in range(classes)]
    mixture = np.stack([gains[:, 1] for gains, _ in fits], axis=1)
    return mixture, np.array([offset[1] - offset[0] for _, offset in fits])


def _extend(
    chosen: dict[int, int], left: set[int], logits: np.ndarray, labels: np.ndarray
) -> list[dict[int, int]]:
    """List what could be chosen next: a target for a class that is left, general ones first."""
    pairs = [(int(k), c) for c in left for k in _rank_targets(logits, labels == c)[:_CANDIDATES]]
    return [{**chosen, c: k} for k, c in sorted(pairs)]


def _rank_targets(logits: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Return the targets, that which tells the class from the rest best first."""
    ranks = rankdata(logits, axis=0)
    return np.argsort(-ranks[positive].mean(0), kind="stable")


def _fit_chosen(
    logits: np.ndarray,
    labels: np.ndarray,
    classes: int,
    chosen: dict[int, int],
    prior: tuple[float, float],
) -> tuple[float, np.ndarray, np.ndarray]:
    """Fit `z^c = a_c t_k(c) + o_c`; return the loss, the gains `(C,)` and the offsets `(C,)`."""
    evidence = np.zeros((len(labels), classes))
    for c, k in chosen.items():
        evidence[:, c] = logits[:, k]
    weights = len(labels) / (classes * np.bincount(labels, minlength=classes))[labels]
    truth = np.eye(classes)[labels]

    def measure(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        gains, offsets = parameters.reshape(2, classes)
        z = gains * evidence + offsets
        total = logsumexp(z, axis=1)
        loss = weights @ (total - z[truth > 0])
        away = gains - 1  # The prior: the pretrained logit as it is.
        loss += 0.5 * (prior[0] * away @ away + prior[1] * offsets @ offsets)
        slope = (np.exp(z - total[:, None]) - truth) * weights[:, None]
        down = (slope * evidence).sum(0) + prior[0] * away
        return loss, np.concatenate([down, slope.sum(0) + prior[1] * offsets])

    start = np.concatenate([np.ones(classes), np.zeros(classes)])
    bounds = [(0, None)] * classes + [(None, None)] * classes
    found = minimize(measure, start, jac=True, bounds=bounds, method="L-BFGS-B")
    return float(found.fun), *found.x.reshape(2, classes)
