"""Which images of a data set are simulated."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from mscam_tf.errors import MscamError
from mscam_tf.settings import Number, check_settings_of
from mscam_tf.simulation.config import CLASS_NAMES, SimulationConfig

if TYPE_CHECKING:
    import numpy as np

    from mscam_tf.simulation.pieces import Piece
    from mscam_tf.simulation.radiograph import Radiograph


@dataclass(frozen=True)
class Plan:
    """Which images to simulate: the whole data set follows from it.

    Attributes:
        num_images: Number of images to simulate.
        config: What each image is like.
        labels: How images are labelled: `scale` (none, scale1, scale2, scale3) or `binary` (none,
            bone).
        balance: Share of each class, such as none=3,scale1=1; classes that are not named do not
            occur. By default the classes are equally frequent.
        frame_groups: Number of groups of bones (rows, pieces of spine) in a whole fillet; 0 is a
            fillet without bones. By default the images are patches, not whole fillets.
        seed: Seed of the data set: the same settings and seed give the same bytes. Data sets that
            differ in any setting, such as the number of images, share no image.

    Raises:
        MscamError: If a value is out of range.
    """

    num_images: int = 371
    config: SimulationConfig = field(default_factory=SimulationConfig)
    labels: str = "scale"
    balance: Mapping[str, float] | None = None
    frame_groups: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_settings_of(self)
        shares = list(self.weights.values())
        known = set(self.weights) <= set(CLASS_NAMES)
        if not (known and all(map(Number(0).accepts, shares)) and sum(shares) > 0):
            raise MscamError(
                f"`balance` must give weights of zero or more to classes of {CLASS_NAMES}. "
                f"Received: balance={self.balance}"
            )

    @property
    def weights(self) -> dict[str, float]:
        """Weight of each class: by default all classes, or none and bone, are equally frequent."""
        if self.balance is not None:
            known = {name: self.balance[name] for name in CLASS_NAMES if name in self.balance}
            return known | dict(self.balance)  # In one order, however they are written.
        none = 1.0 if self.labels == "scale" else float(len(CLASS_NAMES) - 1)
        return {name: none if name == "none" else 1.0 for name in CLASS_NAMES}

    def assign_classes(self) -> list[str]:
        """Return the class of each image: the weights' shares, shuffled by the seed.

        Examples:
            >>> Plan(num_images=6, balance={"none": 1, "scale2": 2}).assign_classes()
            ['scale2', 'scale2', 'scale2', 'scale2', 'none', 'none']
        """
        import numpy as np  # The command line reads the settings above without it.

        weights = self.weights
        ends = np.round(np.cumsum(list(weights.values())) / sum(weights.values()) * self.num_images)
        counts = np.diff(ends.astype(int), prepend=0)
        classes = np.repeat(list(weights), counts)
        return self._open_stream(0).permutation(classes).tolist()

    def name(self, radiograph: "Radiograph") -> str:
        """Return the label under which an image is kept."""
        return "bone" if self.labels == "binary" and radiograph.bones else radiograph.label

    def simulate(self, index: int, size_class: str) -> "Radiograph":
        """Simulate one image of the data set."""
        from mscam_tf.simulation.radiograph import simulate_frame, simulate_radiograph

        generator = self._open_stream(index + 1)
        if self.frame_groups is not None:
            return simulate_frame(self.config, self.frame_groups, generator)
        return simulate_radiograph(size_class, self.config, generator)

    def _open_stream(self, number: int) -> "np.random.Generator":
        from mscam_tf.simulation.seeds import open_stream

        return open_stream(asdict(self), number)


@dataclass(frozen=True)
class CardPlan:
    """Which test pieces to simulate.

    Attributes:
        repeats: Images of each piece. Of 29 pieces, 29 that are found prove that 90 % are found at
            a confidence of 95 %.
        good_images: Images without a piece. Of 299, none that is rejected bounds the rate of false
            rejects below 1 % at a confidence of 95 %.
        config: What each image is like.
        seed: Seed of the data set: the same settings and seed give the same bytes.

    Raises:
        MscamError: If a value is out of range.
    """

    repeats: int = 29
    good_images: int = 299
    config: SimulationConfig = field(default_factory=SimulationConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        check_settings_of(self)

    @property
    def num_images(self) -> int:
        """Number of images in all."""
        return len(self.pieces)

    @property
    def pieces(self) -> "list[Piece | None]":
        """The piece of each image, `None` for good ones."""
        from mscam_tf.simulation.pieces import list_pieces

        return [None] * self.good_images + [p for p in list_pieces() for _ in range(self.repeats)]
