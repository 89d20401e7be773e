import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import mscam_tf
from mscam_tf.cli import app
from mscam_tf.data.manifests import encode_findings
from mscam_tf.simulation import (
    SimulationConfig,
    findings,
    simulate_findings,
    write_findings,
)
from mscam_tf.simulation.fillet import draw_fillet
from mscam_tf.simulation.findings import FINDINGS

CONFIG = SimulationConfig(image_size=(64, 64), difficulty=0.3)


@pytest.mark.parametrize("names", [[], ["void"], ["bone", "metal"], list(FINDINGS)])
def test_what_is_asked_for_is_there_and_nothing_else(names):
    found = simulate_findings(names, CONFIG, np.random.default_rng(1))
    assert sorted(found.masks) == sorted(names)
    assert found.image.dtype == np.uint16
    assert all(mask.sum() >= 4 for mask in found.masks.values())


@pytest.mark.parametrize(("finding", "sign"), [("metal", 1), ("void", -1)])
def test_metal_is_bright_and_voids_are_dark(finding, sign):
    contrasts = []
    for seed in range(20):
        found = simulate_findings([finding], CONFIG, np.random.default_rng(seed))
        mask = found.masks[finding]
        contrasts.append(found.image[mask].mean() - np.median(found.image[~mask]))
    assert np.sign(np.median(contrasts)) == sign


def test_no_void_goes_unlabelled(monkeypatch):
    """A fillet may have pockets of air elsewhere; where voids are labelled it has none."""
    fillets = [
        draw_fillet((64, 64), 0.25, 0, np.random.default_rng(0), pockets=pockets)
        for pockets in (1, 0)
    ]
    more = fillets[0].muscle - fillets[1].muscle  # With this seed they differ by air alone.
    assert more.min() < -0.02
    assert more.max() < 1e-6
    asked = []
    monkeypatch.setattr(
        findings, "draw_fillet", lambda *_, pockets: asked.append(pockets) or fillets[1]
    )
    simulate_findings([], CONFIG, np.random.default_rng(0))
    assert asked == [0]


def test_unknown_findings_are_refused():
    with pytest.raises(ValueError, match=r"`findings` must be among .*Received: \['glass'\]"):
        simulate_findings(["glass"], CONFIG, np.random.default_rng(0))


def test_a_data_set_lists_all_combinations(tmp_path):
    write_findings(tmp_path / "one", 16, CONFIG, seed=3)
    manifest = mscam_tf.read_manifest(tmp_path / "one")
    labels = [sample.label for sample in manifest.samples]
    singles, pairs = ["none", *FINDINGS], ["bone|metal", "bone|void", "metal|void"]
    assert sorted(labels) == sorted([*singles, *pairs, "bone|metal|void"] * 2)
    assert encode_findings(manifest, FINDINGS).sum(0).tolist() == [8, 8, 8]
    sample = next(s for s in manifest.samples if s.label == "bone|void")
    name = sample.path.split("/")[-1]
    for finding in FINDINGS:
        path = tmp_path / "one" / "masks" / finding / name
        assert path.exists() == (finding in sample.label)
    with Image.open(tmp_path / "one" / "masks" / "void" / name) as mask:
        assert np.asarray(mask).max() == 255
    write_findings(tmp_path / "two", 16, CONFIG, seed=3)
    for path in (tmp_path / "one" / "images").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / "images" / path.name).read_bytes()


def test_each_part_of_a_finding_has_a_box(tmp_path):
    folder = write_findings(tmp_path / "one", 16, CONFIG, seed=3)
    boxes = mscam_tf.read_boxes(folder / "boxes.csv")
    for sample in mscam_tf.read_manifest(folder).samples:
        for finding in FINDINGS:
            own = [box for box in boxes.get(sample.path, ()) if box.label == finding]
            filled = np.zeros((64, 64), bool)
            for box in own:
                filled[box.find_pixels()] = True
            path = folder / "masks" / finding / sample.path.split("/")[-1]
            assert path.exists() == bool(own)
            if own:
                with Image.open(path) as mask:
                    shown = np.asarray(mask) > 0
                assert filled[shown].all()  # Nothing lies outside, and no box is wider:
                assert all(shown[box.find_pixels()].any(1).all() for box in own)
                assert all(shown[box.find_pixels()].any(0).all() for box in own)


def test_findings_from_the_command_line(tmp_path):
    options = ["--labels", "findings", "--images", "8", "--image-size", "64", "64"]
    result = CliRunner().invoke(app, ["simulate", str(tmp_path / "out"), *options])
    assert result.exit_code == 0, result.output
    assert len(mscam_tf.read_manifest(tmp_path / "out").samples) == 8
    result = CliRunner().invoke(app, ["simulate", str(tmp_path / "x"), *options, "--frames"])
    assert result.exit_code == 1
    assert "Received: --frames" in result.output
