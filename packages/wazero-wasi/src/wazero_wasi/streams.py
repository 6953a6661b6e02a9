"""Reading, writing and positions. Spec: "fd_read", "fd_pread", "fd_write", "fd_pwrite", "fd_seek", "fd_tell"."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from .dialect import Dialect
from .errnos import EBADF, EFAULT, ESUCCESS, errno_of
from .guest import (
    MAX_TRANSFER,
    U32,
    Caller,
    buffer_of,
    check,
    fail,
    gather,
    iovecs,
    offset_of,
    scatter,
    signed,
    store_u32,
    store_u64,
)
from .lookup import file_at


def fd_write(module: Caller, fd: int, iovs: int, iovs_len: int, result: int) -> int:
    """Write buffers at the position and store how many bytes were taken.

    Returns the errno itself and does by hand what the others leave to helpers: guests call nothing else so often.
    """
    try:
        entry = module.system.files.get(fd)
        if entry is None:
            return EBADF
        buffer = buffer_of(module)
        if result + 4 > len(buffer):
            return EFAULT
        U32.pack_into(buffer, result, entry.file.write(gather(buffer, iovs, iovs_len)))
    except OSError as error:
        return errno_of(error)
    return ESUCCESS


def fd_pwrite(module: Caller, fd: int, iovs: int, iovs_len: int, offset: int, result: int) -> None:
    """Write buffers at an offset and store how many bytes were taken; the position stays."""
    file = file_at(module, fd)
    buffer = buffer_of(module)
    check(buffer, result, 4)
    store_u32(buffer, result, file.pwrite(gather(buffer, iovs, iovs_len), offset_of(offset)))


def fd_read(module: Caller, fd: int, iovs: int, iovs_len: int, result: int) -> None:
    """Fill buffers from the position and store how many bytes there were; 0 is the end of the file."""
    _read(module, module.system.files[fd].file.read, iovs, iovs_len, result)


def fd_pread(module: Caller, fd: int, iovs: int, iovs_len: int, offset: int, result: int) -> None:
    """Fill buffers from an offset and store how many bytes there were; the position stays."""
    pread = file_at(module, fd).pread
    start = offset_of(offset)
    _read(module, lambda count: pread(count, start), iovs, iovs_len, result)


def _read(module: Caller, read: Callable[[int], bytes], iovs: int, iovs_len: int, result: int) -> None:
    buffer = buffer_of(module)
    check(buffer, result, 4)
    views = iovecs(buffer, iovs, iovs_len)
    data = read(min(sum(map(len, views)), len(buffer), MAX_TRANSFER))
    scatter(data, views)
    store_u32(buffer, result, len(data))


def make_fd_seek(dialect: Dialect) -> Callable[..., None]:
    """`fd_seek` with the dialect's numbers for where to count from."""
    whences = dialect.whence

    def fd_seek(module: Caller, fd: int, offset: int, whence: int, result: int) -> None:
        """Move the position and store the new one."""
        file = file_at(module, fd)
        if whence >= len(whences):
            fail(errno.EINVAL)
        buffer = buffer_of(module)
        check(buffer, result, 8)
        store_u64(buffer, result, file.seek(signed(offset), whences[whence]))

    return fd_seek


def fd_tell(module: Caller, fd: int, result: int) -> None:
    """Store the position."""
    file = file_at(module, fd)
    store_u64(buffer_of(module), result, file.seek(0, os.SEEK_CUR))
