"""The standard streams of this process, for a guest.

Descriptors where there are some: what the guest writes is out at once, and it reads no more than it asked for.
"""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO, final

from wazero_api.system import File
from wazero_core.system import HostFile, output_file

from .errors import ClosedPipeError


@final
class Output:
    """A file that ends the command when nobody reads it any more, as the system ends other commands then."""

    def __init__(self, file: File) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: memoryview | bytes) -> int:
        """As the file does. Raises ClosedPipeError."""
        try:
            return self._file.write(data)
        except BrokenPipeError:
            raise ClosedPipeError from None


def standard_input() -> Any:
    """For `ModuleConfig.with_stdin`."""
    descriptor = _descriptor(sys.stdin)
    return sys.stdin if descriptor is None else descriptor


def standard_output(stream: TextIO | None) -> Any:
    """For `ModuleConfig.with_stdout` and `with_stderr`."""
    if stream is None:  # as in Windows programs without a console
        return None
    stream.flush()
    descriptor = _descriptor(stream)
    return Output(output_file(stream) if descriptor is None else HostFile(descriptor, is_owned=False))


def _descriptor(stream: TextIO | None) -> int | None:
    """None if there is none, or if it should not be used: a Windows console takes UTF-8 only through Python's stream."""
    try:
        return None if stream is None or (os.name == "nt" and stream.isatty()) else stream.fileno()
    except (OSError, ValueError):
        return None
