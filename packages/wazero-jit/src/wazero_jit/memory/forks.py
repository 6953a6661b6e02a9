"""The lock that guards this folder's state, and the order of things around a fork.

A fork copies one thread. Whatever another thread was changing would stay half changed in the child, and a lock that it
held would stay locked; so a fork takes the lock first, and the child gets a new one.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Protocol

lock = threading.RLock()
"""Use it as `forks.lock`: the child's is another one. Re-entrant, as signal handlers and destructors run anywhere."""


class Forkable(Protocol):
    """What has to be told about forks. The lock is held during all three calls."""

    def before_fork(self) -> None: ...

    def after_fork_in_parent(self) -> None: ...

    def after_fork_in_child(self) -> None: ...


_members: weakref.WeakSet[Forkable] = weakref.WeakSet()


def register(member: Forkable) -> None:
    """Tell `member` about forks for as long as it lives."""
    _members.add(member)


def _before() -> None:
    lock.acquire()
    for member in list(_members):
        member.before_fork()


def _after_in_parent() -> None:
    try:
        for member in list(_members):
            member.after_fork_in_parent()
    finally:
        lock.release()


def _after_in_child() -> None:
    global lock  # noqa: PLW0603  # the parent's may have waiters recorded in it that the child lacks
    try:
        for member in list(_members):
            member.after_fork_in_child()
    finally:
        lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
