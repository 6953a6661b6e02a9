"""The error numbers of WASI, and how errors of Python become them: one table."""

from __future__ import annotations

import errno
from typing import Final, NamedTuple


class Errno(NamedTuple):
    """A row: WASI's number and name. Python's `errno` has the same name, and perhaps others for the same thing."""

    number: int
    name: str
    aliases: tuple[str, ...] = ()


# fmt: off
TABLE: Final = (
    Errno(0, "ESUCCESS"),
    Errno(1, "E2BIG"),
    Errno(2, "EACCES"),
    Errno(3, "EADDRINUSE"),
    Errno(4, "EADDRNOTAVAIL"),
    Errno(5, "EAFNOSUPPORT"),
    Errno(6, "EAGAIN", ("EWOULDBLOCK",)),
    Errno(7, "EALREADY"),
    Errno(8, "EBADF"),
    Errno(9, "EBADMSG"),
    Errno(10, "EBUSY"),
    Errno(11, "ECANCELED"),
    Errno(12, "ECHILD"),
    Errno(13, "ECONNABORTED"),
    Errno(14, "ECONNREFUSED"),
    Errno(15, "ECONNRESET"),
    Errno(16, "EDEADLK", ("EDEADLOCK",)),
    Errno(17, "EDESTADDRREQ"),
    Errno(18, "EDOM"),
    Errno(19, "EDQUOT"),
    Errno(20, "EEXIST"),
    Errno(21, "EFAULT"),
    Errno(22, "EFBIG"),
    Errno(23, "EHOSTUNREACH"),
    Errno(24, "EIDRM"),
    Errno(25, "EILSEQ"),
    Errno(26, "EINPROGRESS"),
    Errno(27, "EINTR"),
    Errno(28, "EINVAL"),
    Errno(29, "EIO"),
    Errno(30, "EISCONN"),
    Errno(31, "EISDIR"),
    Errno(32, "ELOOP"),
    Errno(33, "EMFILE"),
    Errno(34, "EMLINK"),
    Errno(35, "EMSGSIZE"),
    Errno(36, "EMULTIHOP"),
    Errno(37, "ENAMETOOLONG"),
    Errno(38, "ENETDOWN"),
    Errno(39, "ENETRESET"),
    Errno(40, "ENETUNREACH"),
    Errno(41, "ENFILE"),
    Errno(42, "ENOBUFS"),
    Errno(43, "ENODEV"),
    Errno(44, "ENOENT"),
    Errno(45, "ENOEXEC"),
    Errno(46, "ENOLCK"),
    Errno(47, "ENOLINK"),
    Errno(48, "ENOMEM"),
    Errno(49, "ENOMSG"),
    Errno(50, "ENOPROTOOPT"),
    Errno(51, "ENOSPC"),
    Errno(52, "ENOSYS"),
    Errno(53, "ENOTCONN"),
    Errno(54, "ENOTDIR"),
    Errno(55, "ENOTEMPTY"),
    Errno(56, "ENOTRECOVERABLE"),
    Errno(57, "ENOTSOCK"),
    Errno(58, "ENOTSUP", ("EOPNOTSUPP",)),
    Errno(59, "ENOTTY"),
    Errno(60, "ENXIO"),
    Errno(61, "EOVERFLOW"),
    Errno(62, "EOWNERDEAD"),
    Errno(63, "EPERM"),
    Errno(64, "EPIPE"),
    Errno(65, "EPROTO"),
    Errno(66, "EPROTONOSUPPORT"),
    Errno(67, "EPROTOTYPE"),
    Errno(68, "ERANGE"),
    Errno(69, "EROFS"),
    Errno(70, "ESPIPE"),
    Errno(71, "ESRCH"),
    Errno(72, "ESTALE"),
    Errno(73, "ETIMEDOUT"),
    Errno(74, "ETXTBSY"),
    Errno(75, "EXDEV"),
    Errno(76, "ENOTCAPABLE"),
)
# fmt: on

NUMBERS: Final = {row.name: row.number for row in TABLE}
"""WASI's number by name."""

NAMES: Final = tuple(row.name for row in TABLE)
"""Name by WASI's number."""

ESUCCESS: Final = NUMBERS["ESUCCESS"]
EBADF: Final = NUMBERS["EBADF"]
EFAULT: Final = NUMBERS["EFAULT"]
EINVAL: Final = NUMBERS["EINVAL"]
EIO: Final = NUMBERS["EIO"]
ENOMEM: Final = NUMBERS["ENOMEM"]
ENOSYS: Final = NUMBERS["ENOSYS"]

_BY_PYTHON: Final = {
    getattr(errno, name): row.number for row in TABLE for name in (row.name, *row.aliases) if hasattr(errno, name)
}


def errno_of(error: OSError) -> int:
    """WASI's number for an error; EIO for one without a number that WASI knows."""
    return _BY_PYTHON.get(error.errno, EIO) if error.errno else EIO
