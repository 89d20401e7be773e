import os
import subprocess
import sys

import pytest

NAMES = ["gdxray_fishbones", "gdxray_welds", "mscam_simulated_bones"]
LIST = f"print(sorted(set({NAMES}) & set(tfds.list_builders())))"


def run_python(code):
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.slow
@pytest.mark.parametrize(
    "imports",
    [
        "import tensorflow_datasets as tfds, mscam_tf.datasets",
        "import mscam_tf.datasets.common, mscam_tf.datasets, tensorflow_datasets as tfds",
    ],
)
def test_importing_the_folder_registers_the_data_sets_in_any_order(imports):
    assert run_python(f"{imports}\n{LIST}") == str(NAMES)


def test_importing_the_folder_does_not_import_tfds():
    code = "import sys, mscam_tf.datasets\nprint('tensorflow_datasets' in sys.modules)"
    assert run_python(code) == "False"
