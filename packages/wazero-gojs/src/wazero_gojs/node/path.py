"""Node's module path, for POSIX paths."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from wazero_gojs.model.object import Args, argument
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import UNDEFINED, throw_type_error

if TYPE_CHECKING:
    from wazero_gojs.model.realm import Realm

_PATH = Table()
_PATH.constant("sep", "/")
_PATH.constant("delimiter", ":")


def make(realm: Realm, name: str) -> Any:
    """The global `path`."""
    return realm.new_namespace(_PATH)


def _texts(args: Args, name: str) -> list[str]:
    for value in args:
        if not isinstance(value, str):
            throw_type_error(f'The "{name}" argument must be of type string')
    return list(args)


@_PATH.method("resolve")
def resolve(realm: Realm, this: Any, args: Args) -> str:
    """An absolute path: the last absolute one of the arguments, with those after it, from the working directory on."""
    path = posixpath.normpath(posixpath.join(realm.host.workdir.path, *filter(None, _texts(args, "paths"))))
    return path[1:] if path.startswith("//") else path


@_PATH.method("join")
def join(realm: Realm, this: Any, args: Args) -> str:
    """The arguments with slashes between them, normalised."""
    path = posixpath.normpath("/".join(filter(None, _texts(args, "path"))))
    return path[1:] if path.startswith("//") else path


@_PATH.method("normalize", 1)
def normalize(realm: Realm, this: Any, args: Args) -> str:
    """Without "." and "..", as far as the text tells."""
    (path,) = _texts([argument(args, 0)], "path")
    clean = posixpath.normpath(path)
    clean = clean[1:] if clean.startswith("//") else clean
    return f"{clean}/" if path.endswith("/") and clean != "/" else clean


@_PATH.method("dirname", 1)
def dirname(realm: Realm, this: Any, args: Args) -> str:
    """All but the last component."""
    (path,) = _texts([argument(args, 0)], "path")
    return posixpath.dirname(path.rstrip("/") or path[:1]) or "."


@_PATH.method("basename", 2)
def basename(realm: Realm, this: Any, args: Args) -> str:
    """The last component, without a suffix if it has that."""
    (path,) = _texts([argument(args, 0)], "path")
    suffix = argument(args, 1)
    name = posixpath.basename(path.rstrip("/"))
    return name.removesuffix(suffix) if isinstance(suffix, str) and suffix != name else name


@_PATH.method("extname", 1)
def extname(realm: Realm, this: Any, args: Args) -> str:
    """From the last point of the last component on."""
    (path,) = _texts([argument(args, 0)], "path")
    return posixpath.splitext(path.rstrip("/"))[1]


@_PATH.method("isAbsolute", 1)
def is_absolute(realm: Realm, this: Any, args: Args) -> bool:
    """Whether it starts with a slash."""
    (path,) = _texts([argument(args, 0)], "path")
    return path.startswith("/")


_PATH.made("posix", lambda realm: realm.intrinsic("path"))
_PATH.constant("win32", UNDEFINED)
