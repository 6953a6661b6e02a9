"""A compiled module as bytes: its binary, and what is compiled of it.

    header | environment | wasm | code | HMAC-SHA256 of all before, if signed

Knows no engine and decodes nothing.
"""

from __future__ import annotations

from binascii import crc32
from struct import Struct
from typing import Final, NamedTuple

from wazero_api import MalformedModuleError, UntrustedCodeError

_MAGIC: Final = b"wazero\1\1"
"""The last byte is the version of this form."""

_HEADER: Final = Struct("<8sIIIQQ")
"""Magic, flags, CRC-32 of what follows, lengths of environment, wasm and code in bytes."""

_VALIDATED: Final = 1
_SIGNED: Final = 2
_SIGNATURE_BYTES: Final = 32


class Snapshot(NamedTuple):
    """What is worth keeping of a compiled module."""

    wasm: bytes
    environment: str = ""
    """What the code depends on; see `engines.environment_of`. Where it differs the code is of no use."""
    code: bytes = b""
    is_validated: bool = False
    """Whether every body of the module is known to be valid."""


def pack(snapshot: Snapshot, key: bytes | None) -> bytes:
    """The snapshot as bytes, signed if there is a key. Raises ValueError for an empty key."""
    environment = snapshot.environment.encode()
    content = b"".join((environment, snapshot.wasm, snapshot.code))
    flags = (_VALIDATED if snapshot.is_validated else 0) | (_SIGNED if key is not None else 0)
    lengths = len(environment), len(snapshot.wasm), len(snapshot.code)
    data = _HEADER.pack(_MAGIC, flags, crc32(content), *lengths) + content
    return data if key is None else data + _signature(data, key)


def unpack(data: bytes, key: bytes | None, *, allow_untrusted: bool) -> Snapshot:
    """What `pack` was given.

    Raises UntrustedCodeError if it is not signed with `key`, unless that is allowed; MalformedModuleError if it is not
    what `pack` gave, or not all of it.
    """
    if not allow_untrusted:
        _check_signature(data, key)
    if len(data) < _HEADER.size or data[: len(_MAGIC)] != _MAGIC:
        raise MalformedModuleError("not a serialised module, or one of another version of wazero", 0)
    _, flags, checksum, *lengths = _HEADER.unpack_from(data)
    end = _HEADER.size + sum(lengths)
    if len(data) != end + (_SIGNATURE_BYTES if flags & _SIGNED else 0):
        raise MalformedModuleError(
            "a serialised module that is cut off, or has something behind it", min(len(data), end)
        )
    if crc32(memoryview(data)[_HEADER.size : end]) != checksum:
        raise MalformedModuleError("a serialised module that was changed: its checksum is wrong", _HEADER.size)
    wasm_start = _HEADER.size + lengths[0]
    code_start = wasm_start + lengths[1]
    environment = data[_HEADER.size : wasm_start].decode(errors="replace")
    return Snapshot(data[wasm_start:code_start], environment, data[code_start:end], bool(flags & _VALIDATED))


def _check_signature(data: bytes, key: bytes | None) -> None:
    if key is None:
        raise UntrustedCodeError(
            "serialised modules hold code that can do all that this process can: give the key that this one was signed "
            "with, or allow_untrusted=True if you know whose it is"
        )
    from hmac import compare_digest  # it and its imports take milliseconds, and few programs sign

    signed, signature = data[:-_SIGNATURE_BYTES], data[-_SIGNATURE_BYTES:]
    if not compare_digest(signature, _signature(signed, key)):
        raise UntrustedCodeError("the serialised module is not signed with this key")


def _signature(data: bytes, key: bytes) -> bytes:
    from hmac import digest

    if not key:
        raise ValueError("an empty key signs nothing: anybody has it")
    return digest(key, data, "sha256")
