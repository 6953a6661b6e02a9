"""Values at the boundary, as far as machine code leaves them to Python: rare types, errors, references.

Raw values are the unsigned 64-bit ints that hold a value's bits; see the native contract in `records`. Messages are
those of the portable engine.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from enum import IntEnum
from itertools import islice
from operator import index
from typing import Any, Final, final

from wazero_api import Convention, UnsupportedError, ValueType, WazeroBug, decode_f32, encode_f32, encode_f64

from .builtin import EntryTarget, Function

_MASK64: Final = (1 << 64) - 1


class Kind(IntEnum):
    """How a value crosses the boundary."""

    I32 = 0
    I64 = 1
    F32 = 2
    F64 = 3
    FUNCREF = 4
    EXTERNREF = 5
    RAW32 = 6
    """A number of 32 bits in `Convention.RAW`: the int that holds its bits."""
    RAW64 = 7
    EXTERNREF_ARGUMENT = 8
    FUNCREF_ARGUMENT = 9
    """References that an entry takes: a moment at which no wasm code may be running."""


_NUMBERS: Final = {
    ValueType.I32: (Kind.I32, Kind.RAW32),
    ValueType.I64: (Kind.I64, Kind.RAW64),
    ValueType.F32: (Kind.F32, Kind.RAW32),
    ValueType.F64: (Kind.F64, Kind.RAW64),
}
"""By type, in `Convention.TYPED` and in `Convention.RAW`."""

_ARGUMENTS: Final = {Kind.FUNCREF: Kind.FUNCREF_ARGUMENT, Kind.EXTERNREF: Kind.EXTERNREF_ARGUMENT}

_NOEXTERN, _EXTERN = -0x0E, -0x11


def kind_of(type: ValueType, convention: Convention = Convention.TYPED) -> Kind:
    """The kind of values of that type. Raises UnsupportedError for vectors."""
    if type.is_ref:
        return Kind.EXTERNREF if type.heap in (_EXTERN, _NOEXTERN) else Kind.FUNCREF
    kinds = _NUMBERS.get(type)
    if kinds is None:
        raise UnsupportedError(f"the native engine cannot pass {type.name} to or from Python yet")
    return kinds[convention is Convention.RAW]


def argument_kinds(types: Iterable[ValueType]) -> tuple[Kind, ...]:
    """The kinds of what an entry takes. Raises UnsupportedError for vectors."""
    return tuple(_ARGUMENTS.get(kind, kind) for kind in kinds_of(types))


def kinds_of(types: Iterable[ValueType], convention: Convention = Convention.TYPED) -> tuple[Kind, ...]:
    """The kinds of several. Raises UnsupportedError for vectors."""
    return tuple(kind_of(type, convention) for type in types)


# Numbers


def _to_integer(value: Any, bits: int) -> int:
    try:
        number = index(value)
    except TypeError:
        raise TypeError(f"i{bits} needs an int, not {type(value).__name__}") from None
    if not -(1 << bits - 1) <= number < 1 << bits:
        raise OverflowError(f"{number} does not fit in an i{bits}")
    return number & (1 << bits) - 1


def _to_float(value: Any, bits: int) -> float:
    message = f"f{bits} needs a float, not {type(value).__name__}"
    if isinstance(value, (str, bytes)):
        raise TypeError(message)
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(message) from None


def _to_f32(value: Any) -> int:
    number = _to_float(value, 32)
    try:
        return encode_f32(number)
    except OverflowError:  # too large: rounds to infinity
        return encode_f32(math.copysign(math.inf, number))


def _to_i32(value: Any) -> int:
    return _to_integer(value, 32)


def _to_i64(value: Any) -> int:
    return _to_integer(value, 64)


def _to_f64(value: Any) -> int:
    return encode_f64(_to_float(value, 64))


def _to_raw32(value: Any) -> int:
    number: int = value & 0xFFFFFFFF
    return number


def _to_raw64(value: Any) -> int:
    number: int = value & _MASK64
    return number


def unpack(result: Any, count: int) -> tuple[Any, ...]:
    """What a host function with `count` results gave, as a tuple of them; fails as Python's own unpacking does."""
    try:
        iterator = iter(result)
    except TypeError:
        raise TypeError(f"cannot unpack non-iterable {type(result).__name__} object") from None
    values = tuple(islice(iterator, count + 1))
    if len(values) < count:
        raise ValueError(f"not enough values to unpack (expected {count}, got {len(values)})")
    if len(values) > count:
        raise ValueError(f"too many values to unpack (expected {count})")
    return values


# References


def _function_of(value: Any) -> Function | None:
    """The function itself; `value` may be that, its entry, or something with a `function`. Raises TypeError."""
    if isinstance(value, Function):
        return value
    target = getattr(value, "__self__", None)
    function = target.function if isinstance(target, EntryTarget) else getattr(value, "function", value)
    if function is None or isinstance(function, Function):
        return function
    raise TypeError(f"funcref needs a wasm function or None, not {type(value).__name__}")


_Objects = dict[int, Any]


@final
class ReferenceKeeper:
    """Keeps alive what Python gave to wasm code: external references, and the owners of functions."""

    __slots__ = ("_ask", "_limit", "_stages")

    def __init__(self) -> None:
        self._limit = sys.maxsize
        self._ask: Callable[[], object] = int
        self._stages: tuple[_Objects, _Objects, _Objects] = ({}, {}, {})
        """Objects by what stands for them in wasm code, their own address or that of a function's record: kept since the
        last sweep, before it, and during a sweep those that it looks at."""

    def __len__(self) -> int:
        """How many objects are kept."""
        return len(set().union(*self._stages))

    def keep(self, value: Any) -> int:
        """The address of `value`, which from now on stays alive; 0 for None."""
        if value is None:
            return 0
        address = id(value)
        self._stages[0][address] = value
        return address

    def keep_owner(self, value: Any) -> int:
        """The record's address of a function, or of what stands for one; its owner stays alive. 0 for None.

        Nothing else may refer to the owner once the reference is in a table of an instance that it has nothing to do with.
        """
        function = _function_of(value)
        if function is None:
            return 0
        self._stages[0][function.record] = function.owner
        return function.record

    def keep_argument(self, value: Any) -> int:
        """`keep` for an entry's argument, which is the occasion to ask for a sweep."""
        self._ask_if_due()
        return self.keep(value)

    def keep_owner_of_argument(self, value: Any) -> int:
        """`keep_owner` for an entry's argument."""
        self._ask_if_due()
        return self.keep_owner(value)

    def _ask_if_due(self) -> None:
        if len(self._stages[0]) >= self._limit:
            self._ask()

    def ask_after(self, limit: int, ask: Callable[[], object]) -> None:
        """Call `ask` for an entry's argument if as many objects were kept since the last sweep."""
        self._limit, self._ask = limit, ask

    def get(self, address: int) -> Any:
        """The object at an address that `keep` gave; None for 0."""
        if not address:
            return None
        for objects in self._stages:
            if address in objects:
                return objects[address]
        raise WazeroBug(f"there is no external reference {address:#x}")

    def needed(self, references: Iterable[int], kind: Kind, owners: set[Any]) -> list[int]:
        """Those that a place with such `owners` does not keep alive by itself, for `sweep`."""
        if kind != Kind.FUNCREF:
            return [reference for reference in references if reference]
        stages = self._stages
        return [
            reference
            for reference in references
            if any(reference in objects and objects[reference] not in owners for objects in stages)
        ]

    def sweep(self, live: set[int]) -> None:
        """Forget objects at other addresses than `live`, those in tables and globals. Not while an entry is active in
        any thread, since what is in registers and frames is not in `live`.

        What was kept since the last sweep stays: a thread may be about to store it. One call at a time; other threads
        may go on to `keep` and `get` meanwhile.
        """
        # No lock, which a fork could leave locked for ever: at every moment each object is in one of the stages.
        recent, older, rest = self._stages
        older.update(rest)  # of a sweep that an exception stopped
        self._stages = ({}, recent, older)
        recent.update([(address, value) for address, value in older.items() if address in live])
        self._stages = (self._stages[0], recent, {})


@final
class Conversions:
    """`to_native` and `from_native` for `callbacks.Callbacks`."""

    __slots__ = ("_function_at", "_to_native", "keeper")

    def __init__(self, function_at: Callable[[int], Any], keeper: ReferenceKeeper) -> None:
        """`function_at` gives the `Function` of a record's address."""
        self._function_at = function_at
        self.keeper = keeper
        self._to_native: tuple[Callable[[Any], int], ...] = (
            _to_i32,
            _to_i64,
            _to_f32,
            _to_f64,
            keeper.keep_owner,
            keeper.keep,
            _to_raw32,
            _to_raw64,
            keeper.keep_argument,
            keeper.keep_owner_of_argument,
        )
        """By kind."""

    def to_native(self, value: Any, kind: int) -> int:
        """The raw value. Raises TypeError or OverflowError, or what the methods of `value` raise."""
        return self._to_native[kind](value)

    def to_native_for(self, owners: set[Any], value: Any, kind: int) -> int:
        """`to_native` for a place with `owners` of its own, which it keeps alive; a function's is added to them."""
        if kind != Kind.FUNCREF:
            return self.to_native(value, kind)
        function = _function_of(value)
        if function is None:
            return 0
        owners.add(function.owner)
        return function.record

    def from_native(self, raw: int, kind: int) -> Any:
        """The object of a NaN or of a reference."""
        if kind == Kind.F32:
            return decode_f32(raw)
        if kind == Kind.EXTERNREF:
            return self.keeper.get(raw)
        return self._function_at(raw) if raw else None
