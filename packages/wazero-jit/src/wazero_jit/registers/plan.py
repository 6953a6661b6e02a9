"""What an ISA's registers are for, and where values stand when control flow meets: data, no code."""

from __future__ import annotations

from typing import Final, final

from wazero_api import ValueType
from wazero_api.record import record

FLOAT_CODES: Final = frozenset({ValueType.F32.code, ValueType.F64.code})
"""`ValueType.code` of what is in floating-point registers; comparing whole types would take longer."""


@final
@record
class RegisterPlan:
    """Operand ids by role. No register has two roles.

    The operand at depth d of a function's operand stack, if it is in a register at all, is in temporary d. The first
    parameters and results of a function, and the values that a label takes, stand there, too, and in memory behind
    them: see `translate.control`.
    """

    scratch: tuple[int, ...]
    """Free within one instruction."""
    float_scratch: tuple[int, ...]
    temporaries: tuple[int, ...]
    """For operands; a call changes them all."""
    float_temporaries: tuple[int, ...]
    pins: tuple[int, ...]
    """For locals, during the whole function; callees keep them."""
    float_pins: tuple[int, ...]
    frame_unit: int = 1
    """Of how many words each frame is a multiple, the return address above it counted."""

    def temporary(self, depth: int, type: ValueType) -> int | None:
        """The register of the operand at `depth`, or None if it has none."""
        registers = self.float_temporaries if type.code in FLOAT_CODES else self.temporaries
        return registers[depth] if depth < len(registers) else None
