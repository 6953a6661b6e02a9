"""TextEncoder, TextDecoder, atob and btoa. Spec: https://encoding.spec.whatwg.org, https://infra.spec.whatwg.org."""

from __future__ import annotations

import codecs
import re
from typing import Any, Final, final

from wazero_gojs.builtins.buffers import bytes_of
from wazero_gojs.model import utf16
from wazero_gojs.model.buffer import JSTypedArray
from wazero_gojs.model.object import Args, JSObject, argument
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    SYMBOL_TO_STRING_TAG,
    UNDEFINED,
    is_object,
    throw_range_error,
    throw_type_error,
    to_boolean,
    to_string,
)

from .errors import throw_coded, throw_dom_exception, throw_wrong_argument

ENCODER: Final = Table()
DECODER: Final = Table()
ENCODER.constant(SYMBOL_TO_STRING_TAG, "TextEncoder", 4)
DECODER.constant(SYMBOL_TO_STRING_TAG, "TextDecoder", 4)

_LABELS: Final = {
    "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8",
    "utf-16le": "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le",
    "utf-16be": "unicodefffe utf-16be",
    "windows-1252": (
        "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 "
        "iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252"
    ),
}
"""The encodings that there are, and what else they are called."""
ENCODINGS: Final = {label: name for name, labels in _LABELS.items() for label in labels.split()}

# Bytes that the code page leaves free are control characters.
_LATIN: Final = "".join(bytes((byte,)).decode("cp1252", "ignore") or chr(byte) for byte in range(256))


def make(realm: Realm, name: str) -> Any:
    """The global of that name."""
    if name == "TextEncoder":
        return realm.new_class(name, 0, lambda realm, prototype, args: JSTextEncoder(prototype), ENCODER)
    if name == "TextDecoder":
        return realm.new_class(name, 0, _create_decoder, DECODER)
    return realm.new_function(atob if name == "atob" else btoa, name, 1)


def to_utf8(text: str) -> bytes:
    """UTF-8 of a string, in which surrogates without a partner become U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode(utf16.CODEC, "surrogatepass").decode(utf16.CODEC, "replace").encode()


# --- TextEncoder -----------------------------------------------------------------------------------------------------


@final
class JSTextEncoder(JSObject):
    """A TextEncoder, which has no state."""

    __slots__ = ()

    class_name = "TextEncoder"


@ENCODER.getter("encoding")
def get_encoding(realm: Realm, this: Any, args: Args) -> Any:
    """Always UTF-8."""
    return "utf-8"


@ENCODER.method("encode")
def encode(realm: Realm, this: Any, args: Args) -> Any:
    """A string as a Uint8Array."""
    text = argument(args, 0)
    return realm.new_bytes(bytearray(b"" if text is UNDEFINED else to_utf8(to_string(text))))


@ENCODER.method("encodeInto", 2)
def encode_into(realm: Realm, this: Any, args: Args) -> Any:
    """Write as many whole characters as there is room for; says how many units were read and bytes written."""
    text, target = to_string(argument(args, 0)), argument(args, 1)
    if not isinstance(target, JSTypedArray) or target.type.name != "Uint8Array":
        throw_wrong_argument(realm, "dest", "an instance of Uint8Array", target)
    # More characters than bytes never fit.
    content = to_utf8(text[: target.length])
    if len(content) > target.length:
        end = target.length
        while end and content[end] & 0xC0 == 0x80:
            end -= 1
        content = content[:end]
    target.view[: len(content)] = content
    return realm.new_object({"read": utf16.length(text[: len(content.decode())]), "written": len(content)})


# --- TextDecoder -----------------------------------------------------------------------------------------------------


@final
class JSTextDecoder(JSObject):
    """A TextDecoder; `decoder` is Python's, while a stream of pieces is read."""

    __slots__ = ("decoder", "encoding", "is_fatal", "is_started", "keeps_mark")

    class_name = "TextDecoder"

    def __init__(self, prototype: JSObject, encoding: str, is_fatal: bool, keeps_mark: bool) -> None:
        super().__init__(prototype)
        self.encoding = encoding
        self.is_fatal = is_fatal
        self.keeps_mark = keeps_mark
        """Whether a byte order mark is part of the text."""
        self.decoder: Any = None
        self.is_started = False
        """Whether the mark could not come any more."""

    def decode(self, data: bytes | memoryview, is_last: bool) -> str:
        """The next piece. Raises UnicodeDecodeError."""
        if self.encoding == "windows-1252":
            return bytes(data).decode("latin-1").translate(_LATIN_TABLE)
        if self.decoder is None:
            self.decoder = codecs.getincrementaldecoder(self.encoding)("strict" if self.is_fatal else "replace")
            self.is_started = False
        decoder = self.decoder
        if is_last:
            self.decoder = None
        try:
            text: str = decoder.decode(data, is_last)
        except UnicodeDecodeError:
            self.decoder = None
            raise
        if text and not self.is_started:
            self.is_started = True
            if not self.keeps_mark:
                text = text.removeprefix("\ufeff")
        return text


_LATIN_TABLE: Final = dict(enumerate(_LATIN))


def _create_decoder(realm: Realm, prototype: JSObject, args: Args) -> JSTextDecoder:
    label, options = argument(args, 0), argument(args, 1)
    label = "utf-8" if label is UNDEFINED else to_string(label)
    encoding = ENCODINGS.get(label.strip("\t\n\f\r ").lower())
    if encoding is None:
        throw_coded(realm, "RangeError", "ERR_ENCODING_NOT_SUPPORTED", f'The "{label}" encoding is not supported')
    is_fatal = keeps_mark = False
    if is_object(options):
        is_fatal, keeps_mark = to_boolean(options.get("fatal")), to_boolean(options.get("ignoreBOM"))
    return JSTextDecoder(prototype, encoding, is_fatal, keeps_mark)


def _decoder(this: Any) -> JSTextDecoder:
    if not isinstance(this, JSTextDecoder):
        throw_type_error('Value of "this" must be of type TextDecoder')
    return this


@DECODER.getter("encoding")
def get_decoder_encoding(realm: Realm, this: Any, args: Args) -> Any:
    """The encoding's name."""
    return _decoder(this).encoding


@DECODER.getter("fatal")
def get_fatal(realm: Realm, this: Any, args: Args) -> Any:
    """Whether bytes that mean nothing are an error."""
    return _decoder(this).is_fatal


@DECODER.getter("ignoreBOM")
def get_ignore_bom(realm: Realm, this: Any, args: Args) -> Any:
    """Whether the byte order mark is part of the text."""
    return _decoder(this).keeps_mark


@DECODER.method("decode")
def decode(realm: Realm, this: Any, args: Args) -> Any:
    """The text of some bytes. Throws a TypeError for bytes that mean nothing, if fatal."""
    decoder, source, options = _decoder(this), argument(args, 0), argument(args, 1)
    data = memoryview(b"") if source is UNDEFINED else bytes_of(source)
    if data is None:
        message = 'The "list" argument must be an instance of SharedArrayBuffer, ArrayBuffer or ArrayBufferView.'
        throw_coded(realm, "TypeError", "ERR_INVALID_ARG_TYPE", message)
    if len(data) > utf16.MAX_LENGTH:
        throw_range_error("Invalid string length")
    is_last = not (is_object(options) and to_boolean(options.get("stream")))
    try:
        return decoder.decode(data, is_last)
    except UnicodeDecodeError:
        message = f"The encoded data was not valid for encoding {decoder.encoding}"
        throw_coded(realm, "TypeError", "ERR_ENCODING_INVALID_ENCODED_DATA", message)


# --- atob and btoa ---------------------------------------------------------------------------------------------------

_BASE64: Final = re.compile("[A-Za-z0-9+/]*")
_SPACES: Final = {ord(space): None for space in "\t\n\f\r "}


def atob(realm: Realm, this: Any, args: Args) -> Any:
    """Text of bytes, each a character, from base64. Throws an InvalidCharacterError."""
    if not args:
        throw_coded(realm, "TypeError", "ERR_MISSING_ARGS", 'The "data" argument must be specified')
    text = to_string(args[0]).translate(_SPACES)
    if len(text) % 4 == 0 and text.endswith("="):
        text = text.removesuffix("=").removesuffix("=")
    if _BASE64.fullmatch(text) is None:
        throw_dom_exception(realm, "InvalidCharacterError", "Invalid character")
    if len(text) % 4 == 1:
        throw_dom_exception(realm, "InvalidCharacterError", "The string to be decoded is not correctly encoded.")
    from binascii import a2b_base64

    return a2b_base64(text + "=" * (-len(text) % 4)).decode("latin-1")


def btoa(realm: Realm, this: Any, args: Args) -> Any:
    """Base64 of text, each character of which is a byte. Throws an InvalidCharacterError."""
    from binascii import b2a_base64

    if not args:
        throw_coded(realm, "TypeError", "ERR_MISSING_ARGS", 'The "data" argument must be specified')
    try:
        return b2a_base64(to_string(args[0]).encode("latin-1"), newline=False).decode()
    except UnicodeEncodeError:
        throw_dom_exception(realm, "InvalidCharacterError", "Invalid character")
