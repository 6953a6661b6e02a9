"""Hand-made modules that play Go programs: exactly the calls that a test wants, of any version of Go."""

from __future__ import annotations

from integration.runtimes import wasm

SP = 65536 - 4096
"""Where they have their stack."""


def guest(imports: str, run: str, *, module: str = "gojs", resume: str = "", data: str = "", more: str = "") -> bytes:
    """A module with these imports (by name, one a line: ``$exit runtime.wasmExit``), and code for its exports."""
    lines = (line.split() for line in imports.strip().splitlines())
    declared = "\n".join(f'(import "{module}" "{name}" (func {number} (param i32)))' for number, name in lines)
    return wasm(f"""(module
      {declared}
      (memory (export "mem") 2 20)
      {data}
      (global $sp (mut i32) (i32.const {SP}))
      (func (export "getsp") (result i32) (global.get $sp))
      (func (export "run") (param $argc i32) (param $argv i32) {run})
      (func (export "resume") {resume})
      (func $slot (param i32) (result i32) (i32.add (global.get $sp) (i32.mul (i32.add (local.get 0) (i32.const 1)) (i32.const 8))))
      (func $put (param $slot i32) (param $value i64) (i64.store (call $slot (local.get $slot)) (local.get $value)))
      (func $got (param $slot i32) (result i64) (i64.load (call $slot (local.get $slot))))
      {more})""")


EXIT = "$exit runtime.wasmExit"
END = "(call $put (i32.const 0) (i64.const 0)) (call $exit (global.get $sp))"
"""Leaves with exit code 0."""


def ending_with(code: str) -> str:
    """Code that exits with the value of an i64 expression."""
    return f"(call $put (i32.const 0) {code}) (call $exit (global.get $sp))"
