import numpy as np
import pytest
from PIL import Image

from mscam_tf import RunError, read_manifest
from mscam_tf.data.manifests import Box, read_boxes
from mscam_tf.data.tiling import Tiling, cut_patches, list_frames, plan_patches


@pytest.fixture
def films(tmp_path):
    """Write two films of 16 bits, and their masks."""
    generator = np.random.default_rng(0)
    for name in ("a", "b"):
        for folder in ("films", "masks"):
            (tmp_path / folder).mkdir(exist_ok=True)
        pixels = generator.integers(0, 65536, (12, 25)).astype(np.uint16)
        Image.fromarray(pixels).save(tmp_path / "films" / f"{name}.png")
        mask = np.zeros((12, 25), np.uint8)
        mask[3:6, 4:8] = 255
        Image.fromarray(mask).save(tmp_path / "masks" / f"{name}.png")
    return tmp_path


def cut(films, tiling, **options):
    frames = list_frames(films / "films", films / "masks")
    patches, _ = plan_patches(frames, tiling)
    return cut_patches(patches, frames, films / "out", tiling, **options)


def read(path):
    return np.asarray(Image.open(path))


def test_patches_masks_and_boxes_fit_together(films):
    seen = []
    manifest = cut(films, Tiling(size=10), on_progress=seen.append)
    # Each film has 3 columns by 2 rows; the object is in the first column, 3 rows high: whole
    # in the upper patch, and 3 of 3 rows in the lower one, which starts at row 2.
    assert len(seen) == len(manifest.samples) == 12
    assert [sample.label for sample in manifest.samples[:6]] == [
        *("object", "none", "none"),
        *("object", "none", "none"),
    ]
    film = read(films / "films" / "b.png")
    last = manifest.samples[-1]
    assert last.group == "b.png"
    assert last.extra == {"x": "15", "y": "2"}
    np.testing.assert_array_equal(read(films / "out" / last.path), film[2:12, 15:25])
    lower = manifest.samples[3]
    assert read(films / "out" / lower.path).dtype == np.uint16
    mask = read(films / "out" / lower.mask)
    (box,) = read_boxes(films / "out" / "boxes.csv")[lower.path]
    assert box == Box(4, 1, 8, 4, "", (4, 3), 1.0)
    assert mask[1:4, 4:8].min() == 255
    assert mask.sum() == 255 * 12
    assert read_manifest(films / "out") == manifest


def test_padding_repeats_the_edge_but_no_object(films):
    manifest = cut(films, Tiling(size=20, border="pad"))
    film = read(films / "films" / "a.png")
    sample = manifest.samples[1]
    patch = read(films / "out" / sample.path)
    np.testing.assert_array_equal(patch[:12, :5], film[:, 20:])
    assert (patch[:12, 5:] == film[:, -1:]).all()
    assert (patch[12:] == patch[11]).all()
    assert read(films / "out" / manifest.samples[0].mask).sum() == 255 * 12


def test_only_its_own_files_are_overwritten(films):
    cut(films, Tiling(size=10))
    mine = [films / "out" / name for name in ("labels.csv", "images/a/notes.png")]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    with pytest.raises(RunError, match="add --overwrite"):
        cut(films, Tiling(size=20))
    cut(films, Tiling(size=12, border="drop"), overwrite=True)
    assert len(list((films / "out").glob("images/*/x*.png"))) == 4
    assert [path.read_text() for path in mine] == ["mine", "mine"]
    (films / "out" / "tiling.json").unlink()
    with pytest.raises(RunError, match="is not known as patches of `mscam tile`"):
        cut(films, Tiling(size=10), overwrite=True)


def test_an_interruption_leaves_what_was_there(films):
    def interrupt(count):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut(films, Tiling(size=10), on_progress=interrupt)
    assert sorted(path.name for path in films.iterdir()) == ["films", "masks"]
    manifest = cut(films, Tiling(size=10))
    with pytest.raises(KeyboardInterrupt):
        cut(films, Tiling(size=12), overwrite=True, on_progress=interrupt)
    assert read_manifest(films / "out") == manifest
    assert all(path.exists() for path in manifest.paths)


def test_its_own_frames_are_not_overwritten(films):
    manifest = cut(films, Tiling(size=10))
    frames = list_frames(films / "out")
    with pytest.raises(RunError, match=r"must hold none of the inputs, but holds .*png"):
        cut_patches([], frames, films / "out", Tiling(size=10), overwrite=True)
    assert not any(path.is_relative_to(films / "out") for path in list_frames(films).paths)
    assert all(path.exists() for path in manifest.paths)


def test_patches_keep_what_is_known_of_their_frame(films):
    (films / "lists").mkdir()
    (films / "lists" / "manifest.csv").write_text(
        "path,label,group,split,mask,kV\n"
        "../films/a.png,x,fish 1,train,../masks/a.png,40\n../films/b.png,x,fish 2,test,,50\n"
    )
    frames = list_frames(films / "lists")
    patches, _ = plan_patches(frames, Tiling(size=12))
    manifest = cut_patches(patches, frames, films / "out", Tiling(size=12))
    first, last = manifest.samples[0], manifest.samples[-1]
    assert (first.path, first.group, first.split, first.label) == (
        *("images/films/a/x00000_y00000.png", "fish 1", "train", "object"),
    )
    assert last.extra == {"kV": "50", "x": "13", "y": "0"}
    assert (last.split, last.label) == ("test", "none")
    assert read(films / "out" / first.mask).sum() == 255 * 12
    assert read(films / "out" / last.mask).sum() == 0


def test_numbers_beyond_16_bits_stay_apart(films):
    mask = np.zeros((12, 25), np.int32)
    mask[3:6, 4:8], mask[6:8, 4:8] = 70_000, 80_000
    for name in ("a", "b"):
        (films / "masks" / f"{name}.png").unlink()
        np.save(films / "masks" / f"{name}.npy", mask)
    manifest = cut(films, Tiling(size=12))
    written = read(films / "out" / manifest.samples[0].mask)
    assert np.unique(written).tolist() == [0, 2, 3]
    np.testing.assert_array_equal(written == 3, mask[:, :12] == 80_000)
