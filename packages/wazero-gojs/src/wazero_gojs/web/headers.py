"""Headers. Spec: https://fetch.spec.whatwg.org, 5.1."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, final

from wazero_gojs.builtins.iteration import iterate, iterator_method, new_iterator
from wazero_gojs.model.object import Args, JSObject, argument, is_callable
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    SYMBOL_ITERATOR,
    SYMBOL_TO_STRING_TAG,
    UNDEFINED,
    JSError,
    describe,
    is_object,
    throw_type_error,
    to_string,
)

PROTOTYPE: Final = Table()
PROTOTYPE.constant(SYMBOL_TO_STRING_TAG, "Headers", 4)

_SPACES: Final = "\t\n\r "
TOKEN: Final = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""Characters of names and methods. Spec: RFC 9110, 5.6.2."""
_SEPARATE: Final = "set-cookie"
"""The one header whose values are not to be joined."""
_KIND: Final = "Headers"


@final
class JSHeaders(JSObject):
    """A list of headers: each name has one value or several, which come out joined."""

    __slots__ = ("_by_name", "_sorted", "is_immutable")

    class_name = "Headers"

    def __init__(
        self, prototype: JSObject, pairs: Iterable[tuple[str, str]] = (), *, is_immutable: bool = False
    ) -> None:
        """`pairs` are taken as they are."""
        super().__init__(prototype)
        self.is_immutable = is_immutable
        self._by_name: dict[str, tuple[str, list[str]]] = {}
        """By the name in lower case: the name as it came, and the values."""
        self._sorted: list[tuple[str, str]] | None = None
        for name, value in pairs:
            self.add(name, value)

    def add(self, name: str, value: str) -> None:
        """One more value."""
        self._by_name.setdefault(name.lower(), (name, []))[1].append(value)
        self._sorted = None

    def put(self, name: str, value: str) -> None:
        """This value, and no other."""
        known, _ = self._by_name.get(name.lower(), (name, []))
        self._by_name[name.lower()] = (known, [value])
        self._sorted = None

    def remove(self, name: str) -> None:
        """None of that name."""
        self._by_name.pop(name.lower(), None)
        self._sorted = None

    def values_of(self, name: str) -> list[str]:
        """All values of a name."""
        return self._by_name.get(name.lower(), (name, []))[1]

    def first(self, name: str) -> str:
        """The values of a name, joined; "" if there are none."""
        return ", ".join(self.values_of(name))

    def pairs(self) -> list[tuple[str, str]]:
        """As they came, to be sent."""
        return [(name, value) for name, values in self._by_name.values() for value in values]

    def sorted(self) -> list[tuple[str, str]]:
        """By name, in lower case, with values joined: what a guest sees. Spec: 2.2.2."""
        if self._sorted is None:
            found: list[tuple[str, str]] = []
            for name in sorted(self._by_name):
                values = self._by_name[name][1]
                found += [(name, value) for value in values] if name == _SEPARATE else [(name, ", ".join(values))]
            self._sorted = found
        return self._sorted


def make_headers_class(realm: Realm) -> Any:
    """The class Headers."""
    return realm.new_class("Headers", 0, _create, PROTOTYPE)


def _create(realm: Realm, prototype: JSObject, args: Args) -> JSHeaders:
    made = JSHeaders(prototype)
    fill_headers(realm, made, argument(args, 0))
    return made


def fill_headers(realm: Realm, headers: JSHeaders, init: Any) -> None:
    """Add what a guest gives: Headers, pairs, or an object. Spec: 5.1 (fill)."""
    if init is UNDEFINED:
        return
    if not is_object(init):
        throw_type_error(
            "Headers constructor: Argument 1 could not be converted to one of: "
            "sequence<sequence<ByteString>>, record<ByteString, ByteString>."
        )
    if isinstance(init, JSHeaders):
        for name, value in init.pairs():
            headers.add(name, value)
    elif is_callable(init.get(SYMBOL_ITERATOR)):
        for index, item in enumerate(iterate(realm, init)):
            _append(headers, "Headers.append", *_pair(realm, item, index))
    else:
        for key in init.enumerable_keys():
            _append(headers, "Headers.append", byte_string(key), byte_string(init.get(key)))


def _pair(realm: Realm, item: Any, index: int) -> tuple[str, str]:
    """A name and a value, as an iterable of two."""
    try:
        iterator_method(realm, item)
    except JSError:
        throw_type_error(f"Headers contructor: init[{index}] ({describe(item)}) is not iterable.")
    pair: list[str] = []
    count = 0
    for part in iterate(realm, item):
        count += 1
        if count <= 2:
            pair.append(byte_string(part))
    if count != 2:
        throw_type_error(f"Headers constructor: expected name/value pair to be length 2, found {count}.")
    return pair[0], pair[1]


def byte_string(value: Any) -> str:
    """Text of characters up to U+00FF. Spec: https://webidl.spec.whatwg.org, 3.2.9."""
    text = to_string(value)
    if not text.isascii():
        for index, character in enumerate(text):
            if character > "\u00ff":
                throw_type_error(
                    f"Cannot convert argument to a ByteString because the character at index {index} "
                    f"has a value of {ord(character)} which is greater than 255."
                )
    return text


def is_token(text: str) -> bool:
    """Whether this can be a name or a method."""
    return bool(text) and TOKEN.issuperset(text)


def is_value(text: str) -> bool:
    """Whether this can be a value, without spaces around it."""
    return not ("\0" in text or "\r" in text or "\n" in text)


def _checked_name(method: str, name: str) -> str:
    if not is_token(name):
        throw_type_error(f'{method}: "{name}" is an invalid header name.')
    return name


def _append(headers: JSHeaders, method: str, name: str, value: str) -> None:
    """Spec: 5.1 (append)."""
    headers.add(*_checked(headers, method, name, value))


def _checked(headers: JSHeaders, method: str, name: str, value: str) -> tuple[str, str]:
    value = value.strip(_SPACES)
    _checked_name(method, name)
    if not is_value(value):
        throw_type_error(f'{method}: "{value}" is an invalid header value.')
    _check_changes(headers)
    return name, value


def _check_changes(headers: JSHeaders) -> None:
    if headers.is_immutable:
        throw_type_error("immutable")


# --- Methods ---------------------------------------------------------------------------------------------------------


def _called(this: Any, args: Args, method: str, wanted: int) -> JSHeaders:
    """The headers that a method was called on, with as many arguments as it needs."""
    if not isinstance(this, JSHeaders):
        throw_type_error("Illegal invocation")
    if len(args) < wanted:
        needs = "1 argument" if wanted == 1 else f"{wanted} arguments"
        found = f"only {len(args)}" if args else str(len(args))
        throw_type_error(f"Headers.{method}: {needs} required, but {found} found.")
    return this


@PROTOTYPE.method("append", 2)
def append(realm: Realm, this: Any, args: Args) -> Any:
    """Add a value."""
    headers = _called(this, args, "append", 2)
    _append(headers, "Headers.append", byte_string(args[0]), byte_string(args[1]))
    return UNDEFINED


@PROTOTYPE.method("set", 2)
def set_(realm: Realm, this: Any, args: Args) -> Any:
    """Replace all values."""
    headers = _called(this, args, "set", 2)
    headers.put(*_checked(headers, "Headers.set", byte_string(args[0]), byte_string(args[1])))
    return UNDEFINED


@PROTOTYPE.method("delete", 1)
def delete(realm: Realm, this: Any, args: Args) -> Any:
    """Remove all values."""
    headers = _called(this, args, "delete", 1)
    name = _checked_name("Headers.delete", byte_string(args[0]))
    _check_changes(headers)
    headers.remove(name)
    return UNDEFINED


@PROTOTYPE.method("get", 1)
def get(realm: Realm, this: Any, args: Args) -> Any:
    """The values, joined; null if there are none."""
    headers = _called(this, args, "get", 1)
    name = _checked_name("Headers.get", byte_string(args[0]))
    return headers.first(name) if headers.values_of(name) else None


@PROTOTYPE.method("has", 1)
def has(realm: Realm, this: Any, args: Args) -> Any:
    """Whether there is a value."""
    headers = _called(this, args, "has", 1)
    return bool(headers.values_of(_checked_name("Headers.has", byte_string(args[0]))))


@PROTOTYPE.method("getSetCookie")
def get_set_cookie(realm: Realm, this: Any, args: Args) -> Any:
    """All values of Set-Cookie."""
    return realm.new_array(_called(this, args, "getSetCookie", 0).values_of(_SEPARATE))


def _in_order(headers: JSHeaders) -> Iterator[tuple[str, str]]:
    """What `sorted` gives, also while somebody changes it."""
    index = 0
    while index < len(headers.sorted()):
        yield headers.sorted()[index]
        index += 1


_Pick = Callable[[Realm, tuple[str, str]], Any]
_PICKS: Final[dict[str, _Pick]] = {
    "keys": lambda realm, pair: pair[0],
    "values": lambda realm, pair: pair[1],
    "entries": lambda realm, pair: realm.new_array(pair),
}
"""What each kind of iterator yields for a header."""


def _add_iterator(name: str, pick: _Pick) -> None:
    def method(realm: Realm, this: Any, args: Args) -> Any:
        headers = _called(this, args, name, 0)
        return new_iterator(realm, f"{_KIND} Iterator", (pick(realm, pair) for pair in _in_order(headers)))

    PROTOTYPE.method(name)(method)


for _name, _pick in _PICKS.items():
    _add_iterator(_name, _pick)
PROTOTYPE.made(SYMBOL_ITERATOR, lambda realm: realm.prototype_of("Headers").get("entries"))


@PROTOTYPE.method("forEach", 1)
def for_each(realm: Realm, this: Any, args: Args) -> Any:
    """Call a function for each header, with its value first."""
    headers = _called(this, args, "forEach", 1)
    function = args[0]
    if not is_callable(function):
        throw_type_error("Failed to execute 'forEach' on 'Headers': parameter 1 is not of type 'Function'.")
    for name, value in _in_order(headers):
        function.call(argument(args, 1), (value, name, headers))
    return UNDEFINED
