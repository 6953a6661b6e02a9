"""``wazero run``: its flags. What they ask for is done in `guest`, whose imports help and mistakes need not wait for."""

from __future__ import annotations

import os
import stat
from typing import Final

from .duration import format_duration, parse_duration
from .errors import USAGE, CommandError
from .flags import FlagParser, add_engine_flags
from .mounts import MountFlag, parse_mount
from .request import Request

_EPILOG: Final = (
    "Flags may be written with one dash or two, and come before the path; what follows it is the program's, or the\n"
    "function's with -invoke: integers as 1, -1 or 0xff, floats also as 0x1.8p1, inf or nan, v128 as 0x and 32 digits."
)


def run(arguments: list[str]) -> int:
    """Run a program; returns what it exited with. Raises CommandError."""
    parser = _parser()
    options, rest = parser.parse(arguments)
    if options.help:
        print(parser.format_help(), end="")
        return 0
    if not rest:
        raise CommandError("missing path to wasm file (`wazero run -h` shows the usage)")
    if options.timeout < 0:
        raise CommandError(f"timeout duration may not be negative, {format_duration(options.timeout)} given")
    path, *args = rest
    if args and args[0] == "--":
        del args[0]
    request = Request(
        path=path,
        args=args,
        env=_environment(options.env, inherits=options.env_inherit),
        mounts=[_mount(text) for text in options.mount],
        is_interpreted=options.interpreter,
        timeout=options.timeout,
        cache_directory=options.cachedir,
        listeners=_listeners(options.listen),
        log_scopes=_log_scopes(options.hostlogging),
        function=options.invoke,
        cpu_profile=options.cpuprofile,
        memory_profile=options.memprofile,
        workdir=_workdir(options.workdir),
    )
    from .guest import run_guest

    return run_guest(request)


def _parser() -> FlagParser:
    parser = FlagParser(
        "wazero run",
        "wazero run [flags] <wasm> [--] [args]",
        "Run a WebAssembly program, say one made for WASI.",
        _EPILOG,
    )
    parser.add_list("env", "K=V", text="set an environment variable for the program; may be repeated")
    parser.add_switch("env-inherit", text="give the program this process's environment; -env comes on top of it")
    parser.add_list(
        "mount",
        "HOST[:GUEST][:ro]",
        text="let the program use the directory HOST, under the path GUEST (HOST if left out), only for reading with "
        ":ro; may be repeated",
    )
    parser.add_list(
        "listen",
        "HOST:PORT",
        text="let the program accept connections to this address; without HOST on all of the machine's, with 0 as PORT on "
        "any that is free; may be repeated",
    )
    parser.add_value(
        "workdir",
        "DIR",
        str,
        None,
        text="let relative paths of a Go program built with GOOS=js start in this directory of a mount, instead of the "
        "environment's PWD",
    )
    add_engine_flags(parser)
    parser.add_value(
        "invoke",
        "NAME",
        str,
        None,
        text="call this exported function in the place of _start, after _initialize if there is one, and print what it "
        "returns",
    )
    parser.add_value(
        "timeout",
        "DURATION",
        parse_duration,
        0,
        text="stop the program when it has run for longer than, say, 300ms, 1.5h or 2h45m; 0, the default, is no limit",
    )
    parser.add_list(
        "hostlogging",
        "SCOPES",
        text="log calls of host functions to stderr; SCOPES are some of all, clock, filesystem, memory, proc, poll, random "
        "and sock, with commas between; may be repeated",
    )
    parser.add_value(
        "cpuprofile", "FILE", str, "", text="write where the program spent its time, for viewers of pprof files"
    )
    parser.add_value("memprofile", "FILE", str, "", text="write where its memory grew, in the same form")
    return parser


def _listeners(flags: list[str]) -> tuple[tuple[str, int], ...]:
    if not flags:
        return ()
    from .listeners import parse_listener

    try:
        return tuple([parse_listener(flag) for flag in flags])
    except ValueError as error:
        raise CommandError(str(error)) from None


def _log_scopes(flags: list[str]) -> int:
    if not flags:
        return 0
    from wazero_core.runtime.host_logging import parse_log_scopes

    try:
        return int(parse_log_scopes(",".join(flags)))
    except ValueError as error:
        raise CommandError(f"error: argument -hostlogging: {error} (`wazero run -h` lists the flags)", USAGE) from None


def _environment(flags: list[str], *, inherits: bool) -> list[tuple[str, str]]:
    """Keys and values in order; what comes later replaces what came before."""
    variables = [(key, value) for key, value in os.environ.items() if key] if inherits else []
    for flag in flags:
        key, equals, value = flag.partition("=")
        if not key or not equals:
            raise CommandError(f"invalid environment variable: {flag}")
        variables.append((key, value))
    return variables


def _workdir(path: str | None) -> str | None:
    if path is not None and not path.startswith("/"):
        raise CommandError(f'invalid workdir: "{path}" is not absolute: write the path as the program sees it')
    return path


def _mount(text: str) -> MountFlag:
    try:
        mount = parse_mount(text, has_drives=os.name == "nt")
    except ValueError as error:
        raise CommandError(f"invalid mount: {error}") from None
    try:
        mode = os.stat(mount.host).st_mode  # noqa: PTH116 - pathlib takes longer to import than all of this
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise CommandError(f'invalid mount: path "{mount.host}" error: {reason}') from None
    if not stat.S_ISDIR(mode):
        raise CommandError(f'invalid mount: path "{mount.host}" is not a directory')
    return mount
