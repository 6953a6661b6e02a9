"""The one opcode table: every instruction of WebAssembly 3.0 and of the threads proposal.

Decoder, validator, printer and engines derive from `OPCODES`; no second list of names or numbers exists.
Spec: binary format, "Instructions" (5.4); appendix "Index of Instructions".

Names are the text format's keywords. Where one keyword has two encodings, a word after a space tells the second from
the first: ``select t*``, ``ref.test null``, ``ref.cast null``; ``name.partition(" ")[0]`` is always the keyword.

Operands are given, bottom of the stack first, where they are the same wherever the instruction stands. An operand that
is an address, size or length is an `AddressOperand`, since the memory or table that the immediates name decides
between i32 and i64. `params` (or `results`) is None, "open", as soon as one of them depends on anything else:
declarations (locals, globals, callees, labels, element and field types), the operands below it (``select``,
``ref.as_non_null``), the nullability of a reference (``any.convert_extern``), two memories or tables at once
(``memory.copy``, ``table.copy``), or when code after it is unreachable (``br``). So ``table.grow`` has open params and
the results ``(AddressOperand.TABLE,)``. References in closed operands are supertypes: any subtype fits.

This module imports types, features and errors, and nothing else of the project.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final, TypeVar, final

from .errors import WazeroBug
from .features import CoreFeatures
from .record import record
from .types import HEAP_TYPE_NAMES, ValueType


class Immediate(Enum):
    """What follows an opcode in the binary; the value is its word in the table below.

    Indices and counts are unsigned 32-bit LEB128 numbers unless said otherwise (spec 5.4).
    """

    BLOCK_TYPE = "block"
    """0x40 (empty), a value type, or a type index as a signed 33-bit LEB128 number."""
    LABEL = "label"
    LABELS = "labels"
    """A vector of label indices and then the default label index (``br_table``)."""
    FUNC = "func"
    TYPE = "type"
    TABLE = "table"
    MEMORY = "memory"
    TAG = "tag"
    LOCAL = "local"
    GLOBAL = "global"
    ELEM = "elem"
    DATA = "data"
    FIELD = "field"
    MEMARG = "memarg"
    """Flags (bits 0 to 5: log2 of the alignment in bytes; bit 6: a memory index follows), then the offset (64-bit)."""
    I32 = "i32"
    """A signed 32-bit LEB128 number."""
    I64 = "i64"
    """A signed 64-bit LEB128 number."""
    F32 = "f32"
    """4 bytes, little endian."""
    F64 = "f64"
    """8 bytes, little endian."""
    V128 = "v128"
    """16 bytes, little endian."""
    SHUFFLE = "shuffle"
    """16 bytes, each a lane from 0 to 31."""
    LANE = "lane"
    """1 byte, below `Opcode.lanes`."""
    HEAP_TYPE = "heap"
    """A signed 33-bit LEB128 number: an abstract heap type (negative) or a type index."""
    VALUE_TYPES = "types"
    """A vector of value types."""
    CATCHES = "catches"
    """A vector of catch clauses: a byte (0 ``catch``, 1 ``catch_ref``, 2 ``catch_all``, 3 ``catch_all_ref``), the tag
    index for 0 and 1, and the label index."""
    CAST_FLAGS = "cast"
    """1 byte; bit 0: the type cast from is nullable; bit 1: the type cast to is."""
    COUNT = "count"
    """How many operands there are (``array.new_fixed``)."""
    ZERO_BYTE = "zero"
    """1 byte that must be 0."""


class AddressOperand(Enum):
    """An operand of the address type, i32 or i64, of what the immediates name; the value is its word in the table."""

    MEMORY = "addr"
    """Of the memory that the MEMARG or MEMORY immediate names."""
    TABLE = "index"
    """Of the table that the TABLE immediate names."""


Operand = ValueType | AddressOperand


@final
@record
class Opcode:
    """One instruction: a row of the table (spec 5.4). None for `params` or `results` means open; see the module."""

    name: str
    prefix: int
    """The byte before `code`, 0xFB to 0xFE; 0 for an instruction of one byte."""
    code: int
    """The byte, or after a prefix the number that follows it as LEB128."""
    immediates: tuple[Immediate, ...]
    """In binary order, which may differ from the text format's."""
    params: tuple[Operand, ...] | None
    results: tuple[Operand, ...] | None
    feature: CoreFeatures
    """The proposal that introduced it; empty for WebAssembly 1.0."""
    natural_alignment: int = 0
    """log2 of the bytes accessed, with MEMARG: the greatest alignment allowed, for atomics the only one."""
    lanes: int = 0
    """How many lanes there are to choose from, with LANE."""

    @property
    def encoding(self) -> bytes:
        """The bytes of the opcode itself, without immediates, in their shortest form."""
        if not self.prefix:
            return bytes((self.code,))
        if self.code < 0x80:
            return bytes((self.prefix, self.code))
        return bytes((self.prefix, self.code & 0x7F | 0x80, self.code >> 7))


_Row = tuple[str, int, str, str, str]

# A group: prefix (0: none), feature, rows in the order of their codes. The columns of a row:
#   name        text-format keyword
#   code        the byte, or the number after the prefix
#   immediates  words of `Immediate`; memarg:N has natural alignment 2**N bytes, lane:N chooses from N lanes
#   params      operands, bottom of the stack first
#   results     the same; both in these words:
#                 i32 i64 f32 f64 v128   that type
#                 addr index             an `AddressOperand`
#                 eq exn ...             nullable reference to that abstract heap type; (i31): not nullable
#                 ?                      open
# fmt: off
_GROUPS: Final[tuple[tuple[int, CoreFeatures, tuple[_Row, ...]], ...]] = (
    # WebAssembly 1.0
    (0, CoreFeatures(0), (
        ("unreachable",         0x00, "",           "",         "?"),
        ("nop",                 0x01, "",           "",         ""),
        ("block",               0x02, "block",      "?",        "?"),
        ("loop",                0x03, "block",      "?",        "?"),
        ("if",                  0x04, "block",      "?",        "?"),
        ("else",                0x05, "",           "?",        "?"),
        ("end",                 0x0B, "",           "?",        "?"),
        ("br",                  0x0C, "label",      "?",        "?"),
        ("br_if",               0x0D, "label",      "?",        "?"),
        ("br_table",            0x0E, "labels",     "?",        "?"),
        ("return",              0x0F, "",           "?",        "?"),
        ("call",                0x10, "func",       "?",        "?"),
        ("call_indirect",       0x11, "type table", "?",        "?"),
        ("drop",                0x1A, "",           "?",        ""),
        ("select",              0x1B, "",           "?",        "?"),
        ("local.get",           0x20, "local",      "",         "?"),
        ("local.set",           0x21, "local",      "?",        ""),
        ("local.tee",           0x22, "local",      "?",        "?"),
        ("global.get",          0x23, "global",     "",         "?"),
        ("global.set",          0x24, "global",     "?",        ""),
        ("i32.load",            0x28, "memarg:2",   "addr",     "i32"),
        ("i64.load",            0x29, "memarg:3",   "addr",     "i64"),
        ("f32.load",            0x2A, "memarg:2",   "addr",     "f32"),
        ("f64.load",            0x2B, "memarg:3",   "addr",     "f64"),
        ("i32.load8_s",         0x2C, "memarg:0",   "addr",     "i32"),
        ("i32.load8_u",         0x2D, "memarg:0",   "addr",     "i32"),
        ("i32.load16_s",        0x2E, "memarg:1",   "addr",     "i32"),
        ("i32.load16_u",        0x2F, "memarg:1",   "addr",     "i32"),
        ("i64.load8_s",         0x30, "memarg:0",   "addr",     "i64"),
        ("i64.load8_u",         0x31, "memarg:0",   "addr",     "i64"),
        ("i64.load16_s",        0x32, "memarg:1",   "addr",     "i64"),
        ("i64.load16_u",        0x33, "memarg:1",   "addr",     "i64"),
        ("i64.load32_s",        0x34, "memarg:2",   "addr",     "i64"),
        ("i64.load32_u",        0x35, "memarg:2",   "addr",     "i64"),
        ("i32.store",           0x36, "memarg:2",   "addr i32", ""),
        ("i64.store",           0x37, "memarg:3",   "addr i64", ""),
        ("f32.store",           0x38, "memarg:2",   "addr f32", ""),
        ("f64.store",           0x39, "memarg:3",   "addr f64", ""),
        ("i32.store8",          0x3A, "memarg:0",   "addr i32", ""),
        ("i32.store16",         0x3B, "memarg:1",   "addr i32", ""),
        ("i64.store8",          0x3C, "memarg:0",   "addr i64", ""),
        ("i64.store16",         0x3D, "memarg:1",   "addr i64", ""),
        ("i64.store32",         0x3E, "memarg:2",   "addr i64", ""),
        ("memory.size",         0x3F, "memory",     "",         "addr"),
        ("memory.grow",         0x40, "memory",     "addr",     "addr"),
        ("i32.const",           0x41, "i32",        "",         "i32"),
        ("i64.const",           0x42, "i64",        "",         "i64"),
        ("f32.const",           0x43, "f32",        "",         "f32"),
        ("f64.const",           0x44, "f64",        "",         "f64"),
        ("i32.eqz",             0x45, "",           "i32",      "i32"),
        ("i32.eq",              0x46, "",           "i32 i32",  "i32"),
        ("i32.ne",              0x47, "",           "i32 i32",  "i32"),
        ("i32.lt_s",            0x48, "",           "i32 i32",  "i32"),
        ("i32.lt_u",            0x49, "",           "i32 i32",  "i32"),
        ("i32.gt_s",            0x4A, "",           "i32 i32",  "i32"),
        ("i32.gt_u",            0x4B, "",           "i32 i32",  "i32"),
        ("i32.le_s",            0x4C, "",           "i32 i32",  "i32"),
        ("i32.le_u",            0x4D, "",           "i32 i32",  "i32"),
        ("i32.ge_s",            0x4E, "",           "i32 i32",  "i32"),
        ("i32.ge_u",            0x4F, "",           "i32 i32",  "i32"),
        ("i64.eqz",             0x50, "",           "i64",      "i32"),
        ("i64.eq",              0x51, "",           "i64 i64",  "i32"),
        ("i64.ne",              0x52, "",           "i64 i64",  "i32"),
        ("i64.lt_s",            0x53, "",           "i64 i64",  "i32"),
        ("i64.lt_u",            0x54, "",           "i64 i64",  "i32"),
        ("i64.gt_s",            0x55, "",           "i64 i64",  "i32"),
        ("i64.gt_u",            0x56, "",           "i64 i64",  "i32"),
        ("i64.le_s",            0x57, "",           "i64 i64",  "i32"),
        ("i64.le_u",            0x58, "",           "i64 i64",  "i32"),
        ("i64.ge_s",            0x59, "",           "i64 i64",  "i32"),
        ("i64.ge_u",            0x5A, "",           "i64 i64",  "i32"),
        ("f32.eq",              0x5B, "",           "f32 f32",  "i32"),
        ("f32.ne",              0x5C, "",           "f32 f32",  "i32"),
        ("f32.lt",              0x5D, "",           "f32 f32",  "i32"),
        ("f32.gt",              0x5E, "",           "f32 f32",  "i32"),
        ("f32.le",              0x5F, "",           "f32 f32",  "i32"),
        ("f32.ge",              0x60, "",           "f32 f32",  "i32"),
        ("f64.eq",              0x61, "",           "f64 f64",  "i32"),
        ("f64.ne",              0x62, "",           "f64 f64",  "i32"),
        ("f64.lt",              0x63, "",           "f64 f64",  "i32"),
        ("f64.gt",              0x64, "",           "f64 f64",  "i32"),
        ("f64.le",              0x65, "",           "f64 f64",  "i32"),
        ("f64.ge",              0x66, "",           "f64 f64",  "i32"),
        ("i32.clz",             0x67, "",           "i32",      "i32"),
        ("i32.ctz",             0x68, "",           "i32",      "i32"),
        ("i32.popcnt",          0x69, "",           "i32",      "i32"),
        ("i32.add",             0x6A, "",           "i32 i32",  "i32"),
        ("i32.sub",             0x6B, "",           "i32 i32",  "i32"),
        ("i32.mul",             0x6C, "",           "i32 i32",  "i32"),
        ("i32.div_s",           0x6D, "",           "i32 i32",  "i32"),
        ("i32.div_u",           0x6E, "",           "i32 i32",  "i32"),
        ("i32.rem_s",           0x6F, "",           "i32 i32",  "i32"),
        ("i32.rem_u",           0x70, "",           "i32 i32",  "i32"),
        ("i32.and",             0x71, "",           "i32 i32",  "i32"),
        ("i32.or",              0x72, "",           "i32 i32",  "i32"),
        ("i32.xor",             0x73, "",           "i32 i32",  "i32"),
        ("i32.shl",             0x74, "",           "i32 i32",  "i32"),
        ("i32.shr_s",           0x75, "",           "i32 i32",  "i32"),
        ("i32.shr_u",           0x76, "",           "i32 i32",  "i32"),
        ("i32.rotl",            0x77, "",           "i32 i32",  "i32"),
        ("i32.rotr",            0x78, "",           "i32 i32",  "i32"),
        ("i64.clz",             0x79, "",           "i64",      "i64"),
        ("i64.ctz",             0x7A, "",           "i64",      "i64"),
        ("i64.popcnt",          0x7B, "",           "i64",      "i64"),
        ("i64.add",             0x7C, "",           "i64 i64",  "i64"),
        ("i64.sub",             0x7D, "",           "i64 i64",  "i64"),
        ("i64.mul",             0x7E, "",           "i64 i64",  "i64"),
        ("i64.div_s",           0x7F, "",           "i64 i64",  "i64"),
        ("i64.div_u",           0x80, "",           "i64 i64",  "i64"),
        ("i64.rem_s",           0x81, "",           "i64 i64",  "i64"),
        ("i64.rem_u",           0x82, "",           "i64 i64",  "i64"),
        ("i64.and",             0x83, "",           "i64 i64",  "i64"),
        ("i64.or",              0x84, "",           "i64 i64",  "i64"),
        ("i64.xor",             0x85, "",           "i64 i64",  "i64"),
        ("i64.shl",             0x86, "",           "i64 i64",  "i64"),
        ("i64.shr_s",           0x87, "",           "i64 i64",  "i64"),
        ("i64.shr_u",           0x88, "",           "i64 i64",  "i64"),
        ("i64.rotl",            0x89, "",           "i64 i64",  "i64"),
        ("i64.rotr",            0x8A, "",           "i64 i64",  "i64"),
        ("f32.abs",             0x8B, "",           "f32",      "f32"),
        ("f32.neg",             0x8C, "",           "f32",      "f32"),
        ("f32.ceil",            0x8D, "",           "f32",      "f32"),
        ("f32.floor",           0x8E, "",           "f32",      "f32"),
        ("f32.trunc",           0x8F, "",           "f32",      "f32"),
        ("f32.nearest",         0x90, "",           "f32",      "f32"),
        ("f32.sqrt",            0x91, "",           "f32",      "f32"),
        ("f32.add",             0x92, "",           "f32 f32",  "f32"),
        ("f32.sub",             0x93, "",           "f32 f32",  "f32"),
        ("f32.mul",             0x94, "",           "f32 f32",  "f32"),
        ("f32.div",             0x95, "",           "f32 f32",  "f32"),
        ("f32.min",             0x96, "",           "f32 f32",  "f32"),
        ("f32.max",             0x97, "",           "f32 f32",  "f32"),
        ("f32.copysign",        0x98, "",           "f32 f32",  "f32"),
        ("f64.abs",             0x99, "",           "f64",      "f64"),
        ("f64.neg",             0x9A, "",           "f64",      "f64"),
        ("f64.ceil",            0x9B, "",           "f64",      "f64"),
        ("f64.floor",           0x9C, "",           "f64",      "f64"),
        ("f64.trunc",           0x9D, "",           "f64",      "f64"),
        ("f64.nearest",         0x9E, "",           "f64",      "f64"),
        ("f64.sqrt",            0x9F, "",           "f64",      "f64"),
        ("f64.add",             0xA0, "",           "f64 f64",  "f64"),
        ("f64.sub",             0xA1, "",           "f64 f64",  "f64"),
        ("f64.mul",             0xA2, "",           "f64 f64",  "f64"),
        ("f64.div",             0xA3, "",           "f64 f64",  "f64"),
        ("f64.min",             0xA4, "",           "f64 f64",  "f64"),
        ("f64.max",             0xA5, "",           "f64 f64",  "f64"),
        ("f64.copysign",        0xA6, "",           "f64 f64",  "f64"),
        ("i32.wrap_i64",        0xA7, "",           "i64",      "i32"),
        ("i32.trunc_f32_s",     0xA8, "",           "f32",      "i32"),
        ("i32.trunc_f32_u",     0xA9, "",           "f32",      "i32"),
        ("i32.trunc_f64_s",     0xAA, "",           "f64",      "i32"),
        ("i32.trunc_f64_u",     0xAB, "",           "f64",      "i32"),
        ("i64.extend_i32_s",    0xAC, "",           "i32",      "i64"),
        ("i64.extend_i32_u",    0xAD, "",           "i32",      "i64"),
        ("i64.trunc_f32_s",     0xAE, "",           "f32",      "i64"),
        ("i64.trunc_f32_u",     0xAF, "",           "f32",      "i64"),
        ("i64.trunc_f64_s",     0xB0, "",           "f64",      "i64"),
        ("i64.trunc_f64_u",     0xB1, "",           "f64",      "i64"),
        ("f32.convert_i32_s",   0xB2, "",           "i32",      "f32"),
        ("f32.convert_i32_u",   0xB3, "",           "i32",      "f32"),
        ("f32.convert_i64_s",   0xB4, "",           "i64",      "f32"),
        ("f32.convert_i64_u",   0xB5, "",           "i64",      "f32"),
        ("f32.demote_f64",      0xB6, "",           "f64",      "f32"),
        ("f64.convert_i32_s",   0xB7, "",           "i32",      "f64"),
        ("f64.convert_i32_u",   0xB8, "",           "i32",      "f64"),
        ("f64.convert_i64_s",   0xB9, "",           "i64",      "f64"),
        ("f64.convert_i64_u",   0xBA, "",           "i64",      "f64"),
        ("f64.promote_f32",     0xBB, "",           "f32",      "f64"),
        ("i32.reinterpret_f32", 0xBC, "",           "f32",      "i32"),
        ("i64.reinterpret_f64", 0xBD, "",           "f64",      "i64"),
        ("f32.reinterpret_i32", 0xBE, "",           "i32",      "f32"),
        ("f64.reinterpret_i64", 0xBF, "",           "i64",      "f64"),
    )),
    # Sign extension
    (0, CoreFeatures.SIGN_EXTENSION_OPS, (
        ("i32.extend8_s",  0xC0, "", "i32", "i32"),
        ("i32.extend16_s", 0xC1, "", "i32", "i32"),
        ("i64.extend8_s",  0xC2, "", "i64", "i64"),
        ("i64.extend16_s", 0xC3, "", "i64", "i64"),
        ("i64.extend32_s", 0xC4, "", "i64", "i64"),
    )),
    # Saturating truncation
    (0xFC, CoreFeatures.NON_TRAPPING_FLOAT_TO_INT_CONVERSION, (
        ("i32.trunc_sat_f32_s", 0x00, "", "f32", "i32"),
        ("i32.trunc_sat_f32_u", 0x01, "", "f32", "i32"),
        ("i32.trunc_sat_f64_s", 0x02, "", "f64", "i32"),
        ("i32.trunc_sat_f64_u", 0x03, "", "f64", "i32"),
        ("i64.trunc_sat_f32_s", 0x04, "", "f32", "i64"),
        ("i64.trunc_sat_f32_u", 0x05, "", "f32", "i64"),
        ("i64.trunc_sat_f64_s", 0x06, "", "f64", "i64"),
        ("i64.trunc_sat_f64_u", 0x07, "", "f64", "i64"),
    )),
    # Bulk memory
    (0xFC, CoreFeatures.BULK_MEMORY_OPERATIONS, (
        ("memory.init", 0x08, "data memory",   "addr i32 i32",  ""),
        ("data.drop",   0x09, "data",          "",              ""),
        ("memory.copy", 0x0A, "memory memory", "?",             ""),
        ("memory.fill", 0x0B, "memory",        "addr i32 addr", ""),
        ("table.init",  0x0C, "elem table",    "index i32 i32", ""),
        ("elem.drop",   0x0D, "elem",          "",              ""),
        ("table.copy",  0x0E, "table table",   "?",             ""),
    )),
    # Reference types
    (0, CoreFeatures.REFERENCE_TYPES, (
        ("select t*",   0x1C, "types", "?",     "?"),
        ("table.get",   0x25, "table", "index", "?"),
        ("table.set",   0x26, "table", "?",     ""),
        ("ref.null",    0xD0, "heap",  "",      "?"),
        ("ref.is_null", 0xD1, "",      "?",     "i32"),
        ("ref.func",    0xD2, "func",  "",      "?"),
    )),
    # Reference types
    (0xFC, CoreFeatures.REFERENCE_TYPES, (
        ("table.grow", 0x0F, "table", "?", "index"),
        ("table.size", 0x10, "table", "",  "index"),
        ("table.fill", 0x11, "table", "?", ""),
    )),
    # Tail calls
    (0, CoreFeatures.TAIL_CALL, (
        ("return_call",          0x12, "func",       "?", "?"),
        ("return_call_indirect", 0x13, "type table", "?", "?"),
    )),
    # Typed function references
    (0, CoreFeatures.TYPED_FUNCTION_REFERENCES, (
        ("call_ref",        0x14, "type",  "?", "?"),
        ("return_call_ref", 0x15, "type",  "?", "?"),
        ("ref.as_non_null", 0xD4, "",      "?", "?"),
        ("br_on_null",      0xD5, "label", "?", "?"),
        ("br_on_non_null",  0xD6, "label", "?", "?"),
    )),
    # Exception handling
    (0, CoreFeatures.EXCEPTION_HANDLING, (
        ("throw",     0x08, "tag",           "?",   "?"),
        ("throw_ref", 0x0A, "",              "exn", "?"),
        ("try_table", 0x1F, "block catches", "?",   "?"),
    )),
    # Garbage collection
    (0, CoreFeatures.GC, (
        ("ref.eq", 0xD3, "", "eq eq", "i32"),
    )),
    # Garbage collection
    (0xFB, CoreFeatures.GC, (
        ("struct.new",         0x00, "type",                 "?",       "?"),
        ("struct.new_default", 0x01, "type",                 "",        "?"),
        ("struct.get",         0x02, "type field",           "?",       "?"),
        ("struct.get_s",       0x03, "type field",           "?",       "i32"),
        ("struct.get_u",       0x04, "type field",           "?",       "i32"),
        ("struct.set",         0x05, "type field",           "?",       ""),
        ("array.new",          0x06, "type",                 "?",       "?"),
        ("array.new_default",  0x07, "type",                 "i32",     "?"),
        ("array.new_fixed",    0x08, "type count",           "?",       "?"),
        ("array.new_data",     0x09, "type data",            "i32 i32", "?"),
        ("array.new_elem",     0x0A, "type elem",            "i32 i32", "?"),
        ("array.get",          0x0B, "type",                 "?",       "?"),
        ("array.get_s",        0x0C, "type",                 "?",       "i32"),
        ("array.get_u",        0x0D, "type",                 "?",       "i32"),
        ("array.set",          0x0E, "type",                 "?",       ""),
        ("array.len",          0x0F, "",                     "array",   "i32"),
        ("array.fill",         0x10, "type",                 "?",       ""),
        ("array.copy",         0x11, "type type",            "?",       ""),
        ("array.init_data",    0x12, "type data",            "?",       ""),
        ("array.init_elem",    0x13, "type elem",            "?",       ""),
        ("ref.test",           0x14, "heap",                 "?",       "i32"),
        ("ref.test null",      0x15, "heap",                 "?",       "i32"),
        ("ref.cast",           0x16, "heap",                 "?",       "?"),
        ("ref.cast null",      0x17, "heap",                 "?",       "?"),
        ("br_on_cast",         0x18, "cast label heap heap", "?",       "?"),
        ("br_on_cast_fail",    0x19, "cast label heap heap", "?",       "?"),
        ("any.convert_extern", 0x1A, "",                     "?",       "?"),
        ("extern.convert_any", 0x1B, "",                     "?",       "?"),
        ("ref.i31",            0x1C, "",                     "i32",     "(i31)"),
        ("i31.get_s",          0x1D, "",                     "i31",     "i32"),
        ("i31.get_u",          0x1E, "",                     "i31",     "i32"),
    )),
    # SIMD
    (0xFD, CoreFeatures.SIMD, (
        ("v128.load",                     0x00, "memarg:4",         "addr",           "v128"),
        ("v128.load8x8_s",                0x01, "memarg:3",         "addr",           "v128"),
        ("v128.load8x8_u",                0x02, "memarg:3",         "addr",           "v128"),
        ("v128.load16x4_s",               0x03, "memarg:3",         "addr",           "v128"),
        ("v128.load16x4_u",               0x04, "memarg:3",         "addr",           "v128"),
        ("v128.load32x2_s",               0x05, "memarg:3",         "addr",           "v128"),
        ("v128.load32x2_u",               0x06, "memarg:3",         "addr",           "v128"),
        ("v128.load8_splat",              0x07, "memarg:0",         "addr",           "v128"),
        ("v128.load16_splat",             0x08, "memarg:1",         "addr",           "v128"),
        ("v128.load32_splat",             0x09, "memarg:2",         "addr",           "v128"),
        ("v128.load64_splat",             0x0A, "memarg:3",         "addr",           "v128"),
        ("v128.store",                    0x0B, "memarg:4",         "addr v128",      ""),
        ("v128.const",                    0x0C, "v128",             "",               "v128"),
        ("i8x16.shuffle",                 0x0D, "shuffle",          "v128 v128",      "v128"),
        ("i8x16.swizzle",                 0x0E, "",                 "v128 v128",      "v128"),
        ("i8x16.splat",                   0x0F, "",                 "i32",            "v128"),
        ("i16x8.splat",                   0x10, "",                 "i32",            "v128"),
        ("i32x4.splat",                   0x11, "",                 "i32",            "v128"),
        ("i64x2.splat",                   0x12, "",                 "i64",            "v128"),
        ("f32x4.splat",                   0x13, "",                 "f32",            "v128"),
        ("f64x2.splat",                   0x14, "",                 "f64",            "v128"),
        ("i8x16.extract_lane_s",          0x15, "lane:16",          "v128",           "i32"),
        ("i8x16.extract_lane_u",          0x16, "lane:16",          "v128",           "i32"),
        ("i8x16.replace_lane",            0x17, "lane:16",          "v128 i32",       "v128"),
        ("i16x8.extract_lane_s",          0x18, "lane:8",           "v128",           "i32"),
        ("i16x8.extract_lane_u",          0x19, "lane:8",           "v128",           "i32"),
        ("i16x8.replace_lane",            0x1A, "lane:8",           "v128 i32",       "v128"),
        ("i32x4.extract_lane",            0x1B, "lane:4",           "v128",           "i32"),
        ("i32x4.replace_lane",            0x1C, "lane:4",           "v128 i32",       "v128"),
        ("i64x2.extract_lane",            0x1D, "lane:2",           "v128",           "i64"),
        ("i64x2.replace_lane",            0x1E, "lane:2",           "v128 i64",       "v128"),
        ("f32x4.extract_lane",            0x1F, "lane:4",           "v128",           "f32"),
        ("f32x4.replace_lane",            0x20, "lane:4",           "v128 f32",       "v128"),
        ("f64x2.extract_lane",            0x21, "lane:2",           "v128",           "f64"),
        ("f64x2.replace_lane",            0x22, "lane:2",           "v128 f64",       "v128"),
        ("i8x16.eq",                      0x23, "",                 "v128 v128",      "v128"),
        ("i8x16.ne",                      0x24, "",                 "v128 v128",      "v128"),
        ("i8x16.lt_s",                    0x25, "",                 "v128 v128",      "v128"),
        ("i8x16.lt_u",                    0x26, "",                 "v128 v128",      "v128"),
        ("i8x16.gt_s",                    0x27, "",                 "v128 v128",      "v128"),
        ("i8x16.gt_u",                    0x28, "",                 "v128 v128",      "v128"),
        ("i8x16.le_s",                    0x29, "",                 "v128 v128",      "v128"),
        ("i8x16.le_u",                    0x2A, "",                 "v128 v128",      "v128"),
        ("i8x16.ge_s",                    0x2B, "",                 "v128 v128",      "v128"),
        ("i8x16.ge_u",                    0x2C, "",                 "v128 v128",      "v128"),
        ("i16x8.eq",                      0x2D, "",                 "v128 v128",      "v128"),
        ("i16x8.ne",                      0x2E, "",                 "v128 v128",      "v128"),
        ("i16x8.lt_s",                    0x2F, "",                 "v128 v128",      "v128"),
        ("i16x8.lt_u",                    0x30, "",                 "v128 v128",      "v128"),
        ("i16x8.gt_s",                    0x31, "",                 "v128 v128",      "v128"),
        ("i16x8.gt_u",                    0x32, "",                 "v128 v128",      "v128"),
        ("i16x8.le_s",                    0x33, "",                 "v128 v128",      "v128"),
        ("i16x8.le_u",                    0x34, "",                 "v128 v128",      "v128"),
        ("i16x8.ge_s",                    0x35, "",                 "v128 v128",      "v128"),
        ("i16x8.ge_u",                    0x36, "",                 "v128 v128",      "v128"),
        ("i32x4.eq",                      0x37, "",                 "v128 v128",      "v128"),
        ("i32x4.ne",                      0x38, "",                 "v128 v128",      "v128"),
        ("i32x4.lt_s",                    0x39, "",                 "v128 v128",      "v128"),
        ("i32x4.lt_u",                    0x3A, "",                 "v128 v128",      "v128"),
        ("i32x4.gt_s",                    0x3B, "",                 "v128 v128",      "v128"),
        ("i32x4.gt_u",                    0x3C, "",                 "v128 v128",      "v128"),
        ("i32x4.le_s",                    0x3D, "",                 "v128 v128",      "v128"),
        ("i32x4.le_u",                    0x3E, "",                 "v128 v128",      "v128"),
        ("i32x4.ge_s",                    0x3F, "",                 "v128 v128",      "v128"),
        ("i32x4.ge_u",                    0x40, "",                 "v128 v128",      "v128"),
        ("f32x4.eq",                      0x41, "",                 "v128 v128",      "v128"),
        ("f32x4.ne",                      0x42, "",                 "v128 v128",      "v128"),
        ("f32x4.lt",                      0x43, "",                 "v128 v128",      "v128"),
        ("f32x4.gt",                      0x44, "",                 "v128 v128",      "v128"),
        ("f32x4.le",                      0x45, "",                 "v128 v128",      "v128"),
        ("f32x4.ge",                      0x46, "",                 "v128 v128",      "v128"),
        ("f64x2.eq",                      0x47, "",                 "v128 v128",      "v128"),
        ("f64x2.ne",                      0x48, "",                 "v128 v128",      "v128"),
        ("f64x2.lt",                      0x49, "",                 "v128 v128",      "v128"),
        ("f64x2.gt",                      0x4A, "",                 "v128 v128",      "v128"),
        ("f64x2.le",                      0x4B, "",                 "v128 v128",      "v128"),
        ("f64x2.ge",                      0x4C, "",                 "v128 v128",      "v128"),
        ("v128.not",                      0x4D, "",                 "v128",           "v128"),
        ("v128.and",                      0x4E, "",                 "v128 v128",      "v128"),
        ("v128.andnot",                   0x4F, "",                 "v128 v128",      "v128"),
        ("v128.or",                       0x50, "",                 "v128 v128",      "v128"),
        ("v128.xor",                      0x51, "",                 "v128 v128",      "v128"),
        ("v128.bitselect",                0x52, "",                 "v128 v128 v128", "v128"),
        ("v128.any_true",                 0x53, "",                 "v128",           "i32"),
        ("v128.load8_lane",               0x54, "memarg:0 lane:16", "addr v128",      "v128"),
        ("v128.load16_lane",              0x55, "memarg:1 lane:8",  "addr v128",      "v128"),
        ("v128.load32_lane",              0x56, "memarg:2 lane:4",  "addr v128",      "v128"),
        ("v128.load64_lane",              0x57, "memarg:3 lane:2",  "addr v128",      "v128"),
        ("v128.store8_lane",              0x58, "memarg:0 lane:16", "addr v128",      ""),
        ("v128.store16_lane",             0x59, "memarg:1 lane:8",  "addr v128",      ""),
        ("v128.store32_lane",             0x5A, "memarg:2 lane:4",  "addr v128",      ""),
        ("v128.store64_lane",             0x5B, "memarg:3 lane:2",  "addr v128",      ""),
        ("v128.load32_zero",              0x5C, "memarg:2",         "addr",           "v128"),
        ("v128.load64_zero",              0x5D, "memarg:3",         "addr",           "v128"),
        ("f32x4.demote_f64x2_zero",       0x5E, "",                 "v128",           "v128"),
        ("f64x2.promote_low_f32x4",       0x5F, "",                 "v128",           "v128"),
        ("i8x16.abs",                     0x60, "",                 "v128",           "v128"),
        ("i8x16.neg",                     0x61, "",                 "v128",           "v128"),
        ("i8x16.popcnt",                  0x62, "",                 "v128",           "v128"),
        ("i8x16.all_true",                0x63, "",                 "v128",           "i32"),
        ("i8x16.bitmask",                 0x64, "",                 "v128",           "i32"),
        ("i8x16.narrow_i16x8_s",          0x65, "",                 "v128 v128",      "v128"),
        ("i8x16.narrow_i16x8_u",          0x66, "",                 "v128 v128",      "v128"),
        ("f32x4.ceil",                    0x67, "",                 "v128",           "v128"),
        ("f32x4.floor",                   0x68, "",                 "v128",           "v128"),
        ("f32x4.trunc",                   0x69, "",                 "v128",           "v128"),
        ("f32x4.nearest",                 0x6A, "",                 "v128",           "v128"),
        ("i8x16.shl",                     0x6B, "",                 "v128 i32",       "v128"),
        ("i8x16.shr_s",                   0x6C, "",                 "v128 i32",       "v128"),
        ("i8x16.shr_u",                   0x6D, "",                 "v128 i32",       "v128"),
        ("i8x16.add",                     0x6E, "",                 "v128 v128",      "v128"),
        ("i8x16.add_sat_s",               0x6F, "",                 "v128 v128",      "v128"),
        ("i8x16.add_sat_u",               0x70, "",                 "v128 v128",      "v128"),
        ("i8x16.sub",                     0x71, "",                 "v128 v128",      "v128"),
        ("i8x16.sub_sat_s",               0x72, "",                 "v128 v128",      "v128"),
        ("i8x16.sub_sat_u",               0x73, "",                 "v128 v128",      "v128"),
        ("f64x2.ceil",                    0x74, "",                 "v128",           "v128"),
        ("f64x2.floor",                   0x75, "",                 "v128",           "v128"),
        ("i8x16.min_s",                   0x76, "",                 "v128 v128",      "v128"),
        ("i8x16.min_u",                   0x77, "",                 "v128 v128",      "v128"),
        ("i8x16.max_s",                   0x78, "",                 "v128 v128",      "v128"),
        ("i8x16.max_u",                   0x79, "",                 "v128 v128",      "v128"),
        ("f64x2.trunc",                   0x7A, "",                 "v128",           "v128"),
        ("i8x16.avgr_u",                  0x7B, "",                 "v128 v128",      "v128"),
        ("i16x8.extadd_pairwise_i8x16_s", 0x7C, "",                 "v128",           "v128"),
        ("i16x8.extadd_pairwise_i8x16_u", 0x7D, "",                 "v128",           "v128"),
        ("i32x4.extadd_pairwise_i16x8_s", 0x7E, "",                 "v128",           "v128"),
        ("i32x4.extadd_pairwise_i16x8_u", 0x7F, "",                 "v128",           "v128"),
        ("i16x8.abs",                     0x80, "",                 "v128",           "v128"),
        ("i16x8.neg",                     0x81, "",                 "v128",           "v128"),
        ("i16x8.q15mulr_sat_s",           0x82, "",                 "v128 v128",      "v128"),
        ("i16x8.all_true",                0x83, "",                 "v128",           "i32"),
        ("i16x8.bitmask",                 0x84, "",                 "v128",           "i32"),
        ("i16x8.narrow_i32x4_s",          0x85, "",                 "v128 v128",      "v128"),
        ("i16x8.narrow_i32x4_u",          0x86, "",                 "v128 v128",      "v128"),
        ("i16x8.extend_low_i8x16_s",      0x87, "",                 "v128",           "v128"),
        ("i16x8.extend_high_i8x16_s",     0x88, "",                 "v128",           "v128"),
        ("i16x8.extend_low_i8x16_u",      0x89, "",                 "v128",           "v128"),
        ("i16x8.extend_high_i8x16_u",     0x8A, "",                 "v128",           "v128"),
        ("i16x8.shl",                     0x8B, "",                 "v128 i32",       "v128"),
        ("i16x8.shr_s",                   0x8C, "",                 "v128 i32",       "v128"),
        ("i16x8.shr_u",                   0x8D, "",                 "v128 i32",       "v128"),
        ("i16x8.add",                     0x8E, "",                 "v128 v128",      "v128"),
        ("i16x8.add_sat_s",               0x8F, "",                 "v128 v128",      "v128"),
        ("i16x8.add_sat_u",               0x90, "",                 "v128 v128",      "v128"),
        ("i16x8.sub",                     0x91, "",                 "v128 v128",      "v128"),
        ("i16x8.sub_sat_s",               0x92, "",                 "v128 v128",      "v128"),
        ("i16x8.sub_sat_u",               0x93, "",                 "v128 v128",      "v128"),
        ("f64x2.nearest",                 0x94, "",                 "v128",           "v128"),
        ("i16x8.mul",                     0x95, "",                 "v128 v128",      "v128"),
        ("i16x8.min_s",                   0x96, "",                 "v128 v128",      "v128"),
        ("i16x8.min_u",                   0x97, "",                 "v128 v128",      "v128"),
        ("i16x8.max_s",                   0x98, "",                 "v128 v128",      "v128"),
        ("i16x8.max_u",                   0x99, "",                 "v128 v128",      "v128"),
        ("i16x8.avgr_u",                  0x9B, "",                 "v128 v128",      "v128"),
        ("i16x8.extmul_low_i8x16_s",      0x9C, "",                 "v128 v128",      "v128"),
        ("i16x8.extmul_high_i8x16_s",     0x9D, "",                 "v128 v128",      "v128"),
        ("i16x8.extmul_low_i8x16_u",      0x9E, "",                 "v128 v128",      "v128"),
        ("i16x8.extmul_high_i8x16_u",     0x9F, "",                 "v128 v128",      "v128"),
        ("i32x4.abs",                     0xA0, "",                 "v128",           "v128"),
        ("i32x4.neg",                     0xA1, "",                 "v128",           "v128"),
        ("i32x4.all_true",                0xA3, "",                 "v128",           "i32"),
        ("i32x4.bitmask",                 0xA4, "",                 "v128",           "i32"),
        ("i32x4.extend_low_i16x8_s",      0xA7, "",                 "v128",           "v128"),
        ("i32x4.extend_high_i16x8_s",     0xA8, "",                 "v128",           "v128"),
        ("i32x4.extend_low_i16x8_u",      0xA9, "",                 "v128",           "v128"),
        ("i32x4.extend_high_i16x8_u",     0xAA, "",                 "v128",           "v128"),
        ("i32x4.shl",                     0xAB, "",                 "v128 i32",       "v128"),
        ("i32x4.shr_s",                   0xAC, "",                 "v128 i32",       "v128"),
        ("i32x4.shr_u",                   0xAD, "",                 "v128 i32",       "v128"),
        ("i32x4.add",                     0xAE, "",                 "v128 v128",      "v128"),
        ("i32x4.sub",                     0xB1, "",                 "v128 v128",      "v128"),
        ("i32x4.mul",                     0xB5, "",                 "v128 v128",      "v128"),
        ("i32x4.min_s",                   0xB6, "",                 "v128 v128",      "v128"),
        ("i32x4.min_u",                   0xB7, "",                 "v128 v128",      "v128"),
        ("i32x4.max_s",                   0xB8, "",                 "v128 v128",      "v128"),
        ("i32x4.max_u",                   0xB9, "",                 "v128 v128",      "v128"),
        ("i32x4.dot_i16x8_s",             0xBA, "",                 "v128 v128",      "v128"),
        ("i32x4.extmul_low_i16x8_s",      0xBC, "",                 "v128 v128",      "v128"),
        ("i32x4.extmul_high_i16x8_s",     0xBD, "",                 "v128 v128",      "v128"),
        ("i32x4.extmul_low_i16x8_u",      0xBE, "",                 "v128 v128",      "v128"),
        ("i32x4.extmul_high_i16x8_u",     0xBF, "",                 "v128 v128",      "v128"),
        ("i64x2.abs",                     0xC0, "",                 "v128",           "v128"),
        ("i64x2.neg",                     0xC1, "",                 "v128",           "v128"),
        ("i64x2.all_true",                0xC3, "",                 "v128",           "i32"),
        ("i64x2.bitmask",                 0xC4, "",                 "v128",           "i32"),
        ("i64x2.extend_low_i32x4_s",      0xC7, "",                 "v128",           "v128"),
        ("i64x2.extend_high_i32x4_s",     0xC8, "",                 "v128",           "v128"),
        ("i64x2.extend_low_i32x4_u",      0xC9, "",                 "v128",           "v128"),
        ("i64x2.extend_high_i32x4_u",     0xCA, "",                 "v128",           "v128"),
        ("i64x2.shl",                     0xCB, "",                 "v128 i32",       "v128"),
        ("i64x2.shr_s",                   0xCC, "",                 "v128 i32",       "v128"),
        ("i64x2.shr_u",                   0xCD, "",                 "v128 i32",       "v128"),
        ("i64x2.add",                     0xCE, "",                 "v128 v128",      "v128"),
        ("i64x2.sub",                     0xD1, "",                 "v128 v128",      "v128"),
        ("i64x2.mul",                     0xD5, "",                 "v128 v128",      "v128"),
        ("i64x2.eq",                      0xD6, "",                 "v128 v128",      "v128"),
        ("i64x2.ne",                      0xD7, "",                 "v128 v128",      "v128"),
        ("i64x2.lt_s",                    0xD8, "",                 "v128 v128",      "v128"),
        ("i64x2.gt_s",                    0xD9, "",                 "v128 v128",      "v128"),
        ("i64x2.le_s",                    0xDA, "",                 "v128 v128",      "v128"),
        ("i64x2.ge_s",                    0xDB, "",                 "v128 v128",      "v128"),
        ("i64x2.extmul_low_i32x4_s",      0xDC, "",                 "v128 v128",      "v128"),
        ("i64x2.extmul_high_i32x4_s",     0xDD, "",                 "v128 v128",      "v128"),
        ("i64x2.extmul_low_i32x4_u",      0xDE, "",                 "v128 v128",      "v128"),
        ("i64x2.extmul_high_i32x4_u",     0xDF, "",                 "v128 v128",      "v128"),
        ("f32x4.abs",                     0xE0, "",                 "v128",           "v128"),
        ("f32x4.neg",                     0xE1, "",                 "v128",           "v128"),
        ("f32x4.sqrt",                    0xE3, "",                 "v128",           "v128"),
        ("f32x4.add",                     0xE4, "",                 "v128 v128",      "v128"),
        ("f32x4.sub",                     0xE5, "",                 "v128 v128",      "v128"),
        ("f32x4.mul",                     0xE6, "",                 "v128 v128",      "v128"),
        ("f32x4.div",                     0xE7, "",                 "v128 v128",      "v128"),
        ("f32x4.min",                     0xE8, "",                 "v128 v128",      "v128"),
        ("f32x4.max",                     0xE9, "",                 "v128 v128",      "v128"),
        ("f32x4.pmin",                    0xEA, "",                 "v128 v128",      "v128"),
        ("f32x4.pmax",                    0xEB, "",                 "v128 v128",      "v128"),
        ("f64x2.abs",                     0xEC, "",                 "v128",           "v128"),
        ("f64x2.neg",                     0xED, "",                 "v128",           "v128"),
        ("f64x2.sqrt",                    0xEF, "",                 "v128",           "v128"),
        ("f64x2.add",                     0xF0, "",                 "v128 v128",      "v128"),
        ("f64x2.sub",                     0xF1, "",                 "v128 v128",      "v128"),
        ("f64x2.mul",                     0xF2, "",                 "v128 v128",      "v128"),
        ("f64x2.div",                     0xF3, "",                 "v128 v128",      "v128"),
        ("f64x2.min",                     0xF4, "",                 "v128 v128",      "v128"),
        ("f64x2.max",                     0xF5, "",                 "v128 v128",      "v128"),
        ("f64x2.pmin",                    0xF6, "",                 "v128 v128",      "v128"),
        ("f64x2.pmax",                    0xF7, "",                 "v128 v128",      "v128"),
        ("i32x4.trunc_sat_f32x4_s",       0xF8, "",                 "v128",           "v128"),
        ("i32x4.trunc_sat_f32x4_u",       0xF9, "",                 "v128",           "v128"),
        ("f32x4.convert_i32x4_s",         0xFA, "",                 "v128",           "v128"),
        ("f32x4.convert_i32x4_u",         0xFB, "",                 "v128",           "v128"),
        ("i32x4.trunc_sat_f64x2_s_zero",  0xFC, "",                 "v128",           "v128"),
        ("i32x4.trunc_sat_f64x2_u_zero",  0xFD, "",                 "v128",           "v128"),
        ("f64x2.convert_low_i32x4_s",     0xFE, "",                 "v128",           "v128"),
        ("f64x2.convert_low_i32x4_u",     0xFF, "",                 "v128",           "v128"),
    )),
    # Relaxed SIMD
    (0xFD, CoreFeatures.RELAXED_SIMD, (
        ("i8x16.relaxed_swizzle",               0x100, "", "v128 v128",      "v128"),
        ("i32x4.relaxed_trunc_f32x4_s",         0x101, "", "v128",           "v128"),
        ("i32x4.relaxed_trunc_f32x4_u",         0x102, "", "v128",           "v128"),
        ("i32x4.relaxed_trunc_f64x2_s_zero",    0x103, "", "v128",           "v128"),
        ("i32x4.relaxed_trunc_f64x2_u_zero",    0x104, "", "v128",           "v128"),
        ("f32x4.relaxed_madd",                  0x105, "", "v128 v128 v128", "v128"),
        ("f32x4.relaxed_nmadd",                 0x106, "", "v128 v128 v128", "v128"),
        ("f64x2.relaxed_madd",                  0x107, "", "v128 v128 v128", "v128"),
        ("f64x2.relaxed_nmadd",                 0x108, "", "v128 v128 v128", "v128"),
        ("i8x16.relaxed_laneselect",            0x109, "", "v128 v128 v128", "v128"),
        ("i16x8.relaxed_laneselect",            0x10A, "", "v128 v128 v128", "v128"),
        ("i32x4.relaxed_laneselect",            0x10B, "", "v128 v128 v128", "v128"),
        ("i64x2.relaxed_laneselect",            0x10C, "", "v128 v128 v128", "v128"),
        ("f32x4.relaxed_min",                   0x10D, "", "v128 v128",      "v128"),
        ("f32x4.relaxed_max",                   0x10E, "", "v128 v128",      "v128"),
        ("f64x2.relaxed_min",                   0x10F, "", "v128 v128",      "v128"),
        ("f64x2.relaxed_max",                   0x110, "", "v128 v128",      "v128"),
        ("i16x8.relaxed_q15mulr_s",             0x111, "", "v128 v128",      "v128"),
        ("i16x8.relaxed_dot_i8x16_i7x16_s",     0x112, "", "v128 v128",      "v128"),
        ("i32x4.relaxed_dot_i8x16_i7x16_add_s", 0x113, "", "v128 v128 v128", "v128"),
    )),
    # Threads
    (0xFE, CoreFeatures.THREADS, (
        ("memory.atomic.notify",       0x00, "memarg:2", "addr i32",     "i32"),
        ("memory.atomic.wait32",       0x01, "memarg:2", "addr i32 i64", "i32"),
        ("memory.atomic.wait64",       0x02, "memarg:3", "addr i64 i64", "i32"),
        ("atomic.fence",               0x03, "zero",     "",             ""),
        ("i32.atomic.load",            0x10, "memarg:2", "addr",         "i32"),
        ("i64.atomic.load",            0x11, "memarg:3", "addr",         "i64"),
        ("i32.atomic.load8_u",         0x12, "memarg:0", "addr",         "i32"),
        ("i32.atomic.load16_u",        0x13, "memarg:1", "addr",         "i32"),
        ("i64.atomic.load8_u",         0x14, "memarg:0", "addr",         "i64"),
        ("i64.atomic.load16_u",        0x15, "memarg:1", "addr",         "i64"),
        ("i64.atomic.load32_u",        0x16, "memarg:2", "addr",         "i64"),
        ("i32.atomic.store",           0x17, "memarg:2", "addr i32",     ""),
        ("i64.atomic.store",           0x18, "memarg:3", "addr i64",     ""),
        ("i32.atomic.store8",          0x19, "memarg:0", "addr i32",     ""),
        ("i32.atomic.store16",         0x1A, "memarg:1", "addr i32",     ""),
        ("i64.atomic.store8",          0x1B, "memarg:0", "addr i64",     ""),
        ("i64.atomic.store16",         0x1C, "memarg:1", "addr i64",     ""),
        ("i64.atomic.store32",         0x1D, "memarg:2", "addr i64",     ""),
        ("i32.atomic.rmw.add",         0x1E, "memarg:2", "addr i32",     "i32"),
        ("i64.atomic.rmw.add",         0x1F, "memarg:3", "addr i64",     "i64"),
        ("i32.atomic.rmw8.add_u",      0x20, "memarg:0", "addr i32",     "i32"),
        ("i32.atomic.rmw16.add_u",     0x21, "memarg:1", "addr i32",     "i32"),
        ("i64.atomic.rmw8.add_u",      0x22, "memarg:0", "addr i64",     "i64"),
        ("i64.atomic.rmw16.add_u",     0x23, "memarg:1", "addr i64",     "i64"),
        ("i64.atomic.rmw32.add_u",     0x24, "memarg:2", "addr i64",     "i64"),
        ("i32.atomic.rmw.sub",         0x25, "memarg:2", "addr i32",     "i32"),
        ("i64.atomic.rmw.sub",         0x26, "memarg:3", "addr i64",     "i64"),
        ("i32.atomic.rmw8.sub_u",      0x27, "memarg:0", "addr i32",     "i32"),
        ("i32.atomic.rmw16.sub_u",     0x28, "memarg:1", "addr i32",     "i32"),
        ("i64.atomic.rmw8.sub_u",      0x29, "memarg:0", "addr i64",     "i64"),
        ("i64.atomic.rmw16.sub_u",     0x2A, "memarg:1", "addr i64",     "i64"),
        ("i64.atomic.rmw32.sub_u",     0x2B, "memarg:2", "addr i64",     "i64"),
        ("i32.atomic.rmw.and",         0x2C, "memarg:2", "addr i32",     "i32"),
        ("i64.atomic.rmw.and",         0x2D, "memarg:3", "addr i64",     "i64"),
        ("i32.atomic.rmw8.and_u",      0x2E, "memarg:0", "addr i32",     "i32"),
        ("i32.atomic.rmw16.and_u",     0x2F, "memarg:1", "addr i32",     "i32"),
        ("i64.atomic.rmw8.and_u",      0x30, "memarg:0", "addr i64",     "i64"),
        ("i64.atomic.rmw16.and_u",     0x31, "memarg:1", "addr i64",     "i64"),
        ("i64.atomic.rmw32.and_u",     0x32, "memarg:2", "addr i64",     "i64"),
        ("i32.atomic.rmw.or",          0x33, "memarg:2", "addr i32",     "i32"),
        ("i64.atomic.rmw.or",          0x34, "memarg:3", "addr i64",     "i64"),
        ("i32.atomic.rmw8.or_u",       0x35, "memarg:0", "addr i32",     "i32"),
        ("i32.atomic.rmw16.or_u",      0x36, "memarg:1", "addr i32",     "i32"),
        ("i64.atomic.rmw8.or_u",       0x37, "memarg:0", "addr i64",     "i64"),
        ("i64.atomic.rmw16.or_u",      0x38, "memarg:1", "addr i64",     "i64"),
        ("i64.atomic.rmw32.or_u",      0x39, "memarg:2", "addr i64",     "i64"),
        ("i32.atomic.rmw.xor",         0x3A, "memarg:2", "addr i32",     "i32"),
        ("i64.atomic.rmw.xor",         0x3B, "memarg:3", "addr i64",     "i64"),
        ("i32.atomic.rmw8.xor_u",      0x3C, "memarg:0", "addr i32",     "i32"),
        ("i32.atomic.rmw16.xor_u",     0x3D, "memarg:1", "addr i32",     "i32"),
        ("i64.atomic.rmw8.xor_u",      0x3E, "memarg:0", "addr i64",     "i64"),
        ("i64.atomic.rmw16.xor_u",     0x3F, "memarg:1", "addr i64",     "i64"),
        ("i64.atomic.rmw32.xor_u",     0x40, "memarg:2", "addr i64",     "i64"),
        ("i32.atomic.rmw.xchg",        0x41, "memarg:2", "addr i32",     "i32"),
        ("i64.atomic.rmw.xchg",        0x42, "memarg:3", "addr i64",     "i64"),
        ("i32.atomic.rmw8.xchg_u",     0x43, "memarg:0", "addr i32",     "i32"),
        ("i32.atomic.rmw16.xchg_u",    0x44, "memarg:1", "addr i32",     "i32"),
        ("i64.atomic.rmw8.xchg_u",     0x45, "memarg:0", "addr i64",     "i64"),
        ("i64.atomic.rmw16.xchg_u",    0x46, "memarg:1", "addr i64",     "i64"),
        ("i64.atomic.rmw32.xchg_u",    0x47, "memarg:2", "addr i64",     "i64"),
        ("i32.atomic.rmw.cmpxchg",     0x48, "memarg:2", "addr i32 i32", "i32"),
        ("i64.atomic.rmw.cmpxchg",     0x49, "memarg:3", "addr i64 i64", "i64"),
        ("i32.atomic.rmw8.cmpxchg_u",  0x4A, "memarg:0", "addr i32 i32", "i32"),
        ("i32.atomic.rmw16.cmpxchg_u", 0x4B, "memarg:1", "addr i32 i32", "i32"),
        ("i64.atomic.rmw8.cmpxchg_u",  0x4C, "memarg:0", "addr i64 i64", "i64"),
        ("i64.atomic.rmw16.cmpxchg_u", 0x4D, "memarg:1", "addr i64 i64", "i64"),
        ("i64.atomic.rmw32.cmpxchg_u", 0x4E, "memarg:2", "addr i64 i64", "i64"),
    )),
)
# fmt: on


def _operand_words() -> dict[str, Operand]:
    numbers = (ValueType.I32, ValueType.I64, ValueType.F32, ValueType.F64, ValueType.V128)
    words: dict[str, Operand] = {number.name: number for number in numbers}
    for heap, name in HEAP_TYPE_NAMES.items():
        words[name] = ValueType.ref(heap)
        words[f"({name})"] = ValueType.ref(heap, nullable=False)
    return words | {operand.value: operand for operand in AddressOperand}


_Immediates = tuple[tuple[Immediate, ...], int, int]
_Operands = tuple[Operand, ...] | None


def _parse_immediates(text: str) -> _Immediates:
    """The kinds, the natural alignment and the number of lanes that an immediates column says."""
    kinds = []
    numbers = {Immediate.MEMARG: 0, Immediate.LANE: 0}
    for item in text.split():
        word, colon, number = item.partition(":")
        kind = Immediate(word)
        kinds.append(kind)
        if (kind in numbers) != bool(colon):
            raise WazeroBug(f"opcode table: {item!r} lacks a number, or has one too many")
        if colon:
            numbers[kind] = int(number)
    return tuple(kinds), numbers[Immediate.MEMARG], numbers[Immediate.LANE]


def _parse_groups() -> tuple[Opcode, ...]:
    """Every row as an `Opcode`, in the order of prefix and code. A column's text is parsed once for all rows."""
    words = _operand_words()
    immediates: dict[str, _Immediates] = {}
    operands: dict[str, _Operands] = {"?": None}
    opcodes = []
    for prefix, feature, rows in _GROUPS:
        for name, code, immediates_text, *operand_texts in rows:
            if immediates_text not in immediates:
                immediates[immediates_text] = _parse_immediates(immediates_text)
            for text in operand_texts:
                if text not in operands:
                    operands[text] = tuple(words[word] for word in text.split())
            kinds, alignment, lanes = immediates[immediates_text]
            params, results = (operands[text] for text in operand_texts)
            opcodes.append(Opcode(name, prefix, code, kinds, params, results, feature, alignment, lanes))
    return tuple(sorted(opcodes, key=lambda opcode: (opcode.prefix, opcode.code)))


_Key = TypeVar("_Key", bound=Hashable)


def _index(opcodes: tuple[Opcode, ...], key: Callable[[Opcode], _Key]) -> Mapping[_Key, Opcode]:
    """The opcodes by a key that must tell them all apart."""
    index: dict[_Key, Opcode] = {}
    for opcode in opcodes:
        other = index.setdefault(key(opcode), opcode)
        if other is not opcode:
            raise WazeroBug(f"opcode table: {other.name!r} and {opcode.name!r} are both {key(opcode)!r}")
    return MappingProxyType(index)


OPCODES: Final = _parse_groups()
"""Every instruction, in the order of prefix and code."""

BY_NAME: Final = _index(OPCODES, lambda opcode: opcode.name)
"""By name, as `Opcode.name` spells it."""

BY_CODE: Final = _index(OPCODES, lambda opcode: (opcode.prefix, opcode.code))
"""By (prefix, code); prefix is 0 for an instruction of one byte."""
