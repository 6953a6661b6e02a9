"""An `Embedder` on PyPI's wasmtime: a second opinion by which the harness itself is tested.

Numbers go through wasmtime's C structures as bits. Its Python calls take and give floats, which quiet signalling NaNs
on the way. Host references to `anyref` are not supported, nor are references in the GC hierarchies.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, final

import wasmtime
from wasmtime import _ffi as ffi

from conformance.embedder import Exhausted, MalformedOrInvalid, Trapped, UncaughtException, Unlinkable
from conformance.spectest import SPECTEST
from conformance.wast.features import FEATURES, engine
from conformance.wast.values import NullReference, Number, NumberType, Reference, Value

_SPECTEST_OF_FEATURES: Final = {
    "memory64": '(module (table (export "table64") i64 10 20 funcref))',
    "threads": '(module (memory (export "shared_memory") 1 2 shared))',
}

_TABLE_BOUNDS: Final = ("undefined element", "out of bounds table access")
_NULLS: Final = tuple(f"null {kind}reference" for kind in ("", "function ", "i31 ", "structure ", "array "))
_TRAP_TEXTS: Final = {
    wasmtime.TrapCode.MEMORY_OUT_OF_BOUNDS: ("out of bounds memory access",),
    wasmtime.TrapCode.TABLE_OUT_OF_BOUNDS: _TABLE_BOUNDS,
    wasmtime.TrapCode.HEAP_MISALIGNED: ("unaligned atomic",),
    wasmtime.TrapCode.INDIRECT_CALL_TO_NULL: ("uninitialized element",),
    wasmtime.TrapCode.BAD_SIGNATURE: ("indirect call type mismatch",),
    wasmtime.TrapCode.INTEGER_OVERFLOW: ("integer overflow",),
    wasmtime.TrapCode.INTEGER_DIVISION_BY_ZERO: ("integer divide by zero",),
    wasmtime.TrapCode.BAD_CONVERSION_TO_INTEGER: ("invalid conversion to integer",),
    wasmtime.TrapCode.UNREACHABLE: ("unreachable",),
    wasmtime.TrapCode.ATOMIC_WAIT_NON_SHARED_MEMORY: ("expected shared memory",),
    wasmtime.TrapCode.NULL_REFERENCE: _NULLS,
    wasmtime.TrapCode.ARRAY_OUT_OF_BOUNDS: ("out of bounds array access",),
    wasmtime.TrapCode.ALLOCATION_TOO_LARGE: ("allocation size too large",),
    wasmtime.TrapCode.CAST_FAILURE: ("cast failure",),
}
"""The specification's words for wasmtime's codes, of which some stand for several."""

_KINDS: Final[dict[NumberType, int]] = {"i32": 0, "i64": 1, "f32": 2, "f64": 3, "v128": 4}
_TYPES: Final = {kind: type for type, kind in _KINDS.items()}
_BYTES: Final[dict[NumberType, int]] = {"i32": 4, "i64": 8, "f32": 4, "f64": 8, "v128": 16}


@final
class WasmtimePeer:
    """One wasmtime store with a linker as the register of names."""

    def __init__(self, features: frozenset[str] = frozenset(FEATURES)) -> None:
        self._features = features
        self._engine = engine(features)
        self._store = wasmtime.Store(self._engine)
        self._linker = wasmtime.Linker(self._engine)
        self._linker.allow_shadowing = True
        for text in [SPECTEST, *(text for feature, text in _SPECTEST_OF_FEATURES.items() if feature in features)]:
            self.register(self.instantiate(bytes(wasmtime.wat2wasm(text)), None), "spectest")

    @property
    def features(self) -> frozenset[str]:
        return self._features

    def validate(self, wasm: bytes) -> None:
        try:
            wasmtime.Module.validate(self._engine, wasm)
        except wasmtime.WasmtimeError as error:
            raise MalformedOrInvalid(str(error)) from error

    def instantiate(self, wasm: bytes, name: str | None) -> wasmtime.Instance:
        self.validate(wasm)
        module = wasmtime.Module(self._engine, wasm)
        try:
            with _translated_traps():
                return self._linker.instantiate(self._store, module)
        except wasmtime.WasmtimeError as error:
            raise Unlinkable(f"{name}: {error}") from error

    def register(self, instance: wasmtime.Instance, name: str) -> None:
        self._linker.define_instance(self._store, name, instance)

    def invoke(self, instance: wasmtime.Instance, field: str, arguments: Sequence[Value]) -> Sequence[Value]:
        function = instance.exports(self._store)[field]
        assert isinstance(function, wasmtime.Func)
        parameters = (ffi.wasmtime_val_t * len(arguments))(*map(self._to_raw, arguments))
        results = (ffi.wasmtime_val_t * len(function.type(self._store).results))()
        trap = ctypes.POINTER(ffi.wasm_trap_t)()
        with _translated_traps():
            error = ffi.wasmtime_func_call(
                self._store._context(),
                ctypes.byref(function._func),
                parameters,
                len(parameters),
                results,
                len(results),
                ctypes.byref(trap),
            )
            # Null pointers are false, which the type checker does not know.
            if bool(error):
                raise wasmtime.WasmtimeError._from_ptr(error)
            if bool(trap):
                raise wasmtime.Trap._from_ptr(trap)
        return tuple(map(self._from_raw, results))

    def get(self, instance: wasmtime.Instance, field: str) -> Value:
        variable = instance.exports(self._store)[field]
        assert isinstance(variable, wasmtime.Global)
        raw = ffi.wasmtime_val_t()
        ffi.wasmtime_global_get(self._store._context(), ctypes.byref(variable._global), ctypes.byref(raw))
        return self._from_raw(raw)

    def _to_raw(self, value: Value) -> Any:
        match value:
            case Number(type, bits):
                raw = ffi.wasmtime_val_t(kind=_KINDS[type])
                ctypes.memmove(ctypes.byref(raw.of), bits.to_bytes(16, "little"), 16)
                return raw
            case NullReference("extern"):
                return wasmtime.Val.externref(None)._new_raw(self._store)
            case NullReference("func"):
                return wasmtime.Val.funcref(None)._new_raw(self._store)
            case Reference("extern", number):
                return wasmtime.Val.externref(number)._new_raw(self._store)
            case _:
                raise NotImplementedError(f"wasmtime's Python interface does not take {value}")

    def _from_raw(self, raw: Any) -> Value:
        if raw.kind in _TYPES:
            type = _TYPES[raw.kind]
            return Number(type, int.from_bytes(ctypes.string_at(ctypes.addressof(raw.of), _BYTES[type]), "little"))
        value = wasmtime.Val._from_raw(self._store, raw)
        kind = "extern" if raw.kind == ffi.WASMTIME_EXTERNREF.value else "func"
        if value.value is None:
            return NullReference(kind)
        return Reference(kind, value.value) if kind == "extern" else Reference(kind)


@contextmanager
def _translated_traps() -> Iterator[None]:
    try:
        yield
    except wasmtime.Trap as trap:
        message = trap.message
        code = trap.trap_code
        if code is wasmtime.TrapCode.STACK_OVERFLOW:
            raise Exhausted("call stack exhausted") from trap
        if code is wasmtime.TrapCode.UNCAUGHT_EXCEPTION or "exception" in message:
            raise UncaughtException(message) from trap
        texts = _TRAP_TEXTS.get(code, ()) if code else ()
        raise Trapped(*(texts or (message,))) from trap
