"""Node's global process, as far as programs have a use for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from wazero_gojs.model.object import Args, JSObject, Native, argument, is_callable
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import UNDEFINED, BigInt, JSError, to_string, to_uint32

from .errors import system_error, throw_type_of_argument

if TYPE_CHECKING:
    from wazero_gojs.model.realm import Realm

_SECOND: Final = 1_000_000_000
_PROCESS = Table()
_PROCESS.constant("pid", 1)
_PROCESS.constant("ppid", 0)
_PROCESS.constant("argv0", "wazero")  # net/http makes no requests by fetch in what calls itself node
_PROCESS.constant("title", "wazero")
_PROCESS.constant("platform", "linux")
_PROCESS.constant("arch", "wasm")
_PROCESS.constant("version", "v0.0.0")
_PROCESS.constant("exitCode", UNDEFINED)


def make(realm: Realm, name: str) -> Any:
    """The global `process`."""
    return realm.new_namespace(_PROCESS, "process")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


_PROCESS.made("argv", lambda realm: realm.new_array([_text(arg) for arg in realm.host.system.args]))
_PROCESS.made(
    "env",
    lambda realm: realm.new_object(dict(_text(item).partition("=")[::2] for item in realm.host.system.environ)),
)
_PROCESS.made("versions", lambda realm: realm.new_object())


@_PROCESS.method("cwd")
def cwd(realm: Realm, this: Any, args: Args) -> str:
    """The working directory."""
    path: str = realm.host.workdir.path
    return path


@_PROCESS.method("chdir", 1)
def chdir(realm: Realm, this: Any, args: Args) -> Any:
    """Change the working directory."""
    path = to_string(argument(args, 0))
    try:
        realm.host.workdir.change(path)
    except OSError as error:
        raise JSError(system_error(realm, error, "chdir", realm.host.workdir.path, path)) from None
    return UNDEFINED


@_PROCESS.method("umask", 1)
def umask(realm: Realm, this: Any, args: Args) -> int:
    """The permissions that new files do not get; with an argument, set them."""
    host = realm.host
    before: int = host.umask
    if argument(args, 0) is not UNDEFINED:
        host.umask = to_uint32(args[0]) & 0o777
    return before


def _user(realm: Realm, name: str) -> int:
    """What the system says, if the program may know that; otherwise 0."""
    return int(getattr(os, name)()) if realm.host.config.os_user and hasattr(os, name) else 0


def _asking(name: str) -> Native:
    return lambda realm, this, args: _user(realm, name)


for _name in ("getuid", "getgid", "geteuid", "getegid"):
    _PROCESS.method(_name)(_asking(_name))


@_PROCESS.method("getgroups")
def getgroups(realm: Realm, this: Any, args: Args) -> Any:
    """The groups of the user, and the effective one."""
    is_allowed = realm.host.config.os_user and hasattr(os, "getgroups")
    groups = os.getgroups() if is_allowed else []
    effective = _user(realm, "getegid")
    return realm.new_array(groups if effective in groups else [*groups, effective])


@_PROCESS.method("exit", 1)
def exit_(realm: Realm, this: Any, args: Args) -> Any:
    """End the program."""
    realm.host.exit(to_uint32(argument(args, 0)))


def _hrtime(realm: Realm, this: Any, args: Args) -> Any:
    """Seconds and nanoseconds since some moment, or since an earlier such pair."""
    now = realm.host.system.nanotime()
    earlier = argument(args, 0)
    if earlier is not UNDEFINED:
        if not isinstance(earlier, JSObject):
            throw_type_of_argument(realm, "time", "an instance of Array")
        now -= to_uint32(earlier.get_index(0)) * _SECOND + to_uint32(earlier.get_index(1))
    return realm.new_array(divmod(now, _SECOND))


def _make_hrtime(realm: Realm) -> Any:
    made = realm.new_function(_hrtime, "hrtime", 1)
    made.properties["bigint"] = realm.new_function(
        lambda realm, this, args: BigInt(realm.host.system.nanotime()), "bigint"
    )
    return made


_PROCESS.made("hrtime", _make_hrtime)


@_PROCESS.method("nextTick", 1)
def next_tick(realm: Realm, this: Any, args: Args) -> Any:
    """Call a function as soon as what runs now has ended."""
    function, rest = argument(args, 0), tuple(args[1:])
    if not is_callable(function):
        throw_type_of_argument(realm, "callback", "of type function")
    realm.jobs.add(lambda: function.call(UNDEFINED, rest))
    return UNDEFINED
