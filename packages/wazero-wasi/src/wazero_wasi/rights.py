"""Rights of file descriptors, as WASI numbers them.

What a file can be used for follows from what it is and how it was opened. Of the rights that a guest asks for when it
opens a file, reading and writing count. A guest can give rights up, for good, also those of the files that it will open
through a directory.

Spec: "rights", "fd_fdstat_set_rights".
"""

from __future__ import annotations

from enum import IntFlag
from typing import Final, final


class Rights(IntFlag):
    """Bit by bit, in the specification's order."""

    FD_DATASYNC = 1 << 0
    FD_READ = 1 << 1
    FD_SEEK = 1 << 2
    FD_FDSTAT_SET_FLAGS = 1 << 3
    FD_SYNC = 1 << 4
    FD_TELL = 1 << 5
    FD_WRITE = 1 << 6
    FD_ADVISE = 1 << 7
    FD_ALLOCATE = 1 << 8
    PATH_CREATE_DIRECTORY = 1 << 9
    PATH_CREATE_FILE = 1 << 10
    PATH_LINK_SOURCE = 1 << 11
    PATH_LINK_TARGET = 1 << 12
    PATH_OPEN = 1 << 13
    FD_READDIR = 1 << 14
    PATH_READLINK = 1 << 15
    PATH_RENAME_SOURCE = 1 << 16
    PATH_RENAME_TARGET = 1 << 17
    PATH_FILESTAT_GET = 1 << 18
    PATH_FILESTAT_SET_SIZE = 1 << 19
    PATH_FILESTAT_SET_TIMES = 1 << 20
    FD_FILESTAT_GET = 1 << 21
    FD_FILESTAT_SET_SIZE = 1 << 22
    FD_FILESTAT_SET_TIMES = 1 << 23
    PATH_SYMLINK = 1 << 24
    PATH_REMOVE_DIRECTORY = 1 << 25
    PATH_UNLINK_FILE = 1 << 26
    POLL_FD_READWRITE = 1 << 27
    SOCK_SHUTDOWN = 1 << 28
    SOCK_ACCEPT = 1 << 29


@final
class NotCapableError(Exception):
    """The guest gave up the right to do this: ENOTCAPABLE, which few systems have, so that it is no OSError."""


_EVERYWHERE: Final = (
    Rights.FD_FDSTAT_SET_FLAGS
    | Rights.FD_SYNC
    | Rights.FD_DATASYNC
    | Rights.FD_FILESTAT_GET
    | Rights.FD_FILESTAT_SET_TIMES
    | Rights.FD_ADVISE
    | Rights.POLL_FD_READWRITE
)
POSITION: Final = Rights.FD_SEEK | Rights.FD_TELL
"""What a terminal lacks: guests tell one by that."""
ALL: Final = (1 << len(Rights)) - 1
WRITING: Final = Rights.FD_WRITE | Rights.FD_ALLOCATE | Rights.FD_FILESTAT_SET_SIZE

STREAM: Final = int(_EVERYWHERE)
CONNECTION: Final = int(_EVERYWHERE | Rights.SOCK_SHUTDOWN)
LISTENER: Final = int(
    Rights.FD_FDSTAT_SET_FLAGS | Rights.FD_FILESTAT_GET | Rights.POLL_FD_READWRITE | Rights.SOCK_ACCEPT
)
FILE: Final = int(_EVERYWHERE | POSITION)
DIRECTORY: Final = int(
    _EVERYWHERE
    | Rights.FD_READDIR
    | Rights.PATH_CREATE_DIRECTORY
    | Rights.PATH_CREATE_FILE
    | Rights.PATH_LINK_SOURCE
    | Rights.PATH_LINK_TARGET
    | Rights.PATH_OPEN
    | Rights.PATH_READLINK
    | Rights.PATH_RENAME_SOURCE
    | Rights.PATH_RENAME_TARGET
    | Rights.PATH_FILESTAT_GET
    | Rights.PATH_FILESTAT_SET_SIZE
    | Rights.PATH_FILESTAT_SET_TIMES
    | Rights.PATH_SYMLINK
    | Rights.PATH_REMOVE_DIRECTORY
    | Rights.PATH_UNLINK_FILE
)
INHERITED: Final = int(DIRECTORY | FILE | Rights.FD_READ | WRITING)
"""What files opened through a directory can have."""
