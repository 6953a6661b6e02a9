"""URLSearchParams. Spec: https://url.spec.whatwg.org, 6.2."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, final

from wazero_gojs.builtins.iteration import iterate, new_iterator
from wazero_gojs.model.object import Args, JSObject, argument, is_callable
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.utf16 import encode
from wazero_gojs.model.values import (
    SYMBOL_ITERATOR,
    SYMBOL_TO_STRING_TAG,
    UNDEFINED,
    is_object,
    throw_type_error,
    to_string,
)

from .errors import throw_coded, throw_wrong_argument
from .percent import parse_form, write_form

PROTOTYPE: Final = Table()
PROTOTYPE.constant(SYMBOL_TO_STRING_TAG, "URLSearchParams", 4)

Pairs = list[tuple[str, str]]


@final
class JSSearchParams(JSObject):
    """Names and values. `changed` is called with the new text after each change."""

    __slots__ = ("changed", "pairs")

    class_name = "URLSearchParams"

    def __init__(self, prototype: JSObject, pairs: Pairs, changed: Callable[[str], None] | None = None) -> None:
        super().__init__(prototype)
        self.pairs = pairs
        self.changed = changed

    def update(self, pairs: Pairs) -> None:
        """Change them."""
        self.pairs = pairs
        if self.changed is not None:
            self.changed(write_form(pairs))


def make(realm: Realm, name: str) -> Any:
    """The global URLSearchParams."""
    return realm.new_class(name, 0, _create, PROTOTYPE)


def _create(realm: Realm, prototype: JSObject, args: Args) -> JSSearchParams:
    source = argument(args, 0)
    if source is UNDEFINED or source is None:
        return JSSearchParams(prototype, [])
    if not is_object(source):
        return JSSearchParams(prototype, parse_form(to_string(source).removeprefix("?")))
    if is_callable(source.get(SYMBOL_ITERATOR)):
        return JSSearchParams(prototype, [_pair(realm, item) for item in iterate(realm, source)])
    return JSSearchParams(prototype, [(key, to_string(source.get(key))) for key in list(source.enumerable_keys())])


def _pair(realm: Realm, item: Any) -> tuple[str, str]:
    parts: list[Any] = []
    if is_object(item):
        for part in iterate(realm, item):
            parts.append(part)
            if len(parts) > 2:
                break
    if len(parts) != 2:
        throw_coded(realm, "TypeError", "ERR_INVALID_TUPLE", "Each query pair must be an iterable [name, value] tuple")
    return to_string(parts[0]), to_string(parts[1])


def _params(this: Any) -> JSSearchParams:
    if not isinstance(this, JSSearchParams):
        throw_type_error('Value of "this" must be of type URLSearchParams')
    return this


def _texts(realm: Realm, args: Args, count: int) -> list[str]:
    """So many arguments as strings. TypeError if there are less."""
    if len(args) < count:
        names = '"name" argument' if count == 1 else '"name" and "value" arguments'
        throw_coded(realm, "TypeError", "ERR_MISSING_ARGS", f"The {names} must be specified")
    return [to_string(arg) for arg in args[:count]]


def _matcher(realm: Realm, args: Args) -> Callable[[tuple[str, str]], bool]:
    """Whether a pair has the name, and the value if that was given, too."""
    (name,) = _texts(realm, args, 1)
    if argument(args, 1) is UNDEFINED:
        return lambda pair: pair[0] == name
    wanted = (name, to_string(args[1]))
    return lambda pair: pair == wanted


@PROTOTYPE.getter("size")
def get_size(realm: Realm, this: Any, args: Args) -> Any:
    """How many pairs."""
    return len(_params(this).pairs)


@PROTOTYPE.method("append", 2)
def append(realm: Realm, this: Any, args: Args) -> Any:
    """Add a pair."""
    params = _params(this)
    name, value = _texts(realm, args, 2)
    params.pairs.append((name, value))
    params.update(params.pairs)
    return UNDEFINED


@PROTOTYPE.method("delete", 1)
def delete(realm: Realm, this: Any, args: Args) -> Any:
    """Remove all of a name."""
    params, matches = _params(this), _matcher(realm, args)
    params.update([pair for pair in params.pairs if not matches(pair)])
    return UNDEFINED


@PROTOTYPE.method("get", 1)
def get(realm: Realm, this: Any, args: Args) -> Any:
    """The first value of a name, or null."""
    pairs, (name,) = _params(this).pairs, _texts(realm, args, 1)
    return next((value for key, value in pairs if key == name), None)


@PROTOTYPE.method("getAll", 1)
def get_all(realm: Realm, this: Any, args: Args) -> Any:
    """All values of a name."""
    pairs, (name,) = _params(this).pairs, _texts(realm, args, 1)
    return realm.new_array(value for key, value in pairs if key == name)


@PROTOTYPE.method("has", 1)
def has(realm: Realm, this: Any, args: Args) -> Any:
    """Whether there is one of that name, and with that value if one is given."""
    pairs = _params(this).pairs
    return any(map(_matcher(realm, args), pairs))


@PROTOTYPE.method("set", 2)
def set_(realm: Realm, this: Any, args: Args) -> Any:
    """Make a name have one value."""
    params = _params(this)
    name, value = _texts(realm, args, 2)
    at = next((index for index, pair in enumerate(params.pairs) if pair[0] == name), len(params.pairs))
    rest = [pair for pair in params.pairs[at + 1 :] if pair[0] != name]
    params.update([*params.pairs[:at], (name, value), *rest])
    return UNDEFINED


@PROTOTYPE.method("sort")
def sort(realm: Realm, this: Any, args: Args) -> Any:
    """By names, in units of UTF-16; those of one name keep their order."""
    params = _params(this)
    params.update(sorted(params.pairs, key=lambda pair: memoryview(encode(pair[0])).cast("H").tolist()))
    return UNDEFINED


@PROTOTYPE.method("toString")
def to_text(realm: Realm, this: Any, args: Args) -> Any:
    """The query."""
    return write_form(_params(this).pairs)


@PROTOTYPE.method("forEach", 1)
def for_each(realm: Realm, this: Any, args: Args) -> Any:
    """Call a function for each pair."""
    params, function = _params(this), argument(args, 0)
    if not is_callable(function):
        throw_wrong_argument(realm, "callback", "of type function", function)
    for name, value in _steps(params):
        function.call(argument(args, 1), (value, name, params))
    return UNDEFINED


def _steps(params: JSSearchParams) -> Iterator[tuple[str, str]]:
    index = 0
    while index < len(params.pairs):
        yield params.pairs[index]
        index += 1


_ITERATOR: Final = "URLSearchParams Iterator"


@PROTOTYPE.method("entries")
def entries(realm: Realm, this: Any, args: Args) -> Any:
    """Iterate over pairs."""
    return new_iterator(realm, _ITERATOR, (realm.new_array(pair) for pair in _steps(_params(this))))


@PROTOTYPE.method("keys")
def keys(realm: Realm, this: Any, args: Args) -> Any:
    """Iterate over names."""
    return new_iterator(realm, _ITERATOR, (name for name, _ in _steps(_params(this))))


@PROTOTYPE.method("values")
def values(realm: Realm, this: Any, args: Args) -> Any:
    """Iterate over values."""
    return new_iterator(realm, _ITERATOR, (value for _, value in _steps(_params(this))))


PROTOTYPE.made(SYMBOL_ITERATOR, lambda realm: realm.prototype_of("URLSearchParams").get("entries"))
