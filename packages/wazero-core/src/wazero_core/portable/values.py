"""Values at the boundary: typed on Python's side, as generated code has them ("raw") on the other.

Conversions are source text, since `adapters` puts them into generated entries, where a call for each argument would
cost more than the wasm function called. `to_raw` and `from_raw` are made from the same text, for rarer needs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import index
from typing import Any, Final, NoReturn, final

from wazero_api import ValueType, decode_f32, decode_f64, encode_f32, encode_f64
from wazero_api.record import record

from .operations import round_f32


@final
@record
class Conversion:
    """Python source for one value type. ``{v}`` is a variable that holds the value."""

    check: str
    """Statement after which ``{v}`` is the raw value, made from what a Python caller gave."""
    typed: str
    """Expression of the typed value, from the raw one."""
    from_bits: str
    """Expression of the raw value, from the 64-bit integer that holds its bits."""
    to_bits: str
    """The other way round."""


def as_integer(value: Any, bits: int) -> int:
    """The unsigned int of `bits` bits that stands for `value`, signed or unsigned."""
    try:
        number = index(value)
    except TypeError:
        raise TypeError(f"i{bits} needs an int, not {type(value).__name__}") from None
    if not -(1 << bits - 1) <= number < 1 << bits:
        raise OverflowError(f"{number} does not fit in an i{bits}")
    return number & (1 << bits) - 1


def as_float(value: Any, bits: int) -> float:
    """A float of `bits` bits."""
    if isinstance(value, (str, bytes)):
        wrong_type(f"f{bits}", value)
    try:
        number = float(value)
    except (TypeError, ValueError):
        wrong_type(f"f{bits}", value)
    return number if bits == 64 or number != number else round_f32(number)


def as_function(value: Any) -> Any:
    """A function reference, from what this package calls a function or from None."""
    function = getattr(value, "function", value)
    if function is not None and not hasattr(function, "code"):
        wrong_type("funcref", value)
    return function


def as_vector(value: Any) -> bytes:
    """A v128."""
    if not isinstance(value, (bytes, bytearray, memoryview)) or len(value) != 16:
        raise TypeError("v128 needs 16 bytes")
    return bytes(value)


def wrong_type(wanted: str, value: Any) -> NoReturn:
    """Raise TypeError."""
    what = "a wasm function or None" if wanted == "funcref" else "a float"
    raise TypeError(f"{wanted} needs {what}, not {type(value).__name__}")


def _integer(bits: int) -> Conversion:
    mask, high = hex((1 << bits) - 1), hex(1 << bits - 1)
    check = (
        f"{{v}} = {{v}} & {mask} if type({{v}}) is int and -{high} <= {{v}} <= {mask} else as_integer({{v}}, {bits})"
    )
    return Conversion(check, f"({{v}} ^ {high}) - {high}", f"{{v}} & {mask}", "{v}")


_ANY: Final = Conversion("pass", "{v}", "{v}", "{v}")

CONVERSIONS: Final = {
    ValueType.I32: _integer(32),
    ValueType.I64: _integer(64),
    ValueType.F32: Conversion("{v} = as_float({v}, 32)", "{v}", "decode_f32({v} & 0xffffffff)", "encode_f32({v})"),
    ValueType.F64: Conversion(
        "if type({v}) is not float: {v} = as_float({v}, 64)",
        "{v}",
        "decode_f64({v} & 0xffffffffffffffff)",
        "encode_f64({v})",
    ),
    ValueType.V128: Conversion("{v} = as_vector({v})", "{v}", "{v}", "{v}"),
    ValueType.FUNCREF: Conversion("{v} = as_function({v})", "{v}", "as_function({v})", "{v}"),
    ValueType.EXTERNREF: _ANY,
}
"""By value type."""

NAMES: Final[dict[str, Any]] = {
    function.__name__: function
    for function in (as_integer, as_float, as_function, as_vector, encode_f32, decode_f32, encode_f64, decode_f64)
} | {"type": type, "int": int, "float": float}
"""What the source in `CONVERSIONS` names."""


@cache
def _converters(type: ValueType) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    row = CONVERSIONS[type]
    namespace = dict(NAMES)
    source = f"def to_raw(v):\n {row.check}\n return v\ndef from_raw(v):\n return {row.typed}\n"
    exec(source.format(v="v"), namespace)
    return namespace["to_raw"], namespace["from_raw"]


def to_raw(value: Any, type: ValueType) -> Any:
    """A typed value as generated code has it. Raises TypeError or OverflowError."""
    return _converters(type)[0](value)


def from_raw(value: Any, type: ValueType) -> Any:
    """The other way round."""
    return _converters(type)[1](value)
