import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from mscam_tf.data.reading.admission import Admission, ask_for_room


def read_side_by_side(admission, sizes):
    """Return the most pixels that were held at once."""
    lock, held, most = threading.Lock(), [], []

    def read(pixels):
        with admission.admit():
            ask_for_room(pixels)
            with lock:
                held.append(pixels)
                most.append(sum(held))
            time.sleep(0.005)
            ask_for_room(pixels)  # Its mask: nobody waits twice.
            with lock:
                held.remove(pixels)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(read, sizes))
    return max(most)


def test_no_more_than_there_is_room_for():
    assert read_side_by_side(Admission(100), [40, 60, 30, 70, 50, 50] * 5) <= 100
    assert read_side_by_side(Admission(100), [10] * 30) > 20  # Small ones go side by side.


def test_a_larger_image_goes_alone():
    assert read_side_by_side(Admission(100), [60, 250, 60, 250] * 3) == 250


def test_room_is_given_back_after_an_error():
    admission = Admission(100)

    def fail():
        with admission.admit():
            ask_for_room(90)
            raise ValueError("broken")

    for _ in range(3):
        with pytest.raises(ValueError, match="broken"):
            fail()
    assert read_side_by_side(admission, [90]) == 90


def test_who_reads_one_image_after_the_other_does_not_wait():
    for _ in range(3):
        ask_for_room(10**12)
