import pytest

from mscam_tf import RunError
from mscam_tf.records import check_settings


@pytest.mark.parametrize("content", ['["source"]', "5", "null", "[" * 100_000])
def test_settings_that_are_none_are_refused(tmp_path, content):
    path = tmp_path / "settings.json"
    path.write_text(content)
    with pytest.raises(RunError, match=r"settings\.json (must hold names|cannot be read)"):
        check_settings(path, {"source": 1})
