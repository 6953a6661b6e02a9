"""Every operation of the slice with operands of all kinds, on arm64 and on another runtime."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import Runner
from .reference import Reference

COMPARISONS = ("eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u")
BINARY = ("add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "shr_u")
UNARY = {32: ("extend8_s", "extend16_s"), 64: ("extend8_s", "extend16_s", "extend32_s", "extend_i32_s", "extend_i32_u")}
LOADS = {32: ("8_s", "8_u", "16_s", "16_u", ""), 64: ("8_s", "8_u", "16_s", "16_u", "32_s", "32_u", "")}
STORES = {32: ("8", "16", ""), 64: ("8", "16", "32", "")}
CONSTANTS = {
    32: (0, -1, 5, -4095, 0x3000, 0x00FF00FF, 0x12345678, -(1 << 31)),
    64: (0, -1, 33, -4095, 0x3000, 0x00FF00FF00FF00FF, 0x123456789ABCDEF0, -(1 << 63)),
}
VALUES = {
    32: (0, 1, -1, 0x12345678, -(1 << 31)),
    64: (0, 1, -1, 0x123456789ABCDEF0, -(1 << 63)),
}
DEEP = 12
"""Operands on the stack from which on more have no register."""


class Module:
    """Exported functions, and the calls to be made of them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._functions: list[str] = []
        self.calls: list[tuple[str, str, list[int]]] = []

    def add(self, signature: str, body: str, arguments: Iterator[tuple[int, ...]]) -> None:
        name = f"f{len(self._functions)}"
        self._functions.append(f'(func (export "{name}") {signature} {body})')
        self.calls += [(self.name, name, list(values)) for values in arguments]

    @property
    def text(self) -> str:
        return "(module (memory 1) " + "\n".join(self._functions) + ")"


def pairs(width: int) -> Iterator[tuple[int, ...]]:
    return itertools.product(VALUES[width], repeat=2)


def _binary(module: Module, width: int) -> None:
    t = f"i{width}"
    for name in (*BINARY, *COMPARISONS):
        op, result = f"{t}.{name}", "i32" if name in COMPARISONS else t
        both = f"(param {t} {t}) (result {result})"
        one = f"(param {t}) (result {result})"
        module.add(both, f"({op} (local.get 0) (local.get 1))", pairs(width))
        module.add(both, f"({op} (local.get 1) (local.get 0))", pairs(width))
        for constant in CONSTANTS[width]:
            values = [(value,) for value in VALUES[width]]
            module.add(one, f"({op} (local.get 0) ({t}.const {constant}))", iter(values))
            module.add(one, f"({op} ({t}.const {constant}) (local.get 0))", iter(values))
            for other in CONSTANTS[width][:2]:
                module.add(f"(result {result})", f"({op} ({t}.const {constant}) ({t}.const {other}))", iter([()]))


def _places(module: Module, width: int) -> None:
    """Operands and results in pins, in slots, and where the stack is deeper than there are registers."""
    t = f"i{width}"
    for name in (*BINARY, *COMPARISONS):
        op, result = f"{t}.{name}", "i32" if name in COMPARISONS else t
        computed = f"({t}.add (local.get 0) ({t}.const 3)) ({t}.xor (local.get 1) (local.get 0)) ({op})"
        below = f"({t}.mul (local.get 0) (local.get 1)) " * DEEP
        drops = f"(local.set 2) {'(drop) ' * DEEP} (local.get 2)"
        signature = f"(param {t} {t}) (result {result}) (local {result})"
        module.add(signature, f"{below} {computed} {drops}", pairs(width))
        module.add(signature, f"(loop {computed} (local.set 2)) (local.get 2)", pairs(width))
        used = "(drop (local.get 0)) (drop (local.get 1)) " * 3
        module.add(signature, f"{used} {computed} (local.set 2) (local.get 2)", pairs(width))


def _conditions(module: Module, width: int) -> None:
    t = f"i{width}"
    for name in COMPARISONS:
        condition = f"({t}.{name} (local.get 0) (local.get 1))"
        both = f"(param {t} {t}) (result i32)"
        for asked in (condition, f"(i32.eqz {condition})"):
            module.add(both, f"(if (result i32) {asked} (then (i32.const 5)) (else (i32.const 6)))", pairs(width))
            module.add(both, f"(block (br_if 0 {asked}) (return (i32.const 1))) (i32.const 2)", pairs(width))
            module.add(both, f"(select (i32.const 3) (i32.const 4) {asked})", pairs(width))
            module.add(f"(param {t} {t}) (result {t})", f"(select (local.get 1) (local.get 0) {asked})", pairs(width))
    zero = f"({t}.eqz (local.get 0))"
    values = [(value,) for value in VALUES[width]]
    for asked in (zero, f"(i32.eqz {zero})", "(i32.wrap_i64 (local.get 0))" if width == 64 else "(local.get 0)"):
        one = f"(param {t}) (result i32)"
        module.add(one, f"(if (result i32) {asked} (then (i32.const 5)) (else (i32.const 6)))", iter(values))
        module.add(one, f"(select (i32.const 3) (i32.const 4) {asked})", iter(values))
        module.add(one, asked, iter(values))


def _unary(module: Module, width: int) -> None:
    t = f"i{width}"
    for name in UNARY[width]:
        source = 32 if "i32" in name else width
        values = [(value,) for value in VALUES[source]]
        module.add(f"(param i{source}) (result {t})", f"({t}.{name} (local.get 0))", iter(values))
    if width == 32:
        module.add("(param i64) (result i32)", "(i32.wrap_i64 (local.get 0))", iter([(v,) for v in VALUES[64]]))


def _memory(module: Module, width: int) -> None:
    t = f"i{width}"
    pattern = "(i64.store (i32.const 64) (i64.const 0x8091a2b3c4d5e6f7))"
    for name in LOADS[width]:
        load = f"{t}.load{name}"
        module.add(f"(param i32) (result {t})", f"{pattern} ({load} offset=60 (local.get 0))", iter([(4,), (5,), (8,)]))
        module.add(f"(result {t})", f"{pattern} ({load} offset=3 (i32.const 62))", iter([()]))
    for name in STORES[width]:
        store = f"{t}.store{name}"
        values = [(address, value) for address in (0, 3) for value in VALUES[width]]
        clear = "(i64.store (i32.const 4096) (i64.const 0)) (i64.store (i32.const 4104) (i64.const 0))"
        read = "(i64.add (i64.load (i32.const 4096)) (i64.load (i32.const 4101)))"
        module.add(
            f"(param i32 {t}) (result i64)",
            f"{clear} ({store} offset=4096 (local.get 0) (local.get 1)) {read}",
            iter(values),
        )
        module.add("(result i64)", f"{clear} ({store} (i32.const 4099) ({t}.const -2)) {read}", iter([()]))


FILLERS = (_binary, _places, _conditions, _unary, _memory)


@pytest.fixture(scope="module")
def modules() -> list[Module]:
    made = []
    for fill, width in itertools.product(FILLERS, (32, 64)):
        made.append(Module(f"{fill.__name__[1:]}{width}"))
        fill(made[-1], width)
    return made


@pytest.fixture(scope="module")
def answers(run_arm64: Runner, modules: list[Module]) -> list[Any]:
    """One by one for the calls of all modules; all at once, since an emulated Python takes seconds to start."""
    return run_arm64(
        {module.name: module.text for module in modules}, [call for module in modules for call in module.calls]
    )


@pytest.mark.parametrize("index", range(2 * len(FILLERS)))
def test_results_are_the_same_as_elsewhere(modules: list[Module], answers: list[Any], index: int) -> None:
    module = modules[index]
    start = sum(len(before.calls) for before in modules[:index])
    reference = Reference({module.name: module.text})
    functions = module.text.splitlines()
    wrong = []
    for call, answer in zip(module.calls, answers[start:], strict=False):
        expected = reference.call(*call)
        if answer != ["value", expected]:
            wrong.append((functions[int(call[1][1:])], call[2], answer, expected))
    assert not wrong[:5]
