"""The translator's tables against the one opcode table: nothing missing, nothing made up."""

from __future__ import annotations

from wazero_api import BY_CODE, BY_NAME, OPCODES, Immediate, Module, ValueType
from wazero_core.portable import operations
from wazero_core.portable.numeric import LOADS, NUMERIC, STORES
from wazero_core.portable.translate.writers import WRITERS
from wazero_core.validation import SUPPORTED_FEATURES
from wazero_core.validation.automaton import Automaton
from wazero_core.validation.body import BodyChecker, LocalTokens
from wazero_core.validation.context import ModuleContext
from wazero_core.validation.rules import _SPECIAL

SUPPORTED = {o.name: o for o in OPCODES if not o.feature & ~SUPPORTED_FEATURES}
NUMBERS = {ValueType.I32, ValueType.I64, ValueType.F32, ValueType.F64}


def test_every_supported_instruction_can_be_translated() -> None:
    assert set(WRITERS) == set(SUPPORTED)


def test_numeric_instructions() -> None:
    expected = {
        name
        for name, o in SUPPORTED.items()
        if not o.immediates and o.params and o.results is not None and set(o.params) | set(o.results) <= NUMBERS
    }
    assert set(NUMERIC) == expected


def test_loads_and_stores() -> None:
    accesses = {name: o for name, o in SUPPORTED.items() if Immediate.MEMARG in o.immediates}
    assert set(LOADS) == {name for name, o in accesses.items() if o.results}
    assert set(STORES) == {name for name, o in accesses.items() if not o.results}


def test_templates_use_each_operand() -> None:
    for name, row in NUMERIC.items():
        for index in range(len(BY_NAME[name].params or ())):
            assert f"{{{index}}}" in row.template, name
    assert all("{m}" in text and "{a}" in text for text in [*LOADS.values(), *STORES.values()])
    assert all("{v}" in text for text in STORES.values())


def test_templates_name_only_what_generated_code_has() -> None:
    """A name that is not there would show only when the instruction runs."""
    builtin_methods = {"bit_length", "bit_count"}
    for text in [*(row.template for row in NUMERIC.values()), *LOADS.values(), *STORES.values()]:
        plain = text.format(*("1", "1"), m="m", a="a", v="v")
        names = set(compile(plain, "", "exec").co_names)
        assert names <= set(operations.NAMES) | builtin_methods | {"m", "a", "v"}, text


def test_every_supported_open_instruction_has_a_typing_rule() -> None:
    """Here, or as one of those that bodies handle: control instructions and locals."""
    open_ones = {name for name, o in SUPPORTED.items() if o.params is None or o.results is None}
    automaton = Automaton(ModuleContext(Module(), SUPPORTED_FEATURES))
    handled = {BY_CODE[0, code].name for code in BodyChecker(automaton, LocalTokens())._control}
    assert open_ones <= set(_SPECIAL) | handled
    assert set(_SPECIAL) <= set(SUPPORTED)
    assert not set(_SPECIAL) & handled
