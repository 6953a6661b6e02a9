"""Errors of the system as Node's: an Error with `code`, `errno`, `syscall` and perhaps `path`."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from wazero_gojs.model.realm import Realm

_SAME: Final = {"EWOULDBLOCK": "EAGAIN", "EOPNOTSUPP": "ENOTSUP", "EDEADLOCK": "EDEADLK"}


def code_of(error: OSError) -> str:
    """The name of an error number; EIO for one without."""
    if not error.errno:
        return "EIO"
    name = errno.errorcode.get(error.errno, "EIO")
    return _SAME.get(name, name)


def system_error(realm: Realm, error: OSError, syscall: str, path: str | None = None) -> Any:
    """The Error object. Its message names no file of the host."""
    code = code_of(error)
    number = getattr(errno, code, errno.EIO)
    where = "" if path is None else f" '{path}'"
    made = realm.new_error("Error", f"{code}: {os.strerror(number).lower()}, {syscall}{where}")
    made.properties.update({"errno": -number, "code": code, "syscall": syscall})
    if path is not None:
        made.properties["path"] = path
    return made
