"""Bound how many pixels are decoded at once, by what the headers of the images say."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Condition

PIXELS_AT_ONCE = 100_000_000  # Decoded at once; they take up to 8 bytes each.


class Admission:
    """Lets images that are read side by side be decoded, as long as there is room for their pixels.

    Args:
        room: Pixels at once, 100 million by default. A larger image is decoded alone.
    """

    def __init__(self, room: int | None = None) -> None:
        self.room, self._taken, self._change = room or PIXELS_AT_ONCE, 0, Condition()

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Let the image that the block reads in this thread wait for room, which it then holds."""
        token = _PLACE.set(place := _Place(self))
        try:
            yield
        finally:
            _PLACE.reset(token)
            self.give(place.pixels)

    def take(self, pixels: int) -> None:
        """Wait until there is room for an image, and take it."""
        with self._change:
            self._change.wait_for(lambda: not self._taken or self._taken + pixels <= self.room)
            self._taken += pixels

    def give(self, pixels: int) -> None:
        """Give room back."""
        with self._change:
            self._taken -= pixels
            self._change.notify_all()


class _Place:
    """What a thread has taken."""

    def __init__(self, admission: Admission) -> None:
        self.admission, self.pixels = admission, 0

    def ask(self, pixels: int) -> None:
        # Once, for the first image: threads that held room and waited for more would stop all. What
        # else a thread reads, such as a mask, follows its image, and is of its size.
        if not self.pixels:
            self.admission.take(pixels)
            self.pixels = pixels


_PLACE: ContextVar[_Place | None] = ContextVar("place", default=None)


def ask_for_room(pixels: int) -> None:
    """Wait until an image of so many pixels may be decoded; see `Admission.admit`."""
    place = _PLACE.get()
    if place is not None:
        place.ask(pixels)
