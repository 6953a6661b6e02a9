"""Request. Spec: https://fetch.spec.whatwg.org, 5.4."""

from __future__ import annotations

from typing import Any, Final, final

from wazero_gojs.model.object import Args, JSObject, argument
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    SYMBOL_TO_STRING_TAG,
    UNDEFINED,
    JSError,
    throw_type_error,
    to_boolean,
    to_string,
)

from .abort import JSSignal, new_signal
from .body import METHODS, Body, BodyHolder, extract, set_type
from .headers import JSHeaders, byte_string, fill_headers, is_token
from .streams import JSReadableStream, member
from .url_parser import Record, parse

PROTOTYPE: Final = Table()
PROTOTYPE.include(METHODS)
PROTOTYPE.constant(SYMBOL_TO_STRING_TAG, "Request", 4)

_NORMALIZED: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"})
"""Methods that are meant in whatever case they are written. Spec: 2.2.1."""
_FORBIDDEN: Final = frozenset({"CONNECT", "TRACE", "TRACK"})
_BODILESS: Final = frozenset({"GET", "HEAD"})

_CHOICES: Final = {
    "mode": ("cors", "no-cors", "same-origin", "navigate", "websocket"),
    "credentials": ("same-origin", "omit", "include"),
    "cache": ("default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached"),
    "redirect": ("follow", "manual", "error"),
    "referrerPolicy": (
        "",
        "no-referrer",
        "no-referrer-when-downgrade",
        "same-origin",
        "origin",
        "strict-origin",
        "origin-when-cross-origin",
        "strict-origin-when-cross-origin",
        "unsafe-url",
    ),
}
"""Options, what they may be, and first what they are if left out. Only `redirect` changes anything here."""
_CONSTANTS: Final = {
    "destination": "",
    "referrer": "about:client",
    "isReloadNavigation": False,
    "isHistoryNavigation": False,
    "duplex": "half",
}


@final
class JSRequest(BodyHolder):
    """What to fetch."""

    __slots__ = ("integrity", "is_keepalive", "method", "options", "signal", "url")

    class_name = "Request"

    def __init__(self, prototype: JSObject, url: Record, headers: JSHeaders) -> None:
        super().__init__(prototype)
        self.url = url
        self.headers = headers
        self.method = "GET"
        self.body = None
        self.options = {name: choices[0] for name, choices in _CHOICES.items()}
        self.signal: JSSignal | None = None
        """What may abort it."""
        self.integrity = ""
        self.is_keepalive = False


def make_request_class(realm: Realm) -> Any:
    """The class Request."""
    return realm.new_class("Request", 1, _create, PROTOTYPE)


def new_request(realm: Realm, args: Args) -> JSRequest:
    """What ``new Request`` makes of arguments; TypeError for what it cannot be."""
    return _create(realm, realm.prototype_of("Request"), args)


def _create(realm: Realm, prototype: JSObject, args: Args) -> JSRequest:
    """Spec: 5.4 (the constructor)."""
    source, init = argument(args, 0), argument(args, 1)
    headers = JSHeaders(realm.prototype_of("Headers"))
    if isinstance(source, JSRequest):
        made = _copied(prototype, source, headers)
    else:
        made = JSRequest(prototype, _parsed(realm, to_string(source)), headers)
    _set_options(realm, made, init)
    init_headers = member(init, "headers")
    if init_headers is not UNDEFINED:
        fill_headers(realm, headers, init_headers)
    elif isinstance(source, JSRequest):
        fill_headers(realm, headers, source.headers)
    _set_body(realm, made, source, init)
    return made


def _copied(prototype: JSObject, source: JSRequest, headers: JSHeaders) -> JSRequest:
    made = JSRequest(prototype, source.url, headers)
    made.method = source.method
    made.options = dict(source.options)
    made.signal = source.signal
    made.integrity = source.integrity
    made.is_keepalive = source.is_keepalive
    return made


def _parsed(realm: Realm, text: str) -> Record:
    url = parse_url(realm, text)
    if url.username or url.password:
        throw_type_error(f"Request cannot be constructed from a URL that includes credentials: {text}")
    return url


def parse_url(realm: Realm, text: str) -> Record:
    """A URL that is complete. TypeError for anything else."""
    try:
        return parse(text)
    except ValueError:
        cause = realm.new_error("TypeError", "Invalid URL", code="ERR_INVALID_URL", input=text)
        raise JSError(caused_error(realm, f"Failed to parse URL from {text}", cause)) from None


def caused_error(realm: Realm, message: str, cause: Any) -> Any:
    """A TypeError that says why."""
    return realm.intrinsic("TypeError").construct((message, realm.new_object({"cause": cause})))


def _set_options(realm: Realm, made: JSRequest, init: Any) -> None:
    for name, choices in _CHOICES.items():
        value = member(init, name)
        if value is UNDEFINED:
            continue
        made.options[name] = to_string(value)
        if made.options[name] not in choices:
            accepted = ", ".join(choices)
            throw_type_error(
                f"Request constructor: {made.options[name]} is not an accepted type. Expected one of {accepted}."
            )
    if made.options["mode"] == "navigate":
        throw_type_error("Request constructor: invalid request mode navigate.")
    method = member(init, "method")
    if method is not UNDEFINED:
        made.method = _checked_method(byte_string(method))
    integrity, keepalive = member(init, "integrity"), member(init, "keepalive")
    if integrity is not UNDEFINED:
        made.integrity = to_string(integrity)
    made.is_keepalive = to_boolean(keepalive) if keepalive is not UNDEFINED else made.is_keepalive
    signal = member(init, "signal")
    if signal is not UNDEFINED:
        if signal is not None and not isinstance(signal, JSSignal):
            throw_type_error("Failed to construct 'Request': member signal is not of type AbortSignal.")
        made.signal = signal


def _checked_method(method: str) -> str:
    if not is_token(method):
        throw_type_error(f"'{method}' is not a valid HTTP method.")
    upper = method.upper()
    if upper in _FORBIDDEN:
        throw_type_error(f"'{method}' HTTP method is unsupported.")
    return upper if upper in _NORMALIZED else method


def _set_body(realm: Realm, made: JSRequest, source: Any, init: Any) -> None:
    given = member(init, "body")
    old = source.body if isinstance(source, JSRequest) else None
    has_given = given is not UNDEFINED and given is not None
    if (has_given or old is not None) and made.method in _BODILESS:
        throw_type_error("Request with GET/HEAD method cannot have body.")
    if has_given:
        if isinstance(given, JSReadableStream) and member(init, "duplex") is UNDEFINED:
            throw_type_error("RequestInit: duplex option is required when sending a body.")
        made.body, media_type = extract(realm, given)
        set_type(made.headers, media_type)
    elif old is not None:
        if old.is_used or old.is_locked:
            throw_type_error("Cannot construct a Request with a Request object that has already been used.")
        made.body = _moved(realm, old)


def _moved(realm: Realm, body: Body) -> Body:
    """The body for another request; the first has none any more."""
    data = body.take()
    if data is not None:
        return Body(data)
    from .stream_classes import tee_stream

    return Body(None, tee_stream(realm, body.stream(realm))[0])


# --- Properties ------------------------------------------------------------------------------------------------------


def _request(this: Any) -> JSRequest:
    if not isinstance(this, JSRequest):
        throw_type_error("Illegal invocation")
    return this


def _add_option(name: str) -> None:
    @PROTOTYPE.getter(name)
    def option(realm: Realm, this: Any, args: Args) -> Any:
        return _request(this).options[name]


def _add_constant(name: str, value: Any) -> None:
    @PROTOTYPE.getter(name)
    def constant(realm: Realm, this: Any, args: Args) -> Any:
        _request(this)
        return value


def _add_field(name: str, field: str) -> None:
    @PROTOTYPE.getter(name)
    def get(realm: Realm, this: Any, args: Args) -> Any:
        return getattr(_request(this), field)


for _name in _CHOICES:
    _add_option(_name)
for _name, _value in _CONSTANTS.items():
    _add_constant(_name, _value)
for _name, _field in (
    ("method", "method"),
    ("headers", "headers"),
    ("integrity", "integrity"),
    ("keepalive", "is_keepalive"),
):
    _add_field(_name, _field)


@PROTOTYPE.getter("url")
def url(realm: Realm, this: Any, args: Args) -> Any:
    """What is fetched, from where."""
    return _request(this).url.text()


@PROTOTYPE.getter("signal")
def signal(realm: Realm, this: Any, args: Args) -> Any:
    """What may abort it."""
    request = _request(this)
    if request.signal is None:
        request.signal = new_signal(realm)
    return request.signal


@PROTOTYPE.method("clone")
def clone(realm: Realm, this: Any, args: Args) -> Any:
    """Another request with the same body."""
    request = _request(this)
    if request.body is not None and (request.body.is_used or request.body.is_locked):
        throw_type_error("unusable")
    made = _copied(
        realm.prototype_of("Request"), request, JSHeaders(realm.prototype_of("Headers"), request.headers.pairs())
    )
    made.body = None if request.body is None else request.body.clone(realm)
    return made
