"""The reader of .wast scripts: S-expressions, numbers, values and commands."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest

from conformance.wast.assemble import in_scope
from conformance.wast.literals import LiteralError, float_bits, integer_bits
from conformance.wast.script import (
    AssertInvalid,
    AssertMalformed,
    AssertReturn,
    AssertTrap,
    AssertUninstantiable,
    Get,
    Instance,
    Invoke,
    Module,
    ModuleKind,
    Register,
    ScriptError,
    parse_script,
)
from conformance.wast.sexpr import Node, SexprError, SList, parse
from conformance.wast.values import (
    AnyNull,
    NullReference,
    Number,
    Reference,
    Value,
    ValueSyntaxError,
    argument,
    expectation,
    matches,
)

# --- S-expressions --------------------------------------------------------------------------------------------------


def plain(nodes: Sequence[Node]) -> list[object]:
    return [plain(node.items) if isinstance(node, SList) else node for node in nodes]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(a b)(c)", [["a", "b"], ["c"]]),
        ("(a(b)c)", [["a", ["b"], "c"]]),
        (";; no (\n(a) ;; end", [["a"]]),
        (";; a carriage return ends it\r(a)", [["a"]]),
        ("(a (; x (; nested ;) ) ;; ;) b)", [["a", "b"]]),
        ("(; ;; ;)(a)", [["a"]]),
        ('((@a) b (@c (d) ")" ;,[]{}) e)', [["b", "e"]]),
        ('(@"string id" x)(a)', [["a"]]),
        ('(a"b"c)', [["a", b"b", "c"]]),
        ('""', [b""]),
        (r'"\t\n\r\"\'\\"', [b"\t\n\r\"'\\"]),
        (r'"\00\fF\7f"', [b"\x00\xff\x7f"]),
        (r'"\u{20ac}\u{1_F600}"', ["€😀".encode()]),
        ('"é;;(;"', ["é;;(;".encode()]),
        ("$x!#$%&'*+-./:<=>?@\\^_`|~", ["$x!#$%&'*+-./:<=>?@\\^_`|~"]),
    ],
)
def test_parse(text: str, expected: list[object]) -> None:
    assert plain(parse(text)) == expected


@pytest.mark.parametrize("text", ["(a", "a)", "(; (; ;)", '"a', '"a\nb"', r'"\x"', r'"\u{d800}"', r'"\u{110000}"'])
def test_parse_refuses(text: str) -> None:
    with pytest.raises(SexprError):
        parse(text)


def test_spans_give_the_exact_text() -> None:
    text = '(a) ;; x\n((@b) c "(" (d) )'
    spans = [text[node.start : node.end] for node in parse(text) if isinstance(node, SList)]
    assert spans == ["(a)", '((@b) c "(" (d) )']


# --- Numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "width_bits", "bits"),
    [
        ("0", 32, 0),
        ("-1", 32, 0xFFFFFFFF),
        ("+1_000", 32, 1000),
        ("0xFfff_ffff", 32, 0xFFFFFFFF),
        ("-0x80000000", 32, 0x80000000),
        ("18446744073709551615", 64, 2**64 - 1),
        ("-128", 8, 0x80),
        ("007", 32, 7),
    ],
)
def test_integer(text: str, width_bits: int, bits: int) -> None:
    assert integer_bits(text, width_bits) == bits


@pytest.mark.parametrize(
    "text", ["", "-", "0x", "1__0", "_1", "1_", "4294967296", "-2147483649", "1.0", "0b1", "\u0661"]
)
def test_integer_refuses(text: str) -> None:
    with pytest.raises(LiteralError):
        integer_bits(text, 32)


@pytest.mark.parametrize(
    ("text", "f32", "f64"),
    [
        ("0", 0, 0),
        ("-0.0", 0x80000000, 0x8000000000000000),
        ("1.5", 0x3FC00000, 0x3FF8000000000000),
        ("-0x1.8p+1", 0xC0400000, 0xC008000000000000),
        ("0x1p-149", 1, 0x36A0000000000000),
        ("0x1p-150", 0, 0x3690000000000000),
        ("0x1.000001p-150", 1, 0x3690000010000000),
        ("0x1.fffffep127", 0x7F7FFFFF, 0x47EFFFFFE0000000),
        ("0x1.fffffefffffff8p127", 0x7F7FFFFF, 0x47EFFFFFF0000000),
        ("0x0.000000000000000000000123456p-10", 0x0E91A2B0, 0x39D2345600000000),
        ("1e-400", 0, 0),
        ("1_0.0_1e+0", 0x412028F6, 0x4024051EB851EB85),
        ("inf", 0x7F800000, 0x7FF0000000000000),
        ("-inf", 0xFF800000, 0xFFF0000000000000),
        ("nan", 0x7FC00000, 0x7FF8000000000000),
        ("-nan", 0xFFC00000, 0xFFF8000000000000),
        ("nan:0x200000", 0x7FA00000, 0x7FF0000000200000),
        ("-nan:0x1", 0xFF800001, 0xFFF0000000000001),
    ],
)
def test_float(text: str, f32: int, f64: int) -> None:
    assert (float_bits(text, "f32"), float_bits(text, "f64")) == (f32, f64)


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        # Just above the tie of two neighbours, by less than an f64 can tell: rounding to f64 first gives the lower one.
        ("0x1.00000100000000001p0", 0x3F800001),
        ("+0x1.00000100000000000p0", 0x3F800000),
        ("1.00000005960464477539062500001", 0x3F800001),
        ("1.000000059604644775390625", 0x3F800000),
        ("0x1.00000500000000001p-50", 0x26800003),
    ],
)
def test_f32_rounds_once(text: str, bits: int) -> None:
    assert float_bits(text, "f32") == bits


@pytest.mark.parametrize(
    "text", ["0.1", "3.14159", "1e23", "2.2250738585072011e-308", "5e-324", "1.7976931348623157e308"]
)
def test_f64_agrees_with_python(text: str) -> None:
    assert float_bits(text, "f64") == struct.unpack("<Q", struct.pack("<d", float(text)))[0]


@pytest.mark.parametrize(
    "text", ["", "-", ".5", "1e", "0x", "0x1.fffffffp127", "3.5e38", "nan:0x0", "nan:0x800000", "nan:1"]
)
def test_f32_refuses(text: str) -> None:
    with pytest.raises(LiteralError):
        float_bits(text, "f32")


# --- Values and patterns --------------------------------------------------------------------------------------------


def only(text: str) -> Node:
    (node,) = parse(text)
    return node


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(i32.const -1)", Number("i32", 0xFFFFFFFF)),
        ("(i64.const 0x10)", Number("i64", 16)),
        ("(f32.const nan:0x1)", Number("f32", 0x7F800001)),
        ("(f64.const -0)", Number("f64", 1 << 63)),
        ("(v128.const i32x4 1 2 3 -1)", Number("v128", 0xFFFFFFFF_00000003_00000002_00000001)),
        (
            "(v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)",
            Number("v128", 0x0F0E0D0C0B0A09080706050403020100),
        ),
        ("(v128.const f64x2 1 -2)", Number("v128", 0xC000000000000000_3FF0000000000000)),
        ("(ref.null extern)", NullReference("extern")),
        ("(ref.extern 3)", Reference("extern", 3)),
        ("(ref.host 0)", Reference("host", 0)),
    ],
)
def test_argument(text: str, value: Value) -> None:
    assert argument(only(text)) == value


@pytest.mark.parametrize(
    "text",
    [
        "(i32.const)",
        "(i32.const 1 2)",
        "(i32.add 1)",
        "(v128.const i32x4 1 2)",
        "(v128.const i1x1 1)",
        "(f32.const nan:canonical)",
        "(ref.func)",
        "(ref.null)",
        "(ref.what)",
        "(either (i32.const 1))",
        "atom",
        "()",
    ],
)
def test_argument_refuses(text: str) -> None:
    with pytest.raises((ValueSyntaxError, LiteralError)):
        argument(only(text))


CANONICAL, ARITHMETIC, SIGNALLING = 0x7FC00000, 0x7FC00001, 0x7F800001


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("(f32.const nan:canonical)", Number("f32", CANONICAL), True),
        ("(f32.const nan:canonical)", Number("f32", CANONICAL | 1 << 31), True),
        ("(f32.const nan:canonical)", Number("f32", ARITHMETIC), False),
        ("(f32.const nan:arithmetic)", Number("f32", ARITHMETIC), True),
        ("(f32.const nan:arithmetic)", Number("f32", SIGNALLING), False),
        ("(f32.const nan:arithmetic)", Number("f32", 0x7F800000), False),
        ("(f64.const nan:canonical)", Number("f64", 0xFFF8000000000000), True),
        ("(f64.const nan:canonical)", Number("f32", CANONICAL), False),
        ("(f32.const 0)", Number("f32", 1 << 31), False),
        ("(f32.const nan:0x1)", Number("f32", SIGNALLING), True),
        ("(i32.const 1)", Number("i64", 1), False),
        ("(v128.const f32x4 nan:canonical 1 nan:arithmetic 0)", Number("v128", 0x7FC00001_3F800000_FFC00000), True),
        ("(v128.const f32x4 nan:canonical 1 nan:arithmetic 0)", Number("v128", 0x7FC00001_3F800001_FFC00000), False),
        ("(v128.const f64x2 0 nan:canonical)", Number("v128", 0x7FF8000000000001 << 64), False),
        ("(ref.null)", NullReference("func"), True),
        ("(ref.null)", Reference("func"), False),
        ("(ref.null func)", NullReference("nofunc"), True),
        ("(ref.null func)", NullReference("extern"), False),
        ("(ref.null any)", NullReference("none"), True),
        ("(ref.func)", Reference("func"), True),
        ("(ref.func)", NullReference("func"), False),
        ("(ref.extern)", Reference("extern", 7), True),
        ("(ref.extern 7)", Reference("extern", 7), True),
        ("(ref.extern 7)", Reference("extern", 8), False),
        ("(ref.eq)", Reference("i31"), True),
        ("(ref.eq)", Reference("host", 1), False),
        ("(ref.any)", Reference("host", 1), True),
        ("(either (i32.const 1) (i32.const 2))", Number("i32", 2), True),
        ("(either (i32.const 1) (i32.const 2))", Number("i32", 3), False),
    ],
)
def test_matches(pattern: str, value: Value, *, expected: bool) -> None:
    assert matches(expectation(only(pattern)), value) is expected


# --- Commands -------------------------------------------------------------------------------------------------------

SCRIPT = r"""
(module $m (func (export "f")))
(module binary "\00asm" "\01\00\00\00")
(module $q quote "(func)" "(func)")
(module definition $d (memory 1))
(module instance $i $d)
(register "name" $m)
(invoke $m "f" (i32.const 1))
(assert_return (get "g") (i32.const 1) (ref.null))
(assert_trap (invoke "f") "unreachable")
(assert_trap (module (func unreachable) (start 0)) "unreachable")
(assert_malformed (module quote "(") "unexpected end")
(assert_invalid_custom (module) "custom")
"""


def test_script() -> None:
    commands = parse_script(SCRIPT).commands
    assert [command.line for command in commands] == list(range(2, 14))
    text, binary, quote, definition, instance, register, invoke, returns, trap, start, malformed, custom = commands
    assert isinstance(text, Module)
    assert (text.source.content, text.source.name) == (b'(module $m (func (export "f")))', "$m")
    assert isinstance(binary, Module)
    assert (binary.source.kind, binary.source.content) == (ModuleKind.BINARY, b"\0asm\1\0\0\0")
    assert isinstance(quote, Module)
    assert (quote.source.kind, quote.source.content) == (ModuleKind.QUOTE, b"(func)(func)")
    assert isinstance(definition, Module)
    assert (definition.definition_only, definition.source.content) == (True, b"(module  $d (memory 1))")
    assert instance == Instance(6, "$i", "$d")
    assert register == Register(7, "name", "$m")
    assert invoke == Invoke(8, "$m", "f", (Number("i32", 1),))
    assert returns == AssertReturn(9, Get(9, None, "g"), (Number("i32", 1), AnyNull()))
    assert trap == AssertTrap(10, Invoke(10, None, "f", ()), "unreachable")
    assert isinstance(start, AssertUninstantiable)
    assert isinstance(malformed, AssertMalformed)
    assert not in_scope(malformed)
    assert isinstance(custom, AssertInvalid)
    assert custom.custom


def test_fields_alone_are_a_module() -> None:
    (module,) = parse_script("(func) (memory 0)").commands
    assert isinstance(module, Module)
    assert module.source.content == b"(module (func) (memory 0))"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(module)\n(assert_nothing)", "line 2: no command: assert_nothing"),
        ("(module)\n(invoke f)", "line 2: "),
        ("(module)\n(assert_return (invoke))", "line 2: "),
        ('(module)\n(assert_return (invoke "f") (i32.const x))', "line 2: not an integer: x"),
        ("(module) atom", "an atom or a string"),
    ],
)
def test_script_refuses(text: str, message: str) -> None:
    with pytest.raises(ScriptError, match=message):
        parse_script(text)
