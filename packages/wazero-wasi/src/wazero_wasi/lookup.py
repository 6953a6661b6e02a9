"""From a descriptor to the file, or with lookup flags to the tree that a path is resolved in. Spec: "lookupflags".

This is where rights are checked that the guest gave up.
"""

from __future__ import annotations

import errno
from typing import Any, Final, final

from wazero_api.system import FS, File
from wazero_core.system import FileEntry

from .guest import Caller, fail
from .rights import NotCapableError

_SYMLINK_FOLLOW: Final = 1


@final
class DescriptorState:
    """What WASI remembers of an open file besides the file: the `extra` of its `FileEntry`, where there is anything."""

    __slots__ = ("dropped", "dropped_inheriting", "listing")

    def __init__(self) -> None:
        self.dropped = 0
        """Rights that the guest gave up; bits of `Rights`."""
        self.dropped_inheriting = 0
        """Likewise of files opened through this directory."""
        self.listing: Any = None
        """Of a directory the entries that cookies refer to, once it was listed."""


def state_of(entry: FileEntry) -> DescriptorState:
    """The state of a file, made if it has none yet."""
    state = entry.extra
    if state is None:
        state = entry.extra = DescriptorState()
    return state  # type: ignore[no-any-return]  # nobody else uses `extra` of WASI's files


def entry_at(module: Caller, fd: int, right: int) -> FileEntry:
    """An open file. EBADF for none, NotCapableError if `right`, some of `Rights`, was given up."""
    entry = module.system.files[fd]
    if entry.extra is not None and entry.extra.dropped & right:
        raise NotCapableError
    return entry


def file_at(module: Caller, fd: int, right: int) -> File:
    """Like `entry_at`, of a file that has a content: not of a directory, which is EBADF."""
    entry = entry_at(module, fd, right)
    if entry.tree is not None:
        fail(errno.EBADF)
    return entry.file


def tree_of(module: Caller, fd: int, right: int) -> FS:
    """Like `entry_at`, the file system below an open directory. ENOTDIR for another kind of file."""
    tree = entry_at(module, fd, right).tree
    if tree is None:
        fail(errno.ENOTDIR)
    return tree


def follows(flags: int) -> bool:
    """Whether a link at the end of the path is to be followed. EINVAL for flags that do not exist."""
    if flags > _SYMLINK_FOLLOW:
        fail(errno.EINVAL)
    return flags == _SYMLINK_FOLLOW
