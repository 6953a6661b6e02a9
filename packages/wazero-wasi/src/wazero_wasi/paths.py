"""Files by path. Spec: "oflags", "path_…". A path is relative to an open directory and cannot leave it."""

from __future__ import annotations

import errno
from typing import Final

from wazero_api.system import FS, OpenFlags

from .descriptors import open_flags_of
from .guest import Caller, buffer_of, check, encode_path, fail, path_at, store_u32, text_at, view
from .lookup import follows, tree_of
from .rights import Rights

_OFLAGS: Final = {
    1: OpenFlags.CREATE,
    2: OpenFlags.DIRECTORY,
    4: OpenFlags.EXCLUSIVE,
    8: OpenFlags.TRUNCATE,
}
_ALL_OFLAGS: Final = sum(_OFLAGS)


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
    tree = tree_of(module, fd)
    buffer = buffer_of(module)
    check(buffer, result, 4)
    name = path_at(buffer, path, path_len)
    flags = _open_flags(oflags, fs_rights_base, fdflags, follow=follows(dirflags))
    store_u32(buffer, result, module.system.open_file(tree, name, flags))


def path_create_directory(module: Caller, fd: int, path: int, path_len: int) -> None:
    """Make a directory."""
    tree_of(module, fd).mkdir(path_at(buffer_of(module), path, path_len))


def path_remove_directory(module: Caller, fd: int, path: int, path_len: int) -> None:
    """Remove an empty directory."""
    tree_of(module, fd).rmdir(path_at(buffer_of(module), path, path_len))


def path_unlink_file(module: Caller, fd: int, path: int, path_len: int) -> None:
    """Remove a file or link."""
    tree_of(module, fd).unlink(path_at(buffer_of(module), path, path_len))


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
    source, target = _trees(module, old_fd, new_fd)
    if follows(old_flags):
        fail(errno.EINVAL)
    buffer = buffer_of(module)
    old, new = path_at(buffer, old_path, old_path_len), path_at(buffer, new_path, new_path_len)
    source.link(old, new, target)


def path_rename(
    module: Caller, fd: int, old_path: int, old_path_len: int, new_fd: int, new_path: int, new_path_len: int
) -> None:
    """Move a file or directory, replacing what has the new name."""
    source, target = _trees(module, fd, new_fd)
    buffer = buffer_of(module)
    old, new = path_at(buffer, old_path, old_path_len), path_at(buffer, new_path, new_path_len)
    source.rename(old, new, target)


def _trees(module: Caller, old_fd: int, new_fd: int) -> tuple[FS, FS | None]:
    """The trees below two directories, the second None if they are one."""
    source = tree_of(module, old_fd)
    return source, None if old_fd == new_fd else tree_of(module, new_fd)


def path_symlink(module: Caller, old_path: int, old_path_len: int, fd: int, new_path: int, new_path_len: int) -> None:
    """Make a link. Its target is not resolved now."""
    tree = tree_of(module, fd)
    buffer = buffer_of(module)
    target, name = text_at(buffer, old_path, old_path_len), path_at(buffer, new_path, new_path_len)
    tree.symlink(target, name)


def path_readlink(module: Caller, fd: int, path: int, path_len: int, buf: int, buf_len: int, result: int) -> None:
    """Store the target of a link, cut off where the buffer ends, and how many bytes were stored."""
    tree = tree_of(module, fd)
    buffer = buffer_of(module)
    check(buffer, result, 4)
    target = view(buffer, buf, buf_len)
    content = encode_path(tree.readlink(path_at(buffer, path, path_len)))[:buf_len]
    target[: len(content)] = content
    store_u32(buffer, result, len(content))
