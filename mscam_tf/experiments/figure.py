"""Figure 1 of the paper: for each class, images that are right, with their maps."""

from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from mscam_tf.analysis import measure_percentiles
from mscam_tf.data.manifests import Manifest, Sample, sample_classes
from mscam_tf.data.reading import read_mask_of
from mscam_tf.explanation import explain
from mscam_tf.metrics import center_maps
from mscam_tf.plots import plot_examples, save_figure
from mscam_tf.runs import Explanation, Run, Session, open_session

_TRIED = 12  # Images of each class among which right ones are looked for.


def draw_examples(
    run: Run | Session, manifest: Manifest, path: str | Path, per_class: int = 2
) -> None:
    """Draw for each class a few images that are right, the maps of their class, and its scales.

    The maps are relative to the mean over the classes, as softmax compares them.

    A class of which none is right is left out; if none is right at all, nothing is drawn.

    Args:
        run: A finished run, or a session of it.
        manifest: Images that it was not trained on, with their masks if there are any.
        path: The PNG file to write.
        per_class: Images of each class.
    """
    session = open_session(run)
    names = session.task.class_names
    few = sample_classes(manifest, _TRIED * len(names))
    shown: list[tuple[Sample, Explanation]] = []
    counts: Counter[str] = Counter()
    for sample, explanation in zip(few.samples, explain(session, few.paths), strict=True):
        right = names[explanation.predicted] == sample.label
        if right and counts[sample.label] < per_class:
            counts[sample.label] += 1
            shown.append((sample, explanation))
    if not shown:
        return  # Of a model that is right nowhere there is nothing to show.
    shown.sort(key=lambda pair: names.index(pair[0].label))
    stacks = [stack_maps(explanation) for _, explanation in shown]
    figure = plot_examples(
        [explanation.image for _, explanation in shown],
        [_read_mask(session, manifest.root, *pair) for pair in shown],
        stacks,
        [_title(sample, explanation) for sample, explanation in shown],
        measure_percentiles(np.stack(stacks)),
    )
    save_figure(figure, path)


def stack_maps(explanation: Explanation) -> np.ndarray:
    """Stack the maps of the predicted class, relative to the mean over the classes.

    Softmax compares the classes: the head of one may stay at zero, and its own map empty.
    """
    index = explanation.predicted
    maps = [explanation.maps, *explanation.scale_maps]
    return np.stack([center_maps(one)[..., index] for one in maps])


def _title(sample: Sample, explanation: Explanation) -> str:
    return f"{sample.label}: {explanation.probabilities[explanation.predicted]:.2f}"


def _read_mask(
    session: Session, root: Path, sample: Sample, explanation: Explanation
) -> np.ndarray | None:
    if not sample.mask:
        return None
    paths = root / sample.path, root / sample.mask
    there = read_mask_of(*paths, session.read, explanation.source_size) > 0
    shrunk = Image.fromarray(there).resize(session.image_size[::-1], Image.Resampling.NEAREST)
    return np.asarray(shrunk)
