"""Random valid modules, from a seed: stack code as no compiler would write it, but as the specification allows it.

A function is made instruction by instruction over a model of the operand stack, so that operands wait below branches,
calls and stores; blocks take and give any number of values. What a run may depend on is fixed:

- a global of fuel, spent by loops and calls, ends everything: with it gone the guest traps;
- NaNs are made canonical before their bits can be seen;
- host functions are `host_results` of what they are given.

This module must not import the packages under test.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from random import Random
from typing import Final, NamedTuple, final

from fuzz.binary import (
    CODE,
    DATA,
    DATA_COUNT,
    ELEMENT,
    END,
    EXPORT,
    F32,
    F64,
    FUNCREF,
    FUNCTION,
    GLOBAL,
    I32,
    I64,
    IMPORT,
    MEMORY,
    TABLE,
    TYPE,
    body,
    export,
    function_type,
    i32_const,
    leb,
    module,
    name,
    sleb,
    vec,
)

Type = int
Types = tuple[Type, ...]
NUMBERS: Final = (I32, I64, F32, F64)

FUEL: Final = 400
FUEL_GLOBAL: Final = 0
TABLE_SIZE: Final = 8
PASSIVE_DATA: Final = b"passive data of twenty-eight"

EDGES: Final[dict[Type, Sequence[int]]] = {
    I32: (0, 1, 2, 7, 31, 32, 33, 255, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF),
    I64: (0, 1, 63, 64, 1 << 31, (1 << 32) - 1, 1 << 32, (1 << 53) + 1, (1 << 63) - 1, 1 << 63, (1 << 64) - 1),
    F32: (
        0,
        1 << 31,
        1,
        0x3F800000,
        0xBF800000,
        0x3F000000,
        0x4F000000,
        0x7F7FFFFF,
        0x7F800000,
        0xFF800000,
        0x7FC00000,
    ),
    F64: (
        0,
        1 << 63,
        1,
        0x3FF0000000000000,
        0xBFE0000000000000,
        0x41E0000000000000,
        0x43E0000000000000,
        0x7FEFFFFFFFFFFFFF,
        0x7FF0000000000000,
        0xFFF0000000000000,
        0x7FF8000000000000,
    ),
}
"""Bits of values that numeric instructions treat in some special way."""


class Numeric(NamedTuple):
    """An instruction without immediates."""

    encoding: bytes
    params: Types
    results: Types
    sees_bits: bool
    """Whether the bits of a NaN operand show in the result."""


class Signature(NamedTuple):
    """A function type."""

    params: Types
    results: Types


class Generated(NamedTuple):
    """A module, and what there is to call."""

    wasm: bytes
    functions: tuple[Signature, ...]
    """Exported as f0, f1, …; besides these, "memory", "fuel" (set it before each call) and the globals g1, …"""
    global_types: Types
    imports: tuple[Signature, ...]
    """Of functions "0", "1", … from the module "host", which give `host_results`."""


def host_results(number: int, signature: Signature, arguments: Sequence[int]) -> tuple[int, ...] | None:
    """Bits of what host function `number` returns for arguments of these bits, NaNs all alike; None if it raises."""
    digest = zlib.crc32(repr((number, arguments)).encode())
    random = Random(digest)
    return None if digest % 8 == 0 else tuple(random_bits(random, type) for type in signature.results)


_MANY: Final = 12
"""Parameters, results, locals: more than an engine has registers for."""
_BITS: Final = {I32: 32, I64: 64, F32: 32, F64: 64}


def random_bits(random: Random, type: Type) -> int:
    """An edge value, a small number, or anything."""
    kind = random.randrange(3)
    if kind == 0:
        return random.choice(EDGES[type])
    bits = random.getrandbits(_BITS[type])
    if kind == 1 and type in (I32, I64):
        return bits >> random.randrange(_BITS[type])
    is_nan = (type == F32 and bits & 0x7FFFFFFF > 0x7F800000) or (type == F64 and bits & (1 << 63) - 1 > 0x7FF << 52)
    return EDGES[type][-1] if is_nan else bits


def const(type: Type, bits: int) -> bytes:
    """The instruction that gives the value of these bits."""
    match type:
        case 0x7F:
            return b"\x41" + sleb(bits - (bits >> 31 << 32))
        case 0x7E:
            return b"\x42" + sleb(bits - (bits >> 63 << 64))
        case 0x7D:
            return b"\x43" + bits.to_bytes(4, "little")
    return b"\x44" + bits.to_bytes(8, "little")


_LOADS: Final = (
    (b"\x28", I32), (b"\x29", I64), (b"\x2a", F32), (b"\x2b", F64), (b"\x2c", I32), (b"\x2d", I32), (b"\x2e", I32),
    (b"\x2f", I32), (b"\x30", I64), (b"\x31", I64), (b"\x32", I64), (b"\x33", I64), (b"\x34", I64), (b"\x35", I64),
)  # fmt: skip
_STORES: Final = (
    (b"\x36", I32), (b"\x37", I64), (b"\x38", F32), (b"\x39", F64), (b"\x3a", I32), (b"\x3b", I32), (b"\x3c", I64),
    (b"\x3d", I64), (b"\x3e", I64),
)  # fmt: skip
_EQUALS: Final = {F32: b"\x5b", F64: b"\x61"}


def generate(seed: int, numerics: Sequence[Numeric]) -> Generated:
    """The module of a seed, from these numeric instructions."""
    return _ModuleMaker(Random(seed), numerics).make()


@final
class _ModuleMaker:
    def __init__(self, random: Random, numerics: Sequence[Numeric]) -> None:
        self.random = random
        self.numerics = numerics
        self.imports = [self._signature() for _ in range(random.choice((0, 1, 1, 2)))]
        self.functions = [self._signature() for _ in range(random.randint(2, 5))]
        self.signatures = [*self.imports, *self.functions]
        self.types: list[Signature] = list(dict.fromkeys(self.signatures))
        self.globals = [random.choice(NUMBERS) for _ in range(random.randint(2, 5))]
        """Types of the globals from 1 on, all mutable."""

    def _signature(self) -> Signature:
        return Signature(self.some_types(4), self.some_types(3))

    def some_types(self, usually: int) -> Types:
        most = usually if self.random.randrange(8) else _MANY
        return tuple(self.random.choices(NUMBERS, k=self.random.randint(0, most)))

    def type_index(self, signature: Signature) -> int:
        if signature not in self.types:
            self.types.append(signature)
        return self.types.index(signature)

    def _import(self, number: int) -> bytes:
        return name("host") + name(str(number)) + b"\0" + leb(self.types.index(self.imports[number]))

    def make(self) -> Generated:
        bodies = [_FunctionMaker(self, signature).make() for signature in self.functions]
        count, first = len(self.signatures), len(self.imports)
        entries = [self.random.randrange(count) for _ in range(TABLE_SIZE - 2)]
        exports = [export(f"f{i}", first + i) for i in range(len(bodies))]
        exports += [export("memory", 0, 2), export("fuel", FUEL_GLOBAL, 3)]
        exports += [export(f"g{i}", i, 3) for i in range(1, len(self.globals) + 1)]
        globals_ = [b"\x7f\1" + i32_const(FUEL) + END]
        globals_ += [bytes([t, 1]) + const(t, random_bits(self.random, t)) + END for t in self.globals]
        wasm = module(
            (TYPE, vec(function_type(*signature) for signature in self.types)),
            (IMPORT, vec(self._import(number) for number in range(len(self.imports)))),
            (FUNCTION, vec(leb(self.types.index(signature)) for signature in self.functions)),
            (TABLE, vec([bytes([FUNCREF, 0, TABLE_SIZE])])),
            (MEMORY, vec([b"\1\1\3"])),
            (GLOBAL, vec(globals_)),
            (EXPORT, vec(exports)),
            (
                ELEMENT,
                vec([b"\0" + i32_const(1) + END + vec(map(leb, entries)), b"\3\0" + vec(map(leb, range(count)))]),
            ),
            (DATA_COUNT, leb(2)),
            (CODE, vec(bodies)),
            (
                DATA,
                vec(
                    [
                        b"\0" + i32_const(0) + END + vec([bytes([b]) for b in self.random.randbytes(256)]),
                        b"\1" + leb(len(PASSIVE_DATA)) + PASSIVE_DATA,
                    ]
                ),
            ),
        )
        return Generated(wasm, tuple(self.functions), tuple(self.globals), tuple(self.imports))


class _Label(NamedTuple):
    """What a branch to it takes."""

    types: Types
    is_loop: bool


@final
class _FunctionMaker:
    """Makes one body. `stack` models the operands, `base` is the height at which the innermost block begins."""

    def __init__(self, maker: _ModuleMaker, signature: Signature) -> None:
        self.maker = maker
        self.random = maker.random
        self.signature = signature
        self.code = bytearray()
        self.stack: list[Type] = []
        self.base = 0
        self.labels: list[_Label] = []
        self.locals = [*signature.params, *maker.some_types(5)]
        self.first_scratch = len(self.locals)
        self.locals += NUMBERS  # one of each type for `canonicalise`
        self.budget = self.random.randint(5, 80)
        self.is_dead = False

    def make(self) -> bytes:
        self.spend_fuel()
        self.block_body(self.signature.results, _Label(self.signature.results, is_loop=False))
        declared = self.locals[len(self.signature.params) :]
        return body(bytes(self.code), [(1, type) for type in declared])

    # Pieces

    def emit(self, code: bytes, params: Sequence[Type] = (), results: Sequence[Type] = ()) -> None:
        """An instruction whose operands are on the stack."""
        if params:
            assert self.stack[-len(params) :] == list(params)
            del self.stack[-len(params) :]
        self.stack.extend(results)
        self.code += code

    def spend_fuel(self) -> None:
        get, set_ = b"\x23" + leb(FUEL_GLOBAL), b"\x24" + leb(FUEL_GLOBAL)
        self.code += get + b"\x45\x04\x40\x00\x0b" + get + i32_const(1) + b"\x6b" + set_

    def block_body(self, results: Types, label: _Label) -> None:
        """Instructions up to the ``end`` of a block whose parameters are on the stack above `base`."""
        self.labels.append(label)
        self.is_dead = False
        while self.budget > 0 and not self.is_dead and self.random.random() > 0.06:
            self.budget -= 1
            self.random.choice(_STEPS)(self)
        if not self.is_dead:
            self.make_top(results, exact=True)
        self.is_dead = False
        self.labels.pop()

    def make_top(self, types: Sequence[Type], *, exact: bool = False) -> None:
        """Have `types` on top; with `exact`, nothing else above `base`."""
        count = len(types)
        fits = len(self.stack) - self.base >= count and self.stack[len(self.stack) - count :] == list(types)
        if exact and len(self.stack) - self.base != count:
            fits = False
        if fits:
            return
        if exact:
            while len(self.stack) > self.base:
                self.emit(b"\x1a", self.stack[-1:])
        for type in types:
            self.push(type)

    def push(self, type: Type) -> None:
        """Some value of that type."""
        holders = [i for i, t in enumerate(self.locals[: self.first_scratch]) if t == type]
        globals_ = [i for i, t in enumerate(self.maker.globals, 1) if t == type]
        kind = self.random.randrange(6)
        if kind < 3 and holders:
            self.emit(b"\x20" + leb(self.random.choice(holders)), (), [type])
        elif kind == 3 and globals_:
            self.emit(b"\x23" + leb(self.random.choice(globals_)), (), [type])
        elif kind == 4 and type in NUMBERS:
            self.push_address()
            encoding, _ = self.random.choice([row for row in _LOADS if row[1] == type])
            self.emit(encoding + self.memarg(encoding), [I32], [type])
        else:
            self.emit(const(type, random_bits(self.random, type)), (), [type])

    def push_address(self) -> None:
        """An i32 that is mostly inside of memory."""
        kind = self.random.randrange(20)
        if kind == 0:
            self.emit(const(I32, self.random.choice((0xFFFF, 0x10000, 0xFFFFFFFF, 0x1FFFE, 0x80000000))), (), [I32])
        elif kind < 12:
            self.emit(const(I32, self.random.randrange(300)), (), [I32])
        else:
            holders = [i for i, t in enumerate(self.locals[: self.first_scratch]) if t == I32]
            self.emit(b"\x20" + leb(self.random.choice(holders)) if holders else i32_const(8), (), [I32])
            self.emit(i32_const(0xFFF) + b"\x71")

    def memarg(self, encoding: bytes) -> bytes:
        offset = self.random.choice(
            (0, 0, 0, 1, 5, 100, 0xFFF0, 0xFFFFFFFF) if self.random.random() < 0.15 else (0, 1, 4)
        )
        return b"\0" + leb(offset)

    def canonicalise(self) -> None:
        """Of a float on top: any NaN becomes the canonical one."""
        type = self.stack[-1]
        if type not in _EQUALS:
            return
        scratch = leb(self.first_scratch + NUMBERS.index(type))
        self.code += b"\x22" + scratch + const(type, EDGES[type][-1]) + (b"\x20" + scratch) * 2
        self.code += _EQUALS[type] + b"\x1b"

    # Steps

    def step_push(self) -> None:
        self.push(self.random.choice(NUMBERS))

    def step_numeric(self) -> None:
        available = self.stack[self.base :]
        fitting = [
            row for row in self.maker.numerics if available[len(available) - len(row.params) :] == list(row.params)
        ]
        row = self.random.choice(fitting or self.maker.numerics)
        self.make_top(row.params)
        if row.sees_bits:
            self._canonical_operands(row.params)
        self.emit(row.encoding, row.params, row.results)

    def _canonical_operands(self, params: Types) -> None:
        self.canonicalise()
        if len(params) == 2:
            type = params[1]
            holder = leb(self._spare(type))
            self.emit(b"\x21" + holder, [type])
            self.canonicalise()
            self.emit(b"\x20" + holder, (), [type])

    def _spare(self, type: Type) -> int:
        """A local of that type besides the scratch one, which `canonicalise` overwrites."""
        self.locals.append(type)
        return len(self.locals) - 1

    def step_drop(self) -> None:
        if len(self.stack) > self.base:
            self.emit(b"\x1a", self.stack[-1:])

    def step_local(self) -> None:
        if not self.first_scratch:
            return
        index = self.random.randrange(self.first_scratch)
        type = self.locals[index]
        self.make_top([type])
        if self.random.random() < 0.5:
            self.emit(b"\x21" + leb(index), [type])
        else:
            self.emit(b"\x22" + leb(index), [type], [type])

    def step_global(self) -> None:
        index = self.random.randrange(len(self.maker.globals))
        type = self.maker.globals[index]
        self.make_top([type])
        self.emit(b"\x24" + leb(index + 1), [type])

    def step_store(self) -> None:
        encoding, type = self.random.choice(_STORES)
        self.push_address()
        self.push(type)
        self.canonicalise()
        self.emit(encoding + self.memarg(encoding), [I32, type])

    def step_load(self) -> None:
        encoding, type = self.random.choice(_LOADS)
        self.push_address()
        self.emit(encoding + self.memarg(encoding), [I32], [type])

    def step_select(self) -> None:
        type = self.random.choice(NUMBERS)
        self.make_top([type, type, I32])
        code = b"\x1b" if self.random.random() < 0.5 else b"\x1c\1" + bytes([type])
        self.emit(code, [type, type, I32], [type])

    def step_memory(self) -> None:
        """Sizes, growth and bulk instructions."""
        kind = self.random.randrange(6)
        if kind == 0:
            self.emit(b"\x3f\0", (), [I32])
        elif kind == 1:
            self.emit(const(I32, self.random.choice((0, 0, 1, 1, 5, 0xFFFFFFFF))), (), [I32])
            self.emit(b"\x40\0", [I32], [I32])
        elif kind == 2:
            self.emit(b"\xfc\x09\1")
        else:
            self.push_address()
            if kind == 3:
                self.push(I32)
            elif kind == 4:
                self.push_address()
            else:
                self.emit(const(I32, self.random.randrange(30)), (), [I32])
            self.emit(const(I32, self.random.choice((0, 1, 9, 28, 200))), (), [I32])
            code = {3: b"\xfc\x0b\0", 4: b"\xfc\x0a\0\0", 5: b"\xfc\x08\1\0"}[kind]
            self.emit(code, [I32, I32, I32])

    def step_table(self) -> None:
        """Functions move about in the table."""
        kind = self.random.randrange(4)
        if kind == 0:
            self.emit(b"\xfc\x10\0", (), [I32])
            return
        self.push_index()
        if kind == 1:
            function = b"\xd2" + leb(self.random.randrange(len(self.maker.signatures)))
            self.emit(function if self.random.random() < 0.8 else b"\xd0\x70", (), [FUNCREF])
            self.emit(b"\x26\0", [I32, FUNCREF])
        elif kind == 2:
            self.emit(b"\x25\0", [I32], [FUNCREF])
            self.emit(b"\xd1", [FUNCREF], [I32])
        else:
            self.push_index()
            self.emit(const(I32, self.random.randrange(4)), (), [I32])
            self.emit(b"\xfc\x0e\0\0", [I32] * 3)

    def push_index(self) -> None:
        """An index that mostly lies in the table."""
        if self.random.random() < 0.7:
            self.emit(const(I32, self.random.randrange(TABLE_SIZE + 1)), (), [I32])
        else:
            self.push(I32)
            if self.random.random() < 0.8:
                self.emit(i32_const(7) + b"\x71")

    def step_call(self) -> None:
        imported = len(self.maker.imports)
        few = imported if imported and self.random.random() < 0.5 else len(self.maker.signatures)
        index = self.random.randrange(few)
        params, results = self.maker.signatures[index]
        self.make_top(params)
        self.emit(b"\x10" + leb(index), params, results)

    def step_call_indirect(self) -> None:
        signature = self.random.choice(self.maker.signatures)
        self.make_top(signature.params)
        self.push_index()
        code = b"\x11" + leb(self.maker.type_index(signature)) + b"\0"
        self.emit(code, (*signature.params, I32), signature.results)

    def step_block(self) -> None:
        """block, loop or if, with any types."""
        opener = self.random.choice((2, 3, 4, 4))
        count = self.random.randint(0, min(2, len(self.stack) - self.base))
        params = tuple(self.stack[len(self.stack) - count :])
        results = self.maker.some_types(2)
        has_else = opener == 4 and (params != results or self.random.random() < 0.7)
        if opener == 4:
            self.push(I32)
            self.stack.pop()
        self.code += bytes([opener]) + self._block_type(params, results)
        outer_base, self.base = self.base, len(self.stack) - count
        bottom = self.stack[: self.base]
        label = _Label(params if opener == 3 else results, opener == 3)
        if opener == 3:
            self.spend_fuel()
        self.block_body(results, label)
        if has_else:
            self.code += b"\x05"
            self.stack = [*bottom, *params]
            self.block_body(results, label)
        self.code += END
        self.stack = [*bottom, *results]
        self.base = outer_base

    def _block_type(self, params: Types, results: Types) -> bytes:
        if not params and len(results) < 2:
            return bytes([results[0]]) if results else b"\x40"
        return sleb(self.maker.type_index(Signature(params, results)))

    def step_br_if(self) -> None:
        depth = self.random.randrange(len(self.labels))
        label = self.labels[~depth]
        self.make_top(label.types)
        self.push(I32)
        self.emit(b"\x0d" + leb(depth), [I32])

    def step_leave(self) -> None:
        """br, br_table, return or unreachable; then perhaps some code that is never reached."""
        if self.random.random() < 0.5:
            return
        kind = self.random.randrange(8)
        depth = self.random.randrange(len(self.labels))
        if kind < 3:
            self.make_top(self.labels[~depth].types)
            self.code += b"\x0c" + leb(depth)
        elif kind < 6:
            fitting = [d for d in range(len(self.labels)) if self.labels[~d].types == self.labels[~depth].types]
            self.make_top(self.labels[~depth].types)
            self.push(I32)
            targets = self.random.choices(fitting, k=self.random.choice((0, 1, 2, 3, 5, 20)))
            self.code += b"\x0e" + vec(map(leb, targets)) + leb(depth)
        elif kind == 6:
            self.make_top(self.signature.results)
            self.code += b"\x0f"
        else:
            self.code += b"\x00"
        self.is_dead = True
        if self.random.random() < 0.3:
            self.code += self.random.choice(
                (b"\x6a\x1a", b"\x01", i32_const(1) + b"\x1a", b"\x02\x40\x0b", b"\x1b\x1a")
            )


_STEPS: Final[Sequence[Callable[[_FunctionMaker], None]]] = [
    step
    for step, weight in (
        (_FunctionMaker.step_push, 5),
        (_FunctionMaker.step_numeric, 14),
        (_FunctionMaker.step_drop, 3),
        (_FunctionMaker.step_local, 5),
        (_FunctionMaker.step_global, 2),
        (_FunctionMaker.step_store, 3),
        (_FunctionMaker.step_load, 3),
        (_FunctionMaker.step_select, 2),
        (_FunctionMaker.step_memory, 2),
        (_FunctionMaker.step_table, 1),
        (_FunctionMaker.step_call, 4),
        (_FunctionMaker.step_call_indirect, 2),
        (_FunctionMaker.step_block, 5),
        (_FunctionMaker.step_br_if, 4),
        (_FunctionMaker.step_leave, 2),
    )
    for _ in range(weight)
]
