"""What a Go program for GOOS=js gets, beyond what every guest gets: `Config`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, final

from wazero_api.record import record, replace
from wazero_core import ModuleConfig

RoundTripper = Callable[[Any], Any]
"""Makes the HTTP requests of a program: see `wazero_gojs.http`."""


@final
@record
class Config:
    """Immutable: each ``with_…`` returns a changed copy. By default a closed box, as `ModuleConfig` has it."""

    module_config: ModuleConfig = ModuleConfig()
    """Arguments, environment, files, streams, clocks and so on."""
    globals: tuple[tuple[str, Any], ...] = ()
    round_tripper: RoundTripper | None = None
    workdir: str | None = None
    """Where relative paths start; None for the environment's PWD if that is a directory of a mount, else "/"."""
    os_user: bool = False
    local_time_zone: bool = False

    def with_global(self, name: str, value: Any) -> Config:
        """Let the program find `value` as ``js.Global().Get(name)``: a function, an object, or plain data."""
        return replace(self, globals=(*self.globals, (name, value)))

    def with_round_tripper(self, round_tripper: RoundTripper | None) -> Config:
        """Let net/http and `fetch` make requests, by this function of a request; None for none, which is the default."""
        return replace(self, round_tripper=round_tripper)

    def with_workdir(self, path: str) -> Config:
        """Start in this directory of the guest. Raises ValueError unless it is absolute."""
        if not path.startswith("/"):
            raise ValueError(f"a working directory must be absolute, not {path!r}")
        return replace(self, workdir=path)

    def with_os_workdir(self) -> Config:
        """Start in the directory of this process, as the guest would write it; wants a mount that has it."""
        path = os.getcwd().replace(os.sep, "/")  # noqa: PTH109 - text, for the guest
        return replace(self, workdir=os.path.splitdrive(path)[1])

    def with_os_user(self) -> Config:
        """Let the program see the user and groups of this process, where it has them; otherwise they are 0."""
        return replace(self, os_user=True)

    def with_local_time_zone(self) -> Config:
        """Let the program see the machine's time zone; otherwise it is UTC."""
        return replace(self, local_time_zone=True)
