"""Waiting for clocks and files. Spec: "subscription", "event", "poll_oneoff".

poll_oneoff = read subscriptions => what is ready now, what must be waited for, the nearest clock
=> wait once, for as long as the nearest clock says
=> events
"""

from __future__ import annotations

import errno
import os
import select
import sys
from collections.abc import Callable
from struct import Struct
from typing import Final, final

from wazero_api.system import FileType
from wazero_core.system import FileEntry, SystemContext

from .clocks import clock_of
from .dialect import Dialect
from .errnos import EBADF, ESUCCESS, errno_of
from .guest import U32, Caller, buffer_of, check, fail, store_u32, view

_EVENT: Final = Struct("<QHB5xQH6x")
_CLOCK, _FD_READ, _FD_WRITE = range(3)
_TAG_OFFSET: Final = 8
_DESCRIPTOR_OFFSET: Final = 16
_ABSOLUTE: Final = 1
_HANGUP: Final = 1

MAX_SUBSCRIPTIONS: Final = 1 << 16
"""More are EINVAL: as many as there can be files."""

_MILLISECOND: Final = 1_000_000
_MAX_WAIT: Final = (1 << 31) - 1
"""Milliseconds that the system's `poll` takes at most."""

_CAN_POLL: Final = hasattr(select, "poll")
"""Windows waits for sockets only; there, files and pipes count as ready."""


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
    if entry is None:
        event.error = EBADF
        plan.ready.append(event)
        return
    fileno = entry.file.fileno() if _CAN_POLL else None
    stat = entry.file.stat()
    if fileno is None or stat.file_type in {FileType.REGULAR, FileType.DIRECTORY}:
        if event.tag == _FD_READ and stat.file_type is FileType.REGULAR:
            event.size = max(0, stat.size - entry.file.seek(0, os.SEEK_CUR))
        plan.ready.append(event)
    else:
        plan.waiting.append((fileno, event))


def _wait(plan: _Plan, system: SystemContext) -> list[_Event]:
    """Wait as planned, once, and return what happened."""
    timeout = plan.timeout()
    happened = plan.ready
    if plan.waiting:
        happened += _poll_files(plan.waiting, timeout)
    elif timeout:
        system.sleep(timeout)
    # If files were ready, no time has passed that counts: only clocks that were due anyway are.
    due = 0 if happened else timeout
    happened += [event for remaining, event in plan.clocks if due is not None and remaining <= due]
    return happened


def _poll_files(waiting: list[tuple[int, _Event]], timeout: int | None) -> list[_Event]:
    """The events of those files that became ready within `timeout` nanoseconds."""
    if sys.platform == "win32":
        return [event for _, event in waiting]
    interest: dict[int, int] = {}
    for fileno, event in waiting:
        interest[fileno] = interest.get(fileno, 0) | (select.POLLIN if event.tag == _FD_READ else select.POLLOUT)
    poller = select.poll()
    for fileno, mask in interest.items():
        poller.register(fileno, mask)
    # Rounded up: woken too early, a guest would ask again at once.
    left = None if timeout is None else -(-timeout // _MILLISECOND)
    while True:
        found = dict(poller.poll(None if left is None else min(left, _MAX_WAIT)))
        if found or left is None or left <= _MAX_WAIT:
            break
        left -= _MAX_WAIT
    happened = []
    for fileno, event in waiting:
        mask = found.get(fileno, 0)
        wanted = select.POLLIN if event.tag == _FD_READ else select.POLLOUT
        if mask & (wanted | select.POLLHUP | select.POLLERR | select.POLLNVAL):
            event.error = EBADF if mask & select.POLLNVAL else ESUCCESS
            event.flags = _HANGUP if mask & select.POLLHUP else 0
            happened.append(event)
    return happened
