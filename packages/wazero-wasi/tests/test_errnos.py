"""The table of error numbers: complete, in order, and true to Python's errors on every system."""

from __future__ import annotations

import errno
import io
import sys
from typing import Final

import pytest

from wazero_wasi.errnos import NAMES, NUMBERS, TABLE, errno_of, wasi_numbers


def _numbers(text: str) -> dict[str, int]:
    """From ``NAME number`` pairs."""
    words = text.split()
    return {name: int(number) for name, number in zip(words[::2], words[1::2], strict=True)}


LINUX: Final = _numbers("""
    EPERM 1 ENOENT 2 ESRCH 3 EINTR 4 EIO 5 ENXIO 6 E2BIG 7 ENOEXEC 8 EBADF 9 ECHILD 10 EAGAIN 11 EWOULDBLOCK 11 ENOMEM 12
    EACCES 13 EFAULT 14 ENOTBLK 15 EBUSY 16 EEXIST 17 EXDEV 18 ENODEV 19 ENOTDIR 20 EISDIR 21 EINVAL 22 ENFILE 23
    EMFILE 24 ENOTTY 25 ETXTBSY 26 EFBIG 27 ENOSPC 28 ESPIPE 29 EROFS 30 EMLINK 31 EPIPE 32 EDOM 33 ERANGE 34 EDEADLK 35
    EDEADLOCK 35 ENAMETOOLONG 36 ENOLCK 37 ENOSYS 38 ENOTEMPTY 39 ELOOP 40 ENOMSG 42 EIDRM 43 ETIME 62 ENOLINK 67
    EPROTO 71 EMULTIHOP 72 EBADMSG 74 EOVERFLOW 75 EILSEQ 84 ENOTSOCK 88 EDESTADDRREQ 89 EMSGSIZE 90 EPROTOTYPE 91
    ENOPROTOOPT 92 EPROTONOSUPPORT 93 ESOCKTNOSUPPORT 94 EOPNOTSUPP 95 ENOTSUP 95 EPFNOSUPPORT 96 EAFNOSUPPORT 97
    EADDRINUSE 98 EADDRNOTAVAIL 99 ENETDOWN 100 ENETUNREACH 101 ENETRESET 102 ECONNABORTED 103 ECONNRESET 104
    ENOBUFS 105 EISCONN 106 ENOTCONN 107 ESHUTDOWN 108 ETIMEDOUT 110 ECONNREFUSED 111 EHOSTDOWN 112 EHOSTUNREACH 113
    EALREADY 114 EINPROGRESS 115 ESTALE 116 EDQUOT 122 ECANCELED 125 EOWNERDEAD 130 ENOTRECOVERABLE 131
""")

MACOS: Final = _numbers("""
    EPERM 1 ENOENT 2 ESRCH 3 EINTR 4 EIO 5 ENXIO 6 E2BIG 7 ENOEXEC 8 EBADF 9 ECHILD 10 EDEADLK 11 ENOMEM 12 EACCES 13
    EFAULT 14 ENOTBLK 15 EBUSY 16 EEXIST 17 EXDEV 18 ENODEV 19 ENOTDIR 20 EISDIR 21 EINVAL 22 ENFILE 23 EMFILE 24
    ENOTTY 25 ETXTBSY 26 EFBIG 27 ENOSPC 28 ESPIPE 29 EROFS 30 EMLINK 31 EPIPE 32 EDOM 33 ERANGE 34 EAGAIN 35
    EWOULDBLOCK 35 EINPROGRESS 36 EALREADY 37 ENOTSOCK 38 EDESTADDRREQ 39 EMSGSIZE 40 EPROTOTYPE 41 ENOPROTOOPT 42
    EPROTONOSUPPORT 43 ESOCKTNOSUPPORT 44 ENOTSUP 45 EPFNOSUPPORT 46 EAFNOSUPPORT 47 EADDRINUSE 48 EADDRNOTAVAIL 49
    ENETDOWN 50 ENETUNREACH 51 ENETRESET 52 ECONNABORTED 53 ECONNRESET 54 ENOBUFS 55 EISCONN 56 ENOTCONN 57
    ESHUTDOWN 58 ETIMEDOUT 60 ECONNREFUSED 61 ELOOP 62 ENAMETOOLONG 63 EHOSTDOWN 64 EHOSTUNREACH 65 ENOTEMPTY 66
    EDQUOT 69 ESTALE 70 ENOLCK 77 ENOSYS 78 EFTYPE 79 EOVERFLOW 84 ECANCELED 89 EIDRM 90 ENOMSG 91 EILSEQ 92 EBADMSG 94
    EMULTIHOP 95 ENOLINK 97 EPROTO 100 ETIME 101 EOPNOTSUPP 102 ENOTRECOVERABLE 104 EOWNERDEAD 105
""")

WINDOWS: Final = _numbers("""
    EPERM 1 ENOENT 2 ESRCH 3 EINTR 4 EIO 5 ENXIO 6 E2BIG 7 ENOEXEC 8 EBADF 9 ECHILD 10 EAGAIN 11 ENOMEM 12 EACCES 13
    EFAULT 14 EBUSY 16 EEXIST 17 EXDEV 18 ENODEV 19 ENOTDIR 20 EISDIR 21 EINVAL 22 ENFILE 23 EMFILE 24 ENOTTY 25
    EFBIG 27 ENOSPC 28 ESPIPE 29 EROFS 30 EMLINK 31 EPIPE 32 EDOM 33 ERANGE 34 EDEADLK 36 EDEADLOCK 36 ENAMETOOLONG 38
    ENOLCK 39 ENOSYS 40 ENOTEMPTY 41 EILSEQ 42 EBADMSG 104 ECANCELED 105 EIDRM 111 ENOLINK 121 ENOMSG 122
    ENOTRECOVERABLE 127 ENOTSUP 129 EOVERFLOW 132 EOWNERDEAD 133 EPROTO 134 ETIME 137 ETXTBSY 139
    WSAEINTR 10004 WSAEBADF 10009 WSAEACCES 10013 WSAEFAULT 10014 WSAEINVAL 10022 WSAEMFILE 10024
    EWOULDBLOCK 10035 WSAEWOULDBLOCK 10035 EINPROGRESS 10036 WSAEINPROGRESS 10036 EALREADY 10037 WSAEALREADY 10037
    ENOTSOCK 10038 WSAENOTSOCK 10038 EDESTADDRREQ 10039 WSAEDESTADDRREQ 10039 EMSGSIZE 10040 WSAEMSGSIZE 10040
    EPROTOTYPE 10041 WSAEPROTOTYPE 10041 ENOPROTOOPT 10042 WSAENOPROTOOPT 10042 EPROTONOSUPPORT 10043
    WSAEPROTONOSUPPORT 10043 ESOCKTNOSUPPORT 10044 WSAESOCKTNOSUPPORT 10044 EOPNOTSUPP 10045 WSAEOPNOTSUPP 10045
    EPFNOSUPPORT 10046 WSAEPFNOSUPPORT 10046 EAFNOSUPPORT 10047 WSAEAFNOSUPPORT 10047 EADDRINUSE 10048
    WSAEADDRINUSE 10048 EADDRNOTAVAIL 10049 WSAEADDRNOTAVAIL 10049 ENETDOWN 10050 WSAENETDOWN 10050 ENETUNREACH 10051
    WSAENETUNREACH 10051 ENETRESET 10052 WSAENETRESET 10052 ECONNABORTED 10053 WSAECONNABORTED 10053 ECONNRESET 10054
    WSAECONNRESET 10054 ENOBUFS 10055 WSAENOBUFS 10055 EISCONN 10056 WSAEISCONN 10056 ENOTCONN 10057 WSAENOTCONN 10057
    ESHUTDOWN 10058 WSAESHUTDOWN 10058 ETIMEDOUT 10060 WSAETIMEDOUT 10060 ECONNREFUSED 10061 WSAECONNREFUSED 10061
    ELOOP 10062 WSAELOOP 10062 WSAENAMETOOLONG 10063 EHOSTDOWN 10064 WSAEHOSTDOWN 10064 EHOSTUNREACH 10065
    WSAEHOSTUNREACH 10065 WSAENOTEMPTY 10066 EDQUOT 10069 WSAEDQUOT 10069 ESTALE 10070 WSAESTALE 10070
""")

SYSTEMS: Final = {"linux": LINUX, "darwin": MACOS, "win32": WINDOWS}
"""What `errno` holds on each, as far as WASI has a word for it. From the systems' own headers."""

# Names that WASI lacks, and what they come to.
NEARLY: Final = {
    "EDEADLOCK": "EDEADLK",
    "EFTYPE": "EINVAL",
    "EHOSTDOWN": "EHOSTUNREACH",
    "EOPNOTSUPP": "ENOTSUP",
    "EPFNOSUPPORT": "EAFNOSUPPORT",
    "ESHUTDOWN": "EPIPE",
    "ESOCKTNOSUPPORT": "EPROTONOSUPPORT",
    "ETIME": "ETIMEDOUT",
    "EWOULDBLOCK": "EAGAIN",
}
WITHOUT_A_WORD: Final = {"ENOTBLK"}


def test_numbers_are_consecutive_and_names_unique() -> None:
    assert [row.number for row in TABLE] == list(range(77))
    assert len(NUMBERS) == len(NAMES) == 77


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0, "ESUCCESS"),
        (8, "EBADF"),
        (20, "EEXIST"),
        (28, "EINVAL"),
        (44, "ENOENT"),
        (52, "ENOSYS"),
        (63, "EPERM"),
        (76, "ENOTCAPABLE"),
    ],
)
def test_numbers_are_those_of_the_specification(number: int, name: str) -> None:
    assert NUMBERS[name] == number
    assert NAMES[number] == name


@pytest.mark.parametrize("row", TABLE[1:-1], ids=lambda row: row.name)
def test_python_errors_become_their_own_number(row: tuple[int, str, tuple[str, ...]]) -> None:
    number, name, aliases = row
    for spelling in (name, *aliases):
        if hasattr(errno, spelling):
            assert errno_of(OSError(getattr(errno, spelling), "")) == number


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_error_of_a_system_becomes_its_own_number(system: str) -> None:
    numbers = SYSTEMS[system]
    found = wasi_numbers(numbers)
    for name, number in numbers.items():
        plain = name.removeprefix("WSA")
        if plain in WITHOUT_A_WORD:
            assert number not in found
        else:
            assert NAMES[found[number]] == NEARLY.get(plain, plain), name


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_error_of_files_has_a_number_on_every_system(system: str) -> None:
    """No name is missing that the file systems here raise or pass on."""
    raised = (
        "EACCES EAGAIN EBADF EEXIST EINVAL EIO EISDIR ELOOP EMFILE ENAMETOOLONG ENFILE ENOENT ENOSPC ENOSYS ENOTDIR"
    )
    raised += " ENOTEMPTY ENOTSUP ENXIO EPERM EPIPE EROFS ESPIPE EXDEV EFBIG EILSEQ EMLINK ETXTBSY EDQUOT"
    found = wasi_numbers(SYSTEMS[system])
    assert not [name for name in raised.split() if NUMBERS[name] not in found.values()]


def test_the_table_of_this_system_is_the_one_that_python_has() -> None:
    expected = SYSTEMS.get(sys.platform)
    if expected is None:
        pytest.skip(f"no table of the numbers of {sys.platform}")
    assert {name: getattr(errno, name) for name in expected if hasattr(errno, name)} == {
        name: number for name, number in expected.items() if hasattr(errno, name)
    }
    of_wasi = {*NUMBERS, *NEARLY} - {"ESUCCESS", "ENOTCAPABLE"}
    assert {name for name in of_wasi if hasattr(errno, name)} <= expected.keys()


@pytest.mark.skipif(sys.platform != "win32", reason="only Windows has a second kind of number")
@pytest.mark.parametrize(
    ("winerror", "name"),
    [
        (2, "ENOENT"),
        (3, "ENOENT"),
        (5, "EACCES"),
        (80, "EEXIST"),
        (145, "ENOTEMPTY"),
        (183, "EEXIST"),
        (10054, "ECONNRESET"),
    ],
)
def test_errors_of_windows_become_what_python_makes_of_them(winerror: int, name: str) -> None:
    assert NAMES[errno_of(OSError(None, "", None, winerror))] == name


@pytest.mark.parametrize("error", [OSError(), OSError("text"), io.UnsupportedOperation("read"), OSError(99_999, "?")])
def test_errors_without_a_number_that_wasi_knows_are_eio(error: OSError) -> None:
    assert NAMES[errno_of(error)] == "EIO"
