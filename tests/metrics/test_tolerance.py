import numpy as np
import pytest

from mscam_tf import MscamError
from mscam_tf.metrics import exceed_all_but

VALUES = np.array([0.3, -2.0, 7.1, 7.1, 1.0])


@pytest.mark.parametrize(("count", "reach"), [(0, 0), (1, 0), (2, 2), (3, 3), (4, 4)])
def test_at_most_so_many_values_reach_the_threshold(count, reach):
    assert (exceed_all_but(VALUES, count) <= VALUES).sum() == reach


def test_the_threshold_lies_just_above_the_value():
    assert exceed_all_but(VALUES, 2) == pytest.approx(1.0)
    assert exceed_all_but(np.array([0.1 + 1e-12])) > 0.1 + 1e-12  # Which float32 has not.


@pytest.mark.parametrize(
    ("values", "count"),
    [([], 0), ([1.0], 1), ([1.0], -1), ([1.0, np.nan], 0), ([1.0, np.inf], 0), ([[1.0]], 0)],
)
def test_what_gives_no_threshold_is_refused(values, count):
    with pytest.raises(MscamError, match=rf"`count` from 0 to n - 1\. Received: .* count={count}"):
        exceed_all_but(np.array(values), count)
