"""Whole programs on arm64, through the same translation as on amd64."""

from __future__ import annotations

from typing import Any

import pytest

from . import programs
from .conftest import Runner

MODULES = {
    "recursion": programs.RECURSION,
    "sieve": programs.SIEVE,
    "control": programs.CONTROL,
    "library": programs.LIBRARY,
    "program": programs.PROGRAM,
}
OUT_OF_BOUNDS = "OUT_OF_BOUNDS_MEMORY_ACCESS"

VALUES: list[tuple[str, str, list[Any], Any]] = [
    ("recursion", "fac", [20], 2432902008176640000),
    ("recursion", "fac", [0], 1),
    ("recursion", "fib", [18], 2584),
    ("recursion", "wide", [3], 7),
    ("sieve", "sieve", [50_000], 5133),
    ("sieve", "pages", [], 1),
    ("sieve", "text", [], 0x00636261),
    ("sieve", "load", [65528], 0),
    ("sieve", "store", [65520, -2], -2),
    ("control", "switch", [20], 30304),
    ("control", "value_switch", [0], 8),
    ("control", "value_switch", [1], 81),
    ("control", "value_switch", [-1], 8),
    ("control", "indirect", [0, 21], 42),
    ("control", "indirect", [1, -5], 25),
    ("control", "globals", [-10, 0], -6),
    ("control", "globals", [1, -1], -4),
    ("control", "select", [1, 5, 7], 1005),
    ("control", "select", [0, 8, 7], 15),
    ("control", "trap", [0], 3),
    ("control", "nothing", [], None),
    ("control", "early", [1], 121),
    ("control", "multiple", [3, 4], 49),
    ("control", "many", [0, 1, 0, 0, 0, 0, 0, 0, -2, 10, 0, 100], 121),
    ("control", "pass_many", [50], 508),
    ("control", "many_results", [], 45),
    ("control", "zeros", [], 0),
    ("program", "both", [], 35),
]

TRAPS: list[tuple[str, str, list[Any], str, list[str]]] = [
    ("sieve", "load", [65529], OUT_OF_BOUNDS, ["load"]),
    ("sieve", "load", [-1], OUT_OF_BOUNDS, ["load"]),
    ("sieve", "far", [0], OUT_OF_BOUNDS, ["far"]),
    ("sieve", "far", [-1], OUT_OF_BOUNDS, ["far"]),
    ("sieve", "store", [65521, 0], OUT_OF_BOUNDS, ["store"]),
    ("sieve", "constant", [], OUT_OF_BOUNDS, ["constant"]),
    ("control", "trap", [1], "UNREACHABLE", ["trap"]),
    ("control", "indirect", [2, 1], "INDIRECT_CALL_TYPE_MISMATCH", ["indirect"]),
    ("control", "indirect", [3, 1], "UNINITIALIZED_ELEMENT", ["indirect"]),
    ("control", "indirect", [5, 1], "UNDEFINED_ELEMENT", ["indirect"]),
    ("control", "indirect", [-1, 1], "UNDEFINED_ELEMENT", ["indirect"]),
    ("recursion", "fac", [-1], "CALL_STACK_EXHAUSTED", ["fac"] * 10),
    ("recursion", "wide", [100_000], "CALL_STACK_EXHAUSTED", ["wide"] * 10),
    ("program", "outer", [1], OUT_OF_BOUNDS, ["fail", "inner", "outer"]),
]
