"""``wazero dump``: its flags. What they ask for is done in `listing`."""

from __future__ import annotations

from .errors import CommandError
from .flags import FlagParser


def dump(arguments: list[str]) -> int:
    """Show a program's functions, or one of them. Raises CommandError."""
    parser = _parser()
    options, rest = parser.parse(arguments)
    if options.help:
        print(parser.format_help(), end="")
        return 0
    if not rest:
        raise CommandError("missing path to wasm file (`wazero dump -h` shows the usage)")
    if len(rest) > 1:
        raise CommandError(f"error: `wazero dump` takes one file; flags come before it, not {rest[1]!r} after it")
    if options.disassemble and not options.function:
        raise CommandError("error: -disassemble needs a function to show: name it with -function")
    from .listing import print_function, print_functions

    engine = "portable" if options.interpreter else options.engine
    if options.function:
        print_function(rest[0], options.function, engine, is_disassembled=options.disassemble)
    else:
        print_functions(rest[0], engine)
    return 0


def _parser() -> FlagParser:
    parser = FlagParser(
        "wazero dump",
        "wazero dump [flags] <wasm>",
        "List the functions of a WebAssembly program; with -function, show the instructions of one, each beside the\n"
        "code that the engine makes of it. Instructions stand behind their offsets in the file, machine code behind that\n"
        "from the function's begin, both hexadecimal.",
    )
    parser.add_value("function", "NAME|INDEX", str, "", text="show this function, by export name, name or index")
    parser.add_value(
        "engine",
        "NAME",
        str,
        "",
        text="show this engine's code, say jit's or portable's; by default that of `wazero run`",
    )
    parser.add_switch("interpreter", text="the same as -engine portable")
    parser.add_switch("disassemble", text="show machine code as text, too; needs the package capstone")
    return parser
