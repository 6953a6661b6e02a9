"""Open files as such: flags, mounts, closing, renumbering. Spec: "fdstat", "fdflags", "prestat", "fd_…"."""

from __future__ import annotations

import errno
import os
from struct import Struct
from typing import Final

from wazero_api.system import FileType, Listener, OpenFlags
from wazero_core.system import FileEntry

from . import rights
from .guest import MAX_OFFSET, Caller, buffer_of, check, fail, offset_of, view
from .lookup import entry_at, file_at, state_of
from .rights import NotCapableError, Rights
from .stats import file_type_number

FDSTAT: Final = Struct("<BxH4xQQ")
"""Kind, flags, rights, and rights of files opened through it. Spec: "fdstat"."""
PRESTAT: Final = Struct("<B3xI")
"""Kind, and the length of the guest path. Spec: "prestat"."""
_PRESTAT_DIRECTORY: Final = 0
_LAST_ADVICE: Final = 5

_FDFLAGS: Final = {
    1: OpenFlags.APPEND,
    2: OpenFlags.DATA_SYNC,
    4: OpenFlags.NON_BLOCK,
    8: OpenFlags.SYNC,  # "rsync", reading in step with writing, is as good as "sync"
    16: OpenFlags.SYNC,
}
_ALL_FDFLAGS: Final = sum(_FDFLAGS)
_CHANGEABLE: Final = OpenFlags.APPEND | OpenFlags.NON_BLOCK


def open_flags_of(fdflags: int) -> OpenFlags:
    """The flags for WASI's "fdflags". EINVAL for some that do not exist."""
    if fdflags > _ALL_FDFLAGS:
        fail(errno.EINVAL)
    flags = OpenFlags.READ_ONLY
    for bit, flag in _FDFLAGS.items():
        if fdflags & bit:
            flags |= flag
    return flags


def _fdflags_of(flags: OpenFlags) -> int:
    return sum(bit for bit, flag in _FDFLAGS.items() if flags & flag and bit != 8)


def _rights_of(entry: FileEntry, file_type: FileType) -> tuple[int, int]:
    """What can be done with a file, and with files opened through it."""
    base, inheriting = _rights_by_nature(entry, file_type)
    if entry.extra is not None:
        return base & ~entry.extra.dropped, inheriting & ~entry.extra.dropped_inheriting
    return base, inheriting


def _rights_by_nature(entry: FileEntry, file_type: FileType) -> tuple[int, int]:
    if file_type is FileType.DIRECTORY:
        return rights.DIRECTORY, rights.INHERITED
    if file_type is FileType.SOCKET:
        if isinstance(entry.file, Listener):
            return rights.LISTENER, int(rights.CONNECTION | Rights.FD_READ | Rights.FD_WRITE)
        return int(rights.CONNECTION | Rights.FD_READ | Rights.FD_WRITE), 0
    base = rights.FILE if _has_position(entry, file_type) else rights.STREAM
    if entry.flags & (OpenFlags.WRITE_ONLY | OpenFlags.READ_WRITE):
        base |= rights.WRITING
    if not entry.flags & OpenFlags.WRITE_ONLY:
        base |= Rights.FD_READ
    return int(base), 0


def _has_position(entry: FileEntry, file_type: FileType) -> bool:
    """Whether a file can be sought in. Of devices some can, such as the null device; terminals cannot."""
    if file_type is not FileType.CHARACTER_DEVICE:
        return file_type in {FileType.REGULAR, FileType.BLOCK_DEVICE}
    try:
        entry.file.seek(0, os.SEEK_CUR)
    except OSError:
        return False
    return True


def fd_advise(module: Caller, fd: int, offset: int, length: int, advice: int) -> None:
    """Take note of how a file will be used, which changes nothing."""
    file_at(module, fd, Rights.FD_ADVISE)
    if advice > _LAST_ADVICE or offset_of(offset) + offset_of(length) > MAX_OFFSET:
        fail(errno.EINVAL)


def fd_allocate(module: Caller, fd: int, offset: int, length: int) -> None:
    """See to it that a file has at least that size."""
    file = file_at(module, fd, Rights.FD_ALLOCATE)
    size = offset_of(offset) + offset_of(length)
    if length == 0:
        fail(errno.EINVAL)
    if size > MAX_OFFSET:
        fail(errno.EFBIG)
    if size > file.stat().size:
        file.truncate(size)


def fd_close(module: Caller, fd: int) -> None:
    """Close a file; a mount too."""
    module.system.files.close(fd)


def fd_datasync(module: Caller, fd: int) -> None:
    """Bring what was written to the disk."""
    entry_at(module, fd, Rights.FD_DATASYNC).file.datasync()


def fd_sync(module: Caller, fd: int) -> None:
    """Bring what was written, and what is known of the file, to the disk."""
    entry_at(module, fd, Rights.FD_SYNC).file.sync()


def fd_fdstat_get(module: Caller, fd: int, result: int) -> None:
    """Store kind, flags and rights."""
    entry = module.system.files[fd]
    buffer = buffer_of(module)
    check(buffer, result, FDSTAT.size)
    file_type = entry.file.stat().file_type
    base, inherited = _rights_of(entry, file_type)
    FDSTAT.pack_into(buffer, result, file_type_number(file_type), _fdflags_of(entry.flags), base, inherited)


def fd_fdstat_set_flags(module: Caller, fd: int, fdflags: int) -> None:
    """Change "append" and "nonblock"; ENOTSUP for a change of the others, which systems cannot do either."""
    entry = entry_at(module, fd, Rights.FD_FDSTAT_SET_FLAGS)
    flags = open_flags_of(fdflags)
    status = entry.flags & (_CHANGEABLE | OpenFlags.SYNC | OpenFlags.DATA_SYNC)
    changed = flags ^ status
    if changed & ~_CHANGEABLE:
        fail(errno.ENOTSUP)
    if changed & OpenFlags.APPEND:
        entry.file.set_append(bool(flags & OpenFlags.APPEND))
    entry.flags ^= changed


def fd_fdstat_set_rights(module: Caller, fd: int, fs_rights_base: int, fs_rights_inheriting: int) -> None:
    """Keep these rights and give up the others. NotCapableError for rights that the file does not have."""
    entry = module.system.files[fd]
    base, inheriting = _rights_of(entry, entry.file.stat().file_type)
    if fs_rights_base & ~base or fs_rights_inheriting & ~inheriting:
        raise NotCapableError
    state = state_of(entry)
    state.dropped = rights.ALL & ~fs_rights_base
    state.dropped_inheriting = rights.ALL & ~fs_rights_inheriting


def fd_prestat_get(module: Caller, fd: int, result: int) -> None:
    """Store that this is a mount, and the length of its guest path. EBADF for what is none: so guests find the last."""
    name = _mount_name(module, fd)
    buffer = buffer_of(module)
    check(buffer, result, PRESTAT.size)
    PRESTAT.pack_into(buffer, result, _PRESTAT_DIRECTORY, len(name))


def fd_prestat_dir_name(module: Caller, fd: int, path: int, path_len: int) -> None:
    """Store the guest path of a mount. ENAMETOOLONG if it is longer than `path_len` bytes; there may be room left."""
    name = _mount_name(module, fd)
    if len(name) > path_len:
        fail(errno.ENAMETOOLONG)
    view(buffer_of(module), path, len(name))[:] = name


def _mount_name(module: Caller, fd: int) -> bytes:
    name = module.system.files[fd].name
    if name is None:
        fail(errno.EBADF)
    return name.encode("utf-8", "surrogateescape")


def fd_renumber(module: Caller, fd: int, to: int) -> None:
    """Give a file the number of another, which is closed."""
    module.system.files.renumber(fd, to)
