"""What trampolines call in Python, and the words of memory that they look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, final

from wazero_api.record import record


@final
@record
class Callbacks:
    """Callables by role. All are called with the GIL held; where wasm code runs below, with its frames on the stack.

    `pc` is the address behind the call in the innermost wasm function, `sp` the stack pointer there after the call, and
    `context` the address of the context that ran last: that of the innermost function, or of what this has called.
    """

    to_native: Callable[[Any, int], int]
    """(value, kind): the raw unsigned 64-bit int. Called when machine code cannot tell; raises TypeError and others."""
    from_native: Callable[[int, int], Any]
    """(raw, kind): the object of a reference that is not null, or of a NaN."""
    unpack: Callable[[Any, int], tuple[Any, ...]]
    """(result, count): an exact tuple of `count` items, or raises: a host function gave something else for several."""
    wrong_count: Callable[[Any, int], object]
    """(target, given): raises TypeError. `target` is an `EntryTarget`."""
    too_deep: Callable[[], object]
    """Raises ExhaustionError: calls between host and guest are nested too deep, or there is little stack left."""
    enter_thread: Callable[[], object]
    """Fills the `ExecutionCell` of this thread, or raises."""
    wake: Callable[[], object]
    """Wakes the ticker."""
    raise_trap: Callable[[int, int, int, int], object]
    """(position in `records.TRAPS`, pc, sp, context): raises."""
    annotate: Callable[[BaseException, int, int, int], BaseException | None]
    """(error, pc, sp, context): an exception leaves wasm code. Gives another to raise in its place, or None."""
    raise_closed: Callable[[Any], object]
    """(owner): raises. `owner` is that of the context whose function is called."""


@final
@record
class SharedWords:
    """Addresses of memory that other parts write and that never moves."""

    cells: int
    """`records.CELLS` cells of `records.ExecutionCell`."""
    ticker_asleep: int
    """32 bits; not 0: `Callbacks.wake` must be called before wasm code runs."""


NESTING_LIMIT: Final = 200
"""Entries of one thread that may be active inside one another: each takes C stack for the Python code between."""
