"""encodeURIComponent and its kind. Spec: ECMA-262, 19.2.6 and B.2.1."""

from __future__ import annotations

from string import ascii_letters, digits
from typing import Any, Final

from wazero_gojs.model import utf16
from wazero_gojs.model.object import Args, NativeFunction, argument
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.values import ThrownByName, throw_range_error, to_string

_ALPHANUMERIC: Final = ascii_letters + digits
_MARKS: Final = "-_.!~*'()"
_RESERVED: Final = ";/?:@&=+$,"
_HEX: Final = frozenset("0123456789abcdefABCDEF")


def make(realm: Realm, name: str) -> Any:
    """One of the functions."""
    return NativeFunction(realm, name, 1, _FUNCTIONS[name])


def _escapes(kept: str) -> dict[int, str]:
    """What bytes become that are no character to be kept."""
    return {byte: chr(byte) if chr(byte) in kept else f"%{byte:02X}" for byte in range(256)}


def _encode(text: str, kept: str) -> str:
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise ThrownByName("URIError", "URI malformed") from None
    return _limited(data.decode("latin-1").translate(_escapes(kept)))


def _limited(text: str) -> str:
    if len(text) > utf16.MAX_LENGTH:
        throw_range_error("Invalid string length")
    return text


def encode_uri(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 19.2.6.3."""
    return _encode(to_string(argument(args, 0)), _ALPHANUMERIC + _MARKS + _RESERVED + "#")


def encode_uri_component(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 19.2.6.4."""
    return _encode(to_string(argument(args, 0)), _ALPHANUMERIC + _MARKS)


def _decode(text: str, kept: str) -> str:
    """Each run of escaped bytes is UTF-8; escapes of the characters to be kept stay."""
    pieces: list[str] = []
    start = 0
    while (at := text.find("%", start)) >= 0:
        pieces.append(text[start:at])
        data = bytearray()
        while text[at : at + 1] == "%":
            data.append(_byte(text[at + 1 : at + 3]))
            at += 3
        start = at
        pieces.append(_from_utf8(data, text[at - 3 * len(data) : at], kept))
    pieces.append(text[start:])
    return "".join(pieces)


def _byte(pair: str) -> int:
    if len(pair) != 2 or not _HEX.issuperset(pair):
        raise ThrownByName("URIError", "URI malformed")
    return int(pair, 16)


def _from_utf8(data: bytearray, escaped: str, kept: str) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise ThrownByName("URIError", "URI malformed") from None
    if not kept or not any(character in kept for character in text):
        return text
    pieces = []
    at = 0
    for character in text:
        pieces.append(escaped[at : at + 3] if character in kept else character)
        at += 3 * len(character.encode())
    return "".join(pieces)


def decode_uri(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 19.2.6.1."""
    return _decode(to_string(argument(args, 0)), _RESERVED + "#")


def decode_uri_component(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 19.2.6.2."""
    return _decode(to_string(argument(args, 0)), "")


_UNESCAPED: Final = _ALPHANUMERIC + "@*_+-./"


def escape(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: B.2.1.1."""
    text = to_string(argument(args, 0))
    units = memoryview(utf16.encode(text)).cast("H")
    names = _escapes(_UNESCAPED)
    return _limited("".join([names[unit] if unit < 256 else f"%u{unit:04X}" for unit in units]))


def unescape(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: B.2.1.2."""
    import re

    text = to_string(argument(args, 0))
    pattern = r"%u([0-9a-fA-F]{4})|%([0-9a-fA-F]{2})"
    return utf16.joined(re.sub(pattern, lambda found: chr(int(found[1] or found[2], 16)), text))


_FUNCTIONS: Final = {
    "encodeURI": encode_uri,
    "encodeURIComponent": encode_uri_component,
    "decodeURI": decode_uri,
    "decodeURIComponent": decode_uri_component,
    "escape": escape,
    "unescape": unescape,
}
