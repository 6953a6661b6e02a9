"""What `wazero run` was asked to do."""

from __future__ import annotations

from typing import NamedTuple

from .mounts import MountFlag


class Request(NamedTuple):
    """A program and what it gets."""

    path: str
    args: list[str]
    """Without the program's name."""
    env: list[tuple[str, str]]
    mounts: list[MountFlag]
    is_interpreted: bool
    timeout: int
    """In nanoseconds; 0 for none."""
    cache_directory: str = ""
    """Where compiled code is kept; "" for nowhere."""
