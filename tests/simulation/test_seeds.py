import hashlib
from dataclasses import replace

import numpy as np

from mscam_tf.simulation import Plan, SimulationConfig, write_findings, write_radiographs
from mscam_tf.simulation.seeds import open_stream

SMALL = SimulationConfig(image_size=(16, 16))


def digests(folder):
    paths = [path for path in folder.rglob("*.png") if "masks" not in path.parts]
    return [hashlib.sha256(path.read_bytes()).digest() for path in paths]


def test_no_image_is_shared_between_sizes_and_seeds(tmp_path):
    plans = [Plan(count, SMALL, seed=seed) for count in (10, 37) for seed in range(6)]
    found = [
        digest
        for number, plan in enumerate(plans)
        for digest in digests(write_radiographs(tmp_path / str(number), plan))
    ]
    assert len(found) == len(set(found)) == 6 * (10 + 37)


def test_findings_of_sets_of_two_sizes_differ(tmp_path):
    config = replace(SMALL, image_size=(64, 64))
    sets = [digests(write_findings(tmp_path / str(n), n, config)) for n in (8, 9)]
    assert len(set(sets[0] + sets[1])) == 17


def test_every_setting_counts_and_equal_numbers_are_equal():
    def draw(**settings):
        return open_stream(settings, 1).integers(10**12)

    first = draw(seed=1, size=(16, 32), balance=None)
    assert draw(balance=None, size=[np.int64(16), 32.0], seed=1) == first
    others = [draw(seed=1, size=(32, 16), balance=None), draw(seed=1, size=(16, 32), balance={})]
    assert len({first, *others}) == 3
    assert open_stream({}, 0).integers(10**12) != open_stream({}, 1).integers(10**12)


def test_one_balance_in_two_orders_is_one_data_set():
    orders = [{"none": 1, "scale2": 1}, {"scale2": 1, "none": 1}]
    assert len({tuple(Plan(20, SMALL, balance=one).assign_classes()) for one in orders}) == 1
