"""What machine code uses of the C library."""

from __future__ import annotations

import ctypes


def c_address(name: str) -> int:
    """Address of a function. Raises AttributeError if there is none with that name."""
    address = ctypes.cast(ctypes.CDLL(None)[name], ctypes.c_void_p).value
    assert address is not None, name
    return address
