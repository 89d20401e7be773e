"""Where labelled images come from: a folder, a CSV file, or a data set of TFDS."""

from pathlib import Path

from mscam_tf.data.manifests import ManifestError

_PREFIX = "tfds:"


def resolve_source(source: str | Path) -> Path:
    """Return the folder or CSV file of a source; prepare it first if TFDS has it.

    Args:
        source: A folder or a CSV file, which is returned as it is; or `tfds:NAME` or
            `tfds:NAME/CONFIG` of a data set of this package.

    Returns:
        What `mscam_tf.read_manifest` takes.

    Raises:
        ManifestError: If TensorFlow Datasets is not installed.
        ValueError: If there is no data set of that name.
        FileNotFoundError: If files are missing that must be placed by hand.

    Examples:
        >>> resolve_source("bones/manifest.csv").name
        'manifest.csv'
    """
    name = Path(source).as_posix()
    if not name.startswith(_PREFIX):
        return Path(source)
    try:
        from mscam_tf.datasets.export import prepare_dataset
    except ModuleNotFoundError as error:
        if error.name != "tensorflow_datasets":
            raise
        raise ManifestError(
            "DATA of TFDS needs TensorFlow Datasets: `pip install 'mscam-tf[tfds]'`. "
            f"Received: {name}"
        ) from None
    return prepare_dataset(name.removeprefix(_PREFIX))
