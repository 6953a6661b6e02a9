"""Array: its constructor and functions. What arrays inherit is in `array_reading`, `array_changing`, `array_callbacks`.

Spec: ECMA-262, 23.1.
"""

from __future__ import annotations

from typing import Any, Final

from wazero_gojs.model.array import MAX_LENGTH, JSArray
from wazero_gojs.model.object import MISSING, WRITABLE, Args, JSObject, argument, is_callable
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    SYMBOL_ITERATOR,
    SYMBOL_SPECIES,
    UNDEFINED,
    BigInt,
    describe,
    throw_range_error,
    throw_type_error,
)

from . import array_callbacks, array_changing, array_reading
from .iteration import collect, throw_not_iterable, values_function
from .operations import create, is_constructor, put, scan_length
from .primitives import get_member
from .wrappers import to_object

PROTOTYPE: Final = Table()
PROTOTYPE.constant("length", 0, WRITABLE)
for _part in (array_reading, array_changing, array_callbacks):
    PROTOTYPE.include(_part.PROTOTYPE)
PROTOTYPE.made("values", values_function)
PROTOTYPE.made(SYMBOL_ITERATOR, values_function)

STATICS: Final = Table()


def make(realm: Realm, name: str) -> Any:
    """The global Array."""
    return realm.new_class(name, 1, _create, PROTOTYPE, statics=STATICS, call=_call)


def _call(realm: Realm, this: Any, args: Args) -> Any:
    return _create(realm, realm.prototype_of("Array"), args)


def _create(realm: Realm, prototype: JSObject, args: Args) -> JSArray:
    """Spec: 23.1.1.1."""
    if len(args) != 1 or not isinstance(args[0], (int, float)) or isinstance(args[0], (bool, BigInt)):
        return JSArray(prototype, list(args))
    length = args[0]
    if not 0 <= length <= MAX_LENGTH or length != int(length):
        throw_range_error("Invalid array length")
    return JSArray(prototype, [MISSING] * int(length))


@STATICS.getter(SYMBOL_SPECIES)
def species(realm: Realm, this: Any, args: Args) -> Any:
    """Methods do not ask for it: what they make are plain arrays. Spec: 23.1.2.5."""
    return this


@STATICS.method("isArray", 1)
def is_array(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.2.2."""
    return array_reading.is_array(argument(args, 0))


@STATICS.method("of", 0)
def of(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.2.3."""
    return _made_by(realm, this, list(args), (len(args),))


@STATICS.method("from", 1)
def from_items(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.2.1."""
    source, function, this_arg = argument(args, 0), argument(args, 1), argument(args, 2)
    if function is not UNDEFINED and not is_callable(function):
        throw_type_error(f"{describe(function)} is not a function")
    if source is UNDEFINED or source is None:
        throw_not_iterable(source)
    method = get_member(realm, source, SYMBOL_ITERATOR)
    construct_args: Args = ()
    if method is UNDEFINED or method is None:
        target = to_object(realm, source)
        items = [target.get_index(i) for i in range(scan_length(target))]
        construct_args = (len(items),)
    else:
        items = collect(realm, source)
    if function is not UNDEFINED:
        items = [function.call(this_arg, (item, index)) for index, item in enumerate(items)]
    return _made_by(realm, this, items, construct_args)


def _made_by(realm: Realm, constructor: Any, items: list[Any], args: Args) -> Any:
    """An array of these items, or what the constructor makes on which a function was called."""
    if not is_constructor(constructor) or constructor is realm.intrinsic("Array"):
        return realm.new_array(items)
    made: JSObject = to_object(realm, constructor.construct(args))
    for index, item in enumerate(items):
        create(made, str(index), item)
    put(made, "length", len(items))
    return made
