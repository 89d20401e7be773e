"""The weights that come with the package: where they lie, and which backbone they are for."""

from pathlib import Path

XRAY_BACKBONE = "DenseNet121"
XRAY_FILE = Path(__file__).parents[1] / "weights" / "xray.npz"
