"""Which sub-command is meant, and how it ends. Imports only what every sub-command needs: the rest when it is called."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import Final, NamedTuple

from .errors import CLOSED_PIPE, FAILURE, INTERRUPTED, ClosedPipeError, CommandError
from .flags import FlagParser
from .garbage import end_collection, pause_collection

_U32: Final = 1 << 32
_I32_MAX: Final = 0x7FFFFFFF


def _compile(arguments: list[str]) -> int:
    from .compile import compile_module

    return compile_module(arguments)


def _dump(arguments: list[str]) -> int:
    from .dump import dump

    return dump(arguments)


def _inspect(arguments: list[str]) -> int:
    from .inspect import inspect

    return inspect(arguments)


def _run(arguments: list[str]) -> int:
    from .run import run

    return run(arguments)


def _validate(arguments: list[str]) -> int:
    from .validate import validate

    return validate(arguments)


def _version(arguments: list[str]) -> int:
    from .version import version

    return version(arguments)


class _Command(NamedTuple):
    execute: Callable[[list[str]], int]
    """Gets the arguments after the name; returns the exit status or raises `CommandError`."""
    summary: str


COMMANDS: Final = {
    "compile": _Command(_compile, "compile a WebAssembly program ahead of its runs"),
    "dump": _Command(_dump, "show a WebAssembly program's functions, and the code made of them"),
    "inspect": _Command(_inspect, "show what a WebAssembly program is made of and needs"),
    "run": _Command(_run, "run a WebAssembly program"),
    "validate": _Command(_validate, "check that WebAssembly programs are valid"),
    "version": _Command(_version, "print the version"),
}


def main(argv: list[str] | None = None) -> int:
    """The command with these arguments. Returns the exit status.

    Without arguments it takes those of the process, and for granted that nothing else is done in it.
    """
    if argv is None:
        pause_collection()
        if isinstance(sys.stdout, io.TextIOWrapper):
            # Names in modules may have letters that its encoding has not.
            sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = _dispatch(sys.argv[1:] if argv is None else argv)
        if sys.stdout is not None:
            sys.stdout.flush()  # not only when Python ends, which would complain about a closed pipe
    except CommandError as error:
        _complain(error.text)
        status = error.status
    except KeyboardInterrupt:
        status = INTERRUPTED
    except (BrokenPipeError, ClosedPipeError):
        _drop_output()
        status = CLOSED_PIPE
    except OSError as error:  # of writing help or a version, since guests' errors come as CommandError
        _drop_output()
        _complain(f"error: {error.strerror or error}")
        status = FAILURE
    if argv is None:
        end_collection()
    # `sys.exit` passes on a C int, guests leave with an unsigned one.
    return status - _U32 if status > _I32_MAX else status


def _dispatch(arguments: list[str]) -> int:
    parser = _parser()
    options, rest = parser.parse(arguments)
    if options.help or not rest:
        print(parser.format_help(), end="")
        return 0
    command = COMMANDS.get(rest[0])
    if command is None:
        raise CommandError(f"invalid command {rest[0]!r}: `wazero -h` lists the commands")
    return command.execute(rest[1:])


def _parser() -> FlagParser:
    width = max(map(len, COMMANDS)) + 2
    lines = [f"  {name:{width}}{command.summary}" for name, command in COMMANDS.items()]
    return FlagParser(
        "wazero",
        "wazero <command> [flags] ...",
        "\n".join(["A WebAssembly runtime in pure Python.", "", "commands:", *lines]),
        "`wazero <command> -h` tells more about a command.",
    )


def _complain(message: str) -> None:
    if sys.stderr is None:  # `print` would take that for stdout
        return
    try:
        print(message, file=sys.stderr, flush=True)
    except OSError:  # nobody to be told
        pass


def _drop_output() -> None:
    """Keep Python, when it ends, from trying once more to write what could not be written and complaining about it."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)
