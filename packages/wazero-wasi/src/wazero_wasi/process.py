"""Arguments, environment, exit, yield and random bytes. Spec: "args_get" and so on."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Final, NoReturn

from wazero_api.errors import ExitError

from .guest import Caller, buffer_of, check, fail, store_u32, view

_RANDOM_CHUNK: Final = 1 << 20
"""Bytes asked of the source at a time: a guest may want as many as its memory has."""


def _store_strings(module: Caller, strings: Sequence[bytes], pointers: int, data: int) -> None:
    """Lay the strings out at `data`, each with a NUL after it, and their addresses at `pointers`."""
    buffer = buffer_of(module)
    check(buffer, pointers, 4 * len(strings))
    content = b"".join(string + b"\0" for string in strings)
    view(buffer, data, len(content))[:] = content
    for string in strings:
        store_u32(buffer, pointers, data)
        pointers += 4
        data += len(string) + 1


def _store_sizes(module: Caller, strings: Sequence[bytes], count: int, size: int) -> None:
    """Store how many strings there are, and how many bytes with their NULs."""
    buffer = buffer_of(module)
    check(buffer, size, 4)
    store_u32(buffer, count, len(strings))
    store_u32(buffer, size, sum(len(string) + 1 for string in strings))


def args_get(module: Caller, argv: int, argv_buf: int) -> None:
    """Store the arguments."""
    _store_strings(module, module.system.args, argv, argv_buf)


def args_sizes_get(module: Caller, argc: int, argv_len: int) -> None:
    """Store the number of arguments and their bytes."""
    _store_sizes(module, module.system.args, argc, argv_len)


def environ_get(module: Caller, environ: int, environ_buf: int) -> None:
    """Store the environment as ``KEY=VALUE`` strings."""
    _store_strings(module, module.system.environ, environ, environ_buf)


def environ_sizes_get(module: Caller, environc: int, environv_len: int) -> None:
    """Store the number of variables and their bytes."""
    _store_sizes(module, module.system.environ, environc, environv_len)


def proc_exit(module: Caller, exit_code: int) -> NoReturn:
    """Close the module and leave it, through all its frames, as ExitError."""
    module.close_with_exit_code(exit_code)
    raise ExitError(exit_code, module.name)


_SIGNAL_BASE: Final = 128
"""Shells report a process that a signal ended as this and the signal's number."""

_SIGNALS: Final = (
    *(
        "NONE",
        "HUP",
        "INT",
        "QUIT",
        "ILL",
        "TRAP",
        "ABRT",
        "BUS",
        "FPE",
        "KILL",
        "USR1",
        "SEGV",
        "USR2",
        "PIPE",
        "ALRM",
    ),
    *("TERM", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "POLL"),
    *("PWR", "SYS"),
)
"""By WASI's number. Spec: "signal"."""

_WITHOUT_EFFECT: Final = frozenset({"NONE", "CHLD", "CONT", "URG", "WINCH"})
_STOPPING: Final = frozenset({"STOP", "TSTP", "TTIN", "TTOU"})


def proc_raise(module: Caller, sig: int) -> None:
    """Do what the signal does by default: nothing, or end the instance with 128 and the signal's number.

    EINVAL for a number that is none; ENOTSUP for signals that stop a process, which nobody could let go on.
    """
    if sig >= len(_SIGNALS):
        fail(errno.EINVAL)
    name = _SIGNALS[sig]
    if name in _STOPPING:
        fail(errno.ENOTSUP)
    if name not in _WITHOUT_EFFECT:
        proc_exit(module, _SIGNAL_BASE + sig)


def sched_yield(module: Caller) -> None:
    """Give up the turn."""
    module.system.osyield()


def random_get(module: Caller, buf: int, buf_len: int) -> None:
    """Fill a buffer with random bytes. A source that gives another number of bytes than asked for is a ValueError."""
    target = view(buffer_of(module), buf, buf_len)
    source = module.system.random
    for start in range(0, buf_len, _RANDOM_CHUNK):
        part = target[start : start + _RANDOM_CHUNK]
        data = source(len(part))
        if len(data) != len(part):
            raise ValueError(f"a source of random bytes was asked for {len(part)} and gave {len(data)}")
        part[:] = data
