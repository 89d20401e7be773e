import os
import signal
import subprocess
import sys
import time

import pytest

from mscam_tf.errors import MscamError
from mscam_tf.workers import open_workers

_SCRIPT = """
import os, sys, time
from mscam_tf.workers import open_workers

if __name__ == "__main__":
    with open_workers(2) as pool:
        print(*{pool.submit(os.getpid).result() for _ in range(20)}, flush=True)
        pool.submit(time.sleep, 60).result()
"""


def is_running(number):
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(number)], capture_output=True, text=True)
    return bool(state.stdout.strip()) and not state.stdout.startswith("Z")  # Z waits to be buried.


def end_a_worker():
    with open_workers(1) as pool:
        pool.submit(signal.raise_signal, signal.SIGTERM).result()


def stop_in_the_middle():
    with open_workers(1) as pool:
        pool.submit(os.getpid).result()
        pool.submit(time.sleep, 60)
        raise KeyboardInterrupt


def test_work_is_done_in_other_processes():
    with open_workers(1) as pool:
        assert pool.submit(os.getpid).result() != os.getpid()


def test_a_dead_worker_is_a_message():
    with pytest.raises(MscamError, match=r"worker process ended unexpectedly.*processes=1"):
        end_a_worker()


def test_an_error_ends_the_workers_at_once():
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        stop_in_the_middle()
    assert time.monotonic() - start < 30


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_a_killed_parent(tmp_path, number):
    script = tmp_path / "script.py"
    script.write_text(_SCRIPT)
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    workers = [int(word) for word in parent.stdout.readline().split()]
    assert workers
    assert all(map(is_running, workers))
    parent.send_signal(number)
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 20
    while any(map(is_running, workers)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(is_running, workers))
