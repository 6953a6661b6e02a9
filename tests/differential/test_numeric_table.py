"""Every numeric instruction on every pair of edge values: the same bits as wasmtime, and the same traps.

Values go in and come out as bits through memory, within one wasm function per instruction, so that neither Python nor
C turns a signalling NaN into a quiet one on the way. Where a NaN is computed, any NaN will do.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Final

import pytest
import wasmtime

from differential.engines import TRAPS, bits_of, numeric_instructions
from differential.generator import EDGES, Numeric, const
from fuzz.binary import (
    CODE,
    END,
    EXPORT,
    F32,
    F64,
    FUNCTION,
    I32,
    I64,
    MEMORY,
    TYPE,
    body,
    export,
    function_type,
    i32_const,
    leb,
    module,
    vec,
)
from integration.runtimes import ANONYMOUS, ENGINES, new_runtime
from wazero_api import BY_CODE, OPCODES, Trap, ValueType
from wazero_core import Module

INSTRUCTIONS: Final = {
    next(o.name for o in OPCODES if o.encoding == row.encoding): row for row in numeric_instructions()
}


def _integers(bits: int) -> list[int]:
    """0, ±1, minimum, maximum, powers of two and their neighbours."""
    powers = [1 << n for n in sorted({0, 1, 4, 7, 8, 15, 16, 23, 24, 30, 31, 32, 52, 53, 62, 63} & set(range(bits)))]
    values = {0, *powers, *(p - 1 for p in powers), *(p + 1 for p in powers), 0x55555555, 0xDEADBEEFCAFE}
    values |= {-v for v in values}
    return sorted({v & (1 << bits) - 1 for v in values})


def _floats(exponent_bits: int, mantissa_bits: int) -> list[int]:
    """Zeros, denormals, around one half and one, half-way cases, bounds of integer types, infinities, NaNs; both signs."""
    layout, integer = ("<f", "<I") if mantissa_bits == 23 else ("<d", "<Q")
    numbers = [0.5, 1.0, 1.5, 2.0, 2.5, 3.5, 0.1, 1 / 3, 0.99999994, 1.00000012, 4.2e9, 6.02e23, 1e-30, 123456.789]
    numbers += [float(1 << n) for n in (7, 8, 15, 16, 23, 24, 31, 32, 52, 53, 62, 63, 64)]
    numbers += [float((1 << n) - 1) for n in (8, 16, 24, 31, 32, 53)]
    numbers += [
        8388607.5,
        8388608.5,
        4503599627370495.5,
        2147483647.5,
        2147483648.5,
        4294967295.5,
        3.4028235677973366e38,
    ]
    bits = {0, 1, 2, 3}
    for number in numbers:
        try:
            bits.add(struct.unpack(integer, struct.pack(layout, number))[0])
        except OverflowError:
            continue
    infinity = ((1 << exponent_bits) - 1) << mantissa_bits
    smallest_normal = 1 << mantissa_bits
    bits |= {infinity, infinity - 1, smallest_normal, smallest_normal - 1, smallest_normal + 1}
    bits |= {infinity | 1 << mantissa_bits - 1, infinity | 1, infinity | (1 << mantissa_bits) - 1, infinity | 0x2AAAAA}
    neighbours = [b + d for b in list(bits) for d in (-1, 1) if smallest_normal < b < infinity - 1]
    bits |= set(neighbours)
    return sorted(bits | {b | 1 << exponent_bits + mantissa_bits for b in bits})


VALUES: Final = {I32: _integers(32), I64: _integers(64), F32: _floats(8, 23), F64: _floats(11, 52)}

_FROM_BITS: Final = {I32: b"\xa7", I64: b"", F32: b"\xa7\xbe", F64: b"\xbf"}
"""From the i64 that holds a value's bits to the value."""
_TO_BITS: Final = {I32: b"\xad", I64: b"", F32: b"\xbc\xad", F64: b"\xbd"}
_BITS_MATTER: Final = ("abs", "neg", "copysign", "reinterpret")
"""Instructions that say what becomes of a NaN's bits."""


def _table_module(row: Numeric) -> bytes:
    """A module with the operands in memory: "one" takes the addresses of two and gives the result's bits; "all" does so
    for all pairs and stores the results behind the operands.
    """
    counts = _counts(row)
    compute = b"".join(b"\x20" + leb(i) + b"\x29\0" + leb(0) + _FROM_BITS[type] for i, type in enumerate(row.params))
    compute += row.encoding + _TO_BITS[row.results[0]]
    second = 8 * counts[0]
    end = second + 8 * counts[1]
    # locals: 0 and 1 the addresses, 2 where the result goes
    step = b"\x20\2" + b"\x20\0\x20\1\x10\0" + b"\x37\0" + leb(0)
    step += b"\x20\2" + i32_const(8) + b"\x6a\x21\2"
    inner = i32_const(second) + b"\x21\1\x03\x40" + step + _next(1, end) + END
    outer = i32_const(end) + b"\x21\2\x03\x40" + inner + _next(0, second) + END
    pages = (end + 8 * counts[0] * counts[1]) // 65536 + 1
    return module(
        (TYPE, vec([function_type([I32, I32], [I64]), function_type()])),
        (FUNCTION, vec([leb(0), leb(1)])),
        (MEMORY, vec([b"\0" + leb(pages)])),
        (EXPORT, vec([export("one", 0), export("all", 1), export("memory", 0, 2)])),
        (CODE, vec([body(compute), body(outer, [(3, I32)])])),
    )


def _next(local: int, stop: int) -> bytes:
    """Add 8 to a local and repeat the loop unless it is `stop`."""
    return b"\x20" + leb(local) + i32_const(8) + b"\x6a\x22" + leb(local) + i32_const(stop) + b"\x47\x0d\0"


def _counts(row: Numeric) -> tuple[int, int]:
    """How many first and second operands there are; a lone operand has one partner that nobody looks at."""
    return len(VALUES[row.params[0]]), len(VALUES[row.params[1]]) if len(row.params) == 2 else 1


def _operands(row: Numeric) -> bytes:
    first = VALUES[row.params[0]]
    second = VALUES[row.params[1]] if len(row.params) == 2 else [0]
    return struct.pack(f"<{len(first) + len(second)}Q", *first, *second)


@pytest.fixture(scope="module")
def peer() -> wasmtime.Engine:
    return wasmtime.Engine()


def _theirs(engine: wasmtime.Engine, wasm: bytes, operands: bytes) -> tuple[wasmtime.Store, Any]:
    store = wasmtime.Store(engine)
    exports = wasmtime.Instance(store, wasmtime.Module(engine, wasm), []).exports(store)
    memory = exports["memory"]
    assert isinstance(memory, wasmtime.Memory)
    memory.write(store, operands)
    return store, exports


def _ours(engine: str, wasm: bytes, operands: bytes) -> Module:
    module_ = new_runtime(engine).instantiate(wasm)
    assert module_.memory is not None
    module_.memory.write(0, operands)
    return module_


def _same(row: Numeric, name: str, mine: int, other: int) -> bool:
    if mine == other:
        return True
    operation = name.partition(".")[2]
    if operation.startswith(_BITS_MATTER):
        return False
    return _is_nan(mine, row.results[0]) and _is_nan(other, row.results[0])


def _is_nan(bits: int, type: int) -> bool:
    """Whether these are the bits of a quiet NaN."""
    if type == F32:
        return bits & 0x7FC00000 == 0x7FC00000
    return type == F64 and bits & 0x7FF8000000000000 == 0x7FF8000000000000


def _can_trap(name: str) -> bool:
    operation = name.partition(".")[2]
    return operation.startswith(("div_", "rem_")) or (operation.startswith("trunc_") and "sat" not in operation)


def _pairs(row: Numeric) -> Iterator[tuple[int, int]]:
    """The operands' addresses, in the order of the results."""
    first, second = _counts(row)
    for i in range(first):
        for j in range(second):
            yield 8 * i, 8 * (first + j)


def _describe(row: Numeric, name: str, pair: tuple[int, int], mine: Any, other: Any) -> str:
    operands = struct.unpack(f"<{sum(_counts(row))}Q", _operands(row))
    texts = [hex(operands[address // 8]) for address in pair[: len(row.params)]]
    return f"{name}({', '.join(texts)}): {mine}, wasmtime has {other}"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", [name for name in INSTRUCTIONS if not _can_trap(name)])
def test_results_are_the_same(name: str, engine: str, peer: wasmtime.Engine) -> None:
    row = INSTRUCTIONS[name]
    wasm, operands = _table_module(row), _operands(row)
    ours = _ours(engine, wasm, operands)
    ours.exports.all()
    store, exports = _theirs(peer, wasm, operands)
    exports["all"](store)
    count = _counts(row)[0] * _counts(row)[1]
    memory = ours.memory
    assert memory is not None
    mine = struct.unpack_from(f"<{count}Q", memory.buffer, len(operands))
    other = struct.unpack(f"<{count}Q", exports["memory"].read(store, len(operands), len(operands) + 8 * count))
    wrong = [
        _describe(row, name, pair, hex(a), hex(b))
        for pair, a, b in zip(_pairs(row), mine, other, strict=True)
        if not _same(row, name, a, b)
    ]
    assert not wrong, "\n".join(wrong[:20])
    assert len(set(mine)) > 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", [name for name in INSTRUCTIONS if _can_trap(name)])
def test_results_and_traps_are_the_same(name: str, engine: str, peer: wasmtime.Engine) -> None:
    row = INSTRUCTIONS[name]
    wasm, operands = _table_module(row), _operands(row)
    one = _ours(engine, wasm, operands).exports.one
    store, exports = _theirs(peer, wasm, operands)
    wrong, seen = [], set()
    for pair in _pairs(row):
        mine, other = (
            _outcome(lambda pair=pair: one(*pair)),
            _peer_outcome(lambda pair=pair: exports["one"](store, *pair)),
        )
        seen.add(type(mine))
        if mine != other:
            wrong.append(_describe(row, name, pair, mine, other))
    assert not wrong, "\n".join(wrong[:20])
    assert len(seen) == 2, "some pairs must trap, and others not"


def _outcome(call: Any) -> Any:
    try:
        return call()
    except Trap as trap:
        return trap.kind


def _peer_outcome(call: Any) -> Any:
    try:
        return call()
    except wasmtime.Trap as trap:
        return next(kinds[0] for code, kinds in TRAPS.items() if code is trap.trap_code)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("type", "name"), [(I32, "i32"), (I64, "i64"), (F32, "f32"), (F64, "f64")])
def test_constants_have_their_bits(type: int, name: str, engine: str) -> None:
    """As results, and as bits within the guest; NaN payloads included."""
    for bits in [*VALUES[type], *EDGES[type]]:
        wasm = module(
            (TYPE, vec([function_type([], [type]), function_type([], [I64])])),
            (FUNCTION, vec([leb(0), leb(1)])),
            (EXPORT, vec([export("value", 0), export("bits", 1)])),
            (CODE, vec([body(const(type, bits)), body(const(type, bits) + _TO_BITS[type])])),
        )
        exports = new_runtime(engine).instantiate(wasm, ANONYMOUS).exports
        assert exports.bits() & 0xFFFFFFFFFFFFFFFF == bits, hex(bits)
        expected = -1 if type in (F32, F64) and exports.value() != exports.value() else bits
        assert bits_of(exports.value(), type) == expected, hex(bits)


def test_the_table_of_instructions_is_complete() -> None:
    """146 numeric instructions in WebAssembly 2.0 without vectors, constants left out."""
    plain = {BY_CODE[0, code].name for code in range(0x45, 0xC5)}
    saturating = {BY_CODE[0xFC, code].name for code in range(8)}
    assert set(INSTRUCTIONS) == plain | saturating
    assert {t.code for o in OPCODES if o.name in INSTRUCTIONS for t in o.results or () if isinstance(t, ValueType)} <= {
        0x7F,
        0x7E,
        0x7D,
        0x7C,
    }
