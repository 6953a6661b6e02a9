"""Waiting for clocks and files. Spec: "subscription", "event", "poll_oneoff".

poll_oneoff = read subscriptions => what is ready now, what must be waited for, the nearest clock
=> wait once, for as long as the nearest clock says
=> events
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from struct import Struct
from typing import Final, final

from wazero_api.system import File
from wazero_core.system import ERROR, HANGUP, INVALID, READ, WRITE, FileEntry, SystemContext

from .clocks import clock_of
from .dialect import Dialect
from .errnos import EBADF, ENOTCAPABLE, ESUCCESS, errno_of
from .guest import U32, Caller, buffer_of, check, fail, store_u32, view
from .rights import Rights

_EVENT: Final = Struct("<QHB5xQH6x")
_CLOCK, _FD_READ, _FD_WRITE = range(3)
_TAG_OFFSET: Final = 8
_DESCRIPTOR_OFFSET: Final = 16
_NEEDED: Final = {
    _FD_READ: Rights.POLL_FD_READWRITE | Rights.FD_READ,
    _FD_WRITE: Rights.POLL_FD_READWRITE | Rights.FD_WRITE,
}
_ABSOLUTE: Final = 1
_HANGUP: Final = 1

MAX_SUBSCRIPTIONS: Final = 1 << 16
"""More are EINVAL: as many as there can be files."""


@final
class _Event:
    """What a guest is told of one subscription. `size` and `flags` are for files."""

    __slots__ = ("error", "flags", "size", "tag", "userdata")

    def __init__(self, userdata: int, tag: int, error: int = ESUCCESS) -> None:
        self.userdata = userdata
        self.tag = tag
        self.error = error
        self.size = 0
        self.flags = 0


@final
class _Plan:
    """What one call waits for."""

    __slots__ = ("clocks", "ready", "waiting")

    def __init__(self) -> None:
        self.ready: list[_Event] = []
        self.clocks: list[tuple[int, _Event]] = []
        """Nanoseconds from now on, and what to report then."""
        self.waiting: list[tuple[int, _Event]] = []
        """Descriptors of the system, and what to report when they are ready."""

    def timeout(self) -> int | None:
        """Nanoseconds to wait at most; None for as long as it takes."""
        if self.ready:
            return 0
        return min((remaining for remaining, _ in self.clocks), default=None)


def make_poll_oneoff(dialect: Dialect) -> Callable[..., None]:
    """`poll_oneoff` with the dialect's layout."""

    def poll_oneoff(module: Caller, subscriptions: int, events: int, count: int, result: int) -> None:
        """Wait until at least one subscription has something to tell; store the events and how many they are."""
        if not 0 < count <= MAX_SUBSCRIPTIONS:
            fail(errno.EINVAL)
        buffer = buffer_of(module)
        check(buffer, events, count * _EVENT.size)
        check(buffer, result, 4)
        # A copy: the guest may have put the events where the subscriptions are.
        raw = bytes(view(buffer, subscriptions, count * dialect.subscription.size))
        happened = _wait(_plan(dialect, module.system, raw), module.system)
        for position, event in enumerate(happened):
            _EVENT.pack_into(
                buffer,
                events + position * _EVENT.size,
                event.userdata,
                event.error,
                event.tag,
                event.size,
                event.flags,
            )
        store_u32(buffer, result, len(happened))

    return poll_oneoff


def _plan(dialect: Dialect, system: SystemContext, raw: bytes) -> _Plan:
    plan = _Plan()
    size = dialect.subscription.size
    for start in range(0, len(raw), size):
        userdata, tag, clock_id, timeout, _, flags = dialect.subscription.unpack_from(raw, start)
        event = _Event(userdata, tag)
        if tag == _CLOCK:
            _plan_clock(plan, system, event, clock_id, timeout, flags)
        elif tag in {_FD_READ, _FD_WRITE}:
            (fd,) = U32.unpack_from(raw, start + _DESCRIPTOR_OFFSET)
            _plan_file(plan, system.files.get(fd), event)
        else:
            fail(errno.EINVAL)
    return plan


def _plan_clock(plan: _Plan, system: SystemContext, event: _Event, clock_id: int, timeout: int, flags: int) -> None:
    try:
        clock = clock_of(system, clock_id)
    except OSError as error:
        event.error = errno_of(error)
        plan.ready.append(event)
        return
    remaining = max(0, timeout - clock()) if flags & _ABSOLUTE else timeout
    plan.clocks.append((remaining, event))


def _plan_file(plan: _Plan, entry: FileEntry | None, event: _Event) -> None:
    """Files that are always ready are so; of the others, the system will tell."""
    fileno = None
    if entry is None:
        event.error = EBADF
    elif entry.extra is not None and entry.extra.dropped & _NEEDED[event.tag]:
        event.error = ENOTCAPABLE
    elif entry.can_wait and not (event.tag == _FD_READ and getattr(entry.file, "has_buffered", bool)()):
        fileno = entry.file.fileno()
    elif event.tag == _FD_READ and entry.tree is None:
        event.size = _rest_of(entry.file)
    if fileno is None:
        plan.ready.append(event)
    else:
        plan.waiting.append((fileno, event))


def _rest_of(file: File) -> int:
    """Bytes between the position and the end of a file; 0 for what has neither."""
    try:
        return max(0, file.stat().size - file.seek(0, os.SEEK_CUR))
    except OSError:
        return 0


def _wait(plan: _Plan, system: SystemContext) -> list[_Event]:
    """Wait as planned, once, and return what happened."""
    timeout = plan.timeout()
    happened = plan.ready
    if plan.waiting:
        happened += _poll_files(plan.waiting, timeout, system)
    elif timeout:
        system.sleep(timeout)
    # If files were ready, no time has passed that counts: only clocks that were due anyway are.
    due = 0 if happened else timeout
    happened += [event for remaining, event in plan.clocks if due is not None and remaining <= due]
    return happened


def _poll_files(waiting: list[tuple[int, _Event]], timeout: int | None, system: SystemContext) -> list[_Event]:
    """The events of those files that became ready within `timeout` nanoseconds."""
    wanted = {_FD_READ: READ, _FD_WRITE: WRITE}
    found = system.waiter.wait([(fileno, wanted[event.tag]) for fileno, event in waiting], timeout)
    happened = []
    for fileno, event in waiting:
        mask = found.get(fileno, 0)
        if mask & (wanted[event.tag] | HANGUP | ERROR | INVALID):
            event.error = EBADF if mask & INVALID else ESUCCESS
            event.flags = _HANGUP if mask & HANGUP else 0
            if event.tag == _FD_READ and mask & READ:
                event.size = _readable_now(fileno)
            happened.append(event)
    return happened


def _readable_now(fileno: int) -> int:
    """Bytes that a pipe, terminal or socket has for a reader; 1 where the system does not say."""
    if sys.platform == "win32":
        return 1
    from fcntl import ioctl
    from termios import FIONREAD

    try:
        (size,) = U32.unpack(ioctl(fileno, FIONREAD, bytes(4)))
    except OSError:  # a listener, say
        return 1
    return int(size)
