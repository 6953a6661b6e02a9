"""``wazero version``."""

from __future__ import annotations

from wazero_core._version import __version__

from .errors import CommandError
from .flags import FlagParser


def version(arguments: list[str]) -> int:
    """Print the version, and nothing else: scripts read it."""
    parser = FlagParser("wazero version", "wazero version", "Print the version of this command.")
    options, rest = parser.parse(arguments)
    if rest:
        raise CommandError(f"error: `wazero version` takes no arguments, not {rest[0]!r}")
    print(parser.format_help() if options.help else __version__, end="" if options.help else "\n")
    return 0
