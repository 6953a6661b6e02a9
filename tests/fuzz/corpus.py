"""Good modules to start mutating from: together they hold every section, kind of segment and supported instruction."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

import wasmtime

from fuzz.binary import FUNCREF, I32, body, function_type, functions, leb, name, section, vec
from wazero_api import OPCODES, AddressOperand, Immediate, Opcode, ValueType
from wazero_core.validation import SUPPORTED_FEATURES

_CACHE: Final = Path(__file__).parents[2] / ".cache" / "fuzz"

CONTROL: Final = """
(module
  (func (export "table") (param i32) (result i32)
    (block (block (block (block (br_table 0 1 2 3 1 0 (local.get 0))) (return (i32.const 10)))
      (return (i32.const 11))) (return (i32.const 12))) (i32.const 13))
  (func (export "gcd") (param i32 i32) (result i32)
    (loop (result i32)
      (if (result i32) (i32.eqz (local.get 1))
        (then (local.get 0))
        (else (local.get 1) (i32.rem_u (local.get 0) (local.get 1)) (local.set 1) (local.set 0) (br 1)))))
  (func $swap (param i32 i64) (result i64 i32) (local.get 1) (local.get 0))
  (func (export "multi") (param i32) (result i64 i32)
    (call $swap (local.get 0) (i64.const -1))
    (block (param i64 i32) (result i64 i32) (br_if 0 (i32.const 1)) (unreachable)))
  (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func (export "endless") (loop (br 0)))
  (func (export "deep") (param i32) (result i32)
    (local.get 0) (if (result i32) (i32.const 1) (then (i32.const 2)) (else (block (result i32) (loop (result i32) (i32.const 3) (br_if 1 (local.get 0)))))) (i32.add))
  (func (export "unreachable") (result f64) (unreachable) (i32.add) (drop) (f64.const 1)))
"""

STATE: Final = """
(module $state
  (import "env" "f" (func $f (param i32 f64) (result i32)))
  (import "env" "g" (global $g i32))
  (import "env" "m" (global $m (mut i64)))
  (import "env" "t" (table $t 4 100 funcref))
  (import "other" "h" (func $h (result externref)))
  (type $unary (func (param i32) (result i32)))
  (table $own 6 externref)
  (memory (export "memory") 1 3)
  (global $counter (export "counter") (mut i32) (i32.const 41))
  (global $float f32 (f32.const 1.5))
  (global $null externref (ref.null extern))
  (global $func funcref (ref.func $inc))
  (elem (table $t) (i32.const 1) func $inc $double)
  (elem (table $t) (offset (i32.const 3)) funcref (ref.null func))
  (elem $passive funcref (ref.func $inc) (ref.null func))
  (elem $indices func $inc $double $double)
  (elem declare func $inc)
  (data (i32.const 8) "hello, world")
  (data (i32.const 0xfff0) "0123456789abcdef")
  (data $late "passive data")
  (data (global.get $g) "at an imported global")
  (start $init)
  (func $init (global.set $counter (i32.add (global.get $counter) (i32.const 1))))
  (func $inc (export "inc") (type $unary) (i32.add (local.get 0) (i32.const 1)))
  (func $double (type $unary) (i32.mul (local.get 0) (i32.const 2)))
  (func (export "indirect") (param i32) (result i32) (call_indirect $t (type $unary) (i32.const 20) (local.get 0)))
  (func (export "host") (result i32) (call $f (i32.const 1) (f64.const 2)))
  (func (export "refs") (result i32) (table.set $own (i32.const 0) (call $h)) (ref.is_null (table.get $own (i32.const 0))))
  (func (export "tables") (result i32)
    (table.init $t $passive (i32.const 0) (i32.const 0) (i32.const 2)) (elem.drop $passive)
    (table.copy $t $t (i32.const 2) (i32.const 0) (i32.const 1))
    (table.fill $own (i32.const 0) (ref.null extern) (i32.const 2))
    (drop (table.grow $own (ref.null extern) (i32.const 3)))
    (i32.add (table.size $t) (table.size $own)))
  (func (export "bulk") (result i32)
    (memory.init $late (i32.const 100) (i32.const 0) (i32.const 12)) (data.drop $late)
    (memory.copy (i32.const 200) (i32.const 100) (i32.const 12))
    (memory.fill (i32.const 300) (i32.const 7) (i32.const 50))
    (drop (memory.grow (i32.const 1)))
    (i32.add (memory.size) (i32.load8_u offset=5 (i32.const 200))))
  (func (export "walk") (param $n i32) (result i64) (local $i i32) (local $sum i64)
    (loop $again
      (local.set $sum (i64.add (local.get $sum) (i64.load32_u (i32.and (local.get $i) (i32.const 0xfffc)))))
      (i64.store offset=1024 (i32.and (local.get $i) (i32.const 0xfff)) (local.get $sum))
      (local.set $i (i32.add (local.get $i) (i32.const 3)))
      (br_if $again (i32.lt_u (local.get $i) (local.get $n))))
    (local.get $sum)))
"""

_SOURCE: Final = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
__attribute__((export_name("work"))) int work(int n) {
  int *numbers = malloc(sizeof(int) * 64), sum = 0;
  for (int i = 0; i < 64; i++) numbers[i] = (i * 7919 + n) % 101;
  qsort(numbers, 64, sizeof(int), compare);
  for (int i = 0; i < 64; i++) sum = sum * 31 + numbers[i];
  free(numbers);
  return sum;
}
int main(int argc, char **argv) { printf("%d %s %f\\n", work(argc), argv[0], work(3) / 7.0); return strlen(argv[0]) > 3; }
"""


def _wasm(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(text))


_IMMEDIATES: Final[dict[Immediate, bytes]] = {
    Immediate.MEMARG: b"\0\0",
    Immediate.MEMORY: b"\0",
    Immediate.I32: b"\x2a",
    Immediate.I64: b"\x2a",
    Immediate.F32: bytes(4),
    Immediate.F64: b"\0\0\0\0\0\0\xf8\x3f",
}
_CONSTANTS: Final = {
    ValueType.I32: b"\x41\3",
    ValueType.I64: b"\x42\5",
    ValueType.F32: b"\x43\0\0\x80\x3f",
    ValueType.F64: b"\x44\0\0\0\0\0\0\0\x40",
}


def closed_instructions() -> list[Opcode]:
    """Supported instructions whose operands the opcode table tells, and whose immediates are plain."""
    return [
        o
        for o in OPCODES
        if not o.feature & ~SUPPORTED_FEATURES
        and o.params is not None
        and o.results is not None
        and o.prefix in (0, 0xFC)
        and set(o.immediates) <= set(_IMMEDIATES)
        and all(isinstance(p, AddressOperand) or p in _CONSTANTS for p in o.params)
    ]


def _all_instructions() -> bytes:
    """One function for each closed instruction, on constants."""
    bodies = []
    for opcode in closed_instructions():
        operands = b"".join(
            _CONSTANTS[ValueType.I32 if isinstance(p, AddressOperand) else p] for p in opcode.params or ()
        )
        code = operands + opcode.encoding + b"".join(_IMMEDIATES[i] for i in opcode.immediates)
        bodies.append(body(code + b"\x1a" * len(opcode.results or ())))
    calls = b"".join(b"\x10" + leb(i) for i in range(len(bodies)) if i != 0)
    more = [(4, vec([bytes([FUNCREF, 0, 4])])), (5, vec([b"\0\1"]))]
    wasm = functions(
        [*bodies, body(calls)],
        types=[function_type(), function_type([I32])],
        exports=[name("all") + b"\0" + leb(len(bodies)), name("memory") + b"\2\0"],
        more=more,
    )
    names = section(0, name("name") + section(1, vec([leb(0) + name("first")])) + section(2, vec([leb(0) + vec([])])))
    return wasm + names + section(0, name("custom") + b"content")


@cache
def small() -> dict[str, bytes]:
    """By name, the modules that every run uses."""
    return {"control": _wasm(CONTROL), "state": _wasm(STATE), "instructions": _all_instructions()}


def has_compiler() -> bool:
    """Whether C can be compiled here."""
    return importlib.util.find_spec("ziglang") is not None


def c_program() -> bytes:
    """A C program with libc, built once and kept; some 50 KB."""
    output = _CACHE / "corpus.wasm"
    if not output.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        source = _CACHE / "corpus.c"
        source.write_text(_SOURCE)
        command = [
            sys.executable,
            "-m",
            "ziglang",
            "cc",
            "-target",
            "wasm32-wasi",
            "-Os",
            "-o",
            str(output),
            str(source),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=600)
    return output.read_bytes()
