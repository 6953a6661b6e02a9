"""Invariants of the register tables."""

from __future__ import annotations

from wazero_jit.isa.arm64.encoding import SP, X0, X18, X19, X30
from wazero_jit.isa.arm64.registers import C_SAVED, C_SAVED_FLOATS, CONTEXT, EXECUTION, MEMORY, PLAN, RESERVED
from wazero_jit.registers.operands import FLOAT, SLOT

GENERAL = (*PLAN.scratch, *PLAN.temporaries, *PLAN.pins)
FLOATS = (*PLAN.float_scratch, *PLAN.float_temporaries, *PLAN.float_pins)


def test_every_register_has_one_role() -> None:
    roles = sorted((*GENERAL, *FLOATS, *RESERVED))
    assert roles == [register for register in range(SLOT) if register != SP]


def test_roles_are_for_registers_of_their_class() -> None:
    assert all(X0 <= register <= X30 for register in GENERAL)
    assert all(FLOAT <= register < SLOT for register in FLOATS)


def test_each_reservation_has_a_reason() -> None:
    assert X18 in RESERVED
    assert all(len(reason) > 20 for reason in RESERVED.values())


def test_what_wasm_code_relies_on_survives_calls_of_c() -> None:
    assert {CONTEXT, MEMORY, EXECUTION, *PLAN.pins} <= set(C_SAVED)
    assert {register - FLOAT for register in PLAN.float_pins} <= set(C_SAVED_FLOATS)


def test_entries_save_all_that_c_code_keeps_in_pairs() -> None:
    assert tuple(range(X19, X30 + 1)) == C_SAVED
    assert tuple(range(8, 16)) == C_SAVED_FLOATS
    assert not len(C_SAVED) % 2
    assert not len(C_SAVED_FLOATS) % 2


def test_frames_keep_the_stack_pointer_aligned() -> None:
    assert PLAN.frame_unit * 8 == 16
