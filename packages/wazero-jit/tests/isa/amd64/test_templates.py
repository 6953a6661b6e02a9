"""The memos: complete, shared, and lazy."""

from __future__ import annotations

import pytest

from wazero_api import OPCODES, CoreFeatures, Immediate, TrapKind
from wazero_jit.isa.amd64.encoding import RBX, RDI, RSI
from wazero_jit.isa.amd64.templates import Templates
from wazero_jit.isa.amd64.traps import trap
from wazero_jit.link.records import TRAPS

from .harness import machine, needs_amd64, trap_kind
from .reference import VALUE_OPERATIONS

_VERSION_2 = (
    CoreFeatures.SIGN_EXTENSION_OPS
    | CoreFeatures.NON_TRAPPING_FLOAT_TO_INT_CONVERSION
    | CoreFeatures.BULK_MEMORY_OPERATIONS
    | CoreFeatures.REFERENCE_TYPES
)


def test_every_value_operation_is_there() -> None:
    templates = Templates()
    assert len(VALUE_OPERATIONS) == 136
    for name in VALUE_OPERATIONS:
        templates.memo(name)


def test_every_access_is_there() -> None:
    templates = Templates()
    for opcode in OPCODES:
        if Immediate.MEMARG in opcode.immediates and not opcode.feature & ~_VERSION_2:
            templates.memo(opcode.name, None, 0)


def test_a_memo_is_one_object() -> None:
    templates = Templates()
    assert templates.memo("i32.add") is templates.memo("i32.add")
    assert templates.memo("i32.load", None, 4) is templates.memo("i32.load", None, 4)
    assert templates.memo("i32.load", None, 4) is not templates.memo("i32.load", None, 8)


def test_code_is_made_once() -> None:
    memo = Templates().memo("i32.add")
    assert not memo
    code = memo[RSI, RDI, RBX]
    assert memo[RSI, RDI, RBX] is code
    assert list(memo) == [(RSI, RDI, RBX)]


@pytest.mark.parametrize("name", ["i32.nothing", "call", "f64x2.add"])
def test_unknown_operations(name: str) -> None:
    with pytest.raises(KeyError):
        Templates().memo(name)


@needs_amd64
@pytest.mark.parametrize("kind", TRAPS)
def test_traps(kind: TrapKind) -> None:
    machine().load(trap(kind))
    _, after = machine().run({})
    assert trap_kind(after) is kind
    assert machine().trap_offset(after) == len(trap(kind)) == 4
