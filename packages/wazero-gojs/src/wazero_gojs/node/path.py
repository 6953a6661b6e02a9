"""Node's module path, for POSIX paths."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from wazero_gojs.model.object import Args, JSObject, argument
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import UNDEFINED, throw_type_error, to_string

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
    return _normal("/".join(filter(None, _texts(args, "path"))))


@_PATH.method("normalize", 1)
def normalize(realm: Realm, this: Any, args: Args) -> str:
    """Without "." and "..", as far as the text tells."""
    (path,) = _texts([argument(args, 0)], "path")
    return _normal(path)


def _normal(path: str) -> str:
    clean = posixpath.normpath(path)
    clean = clean[1:] if clean.startswith("//") else clean
    return f"{clean}/" if path.endswith("/") and clean != "/" else clean


@_PATH.method("dirname", 1)
def dirname(realm: Realm, this: Any, args: Args) -> str:
    """All but the last component."""
    (path,) = _texts([argument(args, 0)], "path")
    return _folder(path) or "."


def _folder(path: str) -> str:
    head = path.rstrip("/").rpartition("/")
    return (head[0] or path[:1]) if head[1] or path.startswith("/") else ""


@_PATH.method("basename", 2)
def basename(realm: Realm, this: Any, args: Args) -> str:
    """The last component, without a suffix if it has that."""
    (path,) = _texts([argument(args, 0)], "path")
    suffix = argument(args, 1)
    name = posixpath.basename(path.rstrip("/"))
    is_whole = suffix == path  # then nothing is left; a component of that name stays
    return "" if is_whole else name.removesuffix(suffix) if isinstance(suffix, str) and suffix != name else name


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


@_PATH.method("relative", 2)
def relative(realm: Realm, this: Any, args: Args) -> str:
    """The way from one path to another."""
    start, end = (resolve(realm, this, [path]) for path in _texts([argument(args, 0), argument(args, 1)], "from"))
    return "" if start == end else posixpath.relpath(end, start)


@_PATH.method("parse", 1)
def parse(realm: Realm, this: Any, args: Args) -> Any:
    """The parts of a path."""
    (path,) = _texts([argument(args, 0)], "path")
    base = posixpath.basename(path.rstrip("/"))
    name, extension = posixpath.splitext(base)
    root = "/" if path.startswith("/") else ""
    return realm.new_object({"root": root, "dir": _folder(path), "base": base, "ext": extension, "name": name})


@_PATH.method("format", 1)
def format_(realm: Realm, this: Any, args: Args) -> str:
    """The path of such parts."""
    parts = argument(args, 0)
    if not isinstance(parts, JSObject):
        throw_type_error('The "pathObject" argument must be of type object.')
    given = {key: parts.get(key) for key in ("root", "dir", "base", "name", "ext")}
    text = {key: "" if value is UNDEFINED or value is None else to_string(value) for key, value in given.items()}
    dot = "." if text["ext"] and not text["ext"].startswith(".") else ""
    base = text["base"] or f"{text['name']}{dot}{text['ext']}"
    folder = text["dir"] or text["root"]
    return f"{folder}{base}" if folder == text["root"] else f"{folder}/{base}"


_PATH.made("posix", lambda realm: realm.intrinsic("path"))
_PATH.constant("win32", UNDEFINED)
