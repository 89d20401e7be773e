"""The weights that come with the package: where they lie, and which backbone they are for."""

from pathlib import Path

XRAY_BACKBONE = "DenseNet121"
_FOLDER = Path(__file__).parents[1] / "weights"
# The newest, and those of earlier versions: what was made from these can be made again.
XRAY_FILES = {name: _FOLDER / f"{name}.npz" for name in ("xray", "xray-2", "xray-1")}
