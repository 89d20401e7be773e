import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mscam_tf.data.manifests import Box, ManifestError
from mscam_tf.data.tiling import Tiling, list_frames, plan_patches
from mscam_tf.data.tiling.plan import list_corners


@pytest.mark.parametrize(
    ("options", "size", "expected"),
    [
        ({}, (10, 20), [(0, 0), (10, 0)]),
        ({}, (10, 25), [(0, 0), (10, 0), (15, 0)]),
        ({"border": "pad"}, (10, 25), [(0, 0), (10, 0), (20, 0)]),
        ({"border": "drop"}, (10, 25), [(0, 0), (10, 0)]),
        ({"overlap": 0.5}, (15, 10), [(0, 0), (0, 5)]),
        ({"overlap": 0.5}, (16, 10), [(0, 0), (0, 5), (0, 6)]),
        ({}, (4, 6), [(0, 0)]),
        ({"border": "drop"}, (4, 60), []),
    ],
)
def test_corners(options, size, expected):
    assert list(list_corners(size, Tiling(size=10, **options))) == expected


TILINGS = st.builds(
    Tiling,
    size=st.integers(1, 12),
    overlap=st.floats(0, 0.99),
    border=st.sampled_from(["shift", "pad", "drop"]),
)
SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40))


def list_starts(size, tiling):
    """Return where the windows begin, across and down."""
    corners = list(list_corners(size, tiling))
    across, down = (sorted(set(values)) for values in zip(*corners, strict=True))
    assert corners == [(x, y) for y in down for x in across]
    return across, down


@given(SIZES, TILINGS)
def test_windows_cover_the_frame(size, tiling):
    seen = np.zeros(size, bool)
    for x, y in list_corners(size, tiling):
        assert 0 <= x < size[1]
        assert 0 <= y < size[0]
        seen[y : y + tiling.size, x : x + tiling.size] = True
    if tiling.border != "drop":
        assert seen.all()
    elif min(size) >= tiling.size:  # What is dropped is less than a window.
        assert seen[: size[0] - tiling.size + 1, : size[1] - tiling.size + 1].all()
    else:
        assert not seen.any()


@given(SIZES, TILINGS)
def test_windows_stay_inside_unless_they_are_padded(size, tiling):
    if tiling.border == "pad" or (tiling.border == "shift" and min(size) < tiling.size):
        return
    for x, y in list_corners(size, tiling):
        assert x + tiling.size <= size[1]
        assert y + tiling.size <= size[0]


@given(st.tuples(st.integers(12, 40), st.integers(12, 40)), TILINGS)
def test_neighbours_overlap_as_asked(size, tiling):
    """Up to whole pixels; the last window of a row may be shifted back, and overlaps more."""
    for starts in list_starts(size, tiling):
        overlaps = tiling.size - np.diff(starts)
        wanted = min(round(tiling.size * tiling.overlap, 6), tiling.size - 1)
        assert all(abs(overlap - wanted) <= 0.5 for overlap in overlaps[:-1])
        assert all(overlap >= wanted - 0.5 for overlap in overlaps[-1:])


@given(SIZES, TILINGS, st.data())
def test_what_is_no_larger_than_the_overlap_is_whole_in_a_window(size, tiling, data):
    """Along one axis; the other is alike."""
    length = size[1]
    if tiling.border == "drop" or length < tiling.size:
        return
    most = int(tiling.size * tiling.overlap - 0.5)
    if most < 1:
        return
    start = data.draw(st.integers(0, length - most))
    starts = list_starts(size, tiling)[0]
    assert any(x <= start and start + most <= x + tiling.size for x in starts)


@pytest.mark.parametrize(
    ("name", "value"),
    [("size", 0), ("overlap", 1.0), ("border", "wrap"), ("min_visible", 0.0), ("empty", -1.0)],
)
def test_bad_settings(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be .* Received: {name}={value!r}"):
        Tiling(**{name: value})


def write_frame(folder, name="film.png", size=(10, 40)):
    folder.mkdir(exist_ok=True)
    Image.fromarray(np.zeros(size, np.uint8)).save(folder / name)


def plan(folder, tiling=None, masks=None, **options):
    return plan_patches(list_frames(folder, masks), tiling or Tiling(size=10), **options)


def test_objects_parts_and_nothing(tmp_path):
    write_frame(tmp_path)
    # A whole object in the first patch; 4 columns of one in the second, and 1 in the third.
    boxes = {"film.png": [Box(2, 2, 4, 6, "pore"), Box(16, 0, 21, 3)]}
    patches, counts = plan(tmp_path, boxes=boxes)
    assert counts == {"object": 2, "ambiguous": 1, "none": 1, "left out": 0}
    assert [(patch.x, patch.y) for patch in patches] == [(0, 0), (10, 0), (30, 0)]
    assert patches[0].boxes == (Box(2, 2, 4, 6, "pore", (2, 4)),)
    assert patches[1].boxes == (Box(6, 0, 10, 3, "", (5, 3), 0.8),)
    assert patches[0].path == "images/film/x00000_y00000.png"
    patches, counts = plan(tmp_path, boxes=boxes, tiling=Tiling(size=10, min_visible=0.2))
    assert counts["ambiguous"] == 0
    assert len(patches) == 4


def test_objects_of_masks_count_by_pixels(tmp_path):
    write_frame(tmp_path / "films")
    mask = np.zeros((10, 40), np.uint8)
    mask[1, 5:15] = mask[1:9, 14] = 1  # A hook of 10 + 7 pixels, 5 of them in the first patch.
    write_frame(tmp_path / "masks")
    Image.fromarray(mask).save(tmp_path / "masks" / "film.png")
    patches, counts = plan(tmp_path / "films", masks=tmp_path / "masks")
    assert counts == {"ambiguous": 1, "object": 1, "none": 2, "left out": 0}
    assert patches[0].boxes == (Box(0, 1, 5, 9, "", (10, 8), 12 / 17),)


def test_a_slanted_crack_is_no_more_visible_than_a_patch_can_show(tmp_path):
    write_frame(tmp_path / "films", size=(30, 30))
    mask = np.zeros((30, 30), np.uint8)
    mask[np.arange(28), np.arange(2, 30)] = 1  # 28 pixels, of which a patch holds 10 at most.
    write_frame(tmp_path / "masks")
    Image.fromarray(mask).save(tmp_path / "masks" / "film.png")
    patches, _ = plan(tmp_path / "films", Tiling(10, min_visible=0.1), masks=tmp_path / "masks")
    shares = {(patch.x, patch.y): [box.visible for box in patch.boxes] for patch in patches}
    assert shares[0, 0] == shares[10, 10] == shares[20, 20] == [8 / 10]
    assert shares[10, 0] == shares[20, 10] == [2 / 10]
    assert shares[20, 0] == []


def test_a_crack_longer_than_a_patch_is_visible(tmp_path):
    write_frame(tmp_path)
    patches, counts = plan(tmp_path, boxes={"film.png": [Box(0, 4, 40, 6)]})
    assert counts["object"] == 4
    assert {patch.boxes[0].size for patch in patches} == {(40, 2)}


def test_empty_patches_are_drawn_from_all_frames(tmp_path):
    for name in ("a.png", "b.png"):
        write_frame(tmp_path, name, size=(10, 100))
    boxes = {"a.png": [Box(2, 2, 6, 6), Box(12, 2, 16, 6)]}
    for empty, expected in ((None, 20), (0.0, 2), (1.5, 5), (100.0, 20)):
        tiling = Tiling(size=10, empty=empty)
        patches, counts = plan(tmp_path, tiling, boxes=boxes)
        assert len(patches) == expected
        assert counts["left out"] == 20 - expected
    assert plan(tmp_path, Tiling(10, empty=1.0), boxes=boxes) == plan(
        tmp_path, Tiling(10, empty=1.0), boxes=boxes
    )
    seeds = [plan(tmp_path, Tiling(10, empty=2.0, seed=i), boxes=boxes) for i in (0, 1)]
    assert seeds[0] != seeds[1]


@pytest.mark.parametrize("box", [Box(200, 0, 210, 5), Box(0, -9, 4, -1)])
def test_a_box_beside_its_frame_is_an_error(tmp_path, box):
    Image.fromarray(np.zeros((20, 30), np.uint8)).save(tmp_path / "a.png")
    frames = list_frames(tmp_path)
    with pytest.raises(ManifestError, match=r"a\.png: a box must .* 30 x 20 pixels, .* Received"):
        plan_patches(frames, Tiling(size=10), boxes={"a.png": [Box(1, 1, 3, 3), box]})
    patches, _ = plan_patches(frames, Tiling(size=10), boxes={"a.png": [Box(-1, 1, 3, 3)]})
    assert patches[0].boxes[0].x_min == 0


LABELLED = {"a": "crack", "b": "crack", "c": "none"}


def write_films(folder, labels):
    for name in labels:
        write_frame(folder, f"{name}.png")
    rows = "".join(f"{name}.png,{label}\n" for name, label in labels.items())
    (folder / "films.csv").write_text(f"path,label\n{rows}")
    return folder / "films.csv"


def test_labels_say_whether_nothing_is_marked_or_nothing_is_there(tmp_path, caplog):
    """Patches of what nobody has marked would be `none`, against the label of their film."""
    films = write_films(tmp_path, LABELLED)
    boxes = {"a.png": [Box(2, 2, 4, 6)]}
    with pytest.raises(
        ManifestError,
        match=r"1 with nothing marked, such as .*films\.csv, line 3, labelled 'crack'",
    ):
        plan(films, boxes=boxes)
    with pytest.raises(ManifestError, match=r"films\.csv, line 4: it is labelled 'none', but"):
        plan(films, boxes={key: [Box(2, 2, 4, 6)] for key in ("a.png", "b.png", "c.png")})
    boxes["b.png"] = boxes["a.png"]
    _, counts = plan(films, boxes=boxes)
    assert counts == {"object": 2, "none": 10, "left out": 0}
    assert not caplog.text


def test_a_mask_of_a_film_without_an_object_is_named_as_one(tmp_path):
    films = write_films(tmp_path, {"c": "none"})
    Image.fromarray(np.eye(10, 40, dtype=np.uint8)).save(tmp_path / "mask.png")
    films.write_text("path,label,mask\nc.png,none,mask.png\n")
    with pytest.raises(ManifestError, match=r"line 2: it is labelled 'none', but .*mask"):
        plan(films)


def test_what_nobody_has_marked_is_said_where_labels_do_not_tell(tmp_path, caplog):
    films = write_films(tmp_path, dict.fromkeys("abc", "film"))
    plan(films, boxes={"a.png": [Box(2, 2, 4, 6)]})
    assert "2 of 3 frames have nothing marked in them, such as b.png: all their" in caplog.text
    caplog.clear()
    plan(films)  # Then the command says that there is nothing at all.
    assert not caplog.text
