"""crypto: random bytes, from the program's source of them. There is no crypto.subtle."""

from __future__ import annotations

from typing import Any, Final

from wazero_gojs.builtins.buffers import bytes_of
from wazero_gojs.builtins.randomness import random_bytes
from wazero_gojs.model.buffer import JSTypedArray
from wazero_gojs.model.object import Args, argument
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import SYMBOL_TO_STRING_TAG

from .errors import throw_coded, throw_dom_exception

TABLE: Final = Table()
TABLE.constant(SYMBOL_TO_STRING_TAG, "Crypto", 4)
QUOTA: Final = 65_536
"""Bytes that one call may ask for."""


def make(realm: Realm, name: str) -> Any:
    """The global crypto."""
    return realm.new_namespace(TABLE, "Crypto")


@TABLE.method("getRandomValues", 1)
def get_random_values(realm: Realm, this: Any, args: Args) -> Any:
    """Fill an array of integers and return it. Throws a TypeMismatchError or QuotaExceededError."""
    if not args:
        throw_coded(realm, "TypeError", "ERR_MISSING_ARGS", 'The "typedArray" argument must be specified')
    array = argument(args, 0)
    if not isinstance(array, JSTypedArray) or array.type.format in "fd":
        message = (
            "The data argument must be an integer-type TypedArray"
            if bytes_of(array) is not None
            else 'The "typedArray" argument must be an integer-type TypedArray'
        )
        throw_dom_exception(realm, "TypeMismatchError", message)
    count = len(array.view)
    if count > QUOTA:
        message = f"The requested length exceeds {QUOTA:,} bytes"
        throw_dom_exception(realm, "QuotaExceededError", message)
    array.view[:] = random_bytes(realm, count)
    return array


@TABLE.method("randomUUID")
def random_uuid(realm: Realm, this: Any, args: Args) -> Any:
    """A UUID of version 4. Spec: RFC 9562, 5.4."""
    raw = bytearray(random_bytes(realm, 16))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    digits = raw.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
