"""Drive a module of unknown intentions through the runtime: compile, link with stubs, call what it exports."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, final

from fuzz.binary import CODE, END, EXPORT, FUNCTION, GLOBAL, MEMORY, TABLE, TYPE, body, export, leb, sleb, vec
from fuzz.binary import function_type as encode_function_type
from fuzz.binary import module as encode_module
from fuzz.isolated import peak_bytes
from wazero_api import (
    ExternKind,
    FunctionType,
    GlobalType,
    Import,
    MemoryType,
    ModuleError,
    TableType,
    ValueType,
    WazeroBug,
    WazeroError,
)
from wazero_api import Module as DecodedModule
from wazero_core import CompiledModule, Module, ModuleConfig, Runtime, RuntimeConfig

CONFIG: Final = RuntimeConfig.interpreter().with_memory_limit_pages(256)
"""16 MiB a memory."""

_ANONYMOUS: Final = ModuleConfig().with_name("").with_start_functions()


@final
@dataclass(slots=True)
class Report:
    """What a module came to. `ended` says how each stage and call did: "ok", or the class of the documented error."""

    compile_s: float = 0.0
    """CPU time of `Runtime.compile_module`."""
    run_s: float = 0.0
    """CPU time of everything after that, translation at first calls included."""
    compile_peak_bytes: int = 0
    """The process's peak of memory after compiling."""
    compiled: str = ""
    linked: str = ""
    calls: dict[str, str] = field(default_factory=dict)
    """By export name, the first few."""


def exercise(
    wasm: bytes,
    *,
    config: RuntimeConfig = CONFIG,
    call_timeout_s: float = 0.25,
    budget_s: float = 1.0,
    max_calls: int = 20,
) -> Report:
    """Compile, link and call; at most `max_calls` exports, and none after `budget_s`.

    Raises what is not documented: anything but a ModuleError from compiling, anything but a WazeroError later, and
    WazeroBug anywhere.
    """
    report = Report()
    with Runtime(config) as runtime:
        start = time.process_time()
        compiled = _compile(runtime, wasm, report)
        report.compile_s = time.process_time() - start
        report.compile_peak_bytes = peak_bytes()
        if compiled is None:
            return report
        instance = _link(runtime, compiled, call_timeout_s, report)
        if instance is not None:
            _call_exports(instance, report, call_timeout_s, start + budget_s, max_calls)
        report.run_s = time.process_time() - start - report.compile_s
    return report


def _compile(runtime: Runtime, wasm: bytes, report: Report) -> CompiledModule | None:
    try:
        compiled = runtime.compile_module(wasm)
    except ModuleError as error:
        report.compiled = type(error).__name__
        return None
    report.compiled = "ok"
    return compiled


def _link(runtime: Runtime, compiled: CompiledModule, timeout_s: float, report: Report) -> Module | None:
    try:
        for name, wasm in stubs(compiled.module).items():
            runtime.instantiate(wasm, _ANONYMOUS.with_name(name))
        instance = runtime.instantiate_module(compiled, _ANONYMOUS, timeout=timeout_s)
    except WazeroBug:
        raise
    except WazeroError as error:
        report.linked = type(error).__name__
        return None
    report.linked = "ok"
    return instance


def _call_exports(instance: Module, report: Report, timeout_s: float, until: float, max_calls: int) -> None:
    for name, definition in list(instance.exported_function_definitions().items())[:max_calls]:
        if time.process_time() > until:
            break
        function = instance.exported_function(name)
        assert function is not None
        try:
            function.call(*[_ARGUMENTS[type] for type in definition.param_types], timeout=timeout_s)
        except WazeroBug:
            raise
        except WazeroError as error:
            report.calls[name] = type(error).__name__
        else:
            report.calls[name] = "ok"


_ARGUMENTS: Final[dict[ValueType, Any]] = {
    ValueType.I32: 3,
    ValueType.I64: 5,
    ValueType.F32: 1.5,
    ValueType.F64: -2.5,
    ValueType.FUNCREF: None,
    ValueType.EXTERNREF: None,
}

# Stubs


def stubs(module: DecodedModule) -> dict[str, bytes]:
    """By module name, a module that exports something that fits each import. Of two types for one name, the first."""
    wanted: dict[str, dict[str, Import]] = {}
    for item in module.imports:
        wanted.setdefault(item.module, {}).setdefault(item.name, item)
    return {name: _stub(module, list(items.values())) for name, items in wanted.items() if name}


def _stub(module: DecodedModule, imports: Iterable[Import]) -> bytes:
    types: list[bytes] = []
    bodies: list[bytes] = []
    tables: list[bytes] = []
    memories: list[bytes] = []
    globals_: list[bytes] = []
    exports: list[bytes] = []
    for item in imports:
        if item.kind is ExternKind.FUNCTION:
            space = types
            type = module.types[item.type_index]
            types.append(_function_type(type))
            bodies.append(body(b"".join(map(_zero, type.results))))
        elif isinstance(item.type, TableType):
            space = tables
            tables.append(_value_type(item.type.element) + _limits(item.type))
        elif isinstance(item.type, MemoryType):
            space = memories
            memories.append(_limits(item.type))
        else:
            assert isinstance(item.type, GlobalType)
            space = globals_
            globals_.append(_value_type(item.type.value) + bytes([item.type.is_mutable]) + _zero(item.type.value) + END)
        exports.append(export(item.name, len(space) - 1, item.kind.value))
    return encode_module(
        (TYPE, vec(types)),
        (FUNCTION, vec(map(leb, range(len(types))))),
        (TABLE, vec(tables)),
        (MEMORY, vec(memories)),
        (GLOBAL, vec(globals_)),
        (EXPORT, vec(exports)),
        (CODE, vec(bodies)),
    )


def _function_type(type: FunctionType) -> bytes:
    return encode_function_type(map(_code, type.params), map(_code, type.results))


def _code(type: ValueType) -> int:
    return _value_type(type)[0]


def _value_type(type: ValueType) -> bytes:
    return bytes([type.heap & 0x7F if type.is_ref else type.code])


def _limits(type: TableType | MemoryType) -> bytes:
    limits = type.limits
    if limits.maximum is None:
        return b"\0" + leb(limits.minimum)
    return b"\1" + leb(limits.minimum) + leb(limits.maximum)


def _zero(type: ValueType) -> bytes:
    return {
        ValueType.I32: b"\x41" + sleb(0),
        ValueType.I64: b"\x42" + sleb(0),
        ValueType.F32: b"\x43" + bytes(4),
        ValueType.F64: b"\x44" + bytes(8),
        ValueType.FUNCREF: b"\xd0\x70",
        ValueType.EXTERNREF: b"\xd0\x6f",
    }[type]
