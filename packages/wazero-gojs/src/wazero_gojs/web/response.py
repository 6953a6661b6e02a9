"""Response. Spec: https://fetch.spec.whatwg.org, 5.5."""

from __future__ import annotations

from typing import Any, Final, final

from wazero_gojs.model.object import Args, JSObject, argument
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    SYMBOL_TO_STRING_TAG,
    UNDEFINED,
    throw_range_error,
    throw_type_error,
    to_integer,
    to_string,
)

from .body import METHODS, Body, BodyHolder, extract, set_type
from .headers import JSHeaders, byte_string, fill_headers, is_value
from .request import parse_url
from .streams import member
from .text import to_utf8

PROTOTYPE: Final = Table()
PROTOTYPE.include(METHODS)
PROTOTYPE.constant(SYMBOL_TO_STRING_TAG, "Response", 4)
STATICS: Final = Table()

BODILESS: Final = frozenset({101, 103, 204, 205, 304})
"""Statuses of responses that have no body. Spec: 2.2.3."""
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@final
class JSResponse(BodyHolder):
    """What was fetched."""

    __slots__ = ("is_redirected", "status", "status_text", "type", "url")

    class_name = "Response"

    def __init__(self, prototype: JSObject, headers: JSHeaders) -> None:
        super().__init__(prototype)
        self.headers = headers
        self.body = None
        self.status = 200
        self.status_text = ""
        self.type = "default"
        self.url = ""
        self.is_redirected = False


def make_response_class(realm: Realm) -> Any:
    """The class Response."""
    return realm.new_class("Response", 0, _create, PROTOTYPE, statics=STATICS)


def new_response(realm: Realm, *, is_immutable: bool = False) -> JSResponse:
    """A response without anything."""
    headers = JSHeaders(realm.prototype_of("Headers"))
    headers.is_immutable = is_immutable
    return JSResponse(realm.prototype_of("Response"), headers)


def _create(realm: Realm, prototype: JSObject, args: Args) -> JSResponse:
    """Spec: 5.5 (the constructor)."""
    made = JSResponse(prototype, JSHeaders(realm.prototype_of("Headers")))
    given = argument(args, 0)
    body = None if given is None or given is UNDEFINED else extract(realm, given)
    _initialize(realm, made, argument(args, 1), body)
    return made


def _initialize(realm: Realm, made: JSResponse, init: Any, body: tuple[Body, str | None] | None) -> None:
    status, text = member(init, "status"), member(init, "statusText")
    if status is not UNDEFINED:
        made.status = int(min(max(to_integer(status), 0), 1000))
        if not 200 <= made.status <= 599:
            throw_range_error('init["status"] must be in the range of 200 to 599, inclusive.')
    if text is not UNDEFINED:
        made.status_text = byte_string(text)
        if not is_value(made.status_text):
            throw_type_error("Invalid statusText")
    fill_headers(realm, made.headers, member(init, "headers"))
    if body is not None:
        if made.status in BODILESS:
            throw_type_error(f"Response constructor: Invalid response status code {made.status}")
        made.body, media_type = body
        set_type(made.headers, media_type)


@STATICS.method("error")
def error(realm: Realm, this: Any, args: Args) -> Any:
    """A response that stands for a failure."""
    made = new_response(realm, is_immutable=True)
    made.type = "error"
    made.status = 0
    return made


@STATICS.method("json", 1)
def json_response(realm: Realm, this: Any, args: Args) -> Any:
    """A response whose body is a value as JSON."""
    text = realm.intrinsic("JSON").get("stringify").call(UNDEFINED, args[:1])
    if text is UNDEFINED:
        throw_type_error("Value is not JSON serializable")
    made = new_response(realm)
    _initialize(realm, made, argument(args, 1), (Body(to_utf8(text)), "application/json"))
    return made


@STATICS.method("redirect", 1)
def redirect(realm: Realm, this: Any, args: Args) -> Any:
    """A response that sends whoever gets it elsewhere."""
    url, status = to_string(argument(args, 0)), argument(args, 1)
    location = parse_url(realm, url).text()
    made = new_response(realm)
    made.status = 302 if status is UNDEFINED else int(min(max(to_integer(status), 0), 1000))
    if made.status not in REDIRECTS:
        throw_range_error(f"Invalid status code {made.status}")
    made.headers.put("location", location)
    made.headers.is_immutable = True
    return made


# --- Properties ------------------------------------------------------------------------------------------------------


def _response(this: Any) -> JSResponse:
    if not isinstance(this, JSResponse):
        throw_type_error("Illegal invocation")
    return this


def _add_field(name: str, field: str) -> None:
    @PROTOTYPE.getter(name)
    def get(realm: Realm, this: Any, args: Args) -> Any:
        return getattr(_response(this), field)


for _name, _field in (
    ("type", "type"),
    ("url", "url"),
    ("redirected", "is_redirected"),
    ("status", "status"),
    ("statusText", "status_text"),
    ("headers", "headers"),
):
    _add_field(_name, _field)


@PROTOTYPE.getter("ok")
def ok(realm: Realm, this: Any, args: Args) -> Any:
    """Whether the status says that all went well."""
    return 200 <= _response(this).status <= 299


@PROTOTYPE.method("clone")
def clone(realm: Realm, this: Any, args: Args) -> Any:
    """Another response with the same body."""
    response = _response(this)
    if response.body is not None and (response.body.is_used or response.body.is_locked):
        throw_type_error("Response.clone: Body has already been consumed.")
    made = new_response(realm)
    for name, value in response.headers.pairs():
        made.headers.add(name, value)
    made.headers.is_immutable = response.headers.is_immutable
    for field in ("status", "status_text", "type", "url", "is_redirected"):
        setattr(made, field, getattr(response, field))
    made.body = None if response.body is None else response.body.clone(realm)
    return made
