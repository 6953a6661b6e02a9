"""The functions that Go programs import, all of the form ``(sp: i32)``: arguments are in memory from sp + 8 on, in slots of
8 bytes, and results behind them. Source: Go's lib/wasm/wasm_exec.js; runtime/sys_wasm.s; syscall/js/js.go.

Whatever may run Go code again, which calls of JavaScript functions may, can move the stack and grow the memory: afterwards
sp and the buffer are asked anew.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from struct import Struct
from typing import TYPE_CHECKING, Any, Final, NoReturn

from wazero_api import CallDescriber, Convention, FunctionType, HostFunction, HostModule, LogScope, ValueType
from wazero_gojs.model.buffer import JSTypedArray
from wazero_gojs.model.object import JSObject, instance_of
from wazero_gojs.model.utf16 import well_formed
from wazero_gojs.model.values import MAX_SAFE, UNDEFINED, JSError, throw_type_error, to_integer, to_string

from .memory import bytes_at

if TYPE_CHECKING:
    from wazero_gojs.program import Program

MODULE_NAMES: Final = ("gojs", "go")
"""What the imports' module is called: since Go 1.21, and before."""
GO_TESTS: Final = "_gotest"
"""The module that is in `go_tests`."""

_TYPE: Final = FunctionType((ValueType.I32,), ())
_RANDOM_CHUNK: Final = 1 << 16

_Q: Final = Struct("<Q")
_q: Final = Struct("<q")
_QQ: Final = Struct("<QQ")
_QQQ: Final = Struct("<QQQ")
_QQQQ: Final = Struct("<QQQQ")
_QQQQQ: Final = Struct("<QQQQQ")
_i: Final = Struct("<i")
_SECONDS: Final = Struct("<qi")
_QQi: Final = Struct("<QQi")
_Qq: Final = Struct("<Qq")
_QqQ: Final = Struct("<QqQ")
_FLAG: Final = Struct("<B")
_COUNT_AND_FLAG: Final = Struct("<qB")

_SECOND: Final = 1_000_000_000

Function = Callable[["Program", int], None]
_FUNCTIONS: dict[str, Function] = {}


def _import(name: str) -> Callable[[Function], Function]:
    def add(function: Function) -> Function:
        _FUNCTIONS[name] = function
        return function

    return add


def host_module(program: Program, name: str) -> HostModule:
    """The imports of one program."""
    return HostModule(
        name,
        tuple(
            HostFunction(
                key,
                _TYPE,
                partial(function, program),
                Convention.RAW,
                param_names=("sp",),
                scope=_SCOPES.get(key, LogScope.NONE),
                describe=partial(_describer, program, key),
            )
            for key, function in _FUNCTIONS.items()
        ),
    )


def _describer(program: Program, name: str, scopes: LogScope) -> CallDescriber:
    from .logging import GoDescriber  # few runs are logged

    return GoDescriber(program, name, scopes)


_SCOPES: Final = {
    "runtime.wasmExit": LogScope.PROC,
    "runtime.resetMemoryDataView": LogScope.MEMORY,
    "runtime.nanotime1": LogScope.CLOCK,
    "runtime.nanotime": LogScope.CLOCK,
    "runtime.walltime": LogScope.CLOCK,
    "runtime.walltime1": LogScope.CLOCK,
    "runtime.scheduleTimeoutEvent": LogScope.POLL,
    "runtime.clearTimeoutEvent": LogScope.POLL,
    "runtime.getRandomData": LogScope.RANDOM,
    "syscall/js.valueCall": LogScope.CLOCK | LogScope.PROC | LogScope.FILESYSTEM | LogScope.RANDOM,
}
"""What calls are about; of methods, the object says it."""


# --- The runtime ------------------------------------------------------------------------------------------------------


@_import("runtime.wasmExit")
def _exit(program: Program, sp: int) -> None:
    (code,) = _i.unpack_from(program.buffer, sp + 8)
    program.exit(code & 0xFFFFFFFF)


@_import("runtime.wasmWrite")
def _write(program: Program, sp: int) -> None:
    fd, pointer, count = _QQi.unpack_from(program.buffer, sp + 8)
    data = bytes_at(program.buffer, pointer, max(count, 0))
    program.note_words(data)
    program.write_all(fd, data)


@_import("runtime.resetMemoryDataView")
def _reset_memory_view(program: Program, sp: int) -> None:
    program.refresh_memory()


@_import("runtime.nanotime1")
def _nanotime(program: Program, sp: int) -> None:
    _Q.pack_into(program.buffer, sp + 8, program.system.nanotime())


def _walltime(program: Program, sp: int) -> None:
    seconds, nanoseconds = divmod(program.system.walltime(), _SECOND)
    _SECONDS.pack_into(program.buffer, sp + 8, seconds, nanoseconds)


_FUNCTIONS["runtime.walltime"] = _FUNCTIONS["runtime.walltime1"] = _walltime
_FUNCTIONS["runtime.nanotime"] = _nanotime  # as Go up to 1.13 called them


@_import("runtime.scheduleTimeoutEvent")
def _schedule_timeout(program: Program, sp: int) -> None:
    (delay,) = _q.unpack_from(program.buffer, sp + 8)
    _i.pack_into(program.buffer, sp + 16, program.schedule_timeout(delay))


@_import("runtime.clearTimeoutEvent")
def _clear_timeout(program: Program, sp: int) -> None:
    (number,) = _i.unpack_from(program.buffer, sp + 8)
    program.clear_timeout(number)


@_import("runtime.getRandomData")
def _random(program: Program, sp: int) -> None:
    pointer, length = _QQ.unpack_from(program.buffer, sp + 8)
    target = bytes_at(program.buffer, pointer, length)
    for start in range(0, length, _RANDOM_CHUNK):
        part = target[start : start + _RANDOM_CHUNK]
        part[:] = program.system.random(len(part))


@_import("debug")
def _debug(program: Program, value: int) -> None:
    program.report(str(value))


# --- syscall/js -------------------------------------------------------------------------------------------------------


@_import("syscall/js.finalizeRef")
def _finalize(program: Program, sp: int) -> None:
    (ref,) = _Q.unpack_from(program.buffer, sp + 8)
    program.references.drop(ref)


@_import("syscall/js.stringVal")
def _string(program: Program, sp: int) -> None:
    buffer = program.buffer
    pointer, length = _QQ.unpack_from(buffer, sp + 8)
    program.references.store(buffer, sp + 24, str(bytes_at(buffer, pointer, length), "utf-8", "replace"))


@_import("syscall/js.valueGet")
def _get(program: Program, sp: int) -> None:
    buffer = program.buffer
    ref, pointer, length = _QQQ.unpack_from(buffer, sp + 8)
    references = program.references
    target = references.load(ref)
    if not isinstance(target, JSObject):
        _throw_no_object()
    result = target.get(program.names.at(buffer, pointer, length))
    references.store(program.buffer, program.getsp() + 32, result)


@_import("syscall/js.valueSet")
def _set(program: Program, sp: int) -> None:
    buffer = program.buffer
    ref, pointer, length, value = _QQQQ.unpack_from(buffer, sp + 8)
    load = program.references.load
    target = load(ref)
    if not isinstance(target, JSObject):
        _throw_no_object()
    target.set(program.names.at(buffer, pointer, length), load(value))


@_import("syscall/js.valueDelete")
def _delete(program: Program, sp: int) -> None:
    ref, pointer, length = _QQQ.unpack_from(program.buffer, sp + 8)
    _object(program, ref).delete(program.names.at(program.buffer, pointer, length))


@_import("syscall/js.valueIndex")
def _index(program: Program, sp: int) -> None:
    ref, index = _Qq.unpack_from(program.buffer, sp + 8)
    result = _object(program, ref).get_index(index)
    program.references.store(program.buffer, program.getsp() + 24, result)


@_import("syscall/js.valueSetIndex")
def _set_index(program: Program, sp: int) -> None:
    ref, index, value = _QqQ.unpack_from(program.buffer, sp + 8)
    _object(program, ref).set_index(index, program.references.load(value))


@_import("syscall/js.valueCall")
def _call(program: Program, sp: int) -> None:
    buffer = program.buffer
    ref, pointer, length, args, count = _QQQQQ.unpack_from(buffer, sp + 8)
    try:
        this = _object(program, ref)
        name = program.names.at(buffer, pointer, length)
        result = _callable(this.get(name), name).call(this, program.references.load_all(program.buffer, args, count))
        is_ok = 1
    except (JSError, RecursionError) as error:
        result = _thrown(program, error)
        is_ok = 0
    buffer = program.buffer
    sp = program.getsp()
    program.references.store(buffer, sp + 56, result)
    _FLAG.pack_into(buffer, sp + 64, is_ok)


@_import("syscall/js.valueInvoke")
def _invoke(program: Program, sp: int) -> None:
    ref, args, count = _QQQ.unpack_from(program.buffer, sp + 8)
    try:
        function = _callable(program.references.load(ref), "value")
        result = function.call(UNDEFINED, program.references.load_all(program.buffer, args, count))
        is_ok = 1
    except (JSError, RecursionError) as error:
        result = _thrown(program, error)
        is_ok = 0
    _store_outcome(program, result, is_ok)


@_import("syscall/js.valueNew")
def _new(program: Program, sp: int) -> None:
    ref, args, count = _QQQ.unpack_from(program.buffer, sp + 8)
    try:
        function = _callable(program.references.load(ref), "value")
        result = function.construct(program.references.load_all(program.buffer, args, count))
        is_ok = 1
    except (JSError, RecursionError) as error:
        result = _thrown(program, error)
        is_ok = 0
    _store_outcome(program, result, is_ok)


@_import("syscall/js.valueLength")
def _length(program: Program, sp: int) -> None:
    (ref,) = _Q.unpack_from(program.buffer, sp + 8)
    value = program.references.load(ref)
    length = to_integer(value.get("length")) if isinstance(value, JSObject) else 0
    count = max(-MAX_SAFE, min(length, MAX_SAFE)) if isinstance(length, int) else 0
    _q.pack_into(program.buffer, program.getsp() + 16, count)


@_import("syscall/js.valuePrepareString")
def _prepare_string(program: Program, sp: int) -> None:
    (ref,) = _Q.unpack_from(program.buffer, sp + 8)
    text = to_string(program.references.load(ref))
    try:
        data = text.encode()
    except UnicodeEncodeError:
        data = well_formed(text).encode()
    sp = program.getsp()
    program.references.store(program.buffer, sp + 16, program.realm.new_bytes(data))
    _q.pack_into(program.buffer, sp + 24, len(data))


@_import("syscall/js.valueLoadString")
def _load_string(program: Program, sp: int) -> None:
    ref, pointer, length = _QQQ.unpack_from(program.buffer, sp + 8)
    data = program.references.load(ref)
    if not isinstance(data, JSTypedArray):
        throw_type_error("no string was prepared")
    count = min(length, data.view.nbytes)
    bytes_at(program.buffer, pointer, length)[:count] = data.view[:count]


@_import("syscall/js.valueInstanceOf")
def _instance_of(program: Program, sp: int) -> None:
    value, constructor = _QQ.unpack_from(program.buffer, sp + 8)
    load = program.references.load
    is_instance = instance_of(load(value), load(constructor))
    _FLAG.pack_into(program.buffer, program.getsp() + 24, is_instance)


@_import("syscall/js.copyBytesToGo")
def _copy_to_go(program: Program, sp: int) -> None:
    pointer, length, _, ref = _QQQQ.unpack_from(program.buffer, sp + 8)
    source = program.references.load(ref)
    if not _is_bytes(source):
        _FLAG.pack_into(program.buffer, sp + 48, 0)
        return
    count = min(length, source.length)
    bytes_at(program.buffer, pointer, length)[:count] = source.view[:count]
    _COUNT_AND_FLAG.pack_into(program.buffer, sp + 40, count, 1)


@_import("syscall/js.copyBytesToJS")
def _copy_to_js(program: Program, sp: int) -> None:
    ref, pointer, length = _QQQ.unpack_from(program.buffer, sp + 8)
    target = program.references.load(ref)
    if not _is_bytes(target):
        _FLAG.pack_into(program.buffer, sp + 48, 0)
        return
    count = min(length, target.length)
    target.view[:count] = bytes_at(program.buffer, pointer, length)[:count]
    _COUNT_AND_FLAG.pack_into(program.buffer, sp + 40, count, 1)


def _object(program: Program, ref: int) -> Any:
    """What the operations on properties work on."""
    value = program.references.load(ref)
    if not isinstance(value, JSObject):
        _throw_no_object()
    return value


def _throw_no_object() -> NoReturn:
    """Throw what an operation on properties throws for a value that has none."""
    throw_type_error("Reflect.get called on non-object")


def _callable(value: Any, name: str) -> Any:
    if not (isinstance(value, JSObject) and value.is_callable):
        throw_type_error(f"{name} is not a function")
    return value


def _thrown(program: Program, error: JSError | RecursionError) -> Any:
    """What Go gets for what was thrown. Nothing if that was what ended the program: it goes on to the outside."""
    if program.is_exited:
        raise error
    return program.realm.thrown(error)


def _store_outcome(program: Program, result: Any, is_ok: int) -> None:
    buffer = program.buffer
    sp = program.getsp()
    program.references.store(buffer, sp + 40, result)
    _FLAG.pack_into(buffer, sp + 48, is_ok)


def _is_bytes(value: Any) -> bool:
    return isinstance(value, JSTypedArray) and value.type.format == "B"
