import shutil
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logsumexp

import mscam_tf
from mscam_tf import ImageError, MscamError, Sample, open_session, read_manifest
from mscam_tf.drift import measure_image, read_reference
from mscam_tf.errors import OutputError
from mscam_tf.evaluation import calibrate
from mscam_tf.locks import hold
from mscam_tf.metrics import sharpen_maps
from mscam_tf.runs import describe_samples, read_operating_point
from mscam_tf.simulation import SimulationConfig, write_findings
from tests.conftest import write_images


def copy(run, folder):
    """Copy a run that all tests share: a calibration changes it."""
    return replace(run, folder=shutil.copytree(run.folder, folder / "run"))


@pytest.fixture
def run(three_class_run, tmp_path):
    return copy(three_class_run, tmp_path)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = write_images(tmp_path_factory.mktemp("new"), {"none": 40, "thin": 30, "wide": 6})
    return read_manifest(folder)


@pytest.fixture(scope="module")
def said(three_class_run, images):
    """What the run says: reject scores, and the highest places of the maps."""
    found = list(open_session(three_class_run).explain(images.paths))
    logits = np.array([one.logits for one in found], np.float64)
    scores = logsumexp(logits[:, 1:], axis=1) - logits[:, 0]
    return scores, np.array([one.maps.max((0, 1)) for one in found]), found


def test_the_run_is_held_meanwhile(run, images):
    """Scores that are computed at the same time would mix two operating points."""
    before = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}

    def evaluate_and_stop(count):
        with pytest.raises(OutputError, match="Another command is writing"):
            mscam_tf.evaluate(run, images, run.folder)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate(run, images, max_false_rejects=0.08, on_progress=evaluate_and_stop)
    assert {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()} == before
    with hold(run.folder), pytest.raises(OutputError, match="Another command is writing"):
        calibrate(run, images, max_false_rejects=0.08)


def is_good(images):
    return np.array([sample.label == "none" for sample in images.samples])


def test_no_good_image_is_rejected_where_none_may_be(run, images, said):
    scores, maxima, _ = said
    good = is_good(images)
    point = calibrate(run, images, max_false_rejects=0.08)  # 36 are needed; 40 allow 0.
    assert point == read_operating_point(run)
    assert point.decision_threshold == pytest.approx(scores[good].max(), rel=1e-5)
    assert point.map_thresholds == {
        "thin": pytest.approx(maxima[good, 1].max(), rel=1e-5),
        "wide": pytest.approx(maxima[good, 2].max(), rel=1e-5),
    }
    assert (point.scale, point.good) == ("sum", "none")
    rates = point.record["false_rejects"]
    assert (rates["count"], rates["groups"]) == (0, 40)
    assert rates["bound"] <= 0.08
    assert point.record.items() >= describe_samples(images).items()
    assert (point.record["images"], point.record["data"]) == (76, str(images.root))
    missed = (scores[~good] < point.decision_threshold).sum()
    assert (point.record["misses"]["count"], point.record["misses"]["groups"]) == (missed, 36)


def test_with_a_higher_rate_some_are_rejected(run, images, said):
    point = calibrate(run, images, max_false_rejects=0.2)  # P(Bin(40, 0.2) <= 3) = 0.03
    assert point.record["false_rejects"]["count"] == 3
    good = np.sort(said[0][is_good(images)])
    assert good[-4] < point.decision_threshold <= good[-3]


def test_good_images_alone_are_enough(run, images):
    good = replace(images, samples=tuple(s for s in images.samples if s.label == "none"))
    point = calibrate(run, good, max_false_rejects=0.08)
    assert "misses" not in point.record
    both = calibrate(run, images, max_false_rejects=0.08)
    assert point.decision_threshold == both.decision_threshold
    assert point.map_thresholds == both.map_thresholds


def test_what_good_images_are_like_is_kept(run, images, tmp_path, caplog):
    calibrate(run, images, max_false_rejects=0.08)
    assert read_reference(run) is None  # Of 40 good images.
    many = read_manifest(write_images(tmp_path / "many", {"none": 101, "thin": 3}, seed=7))
    calibrate(run, many, max_false_rejects=0.08)
    reference = read_reference(run)
    assert len(reference.features) == 101
    caplog.clear()
    calibrate(run, images, max_false_rejects=0.08)
    assert read_reference(run).sha256 == reference.sha256  # Of other good images: that is said.
    assert "was trained or calibrated by before: a new reference needs 99" in caplog.text
    explanations = open_session(run).explain(many.paths[:2])
    for one, features, logits in zip(
        explanations, reference.features, reference.logits, strict=False
    ):
        np.testing.assert_allclose(features, measure_image(one.image), rtol=1e-5)
        np.testing.assert_allclose(logits, one.logits, rtol=1e-4)


def test_groups_count_once_by_their_worst_image(run, images, said):
    pairs = [replace(s, group=f"fish{i // 2}") for i, s in enumerate(images.samples)]
    manifest = replace(images, samples=tuple(pairs))
    with pytest.raises(MscamError, match=r"36 groups of images that are good.*20 groups"):
        calibrate(run, manifest, max_false_rejects=0.08)
    point = calibrate(run, manifest, max_false_rejects=0.22)  # 20 allow 1.
    worst = np.sort(said[0][is_good(images)].reshape(-1, 2).max(axis=1))
    assert point.record["false_rejects"]["groups"] == 20
    assert point.record["false_rejects"]["count"] == 1
    assert worst[-2] < point.decision_threshold <= worst[-1]


def test_misses_can_be_limited(run, images, said):
    scores, _, _ = said
    point = calibrate(run, images, max_misses=0.12)  # P(Bin(36, 0.12) <= 0) = 0.01
    others = np.sort(scores[~is_good(images)])
    assert point.record["misses"]["count"] == 0
    assert point.decision_threshold == pytest.approx(others[0], rel=1e-5)
    assert point.decision_threshold <= others[0]
    assert set(point.map_thresholds) == {"thin", "wide"}
    assert point.record["max_misses"] == 0.12


def test_maps_of_one_scale_can_be_marked(run, images, said):
    point = calibrate(run, images, max_false_rejects=0.08, scale=1, minimum_area=5.0)
    good = is_good(images)
    highest = max(
        one.scale_maps[0, ..., 2].max() for one, g in zip(said[2], good, strict=True) if g
    )
    assert point.map_thresholds["wide"] == pytest.approx(highest, rel=1e-5)
    assert (point.scale, point.minimum_area) == (1, 5.0)


def test_sharp_maps_can_be_marked(run, images, said):
    point = calibrate(run, images, max_false_rejects=0.08, scale="sharp")
    pairs = zip(said[2], is_good(images), strict=True)
    odds = [(one.maps[..., 2] - one.maps[..., 0], one.image) for one, good in pairs if good]
    highest = max(sharpen_maps(*pair).max() for pair in odds)
    assert point.map_thresholds["wide"] == pytest.approx(highest, rel=1e-5)
    assert read_operating_point(run) == point


def test_several_findings_are_good_without_one(findings_run, tmp_path):
    run = copy(findings_run, tmp_path)
    folder = write_findings(tmp_path / "new", 24, SimulationConfig(image_size=(64, 64)), seed=9)
    manifest = read_manifest(folder)
    good = sum(sample.label == "none" for sample in manifest.samples)
    with pytest.raises(MscamError, match=f"299 groups of images that are good.*{good} groups"):
        calibrate(run, manifest, max_false_rejects=0.01)
    point = calibrate(run, manifest, max_false_rejects=0.9)
    assert [*point.map_thresholds] == run.class_names
    assert point.good is None
    assert point.record["false_rejects"]["groups"] == good


def test_too_few_images_are_refused_before_any_is_read(run, images):
    gone = replace(images, root=images.root / "gone")
    with pytest.raises(MscamError, match=r"at most 0\.500% false rejects.*598 groups.*7\.216%"):
        calibrate(run, gone, max_false_rejects=0.005)
    with pytest.raises(MscamError, match=r"1\.000% misses.*299 groups of images that are not good"):
        calibrate(run, gone, max_misses=0.01)


def test_training_images_are_refused(finished_run):
    manifest = read_manifest(finished_run.data)
    before = read_operating_point(finished_run)
    with pytest.raises(MscamError, match=r"Received: \d+ training images among 32"):
        calibrate(finished_run, manifest, max_false_rejects=0.5)
    assert read_operating_point(finished_run) == before


@pytest.mark.parametrize(
    "rates", [{}, {"max_misses": 0.1, "max_false_rejects": 0.1}, {"max_misses": 1.0}]
)
def test_one_rate_is_wanted(run, images, rates):
    with pytest.raises(MscamError, match="Give one of `max_false_rejects` and `max_misses`"):
        calibrate(run, images, **rates)


def test_a_run_without_good_images_needs_their_class(run, images):
    named = replace(run, class_names=["fine", "thin", "wide"])
    with pytest.raises(MscamError, match="--good"):
        calibrate(named, images, max_false_rejects=0.1)


def test_bad_images_are_named_or_left_out(run, images):
    bad = Sample("gone.png", "none", "gone")
    more = replace(images, samples=(*images.samples, bad))
    with pytest.raises(ImageError, match=r"gone\.png"):
        calibrate(run, more, max_false_rejects=0.08)
    point = calibrate(run, more, max_false_rejects=0.08, skip_bad=True)
    assert point.record["images"] == 76
