"""Sections: what each holds, their order and sizes, and what two of them must agree on."""

from __future__ import annotations

import pytest

from fuzz.binary import (
    CODE,
    DATA,
    DATA_COUNT,
    ELEMENT,
    END,
    EXPORT,
    FUNCTION,
    GLOBAL,
    I32,
    I64,
    IMPORT,
    MEMORY,
    ORDER,
    PREAMBLE,
    START,
    TABLE,
    TYPE,
    body,
    export,
    function_type,
    i32_const,
    leb,
    module,
    name,
    section,
    vec,
)
from wazero_api import (
    CustomSection,
    Export,
    Expression,
    ExternKind,
    FunctionType,
    GlobalType,
    Import,
    Limits,
    MalformedModuleError,
    MemoryType,
    SegmentMode,
    TableType,
    ValueType,
)
from wazero_core.binary import decode_module
from wazero_core.binary.sections import MAX_LOCALS, SECTIONS


def test_the_least_module() -> None:
    decoded = decode_module(PREAMBLE)
    assert (decoded.types, decoded.imports, decoded.bodies, decoded.start) == ((), (), (), None)


def test_every_kind_of_import() -> None:
    imports = [b"\0\0", b"\1\x70\1\2\3", b"\2\0\1", b"\3\x7e\1"]
    decoded = decode_module(
        module((TYPE, vec([function_type([I32], [I64])])), (IMPORT, vec(name("m") + name("n") + i for i in imports)))
    )
    assert decoded.imports == (
        Import("m", "n", ExternKind.FUNCTION, None, 0),
        Import("m", "n", ExternKind.TABLE, TableType(ValueType.FUNCREF, Limits(2, 3))),
        Import("m", "n", ExternKind.MEMORY, MemoryType(Limits(1))),
        Import("m", "n", ExternKind.GLOBAL, GlobalType(ValueType.I64, True)),
    )
    assert decoded.types == (FunctionType((ValueType.I32,), (ValueType.I64,)),)


@pytest.mark.parametrize(
    ("flags", "content", "mode", "table", "functions", "expressions"),
    [
        pytest.param(0, i32_const(1) + END + b"\1\7", SegmentMode.ACTIVE, 0, (7,), 0, id="active"),
        pytest.param(1, b"\0\2\7\x08", SegmentMode.PASSIVE, 0, (7, 8), 0, id="passive"),
        pytest.param(2, b"\5" + i32_const(1) + END + b"\0\1\7", SegmentMode.ACTIVE, 5, (7,), 0, id="active with table"),
        pytest.param(3, b"\0\1\7", SegmentMode.DECLARATIVE, 0, (7,), 0, id="declarative"),
        pytest.param(4, i32_const(1) + END + b"\1\xd2\7\x0b", SegmentMode.ACTIVE, 0, (), 1, id="active expressions"),
        pytest.param(5, b"\x6f\1\xd0\x6f\x0b", SegmentMode.PASSIVE, 0, (), 1, id="passive expressions"),
        pytest.param(
            6, b"\3" + i32_const(1) + END + b"\x70\1\xd0\x70\x0b", SegmentMode.ACTIVE, 3, (), 1, id="all there is"
        ),
        pytest.param(7, b"\x70\0", SegmentMode.DECLARATIVE, 0, (), 0, id="declarative expressions"),
    ],
)
def test_element_segments(
    flags: int, content: bytes, mode: SegmentMode, table: int, functions: tuple[int, ...], expressions: int
) -> None:
    (segment,) = decode_module(module((ELEMENT, vec([leb(flags) + content])))).elements
    assert (segment.mode, segment.table_index, segment.functions) == (mode, table, functions)
    assert len(segment.expressions) == expressions
    assert (segment.offset is not None) is (mode is SegmentMode.ACTIVE)
    if segment.offset is not None:
        assert segment.offset.code == i32_const(1) + END


def test_offsets_point_into_the_binary() -> None:
    """Bodies, expressions and custom sections know where their bytes lie."""
    wasm = module(
        (TYPE, vec([function_type()])),
        (FUNCTION, vec([b"\0"])),
        (GLOBAL, vec([b"\x7f\0" + i32_const(77) + END])),
        (CODE, vec([body(b"\1\1", [(3, I64)])])),
    ) + section(0, name("note") + b"text")
    decoded = decode_module(wasm)
    (function,), (global_,), (custom,) = decoded.bodies, decoded.globals, decoded.custom_sections
    assert function.locals == ((3, ValueType.I64),)
    assert bytes(function.code) == b"\1\1\x0b"
    assert wasm[function.offset :].startswith(b"\1\1\x0b")
    assert global_.init == Expression(i32_const(77) + END, wasm.index(b"\x41\xcd"))
    assert custom == CustomSection("note", b"text", wasm.index(b"\4note"))


def test_the_rest_of_the_sections() -> None:
    decoded = decode_module(
        module(
            (TYPE, vec([function_type()])),
            (FUNCTION, vec([b"\0"])),
            (TABLE, vec([b"\x6f\0\5"])),
            (MEMORY, vec([b"\1\1\2"])),
            (EXPORT, vec([export("f", 0), export("m", 0, 2)])),
            (START, b"\0"),
            (DATA_COUNT, b"\1"),
            (CODE, vec([body(b"")])),
            (DATA, vec([b"\1\2hi"])),
        )
    )
    assert decoded.tables[0].type == TableType(ValueType.EXTERNREF, Limits(5))
    assert decoded.memories == (MemoryType(Limits(1, 2)),)
    assert decoded.exports == (Export("f", ExternKind.FUNCTION, 0), Export("m", ExternKind.MEMORY, 0))
    assert (decoded.start, decoded.data_count) == (0, 1)
    assert decoded.data[0].data == b"hi"


def test_custom_sections_can_be_dropped_and_stand_anywhere() -> None:
    note = section(0, name("n") + b"x")
    wasm = PREAMBLE + note + section(TYPE, b"\0") + note
    assert len(decode_module(wasm).custom_sections) == 2
    assert decode_module(wasm, keep_custom_sections=False).custom_sections == ()


EMPTY = {number: b"\0" for number in ORDER if number not in (START, DATA_COUNT)} | {DATA_COUNT: b"\0"}


@pytest.mark.parametrize("first", EMPTY)
@pytest.mark.parametrize("second", EMPTY)
def test_sections_come_once_and_in_order(first: int, second: int) -> None:
    wasm = module((first, EMPTY[first]), (second, EMPTY[second]))
    if ORDER.index(first) < ORDER.index(second):
        decode_module(wasm)
        return
    with pytest.raises(MalformedModuleError, match="unexpected content after last section") as caught:
        decode_module(wasm)
    assert caught.value.offset == 11


def test_the_table_of_sections_is_complete() -> None:
    assert sorted(SECTIONS) == list(range(13))
    assert sorted(SECTIONS, key=lambda number: SECTIONS[number].order)[1:] == list(ORDER)


@pytest.mark.parametrize(
    ("wasm", "message", "offset"),
    [
        pytest.param(b"", "magic header", 0, id="nothing"),
        pytest.param(b"\0as", "magic header", 0, id="part of the magic"),
        pytest.param(b"\x7fELF\1\0\0\0", "magic header", 0, id="ELF"),
        pytest.param(b"\0asm", "unknown binary version", 4, id="no version"),
        pytest.param(b"\0asm\2\0\0\0", "unknown binary version", 4, id="version 2"),
        pytest.param(b"\0asm\x0d\0\1\0", "this is a component", 4, id="component"),
        pytest.param(PREAMBLE + b"\x0e\0", "malformed section id 14", 8, id="section 14"),
        pytest.param(PREAMBLE + b"\x7f\0", "malformed section id", 8, id="section 127"),
        pytest.param(PREAMBLE + b"\1\5\0", "length out of bounds", 8, id="section past the end"),
        pytest.param(PREAMBLE + b"\1", "unexpected end", 9, id="no size"),
        pytest.param(module((TYPE, b"\0\0")), "section size mismatch", 11, id="bytes too many"),
        pytest.param(module((TYPE, b"\1\x60\0")), "3 items|unexpected end|1 items", None, id="type cut"),
        pytest.param(module((TYPE, vec([b"\x61\0\0"]))), "malformed type form", 11, id="type form"),
        pytest.param(module((TYPE, vec([function_type([0x40])]))), "malformed value type 0x40", 13, id="value type"),
        pytest.param(
            module((IMPORT, vec([name("a") + name("b") + b"\5\0"]))), "malformed import kind", 15, id="import kind"
        ),
        pytest.param(module((TABLE, vec([b"\x7f\0\0"]))), "malformed reference type", 11, id="table of i32"),
        pytest.param(module((TABLE, vec([b"\x70\x08\0"]))), "malformed limits flags", 12, id="table flags"),
        pytest.param(module((MEMORY, vec([b"\x08\0"]))), "malformed limits flags", 11, id="memory flags"),
        pytest.param(module((GLOBAL, vec([b"\x7f\2\x41\0\x0b"]))), "malformed mutability", 12, id="mutability"),
        pytest.param(module((GLOBAL, vec([b"\x7f\0\x41\0"]))), "unexpected end", None, id="initialiser without end"),
        pytest.param(module((EXPORT, vec([name("e") + b"\x09\0"]))), "malformed export kind", 13, id="export kind"),
        pytest.param(module((ELEMENT, vec([b"\x08\0"]))), "malformed elements segment kind 8", 11, id="element flags"),
        pytest.param(module((ELEMENT, vec([b"\1\1\0"]))), "malformed element kind", 12, id="element kind"),
        pytest.param(module((DATA, vec([b"\3\0"]))), "malformed data segment kind 3", 11, id="data flags"),
        pytest.param(
            module((CODE, vec([b"\1\0"]))), "inconsistent lengths|no instructions|unexpected end", None, id="empty body"
        ),
        pytest.param(
            module((TYPE, vec([function_type()])), (FUNCTION, vec([b"\0"]))),
            "function and code section have inconsistent lengths: 1 and 0",
            None,
            id="no code",
        ),
        pytest.param(module((CODE, vec([body(b"")]))), "inconsistent lengths: 0 and 1", None, id="no functions"),
        pytest.param(
            module((DATA_COUNT, b"\2"), (DATA, vec([b"\1\0"]))), "inconsistent lengths: 2 and 1", None, id="data count"
        ),
        pytest.param(module((DATA_COUNT, b"\1")), "inconsistent lengths: 1 and 0", None, id="data count without data"),
        pytest.param(module((CODE, vec([body(b"", [(MAX_LOCALS + 1, I32)])]))), "too many locals", None, id="locals"),
        pytest.param(PREAMBLE + section(0, b""), "unexpected end", None, id="custom section without name"),
        pytest.param(PREAMBLE + section(0, b"\1\xff"), "malformed UTF-8 encoding", 11, id="custom section's name"),
        pytest.param(PREAMBLE + section(0, b"\2a"), "out of bounds", None, id="custom section's name cut"),
    ],
)
def test_faults(wasm: bytes, message: str, offset: int | None) -> None:
    with pytest.raises(MalformedModuleError, match=message) as caught:
        decode_module(wasm)
    assert caught.value.offset is not None
    if offset is not None:
        assert caught.value.offset == offset


def test_as_many_locals_as_allowed() -> None:
    wasm = module(
        (TYPE, vec([function_type()])), (FUNCTION, vec([b"\0"])), (CODE, vec([body(b"", [(MAX_LOCALS, I32)])]))
    )
    assert decode_module(wasm).bodies[0].locals == ((MAX_LOCALS, ValueType.I32),)
