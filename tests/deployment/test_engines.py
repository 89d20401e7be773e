import sys

import numpy as np
import pytest

from mscam_tf.deployment import OnnxEngine
from mscam_tf.errors import MscamError


def test_a_missing_package_is_named(export, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MscamError, match=r"onnxruntime: pip install 'mscam-tf\[onnx\]'"):
        OnnxEngine(export("onnx").file, np.ones((3, 2)))
