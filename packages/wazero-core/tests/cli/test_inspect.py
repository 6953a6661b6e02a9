"""``wazero inspect``: what it says of programs, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wazero_core.cli import main

Guests = Callable[[str], str]

RICH = """
(module $rich
  (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
  (import "other" "memory" (memory 1 2))
  (import "other" "table" (table 3 funcref))
  (import "other" "global" (global (mut i64)))
  (func $first (export "_start") (drop (i32.extend8_s (i32.const 1))))
  (func $second (export "pair") (param f32) (result i32 f64) (i32.const 1) (f64.const 2))
  (table 1 1 externref)
  (global (export "constant") f32 (f32.const 0))
  (export "memory" (memory 0))
  (export "table" (table 1))
  (start $first)
  (elem (table 0) (i32.const 0) func $first)
  (data (i32.const 0) "abc")
  (@custom "notes" "12345"))
"""


def inspected(path: str, capsys: pytest.CaptureFixture[str], flag: str = "-json") -> Any:
    assert main(["inspect", flag, path]) == 0
    output, errors = capsys.readouterr()
    assert errors == ""
    return json.loads(output)


@pytest.mark.parametrize("flag", ["-json", "--json"])
def test_everything_in_json(guest: Guests, capsys: pytest.CaptureFixture[str], flag: str) -> None:
    path = guest(RICH)
    said = inspected(path, capsys, flag)
    sections = said.pop("sections")
    assert said == {
        "format": 1,
        "file": path,
        "bytes": Path(path).stat().st_size,
        "name": "rich",
        "kind": "command",
        "abi": ["wasi_snapshot_preview1", "other"],
        "features": {
            "needed": ["multi-value", "mutable-global", "reference-types", "sign-extension-ops"],
            "missing": [],
        },
        "start": {"index": 1, "name": "first"},
        "counts": {
            "types": 3,
            "imports": 4,
            "exports": 5,
            "functions": 3,
            "tables": 2,
            "memories": 1,
            "globals": 2,
            "element_segments": 1,
            "data_segments": 1,
            "code_bytes": 17,
        },
        "imports": [
            {
                "module": "wasi_snapshot_preview1",
                "name": "fd_write",
                "kind": "function",
                "type": "(i32 i32 i32 i32) -> (i32)",
            },
            {"module": "other", "name": "memory", "kind": "memory", "type": "memory 1 2"},
            {"module": "other", "name": "table", "kind": "table", "type": "table 3 funcref"},
            {"module": "other", "name": "global", "kind": "global", "type": "mut i64"},
        ],
        "exports": [
            {"name": "_start", "kind": "function", "index": 1, "type": "() -> ()"},
            {"name": "pair", "kind": "function", "index": 2, "type": "(f32) -> (i32 f64)"},
            {"name": "constant", "kind": "global", "index": 1, "type": "f32"},
            {"name": "memory", "kind": "memory", "index": 0, "type": "memory 1 2"},
            {"name": "table", "kind": "table", "index": 1, "type": "table 1 1 externref"},
        ],
        "memories": [{"index": 0, "is_imported": True, "minimum": 1, "maximum": 2, "is_shared": False, "is_64": False}],
        "tables": [
            {"index": 0, "is_imported": True, "element": "funcref", "minimum": 3, "maximum": None, "is_64": False},
            {"index": 1, "is_imported": False, "element": "externref", "minimum": 1, "maximum": 1, "is_64": False},
        ],
        "globals": [
            {"index": 0, "is_imported": True, "type": "i64", "is_mutable": True},
            {"index": 1, "is_imported": False, "type": "f32", "is_mutable": False},
        ],
    }
    wasm = Path(path).read_bytes()
    assert [section["id"] for section in sections if section["id"]] == [1, 2, 3, 4, 6, 7, 8, 9, 10, 11]
    assert [section["name"] for section in sections if not section["id"]] == ["notes", "name"]
    assert sections[-1]["offset"] + sections[-1]["size"] == len(wasm)
    notes = next(section for section in sections if section["name"] == "notes")
    assert wasm[notes["offset"] : notes["offset"] + notes["size"]] == b"\x05notes12345"


def test_everything_as_text(guest: Guests, capsys: pytest.CaptureFixture[str]) -> None:
    path = guest(RICH)
    assert main(["inspect", path]) == 0
    lines = capsys.readouterr().out.splitlines()
    facts = [
        ("file:", path),
        ("name:", "rich"),
        ("kind:", "command (exports _start)"),
        ("imports from:", "wasi_snapshot_preview1, other"),
        ("features needed:", "multi-value, mutable-global, reference-types, sign-extension-ops"),
        ("start function:", "1 first"),
        (
            "counts:",
            "3 types, 4 imports, 5 exports, 3 functions, 2 tables, 1 memory, 2 globals, 1 element segment, 1 data segment",
        ),
    ]
    assert [f"{name:16}  {value}" for name, value in facts if f"{name:16}  {value}" not in lines] == []
    for title, row in (
        ("sections:", "  id  name            offset  bytes"),
        ("imports:", "  function  wasi_snapshot_preview1.fd_write  (i32 i32 i32 i32) -> (i32)"),
        ("exports:", "  function  _start    () -> ()"),
        ("memories:", "  0  1 to 2 pages, 64 KiB at the start  imported"),
        ("tables:", "  0  3 or more elements of funcref  imported"),
        ("globals:", "  0  i64, mutable   imported"),
    ):
        assert lines[lines.index(title) + 1] == row


def test_a_module_of_nothing(guest: Guests, capsys: pytest.CaptureFixture[str]) -> None:
    path = guest("(module)")
    said = inspected(path, capsys)
    assert (said["kind"], said["abi"], said["sections"], said["start"]) == ("library", [], [], None)
    assert main(["inspect", path]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "counts:           nothing"
    assert "" not in lines


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ('(module (func (export "_initialize")))', "kind", "reactor"),
        ('(module (memory (export "_start") 1))', "kind", "library"),
        ('(module (import "wasi_unstable" "proc_exit" (func (param i32))))', "abi", ["wasi_unstable"]),
        ('(module (import "go" "debug" (func (param i32))))', "abi", ["gojs"]),
        ('(module (import "gojs" "debug" (func (param i32))))', "abi", ["gojs"]),
        ('(module (import "env" "abort" (func (param i32 i32 i32 i32))))', "abi", ["assemblyscript"]),
        ('(module (import "env" "invoke_v" (func (param i32))))', "abi", ["emscripten"]),
        ('(module (import "env" "mine" (func)))', "abi", ["env"]),
        ('(module (import "env" "memory" (memory 1)))', "abi", ["env"]),
    ],
)
def test_what_it_is_made_for(
    guest: Guests, capsys: pytest.CaptureFixture[str], text: str, key: str, value: object
) -> None:
    assert inspected(guest(text), capsys)[key] == value


def test_features_that_are_not_enabled_are_named(guest: Guests, capsys: pytest.CaptureFixture[str]) -> None:
    path = guest("(module (memory 1) (memory 1) (func (drop (v128.const i32x4 0 0 0 0))))")
    said = inspected(path, capsys)
    assert said["features"] == {"needed": ["simd", "multi-memory"], "missing": ["simd", "multi-memory"]}
    assert main(["inspect", path]) == 0
    assert "not enabled:      simd, multi-memory" in capsys.readouterr().out.splitlines()


def test_names_cannot_steer_a_terminal(guest: Guests, capsys: pytest.CaptureFixture[str]) -> None:
    path = guest('(module (func (export "a\\1b[31m\\0a")))')
    assert main(["inspect", path]) == 0
    output = capsys.readouterr().out
    assert "\x1b" not in output
    assert "  function  a\\x1b[31m\\n" in output
    assert inspected(path, capsys)["exports"][0]["name"] == "a\x1b[31m\n"


def test_nothing_is_run(guest: Guests, capsys: pytest.CaptureFixture[str]) -> None:
    path = guest('(module (func $f unreachable) (start $f) (memory 0) (data (i32.const 1) "x"))')
    assert inspected(path, capsys)["start"] == {"index": 0, "name": "f"}


def test_every_truncation_is_one_line(guest: Guests, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wasm = Path(guest(RICH)).read_bytes()
    path = tmp_path / "cut.wasm"
    for length in range(len(wasm)):
        path.write_bytes(wasm[:length])
        status = main(["inspect", str(path)])
        output, errors = capsys.readouterr()
        if status:  # some cuts fall between sections and leave a module
            assert (status, output, errors.count("\n")) == (1, "", 1), length
            assert errors.startswith(f"error decoding wasm binary: {path}: ")


@pytest.mark.parametrize(
    ("wasm", "message"),
    [
        (b"some text".hex(), "magic header not detected: this is not a WebAssembly binary (at byte 0x0)"),
        ("0061736d01000000 0104016000", "length out of bounds: section type runs past the end (at byte 0x8)"),
        ("0061736d01000000 01040160 0000 0302 0101 0a04 0102 000b", "unknown type 1: the module has 1"),
        ("0061736d01000000 0705010161 0003", "unknown function 3: the module has 0"),
        ("0061736d01000000 01040160 0000 0302 0100 0a05 0103 00ff0b", "illegal opcode ff (at byte 0x17)"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wasm: str, message: str
) -> None:
    path = tmp_path / "bad.wasm"
    path.write_bytes(bytes.fromhex(wasm))
    assert main(["inspect", str(path)]) == 1
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors == f"error decoding wasm binary: {path}: {message}\n"


@pytest.mark.parametrize(
    ("arguments", "message", "status"),
    [
        ([], "missing path to wasm file (`wazero inspect -h` shows the usage)", 1),
        (["a", "-json"], "error: `wazero inspect` takes one file; flags come before it, not '-json' after it", 1),
        (["-x"], "error: flag provided but not defined: -x (`wazero inspect -h` lists the flags)", 2),
        (["no such"], "error reading wasm binary: no such: No such file or directory", 1),
    ],
)
def test_mistakes(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str, status: int) -> None:
    assert (main(["inspect", *arguments]), capsys.readouterr()) == (status, ("", message + "\n"))
