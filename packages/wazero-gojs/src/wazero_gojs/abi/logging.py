"""How calls of Go programs read in a log: a table of what is in the slots on their stack, and one of the methods that
package syscall and others call by name.

    ==> go.syscall/js.valueCall(fs.open(path=/x,flags=RDONLY,perm=-rw-r--r--))
    <== (err=<nil>,fd=4)

As wazero printed them, so that what reads its logs reads these. Different are calls of other objects, which it left empty,
and functions whose callback gets its answer later: that is not shown.

Imported when a log is wanted, by `imports`.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence
from struct import Struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

from wazero_api import LogScope
from wazero_core.runtime.host_logging import visible
from wazero_gojs.model.buffer import JSTypedArray
from wazero_gojs.model.object import MISSING, JSObject
from wazero_gojs.model.values import UNDEFINED, describe

if TYPE_CHECKING:
    from wazero_gojs.program import Program

_I32: Final = Struct("<i")
_I64: Final = Struct("<q")
_U64: Final = Struct("<Q")
_MAX_ARGS: Final = 20
_CALL: Final = "syscall/js.valueCall"

_SLOTS: Final = {"string": 2, "bytes": 3, "refs": 3}
"""How many slots a type has, if more than one: a slice also has its capacity."""

_SIGNATURES: Final = {
    "runtime.wasmExit": ("code:i32", ""),
    "runtime.resetMemoryDataView": ("", ""),
    "runtime.nanotime1": ("", "nsec:i64"),
    "runtime.nanotime": ("", "nsec:i64"),
    "runtime.walltime": ("", "sec:i64 nsec:i32"),
    "runtime.walltime1": ("", "sec:i64 nsec:i32"),
    "runtime.scheduleTimeoutEvent": ("ms:i64", "id:i32"),
    "runtime.clearTimeoutEvent": ("id:i32", ""),
    "runtime.getRandomData": ("r:bytes", ""),
    "syscall/js.finalizeRef": ("r:ref", ""),
    "syscall/js.stringVal": ("x:string", "r:ref"),
    "syscall/js.valueGet": ("v:ref p:string", "r:ref"),
    "syscall/js.valueSet": ("v:ref p:string x:ref", ""),
    "syscall/js.valueDelete": ("v:ref p:string", ""),
    "syscall/js.valueIndex": ("v:ref i:i64", "r:ref"),
    "syscall/js.valueSetIndex": ("v:ref i:i64 x:ref", ""),
    _CALL: ("v:ref m:string args:refs", "res:ref ok:bool"),
    "syscall/js.valueInvoke": ("v:ref args:refs", "res:ref ok:bool"),
    "syscall/js.valueNew": ("v:ref args:refs", "res:ref ok:bool"),
    "syscall/js.valueLength": ("v:ref", "len:i64"),
    "syscall/js.valuePrepareString": ("v:ref", "str:ref length:i64"),
    "syscall/js.valueLoadString": ("v:ref b:bytes", ""),
    "syscall/js.valueInstanceOf": ("v:ref t:ref", "ok:bool"),
    "syscall/js.copyBytesToGo": ("dst:bytes src:ref", "n:i64 ok:bool"),
    "syscall/js.copyBytesToJS": ("dst:ref src:bytes", "n:i64 ok:bool"),
}
"""Names and types of what is on the stack before and after a call. What is missing is left out of logs: what
``runtime.wasmWrite`` prints is seen anyway."""


class _Methods(NamedTuple):
    """The methods of an object: parameters and results by name."""

    scope: LogScope
    names: dict[str, tuple[str, str]]


_METHODS: Final = {
    "fs": _Methods(
        LogScope.FILESYSTEM,
        {
            "open": ("path flags perm", "err fd"),
            "stat": ("path", "err stat"),
            "lstat": ("path", "err stat"),
            "fstat": ("fd", "err stat"),
            "close": ("fd", "err"),
            "read": ("fd buf offset byteCount fOffset", "err n"),
            "write": ("fd buf offset byteCount fOffset", "err n"),
            "readdir": ("path", "err dirents"),
            "mkdir": ("path perm", "err"),
            "rmdir": ("path", "err"),
            "unlink": ("path", "err"),
            "rename": ("from to", "err"),
            "link": ("path link", "err"),
            "symlink": ("path link", "err"),
            "readlink": ("path", "err dst"),
            "utimes": ("path atime mtime", "err"),
            "truncate": ("path length", "err"),
            "ftruncate": ("fd length", "err"),
            "chmod": ("path mode", "err"),
            "fchmod": ("fd mode", "err"),
            "chown": ("path uid gid", "err"),
            "lchown": ("path uid gid", "err"),
            "fchown": ("fd uid gid", "err"),
            "fsync": ("fd", "err"),
        },
    ),
    "process": _Methods(
        LogScope.PROC,
        {
            "cwd": ("", "cwd"),
            "chdir": ("path", ""),
            "umask": ("mask", "oldmask"),
            "getuid": ("", "uid"),
            "getgid": ("", "gid"),
            "geteuid": ("", "euid"),
            "getegid": ("", "egid"),
            "getgroups": ("", "groups"),
        },
    ),
    "crypto": _Methods(LogScope.RANDOM, {"getRandomValues": ("r", "n")}),
    "performance": _Methods(LogScope.CLOCK, {"now": ("", "ms")}),
    "Date": _Methods(LogScope.CLOCK, {"getTimezoneOffset": ("", "tz")}),
}

_ACCESS_MODES: Final = ("RDONLY", "WRONLY", "RDWR")
_OPEN_FLAGS: Final = {0o2000: "APPEND", 0o100: "CREATE", 0o200: "EXCL", 0o1000: "TRUNC", 0o200000: "DIRECTORY"}
_PERMISSIONS: Final = frozenset({"perm", "mode", "mask", "oldmask"})
_WITH_LENGTH: Final = frozenset({"buf"})
"""Parameters that another one tells as much of."""
_STANDARD_STREAMS: Final = range(3)


class _Slot(NamedTuple):
    name: str
    type: str
    offset: int
    """From the stack pointer on."""


def _slots(text: str, index: int) -> tuple[list[_Slot], int]:
    """The slots of a signature from number `index` on, and the number of the one after them."""
    found = []
    for item in text.split():
        name, type = item.split(":")
        found.append(_Slot(name, type, 8 + 8 * index))
        index += _SLOTS.get(type, 1)
    return found, index


@final
class GoDescriber:
    """Shows the calls of one import: a `wazero_api.CallDescriber`."""

    def __init__(self, program: Program, name: str, scopes: LogScope) -> None:
        self._program = program
        self._name = name
        self._scopes = scopes
        params, results = _SIGNATURES.get(name, ("", ""))
        self._params, index = _slots(params, 0)
        self._results, _ = _slots(results, index)

    def params(self, module: Any, args: tuple[int, ...]) -> str | None:
        """The parameters on the stack; None for calls that are not logged, or not in these scopes."""
        (sp,) = args
        if self._name == "debug":
            return f"value={sp}"
        if self._name not in _SIGNATURES:
            return None
        if self._name == _CALL:
            return self._call_params(sp)
        return ",".join(f"{slot.name}{self._text(sp, slot)}" for slot in self._params)

    def results(self, module: Any, args: tuple[int, ...], results: tuple[int, ...]) -> str:
        """The results on the stack, which may be another one by now."""
        if not self._results:
            return ""
        sp = self._program.getsp()
        shown = self._call_results(sp) if self._name == _CALL else None
        if shown is None:
            shown = [f"{slot.name}{self._text(sp, slot)}" for slot in self._results]
        return f"({','.join(shown)})"

    # Calls of methods

    def _called(self, sp: int) -> tuple[Any, str, _Methods | None]:
        """The object, the name of the method, and what is known of such objects."""
        this = self._value(sp + 8)
        name = str(bytes(self._bytes(sp + 16)), "utf-8", "replace")
        return this, name, _METHODS.get(self._object_name(this))

    def _object_name(self, this: Any) -> str:
        if not isinstance(this, JSObject):
            return ""
        if this.class_name == "Date":
            return "Date"
        original = self._program.realm.intrinsic
        return next((name for name in _METHODS if name != "Date" and original(name) is this), "")

    def _call_params(self, sp: int) -> str | None:
        this, name, methods = self._called(sp)
        args = self._values(sp + 32)
        scope = LogScope.NONE if methods is None else methods.scope
        if self._scopes != LogScope.ALL and not scope & self._scopes:
            return None
        if scope == LogScope.FILESYSTEM and name in {"read", "write"} and args and args[0] in _STANDARD_STREAMS:
            return None
        self._program.answer = None
        if methods is None or name not in methods.names:
            shown = [_value_text(value) for value in args[:_MAX_ARGS]]
        else:
            names = methods.names[name][0].split()
            shown = [_named(n, value) for n, value in zip(names, args, strict=False) if n not in _WITH_LENGTH]
        return f"{self._object_name(this) or self._reference_text(this)}.{visible(name)}({','.join(shown)})"

    def _call_results(self, sp: int) -> list[str] | None:
        _, name, methods = self._called(sp)
        if methods is None or name not in methods.names:
            return None
        names = methods.names[name][1].split()
        if methods.scope == LogScope.FILESYSTEM:
            answer = self._program.answer
            return [] if answer is None else [_named(n, value) for n, value in zip(names, answer, strict=False)]
        result, is_ok = self._value(sp + 56), self._program.buffer[sp + 64]
        if not is_ok:
            return [_named("err", result)]
        return [_named(n, result) for n in names] or [_named("err", None)]

    # What is in memory

    def _text(self, sp: int, slot: _Slot) -> str:
        address = sp + slot.offset
        if slot.type == "string":
            return f"={visible(bytes(self._bytes(address)))}"
        if slot.type == "bytes":
            return f"_len={len(self._bytes(address))}"
        if slot.type == "ref":
            return f"={self._reference_text(self._value(address))}"
        if slot.type == "refs":
            return f"=[{','.join(map(_value_text, self._values(address)[:_MAX_ARGS]))}]"
        if slot.type == "bool":
            return "=true" if self._program.buffer[address] else "=false"
        (number,) = (_I32 if slot.type == "i32" else _I64).unpack_from(self._program.buffer, address)
        return f"={number}"

    def _reference_text(self, value: Any) -> str:
        if value is self._program.realm.global_object:
            return "globalThis"
        if value is self._program.go:
            return "jsGo"
        name = self._object_name(value)
        return _value_text(value) if name in {"", "Date"} else name

    def _bytes(self, address: int) -> memoryview:
        (pointer,), (length,) = (_U64.unpack_from(self._program.buffer, address + offset) for offset in (0, 8))
        return self._program.buffer[pointer : pointer + length]

    def _value(self, address: int) -> Any:
        (ref,) = _U64.unpack_from(self._program.buffer, address)
        return self._program.references.load(ref)

    def _values(self, address: int) -> Sequence[Any]:
        raw = self._program.buffer
        (pointer,), (count,) = (_U64.unpack_from(raw, address + offset) for offset in (0, 8))
        end = min(pointer + 8 * count, len(raw) - 7)
        return [self._value(place) for place in range(pointer, end, 8)]


def _value_text(value: Any) -> str:
    if isinstance(value, JSTypedArray):
        return f"{value.type.name}({value.length})"
    return visible(describe(value))


def _named(name: str, value: Any) -> str:
    """A value under its name, as its name asks for."""
    if isinstance(value, JSTypedArray):
        return f"{name}_len={value.length}"
    shown = _TEXTS.get(name)
    if shown is not None:
        return f"{name}={shown(value)}"
    if name in _PERMISSIONS and isinstance(value, int):
        return f"{name}={_permission_text(value)}"
    return f"{name}={'<nil>' if value is None or value is UNDEFINED else _value_text(value)}"


def _permission_text(mode: int) -> str:
    return stat.filemode(stat.S_IFREG | stat.S_IMODE(mode))


def _flags_text(value: Any) -> str:
    if not isinstance(value, int):
        return _value_text(value)
    shown = [_ACCESS_MODES[value & 3] if value & 3 < len(_ACCESS_MODES) else "3"]
    rest = value & ~3
    for bit, name in _OPEN_FLAGS.items():
        if rest & bit:
            shown.append(name)
            rest &= ~bit
    return "|".join([*shown, f"{rest:#x}"] if rest else shown)


def _error_text(value: Any) -> str:
    """The code of a system's error."""
    code = value.own("code") if isinstance(value, JSObject) else None
    return "<nil>" if value is None else _value_text(value if code is None or code is MISSING else code)


def _owner_text(value: Any) -> str:
    """Go has an unsigned number for -1, which leaves an owner as it is."""
    return "-1" if value == 0xFFFFFFFF else _value_text(value)


def _stat_text(value: Any) -> str:
    if not isinstance(value, JSObject):
        return "<nil>"
    mode, size, time = (value.properties.get(name, 0) for name in ("mode", "size", "mtimeMs"))
    is_directory = "true" if stat.S_ISDIR(int(mode)) else "false"
    return f"{{isDir={is_directory},mode={_permission_text(int(mode))},size={size},mtimeMs={int(time)}}}"


def _list_text(value: Any) -> str:
    items = value.values() if isinstance(value, JSObject) and hasattr(value, "values") else []
    return f"[{','.join(map(_value_text, items[:_MAX_ARGS]))}{',…' if len(items) > _MAX_ARGS else ''}]"


_TEXTS: Final[dict[str, Callable[[Any], str]]] = {
    "flags": _flags_text,
    "err": _error_text,
    "stat": _stat_text,
    "dirents": _list_text,
    "groups": _list_text,
    "uid": _owner_text,
    "gid": _owner_text,
}
