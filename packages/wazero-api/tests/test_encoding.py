"""Numbers to bits and back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wazero_api import (
    ValueType,
    decode,
    decode_f32,
    decode_i32,
    decode_i64,
    decode_u32,
    encode,
    encode_f32,
    encode_f64,
    encode_i32,
    encode_i64,
)

BITS = {ValueType.I32: 32, ValueType.I64: 64, ValueType.F32: 32, ValueType.F64: 64}


@pytest.mark.parametrize("type", list(BITS), ids=lambda type: type.name)
@given(data=st.data())
def test_bits_survive_whatever_they_mean(type: ValueType, data: st.DataObject) -> None:
    """Signalling NaNs included: no bit is lost on the way to a typed value and back."""
    bits = data.draw(st.integers(0, (1 << BITS[type]) - 1))
    assert encode(decode(bits, type), type) == bits


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (encode_i32(-1), 0xFFFFFFFF),
        (decode_i32(0xFFFFFFFF), -1),
        (decode_i32(0x1_8000_0000), -(1 << 31)),
        (decode_u32(0x1_8000_0000), 1 << 31),
        (encode_i64(-1), (1 << 64) - 1),
        (decode_i64(1 << 63), -(1 << 63)),
        (encode_f32(1.5), 0x3FC00000),
        (encode_f32(-0.0), 0x80000000),
        (encode_f64(-math.inf), 0xFFF0000000000000),
        (decode_f32(0x7F800000), math.inf),
        (encode(None, ValueType.EXTERNREF), None),
        (decode(b"0" * 16, ValueType.V128), b"0" * 16),
    ],
)
def test_values(got: object, expected: object) -> None:
    assert got == expected
    assert type(got) is type(expected)


def test_a_float_too_large_for_f32_is_refused() -> None:
    with pytest.raises(OverflowError):
        encode_f32(1e300)
