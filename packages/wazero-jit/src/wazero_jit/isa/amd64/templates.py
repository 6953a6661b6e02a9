"""Machine code of every wasm operation but calls and jump tables, made once per operation and operands.

What an operation leaves alone: operands that are not its destination, and every register but the plan's scratch ones
(`registers.PLAN`), which operands may not be in. ``move`` keeps the flags, too, and takes any register; it may change
rax only, and that only from memory or a constant.

Keys, beyond those of `translate.meanings` (operand ids, destination last):

=====================================  ==============================================
``memo("move")``                       ``(source, dst)``
``memo("branch_if")``                  ``(i32 condition,)``; the code ends in a rel32 of 0; ``branch_unless`` alike
``memo("branch_if", comparison)``      ``(operands…)``
``memo("select")``                     ``(a, b, i32 condition, dst)``
``memo("select", comparison)``         ``(operands…, a, b, dst)``
``memo(load or store, word, offset)``  ``(address, dst)``, ``(address, value)``; see `memory_access.Access`
``memo("ref.func", "own", offset)``    ``(dst,)``; or "import"
``memo("global.get", word)``           as usual; ``word`` is a byte offset from the context
=====================================  ==============================================
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, final

from wazero_jit.isa.memos import Lower, Memos

from . import compare, conversions, division, floating, integer, memory_access, moves
from .places import decode

_VALUE_OPERATIONS: Final[dict[str, Lower]] = {
    "move": moves.move,
    **integer.LOWERINGS,
    **division.LOWERINGS,
    **floating.LOWERINGS,
    **conversions.LOWERINGS,
    **{name: partial(compare.value, comparison) for name, comparison in compare.COMPARISONS.items()},
}
_CONDITIONAL: Final[dict[str, Callable[..., Lower]]] = {
    "branch_if": compare.branch_if,
    "branch_unless": compare.branch_unless,
    "select": compare.select,
}
_WITH_IMMEDIATES: Final[dict[str, Callable[..., Lower]]] = {
    "global.get": moves.global_get,
    "global.set": moves.global_set,
    "table.get": moves.table_get,
    "table.set": moves.table_set,
    "table.size": moves.table_size,
    "memory.size": memory_access.memory_size,
    "ref.func": moves.ref_func,
    "i32.add shifted": partial(integer.add_shifted, 32),
    "i64.add shifted": partial(integer.add_shifted, 64),
}


@final
class Templates:
    """The memos. `guarded`: whether memories have guard pages, so that accesses need no check."""

    def __init__(self, guarded: bool = True) -> None:
        self._guarded = guarded
        self.memo = Memos(self._lowering, decode).memo
        """See `Memos.memo`. Raises KeyError for an operation that there is not."""

    def _lowering(self, name: str, *immediates: Any) -> Lower:
        if name in _CONDITIONAL:
            return _CONDITIONAL[name](*[compare.COMPARISONS[comparison] for comparison in immediates])
        if name in _WITH_IMMEDIATES:
            return _WITH_IMMEDIATES[name](*immediates)
        if name in memory_access.LOADS or name in memory_access.STORES:
            return memory_access.memory_access(name, self._guarded)(*immediates)
        return _VALUE_OPERATIONS[name]
