"""Constants, which operand ids name by their instructions."""

from __future__ import annotations

from typing import Final, NamedTuple, final

from wazero_api import BY_NAME

_I32_CONST: Final = BY_NAME["i32.const"].code
_I64_CONST: Final = BY_NAME["i64.const"].code
_REF_NULL: Final = BY_NAME["ref.null"].code


@final
class Const(NamedTuple):
    """A constant: its bits, as an unsigned number. Null is 0."""

    bits: int

    def signed(self, width: int) -> int:
        """The low `width` bits as a signed number."""
        sign = 1 << width - 1
        return (self.bits & 2 * sign - 1 ^ sign) - sign


def constant(token: bytes) -> Const:
    """What an instruction such as ``i32.const 5``, a token, gives."""
    opcode, immediate = token[0], token[1:]
    if opcode == _I32_CONST:
        return Const(_signed_leb128(immediate) & (1 << 32) - 1)
    if opcode == _I64_CONST:
        return Const(_signed_leb128(immediate) & (1 << 64) - 1)
    if opcode == _REF_NULL:
        return Const(0)
    return Const(int.from_bytes(immediate, "little"))


def _signed_leb128(data: bytes) -> int:
    if len(data) == 1:
        return (data[0] ^ 0x40) - 0x40
    value = shift = 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
    return value - (1 << shift) if data[-1] & 0x40 else value
