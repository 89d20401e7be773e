import sys

import pyarrow.parquet as pq
import pytest
from PIL import Image

from mscam_tf.errors import MscamError, RunError
from mscam_tf.inspection import inspect_images
from tests.inspection.models import PointSource
from tests.inspection.scans import write_scan

# Ray warns of what it does itself, and leaves its pipes open.
pytestmark = pytest.mark.filterwarnings("ignore")


def read(folder, name="images"):
    return pq.read_table(folder / name).to_pylist()


@pytest.mark.slow
def test_a_cluster_writes_the_rows_of_one_process_though_a_worker_dies(session, scans, tmp_path):
    pytest.importorskip("ray.data")
    one, two, once, seen = tmp_path / "one", tmp_path / "two", tmp_path / "once", []
    for number in range(7, 17):
        write_scan(scans / f"{number}.png", number % 3 == 0)
    (scans / "bad.png").write_bytes(b"no image")
    Image.new("L", (32, 40), 255).save(scans / "white.png")
    paths, source = sorted(scans.iterdir()), PointSource(session.run.folder, deadly=True, once=once)
    inspect_images(session, paths, one)
    summary = inspect_images(source, paths, two, workers=2, engine="ray", on_entry=seen.append)
    assert once.exists()
    assert (summary.inspected, summary.unreadable) == (19, 1)
    assert [entry.path for entry in seen] == paths
    for name in ("images", "regions"):
        assert read(one, name) == read(two, name)


@pytest.mark.slow
def test_a_worker_says_what_is_wrong(session, scans, tmp_path):
    pytest.importorskip("ray.data")
    source = PointSource(session.run.folder, broken=True)
    with pytest.raises(RunError, match="gives no finite numbers"):
        inspect_images(source, sorted(scans.iterdir()), tmp_path / "out", engine="ray")
    with pytest.raises(MscamError, match=r"Ray cannot be reached.*address='auto'"):
        inspect_images(source, [], tmp_path / "out", engine="ray", address="auto")


def test_without_ray_the_extra_is_named(session, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    source = PointSource(session.run.folder)
    with pytest.raises(MscamError, match=r"pip install 'mscam-tf\[ray\]'"):
        inspect_images(source, [], tmp_path / "out", engine="ray")
    assert not (tmp_path / "out").exists()
