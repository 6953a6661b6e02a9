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
    listeners: tuple[tuple[str, int], ...] = ()
    """Hosts and ports."""
    log_scopes: int = 0
    """Of `wazero_api.LogScope`."""
    function: str | None = None
    """The export to call with `args` in the place of ``_start``."""
    cpu_profile: str = ""
    memory_profile: str = ""
    """Files to be written; "" for none."""
    workdir: str | None = None
    """Where relative paths of the program start, for programs that have such a thing."""
