import subprocess
import sys

import pytest

SCRIPT = """
import os, signal, sys, time, weakref
from mscam_tf.cli.stopping import stop_by_signals
signal.signal(signal.SIGINT, signal.default_int_handler)  # A job in the background ignores it,
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and one of nohup this.
stop_by_signals()

class Thing:
    {method}

def stop(*_):
    os.kill(os.getpid(), signal.{name})
    time.sleep(0.01)

try:
    {call}
    time.sleep(20)
    print("it runs on")
except BaseException as error:
    print("cleared away after", type(error).__name__)
    raise
"""


def run(name, call, method="pass"):
    script = SCRIPT.format(name=name, call=call, method=method)
    command = [sys.executable, "-c", script]
    found = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return found.returncode, found.stdout + found.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="There are no such signals.")
@pytest.mark.parametrize(
    ("call", "method"),
    [
        ("stop()", "pass"),
        ("thing = Thing(); reference = weakref.ref(thing, stop); del thing", "pass"),
        ("Thing()", "__del__ = lambda self: stop()"),
    ],
    ids=["anywhere", "weak reference", "finalizer"],
)
@pytest.mark.parametrize(("name", "expected"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_ends_a_command_wherever_it_comes(call, method, name, expected):
    """Python ignores what is raised in a callback of the garbage collector."""
    status, text = run(name, call, method)
    assert status == expected, text
    assert text.strip() == "cleared away after SystemExit"


@pytest.mark.skipif(sys.platform == "win32", reason="There are no such signals.")
def test_a_command_goes_on_without_its_terminal_where_that_is_wanted():
    """As `nohup` starts it."""
    script = """
import os, signal
signal.signal(signal.SIGHUP, signal.SIG_IGN)
from mscam_tf.cli.stopping import stop_by_signals
stop_by_signals()
os.kill(os.getpid(), signal.SIGHUP)
print("it runs on")
"""
    command = [sys.executable, "-c", script]
    found = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert found.stdout == "it runs on\n"


@pytest.mark.skipif(sys.platform == "win32", reason="There are no such signals.")
def test_what_is_interrupted_in_a_finalizer_is_interrupted_too():
    status, text = run("SIGINT", "Thing()", "__del__ = lambda self: stop()")
    assert status in (1, -2, 130), text
    assert text.startswith("cleared away after KeyboardInterrupt")


@pytest.mark.skipif(sys.platform == "win32", reason="There are no such signals.")
def test_other_exceptions_there_are_still_shown():
    status, text = run("SIGTERM", "Thing(); sys.exit(3)", "__del__ = lambda self: 1 / 0")
    assert status == 3
    assert "ZeroDivisionError" in text
