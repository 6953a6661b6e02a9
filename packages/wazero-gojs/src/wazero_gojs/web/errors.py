"""Errors that browsers' functions throw."""

from __future__ import annotations

from typing import Any, NoReturn

from wazero_gojs.model.object import is_callable
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.values import UNDEFINED, JSError, describe, is_object, type_of


def throw_dom_exception(realm: Realm, name: str, message: str) -> NoReturn:
    """Throw a DOMException, such as an "AbortError"."""
    raise JSError(realm.intrinsic("DOMException").construct((message, name)))


def throw_coded(realm: Realm, kind: str, code: str, message: str) -> NoReturn:
    """Throw an error as Node does: with a code, such as "ERR_INVALID_ARG_TYPE", by which programs tell what it is."""
    raise JSError(realm.new_error(kind, message, code=code))


def throw_wrong_argument(realm: Realm, name: str, wanted: str, value: Any) -> NoReturn:
    """Throw what Node throws for an argument of a wrong type; `wanted` is, say, "of type function"."""
    message = f'The "{name}" argument must be {wanted}. Received {_received(value)}'
    throw_coded(realm, "TypeError", "ERR_INVALID_ARG_TYPE", message)


def _received(value: Any) -> str:
    if value is None or value is UNDEFINED:
        return describe(value)
    if is_callable(value):
        name = value.own("name")
        return f"function {name if isinstance(name, str) else ''}"
    if is_object(value):
        return f"an instance of {describe(value).removeprefix('#<').removeprefix('[object ').rstrip('>]')}"
    shown = describe(value)
    if isinstance(value, str):
        shown = f"'{shown}'"
    shown = shown if len(shown) <= 28 else f"{shown[:25]}..."
    return f"type {type_of(value)} ({shown})"
