"""The error numbers of WASI, and how errors of Python become them: one table."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Final, NamedTuple


class Errno(NamedTuple):
    """A row: WASI's number and name. Python's `errno` has the same name, and perhaps others for nearly the same thing."""

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
    Errno(5, "EAFNOSUPPORT", ("EPFNOSUPPORT",)),
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
    Errno(23, "EHOSTUNREACH", ("EHOSTDOWN",)),
    Errno(24, "EIDRM"),
    Errno(25, "EILSEQ"),
    Errno(26, "EINPROGRESS"),
    Errno(27, "EINTR"),
    Errno(28, "EINVAL", ("EFTYPE",)),
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
    Errno(64, "EPIPE", ("ESHUTDOWN",)),
    Errno(65, "EPROTO"),
    Errno(66, "EPROTONOSUPPORT", ("ESOCKTNOSUPPORT",)),
    Errno(67, "EPROTOTYPE"),
    Errno(68, "ERANGE"),
    Errno(69, "EROFS"),
    Errno(70, "ESPIPE"),
    Errno(71, "ESRCH"),
    Errno(72, "ESTALE"),
    Errno(73, "ETIMEDOUT", ("ETIME",)),
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
ENOTCAPABLE: Final = NUMBERS["ENOTCAPABLE"]


def wasi_numbers(numbers: Mapping[str, int]) -> dict[int, int]:
    """WASI's number by the system's, for a system whose errors have these numbers by name.

    Numbers differ from system to system, and so do the names: Windows has a second set for sockets, beginning with
    "WSA"; a name of WASI's own goes before others that a system has for the same number.
    """
    found: dict[int, int] = {}
    for row in TABLE:
        if row.name in numbers:
            found[numbers[row.name]] = row.number
    for row in TABLE:
        for name in (*row.aliases, f"WSA{row.name}", *(f"WSA{alias}" for alias in row.aliases)):
            if name in numbers:
                found.setdefault(numbers[name], row.number)
    return found


_BY_PYTHON: Final = wasi_numbers({name: number for name, number in vars(errno).items() if isinstance(number, int)})


def errno_of(error: OSError) -> int:
    """WASI's number for an error; EIO for one without a number that WASI knows."""
    return _BY_PYTHON.get(error.errno, EIO) if error.errno else EIO
