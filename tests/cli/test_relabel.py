import pytest

from mscam_tf.data import manifests
from mscam_tf.data.labelling import sizes
from tests.cli.command import call


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--from", "boxes"],
            "exactly one of --thresholds, --classes and --binary. Received: --thresholds None",
        ),
        (["--classes", "2"], "Sizes need a source: `--from` must be one of masks, boxes, column."),
        (["--from", "eyes", "--classes", "2"], "Received: --from eyes"),
        (["--from", "column", "--classes", "2"], "(--column) must be one of []. Received: column="),
        (["--from", "boxes", "--classes", "2"], "Expected a CSV file. Received: "),
        (["--from", "masks", "--thresholds", "1,b"], "Expected numbers, such as 12.5,22"),
        (["--from", "masks", "--thresholds", "12.5,"], "such as 12.5,22. Received: '12.5,'"),
        (["--from", "masks", "--thresholds", "1,,2"], "such as 12.5,22. Received: '1,,2'"),
        (["--binary", "--names", "good", "bad"], "One class must be 'good'"),
        (["--binary", "--boxes", "no.json"], "--boxes needs --from boxes. Received: --boxes with"),
        (["--binary", "--from", "masks", "--column", "mm"], "--column needs --from column"),
        (["--from", "column", "--classes", "2", "--smallest"], "needs --from masks or boxes"),
        (["--from", "column", "--classes", "2", "--measure", "side"], "--measure needs --from"),
        (["--from", "masks", "--classes", "2", "--min-visible", "nan"], "needs --from boxes"),
        (["--from", "masks", "--classes", "2", "--names", "a", "b"], "--names needs --binary"),
    ],
)
def test_relabel_says_what_is_missing(data, tmp_path, arguments, message):
    text = call("relabel", data, "--out", tmp_path / "labels.csv", *arguments, status=1)
    assert message in text
    assert "Traceback" not in text
    assert not (tmp_path / "labels.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--thresholds", "5,3"], "`thresholds` must be above 0, rise"),
        (["--thresholds", "-1"], "`thresholds` must be above 0, rise"),
        (["--thresholds", "1,2,3,4,5,6,7,8,9"], "be fewer than 9"),
        (["--classes", "100"], "`classes` must be a whole number"),
        (["--classes", "-3"], "`classes` must be a whole number"),
        (["--binary", "--names", "a", "a"], "`names` must be two different labels"),
        (["--classes", "2", "--measure", "nope"], "`measure` must be one of"),
    ],
)
def test_relabel_checks_how_before_it_measures(data, tmp_path, monkeypatch, arguments, message):
    monkeypatch.setattr(sizes, "read_mask_of", None)
    out = ("--from", "masks", "--out", tmp_path / "labels.csv")
    assert message in call("relabel", data, *out, *arguments, status=1)


@pytest.mark.parametrize("size", ["big", "-1", "nan", "1e400", "2;5"])
def test_a_size_that_is_none_is_named_with_its_line(tmp_path, size):
    (tmp_path / "m.csv").write_text(f"path,label,mm\na.png,x,2\n\nb.png,x,{size}\n")
    options = [
        "--from",
        "column",
        "--column",
        "mm",
        "--thresholds",
        "1",
        "--out",
        tmp_path / "o.csv",
    ]
    text = call("relabel", tmp_path / "m.csv", *options, status=1)
    wanted = f"m.csv, line 4: the column 'mm' must hold a size of at least 0. Received: '{size}'"
    assert wanted in text
    assert not (tmp_path / "o.csv").exists()


def test_an_empty_size_changes_no_label(tmp_path):
    (tmp_path / "m.csv").write_text("path,label,mm\na.png,none,\nb.png,x,\nc.png,x,3\nd.png,x, \n")
    options = ["--from", "column", "--column", "mm", "--out", tmp_path / "o.csv", "--binary"]
    text = call("relabel", tmp_path / "m.csv", *options, status=1)
    assert "write it there, 0 if there is no object, or leave the image out. Received: " in text
    assert f"in 2 rows: {tmp_path / 'm.csv'}, line 3, {tmp_path / 'm.csv'}, line 5" in text
    assert not (tmp_path / "o.csv").exists()


def test_the_histogram_appears_with_the_manifest(tmp_path, monkeypatch):
    (tmp_path / "m.csv").write_text("path,label,mm\na.png,x,0\nb.png,x,1\nc.png,x,3\n")
    out = tmp_path / "out" / "o.csv"
    arguments = ("relabel", tmp_path / "m.csv", "--from", "column", "--column", "mm")
    arguments += ("--thresholds", "2", "--out", out)

    def stop(manifest, path):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(manifests, "write_manifest", stop)
        call(*arguments, status=130)
    assert not list((tmp_path / "out").glob("*"))
    text = call(*arguments)
    assert f"Wrote {out.with_suffix('.sizes.png')}" in text
    assert {path.name for path in out.parent.iterdir()} == {"o.csv", "o.sizes.png"}


@pytest.mark.parametrize("thresholds", ["1,b", "1_0", "0x10", "nan", "1,inf", "1;2"])
def test_thresholds_are_plain_numbers(tmp_path, thresholds):
    (tmp_path / "m.csv").write_text("path,label,mm\na.png,x,2\n")
    options = ["--from", "column", "--column", "mm", "--out", tmp_path / "o.csv"]
    text = call("relabel", tmp_path / "m.csv", *options, "--thresholds", thresholds, status=1)
    assert f"Expected numbers, such as 12.5,22. Received: '{thresholds}'" in text
