"""How deep calls may nest before they end in a RangeError instead of Python's own limit, or a broken stack."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

from wazero_gojs.model.values import throw_range_error

if TYPE_CHECKING:
    from wazero_gojs.model.realm import Realm

MAX_CALLS: Final = 1000
"""Functions of scripts that have called one another and not returned."""
_MAX_FRAMES: Final = 5000
"""Python frames that one script may stack up, which CPython 3.11 counts together with those of its C functions. So many
fit into a C stack of the usual size."""

_T = TypeVar("_T")
_lock = threading.Lock()
_users = 0
_limit_before = 0


def guarded(realm: Realm, run: Callable[[], _T]) -> _T:
    """What `run` returns. Too many calls inside one another are a RangeError."""
    is_first = not realm.call_depth
    if realm.call_depth >= MAX_CALLS:
        throw_overflow()
    realm.poll()
    realm.call_depth += 1
    if is_first:
        _raise_limit()
    try:
        return run()
    except RecursionError:
        throw_overflow()
    finally:
        realm.call_depth -= 1
        if is_first:
            _restore_limit()


def throw_overflow() -> NoReturn:
    """Throw the RangeError."""
    throw_range_error("Maximum call stack size exceeded")


def _raise_limit() -> None:
    global _users, _limit_before  # noqa: PLW0603  # the limit is one for all threads
    with _lock:
        _users += 1
        if _users == 1:
            _limit_before = sys.getrecursionlimit()
            if _limit_before < _MAX_FRAMES:
                sys.setrecursionlimit(_MAX_FRAMES)


def _restore_limit() -> None:
    global _users  # noqa: PLW0603
    with _lock:
        _users -= 1
        if not _users and _limit_before < _MAX_FRAMES == sys.getrecursionlimit():
            with suppress(RecursionError):  # another thread may be deeper than that now
                sys.setrecursionlimit(_limit_before)


__all__ = ["MAX_CALLS", "guarded", "throw_overflow"]
