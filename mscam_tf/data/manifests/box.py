"""A box around an object: move it, and cut it to an image."""

import math
from dataclasses import dataclass, field, replace

from mscam_tf.errors import MscamError

CORNERS = ("x_min", "y_min", "x_max", "y_max")


@dataclass(frozen=True)
class Box:
    """An object's box in pixels, which spans `x_min <= x < x_max` and `y_min <= y < y_max`.

    `x` runs to the right and `y` down, both from the image's upper left corner.

    Attributes:
        x_min: Left edge.
        y_min: Upper edge.
        x_max: Right edge.
        y_max: Lower edge.
        label: The object's class, or empty.
        object_size: Width and height of the whole object where the box is cut; else `None`.
        visible: Share of the object's area that is left in the image, from 0 to 1, of what fits
            into the image: 1 for a crack that runs through it from edge to edge.
        place: The file and line in which it stands, for messages; empty where there is none.
        image_size: `(height, width)` of the image on which it was drawn; `None` where its file does
            not say.

    Raises:
        MscamError: If the box is empty, or its sizes or visible share are out of range.
    """

    x_min: float
    y_min: float
    x_max: float
    y_max: float
    label: str = ""
    object_size: tuple[float, float] | None = None
    visible: float = 1.0
    place: str = field(default="", compare=False, repr=False)
    image_size: tuple[int, int] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        corners = (self.x_min, self.y_min, self.x_max, self.y_max)
        if not (self.x_min < self.x_max and self.y_min < self.y_max) or not all(
            map(math.isfinite, corners)
        ):
            raise MscamError(
                "A box must have x_min < x_max and y_min < y_max, all finite. "
                f"Received: {dict(zip(CORNERS, corners, strict=True))}"
            )

        size = self.object_size or (1, 1)
        if not all(0 < length < math.inf for length in size) or not 0 <= self.visible <= 1:
            raise MscamError(
                "A box must have an object_size of finite numbers above 0, and a visible share "
                f"from 0 to 1. Received: {self.object_size}, visible={self.visible}"
            )

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the whole object, also where the box shows but a part of it."""
        return self.object_size or (self.x_max - self.x_min, self.y_max - self.y_min)

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        return (self.x_max - self.x_min) * (self.y_max - self.y_min)

    def shift(self, x: float, y: float) -> "Box":
        """Move the box by `x` pixels to the right and `y` down."""
        return replace(
            self, x_min=self.x_min + x, x_max=self.x_max + x, y_min=self.y_min + y,
            y_max=self.y_max + y,
        )  # fmt: skip

    def clip(self, width: float, height: float) -> "Box | None":
        """Cut the box to an image of this size; `None` where nothing is left.

        The cut box remembers the size of the whole object and how much of it is visible.

        Examples:
            >>> box = Box(-6, 2, 2, 12).clip(width=20, height=10)
            >>> box.x_min, box.y_max, box.size, box.visible
            (0, 10, (8, 10), 0.2)
        """
        x_min, y_min = max(self.x_min, 0), max(self.y_min, 0)
        x_max, y_max = min(self.x_max, width), min(self.y_max, height)
        if x_min >= x_max or y_min >= y_max:
            return None
        cut = replace(
            self, x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max, object_size=self.size
        )
        visible = min(1.0, self.visible * cut.area / self.fit(width, height))
        return replace(cut, visible=visible)

    def fit(self, width: float, height: float) -> float:
        """Return the largest area of the box that an image of this size can show."""
        return min(self.x_max - self.x_min, width) * min(self.y_max - self.y_min, height)

    def resize(self, size: tuple[int, int], image_size: tuple[int, int]) -> "Box":
        """Return the box in its image `(height, width)` after that is resized to another size.

        Examples:
            >>> Box(2, 3, 4, 6).resize((12, 20), (4, 10)).area
            1.0
        """
        y, x = (new / old for new, old in zip(image_size, size, strict=True))
        whole = self.object_size and (self.object_size[0] * x, self.object_size[1] * y)
        return replace(
            self, x_min=self.x_min * x, x_max=self.x_max * x, y_min=self.y_min * y,
            y_max=self.y_max * y, object_size=whole,
        )  # fmt: skip

    def find_pixels(self) -> tuple[slice, slice]:
        """Return rows and columns of the pixels whose centres are in it.

        Of a box that has none, it is the pixel in its middle.

        Examples:
            >>> Box(0.6, 2.0, 3.4, 2.4).find_pixels()
            (slice(2, 3, None), slice(1, 3, None))
        """
        return _find_along(self.y_min, self.y_max), _find_along(self.x_min, self.x_max)


def _find_along(low: float, high: float) -> slice:
    first, last = math.ceil(low - 0.5), math.ceil(high - 0.5)
    middle = int((low + high) / 2)
    first, last = (first, last) if first < last else (middle, middle + 1)
    return slice(max(first, 0), max(last, 0))
