"""Waiting on behalf of a guest: for time to pass, and for files of the host that make their readers or writers wait.

A wait ends early, by an exception, when the time of the running call is up or when its instance is closed. So nothing
here enters the system for longer than it could be left again; Ctrl-C ends a wait in the main thread as Python has it.
"""

from __future__ import annotations

import errno
import os
import select
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Lock
from typing import TYPE_CHECKING, Final, Protocol, final

from wazero_api.errors import DeadlineExceededError
from wazero_api.system import FileType

from .files import fail

if TYPE_CHECKING:
    import socket

READ: Final = 1
WRITE: Final = 4
ERROR: Final = 8
HANGUP: Final = 16
INVALID: Final = 32
"""What to wait for, the first two, and what may come of it. The values of `select.POLLIN` and so on, where those exist."""

CAN_POLL: Final = hasattr(select, "poll")
"""Windows waits for sockets only; other files there make the guest wait inside the system, and nothing ends that."""

WAITABLE: Final = (
    frozenset({FileType.SOCKET, FileType.FIFO, FileType.CHARACTER_DEVICE, FileType.UNKNOWN})
    if CAN_POLL
    else frozenset({FileType.SOCKET})
)
"""Kinds of files that may have nothing to read or no room to write, and tell when that changes."""

SAFE_WRITE: Final = select.PIPE_BUF if sys.platform != "win32" else 512
"""Bytes that a pipe takes without waiting once it says that it can be written to."""

_RINGS: Final = 4096
_SECOND: Final = 1_000_000_000
_MILLISECOND: Final = 1_000_000
_AT_MOST: Final = _SECOND
"""The longest single wait. A signal that comes just before the system is asked to wait does not end it; Python looks after it
next time."""


class Owner(Protocol):
    """The instance that waits are made for."""

    def remaining(self) -> float | None:
        """Seconds until the deadline of the running call, 0 or less once it has passed; None if there is none."""
        ...

    def check_open(self) -> None:
        """Raise ExitError if the instance is closed."""
        ...


@final
class Waiter:
    """One per `SystemContext`. Safe to use from several threads; `close` is meant to come from another one."""

    __slots__ = ("_bell", "_closed", "_lock", "_waiting", "owner", "when_closed")

    def __init__(self) -> None:
        self.owner: Owner | None = None
        self.when_closed: Callable[[], object] | None = None
        """Called, by any thread, when this is closed: for those who wait in another way."""
        self._lock = Lock()
        self._closed = Event()
        self._bell: Bell | None = None
        """Rung when the instance is closed. Made for the first wait that has to be woken."""
        self._waiting = 0

    def sleep(self, nanoseconds: int) -> None:
        """Return after that long, not earlier. Raises DeadlineExceededError, ExitError, ECANCELED."""
        end = time.monotonic_ns() + nanoseconds
        while (left := end - time.monotonic_ns()) > 0:
            self._closed.wait(self._bounded(left) / _SECOND)
            self._check()

    def wait(self, interests: Iterable[tuple[int, int]], timeout: int | None) -> dict[int, int]:
        """By descriptor what happened: some of the constants above; empty once `timeout` nanoseconds are over.

        `interests` are descriptors and `READ`, `WRITE` or both; None as timeout is as long as it takes. Raises
        DeadlineExceededError, ExitError, and ECANCELED where there is no owner to raise that.
        """
        wanted: dict[int, int] = {}
        for fd, mask in interests:
            wanted[fd] = wanted.get(fd, 0) | mask
        found = _poll(wanted, 0)  # mostly something is there, and nothing else needs to be set up
        if self._closed.is_set():
            self._check()
        if found or timeout == 0:
            return found
        end = None if timeout is None else time.monotonic_ns() + timeout
        bell = self._enter()
        try:
            wanted[bell.fileno] = READ
            while True:
                left = _AT_MOST if end is None else end - time.monotonic_ns()
                found = _poll(wanted, self._bounded(max(left, 0)))
                found.pop(bell.fileno, None)
                if found and not self._closed.is_set():  # else they may be found closed, too
                    return found
                self._check()
                if end is not None and time.monotonic_ns() >= end:
                    return {}
        finally:
            self._leave()

    def close(self) -> None:
        """End all waits, also those that are still to come. May be called again.

        An owner that is not closed itself, as one whose start failed while others hold its functions, gets ECANCELED.
        """
        with self._lock:
            self._closed.set()
            if self._bell is not None:
                self._bell.ring()
                self._drop_bell()
        if self.when_closed is not None:
            self.when_closed()

    def _check(self) -> None:
        owner = self.owner
        if owner is not None:
            owner.check_open()
            remaining = owner.remaining()
            if remaining is not None and remaining <= 0:
                raise DeadlineExceededError("the call ran past its timeout")
        if self._closed.is_set():
            fail(errno.ECANCELED)

    def _bounded(self, nanoseconds: int) -> int:
        """At most what is left until the deadline."""
        remaining = self.owner.remaining() if self.owner is not None else None
        longest = min(nanoseconds, _AT_MOST)
        return longest if remaining is None else max(min(longest, int(remaining * _SECOND)), 0)

    def _enter(self) -> Bell:
        with self._lock:
            if self._bell is None:
                self._bell = Bell()
                if self._closed.is_set():
                    self._bell.ring()
            self._waiting += 1
            return self._bell

    def _leave(self) -> None:
        with self._lock:
            self._waiting -= 1
            if self._closed.is_set():
                self._drop_bell()

    def _drop_bell(self) -> None:
        if self._bell is not None and not self._waiting:
            self._bell.close()
            self._bell = None


@final
class Bell:
    """A descriptor that can be read from once somebody rang, until `silence`: how a thread ends another one's wait.

    Of a pipe, or of sockets where only those can be waited for. Not to be rung while it is being closed.
    """

    __slots__ = ("_ends", "fileno")

    def __init__(self) -> None:
        self._ends: tuple[int, ...] = ()  # in case making them fails
        if CAN_POLL:
            self._ends = os.pipe()
            for end in self._ends:
                os.set_blocking(end, False)
        else:
            import socket

            self._ends = tuple(end.detach() for end in socket.socketpair())
        self.fileno = self._ends[0]

    def ring(self) -> None:
        """From any thread. Returns at once, however often it was rung before."""
        try:
            if CAN_POLL:
                os.write(self._ends[1], b"!")
            else:
                with _borrowed_socket(self._ends[1]) as end:
                    end.send(b"!")
        except BlockingIOError:
            pass  # full of rings that nobody has heard

    def silence(self) -> None:
        """Forget that it was rung, if it was."""
        try:
            if CAN_POLL:
                os.read(self._ends[0], _RINGS)
            else:
                with _borrowed_socket(self._ends[0]) as end:
                    end.recv(_RINGS)
        except BlockingIOError:
            pass  # it was not

    def close(self) -> None:
        """May be called again."""
        ends, self._ends = self._ends, ()
        for end in ends:
            if CAN_POLL:
                os.close(end)
            else:
                import socket

                socket.close(end)

    def __del__(self) -> None:
        self.close()


@contextmanager
def _borrowed_socket(fd: int) -> Iterator[socket.socket]:
    """The socket of a descriptor, which stays open; it makes nobody wait."""
    import socket

    borrowed = socket.socket(fileno=fd)
    try:
        borrowed.setblocking(False)
        yield borrowed
    finally:
        borrowed.detach()


def is_open_for(fd: int, mask: int) -> bool:
    """Whether a descriptor was opened for reading (`READ`) or writing (`WRITE`): else it will never be ready for that."""
    if sys.platform == "win32":
        return True
    from fcntl import F_GETFL, fcntl

    mode = fcntl(fd, F_GETFL) & os.O_ACCMODE
    return mode == os.O_RDWR or (mode == os.O_RDONLY) == (mask == READ)


def _poll(wanted: dict[int, int], timeout: int) -> dict[int, int]:
    """What happened to descriptors within `timeout` nanoseconds."""
    if not CAN_POLL:
        return _select(wanted, timeout)
    poller = select.poll()
    for fd, mask in wanted.items():
        if fd < 0:  # another thread has closed the file
            return {fd: INVALID}
        poller.register(fd, mask)
    # Rounded up: woken too early, one would have to wait again at once.
    return dict(poller.poll(-(-timeout // _MILLISECOND)))


def _select(wanted: dict[int, int], timeout: int) -> dict[int, int]:
    readers = [fd for fd, mask in wanted.items() if mask & READ]
    writers = [fd for fd, mask in wanted.items() if mask & WRITE]
    readable, writable, broken = select.select(readers, writers, list(wanted), timeout / _SECOND)
    found: dict[int, int] = {}
    for fds, mask in ((readable, READ), (writable, WRITE), (broken, ERROR)):
        for fd in fds:
            found[fd] = found.get(fd, 0) | mask
    return found
