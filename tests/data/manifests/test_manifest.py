import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mscam_tf import Manifest, ManifestError, Sample, read_manifest
from mscam_tf.data.manifests import SPLITS, relocate, write_manifest
from tests.data.manifests.odd import FOLDERS, LABELS, PATHS, WORDS

SAMPLES = st.builds(
    Sample,
    path=PATHS,
    label=LABELS,
    group=LABELS,
    split=st.sampled_from(["", *SPLITS]),
    mask=st.just("") | PATHS,
    extra=st.fixed_dictionaries({'odd, "name"': WORDS, "=1+1": st.just("") | WORDS}),
)
LISTS = st.lists(SAMPLES, min_size=1, max_size=4, unique_by=lambda sample: sample.path).map(tuple)


def write_csv(tmp_path, text):
    path = tmp_path / "data.csv"
    path.write_text(text)
    return path


def test_csv_and_back_keeps_every_column(tmp_path):
    text = "label,path,group,other,mask\nbone,x/a.png,fish 1,?,m/a.png\nnone,b.png,,,\n"
    manifest = read_manifest(write_csv(tmp_path, text))
    assert manifest.samples == (
        Sample("x/a.png", "bone", "fish 1", mask="m/a.png", extra={"other": "?"}),
        Sample("b.png", "none", "b.png", extra={"other": ""}),
    )
    assert manifest.paths[0] == tmp_path / "x/a.png"
    write_manifest(manifest, tmp_path / "copy.csv")
    assert (tmp_path / "copy.csv").read_text().splitlines() == [
        "path,label,group,split,mask,other",
        "x/a.png,bone,fish 1,,m/a.png,?",
        "b.png,none,b.png,,,",
    ]
    assert read_manifest(tmp_path / "copy.csv") == manifest


def test_a_folder_with_a_manifest_is_read_by_it(tmp_path):
    (tmp_path / "manifest.csv").write_text("path,label\na.png,bone\n")
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "a.png").touch()
    assert read_manifest(tmp_path).samples == (Sample("a.png", "bone", "a.png"),)


def test_relocated_paths_lead_to_the_same_files(tmp_path):
    samples = (
        Sample("x/a.png", "bone", "fish 1", "train", "m/a.png", {"k": "1"}),
        Sample("b.png", "none", "b.png"),
        Sample("/data/c.png", "none", "/data/c.png"),
    )
    moved = relocate(Manifest(tmp_path / "data", samples), tmp_path / "lists" / "new")
    assert moved.root == tmp_path / "lists" / "new"
    assert moved.samples == (
        Sample("../../data/x/a.png", "bone", "fish 1", "train", "../../data/m/a.png", {"k": "1"}),
        Sample("../../data/b.png", "none", "../../data/b.png"),
        samples[2],
    )


def test_groups_named_after_an_image_stay_whole(tmp_path):
    samples = (Sample("a.png", "x", "a.png"), Sample("b.png", "x", "a.png"))
    moved = relocate(Manifest(tmp_path, samples), tmp_path / "new")
    assert [sample.group for sample in moved.samples] == ["../a.png", "../a.png"]


def test_relocation_into_a_linked_folder(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.png").touch()
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "far" / "away")
    manifest = Manifest(tmp_path / "data", (Sample("a.png", "x", "a.png"),))
    assert relocate(manifest, tmp_path / "link").paths[0].exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,label\na.png,x\n", "columns path and label. Received: .*'name'"),
        ("path,label\na.png,\n", "line 2: path and label must not be empty"),
        ("path,label,split\na.png,x,tests\n", "line 2: split must be .* Received: 'tests'"),
        ("path,label\na.png,x,y\n", "line 2: expected 2 cells, .* Received: 3"),
        ("path,label\n", r"\.csv lists no images: it has no rows below its header"),
        ('path,label\na.png,x\nb.png,"bone\nx"\n', r"line 3: a label must .*label='bone\\nx'"),
        ("path,label\na.png,a\tb\n", "line 2: a label must not have line breaks, tabs"),
        ("path,label\na.png,\x1b[31m\n", "line 2: a label must not have .* control characters"),
        (
            "path,label\na.png,x\n./a.png,y\n",
            r"listed once. .* twice, in .*line 2 \(a\.png\) and .*line 3 \(a\.png\)",
        ),
    ],
)
def test_bad_csv(tmp_path, text, message):
    with pytest.raises(ManifestError, match=message):
        read_manifest(write_csv(tmp_path, text))


def test_bad_folders(tmp_path):
    with pytest.raises(ManifestError, match="No images found"):
        read_manifest(tmp_path)
    with pytest.raises(ManifestError, match=r"DATA must be a folder .* Received: .*missing"):
        read_manifest(tmp_path / "missing")
    (tmp_path / "bone").mkdir()
    (tmp_path / "bone" / "a.png").touch()
    (tmp_path / "notes.png").touch()  # Not in a class folder: not an image of any class.
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "a.png").touch()
    (tmp_path / "bone" / "folder.png").mkdir()
    assert [sample.path for sample in read_manifest(tmp_path).samples] == ["bone/a.png"]


def test_a_class_folder_of_two_lines_is_refused(tmp_path):
    for name in ("bone\nx/a.png", "none/a.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    with pytest.raises(ManifestError, match=r"bone\\nx/a\.png': a label must not have line breaks"):
        read_manifest(tmp_path)


def test_masks_are_no_class(tmp_path):
    for name in ("bone/a.png", "masks/a.png", "bone/masks/a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [sample.path for sample in read_manifest(tmp_path).samples] == ["bone/a.png"]


def test_a_table_that_is_not_utf8(tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes("path,label\n가.png,뼈\n".encode("cp949"))
    with pytest.raises(ManifestError, match=r"save it as UTF-8. Received: .*data\.csv"):
        read_manifest(path)


@given(LISTS)
@settings(max_examples=20)
def test_what_is_written_is_read(samples):
    with tempfile.TemporaryDirectory() as folder:
        manifest = Manifest(Path(folder), samples)
        write_manifest(manifest, manifest.root / "list.csv")
        assert read_manifest(manifest.root / "list.csv") == manifest


@given(LISTS, st.lists(FOLDERS, max_size=3), st.lists(FOLDERS, max_size=3))
def test_a_manifest_goes_to_another_folder_and_back(samples, old, new):
    top = Path(tempfile.gettempdir()).resolve()
    manifest = Manifest(top.joinpath(*old), samples)
    moved = relocate(manifest, top.joinpath(*new))
    for ours, theirs in zip(manifest.paths, moved.paths, strict=True):
        assert ours.resolve() == theirs.resolve()
    assert relocate(moved, manifest.root) == manifest


@given(st.lists(PATHS, min_size=1, max_size=4, unique=True))
@settings(max_examples=10)
def test_a_folder_of_odd_names_can_be_listed_elsewhere(names):
    with tempfile.TemporaryDirectory() as folder:
        data, path = Path(folder, "data"), Path(folder, "lists", "list.csv")
        for name in names:
            file = data / "bone" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if not file.exists():
                file.touch()
        found = read_manifest(data)
        write_manifest(relocate(found, path.parent), path)
        listed = read_manifest(path)
        assert [file.resolve() for file in listed.paths] == [file.resolve() for file in found.paths]
        assert all(file.is_file() for file in listed.paths)


def test_a_name_may_begin_with_a_space(tmp_path):
    samples = (Sample(" a.png", "bone", "1", mask=" m.png"), Sample("a.png", "bone", "2"))
    manifest = Manifest(tmp_path, samples)
    write_manifest(manifest, tmp_path / "list.csv")
    assert read_manifest(tmp_path / "list.csv") == manifest


def test_a_quote_that_is_not_closed_names_the_line(tmp_path):
    rows = "".join(f"{number}.png,bone\n" for number in range(9000))
    (tmp_path / "long.csv").write_text(f'path,label\na.png,none\n"b.png,bone\n{rows}')
    (tmp_path / "short.csv").write_text('path,label\na.png,none\n"b.png,bone\nc.png,none\n')
    for name in ("long.csv", "short.csv"):
        with pytest.raises(ManifestError, match=rf"{name}, line 3: .* mark closed"):
            read_manifest(tmp_path / name)


def test_a_suffix_in_capitals(tmp_path):
    (tmp_path / "A.CSV").write_text("path,label\na.png,none\n")
    assert len(read_manifest(tmp_path / "A.CSV").samples) == 1


def test_names_that_look_like_formulas_are_read_back(tmp_path):
    samples = (Sample("=a.png", "+", "-g", extra={"@x": "=1"}), Sample("\udcff.png", "-b", "g"))
    write_manifest(Manifest(tmp_path, samples), tmp_path / "m.csv")
    read = read_manifest(tmp_path / "m.csv").samples
    assert [(s.path, s.label, s.group) for s in read] == [
        *(("=a.png", "+", "-g"), ("\udcff.png", "-b", "g")),
    ]
    assert read[0].extra == {"@x": "=1"}


def test_groups_that_hardly_differ_are_told(tmp_path, caplog):
    rows = [
        "path,label,group",
        "a.png,x,F1",
        "b.png,x,f1",
        "c.png,y,\u200eF1",
        "A.png,y,",
        "B.png,y,",
    ]
    (tmp_path / "data.csv").write_text("\n".join(rows), encoding="utf-8")
    read_manifest(tmp_path / "data.csv")
    (record,) = caplog.records
    assert record.args == (["F1", "f1", "\u200eF1"],)


def test_numbers_that_are_written_in_two_ways_are_told(tmp_path, caplog):
    """pandas writes 1.0 for 1 where a cell of the column is empty."""
    rows = ["path,label,group", "a.png,0,7", "b.png,1,7.0", "c.png,1.0,8", "d.png,v1.0,a"]
    (tmp_path / "data.csv").write_text("\n".join(rows), encoding="utf-8")
    read_manifest(tmp_path / "data.csv")
    assert [record.args for record in caplog.records] == [(["1", "1.0"],), (["7", "7.0"],)]


@pytest.mark.parametrize("header", [",path,label", "path,label,,mm", "path, ,label"])
def test_a_column_without_a_name_survives(tmp_path, header):
    """pandas writes its index so."""
    rows = ["a.png" if n == "path" else "x" if n == "label" else "7" for n in header.split(",")]
    (tmp_path / "m.csv").write_text(f"{header}\n{','.join(rows)}\n")
    manifest = read_manifest(tmp_path / "m.csv")
    write_manifest(manifest, tmp_path / "o.csv")
    (again,) = read_manifest(tmp_path / "o.csv").samples
    assert (again, dict(again.extra)) == (manifest.samples[0], dict(manifest.samples[0].extra))
    assert set(again.extra.values()) == {"7"}


@pytest.mark.parametrize("label", ["None", "NONE", "none\u200b"])
def test_none_in_other_letters_is_said_to_be_a_class_with_objects(tmp_path, caplog, label):
    manifest = read_manifest(write_csv(tmp_path, f"path,label\na.png,{label}\nb.png,bone\n"))
    assert label in manifest.class_names
    assert f"{label!r} is a class with objects; that without any is 'none'" in caplog.text
    caplog.clear()
    read_manifest(write_csv(tmp_path, "path,label\na.png,none\nb.png,nonee\n"))
    assert not caplog.text


@pytest.mark.parametrize(
    ("labels", "alike"),
    [
        (("Bone", "bone|void", "none"), [["Bone", "bone"]]),
        (("wire|bone", "void| BONE", "none|Void"), [["BONE", "bone"], ["Void", "void"]]),
        (("bone|void", "bone", "none"), []),
        (("bonevoid", "bone|void"), []),
    ],
)
def test_findings_that_hardly_differ_are_told(tmp_path, caplog, labels, alike):
    """With `--several` each would be a class of its own."""
    rows = "".join(f"{number}.png,{label}\n" for number, label in enumerate(labels))
    read_manifest(write_csv(tmp_path, f"path,label\n{rows}"))
    told = [record.args[0] for record in caplog.records if record.msg.startswith("Labels that")]
    assert told == alike


def test_data_that_are_not_there_are_told(tmp_path):
    with pytest.raises(ManifestError, match=r"Received: .*gone\.csv, which is not there"):
        read_manifest(tmp_path / "gone.csv")
