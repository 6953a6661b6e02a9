"""From a descriptor to the file, or with lookup flags to the tree that a path is resolved in. Spec: "lookupflags"."""

from __future__ import annotations

import errno
from typing import Final

from wazero_api.system import FS, File

from .guest import Caller, fail

_SYMLINK_FOLLOW: Final = 1


def tree_of(module: Caller, fd: int) -> FS:
    """The file system below an open directory. EBADF for no file, ENOTDIR for another kind of file."""
    tree = module.system.files[fd].tree
    if tree is None:
        fail(errno.ENOTDIR)
    return tree


def file_at(module: Caller, fd: int) -> File:
    """An open file that has a content: not a directory, which is EBADF."""
    entry = module.system.files[fd]
    if entry.tree is not None:
        fail(errno.EBADF)
    return entry.file


def follows(flags: int) -> bool:
    """Whether a link at the end of the path is to be followed. EINVAL for flags that do not exist."""
    if flags > _SYMLINK_FOLLOW:
        fail(errno.EINVAL)
    return flags == _SYMLINK_FOLLOW
