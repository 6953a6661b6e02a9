"""Five small programs that show what generated code is worth, as text modules that every engine runs unchanged.

Each exports ``run``, from a size to a number that depends on all the work done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final


@final
@dataclass(frozen=True, slots=True)
class Kernel:
    """A program and how much work to give it."""

    name: str
    size: int
    """Chosen so that pywasm takes one to three seconds."""
    small_size: int
    """For one quick run that only looks at the result."""
    text: str


_FIB: Final = """
(module
  (func $fib (export "run") (param $n i32) (result i32)
    (if (result i32) (i32.lt_s (local.get $n) (i32.const 2))
      (then (local.get $n))
      (else (i32.add
        (call $fib (i32.sub (local.get $n) (i32.const 1)))
        (call $fib (i32.sub (local.get $n) (i32.const 2))))))))
"""

_SIEVE: Final = """
(module
  (memory 2)
  (func (export "run") (param $n i32) (result i32)
    (local $i i32) (local $j i32) (local $count i32)
    (loop $clear
      (i32.store8 (local.get $i) (i32.const 1))
      (br_if $clear (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.set $i (i32.const 2))
    (loop $next
      (if (i32.load8_u (local.get $i))
        (then
          (local.set $count (i32.add (local.get $count) (i32.const 1)))
          (local.set $j (i32.mul (local.get $i) (local.get $i)))
          (block $struck
            (loop $strike
              (br_if $struck (i32.ge_u (local.get $j) (local.get $n)))
              (i32.store8 (local.get $j) (i32.const 0))
              (local.set $j (i32.add (local.get $j) (local.get $i)))
              (br $strike)))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $count)))
"""

_MEMORY: Final = """
(module
  (memory 4)
  (func (export "run") (param $n i32) (result i32)
    (local $i i32) (local $address i32) (local $sum i32)
    (loop $write
      (i32.store offset=16 (local.get $address) (i32.mul (local.get $i) (i32.const 0x9E3779B1)))
      (local.set $address (i32.and (i32.add (local.get $address) (i32.const 4)) (i32.const 0x1FFFC)))
      (br_if $write (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.set $i (i32.const 0))
    (local.set $address (i32.const 0))
    (loop $read
      (local.set $sum (i32.add (local.get $sum) (i32.load offset=16 (local.get $address))))
      (local.set $address (i32.and (i32.add (local.get $address) (i32.const 4)) (i32.const 0x1FFFC)))
      (br_if $read (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $sum)))
"""

_BR_TABLE: Final = """
(module
  (func (export "run") (param $n i32) (result i32)
    (local $x i32)
    (loop $next
      (block $join
        (block $7 (block $6 (block $5 (block $4 (block $3 (block $2 (block $1 (block $0
          (br_table $0 $1 $2 $3 $4 $5 $6 $7 (i32.and (local.get $n) (i32.const 7))))
          (local.set $x (i32.add (local.get $x) (i32.const 1))) (br $join))
          (local.set $x (i32.xor (local.get $x) (i32.const 0x55))) (br $join))
          (local.set $x (i32.mul (local.get $x) (i32.const 3))) (br $join))
          (local.set $x (i32.sub (local.get $x) (local.get $n))) (br $join))
          (local.set $x (i32.shl (local.get $x) (i32.const 1))) (br $join))
          (local.set $x (i32.add (local.get $x) (local.get $n))) (br $join))
          (local.set $x (i32.or (local.get $x) (i32.const 0x100))) (br $join))
        (local.set $x (i32.shr_u (local.get $x) (i32.const 1))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x)))
"""

_MATRIX: Final = """
(module
  (memory 8)
  (func (export "run") (param $n i32) (result f64)
    (local $i i32) (local $j i32) (local $k i32) (local $cells i32) (local $b i32) (local $sum f64) (local $total f64)
    (local.set $cells (i32.mul (local.get $n) (local.get $n)))
    (local.set $b (i32.shl (local.get $cells) (i32.const 3)))
    (loop $fill
      (f64.store (i32.shl (local.get $i) (i32.const 3)) (f64.mul (f64.convert_i32_s (local.get $i)) (f64.const 0.5)))
      (f64.store (i32.add (local.get $b) (i32.shl (local.get $i) (i32.const 3)))
        (f64.convert_i32_s (i32.sub (local.get $cells) (local.get $i))))
      (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $cells))))
    (local.set $i (i32.const 0))
    (loop $row
      (local.set $j (i32.const 0))
      (loop $column
        (local.set $sum (f64.const 0))
        (local.set $k (i32.const 0))
        (loop $cell
          (local.set $sum (f64.add (local.get $sum) (f64.mul
            (f64.load (i32.shl (i32.add (i32.mul (local.get $i) (local.get $n)) (local.get $k)) (i32.const 3)))
            (f64.load (i32.add (local.get $b)
              (i32.shl (i32.add (i32.mul (local.get $k) (local.get $n)) (local.get $j)) (i32.const 3)))))))
          (br_if $cell (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1))) (local.get $n))))
        (local.set $total (f64.add (f64.mul (local.get $total) (f64.const 0.5)) (local.get $sum)))
        (br_if $column (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (local.get $n))))
      (br_if $row (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $total)))
"""

KERNELS: Final = (
    Kernel("fib", 23, 12, _FIB),
    Kernel("sieve", 30_000, 500, _SIEVE),
    Kernel("memory", 30_000, 500, _MEMORY),
    Kernel("br_table", 60_000, 500, _BR_TABLE),
    Kernel("matrix", 26, 6, _MATRIX),
)
"""What the target of the portable engine names."""
