import pytest

from mscam_tf.cli.demo import run_demo


@pytest.mark.slow
def test_demo(tmp_path):
    run_demo(tmp_path / "demo", images=45, epochs=1)
    assert (tmp_path / "demo" / "maps" / "sheet.png").exists()
