"""What many built-in functions begin or end with. Spec: ECMA-262, 7.3."""

from __future__ import annotations

from typing import Any, Final, NoReturn

from wazero_gojs.model.array import MAX_LENGTH, JSArray
from wazero_gojs.model.object import MISSING, WRITABLE, Accessor, Args, JSObject, argument, is_callable
from wazero_gojs.model.values import (
    UNDEFINED,
    Symbol,
    describe,
    is_object,
    throw_range_error,
    throw_type_error,
    to_length,
    to_string,
)

MAX_ARGUMENTS: Final = 1 << 17
"""Of one call; about what V8 has room for on its stack."""


def this_text(this: Any, method: str) -> str:
    """`this` as a string. TypeError for undefined and null."""
    if isinstance(this, str):
        return this
    require_value(this, method)
    return to_string(this)


def require_value(this: Any, method: str) -> None:
    """TypeError if `this` is undefined or null."""
    if this is UNDEFINED or this is None:
        throw_type_error(f"{method} called on null or undefined")


def require_object(value: Any, method: str) -> JSObject:
    """The value, which must be an object, else TypeError."""
    if not is_object(value):
        throw_type_error(f"{method} called on non-object")
    found: JSObject = value
    return found


def callback(args: Args, index: int = 0) -> Any:
    """The argument that must be a function, else TypeError."""
    function = argument(args, index)
    if not is_callable(function):
        throw_type_error(f"{describe(function)} is not a function")
    return function


def is_constructor(value: Any) -> bool:
    """Whether the operator new takes it."""
    return bool(getattr(value, "is_constructor", False)) and is_callable(value)


def length_of(target: JSObject) -> int:
    """How many items an array or anything like one has. Spec: 7.3.19."""
    return len(target.items) if type(target) is JSArray else to_length(target.get("length"))


def scan_length(target: JSObject) -> int:
    """Like `length_of`, for who looks at all items. RangeError for more than an array can have."""
    length = length_of(target)
    if length > MAX_LENGTH:
        throw_range_error("Invalid array length")
    return length


def has_index(target: JSObject, index: int) -> bool:
    """Whether there is an item, be it an inherited one."""
    if type(target) is JSArray and 0 <= index < len(target.items) and target.items[index] is not MISSING:
        return True
    return target.has(str(index))


def put(target: JSObject, key: str | Symbol, value: Any) -> None:
    """Assign. TypeError if that is not allowed."""
    if not target.set(key, value):
        throw_not_assignable(target, key)


def put_index(target: JSObject, index: int, value: Any) -> None:
    """Assign to an item. TypeError if that is not allowed."""
    if not target.set_index(index, value):
        throw_not_assignable(target, str(index))


def throw_not_assignable(target: JSObject, key: str | Symbol) -> NoReturn:
    """Throw what strict code gets when assigning to this property is not allowed."""
    if target.has_own_rules:
        throw_type_error(f"'set' on proxy: trap returned falsish for property '{name_of(key)}'")
    holder: JSObject | None = target
    while holder is not None:
        found = holder.own(key)
        if type(found) is Accessor:
            throw_type_error(f"Cannot set property {name_of(key)} of {target.describe()} which has only a getter")
        if found is not MISSING:
            if not holder.attributes_of(key) & WRITABLE:
                throw_type_error(
                    f"Cannot assign to read only property '{name_of(key)}' of object '{target.describe()}'"
                )
            break
        holder = holder.prototype
        if holder is not None and holder.has_own_rules:
            break
    throw_type_error(f"Cannot add property {name_of(key)}, object is not extensible")


def remove(target: JSObject, key: str | Symbol) -> None:
    """Delete a property. TypeError if that is not allowed."""
    if not target.delete(key):
        if target.has_own_rules:
            throw_type_error(f"'deleteProperty' on proxy: trap returned falsish for property '{name_of(key)}'")
        throw_type_error(f"Cannot delete property '{name_of(key)}' of {target.describe()}")


def create(target: JSObject, key: str | Symbol, value: Any) -> None:
    """Make an own property. TypeError if that is not allowed. Spec: 7.3.7."""
    if not target.define(key, value):
        throw_not_definable(target, key)


def throw_not_definable(target: JSObject, key: str | Symbol) -> NoReturn:
    """Throw the TypeError for a property that cannot be made or changed."""
    if target.has_own_rules:
        throw_type_error(f"'defineProperty' on proxy: trap returned falsish for property '{name_of(key)}'")
    if target.own(key) is MISSING:
        throw_type_error(f"Cannot define property {name_of(key)}, object is not extensible")
    throw_type_error(f"Cannot redefine property: {name_of(key)}")


def name_of(key: str | Symbol) -> str:
    """A key in a message."""
    return key if isinstance(key, str) else repr(key)


def list_from(value: Any) -> list[Any]:
    """The arguments that an array or anything like one holds. TypeError for other values, RangeError for too many.

    Spec: 7.3.18.
    """
    if not is_object(value):
        throw_type_error("CreateListFromArrayLike called on non-object")
    length = length_of(value)
    if length > MAX_ARGUMENTS:
        throw_range_error("Maximum call stack size exceeded" if length <= MAX_LENGTH else "Invalid array length")
    return [value.get_index(i) for i in range(length)]
