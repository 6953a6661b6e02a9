"""Which lowering belongs to which operation, by the names in `translate.meanings`.

What an operation leaves alone: operands that are not its destination, and every register but the plan's scratch ones
(`registers.PLAN`), which operands may not be in.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from wazero_api import UnsupportedError
from wazero_jit.isa.memos import Lower

from . import compare, integer, memory_access, moves

_PLAIN: Final[dict[str, Lower]] = {
    "move": moves.move,
    **integer.LOWERINGS,
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
    "memory.size": moves.memory_size,
    "i32.add shifted": partial(integer.add_shifted, 32),
    "i64.add shifted": partial(integer.add_shifted, 64),
    **memory_access.LOWERINGS,
}


def lowering(name: str, *immediates: Any) -> Lower:
    """What lowers an operation. Raises UnsupportedError for those that are missing yet."""
    if name in _CONDITIONAL and set(immediates) <= compare.COMPARISONS.keys():
        return _CONDITIONAL[name](*[compare.COMPARISONS[comparison] for comparison in immediates])
    if name in _WITH_IMMEDIATES:
        return _WITH_IMMEDIATES[name](*immediates)
    if name in _PLAIN:
        return _PLAIN[name]
    missing = immediates[0] if name in _CONDITIONAL else name
    raise UnsupportedError(f"the arm64 engine cannot translate {missing} yet")
