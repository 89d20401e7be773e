import pytest

import mscam_tf


@pytest.fixture(scope="session")
def export(tmp_path_factory, finished_run):
    """Export a run in a format, once for all tests."""
    folder, made = tmp_path_factory.mktemp("exports"), {}

    def make(format):
        if format not in made:
            made[format] = mscam_tf.export_run(finished_run, folder / format, format)
        return made[format]

    return make
