"""What ends a command: a signal, and so that what is not complete is removed."""

import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_LATER = 0.1  # Seconds.
_HOOKS: "list[Callable[[Any], Any]]" = []  # What was told of exceptions that Python ignores.
_LOST: list[BaseException] = []


def stop_by_signals() -> None:
    """End by SIGTERM as by Ctrl-C, wherever the signal comes; and where the terminal is closed.

    Python ignores exceptions in a few places, such as what the garbage collector calls: a command
    that is stopped there would run on. So it is stopped once more, a little later.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    signal.signal(signal.SIGTERM, _stop)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, _stop)  # Not with nohup, which lets it be ignored.
    if hasattr(signal, "setitimer") and sys.unraisablehook is not _note_lost:
        signal.signal(signal.SIGALRM, _stop_again)
        _HOOKS[:] = [sys.unraisablehook]
        sys.unraisablehook = _note_lost


def _stop(number: int, frame: Any) -> None:  # noqa: ARG001
    sys.exit(128 + number)


def _note_lost(ignored: Any) -> None:
    kind = ignored.exc_type
    if not issubclass(kind, (SystemExit, KeyboardInterrupt)):
        _HOOKS[0](ignored)
        return
    # A new one: keeping that of the hook would keep all that it holds.
    _LOST[:] = [kind(*getattr(ignored.exc_value, "args", ()))]
    signal.setitimer(signal.ITIMER_REAL, _LATER)


def _stop_again(number: int, frame: Any) -> None:  # noqa: ARG001
    if _LOST:
        raise _LOST.pop()
