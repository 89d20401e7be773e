from contextlib import contextmanager

import pyarrow.parquet as pq
import pytest
from PIL import Image

from mscam_tf.errors import MscamError, RunError
from mscam_tf.inspection import (
    Framing,
    Plan,
    Source,
    folders,
    inspect_images,
    open_inspectors,
)
from tests.inspection.models import PointSource
from tests.inspection.scans import write_scan


def read(folder, name="images"):
    return pq.read_table(folder / name).to_pylist()


@pytest.fixture
def many(scans):
    """Eighteen images, the last of which cannot be read: five batches."""
    for number in range(7, 17):
        write_scan(scans / f"{number}.png", number % 3 == 0)
    (scans / "z.png").write_bytes(b"no image")
    return sorted(scans.iterdir())


def test_workers_write_the_rows_of_one_process(session, many, tmp_path):
    one, two, seen = tmp_path / "one", tmp_path / "two", []
    alone = inspect_images(session, many, one)
    source = PointSource(session.run.folder)
    shared = inspect_images(source, many, two, workers=2, on_entry=seen.append)
    for name in ("images", "regions"):
        assert read(one, name) == read(two, name)
    assert len(read(two)) == 18
    assert [entry.path for entry in seen] == many
    pictures = [sorted(p.name for p in (out / "pictures").iterdir()) for out in (one, two)]
    assert pictures[0] == pictures[1]
    assert len(pictures[0]) == shared.rejected == alone.rejected > 0
    assert shared.unreadable == 1


@pytest.mark.parametrize("workers", [0, -1, 10**9, 10**30])
def test_workers_are_as_many_as_a_machine_has(session, tmp_path, workers):
    plan = Plan(Source(session.run.folder), tmp_path, None, "none")
    with (
        pytest.raises(MscamError, match=r"`workers` must be a whole number of at least 1 and at"),
        open_inspectors(plan, workers),
    ):
        pass


def test_no_worker_is_without_an_image(session, many, tmp_path, monkeypatch):
    begun = []

    @contextmanager
    def begin(plan, workers):
        begun.append(workers)
        yield plan.open().inspect

    monkeypatch.setattr(folders, "open_inspectors", begin)
    source = PointSource(session.run.folder)
    inspect_images(source, many[:2], tmp_path / "two", workers=1000)
    inspect_images(source, [], tmp_path / "none", workers=1000)
    assert begun == [2, 1]


@pytest.mark.slow
def test_workers_inspect_frames(session, tmp_path):
    for number in range(3):
        image = Image.open(write_scan(tmp_path / f"{number}.png", number == 1))
        image.resize((64, 120)).save(tmp_path / f"{number}.png")
    paths, source = sorted(tmp_path.glob("*.png")), PointSource(session.run.folder)
    framing = Framing((40, 32))
    inspect_images(session, paths, tmp_path / "one", framing=framing)
    inspect_images(source, paths, tmp_path / "two", framing=framing, workers=2)
    for name in ("images", "regions", "tiles"):
        assert read(tmp_path / "one", name) == read(tmp_path / "two", name)
    assert {row["tiles"] for row in read(tmp_path / "two")} == {12}


def test_a_dead_worker_is_a_message_and_loses_no_row(session, many, tmp_path):
    out, white, seen = tmp_path / "out", many[-6], []
    Image.new("L", (32, 40), 255).save(white)
    source = PointSource(session.run.folder, deadly=True)
    with pytest.raises(MscamError, match=r"worker process ended unexpectedly.*processes=2"):
        inspect_images(source, many, out, workers=2, on_entry=seen.append)
    assert [row["path"] for row in read(out)] == [str(entry.path) for entry in seen]
    write_scan(white, False)
    summary = inspect_images(session, many, out)
    assert (summary.images, summary.inspected) == (18, 18 - len(seen))
    assert [row["path"] for row in read(out)] == [str(path) for path in many]


def test_what_cannot_be_opened_is_said_before_anything_is_written(session, many, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(RunError, match="Not a run"):
        inspect_images(Source(tmp_path / "scans"), many, out, workers=2)
    with pytest.raises(MscamError, match=r"Each worker opens the run.*Received: a session of"):
        inspect_images(session, many, out, workers=2)
    assert not out.exists()
