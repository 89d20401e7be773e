import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import mscam_tf.data.pipeline
from mscam_tf import ImageError, MscamError, ReadOptions, make_dataset
from mscam_tf.data import name_failures
from tests.data.reading.counting import count_side_by_side


@pytest.fixture
def paths(tmp_path):
    paths = []
    for value in range(10):
        paths.append(tmp_path / f"{value}.png")
        ramp = np.linspace(0, 20000, 64, dtype=np.uint16)[None].repeat(48, 0) + 4000 * value
        Image.fromarray(ramp).save(paths[-1])
    return paths


def collect(dataset):
    batches = [(np.asarray(images), np.asarray(labels)) for images, labels in dataset]
    return np.concatenate([b[0] for b in batches]), np.concatenate([b[1] for b in batches])


def test_batches_in_order_without_training(paths):
    images, labels = collect(make_dataset(paths, range(10), (48, 64), batch_size=4))
    assert images.shape == (10, 48, 64, 1)
    assert images.dtype == np.float32
    assert labels.tolist() == list(range(10))
    np.testing.assert_allclose(images[3, 0, 0], 12000 / 65535, rtol=1e-5)


@pytest.mark.parametrize("cache_bytes", [0, 2**31])
def test_values_one_step_apart_stay_apart(tmp_path, cache_bytes):
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    path = tmp_path / "röntgen 방사선.png"
    Image.fromarray(values).save(path)
    images, _ = collect(make_dataset([path], [0], (256, 256), cache_bytes=cache_bytes))
    np.testing.assert_array_equal(np.round(images[0, ..., 0].astype(float) * 65535), values)


def test_reads_with_the_options_given(paths):
    read = ReadOptions(window=(4000, 24000), invert=True)
    images, _ = collect(make_dataset(paths[1:2], [0], (48, 64), read=read))
    np.testing.assert_allclose(images[0, 0, :, 0], np.linspace(1, 0, 64), atol=1e-4)


def test_downsizing_averages_so_that_thin_lines_survive(tmp_path):
    values = np.zeros((64, 64), np.uint8)
    values[:, 1::8] = 255
    Image.fromarray(values).save(tmp_path / "a.png")
    images, _ = collect(make_dataset([tmp_path / "a.png"], [0], (16, 16)))
    np.testing.assert_allclose(images.mean(), 1 / 8, rtol=0.1)
    assert images.reshape(-1, 16)[:, ::2].min() > 0.05


def test_training_is_shuffled_augmented_and_seeded(paths):
    def make(seed):
        return make_dataset(paths, range(10), (48, 64), 4, training=True, seed=seed)

    first, labels = collect(make(0))
    assert sorted(labels) == list(range(10))
    assert labels.tolist() != list(range(10))
    again, _ = collect(make(0))
    np.testing.assert_array_equal(first, again)
    other, _ = collect(make(1))
    assert np.abs(first - other).max() > 0.01
    dataset = make(0)
    epochs = [collect(dataset)[0] for _ in range(2)]
    assert np.abs(epochs[0] - epochs[1]).max() > 0.01


def test_a_training_that_goes_on_has_the_order_and_the_augmentation_of_its_epoch(paths):
    def make(first_epoch):
        return make_dataset(
            paths, range(10), (48, 64), 4, training=True, seed=3, first_epoch=first_epoch
        )

    dataset = make(0)
    epochs = [collect(dataset) for _ in range(3)]
    images, labels = collect(make(2))
    assert labels.tolist() == epochs[2][1].tolist()
    np.testing.assert_array_equal(images, epochs[2][0])


def test_batches_can_be_shared_by_devices(paths):
    """A rest of the images is left out of an epoch of the training; elsewhere it is filled up."""
    dataset = make_dataset(paths, range(10), (8, 8), 8, training=True, divisor=4)
    seen = []
    for _ in range(6):
        batches = [labels.tolist() for _, labels in dataset.as_numpy_iterator()]
        assert [len(labels) for labels in batches] == [8]
        seen += batches[0]
    assert len(dataset) == 1
    assert set(seen) == set(range(10))  # Others are left out in another epoch.
    dataset = make_dataset(paths, range(10), (8, 8), 8, divisor=4)
    batches = [labels.tolist() for _, labels in dataset.as_numpy_iterator()]
    assert batches == [list(range(8)), [8, 9, 0, 1]]
    few = make_dataset(paths[:3], range(3), (8, 8), 8, divisor=8)
    assert [y.tolist() for _, y in few.as_numpy_iterator()] == [[0, 1, 2, 0, 1, 2, 0, 1]]


def test_a_batch_larger_than_the_data_takes_no_more_memory(paths):
    images, _ = collect(make_dataset(paths, [0] * 10, (8, 8), batch_size=10**12))
    assert images.shape == (10, 8, 8, 1)


def test_large_images_wait_for_each_other(paths, monkeypatch):
    """As wherever images are read side by side: memory is that of one image of the limit."""
    most = []
    count = count_side_by_side(mscam_tf.data.pipeline.read_image, most)
    monkeypatch.setattr("mscam_tf.data.pipeline.read_image", count)
    monkeypatch.setattr("mscam_tf.data.reading.admission.PIXELS_AT_ONCE", 64 * 48 + 1)
    collect(make_dataset(paths, [0] * 10, (48, 64), batch_size=5, cache_bytes=0))
    assert most == [1] * 10


def test_what_vanishes_while_it_is_read_is_named(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(path)
    dataset = make_dataset([path], [0], (8, 8))
    path.unlink()
    with pytest.raises(ImageError, match=r"a\.png"), name_failures([path]):
        list(dataset)


def test_a_memory_that_is_too_small_is_said():
    with pytest.raises(MscamError, match="batch size"), name_failures([]):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM")


def test_tensorflow_does_not_say_where_it_was():
    stack = 'Graph execution error:\n\nDetected at node x:\n  File "runpy.py", line 198, in run\n\n'
    hint = "\nHint: If you want to see a list of allocated tensors when OOM happens, add it"
    for reason, advice in (
        ("Failed to allocate memory for the batch of component 1", "a smaller batch size"),
        ("write: No space left on device", "The disk is full. Make room"),
    ):
        with pytest.raises(MscamError, match=advice) as caught, name_failures([]):
            raise tf.errors.ResourceExhaustedError(None, None, f"{stack}{reason}{hint}")
        assert str(caught.value).endswith(f"Received: {reason}")
