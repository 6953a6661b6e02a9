"""URL. Spec: https://url.spec.whatwg.org, 6.1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, final

from wazero_gojs.model.object import Args, JSObject, argument
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import SYMBOL_TO_STRING_TAG, UNDEFINED, JSError, throw_type_error, to_string

from . import percent, search_params
from .errors import throw_coded
from .search_params import JSSearchParams
from .url_parser import SPECIAL, Record, parse

PROTOTYPE: Final = Table()
STATICS: Final = Table()
PROTOTYPE.constant(SYMBOL_TO_STRING_TAG, "URL", 4)


@final
class JSURL(JSObject):
    """A URL, and its query as an object once somebody asks for that."""

    __slots__ = ("params", "record")

    class_name = "URL"

    def __init__(self, prototype: JSObject, record: Record) -> None:
        super().__init__(prototype)
        self.record = record
        self.params: JSSearchParams | None = None

    def search_params(self, realm: Realm) -> JSSearchParams:
        """The query as an object, changes of which change the URL."""
        if self.params is None:
            pairs = percent.parse_form(self.record.query or "")
            self.params = JSSearchParams(realm.prototype_of("URLSearchParams"), pairs, self._take_query)
        return self.params

    def query_changed(self) -> None:
        """Let the object know of a new query."""
        if self.params is not None:
            self.params.pairs = percent.parse_form(self.record.query or "")

    def _take_query(self, text: str) -> None:
        self.record.query = text or None


def make(realm: Realm, name: str) -> Any:
    """The global of that name."""
    if name == "URLSearchParams":
        return search_params.make(realm, name)
    return realm.new_class(name, 1, _create, PROTOTYPE, statics=STATICS)


def _parse(args: Args) -> Record:
    """The URL of a constructor's arguments. Raises ValueError."""
    text, base = to_string(argument(args, 0)), argument(args, 1)
    return parse(text, None if base is UNDEFINED else parse(to_string(base)))


def _create(realm: Realm, prototype: JSObject, args: Args) -> JSURL:
    if not args:
        throw_coded(realm, "TypeError", "ERR_MISSING_ARGS", 'The "url" argument must be specified')
    try:
        return JSURL(prototype, _parse(args))
    except ValueError:
        more = {} if argument(args, 1) is UNDEFINED else {"base": to_string(args[1])}
        error = realm.new_error("TypeError", "Invalid URL", code="ERR_INVALID_URL", input=to_string(args[0]), **more)
        raise JSError(error) from None


@STATICS.method("canParse", 1)
def can_parse(realm: Realm, this: Any, args: Args) -> Any:
    """Whether the constructor would take these arguments."""
    try:
        _parse(args)
    except ValueError:
        return False
    return True


def _url(this: Any) -> JSURL:
    if not isinstance(this, JSURL):
        throw_type_error('Value of "this" must be of type URL')
    return this


# --- Parts -----------------------------------------------------------------------------------------------------------


def _can_have_login(record: Record) -> bool:
    return bool(record.host) and record.scheme != "file"


def _set_href(url: JSURL, text: str) -> None:
    url.record = parse(text)
    url.query_changed()


def _set_protocol(url: JSURL, text: str) -> None:
    record = url.record
    scheme = parse(f"{text.partition(':')[0]}://host").scheme
    if (scheme in SPECIAL) != record.is_special or (scheme == "file" and (record.username or record.port is not None)):
        return
    if record.scheme == "file" and not record.host:
        return
    record.scheme = scheme
    record.port = None if record.port == SPECIAL.get(scheme) else record.port


def _set_username(url: JSURL, text: str) -> None:
    if _can_have_login(url.record):
        url.record.username = percent.encode(text, "userinfo")


def _set_password(url: JSURL, text: str) -> None:
    if _can_have_login(url.record):
        url.record.password = percent.encode(text, "userinfo")


def _host_part(record: Record, text: str) -> str:
    for index, letter in enumerate(text):
        if letter in "/?#" or (letter == "\\" and record.is_special):
            return text[:index]
    return text


def _set_host(url: JSURL, text: str) -> None:
    if not url.record.is_opaque:
        old = url.record.port
        url.record.set_host(_host_part(url.record, text))
        if ":" not in text.rpartition("]")[2]:
            url.record.port = old


def _set_hostname(url: JSURL, text: str) -> None:
    text = _host_part(url.record, text)
    if not url.record.is_opaque and ":" not in text.rpartition("]")[2]:
        port = url.record.port
        url.record.set_host(text)
        url.record.port = port


def _set_port(url: JSURL, text: str) -> None:
    if not _can_have_login(url.record):
        return
    digits = text[: next((index for index, letter in enumerate(text) if letter not in "0123456789"), len(text))]
    if not text:
        url.record.port = None
    elif digits:
        url.record.set_port(digits)


def _set_pathname(url: JSURL, text: str) -> None:
    record = url.record
    if not record.is_opaque:
        is_rooted = text.startswith("/") or (record.is_special and text.startswith("\\"))
        record.set_path(text[1:] if is_rooted else text)


def _set_search(url: JSURL, text: str) -> None:
    if text.removeprefix("?"):
        url.record.set_query(text.removeprefix("?"))
    else:
        url.record.query = "" if text else None
    url.query_changed()


def _set_hash(url: JSURL, text: str) -> None:
    url.record.fragment = percent.encode(text.removeprefix("#"), "fragment") if text else None


_PARTS: Final[dict[str, tuple[Callable[[Record], str], Callable[[JSURL, str], None] | None]]] = {
    "href": (Record.text, _set_href),
    "origin": (lambda record: record.origin, None),
    "protocol": (lambda record: f"{record.scheme}:", _set_protocol),
    "username": (lambda record: record.username, _set_username),
    "password": (lambda record: record.password, _set_password),
    "host": (lambda record: record.host_and_port, _set_host),
    "hostname": (lambda record: record.host or "", _set_hostname),
    "port": (lambda record: "" if record.port is None else str(record.port), _set_port),
    "pathname": (lambda record: record.pathname, _set_pathname),
    "search": (lambda record: f"?{record.query}" if record.query else "", _set_search),
    "hash": (lambda record: f"#{record.fragment}" if record.fragment else "", _set_hash),
}
"""How each is read, and written."""


def _add_part(name: str) -> None:
    read, write = _PARTS[name]

    def set_part(realm: Realm, this: Any, args: Args) -> Any:
        url, text = _url(this), to_string(argument(args, 0))
        assert write is not None
        try:
            write(url, text)
        except ValueError:
            # What makes no sense is ignored, but for the whole.
            if name == "href":
                error = realm.new_error("TypeError", "Invalid URL", code="ERR_INVALID_URL", input=text)
                raise JSError(error) from None
        return UNDEFINED

    @PROTOTYPE.getter(name, None if write is None else set_part)
    def get_part(realm: Realm, this: Any, args: Args) -> Any:
        return read(_url(this).record)


for _name in _PARTS:
    _add_part(_name)


@PROTOTYPE.getter("searchParams")
def get_search_params(realm: Realm, this: Any, args: Args) -> Any:
    """The query as an object."""
    return _url(this).search_params(realm)


@PROTOTYPE.method("toString")
@PROTOTYPE.method("toJSON")
def to_text(realm: Realm, this: Any, args: Args) -> Any:
    """The whole URL."""
    return _url(this).record.text()
