import pytest

import mscam_tf
from mscam_tf import TrainConfig, read_manifest
from mscam_tf.runs import create_run
from tests.conftest import make_backbone, randomize, write_images

CONFIG = TrainConfig(backbone="TinyNet", image_size=(32, 32), batch_size=8, tune="heads")


@pytest.fixture(scope="module")
def few_images(tmp_path_factory):
    folder = write_images(tmp_path_factory.mktemp("data"), {"none": 20, "wide": 20}, (32, 32))
    return mscam_tf.split_manifest(read_manifest(folder))


@pytest.fixture
def heads_run(few_images, tmp_path):
    return create_run(tmp_path / "run", CONFIG, few_images.class_names, str(few_images.root))


def build_classifier(pooling, model="multi"):
    make = {
        "multi": mscam_tf.build_multiscale_classifier,
        "single": mscam_tf.build_single_scale_classifier,
    }[model]
    classifier = make(2, (32, 32), backbone=make_backbone(), pooling=pooling)
    return randomize(classifier)
