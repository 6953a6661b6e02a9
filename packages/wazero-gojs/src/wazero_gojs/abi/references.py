"""References: how Go holds JavaScript values. A `ref` is 64 bits: a number as the float that it is, anything else as a NaN.

    0                          undefined
    a float but 0 and NaN      that number
    0x7FF8 000t iiii iiii      the value with number i; t is 1 for an object, 2 a string, 3 a symbol, 4 a function

Values are counted: Go says when it drops a reference, and the number becomes free for another value.
"""

from __future__ import annotations

from struct import Struct
from typing import Any, Final, final

from wazero_gojs.model.object import JSObject
from wazero_gojs.model.values import MAX_SAFE, UNDEFINED, BigInt, Symbol, Undefined

_NAN_HEAD: Final = 0x7FF80000_00000000
_ZERO: Final = _NAN_HEAD | 1
_U64: Final = Struct("<Q")
_F64: Final = Struct("<d")
_ARRAYS: Final = tuple(Struct(f"<{count}Q") for count in range(9))
"""Arrays of references, by their length."""
_OBJECT, _STRING, _SYMBOL, _FUNCTION = (flag << 32 for flag in range(1, 5))

NAN_ID, ZERO_ID, NULL_ID, TRUE_ID, FALSE_ID, GLOBAL_ID, GO_ID = range(7)
"""Numbers of values that Go knows from the start, and never drops."""
_FIXED: Final = 7


@final
class References:
    """The values that one program holds. Its hot methods are what every call between Go and its host pays for."""

    __slots__ = ("_counts", "_free", "_refs", "values")

    def __init__(self, global_object: JSObject, go: JSObject) -> None:
        self.values: list[Any] = [float("nan"), 0, None, True, False, global_object, go]
        """By number; None also where a number is free."""
        self._counts = [0] * _FIXED
        self._refs: dict[Any, int] = {
            None: _NAN_HEAD | NULL_ID,
            True: _NAN_HEAD | TRUE_ID,
            False: _NAN_HEAD | FALSE_ID,
            global_object: _NAN_HEAD | _OBJECT | GLOBAL_ID,
            go: _NAN_HEAD | _OBJECT | GO_ID,
        }
        self._free: list[int] = []

    def load(self, ref: int) -> Any:
        """The value of a reference. UNDEFINED for a number that no value has: only a broken guest makes one up."""
        if ref & _NAN_HEAD == _NAN_HEAD:
            try:
                return self.values[ref & 0xFFFFFFFF]
            except IndexError:
                return UNDEFINED
        return _number(*_F64.unpack(_U64.pack(ref)))

    def load_all(self, buffer: memoryview, address: int, count: int) -> list[Any]:
        """The values of an array of references in memory. Raises struct.error for what is outside."""
        if count == 1:  # most calls have one argument, and this is a quarter of their cost
            (number,) = _F64.unpack_from(buffer, address)
            return [_number(number) if number == number else self.load(*_U64.unpack_from(buffer, address))]
        layout = _ARRAYS[count] if count < len(_ARRAYS) else Struct(f"<{count}Q")
        load = self.load
        return [load(ref) for ref in layout.unpack_from(buffer, address)]

    def store(self, buffer: memoryview, address: int, value: Any) -> None:
        """Put a reference to a value into memory, and count it."""
        kind = type(value)
        if kind is int or kind is float:
            if value != value:
                _U64.pack_into(buffer, address, _NAN_HEAD)
            elif value:
                _F64.pack_into(buffer, address, value)
            else:
                _U64.pack_into(buffer, address, _ZERO)
        elif kind is Undefined:
            _U64.pack_into(buffer, address, 0)
        else:
            _U64.pack_into(buffer, address, self.reference_to(value))

    def reference_to(self, value: Any) -> int:
        """A reference to what is neither a number nor undefined, counted."""
        ref = self._refs.get(_key(value) if type(value) is BigInt else value)
        if ref is None:
            ref = self._new_reference(value)
        self._counts[ref & 0xFFFFFFFF] += 1
        return ref

    def drop(self, ref: int) -> None:
        """Go holds one reference less to a value."""
        number = ref & 0xFFFFFFFF
        if not _FIXED <= number < len(self.values) or not self._counts[number]:
            return
        self._counts[number] -= 1
        if not self._counts[number]:
            value = self.values[number]
            self.values[number] = None
            del self._refs[_key(value) if type(value) is BigInt else value]
            self._free.append(number)

    def _new_reference(self, value: Any) -> int:
        if self._free:
            number = self._free.pop()
            self.values[number] = value
        else:
            number = len(self.values)
            self.values.append(value)
            self._counts.append(0)
        kind = type(value)
        if kind is BigInt:
            return self._refs.setdefault(_key(value), _NAN_HEAD | number)
        flag = _STRING if kind is str else _SYMBOL if kind is Symbol else _FUNCTION if value.is_callable else _OBJECT
        return self._refs.setdefault(value, _NAN_HEAD | flag | number)


def _number(value: float) -> Any:
    """What a reference stands for that is a float: a float of 0 for undefined, as the number 0 has a NaN."""
    if -MAX_SAFE <= value <= MAX_SAFE:
        integer = int(value)
        if integer == value:
            return integer or UNDEFINED
    return value


def _key(value: BigInt) -> tuple[type, int]:
    """What a bigint is looked up by: as it is, 1n would be equal to true."""
    return BigInt, int(value)
