"""One decode, one forward pass and one loaded model, however many images there are."""

import tracemalloc
from collections import Counter
from dataclasses import replace

import keras
import numpy as np
import pytest

import mscam_tf
from mscam_tf import Problem
from mscam_tf.experiments import draw_examples


class FakeEngine:
    """Says of each image its mean, as an engine for any runtime could."""

    relevance = np.array([[0.5, 1.0]])

    def __init__(self):
        self.sizes = []

    def explain(self, images):
        self.sizes.append(len(images))
        maps = np.concatenate([images, -images], -1)
        logits = maps.mean((1, 2))
        outputs = {"logits": logits, "probabilities": logits, "maps": maps, "scale1_maps": maps}
        return outputs | {"contributions": logits[:, None]}


@pytest.fixture
def counts(monkeypatch):
    """Count how often each image is decoded, and how often a model is loaded."""
    counted = Counter()
    read_image, load_model = mscam_tf.read_image, keras.saving.load_model

    def read(path, options=None):
        counted[path] += 1
        return read_image(path, options)

    def load(*arguments, **options):
        counted["models"] += 1
        return load_model(*arguments, **options)

    monkeypatch.setattr("mscam_tf.runs.session.read_image", read)
    monkeypatch.setattr("mscam_tf.data.reading.images.read_image", read)
    monkeypatch.setattr("mscam_tf.data.pipeline.read_image", read)
    monkeypatch.setattr(keras.saving, "load_model", load)
    return counted


def test_explain_decodes_and_loads_once(counts, finished_run, image_folder, tmp_path):
    paths = sorted(image_folder.glob("wide/*"))[:3]
    mscam_tf.write_explanations(finished_run, paths, tmp_path / "maps")
    assert counts == {"models": 1} | dict.fromkeys(paths, 1)


def test_evaluate_decodes_and_loads_once(counts, finished_run, image_folder, tmp_path):
    manifest = mscam_tf.read_manifest(image_folder)
    mscam_tf.evaluate(finished_run, manifest, tmp_path, resamples=2)
    assert counts == {"models": 1} | dict.fromkeys(manifest.paths, 1)


def test_analyze_decodes_and_loads_once(
    counts, three_class_run, three_class_manifest, image_folder, tmp_path
):
    more = sorted(image_folder.glob("wide/*"))[:5]
    mscam_tf.write_analysis(three_class_run, three_class_manifest, tmp_path, unlabelled=more)
    assert counts == {"models": 1} | dict.fromkeys([*three_class_manifest.paths, *more], 1)


def test_figure_1_decodes_and_loads_once(counts, three_class_run, three_class_manifest, tmp_path):
    draw_examples(three_class_run, three_class_manifest, tmp_path / "figure.png")
    assert counts == {"models": 1} | dict.fromkeys(three_class_manifest.paths, 1)


def test_a_session_serves_several_commands(counts, finished_run, image_folder, tmp_path):
    session = mscam_tf.open_session(finished_run)
    manifest = mscam_tf.read_manifest(image_folder)
    mscam_tf.evaluate(session, manifest, tmp_path / "scores", resamples=2)
    list(mscam_tf.explain(session, manifest.paths[:2]))
    assert counts["models"] == 1


def test_a_session_that_is_open_cannot_be_flipped(finished_run, image_folder):
    """It would explain without, and nobody would know."""
    session = mscam_tf.open_session(finished_run, engine=FakeEngine())
    with pytest.raises(mscam_tf.MscamError, match=r"open another one.*flips=True"):
        mscam_tf.explain(session, [image_folder / "wide" / "wide0.png"], flips=True)
    assert mscam_tf.open_session(session) is session


def test_results_keep_the_order_and_name_the_problems(finished_run, image_folder, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"broken")
    good = sorted(image_folder.glob("wide/*"))
    paths = [bad, *good[:9], bad, *good[9:], bad]
    session = mscam_tf.open_session(finished_run)
    results = list(session.explain(paths))
    assert [result.path for result in results] == paths
    assert [i for i, one in enumerate(results) if isinstance(one, Problem)] == [0, 10, 14]
    assert results[0].reason
    # A batch that is not full, or that has another size, says the same.
    (alone,) = session.explain([good[3]])
    np.testing.assert_allclose(alone.maps, results[4].maps, rtol=1e-4, atol=1e-5)


def test_nothing_comes_of_nothing(finished_run):
    engine = FakeEngine()
    assert list(mscam_tf.open_session(finished_run, engine=engine).explain([])) == []
    assert engine.sizes == []


def test_another_engine_needs_no_model(counts, finished_run, image_folder):
    engine = FakeEngine()
    paths = sorted(image_folder.glob("none/*"))
    session = mscam_tf.open_session(finished_run, engine=engine)
    results = list(session.explain(paths))
    assert counts == dict.fromkeys(paths, 1)
    assert engine.sizes == [8, 8, 4]
    image = results[5].image
    np.testing.assert_array_equal(results[5].maps[..., 1], -image)
    np.testing.assert_array_equal(results[5].scale_maps[0, ..., 0], 0.5 * image)
    assert results[5].class_names == ["none", "wide"]


def test_the_explainer_and_the_model_say_the_same(finished_run, image_folder):
    paths = sorted(image_folder.glob("none/*"))[:3]
    results = list(mscam_tf.open_session(finished_run, scale_maps=False).explain(paths))
    images = np.stack([result.image for result in results])[..., None]
    expected = finished_run.load_model().predict(images, verbose=0)
    np.testing.assert_allclose([r.logits for r in results], expected, rtol=1e-4, atol=1e-5)
    assert results[0].scale_maps.shape == (0, 64, 64, 2)


def test_memory_does_not_grow_with_the_images(finished_run, image_folder):
    session = replace(
        mscam_tf.open_session(finished_run, engine=FakeEngine()), image_size=(128, 128)
    )
    path = image_folder / "none" / "none0.png"

    def measure(count):
        tracemalloc.start()
        for _ in session.explain([path] * count):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    measure(20)  # What is loaded once.
    assert measure(2000) < 1.1 * measure(200)


def test_a_model_that_gives_no_numbers_is_named(finished_run, image_folder):
    class Diverged(FakeEngine):
        def explain(self, images):
            outputs = super().explain(images)
            outputs["logits"][1] = np.nan
            return outputs

    paths = sorted(image_folder.glob("none/*"))[:3]
    session = mscam_tf.open_session(finished_run, engine=Diverged())
    with pytest.raises(mscam_tf.RunError, match=rf"no finite numbers for {paths[1]}.*logits=\[nan"):
        list(session.explain(paths))
