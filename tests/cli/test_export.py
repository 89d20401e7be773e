from tests.cli.command import call


def test_export_a_run(finished_run, image_folder, tmp_path):
    arguments = ("--images", image_folder / "wide", "--out", tmp_path / "export")
    text = call("export", finished_run.folder, "--format", "onnx", *arguments)
    assert "12 of 12" in text
    assert "Wrote" in text
    assert (tmp_path / "export" / "model.onnx").exists()


def test_int8_is_for_openvino(finished_run, tmp_path):
    arguments = ("--int8", "--out", tmp_path / "export")
    assert "Only OpenVINO" in call("export", finished_run.folder, *arguments, status=1)


def test_unknown_formats_are_named(finished_run, tmp_path):
    arguments = ("--format", "caffe", "--out", tmp_path / "export")
    assert "Received: format='caffe'" in call("export", finished_run.folder, *arguments, status=1)
