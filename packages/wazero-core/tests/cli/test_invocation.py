"""``wazero run -invoke``: arguments from text, results as text, and what goes wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from wazero_api import ValueType
from wazero_core.cli import main
from wazero_core.cli.invocation import read_value, value_text

Guests = Callable[[str], str]
Look = Callable[[Callable[[Any], None]], None]

I32, I64, F32, F64, V128 = ValueType.I32, ValueType.I64, ValueType.F32, ValueType.F64, ValueType.V128
EXTERNREF, FUNCREF = ValueType.EXTERNREF, ValueType.FUNCREF

FUNCTIONS = """
(module
  (func $add (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "same") (param i64) (result i64) (local.get 0))
  (func (export "swap") (param f32 f64) (result f64 f32) (local.get 1) (local.get 0))
  (func (export "reference") (param externref) (result externref) (local.get 0))
  (func (export "function") (result funcref) (ref.func $add))
  (func (export "nothing"))
  (func (export "trap") unreachable)
  (func (export "spin") (loop (br 0)))
  (memory (export "memory") 1))
"""


@pytest.mark.parametrize(
    ("text", "type", "value"),
    [
        ("0", I32, 0),
        ("-1", I32, -1),
        ("+7", I32, 7),
        ("-2147483648", I32, -(2**31)),
        ("4294967295", I32, 2**32 - 1),
        ("0xFFFFffff", I32, 2**32 - 1),
        ("-0x80000000", I32, -(2**31)),
        ("007", I32, 7),
        ("18446744073709551615", I64, 2**64 - 1),
        ("-9223372036854775808", I64, -(2**63)),
        ("1", F32, 1.0),
        ("-2.5e-3", F64, -0.0025),
        (".5", F64, 0.5),
        ("5.", F64, 5.0),
        ("0x1.8p1", F64, 3.0),
        ("-0x10", F32, -16.0),
        ("inf", F32, math.inf),
        ("-Infinity", F64, -math.inf),
        ("3.4028235e38", F32, 3.4028235e38),
        ("0x" + "00" * 15 + "01", V128, b"\1" + b"\0" * 15),
        ("0x0102030405060708090a0b0c0d0e0f10", V128, bytes(range(16, 0, -1))),
        ("null", EXTERNREF, None),
        ("null", FUNCREF, None),
    ],
)
def test_arguments(text: str, type: ValueType, value: object) -> None:
    assert read_value(text, type) == value


@pytest.mark.parametrize(("text", "sign"), [("nan", 1.0), ("-nan", -1.0)])
def test_nan(text: str, sign: float) -> None:
    value = read_value(text, F64)
    assert math.isnan(value)
    assert math.copysign(1.0, value) == sign


@pytest.mark.parametrize(
    ("texts", "type", "message"),
    [
        (
            ["", "x", "1.0", "1_0", " 1", "0x", "--1", "4294967296", "-2147483649", "\uff19", "1" * 10_000],
            I32,
            "an i32 is a number from -2147483648 to 4294967295, decimal or hexadecimal like 0x1f",
        ),
        (
            ["18446744073709551616", "-0x8000000000000001"],
            I64,
            "an i64 is a number from -9223372036854775808 to 18446744073709551615, decimal or hexadecimal like 0x1f",
        ),
        (
            ["", "x", "1_0", "0x", "0x1.8q", "1e39", "0x1p128", ".", "e5", "1,5", "nano"],
            F32,
            "an f32 is a number like 1, -2.5e3, 0x1.8p1, inf or nan, and not too large",
        ),
        (
            ["0x1p1024", "1e309", "-1e400"],
            F64,
            "an f64 is a number like 1, -2.5e3, 0x1.8p1, inf or nan, and not too large",
        ),
        (["", "0", "0x00", "00" * 16], V128, "a v128 is 0x and 32 hexadecimal digits, the highest lane first"),
        (["", "0", "None"], EXTERNREF, "the only externref that can be written is null"),
    ],
)
def test_what_is_no_value(texts: list[str], type: ValueType, message: str) -> None:
    for text in texts:
        with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared
            read_value(text, type)
        assert str(caught.value) == message, text


@pytest.mark.parametrize(
    ("value", "type", "text"),
    [
        (-1, I32, "-1"),
        (0.1, F64, "0.1"),
        (math.nan, F32, "nan"),
        (bytes(range(16)), V128, "0x0f0e0d0c0b0a09080706050403020100"),
        (bytes(16), V128, "0x" + "00" * 16),
        (None, EXTERNREF, "null"),
        ("\x1b[31m\n", EXTERNREF, "'\\x1b[31m\\n'"),
    ],
)
def test_results(value: object, type: ValueType, text: str) -> None:
    assert value_text(value, type) == text


@pytest.mark.parametrize(
    "flag", [["-invoke"], ["--invoke"], ["-interpreter", "-invoke"], ["-timeout", "1m", "-invoke"]]
)
@pytest.mark.parametrize(
    ("call", "output"),
    [
        ("add 40 2", "42\n"),
        ("add 0xffffffff -1", "-2\n"),
        ("add -- -1 -1", "-2\n"),
        ("same 0x8000000000000000", "-9223372036854775808\n"),
        ("swap 0.5 -inf", "-inf\n0.5\n"),
        ("reference null", "null\n"),
        ("nothing", ""),
    ],
)
def test_calls(guest: Guests, capsys: pytest.CaptureFixture[str], flag: list[str], call: str, output: str) -> None:
    name, *arguments = call.split()
    assert main(["run", *flag, name, guest(FUNCTIONS), *arguments]) == 0
    assert capsys.readouterr() == (output, "")


def test_a_function_reference_is_shown_for_people(guest: Guests, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "-invoke", "function", guest(FUNCTIONS)]) == 0
    assert capsys.readouterr().out == "<wasm function add (i32 i32) -> (i32)>\n"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("add 1", "error: add (i32 i32) -> (i32) takes 2 arguments, not 1"),
        ("same", "error: same (i64) -> (i64) takes 1 argument, not 0"),
        ("nothing 1", "error: nothing () -> () takes no arguments, not 1"),
        (
            "add 1 x",
            (
                'error: add (i32 i32) -> (i32) cannot take "x" as argument 2: '
                "an i32 is a number from -2147483648 to 4294967295, decimal or hexadecimal like 0x1f"
            ),
        ),
        (
            "memory",
            (
                'error: there is no exported function "memory" to invoke; the exported functions: '
                "add, same, swap, reference, function, nothing, trap, spin"
            ),
        ),
    ],
)
def test_mistakes_are_one_line(guest: Guests, capsys: pytest.CaptureFixture[str], call: str, message: str) -> None:
    name, *arguments = call.split()
    assert main(["run", "-invoke", name, guest(FUNCTIONS), *arguments]) == 1
    assert capsys.readouterr() == ("", message + "\n")


def test_nothing_runs_before_a_mistake_is_found(guest: Guests, look: Look, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[Any] = []
    look(seen.append)
    path = guest('(module (import "probe" "look" (func $look)) (start $look))')
    assert main(["run", "-invoke", "gone", path]) == 1
    assert seen == []
    assert capsys.readouterr().err == (
        'error: there is no exported function "gone" to invoke; the exported functions: none\n'
    )


def test_initialize_is_called_and_start_is_not(guest: Guests, look: Look, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[Any] = []
    look(lambda module: seen.append(module.system.args))
    path = guest(
        '(module (import "probe" "look" (func $look)) (global $ready (mut i32) (i32.const 0))'
        ' (func (export "_start") unreachable)'
        ' (func (export "_initialize") (call $look) (global.set $ready (i32.const 7)))'
        ' (func (export "ready") (param i32) (result i32) (global.get $ready)))'
    )
    assert main(["run", "-invoke", "ready", path, "5"]) == 0
    assert capsys.readouterr().out == "7\n"
    assert seen == [(b"guest.wasm",)]


def test_a_trap_is_told_as_ever(guest: Guests, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "-invoke", "trap", guest(FUNCTIONS)]) == 1
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.startswith("error instantiating wasm binary: unreachable\nwasm stack trace:\n\t$6 at byte ")


def test_the_timeout_counts(guest: Guests, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "-timeout", "50ms", "-invoke", "spin", guest(FUNCTIONS)]) == 0xEFFFFFFF - (1 << 32)
    assert capsys.readouterr() == ("", "error: module closed with context deadline exceeded (timeout 50ms)\n")
