"""``wazero dump``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from wazero_core.cli import main
from wazero_core.runtime.engines import new_engine

Guests = Callable[[str], str]

needs_jit = pytest.mark.skipif(new_engine(None).name != "jit", reason="there is no native engine here")

TEXT = """(module $m
  (import "env" "log" (func $log (param i32)))
  (memory 1)
  (func $fac (export "fac") (export "f a c") (param i64) (result i64)
    (if (result i64) (i64.eqz (local.get 0)) (then (i64.const 1))
      (else (i64.mul (local.get 0) (call $fac (i64.sub (local.get 0) (i64.const 1)))))))
  (func (param i32) (local i32 f64) (loop br 0) (drop (i32.load offset=4 (i32.const 0))))
  (func $twice) (func (export "twice2")) (func $start)
  (start $start))"""

FUNCTIONS = """\
index  bytes  type            name
0             (i32) -> ()     log    import "env" "log"
1      20     (i64) -> (i64)  fac    export "fac", export "f a c"
2      12     (i32) -> ()
3      1      () -> ()        twice
4      1      () -> ()               export "twice2"
5      1      () -> ()        start  start
"""


SAME_NAMES = bytes.fromhex(
    "0061736d01000000 010401600000 0303020000 0a070202000b02000b 000e046e616d65 01070200016201 0162"
)
INVALID = bytes.fromhex("0061736d01000000 0105016000017f 0303020000 0a0902040041000b02000b")
"""The second of two functions gives no result."""


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(["dump", *arguments]) == 0
    text, errors = capsys.readouterr()
    assert errors == ""
    return text.splitlines()


def test_the_functions(guest: Guests, capsys: pytest.CaptureFixture[str]) -> None:
    assert output(capsys, guest(TEXT)) == FUNCTIONS.splitlines()


def test_names_cannot_steer_a_terminal(guest: Guests, capsys: pytest.CaptureFixture[str]) -> None:
    lines = output(capsys, guest('(module (func (export "a\\1b[2Jb\\n")))'))
    assert lines[1] == '0      1      () -> ()        export "a\\x1b[2Jb\\n"'


def test_source_beside_instructions(guest: Guests, capsys: pytest.CaptureFixture[str]) -> None:
    lines = output(capsys, "-interpreter", "-function", "fac", guest(TEXT))
    assert lines[:4] == ["function 1 fac (i64) -> (i64)", 'export "fac", export "f a c"', "20 bytes of wasm", ""]
    code = [line[:23].rstrip().rpartition("  ")[2] for line in lines[5:]]
    assert [text for text in code if text] == [
        "local.get 0",
        "i64.eqz",
        "if (result i64)",
        "i64.const 1",
        "else",
        "local.get 0",
        "local.get 0",
        "i64.const 1",
        "i64.sub",
        "call 1 ;; fac",
        "i64.mul",
        "end",
        "end",
    ]
    assert lines[4] == "wasm                     python"
    assert any(line.endswith("1  def f1(l0):") for line in lines)
    assert next(line for line in lines if "call 1" in line).endswith("s1 = f1(((l0 - 1) & 0xffffffffffffffff))")


@pytest.mark.parametrize(
    ("wanted", "heading"),
    [
        ("2", ["function 2 (i32) -> ()", "locals 1 i32, 1 f64", "12 bytes of wasm"]),
        ("fac", ["function 1 fac (i64) -> (i64)", 'export "fac", export "f a c"', "20 bytes of wasm"]),
        ("f a c", ["function 1 fac (i64) -> (i64)", 'export "fac", export "f a c"', "20 bytes of wasm"]),
        ("twice", ["function 3 twice () -> ()", "1 bytes of wasm"]),
        ("start", ["function 5 start () -> ()", "start", "1 bytes of wasm"]),
    ],
)
@pytest.mark.parametrize("flags", [[], ["-interpreter"], ["-engine", "portable"]])
def test_a_function_by_name_or_index(
    guest: Guests, flags: list[str], wanted: str, heading: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = output(capsys, *flags, "-function", wanted, guest(TEXT))
    assert lines[: len(heading) + 1] == [*heading, ""]


@needs_jit
def test_machine_code_beside_instructions(guest: Guests, capsys: pytest.CaptureFixture[str]) -> None:
    lines = output(capsys, "-function", "2", guest(TEXT))
    heading, *rows = lines[lines.index("") + 1 :]
    column = heading.index("amd64")
    code = [(row[:column].strip(), row[column:].strip().partition("  ")) for row in rows]
    assert code[0][0] == "", "the function's begin"
    assert code[-1][0] == "", "the call of the poll, out of line"
    sizes = [len(bytes.fromhex(part[2])) for _, part in code if part[0]]
    assert [int(part[0], 16) for _, part in code if part[0]] == [sum(sizes[:index]) for index in range(len(sizes))]
    by_instruction = {instruction.partition("  ")[2].strip(): part[2] for instruction, part in code}
    assert by_instruction["loop"] != ""
    assert by_instruction["br 0"].startswith("e9")
    assert by_instruction["i32.load offset=4"] == "", "it cannot be reached"


@needs_jit
def test_disassembled(guest: Guests, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("capstone")
    lines = output(capsys, "-disassemble", "-function", "2", guest(TEXT))
    (branch,) = [line for line in lines if "br 0" in line]
    assert branch.split()[4].startswith("e9")
    assert branch.split()[5] == "jmp"
    assert any("cmp rsp, qword ptr [r13" in line for line in lines)


def test_only_who_asks_for_it_needs_capstone(
    guest: Guests, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "capstone", None)
    path = guest(TEXT)
    output(capsys, "-function", "fac", path)
    if new_engine(None).name == "jit":
        assert main(["dump", "-disassemble", "-function", "fac", path]) == 1
        expected = "error: -disassemble needs the package capstone: `pip install capstone`\n"
        assert capsys.readouterr() == ("", expected)


@pytest.mark.parametrize(
    ("arguments", "message", "status"),
    [
        ([], "missing path to wasm file (`wazero dump -h` shows the usage)", 1),
        (["guest.wasm", "fac"], "error: `wazero dump` takes one file; flags come before it, not 'fac' after it", 1),
        (["-cachedir", "x", "p"], "error: flag provided but not defined: -cachedir (`wazero dump -h` lists the flags)", 2),
        (["-disassemble", "guest.wasm"], "error: -disassemble needs a function to show: name it with -function", 1),
        (["no such"], "error reading wasm binary: no such: No such file or directory", 1),
        (["text"], "error compiling wasm binary: magic header not detected: this is not a WebAssembly binary (at byte 0x0)", 1),
        (["-function", "log", "guest.wasm"], 'error: function 0 has no code here: import "env" "log"', 1),
        (["-function", "0", "guest.wasm"], 'error: function 0 has no code here: import "env" "log"', 1),
        (["-function", "6", "guest.wasm"], 'error: there is no function "6": without -function, `wazero dump` lists them', 1),
        (["-function", "²", "guest.wasm"], 'error: there is no function "²": without -function, `wazero dump` lists them', 1),
        (["-function", "x", "guest.wasm"], 'error: there is no function "x": without -function, `wazero dump` lists them', 1),
        (["-function", "b", "same.wasm"], 'error: 2 functions are named "b": choose one by index, of 0, 1', 1),
        (
            ["-interpreter", "-disassemble", "-function", "1", "guest.wasm"],
            "error: -disassemble is for machine code, and this engine makes python",
            1,
        ),
        (["-engine", "x", "guest.wasm"], 'error: no engine named "x" is installed; `pip install wazero-x` may bring it', 1),
    ],
)  # fmt: skip
def test_what_a_user_does_wrong_is_one_line(
    guest: Guests,
    arguments: list[str],
    message: str,
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    guest(TEXT)
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("some text")
    Path("same.wasm").write_bytes(SAME_NAMES)
    assert (main(["dump", *arguments]), capsys.readouterr()) == (status, ("", message + "\n"))


@pytest.mark.parametrize("flags", [[], ["-interpreter"]])
def test_invalid_code_is_found_where_it_is_shown(
    tmp_path: Path, flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "invalid.wasm"
    path.write_bytes(INVALID)
    assert output(capsys, *flags, "-function", "0", str(path))[-1]
    assert main(["dump", *flags, "-function", "1", str(path)]) == 1
    text, errors = capsys.readouterr()
    assert (text, errors.count("\n")) == ("", 1)
    assert errors.startswith("error compiling wasm binary: type mismatch")
