"""What a run learns: one class of each image, or several findings in it."""

from abc import ABC, abstractmethod
from collections import Counter
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.special import expit, softmax

from mscam_tf import metrics
from mscam_tf.data.manifests import (
    Manifest,
    ManifestError,
    encode_findings,
    join_findings,
    label_finding,
    list_findings,
    merge_rare,
    set_splits,
    split_manifest,
)

if TYPE_CHECKING:
    import keras

    from mscam_tf.metrics import Metric


class Task(ABC):
    """What the labels of a data set mean, and so what a model of them is trained and scored by.

    Attributes:
        class_names: Name of each class, in the order of the model's logits.
        activation: What makes probabilities of logits: `"softmax"` or `"sigmoid"`.
        exclusive: Whether an image belongs to one class alone, so that classes can be confused.
    """

    activation: ClassVar[str]
    exclusive: ClassVar[bool]

    def __init__(self, class_names: list[str]) -> None:
        self.class_names = class_names

    @staticmethod
    @abstractmethod
    def list_classes(manifest: Manifest) -> list[str]:
        """Return the names of the classes that the labels of a manifest use."""

    @staticmethod
    @abstractmethod
    def split(manifest: Manifest, seed: int = 0) -> Manifest:
        """Split 7:1:2 with groups kept together, so that every class is in every split.

        Raises:
            ManifestError: If no such split exists, or the one given is none.
        """

    @abstractmethod
    def encode(self, manifest: Manifest) -> np.ndarray:
        """Return what a model should say of each image.

        Raises:
            ManifestError: If an image has a label that is not among `class_names`.
        """

    @abstractmethod
    def weigh_classes(self, manifest: Manifest) -> dict[int, float] | None:
        """Return the weight of each class under which classes of any size count alike."""

    @staticmethod
    @abstractmethod
    def make_loss() -> "keras.losses.Loss":
        """Return the loss of logits `(batch, C)` against what `encode` returns."""

    @staticmethod
    @abstractmethod
    def make_metric() -> "keras.Metric":
        """Return the accuracy of logits, under the name `accuracy`."""

    @staticmethod
    @abstractmethod
    def activate(logits: np.ndarray) -> np.ndarray:
        """Return the probabilities of logits `(..., C)`."""

    @abstractmethod
    def list_metrics(self) -> "dict[str, Metric]":
        """Return the metrics of a run by name, see `mscam_tf.metrics`."""

    @abstractmethod
    def confuse(self, labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """Count which classes are taken for which, see `mscam_tf.Scores`."""

    @abstractmethod
    def name_prediction(self, probabilities: np.ndarray) -> str:
        """Name what the probabilities `(C,)` of an image say."""


class OneLabel(Task):
    """Each image belongs to one class: softmax, and cross entropy of class indices `(n,)`.

    Examples:
        >>> import numpy as np
        >>> OneLabel(["none", "bone"]).name_prediction(np.array([0.2, 0.8]))
        'bone'
    """

    activation = "softmax"
    exclusive = True

    @staticmethod
    def list_classes(manifest: Manifest) -> list[str]:
        """Return the labels of a manifest."""
        return manifest.class_names

    @staticmethod
    def split(manifest: Manifest, seed: int = 0) -> Manifest:
        """Split by `mscam_tf.split_manifest`; refuse labels that name several findings."""
        joined = [name for name in manifest.class_names if "|" in name]
        if joined:
            raise ManifestError(
                "A label that names several findings is no class of its own: train with --several "
                f"(several=True), or write another sign than '|'. Received: {joined}"
            )
        return split_manifest(manifest, seed)

    def encode(self, manifest: Manifest) -> np.ndarray:
        """Return the class index of each image, int32 `(n,)`."""
        unknown = sorted(set(manifest.class_names) - set(self.class_names))
        if unknown:
            raise ManifestError(
                f"The run knows the classes {self.class_names}. Received: {unknown}"
            )
        return np.array([self.class_names.index(s.label) for s in manifest.samples], np.int32)

    def weigh_classes(self, manifest: Manifest) -> dict[int, float] | None:
        """Weigh each class by `n / (C n_c)`."""
        counts: Counter[int] = Counter(self.encode(manifest).tolist())
        total, classes = len(manifest.samples), len(self.class_names)
        return {index: total / (classes * counts[index]) for index in range(classes)}

    @staticmethod
    def make_loss() -> "keras.losses.Loss":
        """Return the softmax cross entropy."""
        import keras  # A line that inspects has no Keras: it loads no loss.

        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @staticmethod
    def make_metric() -> "keras.Metric":
        """Return the share of images whose largest logit is that of their class."""
        import keras

        return keras.metrics.SparseCategoricalAccuracy("accuracy")

    @staticmethod
    def activate(logits: np.ndarray) -> np.ndarray:
        """Return the softmax."""
        probabilities: np.ndarray = softmax(logits, axis=-1)
        return probabilities

    def list_metrics(self) -> "dict[str, Metric]":
        """Return accuracy, AUROC, recall of each class and the like."""
        return metrics.list_class_metrics(self.class_names)

    def confuse(self, labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """Count the images of each class (rows) by the class predicted (columns), `(C, C)`."""
        return metrics.count_confusions(labels, probabilities)

    def name_prediction(self, probabilities: np.ndarray) -> str:
        """Name the likeliest class."""
        return self.class_names[int(probabilities.argmax())]


class SeveralFindings(Task):
    """An image has any number of findings: a sigmoid and a binary cross entropy for each.

    Labels name the findings, such as `bone|metal`, or `none`.

    Examples:
        >>> import numpy as np
        >>> SeveralFindings(["bone", "metal"]).name_prediction(np.array([0.9, 0.7]))
        'bone|metal'
    """

    activation = "sigmoid"
    exclusive = False

    @staticmethod
    def list_classes(manifest: Manifest) -> list[str]:
        """Return the findings that the labels of a manifest name."""
        return list_findings(manifest)

    @staticmethod
    def split(manifest: Manifest, seed: int = 0) -> Manifest:
        """Split by combination of findings; each finding must be in every split."""
        if not any(sample.split for sample in manifest.samples):
            split = split_manifest(merge_rare(manifest), seed)
            manifest = set_splits(manifest, [sample.split for sample in split.samples])
        for name in list_findings(manifest):
            split_manifest(label_finding(manifest, name))
        return manifest

    def encode(self, manifest: Manifest) -> np.ndarray:
        """Return 0 and 1 for each finding of each image, float32 `(n, C)`."""
        return encode_findings(manifest, self.class_names)

    def weigh_classes(self, manifest: Manifest) -> dict[int, float] | None:  # noqa: ARG002
        """Return `None`: each finding has a loss of its own, in which no other takes part."""
        return None

    @staticmethod
    def make_loss() -> "keras.losses.Loss":
        """Return the mean over the findings of their binary cross entropies."""
        import keras

        return keras.losses.BinaryCrossentropy(from_logits=True)

    @staticmethod
    def make_metric() -> "keras.Metric":
        """Return the share of findings that are told rightly, over all images."""
        import keras

        return keras.metrics.BinaryAccuracy("accuracy", threshold=0.0)  # Of logits.

    @staticmethod
    def activate(logits: np.ndarray) -> np.ndarray:
        """Return the sigmoid."""
        probabilities: np.ndarray = expit(logits)
        return probabilities

    def list_metrics(self) -> "dict[str, Metric]":
        """Return accuracy, AUROC and average precision, over all and of each finding."""
        return metrics.list_finding_metrics(self.class_names)

    def confuse(self, labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """Count for each finding whether it is there and whether it was found, `(C, 2, 2)`."""
        return metrics.count_findings(labels, probabilities)

    def name_prediction(self, probabilities: np.ndarray) -> str:
        """Name all findings with a probability above one half."""
        likely = zip(self.class_names, probabilities > 0.5, strict=True)
        return join_findings([name for name, there in likely if there])


def choose_task(several: bool) -> type[Task]:
    """Return the task of the setting `several`: one label an image, or several findings."""
    return SeveralFindings if several else OneLabel
