"""The values of ``-mount``: ``host[:guest][:ro]``."""

from __future__ import annotations

from typing import NamedTuple


class MountFlag(NamedTuple):
    """A directory of the host and where the guest sees it."""

    host: str
    guest: str
    is_read_only: bool


def parse_mount(text: str, *, has_drives: bool) -> MountFlag:
    r"""Without a guest path it is that of the host, as written. Raises ValueError.

    With `has_drives`, as on Windows, a single letter before ``:\`` or ``:/`` at the start is a drive and not a host path;
    a directory of such a name is written ``.\d``.
    """
    if not text:
        raise ValueError("empty string")
    rest = text.removesuffix(":ro")
    drive = rest[:2] if has_drives and rest[:1].isalpha() and rest[1:3] in {":\\", ":/"} else ""
    # The last colon divides, so that a host path may have some, and a guest path none.
    host, colon, guest = rest[len(drive) :].rpartition(":")
    host = drive + (host if colon else guest)
    if not host:
        raise ValueError(f'no host path in "{text}"')
    return MountFlag(host, guest if colon else host, rest != text)
