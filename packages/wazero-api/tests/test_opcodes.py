"""The opcode table: complete, without repetition, and equal to what an independent assembler and validator say."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from wazero_api import opcodes
from wazero_api.errors import WazeroBug
from wazero_api.features import CoreFeatures
from wazero_api.opcodes import BY_CODE, BY_NAME, OPCODES, AddressOperand, Immediate, Opcode
from wazero_api.types import ValueType

COUNTS = {
    # (prefix, feature): instructions, counted in the specification's index
    (0x00, CoreFeatures(0)): 172,
    (0x00, CoreFeatures.SIGN_EXTENSION_OPS): 5,
    (0xFC, CoreFeatures.NON_TRAPPING_FLOAT_TO_INT_CONVERSION): 8,
    (0xFC, CoreFeatures.BULK_MEMORY_OPERATIONS): 7,
    (0x00, CoreFeatures.REFERENCE_TYPES): 6,
    (0xFC, CoreFeatures.REFERENCE_TYPES): 3,
    (0x00, CoreFeatures.TAIL_CALL): 2,
    (0x00, CoreFeatures.TYPED_FUNCTION_REFERENCES): 5,
    (0x00, CoreFeatures.EXCEPTION_HANDLING): 3,
    (0x00, CoreFeatures.GC): 1,
    (0xFB, CoreFeatures.GC): 31,
    (0xFD, CoreFeatures.SIMD): 236,
    (0xFD, CoreFeatures.RELAXED_SIMD): 20,
    (0xFE, CoreFeatures.THREADS): 67,
}

# One sample per kind of immediate: text, bytes. They differ from each other, so that order shows. Small indices fit
# the module that `closed_function` puts around an instruction.
SAMPLES = {
    Immediate.BLOCK_TYPE: ("(result i64)", b"\x7e"),
    Immediate.LABEL: ("130", b"\x82\x01"),
    Immediate.LABELS: ("7 8 9", b"\x02\x07\x08\x09"),
    Immediate.FUNC: ("131", b"\x83\x01"),
    Immediate.TYPE: ("132", b"\x84\x01"),
    Immediate.TABLE: ("2", b"\x02"),
    Immediate.MEMORY: ("1", b"\x01"),
    Immediate.TAG: ("133", b"\x85\x01"),
    Immediate.LOCAL: ("134", b"\x86\x01"),
    Immediate.GLOBAL: ("135", b"\x87\x01"),
    Immediate.ELEM: ("4", b"\x04"),
    Immediate.DATA: ("3", b"\x03"),
    Immediate.FIELD: ("136", b"\x88\x01"),
    Immediate.I32: ("-70000", b"\x90\xdd\x7b"),
    Immediate.I64: ("-5000000000", b"\x80\x9c\xe8\xaf\x6d"),
    Immediate.F32: ("1.5", b"\x00\x00\xc0\x3f"),
    Immediate.F64: ("1.5", b"\x00\x00\x00\x00\x00\x00\xf8\x3f"),
    Immediate.V128: (f"i8x16 {' '.join(map(str, range(40, 56)))}", bytes(range(40, 56))),
    Immediate.SHUFFLE: (" ".join(map(str, range(16, 32))), bytes(range(16, 32))),
    Immediate.HEAP_TYPE: ("i31", b"\x6c"),
    Immediate.VALUE_TYPES: ("(result f32)", b"\x01\x7d"),
    Immediate.CATCHES: ("(catch 5 6) (catch_all_ref 7)", b"\x02\x00\x05\x06\x03\x07"),
    Immediate.COUNT: ("137", b"\x89\x01"),
    Immediate.ZERO_BYTE: ("", b"\x00"),
}

# Where the text format is not "keyword, then the immediates in binary order": the operands in text.
TEXT_OPERANDS = {
    "call_indirect": "2 (type 132)",
    "return_call_indirect": "2 (type 132)",
    "memory.init": "1 3",
    "table.init": "2 4",
    "ref.test": "(ref i31)",
    "ref.test null": "(ref null i31)",
    "ref.cast": "(ref i31)",
    "ref.cast null": "(ref null i31)",
    "br_on_cast": "130 (ref null i31) (ref i31)",
    "br_on_cast_fail": "130 (ref null i31) (ref i31)",
}
OPENS_BLOCK = {"block", "loop", "if", "try_table"}
# Instructions that only stand inside another: the text and the bytes before them.
BEFORE = {"else": ("if ", b"\x04\x40"), "end": ("block ", b"\x02\x40")}

IS_CLOSED = [op for op in OPCODES if op.params is not None and op.results is not None]
HAS_LANES = [op for op in OPCODES if op.lanes]
HAS_MEMARG = [op for op in OPCODES if Immediate.MEMARG in op.immediates]


def ids(opcode: Opcode) -> str:
    return opcode.name.replace(" ", "-")


def sample(opcode: Opcode, kind: Immediate) -> tuple[str, bytes]:
    if kind is Immediate.MEMARG:  # the text leaves the alignment out: the assembler fills in the natural one
        return "offset=300", bytes((opcode.natural_alignment,)) + b"\xac\x02"
    if kind is Immediate.LANE:
        return str(opcode.lanes - 1), bytes((opcode.lanes - 1,))
    if kind is Immediate.CAST_FLAGS:
        return "", b"\x01"  # from (ref null i31) to (ref i31), as in TEXT_OPERANDS
    return SAMPLES[kind]


def text_of(opcode: Opcode) -> str:
    operands = TEXT_OPERANDS.get(opcode.name)
    if operands is None:
        operands = " ".join(sample(opcode, kind)[0] for kind in opcode.immediates)
    return f"{opcode.name.partition(' ')[0]} {operands}"


def bytes_of(opcode: Opcode) -> bytes:
    return opcode.encoding + b"".join(sample(opcode, kind)[1] for kind in opcode.immediates)


def read_leb(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def only_body(binary: bytes) -> bytes:
    """The code of a module's single function, which has no locals."""
    at = 8
    while at < len(binary):
        section = binary[at]
        size, at = read_leb(binary, at + 1)
        if section == 10:
            count, body = read_leb(binary, at)
            length, body = read_leb(binary, body)
            assert (count, binary[body]) == (1, 0)
            return binary[body + 1 : body + length]
        at += size
    raise AssertionError("no code section")


def closed_function(opcode: Opcode, address: str, immediates: str | None = None) -> str:
    """A module with a function whose parameters and results are those of a closed opcode."""

    def names(operands: tuple[opcodes.Operand, ...] | None) -> str:
        return " ".join(address if isinstance(o, AddressOperand) else o.name for o in operands or ())

    gets = " ".join(f"local.get {i}" for i in range(len(opcode.params or ())))
    code = text_of(opcode) if immediates is None else f"{opcode.name} {immediates}"
    return f"""(module
        {f"(memory {address} 1)" * 2} {f"(table {address} 1 funcref)" * 3}
        {'(data "x")' * 4} {"(elem func)" * 5}
        (func (param {names(opcode.params)}) (result {names(opcode.results)}) {gets} {code}))"""


@pytest.fixture(scope="module")
def wasmtime() -> Any:
    return pytest.importorskip("wasmtime")


@pytest.fixture(scope="module")
def engine(wasmtime: Any) -> Any:
    config = wasmtime.Config()
    for feature in ("threads", "memory64", "multi_memory", "simd", "relaxed_simd", "function_references", "gc"):
        setattr(config, f"wasm_{feature}", True)
    return wasmtime.Engine(config)


def test_counts_per_group() -> None:
    assert Counter((op.prefix, op.feature) for op in OPCODES) == COUNTS


def test_indexes_hold_every_opcode() -> None:
    assert list(BY_NAME.values()) == list(BY_CODE.values()) == list(OPCODES)
    assert all(BY_NAME[op.name] is op and BY_CODE[op.prefix, op.code] is op for op in OPCODES)
    assert list(BY_CODE) == sorted(BY_CODE)


def test_indexes_are_immutable() -> None:
    with pytest.raises(TypeError):
        BY_NAME["nop"] = BY_NAME["drop"]  # type: ignore[index]
    with pytest.raises(TypeError):
        BY_CODE[0, 1] = BY_NAME["drop"]  # type: ignore[index]


@pytest.mark.parametrize("field", ["name", "code"])
def test_duplicates_raise(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    twins = (BY_NAME["nop"], BY_NAME["nop"].__class__("nop", 0, 1, (), None, None, CoreFeatures.GC))
    with pytest.raises(WazeroBug, match="'nop' and 'nop'"):
        opcodes._index(twins, lambda op: getattr(op, field))


@pytest.mark.parametrize("text", ["memarg", "lane", "func:2"])
def test_numbers_of_immediates_are_checked(text: str) -> None:
    with pytest.raises(WazeroBug, match="number"):
        opcodes._parse_immediates(text)


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("nop", b"\x01"),
        ("ref.i31", b"\xfb\x1c"),
        ("f64x2.promote_low_f32x4", b"\xfd\x5f"),
        ("i8x16.abs", b"\xfd\x60"),
        ("v128.any_true", b"\xfd\x53"),
        ("i16x8.abs", b"\xfd\x80\x01"),
        ("i8x16.relaxed_swizzle", b"\xfd\x80\x02"),
    ],
)
def test_encoding_is_shortest(name: str, encoding: bytes) -> None:
    assert BY_NAME[name].encoding == encoding


def test_rows_are_consistent() -> None:
    """Numbers go with their immediates, address operands with a memory or table, prefixes are the known ones."""
    for op in OPCODES:
        assert op.prefix in (0, 0xFB, 0xFC, 0xFD, 0xFE), op
        assert 0 <= op.code < (0x100 if op.prefix == 0 else 0x4000), op
        assert (op.lanes > 0) == (Immediate.LANE in op.immediates), op
        assert op.natural_alignment == 0 or Immediate.MEMARG in op.immediates, op
        operands = (op.params or ()) + (op.results or ())
        if AddressOperand.MEMORY in operands:
            assert {Immediate.MEMORY, Immediate.MEMARG} & set(op.immediates), op
        if AddressOperand.TABLE in operands:
            assert Immediate.TABLE in op.immediates, op


def test_every_immediate_is_used() -> None:
    assert {kind for op in OPCODES for kind in op.immediates} == set(Immediate)


@pytest.mark.parametrize(
    ("name", "params", "results"),
    [
        ("i64.shl", (ValueType.I64, ValueType.I64), (ValueType.I64,)),
        ("f64.store", (AddressOperand.MEMORY, ValueType.F64), ()),
        ("memory.fill", (AddressOperand.MEMORY, ValueType.I32, AddressOperand.MEMORY), ()),
        ("table.grow", None, (AddressOperand.TABLE,)),
        ("table.get", (AddressOperand.TABLE,), None),
        ("memory.copy", None, ()),
        ("throw_ref", (ValueType.ref(-0x17),), None),
        ("ref.i31", (ValueType.I32,), (ValueType.ref(-0x14, nullable=False),)),
        ("nop", (), ()),
        ("select", None, None),
    ],
)
def test_operands(name: str, params: object, results: object) -> None:
    assert (BY_NAME[name].params, BY_NAME[name].results) == (params, results)


@pytest.mark.parametrize("opcode", OPCODES, ids=ids)
def test_bytes_are_the_assemblers(opcode: Opcode, wasmtime: Any) -> None:
    """Opcode, order and form of the immediates, and natural alignment are what wasmtime's assembler writes."""
    text_before, bytes_before = BEFORE.get(opcode.name, ("", b""))
    body, blocks_to_end = f"{text_before}{text_of(opcode)}", opcode.name in OPENS_BLOCK or opcode.name == "else"
    binary = bytes(wasmtime.wat2wasm(f"(module (func {body} {'end' * blocks_to_end}))"))
    assert only_body(binary) == bytes_before + bytes_of(opcode) + b"\x0b" * blocks_to_end + b"\x0b"


@pytest.mark.parametrize("address", ["i32", "i64"])
@pytest.mark.parametrize("opcode", IS_CLOSED, ids=ids)
def test_closed_operands_are_the_validators(opcode: Opcode, address: str, wasmtime: Any, engine: Any) -> None:
    """A function of exactly these parameters and results validates, with 32-bit and with 64-bit addresses."""
    wasmtime.Module.validate(engine, wasmtime.wat2wasm(closed_function(opcode, address)))


@pytest.mark.parametrize("opcode", HAS_LANES, ids=ids)
def test_lane_beyond_the_last_is_invalid(opcode: Opcode, wasmtime: Any, engine: Any) -> None:
    binary = wasmtime.wat2wasm(closed_function(opcode, "i32", str(opcode.lanes)))
    with pytest.raises(wasmtime.WasmtimeError, match="SIMD index out of bounds"):
        wasmtime.Module.validate(engine, binary)


@pytest.mark.parametrize("opcode", HAS_MEMARG, ids=ids)
def test_alignment_beyond_the_natural_is_invalid(opcode: Opcode, wasmtime: Any, engine: Any) -> None:
    lane = " 0" if opcode.lanes else ""
    binary = wasmtime.wat2wasm(closed_function(opcode, "i32", f"align={2 << opcode.natural_alignment}{lane}"))
    with pytest.raises(wasmtime.WasmtimeError, match="align"):
        wasmtime.Module.validate(engine, binary)
