from mscam_tf import read_manifest
from mscam_tf.data import manifests
from mscam_tf.data.manifests import write_manifest
from tests.cli.command import call


def test_a_split_elsewhere_leads_to_the_images(data, tmp_path):
    out = tmp_path / "lists" / "split.csv"
    text = call("split", data, "--out", out)
    assert "10 images" in text
    assert "validation" in text
    manifest = read_manifest(out)
    assert all(path.exists() for path in manifest.paths)
    assert {sample.split for sample in manifest.samples} == {"train", "validation", "test"}
    assert "add --overwrite" in call("split", data, "--out", out, status=1)
    call("split", out, "--out", out, "--seed", 5, "--overwrite")
    assert read_manifest(out) != manifest


def test_folds(data, tmp_path):
    call("split", data, "--out", tmp_path / "folds", "--folds", 3)
    folds = [read_manifest(tmp_path / "folds" / f"fold{i}.csv") for i in (1, 2, 3)]
    tested = [sample.path for fold in folds for sample in fold.select("test").samples]
    assert len(tested) == len(set(tested)) == 10


def test_more_folds_than_images_are_refused(data, tmp_path):
    text = call("split", data, "--out", tmp_path / "folds", "--folds", 11, status=1)
    assert "from 2 to the number of groups, 10" in text
    text = call("split", data, "--out", tmp_path / "folds", "--folds", 10**12, status=2)
    assert "less than or equal to 10000" in text
    assert not (tmp_path / "folds").exists()


def stop_at_the_second(monkeypatch):
    """Stop a command by Ctrl-C when it writes its second manifest."""
    written = []

    def write(manifest, path):
        if len(written) == 1:
            raise KeyboardInterrupt
        written.append(path)
        write_manifest(manifest, path)

    monkeypatch.setattr(manifests, "write_manifest", write)


def test_folds_are_written_all_or_none(data, tmp_path, monkeypatch):
    """Folds of two splits would share test images, without a word."""
    folds = tmp_path / "folds"
    call("split", data, "--out", folds, "--folds", 3)
    before = {path.name: path.read_bytes() for path in folds.iterdir()}
    stop_at_the_second(monkeypatch)
    again = ("--folds", 3, "--seed", 1)
    assert "Stopped" in call("split", data, "--out", folds, *again, "--overwrite", status=130)
    assert {path.name: path.read_bytes() for path in folds.iterdir()} == before


def test_folds_of_another_split_are_named(data, tmp_path):
    folds = tmp_path / "folds"
    call("split", data, "--out", folds, "--folds", 4)
    text = call("split", data, "--out", folds, "--folds", 3, "--overwrite")
    assert f"Folds of another split are there too: {folds / 'fold4.csv'}" in text


def test_what_another_command_wrote_meanwhile_stays(data, tmp_path, monkeypatch):
    out = tmp_path / "split.csv"
    split = manifests.split_manifest

    def be_quicker(*arguments):
        out.write_text("theirs")
        return split(*arguments)

    monkeypatch.setattr(manifests, "split_manifest", be_quicker)
    assert "add --overwrite" in call("split", data, "--out", out, status=1)
    assert out.read_text() == "theirs"


def test_boxes_of_another_program_do_not_block(data, tmp_path, caplog):
    (data / "boxes.csv").write_text("id,score\n1,2\n")
    call("split", data, "--out", tmp_path / "folds", "--folds", 3)
    assert caplog.text.count("is passed over") == 1


def test_folders_of_splits_are_no_classes(tmp_path):
    for split, label in (
        ("Train", "bone"),
        ("Train", "none"),
        ("valid", "bone"),
        ("valid", "none"),
    ):
        folder = tmp_path / "data" / split / label
        folder.mkdir(parents=True)
        for number in range(4):
            (folder / f"{number}.png").touch()
    text = call("split", tmp_path / "data", "--out", tmp_path / "split.csv")
    assert "The splits of DATA are replaced" in text
    assert read_manifest(tmp_path / "split.csv").class_names == ["bone", "none"]
    (tmp_path / "data" / "samples").mkdir()
    text = call("split", tmp_path / "data", "--out", tmp_path / "b.csv", status=1)
    assert "beside ['samples']" in text


def test_images_that_are_not_there_are_said(tmp_path):
    manifest = tmp_path / "m.csv"
    rows = [f"{name}{i}.png,{name}" for name in ("none", "bone") for i in range(4)]
    manifest.write_text("\n".join(["path,label", *rows]))
    (tmp_path / "none0.png").touch()
    text = call("split", manifest, "--out", tmp_path / "out.csv")
    assert f"7 of 8 images are not there, such as {tmp_path / 'none1.png'}" in text
    assert (tmp_path / "out.csv").exists()


def test_a_link_is_written_through(data, tmp_path):
    link, far = tmp_path / "link.csv", tmp_path / "far.csv"
    link.symlink_to(far)
    assert "is a link to nothing" in call("split", data, "--out", link, status=1)
    far.touch()
    call("split", data, "--out", link, "--overwrite")
    assert link.is_symlink()
    assert len(read_manifest(link).samples) == len(read_manifest(far).samples) == 10
