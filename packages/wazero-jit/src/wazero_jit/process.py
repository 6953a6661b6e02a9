"""What the engines of one process share: executable memory, trampolines, and the state of its threads.

The C stack, signals and the GIL belong to the process, and so does this. Made when the first engine is.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Final, NoReturn, final

from wazero_api import (
    ExhaustionError,
    ExitError,
    FunctionType,
    StackTaker,
    Trap,
    TrapKind,
    WazeroBug,
    WazeroError,
    format_frames,
)

from .isa.interface import Isa
from .isa.native import native_isa
from .link.activity import Activity
from .link.builtin import Function, wrong_count
from .link.callbacks import NESTING_LIMIT, Callbacks
from .link.code_map import CodeMap
from .link.conversions import Conversions, ReferenceKeeper, unpack
from .link.frames import StackWalker
from .link.records import TRAPS, FunctionRecord
from .link.sweeping import Sweeper
from .link.trampolines import Trampolines
from .link.weak import WeakRegistry
from .memory import forks
from .memory.executable import CodeBlock, ExecutableSpace

if TYPE_CHECKING:
    from .link.stack_requests import StackRequests

_TRAMPOLINE_BYTES: Final = 64 << 20
_GUEST_ENTRIES: Final = 2
"""Nested entries from which on a RecursionError is the guest's fault, and not the host function's own."""


@final
class Process:
    """Use `the_process`."""

    def __init__(self) -> None:
        self.functions_space = ExecutableSpace()
        self.code_map = CodeMap()
        self.owners: WeakRegistry[Any] = WeakRegistry()
        """`Instance`s and `HostTarget`s by the addresses of their contexts."""
        self.conversions = Conversions(self._function_at, ReferenceKeeper())
        self._walker = StackWalker(self.code_map, self.owners)
        self._stack_requests: StackRequests | None = None
        self._type_ids: dict[FunctionType, int] = {}
        self._isas: dict[bool, Isa] = {}
        self.native = native_isa()
        self.activity = Activity(self.native.activity)
        space = ExecutableSpace(_TRAMPOLINE_BYTES)
        self.trampolines = Trampolines(space, self.native.trampolines, self._callbacks(), self.activity.words)
        self._bulk = [_placed(space, code) for code in (self.native.memory_copy(), self.native.memory_fill())]
        self.memory_copy, self.memory_fill = [block.address for block in self._bulk]
        self.activity.start(self.trampolines.routines, self.functions_space)
        self.activity.add_check(self._raise_if_closed)
        self.sweeper = Sweeper(self.conversions.keeper, self.activity.is_entering)

    def _callbacks(self) -> Callbacks:
        return Callbacks(
            to_native=self.conversions.to_native,
            from_native=self.conversions.from_native,
            unpack=unpack,
            wrong_count=wrong_count,
            too_deep=self._too_deep,
            enter_thread=self.activity.enter_thread,
            wake=self.activity.wake,
            raise_trap=self._raise_trap,
            annotate=self._annotate,
            raise_closed=_raise_closed,
        )

    def isa(self, guarded: bool) -> Isa:
        """What makes machine code here."""
        isa = self._isas.get(guarded)
        if isa is None:
            isa = self._isas.setdefault(guarded, self.native.new_isa(guarded))
        return isa

    def type_id(self, type: FunctionType) -> int:
        """Equal types have equal ids."""
        return self._type_ids.setdefault(type, len(self._type_ids) + 1)

    def _function_at(self, record: int) -> Function:
        context = ctypes.c_uint64.from_address(record + FunctionRecord.context.offset).value
        function: Function = self.owners[context].function_at(record)
        return function

    def take_stacks(self, take: StackTaker, *, only_caller: bool) -> None:
        """See `wazero_api.Engine.take_stacks`."""
        if self._stack_requests is None:
            self._stack_requests = self.activity.stack_requests(self._walker)
        self._stack_requests.add(take, only_caller=only_caller)

    # Called by machine code

    def _raise_trap(self, position: int, pc: int, sp: int, context: int) -> NoReturn:
        frames = self._walker.frames(pc, sp, context)
        kind = TRAPS[position]
        raise ExhaustionError(frames) if kind is TrapKind.CALL_STACK_EXHAUSTED else Trap(kind, frames)

    def _too_deep(self) -> NoReturn:
        if self.activity.current().depth < NESTING_LIMIT:
            raise ExhaustionError
        raise ExhaustionError((), f"(more than {NESTING_LIMIT} calls between host and guest inside one another)")

    def _annotate(self, error: BaseException, pc: int, sp: int, context: int) -> BaseException | None:
        if isinstance(error, ExitError):
            return None  # nobody asks where a guest ended itself
        frames = self._walker.frames(pc, sp, context)
        if isinstance(error, Trap):
            error.frames += frames
        elif isinstance(error, RecursionError) and self.activity.current().depth >= _GUEST_ENTRIES:
            return ExhaustionError(frames)
        elif frames and not isinstance(error, WazeroError):
            error.add_note(format_frames(frames))
        return None

    def _raise_if_closed(self, pc: int, sp: int, context: int) -> None:
        """Raises ExitError if code of a closed instance is running below."""
        for _, instance in self._walker.places(pc, sp, context):
            if instance is not None:
                instance.raise_if_closed()


def _placed(space: ExecutableSpace, code: bytes) -> CodeBlock:
    block = space.allocate(len(code))
    block.write(0, code)
    return block


def _raise_closed(owner: Any) -> NoReturn:
    owner.raise_if_closed()
    raise WazeroBug("a function of an open instance was replaced as if it were closed")


_lock: Final = forks.new_lock()
_the_process: Process | None = None


def the_process() -> Process:
    """The only one; it stays for ever."""
    global _the_process  # noqa: PLW0603 - there is one C stack, one GIL, one table of signal handlers
    with _lock:
        if _the_process is None:
            _the_process = Process()
            # When Python ends, daemon threads may still be running machine code.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(_the_process))
        return _the_process
