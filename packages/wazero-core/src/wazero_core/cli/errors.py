"""What ends the command before its time."""

from __future__ import annotations

from typing import Final, final

FAILURE: Final = 1
USAGE: Final = 2
"""Flags that are wrong in themselves: what Go's flag package exits with, and so wazero."""

_LAYOUT: Final = "\n\t"

INTERRUPTED: Final = 130
CLOSED_PIPE: Final = 141
"""Shells report a process that a signal ended as 128 and the signal's number: SIGINT and SIGPIPE."""


@final
class CommandError(Exception):
    """The user is told `message`, in one line, then the lines of `details`, and the command ends with `status`."""

    def __init__(self, message: str, status: int = FAILURE, details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.details = details

    @property
    def text(self) -> str:
        """All that is printed."""
        line = printable(self.message)
        return f"{line}\n{printable(self.details, keep=_LAYOUT)}" if self.details else line


@final
class ClosedPipeError(Exception):
    """Nobody reads what is written any more. No OSError, which guests would be told and could ignore for ever."""


def printable(text: str, keep: str = "") -> str:
    """The text with control characters escaped but those in `keep`: names in a module must not steer a terminal."""
    return "".join(c if c in keep or c.isprintable() else c.encode("unicode_escape").decode() for c in text)
