"""The ticker: a thread without Python that asks all running wasm code to poll, 200 times a second."""

from __future__ import annotations

import ctypes
import os
from typing import Any, Final, final

TICKING: Final = 0
ASLEEP: Final = 1
"""Waiting to be woken, or not there at all."""
STOPPED: Final = 2
"""Ending."""

PERIOD_NANOSECONDS: Final = 5_000_000
PATIENCE: Final = 200
"""Ticks without running wasm code after which the ticker goes to sleep."""

_NO_SIGNALS: Final = ~(1 << 31 | 1 << 32) & (1 << 64) - 1
"""Signal mask: all but 32 and 33, with which the C library tells every thread of setuid and cancellation, and waits."""


@final
class TickerControl(ctypes.Structure):
    """What the ticker's routines share with entries and with `Ticker`."""

    _fields_ = (
        ("state", ctypes.c_uint32),
        # TICKING, ASLEEP or STOPPED; a futex. Entries look whether it is 0.
        ("patience", ctypes.c_uint32),
        ("period_seconds", ctypes.c_int64),
        ("period_nanoseconds", ctypes.c_int64),
        # The two are a struct timespec.
        ("signal_mask", ctypes.c_uint64),
        ("thread", ctypes.c_uint64),
        # pthread_t; 0 if there is no thread.
        ("first", ctypes.c_uint64),
        # Address of the first slot with an `Execution`.
        ("end", ctypes.c_uint64),
        # Behind the last slot that was ever used.
        ("name", ctypes.c_char * 16),
        # Of the thread, for `top -H` and debuggers.
    )


@final
class Ticker:
    """Wakes and stops the thread. Each is one step as far as Python can tell, so signal handlers may call them as well."""

    def __init__(self, control: TickerControl, wake: int, stop: int) -> None:
        """`wake` and `stop` are the addresses of the routines with these names."""
        control.state = ASLEEP
        control.patience = PATIENCE
        control.period_nanoseconds = PERIOD_NANOSECONDS
        control.signal_mask = _NO_SIGNALS
        control.name = b"wazero-ticker"
        self._control = control
        # Such functions keep the GIL.
        self._wake: Any = ctypes.PYFUNCTYPE(ctypes.c_int)(wake)
        self._stop: Any = ctypes.PYFUNCTYPE(ctypes.c_int)(stop)

    @property
    def is_asleep(self) -> bool:
        """Whether `wake` must be called before wasm code runs."""
        return bool(self._control.state)

    def wake(self) -> None:
        """See `Callbacks.wake`. Raises RuntimeError if there has to be a new thread and the system refuses it."""
        error = self._wake()
        if error:
            raise RuntimeError(f"cannot start the thread that interrupts WebAssembly: {os.strerror(error)}")

    def stop(self) -> None:
        """End the thread, if there is one, and wait until it is gone: some microseconds."""
        self._stop()

    def forget(self) -> None:
        """The process was forked, and this is the child, which has no such thread."""
        self._control.thread = 0
        self._control.state = ASLEEP
