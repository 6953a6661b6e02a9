"""What the tokens of one module mean to translation. Looked up once per distinct token.

Keys of an ISA's memos, by kind; operands are ids (`registers.operands`), the destination last:

==========  =====================================================================
`NULLARY`   (destination,)
`UNARY`     (operand, destination), loads too
`BINARY`    (left, right, destination); `SHIFT_LEFT` is one that may become an index in an addition
`COMPARE`   the same, or `UNARY` for eqz; as a condition without the destination
`STORE`     (address, value)
`SINK`      (value,)
==========  =====================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, final

from wazero_api import (
    BY_NAME,
    OPCODES,
    FunctionType,
    Immediate,
    Module,
    Opcode,
    ValueType,
)
from wazero_jit.isa.interface import Isa, Memo
from wazero_jit.link.layout import BUILTINS, ContextLayout
from wazero_jit.link.records import InstanceContext
from wazero_jit.registers.operands import SLOT, Operand
from wazero_jit.registers.plan import FLOAT_CODES

from .immediates import Instruction, i32_const, instruction, leb

(
    GET,
    CONST,
    BINARY,
    UNARY,
    CONTROL,
    SET,
    STORE,
    COMPARE,
    TEE,
    NULLARY,
    BINARY_FLOAT,
    UNARY_FLOAT,
    NULLARY_FLOAT,
    SINK,
    SHIFT_LEFT,
) = range(15)

Meaning = tuple[int, Any, Any]
"""A kind and what belongs to it: a memo, a local's index, a `Comparison`; for CONTROL the instruction's name and facts."""


class Comparison(NamedTuple):
    """One comparison in all its uses."""

    value: Memo
    branch_if: Memo
    branch_unless: Memo
    select: Memo


class Call(NamedTuple):
    """A call whose callee is known, or known but for its table index."""

    type: FunctionType
    code: bytes | Callable[[int, Operand], bytes]
    """The call itself; if it may leave this context, made from the context's slot and the index of an indirect callee."""
    arguments: tuple[int, ...]
    """Operand ids of where it takes them."""
    results: tuple[int, ...]
    """Of where it leaves them."""
    constants: tuple[bytes, ...] = ()
    """Further arguments: the immediates of a builtin."""
    is_indirect: bool = False


_COMPARISONS: Final = frozenset({"eqz", "eq", "ne", "lt", "gt", "le", "ge"})


def is_comparison(opcode: Opcode) -> bool:
    """Whether it gives a truth value from numbers."""
    _, _, word = opcode.name.partition(".")
    return word.partition("_")[0] in _COMPARISONS and opcode.results == (ValueType.I32,) and not opcode.prefix


@final
class Meanings(dict[bytes, Meaning]):
    """By token; makes what is missing. Shared by the functions of a module."""

    def __init__(self, module: Module, layout: ContextLayout, isa: Isa, guarded: bool) -> None:
        super().__init__()
        self.types = module.types
        self.functions = module.function_types()
        self.volatile = frozenset((*isa.plan.temporaries, *isa.plan.float_temporaries))
        """Registers that calls change."""
        memo = isa.memo
        self.truth = Comparison(memo("move"), memo("branch_if"), memo("branch_unless"), memo("select"))
        """An i32 as a condition. Its key for `select` is (chosen if true, otherwise, condition, destination)."""
        self._globals = module.global_types()
        self._tables = module.table_types()
        self._layout = layout
        self._isa = isa
        self._guarded = guarded
        self.area_words: dict[bytes, int] = {}
        """By the tokens of calls that need some: words of the outgoing area."""
        self.switches: set[bytes] = set()
        """Tokens of calls that change the context register."""

    def __missing__(self, token: bytes) -> Meaning:
        code = token[0]
        if code in _CONSTANTS:  # most distinct tokens are constants
            meaning: Meaning = (CONST, None, None)
        elif code in _LOCAL_KINDS:
            meaning = (_LOCAL_KINDS[code], leb(token, 1)[0], None)
        elif code in _ACCESS_KINDS and token[1] < _OTHER_MEMORY:
            kind, name = _ACCESS_KINDS[code]
            word = None if self._guarded else self._layout.memory(0)
            meaning = (kind, self._isa.memo(name, word, leb(token, 2)[0]), None)
        else:
            meaning = self._meaning(token, instruction(token))
        self[token] = meaning
        return meaning

    def _meaning(self, token: bytes, parts: Instruction) -> Meaning:
        opcode, immediates = parts
        name = opcode.name
        special = _SPECIAL.get(name)
        if special is not None:
            return special(self, immediates)
        if name in _BULK and not any(immediates):
            code = self._isa.call_bulk(int(_BULK[name].offset), self._layout.memory(0))
            return self._call(token, _THREE, code)
        if name in BUILTINS:
            constants = tuple([i32_const(value) for value in immediates])
            return self._call(token, BUILTINS[name], self._import(self._layout.builtin(name)), constants)
        if name == "call":
            return self._call(token, self.functions[immediates[0]], self._direct(immediates[0]))
        if name == "call_indirect":
            return self._call_indirect(token, *immediates)
        if opcode.immediates == (Immediate.MEMARG,):
            return self._memory_access(opcode, *immediates[0])
        if opcode.params and opcode.results and not opcode.immediates:
            return self._plain(opcode)
        if opcode.immediates == (Immediate.BLOCK_TYPE,):
            return CONTROL, name, self._block_type(immediates[0])
        return CONTROL, name, immediates[0] if immediates else None

    def _block_type(self, block_type: ValueType | int | None) -> FunctionType:
        if isinstance(block_type, int):
            return self.types[block_type]
        return FunctionType((), () if block_type is None else (block_type,))

    def _plain(self, opcode: Opcode) -> Meaning:
        memo = self._isa.memo
        name = opcode.name
        if is_comparison(opcode):
            uses = [memo(use, name) for use in ("branch_if", "branch_unless", "select")]
            return COMPARE, Comparison(memo(name), *uses), len(opcode.params or ())
        if name in _SHIFTS:
            return SHIFT_LEFT, memo(name), self._scaled(name.partition(".")[0])
        return self._operation(opcode, memo(name))

    def _scaled(self, type: str) -> tuple[bytes, dict[bytes, Memo]]:
        """The token of the addition that may follow, and by constant counts the memo that does both: a scaled index."""
        memos = {}
        for count in (1, 2, 3):
            constant = BY_NAME[f"{type}.const"].encoding + bytes((count,))
            memos[constant] = self._isa.memo(f"{type}.add shifted", count)
        return BY_NAME[f"{type}.add"].encoding, memos

    def _operation(self, opcode: Opcode, memo: Memo) -> Meaning:
        assert opcode.params is not None
        assert opcode.results
        result = opcode.results[0]
        is_float = isinstance(result, ValueType) and result.code in FLOAT_CODES
        if len(opcode.params) == 1:
            return UNARY_FLOAT if is_float else UNARY, memo, None
        return BINARY_FLOAT if is_float else BINARY, memo, None

    def _memory_access(self, opcode: Opcode, memory: int, offset: int) -> Meaning:
        word = None if memory == 0 and self._guarded else self._layout.memory(memory)
        memo = self._isa.memo(opcode.name, word, offset)
        return self._operation(opcode, memo) if opcode.results else (STORE, memo, None)

    # Calls

    def _call(
        self, token: bytes, type: FunctionType, code: Any, constants: Any = (), is_indirect: bool = False
    ) -> Meaning:
        words = max(len(type.params), len(type.results))
        plan = self._isa.plan
        if words > min(len(plan.temporaries), len(plan.float_temporaries)):
            self.area_words[token] = words
        if not isinstance(code, bytes):
            self.switches.add(token)
        call = Call(type, code, self._places(type.params), self._places(type.results), constants, is_indirect)
        return CONTROL, "call", call

    def _places(self, types: Sequence[ValueType]) -> tuple[int, ...]:
        """Where a call takes arguments and leaves results of these types."""
        registers = [self._isa.plan.temporary(position, type) for position, type in enumerate(types)]
        return tuple([SLOT + n if register is None else register for n, register in enumerate(registers)])

    def _direct(self, index: int) -> bytes | Callable[[int, Operand], bytes]:
        layout = self._layout
        if index < layout.import_count:
            return self._import(layout.imported(index))
        return self._isa.call_own(layout.record(index))

    def _import(self, word: int) -> Callable[[int, Operand], bytes]:
        return lambda context_slot, _: self._isa.call_import(word, context_slot)

    def _call_indirect(self, token: bytes, type_index: int, table: int) -> Meaning:
        words = self._layout.table(table), self._layout.type_id(type_index)
        make = partial(self._isa.call_indirect, *words)
        return self._call(token, self.types[type_index], make, is_indirect=True)

    # Variables, tables, sizes

    def _nullary(self, type: ValueType, memo: Memo) -> Meaning:
        return NULLARY_FLOAT if type.code in FLOAT_CODES else NULLARY, memo, None

    def global_get(self, immediates: tuple[int, ...]) -> Meaning:
        """global.get"""
        index = immediates[0]
        memo = self._isa.memo("global.get", self._layout.variable(index))
        return self._nullary(self._globals[index].value, memo)

    def global_set(self, immediates: tuple[int, ...]) -> Meaning:
        """global.set"""
        return SINK, self._isa.memo("global.set", self._layout.variable(immediates[0])), None

    def memory_size(self, immediates: tuple[int, ...]) -> Meaning:
        """memory.size"""
        return NULLARY, self._isa.memo("memory.size", self._layout.memory(immediates[0])), None

    def table_get(self, immediates: tuple[int, ...]) -> Meaning:
        """table.get"""
        return UNARY, self._isa.memo("table.get", self._layout.table(immediates[0])), None

    def table_set(self, immediates: tuple[int, ...]) -> Meaning:
        """table.set"""
        return STORE, self._isa.memo("table.set", self._layout.table(immediates[0])), None

    def table_size(self, immediates: tuple[int, ...]) -> Meaning:
        """table.size"""
        return NULLARY, self._isa.memo("table.size", self._layout.table(immediates[0])), None

    def ref_func(self, immediates: tuple[int, ...]) -> Meaning:
        """ref.func"""
        index, layout = immediates[0], self._layout
        if index < layout.import_count:
            return NULLARY, self._isa.memo("ref.func", "import", layout.imported(index)), None
        return NULLARY, self._isa.memo("ref.func", "own", layout.record(index)), None

    def ref_is_null(self, immediates: tuple[int, ...]) -> Meaning:
        """ref.is_null: a reference is a word, and null is 0."""
        memo = self._isa.memo
        uses = [memo(use, "i64.eqz") for use in ("branch_if", "branch_unless", "select")]
        return COMPARE, Comparison(memo("i64.eqz"), *uses), 1


_BULK: Final = {"memory.copy": InstanceContext.memory_copy, "memory.fill": InstanceContext.memory_fill}
"""Done by machine code if only the first memory is concerned."""
_THREE: Final = FunctionType((ValueType.I32,) * 3, ())
_LOCAL_KINDS: Final = {
    BY_NAME[name].code: kind for name, kind in (("local.get", GET), ("local.set", SET), ("local.tee", TEE))
}
_SHIFTS: Final = ("i32.shl", "i64.shl")
_OTHER_MEMORY: Final = 0x40
"""Flag in a memarg's first byte: the index of a memory follows."""


def _access_kind(opcode: Opcode) -> int:
    if not opcode.results:
        return STORE
    result = opcode.results[0]
    return UNARY_FLOAT if isinstance(result, ValueType) and result.code in FLOAT_CODES else UNARY


_ACCESS_KINDS: Final = {
    opcode.code: (_access_kind(opcode), opcode.name)
    for opcode in OPCODES
    if opcode.immediates == (Immediate.MEMARG,) and not opcode.prefix
}
"""Loads and stores: most distinct tokens besides constants."""
_CONSTANTS: Final = frozenset(
    BY_NAME[name].code for name in ("i32.const", "i64.const", "f32.const", "f64.const", "ref.null")
)
_SPECIAL: Final = {
    "global.get": Meanings.global_get,
    "global.set": Meanings.global_set,
    "memory.size": Meanings.memory_size,
    "table.get": Meanings.table_get,
    "table.set": Meanings.table_set,
    "table.size": Meanings.table_size,
    "ref.func": Meanings.ref_func,
    "ref.is_null": Meanings.ref_is_null,
}
