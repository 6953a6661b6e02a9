"""Errors that browsers' functions throw."""

from __future__ import annotations

from typing import NoReturn

from wazero_gojs.model.realm import Realm
from wazero_gojs.model.values import JSError


def throw_dom_exception(realm: Realm, name: str, message: str) -> NoReturn:
    """Throw a DOMException, such as an "AbortError"."""
    raise JSError(realm.intrinsic("DOMException").construct((message, name)))


def throw_coded(realm: Realm, kind: str, code: str, message: str) -> NoReturn:
    """Throw an error as Node does: with a code, such as "ERR_INVALID_ARG_TYPE", by which programs tell what it is."""
    raise JSError(realm.new_error(kind, message, code=code))
