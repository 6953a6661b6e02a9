"""Additions of a shifted operand, which become one instruction on the native engine: all ways their operands can come."""

from __future__ import annotations

import itertools

import pytest
import wasmtime

from wazero_core import Module, Runtime, RuntimeConfig

OPERANDS = {
    "parameter": "local.get 0",
    "other parameter": "local.get 1",
    "parameter in memory": "local.get 9",
    "constant": "{type}.const 1000003",
    "computed": "local.get 0 local.get 1 {type}.xor",
    "loaded": "i32.const 8 {type}.load",
}
VALUES = (0, 1, -1, 7, 0x7FFFFFFF, -0x80000000)


def text(type: str) -> str:
    functions = []
    for (base, base_code), (index, index_code), count in itertools.product(
        OPERANDS.items(), OPERANDS.items(), (0, 1, 2, 3, 4)
    ):
        code = f"{base_code} {index_code} {type}.const {count} {type}.shl {type}.add".format(type=type)
        functions.append(f'(func (export "{base}, {index}, {count}") (param {f"{type} " * 10}) (result {type}) {code})')
    return f'(module (memory 1) (data (i32.const 8) "\\f1\\02\\03\\84\\05\\06\\07\\88") {" ".join(functions)})'


@pytest.mark.parametrize("type", ["i32", "i64"])
def test_engines_agree(type: str) -> None:
    wasm = bytes(wasmtime.wat2wasm(text(type)))
    native, portable = (instantiate(wasm, name) for name in ("jit", "portable"))
    for name in native.exports:
        for first, second in itertools.product(VALUES, VALUES):
            arguments = (first, second, *range(7), first ^ 0x55)
            assert native.exports[name](*arguments) == portable.exports[name](*arguments), (name, arguments)


def instantiate(wasm: bytes, engine: str) -> Module:
    return Runtime(RuntimeConfig(engine=engine)).instantiate(wasm)
