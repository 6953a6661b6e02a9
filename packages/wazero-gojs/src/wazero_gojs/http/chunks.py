"""What is read of a response, for transports."""

from __future__ import annotations

from collections.abc import Callable
from typing import final


@final
class Chunks:
    """An iterator that closes the connection at its end, after a failure, and by `close`, also if nothing was read."""

    __slots__ = ("_close", "_read")

    def __init__(self, read: Callable[[], bytes], close: Callable[[], object]) -> None:
        """`read` waits for some bytes; none are the end."""
        self._read = read
        self._close = close

    def __iter__(self) -> Chunks:
        return self

    def __next__(self) -> bytes:
        try:
            chunk = self._read()
        except BaseException:
            self.close()
            raise
        if not chunk:
            self.close()
            raise StopIteration
        return chunk

    def close(self) -> None:
        """Read no more. May be called again."""
        close, self._close = self._close, _do_nothing
        self._read = bytes
        close()


def _do_nothing() -> None:
    pass
