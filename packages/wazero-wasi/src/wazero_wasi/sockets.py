"""Sockets that the guest was given, and connections that it accepts. Spec: "sock_accept" and so on."""

from __future__ import annotations

import errno
from typing import Final

from wazero_api.system import Connection, File, Listener, OpenFlags
from wazero_core.system import READ, WRITE, FileEntry, SystemContext

from .descriptors import open_flags_of
from .guest import Caller, buffer_of, check, fail, gather, store_u32
from .lookup import entry_at, state_of
from .rights import Rights
from .streams import read_into

_PEEK, _WAIT_ALL = 1, 2
_RECEIVING, _SENDING = 1, 2
_RO_FLAGS_SIZE: Final = 2


def sock_accept(module: Caller, fd: int, flags: int, result: int) -> None:
    """Wait for a connection and store its descriptor. EAGAIN if there is none now and the listener does not block."""
    entry = entry_at(module, fd, Rights.SOCK_ACCEPT)
    file = entry.file
    if not isinstance(file, Listener):
        fail(errno.EINVAL if isinstance(file, Connection) else errno.ENOTSOCK)
    open_flags = open_flags_of(flags)
    if open_flags & ~OpenFlags.NON_BLOCK:
        fail(errno.EINVAL)
    buffer = buffer_of(module)
    check(buffer, result, 4)
    system = module.system
    system.files.check_room()
    accepted = FileEntry(_accept(system, entry, file), flags=open_flags | OpenFlags.READ_WRITE)
    if entry.extra is not None:
        state_of(accepted).dropped = entry.extra.dropped_inheriting
    try:
        store_u32(buffer, result, system.files.insert(accepted))
    except BaseException:
        accepted.close()
        raise


def _accept(system: SystemContext, entry: FileEntry, listener: Listener) -> File:
    """Wait for the next connection, and on if somebody else takes it first."""
    while True:
        system.wait_for(entry, READ)
        try:
            return listener.accept()
        except BlockingIOError:
            if entry.flags & OpenFlags.NON_BLOCK:
                raise


def sock_recv(
    module: Caller, fd: int, ri_data: int, ri_data_len: int, ri_flags: int, result: int, result_flags: int
) -> None:
    """Fill buffers with what has arrived, all of them if asked to; store how many bytes, and that none were lost."""
    entry, file = _connection(module, fd, Rights.FD_READ)
    if ri_flags & ~(_PEEK | _WAIT_ALL):
        fail(errno.EINVAL)
    buffer = buffer_of(module)
    check(buffer, result_flags, _RO_FLAGS_SIZE)
    system = module.system
    is_peeking = bool(ri_flags & _PEEK)

    def receive(count: int) -> bytes:
        if count:
            system.wait_for(entry, READ)
        data = file.receive(count, peek=is_peeking)
        if ri_flags & _WAIT_ALL and data and not is_peeking:
            data += _rest(system, entry, file, count - len(data))
        return data

    read_into(module, receive, ri_data, ri_data_len, result)
    buffer[result_flags : result_flags + _RO_FLAGS_SIZE] = bytes(_RO_FLAGS_SIZE)


def _rest(system: SystemContext, entry: FileEntry, file: Connection, count: int) -> bytes:
    """Wait for `count` more bytes. Fewer at the end of the stream, or for a failure: the guest hears of that next time."""
    parts = []
    while count:
        try:
            system.wait_for(entry, READ)
            part = file.receive(count)
        except OSError:
            break
        if not part:
            break
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def sock_send(module: Caller, fd: int, si_data: int, si_data_len: int, si_flags: int, result: int) -> None:
    """Send from buffers and store how many bytes were taken. EINVAL for flags: none exist."""
    entry, _ = _connection(module, fd, Rights.FD_WRITE)
    if si_flags:
        fail(errno.EINVAL)
    buffer = buffer_of(module)
    check(buffer, result, 4)
    data = gather(buffer, si_data, si_data_len)
    if len(data):
        module.system.wait_for(entry, WRITE)
    store_u32(buffer, result, entry.file.write(data))


def sock_shutdown(module: Caller, fd: int, how: int) -> None:
    """End receiving, sending or both. EINVAL for none of them."""
    _, file = _connection(module, fd, Rights.SOCK_SHUTDOWN)
    if not how or how & ~(_RECEIVING | _SENDING):
        fail(errno.EINVAL)
    file.shutdown(reading=bool(how & _RECEIVING), writing=bool(how & _SENDING))


def _connection(module: Caller, fd: int, right: Rights) -> tuple[FileEntry, Connection]:
    """EBADF for no file, ENOTSOCK for another kind of file, ENOTCONN for a listener."""
    entry = entry_at(module, fd, right)
    file: File = entry.file
    if not isinstance(file, Connection):
        fail(errno.ENOTCONN if isinstance(file, Listener) else errno.ENOTSOCK)
    return entry, file
