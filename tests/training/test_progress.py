import pytest

from mscam_tf import RunError
from mscam_tf.training.progress import Progress, read_progress


def test_patience_counts_from_the_lowest_loss_since_the_optimizer_began():
    progress = Progress(epoch=2, best=0.1)  # Of the frozen epochs.
    for loss, waited in [(0.5, 0), (0.6, 1), (0.4, 0), (0.4, 1), (0.7, 2)]:
        assert not progress.stopped
        progress = progress.add(loss, patience=2)
        assert progress.waited == waited
    assert progress == Progress(epoch=7, best=0.1, lowest=0.4, waited=2, stopped=True)


@pytest.mark.parametrize("text", ["", "[1]", '{"epochs": 1}', '{"epoch": "two"}', "{"])
def test_progress_that_cannot_be_read_is_named(tmp_path, text):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "progress.json").write_text(text)
    with pytest.raises(RunError, match=r"progress\.json"):
        read_progress(tmp_path)
