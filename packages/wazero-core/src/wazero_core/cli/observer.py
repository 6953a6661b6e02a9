"""Who watches a guest run: logs of host calls, and profiles, which are written however it ends."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import FileIO
from typing import final

from wazero_api import HostModule, LogScope
from wazero_core import CompiledModule, Runtime

from .errors import CommandError
from .request import Request


@final
class Observer:
    """For one run of one guest. To be made before anything is compiled."""

    def __init__(self, request: Request, runtime: Runtime) -> None:
        self._request = request
        self._scopes = LogScope(request.log_scopes)
        self._cpu = self._memory = None
        if request.memory_profile:
            from wazero_core.profiling import MemoryProfiler

            self._memory = MemoryProfiler(runtime.engine)
            runtime.engine = self._memory.engine()
        if request.cpu_profile:
            from wazero_core.profiling import CpuProfiler

            self._cpu = CpuProfiler(runtime.engine)

    def change(self, host: HostModule) -> HostModule:
        """The host module as the guest should get it."""
        if self._scopes:
            from wazero_core.runtime.host_logging import logged

            host = logged(host, self._scopes, _write_log)
        return host if self._cpu is None else self._cpu.watched(host)

    @contextmanager
    def profiled(self) -> Iterator[None]:
        """What runs in the block is profiled. Raises CommandError if a file cannot be written."""
        with ExitStack() as stack:
            for what, path, profiler in (
                ("cpu", self._request.cpu_profile, self._cpu),
                ("memory", self._request.memory_profile, self._memory),
            ):
                if profiler is not None:
                    file = stack.enter_context(_open(what, path))
                    stack.callback(self._write, what, path, file, profiler.encode)
            if self._cpu is not None:
                stack.enter_context(self._cpu)
            yield

    def _write(self, what: str, path: str, file: FileIO, encode: Callable[[str], bytes]) -> None:
        left = memoryview(encode(self._request.path))
        try:
            while left:
                left = left[file.write(left) :]
        except OSError as error:
            raise CommandError(f"error writing {what} profile: {path}: {error.strerror}") from None

    @contextmanager
    def called(self, compiled: CompiledModule, name: str) -> Iterator[None]:
        """The guest's export `name` is called in the block, if there is one."""
        definition = compiled.exported_functions.get(name)
        if self._scopes != LogScope.ALL or definition is None:
            yield
            return
        from wazero_core.runtime.host_logging import guest_call

        with guest_call(definition.debug_name, _write_log):
            yield


def _open(what: str, path: str) -> FileIO:
    """Without a buffer, which closing would try to write once more."""
    try:
        return FileIO(path, "wb")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise CommandError(f"error creating {what} profile output: {path}: {reason}") from None


def _write_log(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(text)
        sys.stderr.flush()
