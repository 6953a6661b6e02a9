"""Machine code of operations, made once per operation and operands, and remembered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

from wazero_jit.registers.operands import Operand

Lower = Callable[..., bytes]
"""From operands, as the ISA's `decode` gives them, to bytes."""


@final
class OperationMemo(dict[tuple[Operand, ...], bytes]):
    """Code by operand ids; makes what is missing."""

    __slots__ = ("_decode", "_lower")

    def __init__(self, lower: Lower, decode: Callable[[Operand], Any]) -> None:
        super().__init__()
        self._lower = lower
        self._decode = decode

    def __missing__(self, key: tuple[Operand, ...]) -> bytes:
        code = self[key] = self._lower(*map(self._decode, key))
        return code


@final
class Memos:
    """The memos of an ISA. `lowering` gives what lowers an operation, by its name and immediates."""

    def __init__(self, lowering: Callable[..., Lower], decode: Callable[[Operand], Any]) -> None:
        self._lowering = lowering
        self._decode = decode
        self._memos: dict[tuple[Any, ...], OperationMemo] = {}

    def memo(self, name: str, *immediates: Any) -> OperationMemo:
        """See `isa.interface.Isa`. The same object each time. Raises what `lowering` raises."""
        key = (name, *immediates)
        memo = self._memos.get(key)
        if memo is None:
            memo = self._memos.setdefault(key, OperationMemo(self._lowering(name, *immediates), self._decode))
        return memo
