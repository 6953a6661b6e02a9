"""Listing directories. Spec: "dirent", "fd_readdir"."""

from __future__ import annotations

import errno
from struct import Struct
from typing import Final

from wazero_api.system import DirectoryEntry, FileType
from wazero_core.system import FileEntry, SystemContext

from .guest import Caller, buffer_of, check, encode_path, fail, store_u32, view
from .lookup import DescriptorState, entry_at, state_of
from .rights import Rights
from .stats import file_type_number

_DIRENT: Final = Struct("<QQIB3x")


MAX_LISTED: Final = 1 << 18
"""Entries that are kept for the open directories of an instance together, about 50 MB. A listing that takes them beyond that
has the others forgotten: who goes on with one of those finds the directory as it is then."""


def _listing(system: SystemContext, entry: FileEntry, cookie: int) -> list[DirectoryEntry]:
    """All entries, those for "." and ".." first.

    They are read when a guest starts at the beginning and kept until it does so again: a cookie is a position in this
    list, and stays true while the directory changes.
    """
    if entry.tree is None:
        fail(errno.ENOTDIR)
    state = state_of(entry)
    if cookie == 0 or state.listing is None:
        here = DirectoryEntry(".", FileType.DIRECTORY, entry.file.stat().inode)
        # The parent's inode is not the guest's business where the parent is outside its mount.
        state.listing = [here, DirectoryEntry("..", FileType.DIRECTORY), *entry.file.read_directory()]
        system.listed += len(state.listing)
        if system.listed > MAX_LISTED:
            _forget_all_but(system, state)
    return state.listing  # type: ignore[no-any-return]


def _forget_all_but(system: SystemContext, state: DescriptorState) -> None:
    for fd in system.files.numbers():
        other = system.files[fd].extra
        if other is not None and other is not state:
            other.listing = None
    system.listed = len(state.listing)


def fd_readdir(module: Caller, fd: int, buf: int, buf_len: int, cookie: int, result: int) -> None:
    """Fill a buffer with entries from `cookie` on, the last one cut off where the buffer ends; store the bytes used.

    Fewer bytes than the buffer has mean that there are no more entries.
    """
    entry = entry_at(module, fd, Rights.FD_READDIR)
    buffer = buffer_of(module)
    target = view(buffer, buf, buf_len)
    check(buffer, result, 4)
    used = 0
    listing = _listing(module.system, entry, cookie)
    for position in range(min(cookie, len(listing)), len(listing)):
        item = listing[position]
        name = encode_path(item.name)
        inode = item.inode % (1 << 64)
        record = _DIRENT.pack(position + 1, inode, len(name), file_type_number(item.file_type)) + name
        part = record[: buf_len - used]
        target[used : used + len(part)] = part
        used += len(part)
        if used == buf_len:
            break
    store_u32(buffer, result, used)
