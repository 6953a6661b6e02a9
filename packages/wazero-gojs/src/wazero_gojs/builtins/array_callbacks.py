"""Methods of arrays that call a function for each item. Spec: ECMA-262, 23.1.3."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from wazero_gojs.model.array import MAX_LENGTH
from wazero_gojs.model.object import MISSING, Args, JSObject, argument, is_callable
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import UNDEFINED, throw_range_error, throw_type_error, to_boolean

from .array_reading import array_this, flattened, is_array
from .operations import callback, has_index, scan_length

PROTOTYPE: Final = Table()


def _results(target: JSObject, args: Args, indices: Iterable[int]) -> Iterator[tuple[int, Any, Any]]:
    """Index, item, and what the function makes of it, for items that are there when their turn comes."""
    function = callback(args)
    this = argument(args, 1)
    for index in indices:
        if has_index(target, index):
            item = target.get_index(index)
            yield index, item, function.call(this, (item, index, target))


def _each(realm: Realm, this: Any, args: Args, name: str) -> Iterator[tuple[int, Any, Any]]:
    target = array_this(realm, this, name)
    return _results(target, args, range(scan_length(target)))


@PROTOTYPE.method("forEach", 1)
def for_each(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.15."""
    for _ in _each(realm, this, args, "forEach"):
        pass
    return UNDEFINED


@PROTOTYPE.method("map", 1)
def map_items(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.21."""
    target = array_this(realm, this, "map")
    length = scan_length(target)
    callback(args)
    items = [MISSING] * length
    for index, _, result in _results(target, args, range(length)):
        items[index] = result
    return realm.new_array(items)


@PROTOTYPE.method("filter", 1)
def keep(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.8."""
    return realm.new_array(item for _, item, result in _each(realm, this, args, "filter") if to_boolean(result))


@PROTOTYPE.method("every", 1)
def every(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.6."""
    return all(to_boolean(result) for _, _, result in _each(realm, this, args, "every"))


@PROTOTYPE.method("some", 1)
def some(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.29."""
    return any(to_boolean(result) for _, _, result in _each(realm, this, args, "some"))


@PROTOTYPE.method("flatMap", 1)
def flat_map(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.14."""
    target = array_this(realm, this, "flatMap")
    if not is_callable(argument(args, 0)):
        throw_type_error("flatMap mapper function is not callable")
    items: list[Any] = []
    for _, _, result in _results(target, args, range(scan_length(target))):
        items += flattened(result, 0) if is_array(result) else (result,)
        if len(items) > MAX_LENGTH:
            throw_range_error("Invalid array length")
    return realm.new_array(items)


# --- Finding ---------------------------------------------------------------------------------------------------------


def _find(realm: Realm, this: Any, args: Args, name: str) -> tuple[int, Any]:
    """The first item that the function likes, and its index; -1 and UNDEFINED if there is none. Holes are items."""
    target = array_this(realm, this, name)
    indices = range(scan_length(target))
    function = callback(args)
    for index in reversed(indices) if name.startswith("findLast") else indices:
        item = target.get_index(index)
        if to_boolean(function.call(argument(args, 1), (item, index, target))):
            return index, item
    return -1, UNDEFINED


@PROTOTYPE.method("find", 1)
def find(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.9."""
    return _find(realm, this, args, "find")[1]


@PROTOTYPE.method("findIndex", 1)
def find_index(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.10."""
    return _find(realm, this, args, "findIndex")[0]


@PROTOTYPE.method("findLast", 1)
def find_last(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.11."""
    return _find(realm, this, args, "findLast")[1]


@PROTOTYPE.method("findLastIndex", 1)
def find_last_index(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.12."""
    return _find(realm, this, args, "findLastIndex")[0]


# --- Reducing --------------------------------------------------------------------------------------------------------


@PROTOTYPE.method("reduce", 1)
def reduce(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.24."""
    target = array_this(realm, this, "reduce")
    return _reduced(target, args, range(scan_length(target)))


@PROTOTYPE.method("reduceRight", 1)
def reduce_right(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.25."""
    target = array_this(realm, this, "reduceRight")
    return _reduced(target, args, reversed(range(scan_length(target))))


def _reduced(target: JSObject, args: Args, indices: Iterator[int] | range) -> Any:
    function = callback(args)
    result = args[1] if len(args) > 1 else MISSING
    for index in indices:
        if has_index(target, index):
            item = target.get_index(index)
            result = item if result is MISSING else function.call(UNDEFINED, (result, item, index, target))
    if result is MISSING:
        throw_type_error("Reduce of empty array with no initial value")
    return result
