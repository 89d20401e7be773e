from tests.cli.command import call


def test_analyze(three_class_run, three_class_manifest, tmp_path):
    root = three_class_manifest.root
    options = ("--split", "all", "--unlabelled", root / "thin", "--threshold", 0.2)
    text = call("analyze", three_class_run.folder, root, "--out", tmp_path / "out", *options)
    assert "of 24 images are wrong" in text
    assert (tmp_path / "out" / "label_next.csv").exists()
