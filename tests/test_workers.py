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
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    try:
        with open(f"/proc/{number}/stat") as file:  # An orphan may wait to be buried.
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return os.path.isdir("/proc/self") is False


def test_work_is_done_in_other_processes():
    with open_workers(1) as pool:
        assert pool.submit(os.getpid).result() != os.getpid()


def test_a_dead_worker_is_a_message():
    with pytest.raises(MscamError, match=r"worker process ended unexpectedly.*processes=1"):
        with open_workers(1) as pool:
            pool.submit(os._exit, 1).result()


def test_an_error_ends_the_workers_at_once():
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        with open_workers(1) as pool:
            pool.submit(os.getpid).result()
            pool.submit(time.sleep, 60)
            raise KeyboardInterrupt
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
