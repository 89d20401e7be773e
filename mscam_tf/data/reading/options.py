"""How the intensities of images are read."""

from dataclasses import dataclass

from mscam_tf.settings import check_settings_of


@dataclass(frozen=True)
class ReadOptions:
    """How intensities are read. A run keeps its own, so that all images are read alike.

    Attributes:
        window: The two stored values, low and high, that become 0 and 1, in the units of the file
            (for DICOM, after its rescale slope and intercept). Values beyond them are clipped. By
            default this is the full range of the bits that the file stores, or the window that a
            DICOM file holds.
        invert: Say that dense objects are dark in these images. They are inverted, so that dense
            objects are bright, as everywhere in the library.
        page: Which page to read of a file that holds several: the page of a TIFF file, the frame of
            a DICOM file, or the first index of a three-dimensional NPY file. The first page is 0.
            By default a file with several pages is refused.
        max_pixels: Refuse an image with more pixels than this, before it is decoded.

    Raises:
        MscamError: If a value is out of range.
    """

    window: tuple[float, float] | None = None
    invert: bool = False
    page: int | None = None
    max_pixels: int = 100_000_000

    def __post_init__(self) -> None:
        check_settings_of(self)
