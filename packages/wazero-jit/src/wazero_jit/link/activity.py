"""Wasm code of all threads while it runs: put together from `threads`, `ticker`, `interrupts`, `faults` and `hooks`."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, final

from wazero_api import TrapKind
from wazero_api.record import record
from wazero_jit.memory.linear import ENVELOPE

from .callbacks import SharedWords
from .faults import AddressRange, FaultHandlers, FaultTargets
from .hooks import ProcessHooks
from .interrupts import Check, Interrupts
from .records import TRAPS, Execution
from .threads import SLOT_BYTES, Executions
from .ticker import Ticker, TickerControl
from .trampolines import CodeBlock, CodeSpace, Routines

if TYPE_CHECKING:
    from .frames import StackWalker
    from .stack_requests import StackRequests


@final
@record
class ActivityWriters:
    """Makers of machine code, one set per ISA. All code can be put anywhere; described where an ISA implements them."""

    poll: Callable[[Check, int], bytes]
    """(attend, `Routines.host_error`)"""
    ticker: Callable[[int], bytes]
    """(slot bytes)"""
    wake: Callable[[int, int], bytes]
    """(address of the `TickerControl`, of the ticker)"""
    stop: Callable[[int], bytes]
    """(address of the `TickerControl`)"""
    fault_handler: Callable[[int, FaultTargets], bytes]
    """(address of the handler that it replaces, …)"""


class WasmSpace(CodeSpace, Protocol):
    """Where all wasm functions are, and some space for other code."""

    low: int
    high: int


@final
class Activity:
    """One per process."""

    def __init__(self, writers: ActivityWriters) -> None:
        self._writers = writers
        self._blocks: list[CodeBlock] = []
        self._executions = Executions()
        self._interrupts = Interrupts(self._executions)
        self._attend = self._interrupts.attend
        """Referred to by machine code."""
        self._code = AddressRange()
        control = self._executions.ticker
        self._control = ctypes.addressof(control)
        self.words = SharedWords(self._executions.cells, self._control + TickerControl.state.offset)
        self._wants_faults = False

    def start(self, routines: Routines, space: WasmSpace) -> None:
        """Once, before any entry is called. Raises OSError if the system refuses signal handlers."""
        write = self._writers
        poll = self._place(space, write.poll(self._attend, routines.host_error))
        self._executions.install(poll, routines.traps)
        ticker = self._place(space, write.ticker(SLOT_BYTES))
        self._ticker = Ticker(
            self._executions.ticker,
            wake=self._place(space, write.wake(self._control, ticker)),
            stop=self._place(space, write.stop(self._control)),
        )
        ProcessHooks(self._executions, self._ticker)
        self._code.low, self._code.high = space.low, space.high
        targets = FaultTargets(
            code=ctypes.addressof(self._code),
            envelope=ctypes.addressof(ENVELOPE),
            trap=routines.traps[TRAPS.index(TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS)],
        )
        self._faults = FaultHandlers(
            lambda replaced: write.fault_handler(replaced, targets), lambda code: self._place(space, code)
        )

    def _place(self, space: CodeSpace, code: bytes) -> int:
        block = space.allocate(len(code))
        block.write(0, code)
        self._blocks.append(block)
        return block.address

    # Callbacks. They come seldom, so this is where to look whether faulthandler, say, was enabled in the meantime.

    def enter_thread(self) -> None:
        """See `Callbacks.enter_thread`."""
        self._look_after_faults()
        self._executions.enter_thread()  # last: other threads may overwrite the cell whenever they run

    def wake(self) -> None:
        """See `Callbacks.wake`."""
        self._ticker.wake()
        self._look_after_faults()

    def catch_faults(self) -> None:
        """See `FaultHandlers.ensure_installed`. To be called at each instantiation."""
        self._wants_faults = True
        self._look_after_faults()

    def _look_after_faults(self) -> None:
        if self._wants_faults:
            self._faults.ensure_installed()

    def current(self) -> Execution:
        """See `Executions.current`."""
        return self._executions.current()

    def add_check(self, check: Check) -> None:
        """See `Interrupts.checks`."""
        self._interrupts.checks.append(check)

    def deadline(self, seconds: float) -> AbstractContextManager[None]:
        """See `Interrupts.deadline`."""
        return self._interrupts.deadline(seconds)

    def remaining(self) -> float | None:
        """See `Interrupts.remaining`."""
        return self._interrupts.remaining()

    def stack_requests(self, walker: StackWalker) -> StackRequests:
        """New ones, which the threads look at from now on."""
        from .stack_requests import StackRequests  # only for profiles

        requests = StackRequests(self._executions, walker)
        self.add_check(requests.answer)
        return requests

    def interrupt_all(self) -> None:
        """See `Interrupts.interrupt_all`."""
        self._interrupts.interrupt_all()

    def is_entering(self) -> bool:
        """See `Interrupts.is_entering`."""
        return self._interrupts.is_entering()

    def is_idle(self) -> bool:
        """See `Interrupts.is_idle`."""
        return self._interrupts.is_idle()
