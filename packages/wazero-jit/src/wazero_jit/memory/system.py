"""Address space from the operating system. All that differs between systems is in this file; so far that is Linux.

Addresses and sizes are in bytes and multiples of the system's page. All functions raise `RefusedError`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from typing import Any, Final

_PROT_NONE: Final = 0
_PROT_READ: Final = 1
_PROT_WRITE: Final = 2
_PROT_EXEC: Final = 4
_MAP_SHARED: Final = 0x01
_MAP_PRIVATE: Final = 0x02
_MAP_FIXED: Final = 0x10
_MAP_ANONYMOUS: Final = 0x20
_MAP_NORESERVE: Final = 0x4000
_MAP_FAILED: Final = ctypes.c_void_p(-1).value
_MFD_CLOEXEC: Final = 1
_MFD_NOEXEC_SEAL: Final = 8
"""Since Linux 6.3: the file cannot be run as a program, which vm.memfd_noexec=2 insists on. Mapping it is not affected."""

_LONG_BYTES: Final = 64 << 20
"""From this size on, giving pages back can take so long (tens of milliseconds) that other threads should run."""


class RefusedError(OSError):
    """The system does not give what was asked for; nothing has changed. Not what a signal handler could raise."""


def _library(kind: type[ctypes.CDLL]) -> Any:
    """The C library with the prototypes of what is used here; None on systems that are not supported."""
    if sys.platform != "linux":
        return None
    library = kind(None, use_errno=True)
    address, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    library.mmap.argtypes = (address, size, number, number, number, ctypes.c_long)
    library.mmap.restype = ctypes.c_void_p
    library.mprotect.argtypes = (address, size, number)
    library.munmap.argtypes = (address, size)
    return library


# These calls take microseconds. Releasing the GIL for them could cost milliseconds, until a busy thread gives it back.
_C: Final = _library(ctypes.PyDLL)
_C_WITHOUT_GIL: Final = _library(ctypes.CDLL)

_ALL_BYTES: Final = ctypes.c_ubyte * (1 << 32)
"""One type for all views, cut to size afterwards: making a ctypes array type per size is slow."""


def unsupported() -> str | None:
    """None if this file knows the system, else one sentence."""
    if _C is None:
        return f"native memory is implemented for Linux only, and this is {sys.platform}."
    if ctypes.sizeof(ctypes.c_void_p) != 8:
        return "native memory needs a 64-bit Python."
    return None


def _check(failed: bool) -> None:
    if failed:
        number = ctypes.get_errno()
        raise RefusedError(number, os.strerror(number))


def _map(address: int | None, size: int, protection: int, flags: int, fd: int = -1, library: Any = _C) -> int:
    result: int = library.mmap(address, size, protection, flags, fd, 0)
    _check(result == _MAP_FAILED)
    return result


def reserve(size: int) -> int:
    """Address space that nobody else gets and where every access faults; it costs no memory. Returns its address."""
    # No MAP_NORESERVE: the system shall count pages when they are committed, so that it can refuse a memory.grow.
    return _map(None, size, _PROT_NONE, _MAP_PRIVATE | _MAP_ANONYMOUS)


def commit(address: int, size: int) -> None:
    """Make reserved pages readable and writable. Pages that were never committed, or decommitted, are zero."""
    _check(_C.mprotect(address, size, _PROT_READ | _PROT_WRITE) != 0)


def decommit(address: int, size: int) -> None:
    """Give the pages back and keep the address space, as `reserve` left it. Right for mapped files too."""
    flags = _MAP_PRIVATE | _MAP_ANONYMOUS | _MAP_FIXED | _MAP_NORESERVE
    _map(address, size, _PROT_NONE, flags, library=_C if size < _LONG_BYTES else _C_WITHOUT_GIL)


def release(address: int, size: int) -> None:
    """Give address space back. Decommit what may be large first: this holds the GIL."""
    _check(_C.munmap(address, size) != 0)


def shared_pages(size: int) -> int:
    """Zeroed memory that can be mapped several times, as a file descriptor. It lasts while that or a mapping does."""
    try:
        try:
            fd = os.memfd_create("wazero-code", _MFD_CLOEXEC | _MFD_NOEXEC_SEAL)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            fd = os.memfd_create("wazero-code", _MFD_CLOEXEC)
        try:
            os.ftruncate(fd, size)
        except OSError:
            os.close(fd)
            raise
    except OSError as error:
        raise RefusedError(error.errno, error.strerror) from None
    return fd


def map_writable(fd: int, size: int, address: int | None = None) -> int:
    """Map shared pages to be read and written; at `address`, in place of what is there, or anywhere."""
    flags = _MAP_SHARED if address is None else _MAP_SHARED | _MAP_FIXED
    return _map(address, size, _PROT_READ | _PROT_WRITE, flags, fd)


def map_executable(fd: int, size: int, address: int) -> None:
    """Map shared pages to be read and run, at `address`, in place of what is there."""
    _map(address, size, _PROT_READ | _PROT_EXEC, _MAP_SHARED | _MAP_FIXED, fd)


def view(address: int, size: int) -> memoryview:
    """Bytes at an address, writable, format "B"; at most 4 GiB.

    The view's `obj` can be weakly referenced, and lives exactly as long as the view or anything made from it.
    """
    return memoryview(_ALL_BYTES.from_address(address)).cast("B")[:size]
