"""Files by path. Spec: "oflags", "path_…". A path is relative to an open directory and cannot leave it."""

from __future__ import annotations

import errno
import functools
from typing import Final

from wazero_api.system import OpenFlags

from .descriptors import open_flags_of
from .guest import Caller, buffer_of, check, encode_path, fail, path_at, store_u32, text_at, view
from .lookup import entry_at, follows, state_of, tree_of
from .rights import NotCapableError, Rights

_OFLAGS: Final = {
    1: OpenFlags.CREATE,
    2: OpenFlags.DIRECTORY,
    4: OpenFlags.EXCLUSIVE,
    8: OpenFlags.TRUNCATE,
}
_ALL_OFLAGS: Final = sum(_OFLAGS)
_ASKED_FOR: Final = int(Rights.FD_READ | Rights.FD_WRITE)
"""Rights that count among those that a guest wants of a file."""


@functools.lru_cache(maxsize=256)  # arithmetic with flags takes longer than opening a file
def _open_flags(oflags: int, fs_rights: int, fdflags: int, *, follow: bool) -> OpenFlags:
    """What to open a file with. Whether to read, write or both is told by the rights that the guest wants."""
    if oflags > _ALL_OFLAGS:
        fail(errno.EINVAL)
    flags = open_flags_of(fdflags)
    for bit, flag in _OFLAGS.items():
        if oflags & bit:
            flags |= flag
    if flags & OpenFlags.DIRECTORY and flags & OpenFlags.CREATE:
        fail(errno.EINVAL)
    if fs_rights & Rights.FD_WRITE:
        flags |= OpenFlags.READ_WRITE if fs_rights & Rights.FD_READ else OpenFlags.WRITE_ONLY
    return flags if follow else flags | OpenFlags.NO_FOLLOW


def path_open(
    module: Caller,
    fd: int,
    dirflags: int,
    path: int,
    path_len: int,
    oflags: int,
    fs_rights_base: int,
    fs_rights_inheriting: int,
    fdflags: int,
    result: int,
) -> None:
    """Open or create a file and store its descriptor, the lowest that is free."""
    flags = _open_flags(oflags, fs_rights_base & _ASKED_FOR, fdflags, follow=follows(dirflags))
    directory = entry_at(module, fd, _rights_to_open(flags))
    if directory.tree is None:
        fail(errno.ENOTDIR)
    lost = directory.extra.dropped_inheriting if directory.extra is not None else 0
    if lost & fs_rights_base & _ASKED_FOR:
        raise NotCapableError
    buffer = buffer_of(module)
    check(buffer, result, 4)
    opened = module.system.open_file(directory.tree, path_at(buffer, path, path_len), flags)
    if lost:
        state = state_of(module.system.files[opened])
        state.dropped = state.dropped_inheriting = lost
    store_u32(buffer, result, opened)


@functools.lru_cache(maxsize=256)
def _rights_to_open(flags: OpenFlags) -> int:
    """What a directory must allow for a file to be opened like that through it."""
    needed = Rights.PATH_OPEN
    if flags & OpenFlags.CREATE:
        needed |= Rights.PATH_CREATE_FILE
    if flags & OpenFlags.TRUNCATE:
        needed |= Rights.PATH_FILESTAT_SET_SIZE
    return int(needed)


def path_create_directory(module: Caller, fd: int, path: int, path_len: int) -> None:
    """Make a directory."""
    tree_of(module, fd, Rights.PATH_CREATE_DIRECTORY).mkdir(path_at(buffer_of(module), path, path_len))


def path_remove_directory(module: Caller, fd: int, path: int, path_len: int) -> None:
    """Remove an empty directory."""
    tree_of(module, fd, Rights.PATH_REMOVE_DIRECTORY).rmdir(path_at(buffer_of(module), path, path_len))


def path_unlink_file(module: Caller, fd: int, path: int, path_len: int) -> None:
    """Remove a file or link."""
    tree_of(module, fd, Rights.PATH_UNLINK_FILE).unlink(path_at(buffer_of(module), path, path_len))


def path_link(
    module: Caller,
    old_fd: int,
    old_flags: int,
    old_path: int,
    old_path_len: int,
    new_fd: int,
    new_path: int,
    new_path_len: int,
) -> None:
    """Give a file a second name. Following a link first is EINVAL: the file must be named itself."""
    source = tree_of(module, old_fd, Rights.PATH_LINK_SOURCE)
    target = tree_of(module, new_fd, Rights.PATH_LINK_TARGET)
    if follows(old_flags):
        fail(errno.EINVAL)
    buffer = buffer_of(module)
    old, new = path_at(buffer, old_path, old_path_len), path_at(buffer, new_path, new_path_len)
    source.link(old, new, None if old_fd == new_fd else target)


def path_rename(
    module: Caller, fd: int, old_path: int, old_path_len: int, new_fd: int, new_path: int, new_path_len: int
) -> None:
    """Move a file or directory, replacing what has the new name."""
    source = tree_of(module, fd, Rights.PATH_RENAME_SOURCE)
    target = tree_of(module, new_fd, Rights.PATH_RENAME_TARGET)
    buffer = buffer_of(module)
    old, new = path_at(buffer, old_path, old_path_len), path_at(buffer, new_path, new_path_len)
    source.rename(old, new, None if fd == new_fd else target)


def path_symlink(module: Caller, old_path: int, old_path_len: int, fd: int, new_path: int, new_path_len: int) -> None:
    """Make a link. Its target is not resolved now."""
    tree = tree_of(module, fd, Rights.PATH_SYMLINK)
    buffer = buffer_of(module)
    target, name = text_at(buffer, old_path, old_path_len), path_at(buffer, new_path, new_path_len)
    tree.symlink(target, name)


def path_readlink(module: Caller, fd: int, path: int, path_len: int, buf: int, buf_len: int, result: int) -> None:
    """Store the target of a link, cut off where the buffer ends, and how many bytes were stored."""
    tree = tree_of(module, fd, Rights.PATH_READLINK)
    buffer = buffer_of(module)
    check(buffer, result, 4)
    target = view(buffer, buf, buf_len)
    content = encode_path(tree.readlink(path_at(buffer, path, path_len)))[:buf_len]
    target[: len(content)] = content
    store_u32(buffer, result, len(content))
