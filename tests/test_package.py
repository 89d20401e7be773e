import importlib.util
import os
import subprocess
import sys

import pytest

import mscam_tf

BACKENDS = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}


def run_python(code, **environment):
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_every_public_name_is_there():
    for name in mscam_tf.__all__:
        assert getattr(mscam_tf, name).__doc__, name


@pytest.mark.parametrize("backend", BACKENDS)
def test_core_works_on_each_backend_without_the_others(backend):
    if importlib.util.find_spec(BACKENDS[backend]) is None:
        pytest.skip(f"{backend} is not installed")
    code = (
        "import sys, keras\n"
        "before = set(sys.modules)\n"
        "import mscam_tf\n"
        "model = mscam_tf.build_multiscale_classifier(2, (64, 64), backbone='MobileNetV2')\n"
        "mscam_tf.build_explainer(model)\n"
        "added = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "heavy = {'matplotlib', 'tensorflow', 'tensorflow_datasets', 'torch', 'jax'}\n"
        "print(keras.backend.backend(), sorted(added & heavy))"
    )
    added = run_python(code, KERAS_BACKEND=backend)
    # TensorFlow's own lazy modules are loaded as they are used.
    assert added in (f"{backend} []", "tensorflow ['tensorflow']")


def test_import_alone_loads_nothing_heavy():
    code = (
        "import sys, mscam_tf\n"
        "heavy = ('keras', 'tensorflow', 'tensorflow_datasets', 'matplotlib', 'numpy')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    assert run_python(code) == "[]"


def test_keras_loads_a_saved_model_in_a_new_process(tmp_path):
    import keras

    inputs = [keras.Input((2,)), keras.Input((2,))]
    path = tmp_path / "model.keras"
    keras.Model(inputs, mscam_tf.RelevanceCombine(name="mix")(inputs)).save(path)
    for first in ("import mscam_tf, keras", "import keras, mscam_tf"):
        code = f"{first}\nprint(keras.saving.load_model({str(path)!r}).layers[-1].name)"
        assert run_python(code) == "mix"
