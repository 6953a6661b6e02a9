"""Errors of the system as Node's: an Error with `code`, `errno`, `syscall` and perhaps `path`."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any, Final, NoReturn

from wazero_gojs.model.values import JSError

if TYPE_CHECKING:
    from wazero_gojs.model.realm import Realm

_SAME: Final = {"EWOULDBLOCK": "EAGAIN", "EOPNOTSUPP": "ENOTSUP", "EDEADLOCK": "EDEADLK"}


_TEXTS: Final = {
    "EBUSY": "resource busy or locked",
    "EEXIST": "file already exists",
    "EFAULT": "bad address in system call argument",
    "EIO": "i/o error",
    "EISDIR": "illegal operation on a directory",
    "ELOOP": "too many symbolic links encountered",
    "ENAMETOOLONG": "name too long",
    "ENFILE": "file table overflow",
    "ENOMEM": "not enough memory",
    "ENOTSUP": "operation not supported on socket",
    "ESPIPE": "invalid seek",
    "ETXTBSY": "text file is busy",
    "EXDEV": "cross-device link not permitted",
}
"""What libuv calls errors, where Linux calls them otherwise."""


def code_of(error: OSError) -> str:
    """The name of an error number; EIO for one without."""
    if not error.errno:
        return "EIO"
    name = errno.errorcode.get(error.errno, "EIO")
    return _SAME.get(name, name)


def system_error(realm: Realm, error: OSError, syscall: str, path: str | None = None, dest: str | None = None) -> Any:
    """The Error object. Its message names no file of the host, only paths that the program gave."""
    code = code_of(error)
    number = getattr(errno, code, errno.EIO)
    named = {"path": path, "dest": dest}
    where = " ->".join(f" '{name}'" for name in named.values() if name is not None)
    made = realm.new_error("Error", f"{code}: {_TEXTS.get(code) or os.strerror(number).lower()}, {syscall}{where}")
    made.properties.update({"errno": -number, "code": code, "syscall": syscall})
    made.properties.update({name: value for name, value in named.items() if value is not None})
    return made


def throw_type_of_argument(realm: Realm, name: str, wanted: str) -> NoReturn:
    """Throw the TypeError for an argument of the wrong type."""
    message = f'The "{name}" argument must be {wanted}.'
    raise JSError(realm.new_error("TypeError", message, code="ERR_INVALID_ARG_TYPE"))


def throw_out_of_range(realm: Realm, name: str) -> NoReturn:
    """Throw the RangeError for a number that is too small or too large."""
    raise JSError(realm.new_error("RangeError", f'The value of "{name}" is out of range.', code="ERR_OUT_OF_RANGE"))
