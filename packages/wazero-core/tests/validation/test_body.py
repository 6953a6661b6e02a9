"""Bodies, good and bad: the message says which rule is broken, the offset where."""

from __future__ import annotations

from typing import Any

import pytest

from fuzz.binary import (
    DATA_COUNT,
    ELEMENT,
    F64,
    FUNCREF,
    GLOBAL,
    I32,
    I64,
    MEMORY,
    TABLE,
    body,
    function_type,
    functions,
    leb,
    vec,
)
from wazero_api import InvalidModuleError, MalformedModuleError
from wazero_core.binary import decode_module
from wazero_core.runtime.config import DEFAULT_FEATURES
from wazero_core.validation import ModuleValidator

GET_I32, GET_I64, GET_F64 = b"\x20\0", b"\x20\1", b"\x20\2"
UNREACHABLE, DROP, END = b"\0", b"\x1a", b"\x0b"
ADD, EQZ = b"\x6a", b"\x45"


def module_of(code: bytes, results: tuple[int, ...] = ()) -> bytes:
    """A function of (i32 i64 f64), in a module with one of everything and a second function of type 1."""
    return functions(
        [body(code, [(1, I32)]), body(b"\x41\0")],
        types=[
            function_type([I32, I64, F64], results),
            function_type([I32], [I32]),
            function_type([I32, I32], [I64, I32]),
        ],
        type_indices=[0, 1],
        more=[
            (TABLE, vec([bytes([FUNCREF, 0, 4]), b"\x6f\0\4"])),
            (MEMORY, vec([b"\0\1"])),
            (GLOBAL, vec([b"\x7f\1\x41\0\x0b", b"\x7f\0\x41\0\x0b"])),
            (ELEMENT, vec([b"\1\0\0"])),
            (DATA_COUNT, leb(0)),
        ],
    )


def validate(wasm: bytes) -> None:
    validator = ModuleValidator(decode_module(wasm), DEFAULT_FEATURES)
    validator.check_module()
    validator.check_bodies()


@pytest.mark.parametrize(
    ("code", "results"),
    [
        pytest.param(b"", (), id="nothing"),
        pytest.param(GET_I32 + GET_I32 + ADD, (I32,), id="add"),
        pytest.param(GET_I32 + GET_I64, (I32, I64), id="two results"),
        pytest.param(UNREACHABLE + ADD + DROP, (), id="unreachable operands"),
        pytest.param(UNREACHABLE + GET_I32 + ADD, (I32,), id="half unreachable operands"),
        pytest.param(UNREACHABLE + b"\x1b", (F64,), id="unreachable select"),
        pytest.param(GET_I32 + b"\x0f", (I32,), id="return"),
        pytest.param(GET_I64 + GET_I32 + b"\x0f", (I32,), id="return with more below"),
        pytest.param(b"\x02\x7f" + GET_I32 + GET_I32 + b"\x0d\0" + END, (I32,), id="br_if"),
        pytest.param(GET_I32 + b"\x02\x01\x0c\0" + END, (I32,), id="block with a param"),
        pytest.param(
            GET_I32 + GET_I32 + b"\x03\x02" + DROP + DROP + GET_I64 + GET_I32 + END, (I64, I32), id="loop of type"
        ),
        pytest.param(GET_I32 + b"\x04\x7f" + GET_I32 + b"\x05" + GET_I32 + END, (I32,), id="if else"),
        pytest.param(GET_I32 + GET_I32 + b"\x04\x01" + END, (I32,), id="if without else that gives what it takes"),
        pytest.param(b"\x02\x40\x02\x40" + GET_I32 + b"\x0e\2\0\1\2" + END + END, (), id="br_table"),
        pytest.param(
            b"\x02\x7f\x02\x7c" + UNREACHABLE + b"\x0e\1\0\1" + END + DROP + GET_I32 + END,
            (I32,),
            id="br_table of unlike labels, unreachable",
        ),
        pytest.param(GET_I32 + b"\x10\1", (I32,), id="call"),
        pytest.param(GET_I32 + GET_I32 + b"\x11\1\0", (I32,), id="call_indirect"),
        pytest.param(GET_I32 + GET_I32 + GET_I32 + b"\x1b", (I32,), id="select"),
        pytest.param(b"\xd0\x70\xd0\x70" + GET_I32 + b"\x1c\1\x70\xd1", (I32,), id="select of references"),
        pytest.param(b"\x20\x83\x80\x80\x80\0", (I32,), id="padded local"),
        pytest.param(b"\x23\0\x24\0", (), id="globals"),
        pytest.param(GET_I32 + b"\x28\2\0", (I32,), id="load"),
        pytest.param(GET_I32 + b"\x28\0\xff\xff\xff\xff\x0f", (I32,), id="load at the greatest offset"),
        pytest.param(GET_I32 * 3 + b"\xfc\x0c\0\0", (), id="table.init"),
    ],
)
def test_good(code: bytes, results: tuple[int, ...]) -> None:
    validate(module_of(code, results))


@pytest.mark.parametrize(
    ("code", "results", "message", "offset"),
    [
        pytest.param(GET_I32 + GET_I64 + ADD, (I32,), "type mismatch: expected i32, but found i64", 4, id="add"),
        pytest.param(ADD, (I32,), "type mismatch: expected i32, but the stack is empty", 0, id="empty stack"),
        pytest.param(GET_I32, (), "type mismatch: 1 values remaining", 2, id="value left"),
        pytest.param(b"", (I32,), "type mismatch: expected i32, but the stack is empty", 0, id="no result"),
        pytest.param(GET_I64, (I32,), "type mismatch: expected i32, but found i64", 2, id="wrong result"),
        pytest.param(GET_I32 + b"\x02\x40" + DROP + END, (), "the stack is empty", 4, id="operand of the outer block"),
        pytest.param(b"\x02\x7f" + END, (I32,), "the stack is empty", 2, id="block without its result"),
        pytest.param(b"\x0c\1", (), "unknown label 1", 0, id="label"),
        pytest.param(GET_I32 + b"\x0d\x80\x80\x01", (), "unknown label 16384", 2, id="long label"),
        pytest.param(b"\x02\x7f\x0c\0" + END + DROP, (), "the stack is empty", 2, id="branch without value"),
        pytest.param(
            b"\x02\x7f\x02\x40" + GET_I32 + b"\x0e\1\0\1" + END + GET_I32 + END + DROP,
            (),
            "labels of br_table take different numbers|the stack is empty",
            6,
            id="br_table of unlike labels",
        ),
        pytest.param(
            GET_I32 + b"\x04\x7f" + GET_I32 + END,
            (I32,),
            "if without else must give what it takes",
            6,
            id="if without else",
        ),
        pytest.param(b"\x04\x40" + END, (), "the stack is empty", 0, id="if without condition"),
        pytest.param(b"\x20\4", (I32,), "unknown local 4", 0, id="local"),
        pytest.param(b"\x21\x84\x80\0", (), "unknown local 4", 0, id="padded local"),
        pytest.param(GET_I64 + b"\x21\0", (), "expected i32, but found i64", 2, id="local.set"),
        pytest.param(GET_I64 + b"\x22\x80\0", (I32,), "expected i32, but found i64", 2, id="padded local.tee"),
        pytest.param(b"\x10\2", (), "unknown function 2", 0, id="call"),
        pytest.param(GET_I64 + b"\x10\1" + DROP, (), "expected i32, but found i64", 2, id="argument"),
        pytest.param(GET_I32 + b"\x11\3\0", (), "unknown type 3", 2, id="call_indirect's type"),
        pytest.param(GET_I32 + GET_I32 + b"\x11\1\2" + DROP, (), "unknown table 2", 4, id="call_indirect's table"),
        pytest.param(
            GET_I32 + GET_I32 + b"\x11\1\1" + DROP, (), "funcref|externref", 4, id="call_indirect of externref"
        ),
        pytest.param(b"\x23\2" + DROP, (), "unknown global 2", 0, id="global"),
        pytest.param(GET_I32 + b"\x24\1", (), "global 1 is immutable", 2, id="constant global"),
        pytest.param(GET_I32 + b"\x28\3\0" + DROP, (), "alignment must not be larger than natural", 2, id="alignment"),
        pytest.param(GET_I32 + b"\x28\x42\1\0" + DROP, (), "unknown memory 1|multi-memory", 2, id="memory"),
        pytest.param(GET_I32 + b"\x28\2\x80\x80\x80\x80\x10" + DROP, (), "offset out of range", 2, id="offset"),
        pytest.param(GET_I32 + GET_I64 + GET_I32 + b"\x1b" + DROP, (), "type mismatch", 6, id="select of unlike"),
        pytest.param(
            b"\xd0\x70\xd0\x70" + GET_I32 + b"\x1b" + DROP,
            (),
            "type mismatch|reference",
            6,
            id="plain select of references",
        ),
        pytest.param(GET_I32 + b"\xd1" + DROP, (), "expected a reference, but found i32", 2, id="ref.is_null"),
        pytest.param(b"\xd2\1" + DROP, (), "undeclared function reference 1", 0, id="ref.func"),
        pytest.param(b"\xd2\5" + DROP, (), "unknown function 5", 0, id="ref.func of nothing"),
        pytest.param(GET_I32 * 3 + b"\xfc\x0c\1\0", (), "unknown elem segment 1", 6, id="table.init"),
        pytest.param(GET_I32 * 3 + b"\xfc\x0c\0\1", (), "type mismatch: table.init", 6, id="table.init of unlike"),
        pytest.param(GET_I32 * 3 + b"\xfc\x0e\0\1", (), "type mismatch: table.copy", 6, id="table.copy of unlike"),
        pytest.param(GET_I32 * 3 + b"\xfc\x08\0\0", (), "unknown data segment 0", 6, id="memory.init"),
        pytest.param(b"\x02\5" + END, (), "unknown type 5", 0, id="block type"),
        pytest.param(
            UNREACHABLE + GET_I64 + ADD + DROP, (), "expected i32, but found i64", 3, id="unreachable, but wrong"
        ),
        pytest.param(UNREACHABLE + GET_I32 + GET_I32, (I32,), "values remaining", 5, id="unreachable, but too many"),
    ],
)
def test_bad(code: bytes, results: tuple[int, ...], message: str, offset: int) -> None:
    wasm = module_of(code, results)
    with pytest.raises(InvalidModuleError, match=message) as caught:
        validate(wasm)
    assert caught.value.offset == wasm.index(code + END, wasm.index(b"\1\1\x7f" + code)) + offset


@pytest.mark.parametrize(
    ("code", "message", "offset"),
    [
        pytest.param(b"\xff", "illegal opcode ff", 0, id="opcode"),
        pytest.param(b"\x02\x40", "END opcode expected", 3, id="open block"),
        pytest.param(END + b"\1", "unexpected instruction after the function's end", 1, id="after the end"),
        pytest.param(b"\x02\x40\x05" + END, "else without if", 2, id="else"),
        pytest.param(GET_I32 + b"\x04\x40\x05\x05" + END, "else without if", 5, id="two elses"),
        pytest.param(b"\x41\x80\x80\x80\x80\x10" + DROP, "integer too large", 1, id="i32.const too large"),
        pytest.param(GET_I32 + b"\x0e\x7f\0", "items announced", 3, id="br_table cut"),
        pytest.param(GET_I32 * 3 + b"\x1c\x7f", "items announced", 7, id="select cut"),
        pytest.param(b"\x41" + b"\xac\xa7" * 3 + DROP, "too long|unexpected end", 1, id="i32.const too long"),
        pytest.param(b"\x42" + b"\xa7\xac" * 5 + DROP, "too long|unexpected end", 1, id="i64.const too long"),
    ],
)
def test_malformed(code: bytes, message: str, offset: int) -> None:
    wasm = module_of(code)
    with pytest.raises(MalformedModuleError, match=message) as caught:
        validate(wasm)
    assert caught.value.offset == wasm.index(b"\1\1\x7f" + code) + 3 + offset


def test_the_limit_of_operands_is_an_error_of_the_module() -> None:
    validate(module_of(GET_I32 * 100_000 + DROP * 100_000))
    with pytest.raises(InvalidModuleError, match="higher than 100000"):
        validate(module_of(GET_I32 * 100_001 + DROP * 100_001))


def validator_of(*bodies: bytes) -> ModuleValidator:
    wasm = functions([body(code) for code in bodies], types=[function_type([], [I32])], type_indices=[0] * len(bodies))
    validator = ModuleValidator(decode_module(wasm), DEFAULT_FEATURES)
    validator.check_module()
    return validator


GOOD, BAD = b"\x41\7\x41\1" + ADD, b"\x41\7" + DROP


def test_instructions_are_the_tokens_of_a_body() -> None:
    for prepare in (lambda validator: None, ModuleValidator.check_bodies, ModuleValidator.trust_bodies):
        validator = validator_of(GOOD, GOOD)
        prepare(validator)
        for _ in range(2):
            assert list(validator.instructions(1)) == [b"\x41\7", b"\x41\1", ADD, END]
            assert list(validator.instructions(1)) == list(validator.body(1).tokens)


def test_what_is_not_known_to_be_valid_is_checked() -> None:
    validator = validator_of(GOOD, BAD)
    for _ in range(2):
        for look in (validator.instructions, validator.body):
            with pytest.raises(InvalidModuleError) as caught:
                look(1)
            assert caught.value.offset is not None
        assert not validator.has_checked_bodies
    with pytest.raises(InvalidModuleError):
        validator.check_bodies()


def test_who_trusts_checks_nothing_but_facts() -> None:
    validator = validator_of(GOOD, BAD)
    validator.trust_bodies()
    assert validator.has_checked_bodies
    assert list(validator.instructions(1)) == [b"\x41\7", DROP, END]
    with pytest.raises(InvalidModuleError):
        validator.body(1)


@pytest.mark.parametrize("look", [ModuleValidator.instructions, ModuleValidator.body])
def test_bodies_that_were_looked_at_are_known(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    validator = validator_of(GOOD, GOOD)
    for index in range(2):
        assert not validator.has_checked_bodies
        look(validator, index)
    assert validator.has_checked_bodies
    monkeypatch.setattr("wazero_core.validation.module.BodyChecker", None)
    assert len(validator.instructions(0)) == 4
