"""Which files are read, and are their values those that other libraries read?"""

import argparse
import logging
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import tifffile
from PIL import Image
from pydicom import uid
from pydicom.data import get_testdata_files
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_modality_lut, pixel_array

from benchmarks.common.report import make_table, write_page
from mscam_tf import ImageError, ReadOptions, read_image
from mscam_tf.data.reading import read_stored

_Y, _X = np.mgrid[:96, :80]
_TWELVE = ((_Y * 331 + _X * 37) % 4096).astype(np.uint16)
_SIXTEEN, _EIGHT = _TWELVE << 4, (_TWELVE >> 4).astype(np.uint8)
_SIGNED, _BITS = _TWELVE.astype(np.int16) - 2048, _EIGHT > 127
_RAW = {1: _BITS, 4: _EIGHT >> 4, 8: _EIGHT, 12: _TWELVE, 16: _SIXTEEN}
_HEADER = ["file", "values from", "range", "largest difference, in steps"]
_LOSSLESS = {"lossless": True, "bitspersample": 12, "predictor": 4}
_GREY = ("MONOCHROME1", "MONOCHROME2")

Case = tuple[str, str, Callable[[Path], object], Callable[[Path], np.ndarray], int]


def list_tiffs() -> list[Case]:
    """List TIFF files, each with what `tifffile` reads."""
    options: list[tuple[str, int, dict[str, object]]] = [
        (name, 16, {"compression": name})
        for name in ("packbits", "lzw", "zlib", "lzma", "zstd", "jpeg2000")
    ]
    options += [(f"packed, {bits} bits", bits, {"bitspersample": bits}) for bits in (1, 4, 12)]
    options += [
        ("deflate with predictor", 16, {"compression": "zlib", "predictor": True}),
        ("tiles", 16, {"tile": (32, 48)}),
        ("strips of 7 rows", 16, {"rowsperstrip": 7}),
        ("big-endian", 16, {"byteorder": ">"}),
        ("BigTIFF", 16, {"bigtiff": True}),
        ("JPEG", 8, {"compression": "jpeg"}),
    ]
    cases: list[Case] = []
    for name, bits, how in options:
        how = {"photometric": "minisblack", "metadata": None, **how}
        cases.append(_make_tiff(f"TIFF, {name}", bits, _RAW[bits], how))
    planes = {"photometric": "rgb", "planarconfig": "separate", "metadata": None}
    cases.append(_make_tiff("TIFF, three equal planes", 8, np.stack([_EIGHT] * 3), planes))
    for name in ("group3", "group4"):
        cases.append(
            (
                f"TIFF, CCITT {name}",
                "tifffile",
                lambda path, name=name: Image.fromarray(_BITS).save(path, "tiff", compression=name),
                _read_bilevel,
                1,
            )
        )
    return cases


def _make_tiff(name: str, bits: int, values: np.ndarray, how: dict[str, object]) -> Case:
    def read(path: Path) -> np.ndarray:
        found = tifffile.imread(path)
        return found[1] if found.ndim == 3 else found

    return name, "tifffile", lambda path: tifffile.imwrite(path, values, **how), read, bits


def _read_bilevel(path: Path) -> np.ndarray:
    with tifffile.TiffFile(path) as file:
        return file.asarray() == file.pages[0].photometric  # 1 where 1 is white.


def list_files() -> list[Case]:
    """List other files, each with what another library reads."""
    writers = {
        "JPEG, 12 bits": lambda: imagecodecs.jpeg8_encode(_TWELVE, level=98, bitspersample=12),
        "JPEG without loss, 12 bits": lambda: imagecodecs.jpeg8_encode(_TWELVE, **_LOSSLESS),
        "JPEG 2000 codestream, 12 bits": lambda: _encode_jpeg_2000("j2k"),
        "JPEG 2000 in boxes, 12 bits": lambda: _encode_jpeg_2000("jp2"),
    }
    cases: list[Case] = [
        (name, "imagecodecs", lambda path, w=write: path.write_bytes(w()), imagecodecs.imread, 12)
        for name, write in writers.items()
    ]
    jpegls = lambda path: path.write_bytes(imagecodecs.jpegls_encode(_SIXTEEN))  # noqa: E731
    cases.append(("JPEG-LS, 16 bits", "imagecodecs", jpegls, _read_jpeg_ls, 16))
    for name, bits in (("PNG", 16), ("PNG", 8), ("JPEG", 8), ("BMP", 8)):
        kind, values = name.lower(), _RAW[bits]
        save = lambda path, v=values, k=kind: Image.fromarray(v).save(path, k)  # noqa: E731
        cases.append((f"{name}, {bits} bits", "Pillow", save, _read_pillow, bits))
    for name, array in (
        ("NPY", _SIXTEEN),
        ("NPY, one channel", _SIXTEEN[..., None]),
        ("NPY, big-endian, columns first", np.asfortranarray(_SIXTEEN.astype(">u2"))),
    ):
        cases.append((name, "NumPy", lambda path, a=array: _save_array(path, a), _load_array, 16))
    return cases


def _encode_jpeg_2000(boxes: str) -> bytes:
    return imagecodecs.jpeg2k_encode(_TWELVE, codecformat=boxes, reversible=True, bitspersample=12)


def _read_jpeg_ls(path: Path) -> np.ndarray:
    return imagecodecs.jpegls_decode(path.read_bytes())


def _read_pillow(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def _save_array(path: Path, values: np.ndarray) -> None:
    with path.open("wb") as file:
        np.save(file, values)


def _load_array(path: Path) -> np.ndarray:
    return np.squeeze(np.load(path))


def list_dicoms() -> list[Case]:
    """List DICOM files, each with what `pydicom` reads, or `imagecodecs` where it cannot."""
    jpeg = imagecodecs.jpeg8_encode(_TWELVE, **_LOSSLESS)
    twelve = imagecodecs.jpeg8_encode(_TWELVE, level=98, bitspersample=12)
    names = ("ImplicitVRLittleEndian", "ExplicitVRLittleEndian", "DeflatedExplicitVRLittleEndian")
    cases = [_make_dicom(name, getattr(uid, name)) for name in names]
    for name in ("RLELossless", "JPEGLSLossless", "JPEG2000Lossless"):
        cases.append(_make_dicom(name, getattr(uid, name), compress=True))
    cases.append(
        _make_dicom("JP2 in JPEG2000Lossless", uid.JPEG2000Lossless, _encode_jpeg_2000("jp2"))
    )
    for name, data in (
        ("JPEGLossless", jpeg),
        ("JPEGLosslessSV1", jpeg),
        ("JPEGExtended12Bit", twelve),
    ):
        written = _make_dicom(name, getattr(uid, name), data)
        decoded = imagecodecs.jpeg8_decode(data)
        cases.append((written[0], "imagecodecs", written[2], lambda _, d=decoded: d, 12))
    return cases


def _make_dicom(name: str, syntax: str, data: bytes | None = None, compress: bool = False) -> Case:
    def write(path: Path) -> None:
        dataset = make_dataset(_TWELVE)
        if data is not None:
            dataset.PixelData = encapsulate([data])
            dataset["PixelData"].is_undefined_length = True
        if compress:
            dataset.compress(syntax, generate_instance_uid=False)
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.save_as(path, enforce_file_format=True)

    return f"DICOM, {name}", "pydicom", write, lambda path: pydicom.dcmread(path).pixel_array, 12


def make_dataset(values: np.ndarray) -> pydicom.Dataset:
    """Make a DICOM image of 12 bits stored in 16."""
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    dataset.SOPClassUID = uid.DigitalXRayImageStorageForProcessing
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset.Rows, dataset.Columns = values.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = int(values.dtype.kind == "i")
    dataset.PixelData = values.tobytes()
    return dataset


def compare(case: Case, folder: Path) -> list[str]:
    """Write a file, read it twice, and return its row of the table."""
    name, other, write, read, bits = case
    path, highest = folder / "file", 2**bits - 1
    write(path)
    difference = read_image(path).astype(np.float64) * highest - read(path)
    return [name, other, f"0 to {highest}", f"{np.abs(difference).max():.3f}"]


def read_samples() -> tuple[list[str], list[list[str]]]:
    """Read the grey DICOM files that come with pydicom.

    Returns:
        For each that is read, whether its rescaled values are those of pydicom (`equal`,
        `different`, or `alone` if it cannot decode them); and name and reason of each refused.
    """
    found, refused = [], []
    for path in sorted(map(Path, get_testdata_files("*.dcm"))):
        dataset = pydicom.dcmread(path, force=True)
        if dataset.get("PhotometricInterpretation") not in _GREY or "PixelData" not in dataset:
            continue
        try:
            read_image(path, ReadOptions(page=0))
            found.append(_compare_sample(path, dataset))
        except ImageError as error:
            refused.append([path.name, error.problems[0].reason.split(" - ")[0]])
    return found, refused


def _compare_sample(path: Path, dataset: pydicom.Dataset) -> str:
    try:
        values = apply_modality_lut(pixel_array(dataset, index=0), dataset)
    except (RuntimeError, NotImplementedError):
        return "alone"
    stored = read_stored(path, 0, 10**8)
    return "equal" if np.array_equal(stored.values, values) else "different"


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    warnings.simplefilter("ignore")  # Some samples are odd on purpose.
    logging.disable()
    with tempfile.TemporaryDirectory() as folder:
        cases = list_files() + list_tiffs() + list_dicoms()
        rows = [compare(case, Path(folder)) for case in cases]
    found, refused = read_samples()
    write_page(
        "formats",
        "Files that are read",
        "Each file is written, read with `mscam_tf.read_image`, multiplied by its range, and "
        "compared with the values that another library reads. A difference far below one step is "
        "the rounding of float32. The range is what maps to `[0, 1]`.",
        _HEADER,
        rows,
        more=f"Of the {len(found) + len(refused)} grey images among the DICOM files that come "
        f"with pydicom, {len(found)} are read (the first frame of each): {found.count('equal')} "
        f"with the values of pydicom after its modality LUT, {found.count('different')} with "
        f"others, and {found.count('alone')} that pydicom cannot decode without further packages. "
        "Dose images have 32 bits and need a window. The others are refused:"
        f"\n\n{make_table(['file', 'reason'], refused)}",
    )


if __name__ == "__main__":
    main()
