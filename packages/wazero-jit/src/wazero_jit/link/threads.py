"""Which `Execution` belongs to which thread.

The thread's slot is kept in a `threading.local`. CPython empties that while it takes down the thread state, in whichever
way the thread ends; so the slot's destructor runs then, before the address of the thread state can be used again.
"""

from __future__ import annotations

import ctypes
import itertools
import threading
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, Final, final

from wazero_jit.memory import system

from .records import CELL_SHIFT, CELLS, Execution, ExecutionCell
from .stack import is_initial_thread, stack_limit
from .ticker import TickerControl

SLOT_BYTES: Final = 256
"""From one `Execution` to the next: whole cache lines, so that threads share none."""
MAX_THREADS: Final = 4096
_SLOTS_OFFSET: Final = 4096
"""Where the slots start, behind `_Shared`."""
_ENDED_THREADS: Final = 1024
"""How many ended threads are remembered; needed only while they still run their last destructors."""
_CELL_WORDS: Final = ctypes.sizeof(ExecutionCell) // ctypes.sizeof(ctypes.c_uint64)


def _c_function(name: str, result: Any, *arguments: Any) -> Any:
    function = ctypes.pythonapi[name]
    function.restype, function.argtypes = result, arguments
    return function


_thread_state = _c_function("PyThreadState_Get", ctypes.c_void_p)
_thread_state_id = _c_function("PyThreadState_GetID", ctypes.c_uint64, ctypes.c_void_p)
_interpreter = _c_function("PyInterpreterState_Get", ctypes.c_void_p)
_interpreter_id = _c_function("PyInterpreterState_GetID", ctypes.c_int64, ctypes.c_void_p)


def refuse_subinterpreter() -> str | None:
    """None in the main interpreter, else one sentence."""
    if _interpreter_id(_interpreter()) == 0:
        return None
    return "the native engine runs in the main interpreter only, and this is a sub-interpreter."


@final
class _Shared(ctypes.Structure):
    """What machine code looks at, besides the slots behind it."""

    _fields_ = (("cells", ExecutionCell * CELLS), ("ticker", TickerControl))


assert ctypes.sizeof(Execution) <= SLOT_BYTES
assert ctypes.sizeof(_Shared) <= _SLOTS_OFFSET


@final
class _Slot:
    """A thread's hold on its `Execution`; given back when this object goes."""

    __slots__ = ("_executions", "execution", "thread_id", "thread_state")

    def __init__(self, executions: Executions) -> None:
        self._executions = executions
        self.thread_state: int = _thread_state()
        self.thread_id: int = _thread_state_id(self.thread_state)
        """CPython's number of the thread state, which unlike its address is never used again."""
        self.execution = executions.take(self.thread_id)

    def __del__(self) -> None:
        if hasattr(self, "execution"):
            self._executions.give_back(self.execution, self.thread_state, self.thread_id)


@final
class Executions:
    """All threads that run wasm, and the memory that machine code looks at for it, which is never unmapped.

    Daemon threads may run wasm until the process is gone, when no Python object is left.
    """

    def __init__(self) -> None:
        size = _SLOTS_OFFSET + MAX_THREADS * SLOT_BYTES
        address = system.reserve(size)
        system.commit(address, size)
        self._shared = _Shared.from_address(address)
        self.cells: int = ctypes.addressof(self._shared.cells)
        """Address of the cells in which entries look for their thread's execution."""
        self.ticker: TickerControl = self._shared.ticker
        self.ticker.first = self.ticker.end = self._first = address + _SLOTS_OFFSET
        self._cell_words = system.view(self.cells, CELLS * ctypes.sizeof(ExecutionCell)).cast("Q")
        self._poll = 0
        self._traps: Sequence[int] = ()
        self._known: dict[int, Execution] = {}
        """By address: all slots that ever had a thread."""
        self._owners: dict[int, int] = {}
        """`_Slot.thread_id` by the address of the slot."""
        self._fresh = itertools.count()
        self._free: list[int] = []
        """Addresses of those that have none now. Filled by destructors, which run anywhere and so must not wait."""
        self._lock = threading.RLock()
        self._local = threading.local()
        self._met: dict[int, None] = {}
        """`_Slot.thread_id`s of threads that have a slot, or had one not long ago."""
        self._ended: deque[int] = deque()
        """Those of them that have ended."""

    def install(self, poll: int, traps: Sequence[int]) -> None:
        """Set the addresses of the routines in `Execution`. Before the first thread enters."""
        assert not self._known
        self._poll = poll
        self._traps = traps

    # Slots

    def current(self) -> Execution:
        """Of the calling thread. Raises RuntimeError if there are too many threads or this one is ending, or OSError."""
        return self._slot().execution

    def _slot(self) -> _Slot:
        values: dict[str, _Slot] = self._local.__dict__
        slot = values.get("slot")
        return slot if slot is not None else self._new_slot(values)

    def _new_slot(self, values: dict[str, _Slot]) -> _Slot:
        if _thread_state_id(_thread_state()) in self._met:
            # Its thread-local values are gone or going, and it is running a destructor. A slot that it got now would
            # never come back, and its cell would be found by the next thread whose state has the same address.
            raise RuntimeError("the thread is ending and cannot run WebAssembly any more")
        # A signal handler may have got a slot for this thread in the meantime; then that one stays.
        slot = values.setdefault("slot", _Slot(self))
        self._met[slot.thread_id] = None
        return slot

    def take(self, thread_id: int) -> Execution:
        """A slot that no other thread has, set up for the calling one. Raises RuntimeError or OSError. For `_Slot`."""
        limit = stack_limit()
        with self._lock:
            execution = self._vacant()
            end = ctypes.addressof(execution) + SLOT_BYTES
            # No `max`: at a call, a signal handler could get the next slot for this thread.
            if self.ticker.end < end:  # noqa: PLR1730
                self.ticker.end = end
        execution.poll = self._poll
        execution.traps[:] = self._traps
        execution.limit = execution.stack_limit = limit
        # Either may be wrong where Python is embedded. Who is taken for the main thread wrongly loses a little time.
        execution.is_main = threading.get_ident() == threading.main_thread().ident or is_initial_thread()
        execution.is_used = 1
        self._owners[ctypes.addressof(execution)] = thread_id
        return execution

    def _vacant(self) -> Execution:
        try:
            return self._known[self._free.pop()]
        except IndexError:
            pass
        index = next(self._fresh)
        if index >= MAX_THREADS:
            raise RuntimeError(f"more than {MAX_THREADS} threads run WebAssembly")
        address = self._first + index * SLOT_BYTES
        execution = self._known[address] = Execution.from_address(address)
        return execution

    def give_back(self, execution: Execution, thread_state: int, thread_id: int) -> None:
        """The thread ends, or has another slot. For `_Slot`."""
        address = ctypes.addressof(execution)
        words, start = self._cell_words, _cell_start(thread_state)
        if words[start : start + _CELL_WORDS].tolist() == [thread_state, address]:
            words[start : start + _CELL_WORDS] = _EMPTY_CELL
        self._ended.append(thread_id)
        if len(self._ended) > _ENDED_THREADS:
            self._met.pop(self._ended.popleft(), None)
        # CPython takes down the states of daemon threads when it ends, though their wasm code goes on until the process
        # is gone: leave them their slots. In the child of a fork, `keep_only_current` frees those.
        if not execution.depth and self._owners.get(address) == thread_id:
            self._vacate(execution)

    def _vacate(self, execution: Execution) -> None:
        address = ctypes.addressof(execution)
        del self._owners[address]
        _reset(execution)
        self._free.append(address)

    # Entries

    def enter_thread(self) -> None:
        """Fill the calling thread's cell. Raises as `current` does.

        Another thread may overwrite the cell whenever the GIL changes hands, so that entries look into it again.
        """
        slot = self._slot()
        self._met[slot.thread_id] = None
        start = _cell_start(slot.thread_state)
        cell = array("Q", (slot.thread_state, ctypes.addressof(slot.execution)))
        self._cell_words[start : start + _CELL_WORDS] = cell  # in one step, so that no thread sees half of it

    def active(self) -> Iterator[Execution]:
        """Those of threads that are in wasm code, or in host code that it called."""
        return (execution for execution in list(self._known.values()) if execution.depth)

    @property
    def thread_count(self) -> int:
        """How many threads have a slot."""
        return len(self._owners)

    def keep_only_current(self) -> None:
        """The process was forked, and this is the child: the calling thread is its only one."""
        self._lock = threading.RLock()
        self._cell_words[:] = array("Q", bytes(CELLS * ctypes.sizeof(ExecutionCell)))
        slot = self._local.__dict__.get("slot")
        for address in list(self._owners):
            if slot is None or address != ctypes.addressof(slot.execution):
                self._vacate(self._known[address])
        if slot is not None:
            slot.execution.is_main = 1


_EMPTY_CELL: Final = array("Q", bytes(ctypes.sizeof(ExecutionCell)))


def _cell_start(thread_state: int) -> int:
    """Position in the cells' words; see `records.CELL_SHIFT`."""
    return (thread_state >> CELL_SHIFT & CELLS - 1) * _CELL_WORDS


def _reset(execution: Execution) -> None:
    """Nothing is running, and no thread has it."""
    execution.depth = execution.entry_stack = execution.thread_state = execution.deadline = 0
    execution.attention = execution.ticks = execution.is_main = execution.is_used = 0
