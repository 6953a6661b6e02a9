"""Iterables and iterators: going through those of a guest, and making those of built-in kinds. Spec: ECMA-262, 7.4, 27.1."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, Final, NoReturn, final

from wazero_gojs.model.array import MAX_LENGTH, JSArray
from wazero_gojs.model.object import CONFIGURABLE, MISSING, Args, JSObject, NativeFunction, is_callable
from wazero_gojs.model.table import BuiltinObject, Table
from wazero_gojs.model.values import (
    SYMBOL_ITERATOR,
    SYMBOL_TO_STRING_TAG,
    UNDEFINED,
    JSError,
    describe,
    describe_unnamed,
    is_object,
    throw_range_error,
    throw_type_error,
    to_boolean,
)

from .operations import length_of, this_text
from .primitives import get_member
from .wrappers import to_object

if TYPE_CHECKING:
    from wazero_gojs.model.realm import Realm


# --- Going through what can be iterated ------------------------------------------------------------------------------


def iterate(realm: Realm, value: Any) -> Generator[Any, None, None]:
    """The items of anything that can be iterated. TypeError at the first step if it cannot.

    Who stops early closes this generator, which tells the guest's iterator.
    """
    method = iterator_method(realm, value)
    source = _direct(realm, value, method)
    if source is not None:
        yield from source
        return
    record = IteratorRecord(value, method)
    try:
        while (item := record.step()) is not MISSING:
            yield item
    except GeneratorExit:
        record.close_quietly()
        raise


def collect(realm: Realm, value: Any) -> list[Any]:
    """All items at once. RangeError if they are more than an array can have."""
    items: list[Any] = []
    for item in iterate(realm, value):
        if len(items) >= MAX_LENGTH:
            throw_range_error("Invalid array length")
        items.append(item)
    return items


def entries_of(realm: Realm, value: Any) -> Iterator[tuple[Any, Any]]:
    """The keys and values of anything that yields pairs. TypeError for items that are no objects."""
    for item in iterate(realm, value):
        if not is_object(item):
            throw_type_error(f"Iterator value {describe(item)} is not an entry object")
        yield item.get_index(0), item.get_index(1)


@final
class IteratorRecord:
    """A guest's iterator in use. Spec: 7.4.1."""

    __slots__ = ("is_done", "iterator", "next")

    def __init__(self, value: Any, method: Any) -> None:
        """Ask `value` for an iterator, by its method Symbol.iterator."""
        self.iterator = method.call(value, ())
        if not is_object(self.iterator):
            throw_type_error("Result of the Symbol.iterator method is not an object")
        self.next = self.iterator.get("next")
        self.is_done = False

    def step(self) -> Any:
        """The next item, `MISSING` if there is none."""
        if self.is_done:
            return MISSING
        self.is_done = True  # as it is if anything below throws
        if not is_callable(self.next):
            throw_type_error(f"{describe(self.next)} is not a function")
        result = self.next.call(self.iterator, ())
        if not is_object(result):
            throw_type_error(f"Iterator result {describe(result)} is not an object")
        if to_boolean(result.get("done")):
            return MISSING
        item = result.get("value")
        self.is_done = False
        return item

    def close(self) -> None:
        """Tell the iterator that no more is wanted; throws what it throws. Spec: 7.4.9."""
        if self.is_done:
            return
        self.is_done = True
        method = self.iterator.get("return")
        if method is UNDEFINED or method is None:
            return
        if not is_callable(method):
            throw_type_error(f"{describe(method)} is not a function")
        result = method.call(self.iterator, ())
        if not is_object(result):
            throw_type_error(f"{describe(result)} is not an object")

    def close_quietly(self) -> None:
        """Like `close`, for who throws something else anyway."""
        try:
            self.close()
        except JSError:
            pass


def open_iterator(realm: Realm, value: Any) -> IteratorRecord:
    """The iterator of a value. TypeError if it has none."""
    return IteratorRecord(value, iterator_method(realm, value))


def iterator_method(realm: Realm, value: Any) -> Any:
    """What a value's Symbol.iterator is. TypeError if it is not a function."""
    is_nothing = value is None or value is UNDEFINED
    method = UNDEFINED if is_nothing else get_member(realm, value, SYMBOL_ITERATOR)
    if not is_callable(method):
        throw_not_iterable(value)
    return method


def throw_not_iterable(value: Any) -> NoReturn:
    """Throw what V8 throws when a built-in function gets something that cannot be iterated."""
    throw_type_error(f"{describe_unnamed(value)} is not iterable (cannot read property Symbol(Symbol.iterator))")


def _direct(realm: Realm, value: Any, method: Any) -> Iterator[Any] | None:
    """The items of an array or string that nobody has given other ways to iterate."""
    if not isinstance(method, NativeFunction):
        return None
    if type(value) is JSArray and method.function is values_method:
        kind = ARRAY
    elif isinstance(value, str) and method.function is characters_method:
        kind = STRING
    else:
        return None
    found = iterator_prototype(realm, kind).get("next")
    if not isinstance(found, NativeFunction) or found.function is not _NEXT[kind]:
        return None
    return array_values(value) if isinstance(value, JSArray) else characters(value)


# --- Iterators of built-in kinds -------------------------------------------------------------------------------------

ARRAY: Final = "Array Iterator"
STRING: Final = "String Iterator"


@final
class JSIterator(JSObject):
    """An iterator whose items come from a Python generator."""

    __slots__ = ("_is_running", "_source", "kind")

    class_name = "Iterator"

    def __init__(self, prototype: JSObject, kind: str, source: Iterator[Any]) -> None:
        super().__init__(prototype)
        self.kind = kind
        self._source = source
        self._is_running = False

    def step(self) -> Any:
        """The next item, `MISSING` if there is none."""
        if self._is_running:
            throw_type_error("Generator is already running")
        self._is_running = True
        try:
            return next(self._source, MISSING)
        finally:
            self._is_running = False


def new_iterator(realm: Realm, kind: str, source: Iterator[Any]) -> JSIterator:
    """An iterator of a kind, which is what its prototype says to be: "Map Iterator". One prototype for each kind."""
    return JSIterator(iterator_prototype(realm, kind), kind, source)


def iterator_prototype(realm: Realm, kind: str) -> JSObject:
    """What iterators of a kind inherit from. Spec: 23.1.5.2 and the like."""

    def make() -> JSObject:
        table = Table()
        table.method("next", 0)(_NEXT.setdefault(kind, _next_of(kind)))
        table.constant(SYMBOL_TO_STRING_TAG, kind, CONFIGURABLE)
        return BuiltinObject(realm, table, base_iterator_prototype(realm))

    return realm.hidden(kind, make)


def base_iterator_prototype(realm: Realm) -> JSObject:
    """What all iterators inherit from. Spec: 27.1.2."""
    return realm.hidden("Iterator", lambda: BuiltinObject(realm, _ITERATOR_PROTOTYPE, realm.object_prototype))


_ITERATOR_PROTOTYPE: Final = Table()


@_ITERATOR_PROTOTYPE.method(SYMBOL_ITERATOR, 0)
def itself(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 27.1.2.1."""
    return this


_Next = Callable[["Realm", Any, Args], Any]
_NEXT: Final[dict[str, _Next]] = {}
"""The function `next` of each kind."""


def _next_of(kind: str) -> _Next:
    def step(realm: Realm, this: Any, args: Args) -> Any:
        if not isinstance(this, JSIterator) or this.kind != kind:
            throw_type_error(f"Method {kind}.prototype.next called on incompatible receiver {describe(this)}")
        return iterator_result(realm, this.step())

    return step


def iterator_result(realm: Realm, item: Any) -> JSObject:
    """What `next` returns for an item, or at the end for `MISSING`. Spec: 7.4.14."""
    is_done = item is MISSING
    return realm.new_object({"value": UNDEFINED if is_done else item, "done": is_done})


# --- Arrays and strings ----------------------------------------------------------------------------------------------


def array_values(target: JSObject) -> Iterator[Any]:
    """The items of an array or anything like one, as long as there are any."""
    index = 0
    while index < length_of(target):
        yield target.get_index(index)
        index += 1


def array_keys(target: JSObject) -> Iterator[Any]:
    """Its indices."""
    index = 0
    while index < length_of(target):
        yield index
        index += 1


def characters(text: str) -> Iterator[str]:
    """The characters of a string, surrogates without a partner included."""
    return iter(text)


def values_function(realm: Realm) -> JSObject:
    """``Array.prototype.values``, which is its Symbol.iterator, too, and that of a call's arguments."""
    return realm.hidden("Array.prototype.values", lambda: NativeFunction(realm, "values", 0, values_method))


def values_method(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.35."""
    return new_iterator(realm, ARRAY, array_values(to_object(realm, this)))


def characters_method(realm: Realm, this: Any, args: Args) -> Any:
    """The Symbol.iterator of strings. Spec: 22.1.3.36."""
    return new_iterator(realm, STRING, characters(this_text(this, "String.prototype[Symbol.iterator]")))
