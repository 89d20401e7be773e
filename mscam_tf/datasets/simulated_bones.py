"""The data set `mscam_simulated_bones`: simulated radiographs with the truth about every bone."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from mscam_tf.datasets.common import make_box, split_groups
from mscam_tf.simulation import CLASS_NAMES, Plan, Radiograph, SimulationConfig

_FRAMES = SimulationConfig(image_size=(1024, 2048))
_PARAMETERS = ("diameter", "length", "contrast")


@dataclass(eq=False)
class SimulatedBonesConfig(tfds.core.BuilderConfig):
    """A configuration of `MscamSimulatedBones`.

    Attributes:
        plan: What to simulate. Give another plan another `name`, under which it is kept.
    """

    plan: Plan = field(default_factory=Plan)


class MscamSimulatedBones(tfds.core.GeneratorBasedBuilder):
    """Simulated radiographs of fish fillets, with 16 bits, masks and boxes.

    Features: `image`, uint16; `label`; `name`; `mask`, uint16, in which each pixel has the number
    of its bone from 1, or 0; `bboxes`, for each bone its `bbox`, its `label` (size class), and
    `diameter` and `length` in pixels and `contrast` in optical depth.

    Patches are split 7:1:2, stratified by the class; frames are all in `test`.
    """

    VERSION = tfds.core.Version("2.0.0")
    BUILDER_CONFIGS = (
        SimulatedBonesConfig(
            "scale", description="371 patches: none, scale1, scale2, scale3.", plan=Plan()
        ),
        SimulatedBonesConfig(
            "binary", description="371 patches: bone, none.", plan=Plan(labels="binary")
        ),
        SimulatedBonesConfig(
            "frames",
            description="4 whole fillets with bones of all sizes.",
            plan=Plan(4, _FRAMES, frame_groups=10),
        ),
    )

    @property
    def _plan(self) -> Plan:
        return self.builder_config.plan

    def _info(self) -> tfds.core.DatasetInfo:
        shape = (*self._plan.config.image_size, 1)
        dtype = np.uint16 if self._plan.config.bit_depth > 8 else np.uint8
        # Sorted, as in the runs of `mscam train`: a label has the same number everywhere.
        names = ["bone", "none"] if self._plan.labels == "binary" else list(CLASS_NAMES)
        features = {
            "image": tfds.features.Image(shape=shape, dtype=dtype, encoding_format="png"),
            "label": tfds.features.ClassLabel(names=names),
            "name": tfds.features.Text(),
            "mask": tfds.features.Image(shape=shape, dtype=np.uint16, encoding_format="png"),
            "bboxes": tfds.features.Sequence(
                {
                    "bbox": tfds.features.BBoxFeature(),
                    "label": tfds.features.ClassLabel(names=list(CLASS_NAMES[1:])),
                    **dict.fromkeys(_PARAMETERS, np.float32),
                }
            ),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description="Radiographs of fish fillets, simulated by the physics of X-rays.",
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("image", "label"),
            license="Apache-2.0",
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:  # noqa: ARG002
        classes = {f"{i:05d}": name for i, name in enumerate(self._plan.assign_classes())}
        if self._plan.frame_groups is not None:
            return {"test": self._generate_examples(classes)}
        splits = split_groups(classes)
        return {
            split: self._generate_examples({n: classes[n] for n in classes if splits[n] == split})
            for split in dict.fromkeys(splits.values())
        }

    def _generate_examples(self, classes: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, size_class in classes.items():
            radiograph = self._plan.simulate(int(name), size_class)
            yield (
                name,
                {
                    "image": radiograph.image[..., None],
                    "label": self._plan.name(radiograph),
                    "name": name,
                    "mask": radiograph.mask[..., None],
                    "bboxes": _describe_bones(radiograph),
                },
            )


def _describe_bones(radiograph: Radiograph) -> list[dict[str, Any]]:
    return [
        {
            "bbox": make_box(box, radiograph.mask.shape),
            "label": bone.size_class,
            **{name: getattr(bone, name) for name in _PARAMETERS},
        }
        for box, bone in zip(radiograph.boxes, radiograph.bones, strict=True)
    ]
