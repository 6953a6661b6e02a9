"""``wazero validate``: its flags. What they ask for is done in `checking`."""

from __future__ import annotations

from .errors import CommandError
from .flags import FlagParser


def validate(arguments: list[str]) -> int:
    """Check programs, each on its own; 1 if one is not valid. Raises CommandError."""
    parser = FlagParser(
        "wazero validate",
        "wazero validate [flags] <wasm> ...",
        "Check that WebAssembly programs are well-formed and valid, all functions included. Says nothing about those\n"
        "that are, and one line about each that is not.",
    )
    parser.add_value(
        "features",
        "LIST",
        str,
        "",
        text="what programs may use: some of 1.0, 2.0 and names as `wazero inspect` shows them, with commas between; by "
        "default what `wazero run` enables",
    )
    options, paths = parser.parse(arguments)
    if options.help:
        print(parser.format_help(), end="")
        return 0
    if not paths:
        raise CommandError("missing path to wasm file (`wazero validate -h` shows the usage)")
    from .checking import check_file, parse_features

    features = parse_features(options.features)
    faults = [fault for path in paths if (fault := check_file(path, features))]
    if faults:
        raise CommandError(faults[0], details="\n".join(faults[1:]))
    return 0
