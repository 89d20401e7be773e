import hashlib
import subprocess
import sys

import pytest

import mscam_tf
from mscam_tf.models import load_pretrained, parse_weights, write_pretrained
from tests.conftest import make_backbone, randomize

pytestmark = pytest.mark.backends


@pytest.fixture
def written(tmp_path):
    model = randomize(mscam_tf.build_multiscale_classifier(2, (32, 32), backbone=make_backbone()))
    path = tmp_path / "mine" / "weights.npz"
    write_pretrained(model, path, ["bone", "wire"], {"backbone": "TinyNet"})
    return path


@pytest.mark.parametrize(
    ("given", "kind", "setting", "has_heads"),
    [
        (None, "none", None, False),
        ("none", "none", None, False),
        ("xray", "xray", "xray", True),
        ("xray-2", "xray-2", "xray-2", True),
        ("xray-1", "xray-1", "xray-1", True),
        ("imagenet", "imagenet", "imagenet", False),
        ("auto", "auto", "auto", False),
        ("a/weights.npz", "file", "a/weights.npz", True),
        ("a.weights.h5", "file", "a.weights.h5", False),
        ("run/model.keras", "file", "run/model.keras", False),
    ],
)
def test_what_weights_name(given, kind, setting, has_heads):
    found = parse_weights(given)
    assert (found.kind, found.setting, found.has_heads) == (kind, setting, has_heads)
    assert parse_weights(found) is found
    assert parse_weights(found.setting) == found


@pytest.mark.parametrize("given", ["xary", "weights.txt", "", 3, ["xray"]])
def test_what_is_no_weights_is_refused(given):
    with pytest.raises(mscam_tf.MscamError, match=r"`weights` must be None, one of .*Received: "):
        parse_weights(given)
    with pytest.raises(mscam_tf.MscamError, match=r"Did you mean 'imagenet'\?"):
        parse_weights("imagnet")


def test_auto_depends_on_the_backbone():
    assert parse_weights("auto").resolve("DenseNet121").kind == "xray"
    assert parse_weights("auto").resolve("VGG16").kind == "none"
    assert parse_weights("imagenet").resolve("VGG16").kind == "imagenet"


def test_what_cannot_start_a_training_is_refused(written):
    parse_weights("xray").check("DenseNet121")
    parse_weights(written).check("TinyNet")
    with pytest.raises(mscam_tf.MscamError, match=r"DenseNet121 alone\. Received: .*'VGG16'"):
        parse_weights("xray").check("VGG16")
    with pytest.raises(mscam_tf.MscamError, match=r"existing file.*Received: .*'no\.keras'"):
        parse_weights("no.keras").check("VGG16")
    written.write_bytes(written.read_bytes() + b"more")
    with pytest.raises(OSError, match="is damaged"):
        parse_weights(written).check("TinyNet")


def test_names_say_what_the_weights_are(written):
    assert parse_weights(None).name == "none"
    assert parse_weights("xray").name == f"xray-{load_pretrained().digest[:8]}"
    digest = hashlib.sha256(written.read_bytes()).hexdigest()
    assert parse_weights(written).digest == digest
    assert parse_weights(written).name == f"mine-{digest[:8]}"
    other = written.with_name("fish.weights.h5")
    other.write_bytes(b"other")
    assert parse_weights(other).name.startswith("fish.weights-")


def test_a_file_is_hashed_and_loaded_once_until_it_changes(written, monkeypatch):
    opened = []
    file_digest = hashlib.file_digest
    monkeypatch.setattr("hashlib.file_digest", lambda *a: opened.append("hash") or file_digest(*a))
    first = parse_weights(str(written)).read()
    assert parse_weights(written).read() is first
    assert parse_weights(written).name == f"mine-{first.digest[:8]}"
    assert opened == ["hash"]
    written.write_bytes(b"changed")
    with pytest.raises(OSError, match="is damaged"):
        parse_weights(written).read()
    assert opened == ["hash", "hash"]


def test_settings_and_weights_are_parsed_without_keras():
    code = (
        "import sys\n"
        "from mscam_tf import TrainConfig\n"
        "from mscam_tf.experiments import ReproductionConfig\n"
        "from mscam_tf.pretraining import PretrainConfig\n"
        "from mscam_tf.simulation import Plan\n"
        "from mscam_tf import Tiling\n"
        "TrainConfig().resolve(), ReproductionConfig(), PretrainConfig(), Plan(), Tiling()\n"
        "print([m for m in ('keras', 'tensorflow', 'scipy') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr
