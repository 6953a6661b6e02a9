"""The lock that guards this folder's state, and the order of things around a fork.

A fork copies one thread. Whatever another thread was changing would stay half changed in the child, and a lock that it
held would stay locked; so a fork takes the lock first.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any, Final, Protocol

lock: Final[Any] = threading.RLock()  # Any: the stubs lack _at_fork_reinit, which the standard library itself uses so
"""Take it by `with` only: elsewhere an interrupt can come between taking it and what would release it. Re-entrant, as
signal handlers and destructors run anywhere."""


class Forkable(Protocol):
    """What has to be told about forks. The lock is held during all three calls."""

    def before_fork(self) -> None: ...

    def after_fork_in_parent(self) -> None: ...

    def after_fork_in_child(self) -> None: ...


_members: weakref.WeakSet[Forkable] = weakref.WeakSet()
_locks: weakref.WeakSet[Any] = weakref.WeakSet()


def register(member: Forkable) -> None:
    """Tell `member` about forks for as long as it lives."""
    with lock:
        _members.add(member)


def new_lock() -> threading.Lock:
    """A lock that is open in the child of a fork, which has no other thread that could open it."""
    made = threading.Lock()
    with lock:
        _locks.add(made)
    return made


def _before() -> None:
    for member in list(_members):
        member.before_fork()


def _after_in_parent() -> None:
    for member in list(_members):
        member.after_fork_in_parent()


def _after_in_child() -> None:
    for other in list(_locks):
        other._at_fork_reinit()
    for member in list(_members):
        member.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
    # Registered last, so first before a fork and last after it. Methods written in C, which no interrupt can stop half-way.
    os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock._at_fork_reinit)
