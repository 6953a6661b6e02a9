"""Reading, writing and positions. Spec: "fd_read", "fd_pread", "fd_write", "fd_pwrite", "fd_seek", "fd_tell"."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import partial
from typing import Final

from .dialect import Dialect
from .errnos import EBADF, EFAULT, ENOTCAPABLE, ESUCCESS, errno_of
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
from .lookup import entry_at, file_at
from .rights import Rights

_FD_WRITE: Final = int(Rights.FD_WRITE)


def fd_write(module: Caller, fd: int, iovs: int, iovs_len: int, result: int) -> int:
    """Write buffers at the position and store how many bytes were taken.

    Returns the errno itself and does by hand what the others leave to helpers: guests call nothing else so often.
    """
    try:
        system = module.system
        entry = system.files.get(fd)
        if entry is None:
            return EBADF
        if entry.extra is not None and entry.extra.dropped & _FD_WRITE:
            return ENOTCAPABLE
        buffer = buffer_of(module)
        if result + 4 > len(buffer):
            return EFAULT
        data = gather(buffer, iovs, iovs_len)
        count = system.write(entry, data) if entry.can_wait else entry.file.write(data)
        U32.pack_into(buffer, result, count)
    except OSError as error:
        return errno_of(error)
    return ESUCCESS


def fd_pwrite(module: Caller, fd: int, iovs: int, iovs_len: int, offset: int, result: int) -> None:
    """Write buffers at an offset and store how many bytes were taken; the position stays."""
    file = file_at(module, fd, Rights.FD_WRITE | Rights.FD_SEEK)
    buffer = buffer_of(module)
    check(buffer, result, 4)
    store_u32(buffer, result, file.pwrite(gather(buffer, iovs, iovs_len), offset_of(offset)))


def fd_read(module: Caller, fd: int, iovs: int, iovs_len: int, result: int) -> None:
    """Fill buffers from the position and store how many bytes there were; 0 is the end of the file."""
    entry = entry_at(module, fd, Rights.FD_READ)
    read = partial(module.system.read, entry) if entry.can_wait else entry.file.read
    read_into(module, read, iovs, iovs_len, result)


def fd_pread(module: Caller, fd: int, iovs: int, iovs_len: int, offset: int, result: int) -> None:
    """Fill buffers from an offset and store how many bytes there were; the position stays."""
    pread = file_at(module, fd, Rights.FD_READ | Rights.FD_SEEK).pread
    start = offset_of(offset)
    read_into(module, lambda count: pread(count, start), iovs, iovs_len, result)


def read_into(module: Caller, read: Callable[[int], bytes], iovs: int, iovs_len: int, result: int) -> None:
    """Ask `read` for as many bytes as the buffers have room for, lay them out, and store how many there were."""
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
        is_told = whence < len(whences) and whences[whence] == os.SEEK_CUR and not offset
        file = file_at(module, fd, Rights.FD_TELL if is_told else Rights.FD_SEEK)
        if whence >= len(whences):
            fail(errno.EINVAL)
        buffer = buffer_of(module)
        check(buffer, result, 8)
        store_u64(buffer, result, file.seek(signed(offset), whences[whence]))

    return fd_seek


def fd_tell(module: Caller, fd: int, result: int) -> None:
    """Store the position."""
    file = file_at(module, fd, Rights.FD_TELL)
    store_u64(buffer_of(module), result, file.seek(0, os.SEEK_CUR))
