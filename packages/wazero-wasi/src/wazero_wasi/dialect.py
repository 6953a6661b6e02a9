"""What differs between `wasi_snapshot_preview1` and its predecessor `wasi_unstable`: a few layouts and one order."""

from __future__ import annotations

import os
from struct import Struct
from typing import Final, final

from wazero_api.record import record


@final
@record
class Dialect:
    """The layouts of one version. Spec: "filestat", "whence" and "subscription_clock" of each."""

    module_name: str
    whence: tuple[int, int, int]
    """`os.SEEK_…` by WASI's number."""
    filestat: Struct
    """Device, inode, type, links, size, and times of access, modification and change."""
    max_links: int
    """What fits into the number of links."""
    subscription: Struct
    """User data, tag, and for a clock: id, timeout, precision, flags. For a file the id is its descriptor."""


PREVIEW1: Final = Dialect(
    module_name="wasi_snapshot_preview1",
    whence=(os.SEEK_SET, os.SEEK_CUR, os.SEEK_END),
    filestat=Struct("<QQB7xQQQQQ"),
    max_links=(1 << 64) - 1,
    subscription=Struct("<QB7xI4xQQH6x"),
)

UNSTABLE: Final = Dialect(
    module_name="wasi_unstable",
    whence=(os.SEEK_CUR, os.SEEK_END, os.SEEK_SET),
    filestat=Struct("<QQB3xIQQQQ"),
    max_links=(1 << 32) - 1,
    # A clock has an identifier of its own before the rest, where a file has its descriptor: `poll` looks there itself.
    subscription=Struct("<QB7x8xI4xQQH6x"),
)

DIALECTS: Final = {dialect.module_name: dialect for dialect in (PREVIEW1, UNSTABLE)}
