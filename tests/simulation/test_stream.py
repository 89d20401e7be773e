from itertools import islice

import numpy as np

from mscam_tf.simulation import TARGETS, simulate_batch, stream_batches
from mscam_tf.simulation.stream import measure_coverage


def test_coverage_by_hand():
    mask = np.zeros((16, 16), bool)
    mask[0:4, 0:8] = True
    mask[15, 15] = True
    masks = {"wire": mask}
    coverage = measure_coverage(masks, (16, 16), 8)
    assert coverage.shape == (2, 2, len(TARGETS))
    assert coverage[..., TARGETS.index("wire")].tolist() == [[0.5, 0.0], [0.0, 1 / 64]]
    assert coverage[..., TARGETS.index("bone")].max() == 0
    finer = measure_coverage(masks, (16, 16), 4)[..., TARGETS.index("wire")]
    assert finer[0].tolist() == [1, 1, 0, 0]
    assert finer[3, 3] == 1 / 16


def test_hidden_objects_cover_cells_and_are_no_targets():
    batch = simulate_batch((64, 64), 60, 4, 0, 0)
    assert batch.hidden.shape == batch.coverage.shape == (60, 16, 16, len(TARGETS))
    assert batch.hidden.max() > 0
    assert np.array_equal(batch.coverage.max((1, 2)) > 0, batch.targets > 0)


def test_a_stream_goes_on_where_it_stopped():
    whole = list(islice(stream_batches((32, 32), 2, 8, 5, 0, processes=0), 3))
    rest = list(islice(stream_batches((32, 32), 2, 8, 5, 2, processes=0), 1))
    assert np.array_equal(whole[2].images, rest[0].images)
    assert not np.array_equal(whole[0].images, whole[1].images)
    assert whole[0].images.shape == (2, 32, 32, 1)


def test_other_processes_make_the_same():
    batches = stream_batches((32, 32), 2, 8, 5, 1, processes=1)
    batch = next(batches)
    batches.close()
    assert np.array_equal(batch.images, simulate_batch((32, 32), 2, 8, 5, 1).images)
