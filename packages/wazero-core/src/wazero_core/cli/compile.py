"""``wazero compile``: its flags. What they ask for is done in `compilation`."""

from __future__ import annotations

from .errors import CommandError
from .flags import FlagParser, add_engine_flags


def compile_module(arguments: list[str]) -> int:
    """Compile a program, and say nothing if that works. Raises CommandError."""
    parser = _parser()
    options, rest = parser.parse(arguments)
    if options.help:
        print(parser.format_help(), end="")
        return 0
    if not rest:
        raise CommandError("missing path to wasm file (`wazero compile -h` shows the usage)")
    if len(rest) > 1:
        raise CommandError(f"error: `wazero compile` takes one file; flags come before it, not {rest[1]!r} after it")
    from .compilation import compile_file

    compile_file(rest[0], options.cachedir, options.processes, is_interpreted=options.interpreter)
    return 0


def _parser() -> FlagParser:
    parser = FlagParser(
        "wazero compile",
        "wazero compile [flags] <wasm>",
        "Compile a WebAssembly program, all of it: with -cachedir for later runs, which then start faster,\n"
        "without just to see whether it can be compiled.",
    )
    add_engine_flags(parser)
    parser.add_value(
        "processes", "N", _process_count, 1, text="share the work between N processes; 1, the default, starts no others"
    )
    return parser


def _process_count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text[:9]):
        raise ValueError(f'invalid number of processes "{text}": write 1 or more')
    return int(text[:9])
