"""One way to run a generated module on our engines and on PyPI's wasmtime, and what can be compared afterwards."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, final

import wasmtime

from differential.generator import FUEL, NUMBERS, Generated, Numeric, Signature, Types, host_results
from integration.runtimes import ANONYMOUS, new_runtime
from wazero_api import OPCODES, Convention, FunctionType, HostFunction, Trap, TrapKind, ValueType, decode
from wazero_core.validation import SUPPORTED_FEATURES

Value = int | float

_CODES: Final = {ValueType.I32: 0x7F, ValueType.I64: 0x7E, ValueType.F32: 0x7D, ValueType.F64: 0x7C}
_TYPES: Final = {code: type for type, code in _CODES.items()}
_PEER_TYPES: Final = {
    0x7F: wasmtime.ValType.i32,
    0x7E: wasmtime.ValType.i64,
    0x7D: wasmtime.ValType.f32,
    0x7C: wasmtime.ValType.f64,
}

TRAPS: Final = {
    wasmtime.TrapCode.MEMORY_OUT_OF_BOUNDS: (TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS,),
    wasmtime.TrapCode.TABLE_OUT_OF_BOUNDS: (TrapKind.UNDEFINED_ELEMENT, TrapKind.OUT_OF_BOUNDS_TABLE_ACCESS),
    wasmtime.TrapCode.INDIRECT_CALL_TO_NULL: (TrapKind.UNINITIALIZED_ELEMENT,),
    wasmtime.TrapCode.BAD_SIGNATURE: (TrapKind.INDIRECT_CALL_TYPE_MISMATCH,),
    wasmtime.TrapCode.INTEGER_OVERFLOW: (TrapKind.INTEGER_OVERFLOW,),
    wasmtime.TrapCode.INTEGER_DIVISION_BY_ZERO: (TrapKind.INTEGER_DIVIDE_BY_ZERO,),
    wasmtime.TrapCode.BAD_CONVERSION_TO_INTEGER: (TrapKind.INVALID_CONVERSION_TO_INTEGER,),
    wasmtime.TrapCode.UNREACHABLE: (TrapKind.UNREACHABLE,),
    wasmtime.TrapCode.STACK_OVERFLOW: (TrapKind.CALL_STACK_EXHAUSTED,),
}
"""The specification's words for wasmtime's codes, one of which stands for two."""


class HostError(Exception):
    """What a host function raises where `host_results` says so."""


class Place(NamedTuple):
    """Where a frame was when it trapped: function index and byte offset in the module, None if that is not comparable."""

    function: int
    offset: int | None


_PEER_FRAMES: Final = 20
"""As many does wasmtime tell of."""


class Ending(NamedTuple):
    """How a call ended, and the state it left."""

    results: tuple[int, ...] | None
    """Bits, NaNs all alike; None if it did not return."""
    traps: tuple[TrapKind, ...]
    """What the trap may be called; empty if it raised HostError."""
    frames: tuple[Place, ...]
    """Of the trap, the innermost first."""
    fuel: int
    globals: tuple[int, ...]
    pages: int
    memory: int
    """A checksum."""

    def agrees_with(self, other: Ending) -> bool:
        """Whether all is the same."""
        same_trap = bool(set(self.traps) & set(other.traps)) or self.traps == other.traps
        same_frames = len(self.frames) == len(other.frames) and all(map(_is_same_place, self.frames, other.frames))
        return same_trap and same_frames and self._replace(traps=(), frames=()) == other._replace(traps=(), frames=())


def _is_same_place(mine: Place, other: Place) -> bool:
    return mine.function == other.function and (None in (mine.offset, other.offset) or mine.offset == other.offset)


def value_of(bits: int, type: int) -> Value:
    """The Python value of these bits: ints signed."""
    value: Value = decode(bits, _TYPES[type])
    return value


def bits_of(value: Value, type: int) -> int:
    """The bits of a value; those of the canonical NaN for every NaN."""
    if value != value:
        return -1
    match type:
        case 0x7F:
            return int(value) & 0xFFFFFFFF
        case 0x7E:
            return int(value) & 0xFFFFFFFFFFFFFFFF
        case 0x7D:
            return int.from_bytes(struct.pack("<f", value), "little")
    return int.from_bytes(struct.pack("<d", value), "little")


def numeric_instructions() -> list[Numeric]:
    """Every instruction that only computes, from the opcode table."""
    rows = []
    for opcode in OPCODES:
        if opcode.feature & ~SUPPORTED_FEATURES or opcode.immediates or not opcode.params or opcode.results is None:
            continue
        params = tuple(_CODES[p] for p in opcode.params if isinstance(p, ValueType) and p in _CODES)
        if len(params) == len(opcode.params):
            results = tuple(_CODES[r] for r in opcode.results if isinstance(r, ValueType))
            sees_bits = "reinterpret_f" in opcode.name or opcode.name.endswith("copysign")
            rows.append(Numeric(opcode.encoding, params, results, sees_bits))
    assert {t for row in rows for t in row.params} == set(NUMBERS)
    return rows


def _bits(values: Sequence[Value], types: Sequence[int]) -> tuple[int, ...]:
    return tuple(bits_of(value, type) for value, type in zip(values, types, strict=True))


def _call_host(number: int, signature: Signature, arguments: Sequence[Value]) -> list[Value]:
    bits = host_results(number, signature, _bits(arguments, signature.params))
    if bits is None:
        raise HostError
    return [value_of(b, type) for b, type in zip(bits, signature.results, strict=True)]


def _as_result(values: list[Value]) -> Any:
    """What a function returns that has these results."""
    return None if not values else values[0] if len(values) == 1 else tuple(values)


def _function_type(signature: Signature) -> FunctionType:
    params, results = (tuple([_TYPES[type] for type in types]) for types in signature)
    return FunctionType(params, results)


def _as_values(result: Any, count: int) -> Sequence[Value]:
    if count == 0:
        return ()
    return (result,) if count == 1 else tuple(result)


def _peer_types(types: Types) -> list[wasmtime.ValType]:
    return [_PEER_TYPES[type]() for type in types]


@final
class Ours:
    """A module on one of `integration.runtimes.ENGINES`."""

    def __init__(self, generated: Generated, engine: str) -> None:
        self._generated = generated
        self._is_portable = engine == "portable"
        self._runtime = new_runtime(engine)
        host = self._runtime.new_host_module_builder("host")
        for number, signature in enumerate(generated.imports):
            host.add(self._host_function(number, signature))
        host.instantiate()
        self._module = self._runtime.instantiate(generated.wasm, ANONYMOUS)

    @staticmethod
    def _host_function(number: int, signature: Signature) -> HostFunction:
        """Those of even number are given bits, the others values."""

        def typed(*values: Value) -> Any:
            return _as_result(_call_host(number, signature, values))

        def raw(*values: int) -> Any:
            arguments = [value_of(bits, type) for bits, type in zip(values, signature.params, strict=True)]
            results = _call_host(number, signature, arguments)
            return _as_result(list(_bits(results, signature.results)))

        convention, function = (Convention.TYPED, typed) if number % 2 else (Convention.RAW, raw)
        return HostFunction(str(number), _function_type(signature), function, convention)

    def call(self, number: int, arguments: Sequence[Value]) -> Ending:
        """Call function `number` with fresh fuel."""
        module, signature = self._module, self._generated.functions[number]
        fuel = module.exported_global("fuel")
        memory = module.exported_memory("memory")
        assert fuel is not None
        assert memory is not None
        fuel.set(FUEL)
        results: tuple[int, ...] | None = None
        traps: tuple[TrapKind, ...] = ()
        frames: tuple[Place, ...] = ()
        try:
            returned = module.exports[f"f{number}"](*arguments)
            results = _bits(_as_values(returned, len(signature.results)), signature.results)
        except Trap as trap:
            traps, frames = (trap.kind,), self._places(trap)
        except HostError:
            pass
        types = self._generated.global_types
        values = [module.exports[f"g{i}"].get() for i in range(1, len(types) + 1)]
        return Ending(results, traps, frames, fuel.get(), _bits(values, types), memory.pages, zlib.crc32(memory.buffer))

    def _places(self, trap: Trap) -> tuple[Place, ...]:
        """The portable engine names the instruction that takes what the trapping one would have given."""
        frames = trap.frames[:_PEER_FRAMES]
        return tuple([Place(f.function_index, None if self._is_portable else f.code_offset) for f in frames])

    def close(self) -> None:
        """Give the memory back."""
        self._runtime.close()


_TRAPPING: Final = {
    wasmtime.TrapCode.MEMORY_OUT_OF_BOUNDS: re.compile(rb"[\x28-\x3e]|\xfc[\x08\x0a\x0b]"),
    wasmtime.TrapCode.UNREACHABLE: re.compile(rb"\x00"),
}
"""How instructions begin that trap so."""


def _peer_places(trap: wasmtime.Trap, wasm: bytes) -> tuple[Place, ...]:
    """Where Cranelift merged the trapping instruction with a later one, or hoisted a certain trap, its offset says little."""
    places = [Place(frame.func_index, frame.module_offset) for frame in trap.frames]
    pattern = _TRAPPING.get(trap.trap_code) if trap.trap_code else None
    if pattern is not None and not pattern.match(wasm, places[0].offset or 0):
        places[0] = places[0]._replace(offset=None)
    return tuple(places)


@final
class Theirs:
    """A module on wasmtime."""

    def __init__(self, generated: Generated, engine: wasmtime.Engine) -> None:
        self._generated = generated
        self._store = wasmtime.Store(engine)
        hosts = [self._host_function(number, signature) for number, signature in enumerate(generated.imports)]
        instance = wasmtime.Instance(self._store, wasmtime.Module(engine, generated.wasm), hosts)
        self._exports = instance.exports(self._store)

    def _host_function(self, number: int, signature: Signature) -> wasmtime.Func:
        def call(*values: Value) -> Any:
            return _as_result(_call_host(number, signature, values))

        return wasmtime.Func(self._store, wasmtime.FuncType(*map(_peer_types, signature)), call)

    def _global(self, name: str) -> wasmtime.Global:
        found = self._exports[name]
        assert isinstance(found, wasmtime.Global)
        return found

    def call(self, number: int, arguments: Sequence[Value]) -> Ending:
        """Like `Ours.call`."""
        store, signature = self._store, self._generated.functions[number]
        function, memory = self._exports[f"f{number}"], self._exports["memory"]
        assert isinstance(function, wasmtime.Func)
        assert isinstance(memory, wasmtime.Memory)
        self._global("fuel").set_value(store, FUEL)
        results: tuple[int, ...] | None = None
        traps: tuple[TrapKind, ...] = ()
        frames: tuple[Place, ...] = ()
        try:
            returned = function(store, *arguments)
            results = _bits(_as_values(returned, len(signature.results)), signature.results)
        except wasmtime.Trap as trap:
            code = trap.trap_code
            assert code is not None
            traps = TRAPS[code]
            frames = _peer_places(trap, self._generated.wasm)
        except HostError:
            pass
        types = self._generated.global_types
        values = [self._global(f"g{i}").value(store) for i in range(1, len(types) + 1)]
        content = memory.read(store, 0, memory.data_len(store))
        fuel = self._global("fuel").value(store)
        return Ending(results, traps, frames, fuel, _bits(values, types), memory.size(store), zlib.crc32(content))
