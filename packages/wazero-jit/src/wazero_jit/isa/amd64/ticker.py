"""The ticker thread, and what wakes and stops it: see `link.ticker`. Linux system calls, no Python.

Nothing can be missed. An entry writes `Execution.depth` and then reads `TickerControl.state`; the ticker writes ASLEEP,
waits one period more, in which that write surely arrives, and then looks at all depths once again.
"""

from __future__ import annotations

from typing import Final

from wazero_jit.link.c_library import c_address
from wazero_jit.link.records import Execution
from wazero_jit.link.ticker import ASLEEP, STOPPED, TICKING, TickerControl

from .assembler import Assembler, Label
from .c_calls import field
from .encoding import (
    ADD_MI,
    CMP_MI8,
    CMP_RM,
    CMPXCHG_MR,
    INC,
    LEA,
    MOV_MI,
    MOV_OI,
    MOV_RM,
    POP,
    PUSH,
    R10,
    RAX,
    RBP,
    RBX,
    RCX,
    RDI,
    RDX,
    RET,
    RSI,
    SYSCALL,
    TEST_MR,
    XOR_RM,
    Mem,
)

# Linux, arch/x86/entry/syscalls/syscall_64.tbl and the uapi headers.
_RT_SIGPROCMASK: Final = 14
_SIG_SETMASK: Final = 2
_SIGNAL_SET_BYTES: Final = 8
_PRCTL: Final = 157
_PR_SET_NAME: Final = 15
_FUTEX: Final = 202
_FUTEX_WAIT_PRIVATE: Final = 128
_FUTEX_WAKE_PRIVATE: Final = 129

_CONTROL: Final = RBX
_IDLE_TICKS: Final = RBP
_STATE: Final = field(_CONTROL, TickerControl.state)


def ticker_routine(slot_bytes: int) -> bytes:
    """The thread's function: ``void *(TickerControl *)``. `slot_bytes` is from one `Execution` to the next."""
    a = Assembler()
    restart, tick, sleep, end = Label(), Label(), Label(), Label()
    a(PUSH(64, _CONTROL), PUSH(64, _IDLE_TICKS), MOV_RM(64, _CONTROL, RDI))
    _block_signals(a)
    _set_name(a)
    a.bind(restart)
    a(XOR_RM(32, _IDLE_TICKS, _IDLE_TICKS))
    a.bind(tick)
    _wait(a, TICKING, field(_CONTROL, TickerControl.period_seconds))
    a(CMP_MI8(32, _STATE, STOPPED))
    a.jump(end, "e")
    _interrupt_active(a, slot_bytes, restart)
    a(INC(32, _IDLE_TICKS), CMP_RM(32, _IDLE_TICKS, field(_CONTROL, TickerControl.patience)))
    a.jump(tick, "b")
    _change_state(a, TICKING, ASLEEP)
    _wait(a, ASLEEP, field(_CONTROL, TickerControl.period_seconds))
    last_look = Label()
    _interrupt_active(a, slot_bytes, last_look)
    a.bind(sleep)
    _wait(a, ASLEEP, None)
    a(CMP_MI8(32, _STATE, ASLEEP))
    a.jump(sleep, "e")
    a.jump(restart)
    a.bind(last_look)
    _change_state(a, ASLEEP, TICKING)
    a.jump(restart)
    a.bind(end)
    a(POP(64, _IDLE_TICKS), POP(64, _CONTROL), XOR_RM(32, RAX, RAX), RET(32))
    return a.finish()


def _system_call(a: Assembler, number: int) -> None:
    a(MOV_OI(32, RAX, number), SYSCALL(32))


def _block_signals(a: Assembler) -> None:
    mask = LEA(64, RSI, field(_CONTROL, TickerControl.signal_mask))
    a(MOV_OI(32, RDI, _SIG_SETMASK), mask, XOR_RM(32, RDX, RDX), MOV_OI(32, R10, _SIGNAL_SET_BYTES))
    _system_call(a, _RT_SIGPROCMASK)


def _set_name(a: Assembler) -> None:
    a(MOV_OI(32, RDI, _PR_SET_NAME), LEA(64, RSI, field(_CONTROL, TickerControl.name)))
    _system_call(a, _PRCTL)


def _wait(a: Assembler, state: int, timeout: Mem | None) -> None:
    """Until woken, the time is up or for no reason; not at all if the state is another."""
    a(LEA(64, RDI, _STATE), MOV_OI(32, RSI, _FUTEX_WAIT_PRIVATE), MOV_OI(32, RDX, state))
    a(XOR_RM(32, R10, R10) if timeout is None else LEA(64, R10, timeout))
    _system_call(a, _FUTEX)


def _change_state(a: Assembler, old: int, new: int) -> None:
    """Unless someone else has changed it."""
    a(MOV_OI(32, RAX, old), MOV_OI(32, RCX, new), CMPXCHG_MR(32, _STATE, RCX))


def _interrupt_active(a: Assembler, slot_bytes: int, any_active: Label) -> None:
    """Let wasm code poll in all threads that have some, and jump if there were any."""
    loop, following, done = Label(), Label(), Label()
    a(MOV_RM(64, RSI, field(_CONTROL, TickerControl.first)), XOR_RM(32, RDX, RDX))
    a.bind(loop)
    a(CMP_RM(64, RSI, field(_CONTROL, TickerControl.end)))
    a.jump(done, "ae")
    a(CMP_MI8(64, field(RSI, Execution.depth), 0))
    a.jump(following, "e")
    a(MOV_MI(64, field(RSI, Execution.limit), -1), MOV_OI(32, RDX, 1))
    a.bind(following)
    a(ADD_MI(64, RSI, slot_bytes))
    a.jump(loop)
    a.bind(done)
    a(TEST_MR(32, RDX, RDX))
    a.jump(any_active, "ne")


def wake_routine(control: int, ticker: int) -> bytes:
    """C function ``int (void)``: let the ticker tick; start it if need be. 0, or the error number of the start.

    `control` is the address of the `TickerControl`, `ticker` that of `ticker_routine`. The caller has the GIL.
    """
    a = Assembler()
    start, failed = Label(), Label()
    a(PUSH(64, _CONTROL), MOV_OI(64, _CONTROL, control), MOV_MI(32, _STATE, TICKING))
    a(CMP_MI8(64, field(_CONTROL, TickerControl.thread), 0))
    a.jump(start, "e")
    _wake_futex(a)
    a(XOR_RM(32, RAX, RAX), POP(64, _CONTROL), RET(32))
    a.bind(start)
    a(LEA(64, RDI, field(_CONTROL, TickerControl.thread)), XOR_RM(32, RSI, RSI), MOV_OI(64, RDX, ticker))
    a(MOV_RM(64, RCX, _CONTROL))
    a.call_address(c_address("pthread_create"))
    a(TEST_MR(32, RAX, RAX))
    a.jump(failed, "ne")
    a(POP(64, _CONTROL), RET(32))
    a.bind(failed)
    _no_thread(a)
    a(POP(64, _CONTROL), RET(32))
    return a.finish()


def stop_routine(control: int) -> bytes:
    """C function ``int (void)``: end the ticker, if there is one, and wait for it. The caller has the GIL."""
    a = Assembler()
    none = Label()
    a(PUSH(64, _CONTROL), MOV_OI(64, _CONTROL, control))
    a(CMP_MI8(64, field(_CONTROL, TickerControl.thread), 0))
    a.jump(none, "e")
    a(MOV_MI(32, _STATE, STOPPED))
    _wake_futex(a)
    a(MOV_RM(64, RDI, field(_CONTROL, TickerControl.thread)), XOR_RM(32, RSI, RSI))
    a.call_address(c_address("pthread_join"))
    _no_thread(a)
    a.bind(none)
    a(XOR_RM(32, RAX, RAX), POP(64, _CONTROL), RET(32))
    return a.finish()


def _wake_futex(a: Assembler) -> None:
    a(LEA(64, RDI, _STATE), MOV_OI(32, RSI, _FUTEX_WAKE_PRIVATE), MOV_OI(32, RDX, 1))
    _system_call(a, _FUTEX)


def _no_thread(a: Assembler) -> None:
    a(MOV_MI(64, field(_CONTROL, TickerControl.thread), 0), MOV_MI(32, _STATE, ASLEEP))
