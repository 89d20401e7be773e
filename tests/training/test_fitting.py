from dataclasses import replace

import numpy as np
import pytest

import mscam_tf
from mscam_tf import RunError, TrainConfig, read_manifest
from mscam_tf.files import read_table
from mscam_tf.training import make_split_dataset
from mscam_tf.training.optimization import apply_constraints
from tests.conftest import write_images

CONFIG = TrainConfig(
    backbone="TinyNet", model="single", image_size=(32, 32), batch_size=8, epochs=2, seed=2
)


@pytest.fixture(scope="module")
def unequal(tmp_path_factory):
    return write_images(tmp_path_factory.mktemp("data"), {"none": 50, "wide": 10}, (32, 32))


def cross_entropies(run, manifest):
    """Compute the validation loss of each image by hand, and its label."""
    validation = replace(read_manifest(run.split_file), root=manifest.root).select("validation")
    logits = run.load_model().predict(make_split_dataset(run, validation), verbose=0)
    labels = run.task.encode(validation)
    rows = np.arange(len(labels))
    return np.log(np.exp(logits).sum(1)) - logits[rows, labels], labels


@pytest.mark.parametrize("balance", [True, False])
def test_the_validation_loss_is_weighted_as_that_of_the_training_is(unequal, tmp_path, balance):
    manifest = read_manifest(unequal)
    run = mscam_tf.train(manifest, tmp_path / "run", replace(CONFIG, balance=balance))
    losses, labels = cross_entropies(run, manifest)
    counts = np.bincount(run.task.encode(read_manifest(run.split_file).select("train")))
    weights = counts.sum() / (2 * counts) if balance else np.ones(2)
    best = min(float(row["val_loss"]) for row in read_table(run.folder / "history.csv"))
    assert best == pytest.approx((weights[labels] * losses).mean(), rel=1e-4)
    plain = pytest.approx(losses.mean(), rel=1e-4)
    assert (best == plain) != balance


def test_a_training_that_diverges_is_no_finished_run(unequal, tmp_path):
    manifest = read_manifest(unequal)
    with pytest.raises(RunError, match=r"diverged in epoch 1.*a lower learning rate"):
        mscam_tf.train(manifest, tmp_path / "run", replace(CONFIG, learning_rate=1e30))
    assert not (tmp_path / "run" / "model.keras").exists()


def test_a_loss_that_is_lost_later_keeps_the_best_weights_and_says_so(unequal, tmp_path, caplog):
    import keras

    class Break(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                kernel = self.model.trainable_variables[0]
                kernel.assign(kernel * float("nan"))

    manifest, folder = read_manifest(unequal), tmp_path / "run"
    message = r"diverged in epoch 3: its .* no numbers?; .* kept in .*best.* lower learning rate"
    with pytest.raises(RunError, match=message):
        mscam_tf.train(manifest, folder, replace(CONFIG, epochs=5), callbacks=[Break()])
    assert "--resume" not in caplog.text  # It would come to the same.
    assert not (folder / "model.keras").exists()
    best = mscam_tf.build_single_scale_classifier(2, (32, 32), backbone="TinyNet")
    best.load_weights(folder / "checkpoints" / "best.weights.h5")
    apply_constraints(best)
    assert all(np.isfinite(values).all() for values in best.get_weights())
    assert len(read_table(folder / "history.csv")) == 3
