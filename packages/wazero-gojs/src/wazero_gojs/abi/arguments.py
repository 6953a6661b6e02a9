"""Arguments and environment, laid out where Go's start-up code looks for them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, final

from wazero_api import WazeroError

_START: Final = 4096
_END: Final = _START + 8192
"""Where the linker puts a program's data at the earliest (cmd/link/internal/ld, wasmMinDataAddr)."""


@final
class TooLongError(WazeroError, ValueError):
    """Arguments and environment do not fit. A ValueError for callers, and for the command one of the errors that it reports."""


def lay_out(buffer: memoryview, args: Sequence[bytes], environ: Sequence[bytes]) -> tuple[int, int]:
    """Write them into memory; the number of arguments, and the address of their pointers.

    Strings end with a NUL and start at multiples of 8, the pointers of 8 bytes come after them: those of the arguments,
    0, those of the environment, 0. Raises ValueError if they do not fit into 8 KiB.
    """
    position = _START
    pointers: list[int] = []
    content = bytearray()
    for group in (args, sorted(environ)):
        for text in group:
            pointers.append(position)
            padded = text + bytes(8 - len(text) % 8)  # at least one NUL
            content += padded
            position += len(padded)
        pointers.append(0)
    table = struct.pack(f"<{len(pointers)}Q", *pointers)
    if position + len(table) >= _END:
        raise TooLongError(
            f"arguments and environment take {len(content) + len(table)} bytes, and a Go program for GOOS=js has room for "
            f"{_END - _START - 1}: pass fewer variables, or shorter arguments"
        )
    buffer[_START : position + len(table)] = content + table
    return len(args), position
