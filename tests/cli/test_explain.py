from mscam_tf import read_manifest, select_samples
from tests.cli.command import call


def test_explain_an_image(finished_run, image_folder, tmp_path):
    image = image_folder / "wide" / "wide0.png"
    text = call("explain", finished_run.folder, image, "--flips", "--out", tmp_path / "maps")
    assert "logit of" in text
    assert (tmp_path / "maps" / "wide0_scales.png").exists()


def test_explain_a_split(finished_run, image_folder, tmp_path):
    options = ("--split", "test", "--out", tmp_path / "test")
    call("explain", finished_run.folder, image_folder, *options)
    tested = select_samples(finished_run, read_manifest(image_folder), "test")
    overlays = {path.name for path in (tmp_path / "test").glob("*_overlay.png")}
    assert overlays == {f"{path.stem}_overlay.png" for path in tested.paths}


def test_missing_images_are_named(finished_run, tmp_path):
    image = tmp_path / "no.png"
    text = call("explain", finished_run.folder, image, "--out", tmp_path, status=1)
    assert "No such image" in text
    assert "Traceback" not in text
