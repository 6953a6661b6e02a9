"""The form of an entry: a header, then the bytes of `Code.dump`.

A header says whose entry it is and how to tell that it is whole. The checksum is there for disks and for processes that
died, not for enemies: who can write entries can write code.
"""

from __future__ import annotations

from binascii import crc32
from struct import Struct
from typing import Final, NamedTuple

_MAGIC: Final = b"wazero\0\1"
"""The last byte is the version of this form."""

_HEADER: Final = Struct("<8s32sIIQ")
"""Magic, key, flags, CRC-32 of the code, length of the code in bytes."""

_VALIDATED: Final = 1

HEADER_BYTES: Final = _HEADER.size
KEY_BYTES: Final = 32


class Entry(NamedTuple):
    """What is known of a module that was compiled before."""

    code: bytes
    is_validated: bool
    """Whether every body of the module is known to be valid."""


def header_of(key: bytes, entry: Entry) -> bytes:
    """What stands before the code. Equal headers of one key mean equal entries."""
    flags = _VALIDATED if entry.is_validated else 0
    return _HEADER.pack(_MAGIC, key, flags, crc32(entry.code), len(entry.code))


def parse_entry(key: bytes, header: bytes, code: bytes) -> Entry | None:
    """None if this is no entry for `key`, or not a whole one."""
    if len(header) != HEADER_BYTES:
        return None
    magic, found_key, flags, checksum, length = _HEADER.unpack(header)
    if (magic, found_key, length) != (_MAGIC, key, len(code)) or checksum != crc32(code):
        return None
    return Entry(code, bool(flags & _VALIDATED))
