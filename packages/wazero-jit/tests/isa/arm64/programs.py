"""Modules for the tests that run on arm64."""

from __future__ import annotations

import re

RECURSION = """(module
  (func $fac (export "fac") (param i64) (result i64)
    (if (result i64) (i64.eqz (local.get 0))
      (then (i64.const 1))
      (else (i64.mul (local.get 0) (call $fac (i64.sub (local.get 0) (i64.const 1)))))))
  (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
      (then (local.get 0))
      (else (i32.add
        (call $fib (i32.sub (local.get 0) (i32.const 1)))
        (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func $large (param i32) (result i32) LOCALS
    (local.set 2000 (i64.extend_i32_u (local.get 0)))
    (if (local.get 0) (then (local.set 0 (call $large (i32.sub (local.get 0) (i32.const 1))))))
    (i32.add (local.get 0) (i32.wrap_i64 (i64.add (local.get 2000) (local.get 2001)))))
  (func (export "wide") (param i32) (result i32) (i32.add (i32.const 1) (call $large (local.get 0)))))
""".replace("LOCALS", "(local " + "i64 " * 6000 + ")")
"""`wide` has frames so large that the stack is looked at before they are made."""

SIEVE = """(module
  (memory 1 2)
  (data (i32.const 70) "abc")
  (func (export "sieve") (param $limit i32) (result i32) (local $i i32) (local $j i32) (local $count i32)
    (loop $clear
      (i32.store8 offset=100 (local.get $i) (i32.const 0))
      (br_if $clear (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $limit))))
    (local.set $i (i32.const 2))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $i) (local.get $limit)))
      (if (i32.eqz (i32.load8_u offset=100 (local.get $i)))
        (then
          (local.set $count (i32.add (local.get $count) (i32.const 1)))
          (local.set $j (i32.mul (local.get $i) (local.get $i)))
          (block $marked (loop $mark
            (br_if $marked (i32.ge_u (local.get $j) (local.get $limit)))
            (i32.store8 offset=100 (local.get $j) (i32.const 1))
            (local.set $j (i32.add (local.get $j) (local.get $i)))
            (br $mark)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
    (local.get $count))
  (func (export "pages") (result i32) (memory.size))
  (func (export "text") (result i32) (i32.load offset=6 (i32.const 64)))
  (func (export "load") (param i32) (result i32) (i32.load offset=4 (local.get 0)))
  (func (export "far") (param i32) (result i32) (i32.load8_u offset=4294967295 (local.get 0)))
  (func (export "store") (param i32 i64) (result i64)
    (i64.store offset=8 (local.get 0) (local.get 1))
    (i64.load offset=8 (local.get 0)))
  (func (export "constant") (result i32) (i32.load (i32.const 65533))))
"""

_DEEP = "(i32.add (local.get 0) (i32.const 1)) (i32.mul (local.get 1) (i32.const 3)) " * 8 + "(i32.sub) " * 15
"""More operands than there are registers."""

CONTROL = (
    """(module
  (type $unary (func (param i32) (result i32)))
  (global $g (mut i32) (i32.const 5))
  (global $h (mut i64) (i64.const -1))
  (table 5 5 funcref)
  (elem (i32.const 0) func $double $square $zero)
  (func $double (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1)))
  (func $square (param i32) (result i32) (i32.mul (local.get 0) (local.get 0)))
  (func $zero (result i64) (i64.const 0))
  (func (export "indirect") (param i32 i32) (result i32)
    (call_indirect (type $unary) (local.get 1) (local.get 0)))
  (func (export "switch") (param $times i32) (result i32) (local $sum i32)
    (loop $again
      (block $out (block $c (block $b (block $a
        (br_table $a $b $c $out (i32.and (local.get $times) (i32.const 7))))
        (local.set $sum (i32.add (local.get $sum) (i32.const 1))) (br $out))
        (local.set $sum (i32.add (local.get $sum) (i32.const 100))) (br $out))
        (local.set $sum (i32.add (local.get $sum) (i32.const 10000))))
      (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
    (local.get $sum))
  (func (export "value_switch") (param i32) (result i32)
    (i32.add (i32.const 1) (block $a (result i32)
      (i32.mul (i32.const 10) (block $b (result i32)
        (br_table $a $b (i32.add (local.get 0) (i32.const 7)) (local.get 0)))))))
  (func (export "globals") (param i32 i64) (result i64)
    (global.set $g (i32.add (global.get $g) (local.get 0)))
    (global.set $h (i64.xor (global.get $h) (local.get 1)))
    (i64.add (i64.extend_i32_s (global.get $g)) (global.get $h)))
  (func (export "select") (param i32 i64 i64) (result i64)
    (i64.add
      (select (local.get 1) (local.get 2) (local.get 0))
      (select (i64.const 1000) (local.get 1) (i64.lt_s (local.get 1) (local.get 2)))))
  (func (export "trap") (param i32) (result i32)
    (if (local.get 0) (then unreachable)) (i32.const 3))
  (func $nothing (export "nothing"))
  (func (export "keep") (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64)
    (call $nothing)
    (i64.mul (i64.add (local.get 0) (i64.mul (local.get 1) (i64.const 10)))
      (i64.sub (i64.xor (local.get 2) (local.get 3)) (i64.mul
        (i64.add (local.get 4) (i64.mul (local.get 5) (i64.const 7)))
        (i64.sub (local.get 6) (i64.mul (local.get 7) (i64.const 5)))))))
  (func (export "early") (param i32) (result i32)
    (loop $l
      (if (i32.gt_s (local.get 0) (i32.const 100)) (then (return (local.get 0))))
      (local.set 0 (i32.add (i32.mul (local.get 0) (i32.const 3)) (i32.const 1)))
      (br $l)) (unreachable))
  (func $three (param i32 i32) (result i32 i64 i32)
    (i32.add (local.get 0) (local.get 1)) (i64.extend_i32_s (local.get 0)) (local.get 1))
  (func (export "multiple") (param i32 i32) (result i64) (local i64)
    (call $three (local.get 0) (local.get 1))
    (i64.extend_i32_s) (local.set 2) (i64.add (local.get 2)) (local.set 2) (i64.extend_i32_s) (i64.mul (local.get 2)))
  (func $many (export "many") (param i32 i64 i32 i64 i32 i64 i32 i64 i32 i64 i32 i64) (result i64)
    (i64.sub (i64.add (local.get 1) (local.get 11)) (i64.mul (local.get 9) (i64.extend_i32_s (local.get 8)))))
  (func (export "pass_many") (param i64) (result i64)
    (i64.add (i64.const 7) (call $many (i32.const 1) (local.get 0) (i32.const 3) (i64.const 4) (i32.const 5) (i64.const 6)
      (i32.const 7) (i64.const 8) (i32.const -9) (local.get 0) (i32.const 11) (i64.const 1))))
  (func $results (result i32 i32 i32 i32 i32 i32 i32 i32 i32 i64)
    (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5) (i32.const 6) (i32.const 7) (i32.const 8)
    (i32.const 9) (i64.const -10))
  (func (export "many_results") (result i64)
    (call $results) (drop) ADDITIONS (i64.extend_i32_s))
  (func (export "deep") (param i32 i32) (result i32) DEEP)
  (func (export "zeros") (result i64) (local LOCALS) (i64.or (local.get 0) (i64.or (local.get 19) (local.get 10)))))
""".replace("ADDITIONS", "(i32.add) " * 8)
    .replace("DEEP", _DEEP)
    .replace("LOCALS", "i64 " * 20)
)
LIBRARY = """(module
  (memory (export "memory") 1)
  (data (i32.const 8) "\\2a")
  (global (export "base") i32 (i32.const 8))
  (func (export "peek") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "fail") (param i32) (result i32) (i32.load (i32.const -1))))
"""

PROGRAM = """(module
  (import "library" "peek" (func $peek (param i32) (result i32)))
  (import "library" "fail" (func $fail (param i32) (result i32)))
  (import "library" "base" (global $base i32))
  (memory 1)
  (data (i32.const 8) "\\07")
  (func (export "both") (result i32)
    (i32.sub (call $peek (global.get $base)) (i32.load8_u (global.get $base))))
  (func $inner (param i32) (result i32) (i32.add (i32.const 1) (call $fail (local.get 0))))
  (func (export "outer") (param i32) (result i32) (i32.add (i32.const 1) (call $inner (local.get 0)))))
"""


def _named(text: str) -> str:
    """With exported functions called like their exports, so that stack traces tell."""
    return re.sub(r'\(func \(export "(\w+)"\)', r'(func $\1 (export "\1")', text)


MODULES = {
    "recursion": _named(RECURSION),
    "sieve": _named(SIEVE),
    "control": _named(CONTROL),
    "library": _named(LIBRARY),
    "program": _named(PROGRAM),
}
"""By name; each imports from those before it."""
