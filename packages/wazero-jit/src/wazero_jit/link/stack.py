"""How far wasm frames may go down the C stack of a thread."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from typing import Any, Final

_MARGIN_BYTES: Final = 4 << 20
"""Kept free below wasm frames, for the C and Python code that they call and for signal handlers. CPython lets C code
nest thousands of calls and thinks that there is room for them: measured, ``repr`` of nested lists takes up to 2 MiB on
3.13 before RecursionError, and ``sorted`` with itself as key between 2 and 4 MiB on all versions."""
_INITIAL_THREAD_BYTES: Final = 64 << 20
"""The most that is used of the process's initial stack. It has no fixed size: it grows on demand up to a limit that may
be "unlimited", but only while nothing else is mapped below. Linux keeps 128 MiB free there, whatever the limit."""
_ATTRIBUTES_BYTES: Final = 256
"""More than sizeof(pthread_attr_t), which is 56 on amd64 and 64 on arm64."""


def _library() -> Any:
    """The C library with prototypes; None where there is no such thing. Calls keep the GIL: they are short."""
    if sys.platform != "linux":
        return None
    library = ctypes.PyDLL(None)
    library.pthread_self.restype = ctypes.c_ulong
    library.pthread_getattr_np.argtypes = (ctypes.c_ulong, ctypes.c_void_p)
    library.pthread_attr_getstack.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
    library.pthread_attr_destroy.argtypes = (ctypes.c_void_p,)
    return library


_C: Final = _library()


def stack_bounds() -> tuple[int, int]:
    """Lowest address and end of the calling thread's stack, without its guard pages.

    For the initial thread the lowest address follows from RLIMIT_STACK. Raises OSError if the system does not tell,
    such as without /proc.
    """
    attributes = ctypes.create_string_buffer(_ATTRIBUTES_BYTES)
    low, size = ctypes.c_size_t(), ctypes.c_size_t()
    error = _C.pthread_getattr_np(_C.pthread_self(), attributes)
    if error:
        raise OSError(error, f"cannot find out the bounds of the thread's stack: {os.strerror(error)}")
    _C.pthread_attr_getstack(attributes, ctypes.byref(low), ctypes.byref(size))
    _C.pthread_attr_destroy(attributes)
    return low.value, low.value + size.value


def is_initial_thread() -> bool:
    """Whether the process began with the calling thread, or as the child of a fork that it made."""
    return threading.get_native_id() == os.getpid()


def stack_limit() -> int:
    """The lowest address that wasm frames of the calling thread may use. Raises OSError as `stack_bounds` does."""
    low, end = stack_bounds()
    if is_initial_thread():
        low = max(low, end - _INITIAL_THREAD_BYTES)
    return low + min(_MARGIN_BYTES, (end - low) // 2)
