"""Machine code that is made once."""

from __future__ import annotations

import pytest

from wazero_api import UnsupportedError
from wazero_jit.isa.memos import Lower, Memos
from wazero_jit.registers.operands import Operand


def test_code_is_made_once_from_decoded_operands() -> None:
    made = []

    def lowering(name: str, *immediates: int) -> Lower:
        if name == "none":
            raise UnsupportedError("there is no such operation")

        def lower(*operands: str) -> bytes:
            made.append((name, immediates, operands))
            return repr(made[-1]).encode()

        return lower

    def decode(operand: Operand) -> str:
        return f"<{operand!r}>"

    memos = Memos(lowering, decode)
    memo = memos.memo("load", 8)
    assert memo is memos.memo("load", 8)
    assert memo is not memos.memo("load", 16)
    assert memo[1, b"x"] is memo[1, b"x"]
    assert made == [("load", (8,), ("<1>", "<b'x'>"))]
    with pytest.raises(UnsupportedError, match="no such operation"):
        memos.memo("none")
