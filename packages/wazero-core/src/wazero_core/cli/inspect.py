"""``wazero inspect``: its flags. What they ask for is done in `inspection`, where the keys of the JSON are described."""

from __future__ import annotations

from .errors import CommandError
from .flags import FlagParser


def inspect(arguments: list[str]) -> int:
    """Say what a program is made of and what it needs. Raises CommandError."""
    parser = FlagParser(
        "wazero inspect",
        "wazero inspect [flags] <wasm>",
        "Show what a WebAssembly program is made of, what it imports and exports, and what it needs of a runtime.\n"
        "Nothing of it is run.",
    )
    parser.add_switch("json", text="print JSON, for programs: the keys are in the README of wazero-core")
    options, rest = parser.parse(arguments)
    if options.help:
        print(parser.format_help(), end="")
        return 0
    if not rest:
        raise CommandError("missing path to wasm file (`wazero inspect -h` shows the usage)")
    if len(rest) > 1:
        raise CommandError(f"error: `wazero inspect` takes one file; flags come before it, not {rest[1]!r} after it")
    from .inspection import print_inspection

    print_inspection(rest[0], is_json=options.json)
    return 0
