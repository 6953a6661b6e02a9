"""An `Embedder` on this project's runtime, for any of its engines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, final

import wasmtime

from conformance.embedder import Exhausted, Invalid, Malformed, Trapped, Unlinkable
from conformance.spectest import SPECTEST
from conformance.wast.values import NullReference, Number, NumberType, Reference, Value
from wazero_api import (
    ExhaustionError,
    InvalidModuleError,
    LinkError,
    MalformedModuleError,
    Trap,
    ValueType,
    decode,
    encode,
)
from wazero_core import Module, ModuleConfig, Runtime, RuntimeConfig

_TYPES: Final[dict[NumberType, ValueType]] = {
    "i32": ValueType.I32,
    "i64": ValueType.I64,
    "f32": ValueType.F32,
    "f64": ValueType.F64,
}
_NAMES: Final = {type: name for name, type in _TYPES.items()}


@final
class OwnEmbedder:
    """A runtime with the engine of `config`, and the register of names that scripts expect."""

    def __init__(self, config: RuntimeConfig) -> None:
        self._runtime = Runtime(config)
        self._registered: dict[str, Module] = {}
        self._host_references: dict[int, object] = {}
        self.register(self.instantiate(bytes(wasmtime.wat2wasm(SPECTEST)), None), "spectest")

    @property
    def features(self) -> frozenset[str]:
        return frozenset(("multi-memory",))

    def validate(self, wasm: bytes) -> None:
        with _translated():
            self._runtime.compile_module(wasm)

    def instantiate(self, wasm: bytes, name: str | None) -> Module:
        config = ModuleConfig().with_name("").with_start_functions().with_import_resolver(self._registered.get)
        with _translated():
            return self._runtime.instantiate(wasm, config)

    def register(self, instance: Module, name: str) -> None:
        self._registered[name] = instance

    def invoke(self, instance: Module, field: str, arguments: Sequence[Value]) -> Sequence[Value]:
        function = instance.exported_function(field)
        assert function is not None, f"no function {field}"
        types = function.type
        stack = [self._lower(argument) for argument in arguments]
        stack += [0] * (len(types.results) - len(stack))
        with _translated():
            function.call_with_stack(stack)
        return tuple(self._lift(value, type) for value, type in zip(stack, types.results, strict=False))

    def get(self, instance: Module, field: str) -> Value:
        variable = instance.exported_global(field)
        assert variable is not None, f"no global {field}"
        return self._lift(encode(variable.get(), variable.type.value), variable.type.value)

    def _lower(self, value: Value) -> Any:
        match value:
            case Number(_, bits):
                return bits
            case NullReference():
                return None
            case Reference("extern", number) if number is not None:
                return self._host_references.setdefault(number, _HostReference(number))
        raise NotImplementedError(f"{value} is no argument of WebAssembly 2.0")

    def _lift(self, value: Any, type: ValueType) -> Value:
        if type in _NAMES:
            assert encode(decode(value, type), type) == value, "results are bits, and nothing but the value's"
            return Number(_NAMES[type], value)
        heap = "func" if type == ValueType.FUNCREF else "extern"
        if value is None:
            return NullReference(heap)
        return Reference(heap, value.number if isinstance(value, _HostReference) else None)


class _HostReference:
    def __init__(self, number: int) -> None:
        self.number = number


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except MalformedModuleError as error:
        raise Malformed(str(error)) from error
    except InvalidModuleError as error:
        raise Invalid(str(error)) from error
    except LinkError as error:
        raise Unlinkable(str(error)) from error
    except ExhaustionError as error:
        raise Exhausted(error.kind.value) from error
    except Trap as error:
        raise Trapped(error.kind.value) from error
