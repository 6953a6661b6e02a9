"""Keeping a handler for memory faults installed, among others that want these signals too.

Each installation gets a handler of its own, a copy that knows whom it replaced. If somebody puts a handler in front of
ours which passes signals on to ours, and we then go in front of that, three handlers are in a row; with a single copy,
two would pass a foreign fault to each other for ever.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Final, final

from wazero_api.record import record

from .c_library import c_address

SIG_DFL: Final = 0
SIG_IGN: Final = 1
_SA_SIGINFO: Final = 0x0000_0004
_SA_ONSTACK: Final = 0x0800_0000
_SA_NODEFER: Final = 0x4000_0000
_SIGNAL_SET_WORDS: Final = 16


@final
class SignalAction(ctypes.Structure):
    """The C library's struct sigaction, on 64-bit Linux."""

    _fields_ = (
        ("handler", ctypes.c_uint64),
        ("mask", ctypes.c_uint64 * _SIGNAL_SET_WORDS),
        ("flags", ctypes.c_uint32),
        ("restorer", ctypes.c_uint64),
    )
    handler: int
    flags: int


@final
class AddressRange(ctypes.Structure):
    """[low, high). `memory.GuardEnvelope` has the same fields."""

    _fields_ = (("low", ctypes.c_uint64), ("high", ctypes.c_uint64))
    low: int
    high: int


_DEFAULT_ACTION: Final = SignalAction(handler=SIG_DFL)


@final
@record
class FaultTargets:
    """Addresses of what the handler looks at or goes to. All must last as long as the process."""

    code: int
    """`AddressRange` of wasm code: only faults there are ours."""
    envelope: int
    """`AddressRange` of what may be accessed wrongly."""
    trap: int
    """The trap routine for OUT_OF_BOUNDS_MEMORY_ACCESS."""
    sigaction: int = c_address("sigaction")
    raise_signal: int = c_address("raise")
    default_action: int = ctypes.addressof(_DEFAULT_ACTION)


def _library() -> Any:
    if sys.platform != "linux":
        return None
    library = ctypes.PyDLL(None, use_errno=True)
    action = ctypes.POINTER(SignalAction)
    library.sigaction.argtypes = (ctypes.c_int, action, action)
    return library


_C: Final = _library()


def _sigaction(number: int, action: SignalAction | None) -> SignalAction:
    """Set the action, unless None; what it was. Raises OSError."""
    old = SignalAction()
    if _C.sigaction(number, action, old):
        error = ctypes.get_errno()
        raise OSError(error, f"sigaction: {os.strerror(error)}")
    return old


@final
class FaultHandlers:
    """One per process. Handlers are never removed: another may have remembered them."""

    def __init__(self, write: Callable[[int], bytes], place: Callable[[bytes], int]) -> None:
        """`write` gives the machine code of a handler that replaces the one at an address, SIG_DFL or SIG_IGN.

        `place` puts code into executable memory where it stays for ever, and gives its address.
        """
        self._write = write
        self._place = place
        self._ours: set[int] = set()

    def ensure_installed(self) -> None:
        """Go in front of whoever handles these signals, if that is not us. Costs a microsecond then. Raises OSError."""
        for number in (signal.SIGSEGV, signal.SIGBUS):
            current = _sigaction(number, None)
            while current.handler not in self._ours:
                ours = self._action(current)
                self._ours.add(ours.handler)
                replaced = _sigaction(number, ours)
                if replaced.handler == current.handler:
                    break
                current = replaced  # another thread was faster; if it was one of ours, that serves as well

    def _action(self, replaced: SignalAction) -> SignalAction:
        """The action of a handler in front of another.

        On the alternate stack if the thread has one, as it may be a stack overflow that is passed on. While the other
        runs, those signals are blocked that it asked for: faulthandler, for one, raises the signal again from within.
        """
        flags = _SA_SIGINFO | _SA_ONSTACK | replaced.flags & _SA_NODEFER
        handler = self._place(self._write(replaced.handler))
        return SignalAction(handler=handler, mask=replaced.mask, flags=flags)
