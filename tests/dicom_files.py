"""DICOM files for tests, made of a few values."""

import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom")
from pydicom import uid  # noqa: E402
from pydicom.encaps import encapsulate  # noqa: E402

VALUES = np.array([[0, 1, 1023], [500, 501, 2]], np.uint16)


def make_dataset(values=VALUES, bits=10, **attributes):
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = (
        uid.DigitalXRayImageStorageForProcessing
    )
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset.Rows, dataset.Columns = values.shape[-2:]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, bits, bits - 1
    dataset.PixelRepresentation = int(values.dtype.kind == "i")
    dataset.PixelData = values.tobytes()
    for name, value in attributes.items():
        setattr(dataset, name, value)
    return dataset


def save(path, dataset):
    dataset.save_as(path, enforce_file_format=True)
    return path


def make_item(**attributes):
    """Make an item of a sequence."""
    item = pydicom.Dataset()
    for name, value in attributes.items():
        setattr(item, name, value)
    return item


def enclose(dataset, data, syntax):
    """Replace the pixels by one compressed frame."""
    dataset.PixelData = encapsulate([data])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = syntax
    return dataset


def compress(dataset, syntax):
    """Compress as RLE, JPEG-LS or JPEG 2000, each without loss."""
    dataset.compress(syntax, generate_instance_uid=False)
    return dataset
