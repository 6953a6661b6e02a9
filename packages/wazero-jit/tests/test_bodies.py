"""Bodies from lists of instructions, and the source that cuts them without validation."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from wazero_api import (
    CORE_FEATURES_V2,
    BodySource,
    CoreFeatures,
    FunctionBody,
    FunctionType,
    GlobalDefinition,
    GlobalType,
    InvalidModuleError,
    Limits,
    MalformedModuleError,
    MemoryType,
    Module,
    UnsupportedError,
    ValueType,
)
from wazero_jit import UncheckedBodies, constant_expression, encode_instruction, function_body

I32, F64 = ValueType.I32, ValueType.F64


@pytest.mark.parametrize(
    ("instruction", "encoding"),
    [
        (("i32.add",), "6a"),
        (("local.get", 300), "20 ac02"),
        (("i32.const", 63), "41 3f"),
        (("i32.const", 64), "41 c000"),
        (("i32.const", -65), "41 bf7f"),
        (("i32.const", 0xFFFFFFFF), "41 7f"),
        (("i64.const", -(1 << 63)), "42 808080808080808080 7f"),
        (("f32.const", 1.5), "43 0000c03f"),
        (("f64.const", 2), "44 0000000000000040"),
        (("f64.const", bytes(8)), "44 0000000000000000"),
        (("i64.load",), "29 0300"),
        (("i64.load", 200), "29 03c801"),
        (("i64.load8_u", (1, 8)), "31 400108"),
        (("block",), "02 40"),
        (("block", F64), "02 7c"),
        (("loop", ValueType.FUNCREF), "03 70"),
        (("if", 64), "04 c000"),
        (("block", ValueType.ref(5, nullable=False)), "02 6405"),
        (("br_table", (1, 0, 2)), "0e 02010002"),
        (("call_indirect", 3), "11 0300"),
        (("call_indirect", 3, 1), "11 0301"),
        (("memory.copy",), "fc0a 0000"),
        (("memory.init", 2), "fc08 0200"),
        (("i32.trunc_sat_f64_u",), "fc03"),
        (("select t*", (I32,)), "1c 017f"),
        (("ref.null", ValueType.EXTERNREF), "d0 6f"),
        (("v128.const", bytes(range(16))), "fd0c 000102030405060708090a0b0c0d0e0f"),
        (("i8x16.extract_lane_u", 15), "fd16 0f"),
        (("v128.load8_lane", 4, 3), "fd54 000403"),
    ],
)
def test_the_encoding(instruction: tuple[Any, ...], encoding: str) -> None:
    assert encode_instruction(*instruction).hex() == encoding.replace(" ", "")


@pytest.mark.parametrize(
    ("instruction", "error", "message"),
    [
        (("i32.plus",), ValueError, "no instruction is named 'i32.plus'"),
        (("i32.add", 1), TypeError, "i32.add has the immediates none; 1 were given"),
        (("local.get",), TypeError, "local.get has the immediates LOCAL; 0 were given"),
        (("call_indirect",), TypeError, "call_indirect has the immediates TYPE, TABLE; 0 were given"),
        (("v128.load8_lane", 4), TypeError, "v128.load8_lane has the immediates MEMARG, LANE; 1 were given"),
        (("local.get", -1), ValueError, "local.get: -1 is no index"),
        (("local.get", "x"), TypeError, "local.get 'x': '<=' not supported"),
        (("i32.const", 1 << 32), ValueError, "i32.const: 4294967296 does not fit into 32 bits"),
        (("i32.const", 1.5), TypeError, "i32.const 1.5: "),
        (("f64.const", "x"), TypeError, "f64.const 'x': required argument is not a float"),
        (("f64.const", b"1234"), TypeError, "f64.const b'1234': unpack requires a buffer of 8 bytes"),
        (("f32.const", 1e39), OverflowError, "float too large"),
        (("i32.load", -4), ValueError, "i32.load: the offset -4 does not fit into 32 bits"),
        (("ref.null", 3), TypeError, "ref.null 3: 'int' object has no attribute 'heap'"),
        (("v128.const", b""), ValueError, "v128.const takes 16 bytes, not 0"),
    ],
)
def test_what_does_not_fit(instruction: tuple[Any, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as raised:
        encode_instruction(*instruction)
    assert message in str(raised.value)


def test_a_body() -> None:
    body = function_body(
        [("i32.const", 7), encode_instruction("drop"), "nop"],
        [I32, I32, F64, I32],
    )
    assert body == FunctionBody(((2, I32), (1, F64), (1, I32)), bytes.fromhex("41071a010b"), 0)
    assert function_body(()) == FunctionBody((), b"\x0b", 0)
    assert constant_expression([("f64.const", 1.0)]).code == b"\x44" + struct.pack("<d", 1) + b"\x0b"


FEATURES = CORE_FEATURES_V2 & ~CoreFeatures.SIMD


def source(*instructions: Any, body: FunctionBody | None = None) -> UncheckedBodies:
    """Of a module with something in most index spaces, and a function with one parameter and one local."""
    module = Module(
        types=(FunctionType((I32,), (I32,)),),
        functions=(0,),
        memories=(MemoryType(Limits(1)),),
        globals=(GlobalDefinition(GlobalType(I32, False), constant_expression([("i32.const", 1)])),),
        bodies=(body or function_body(instructions, [I32]),),
    )
    return UncheckedBodies(module, FEATURES)


def test_bodies_are_cut_into_instructions() -> None:
    instructions: list[tuple[Any, ...]] = [
        ("block", 0),
        ("loop",),
        ("br_table", tuple(range(3)) * 100),
        ("end",),
        ("end",),
        ("f64.const", 11.0),  # full of bytes that look like others
        ("select t*", (I32,)),
        ("select t*", (ValueType.ref(0), ValueType.FUNCREF)),
        ("i64.const", 1 << 63),
        ("memory.fill",),
        ("i32.load16_s", 1 << 20),
        ("local.tee", 1),
        ("call", 0),
        ("ref.null", ValueType.FUNCREF),
        ("global.get", 0),
    ]
    bodies: BodySource = source(*instructions)
    assert bodies.instructions(0) == [encode_instruction(*item) for item in [*instructions, ("end",)]]


@pytest.mark.parametrize(
    ("instruction", "message"),
    [
        (("local.get", 2), "local.get: there is no local 2 (at byte 0x1)"),
        (("global.set", 1), "global.set: there is no global 1"),
        (("call", 1), "call: there is no func 1"),
        (("call_indirect", 1), "call_indirect: there is no type 1"),
        (("call_indirect", 0), "call_indirect: there is no table 0"),
        (("block", 1), "block: there is no type 1"),
        (("br", 1), "br: there is no label 1"),
        (("br_table", (0, 1)), "br_table: there is no label 1"),
        (("i32.load", (1, 0)), "i32.load: there is no memory 1"),
        (("memory.copy", 0, 1), "memory.copy: there is no memory 1"),
        (("data.drop", 0), "data.drop: there is no data 0"),
        (("elem.drop", 0), "elem.drop: there is no elem 0"),
        (("end",), "blocks and their ends do not match (at byte 0x2)"),
        (("loop",), "blocks and their ends do not match (at byte 0x4)"),
    ],
)
def test_what_is_visibly_wrong(instruction: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InvalidModuleError) as raised:
        source("nop", instruction).instructions(0)
    assert str(raised.value).startswith(message)
    assert raised.value.__notes__ == ["in function 0 of those that the module defines"]


@pytest.mark.parametrize("code", ["01 f0", "01 41", "01 44000000", "01 fc7f", "01 0e05000000"])
def test_what_is_no_code(code: str) -> None:
    with pytest.raises(MalformedModuleError, match=r"this is no instruction, or a part of one \(at byte 0x9\)"):
        source(body=FunctionBody((), bytes.fromhex(code), 8)).instructions(0)


def test_what_the_engine_does_not_have() -> None:
    with pytest.raises(UnsupportedError, match=r"does not have i8x16\.add"):
        source("i8x16.add").instructions(0)
    with pytest.raises(UnsupportedError, match="only the instructions"):
        source("nop").body(0)
