"""What wazero-jit encodes is what wazero-core decodes, and core's validator can check modules that are made by hand."""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path
from typing import Any

import pytest

from wazero_api import (
    OPCODES,
    Export,
    ExternKind,
    FunctionType,
    Immediate,
    InvalidModuleError,
    Module,
    Opcode,
    ValueType,
)
from wazero_core.binary.instructions import MemArg, decode_instruction
from wazero_core.validation import ModuleValidator
from wazero_jit import JitEngine, JitModule, encode_instruction, function_body

F64 = ValueType.F64
EXAMPLE = Path(__file__).parents[2] / "examples" / "expressions" / "expressions.py"

IMMEDIATES: dict[Immediate, tuple[Any, Any]] = {
    Immediate.BLOCK_TYPE: (F64, F64),
    Immediate.LABELS: ((3, 200, 0), (3, 200, 0)),
    Immediate.MEMARG: ((2, 1 << 20), (2, 1 << 20)),
    Immediate.I32: (-(1 << 31), -(1 << 31)),
    Immediate.I64: ((1 << 64) - 1, -1),
    Immediate.F32: (0.5, struct.pack("<f", 0.5)),
    Immediate.F64: (-0.1, struct.pack("<d", -0.1)),
    Immediate.V128: (bytes(range(16)), bytes(range(16))),
    Immediate.SHUFFLE: (bytes(16), bytes(16)),
    Immediate.LANE: (1, 1),
    Immediate.HEAP_TYPE: (ValueType.EXTERNREF, ValueType.EXTERNREF.heap),
    Immediate.VALUE_TYPES: ((F64,), (F64,)),
    Immediate.ZERO_BYTE: (0, 0),
}
"""What is written, and what is read. All others are indices."""


def written_and_read(opcode: Opcode, kind: Immediate) -> tuple[Any, Any]:
    written, read = IMMEDIATES.get(kind, (300, 300))
    return (written, MemArg(opcode.natural_alignment, *read)) if kind is Immediate.MEMARG else (written, read)


@pytest.mark.parametrize(
    "opcode",
    [opcode for opcode in OPCODES if not {Immediate.CATCHES, Immediate.CAST_FLAGS} & set(opcode.immediates)],
    ids=lambda opcode: opcode.name,
)
def test_core_decodes_what_jit_encodes(opcode: Opcode) -> None:
    values = [written_and_read(opcode, kind) for kind in opcode.immediates]
    token = encode_instruction(opcode.name, *[written for written, _ in values])
    assert decode_instruction(token) == (opcode, tuple(read for _, read in values))


def load_checked(module: Module) -> JitModule:
    validator = ModuleValidator(module, JitEngine.features)
    validator.check_module()
    return JitModule(module, bodies=validator)


needs_jit = pytest.mark.skipif(JitEngine().probe() is not None, reason="the native engine does not work here")


@needs_jit
def test_the_validator_of_core_checks_bodies() -> None:
    def module(*instructions: Any) -> Module:
        return Module(
            types=(FunctionType((), (F64,)),),
            functions=(0,),
            bodies=(function_body(instructions),),
            exports=(Export("f", ExternKind.FUNCTION, 0),),
        )

    assert load_checked(module(("f64.const", 2.0), "f64.sqrt")).exports["f"]() == 2**0.5
    with pytest.raises(InvalidModuleError, match="type mismatch"):
        load_checked(module("f64.sqrt")).exports["f"]()


@needs_jit
def test_the_modules_of_the_example_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("expressions", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    example: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    monkeypatch.setattr(example, "JitModule", load_checked)
    assert example.compile_expression("-(a - b) / 4 * c", ["a", "b", "c"])(1.0, 3.0, 5.0) == 2.5
    with pytest.raises(SyntaxError, match="not an arithmetic expression of a: b"):
        example.compile_expression("a + b", ["a"])
    columns = [memoryview(struct.pack("<2d", first, 2.0)).cast("d") for first in (1.0, 10.0)]
    assert example.compile_query("a * 2 + b", ["a", "b"], 2)(*columns).tolist() == [12.0, 6.0]
