"""What every smoke script checks, in an environment that holds only what the wheels brought. Raises SystemExit on a failure.

Runs outside the checkout and without pytest; each script beside this file is one combination of distributions.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType
from typing import Final

ALL: Final = ("api", "core", "gojs", "jit", "wasi")

ADD: Final = bytes.fromhex("0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b")
"""(module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))"""

WASI_COMMAND: Final = bytes.fromhex(
    "0061736d0100000001100360047f7f7f7f017f60017f0060000002460216776173695f736e617073686f745f70726576"
    "696577310866645f7772697465000016776173695f736e617073686f745f70726576696577310970726f635f65786974"
    "0001030201020503010001071302066d656d6f72790200065f737461727400020a130111004101410041014110100"
    "01a410310010b0b11010041000b0b08000000030000006f6b0a000e046e616d65010702000177010178"
)
"""A WASI command: `fd_write`s "ok" and a line feed to descriptor 1, then `proc_exit`s with 3."""


def expect(actual: object, expected: object, what: str) -> None:
    """End the script with a line that says what differs, if anything does."""
    if actual != expected:
        raise SystemExit(f"FAILED: {what}: expected {expected!r}, got {actual!r}")
    print(f"ok: {what}")


def check_installation() -> dict[str, ModuleType]:
    """The distributions named on the command line are there, no others; each imports, and from the environment."""
    wanted = set(sys.argv[1:])
    expect(bool(wanted) and wanted <= set(ALL), True, f"the command line names packages ({sorted(wanted)})")
    distributions = {distribution.metadata["Name"] for distribution in importlib.metadata.distributions()}
    expect(distributions, {f"wazero-{name}" for name in wanted}, "distributions in the environment")
    for name in sorted(set(ALL) - wanted):
        expect(importlib.util.find_spec(f"wazero_{name}"), None, f"wazero_{name} is absent")
    return {name: _check_package(name) for name in sorted(wanted)}


def _check_package(name: str) -> ModuleType:
    package = importlib.import_module(f"wazero_{name}")
    home = Path(sysconfig.get_path("purelib")).resolve()
    expect(home in Path(str(package.__file__)).resolve().parents, True, f"wazero_{name} comes from the environment")
    expect(package.__version__, importlib.metadata.version(f"wazero-{name}"), f"the version of wazero-{name}")
    expect([export for export in package.__all__ if not hasattr(package, export)], [], f"exports of wazero_{name}")
    return package


def check_entry_points(group: str, expected: set[str]) -> None:
    """A group holds these names, and each loads."""
    found = {entry.name: entry for entry in importlib.metadata.entry_points(group=group)}
    expect(set(found), expected, f"entry points in {group}")
    for entry in found.values():
        expect(callable(entry.load()), True, f"{entry.name} = {entry.value} loads")


def run_command(*arguments: str) -> tuple[int, str, str]:
    """Status, output and error output of the installed `wazero` command."""
    command = Path(sysconfig.get_path("scripts"), "wazero")
    done = subprocess.run([command, *arguments], capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


def check_core() -> None:
    """The command answers, and a module runs."""
    import wazero_core

    status, output, errors = run_command("version")
    expect((status, errors), (0, ""), "status and errors of `wazero version`")
    expect(wazero_core.__version__ in output, True, f"`wazero version` says the version ({output.strip()})")
    with wazero_core.Runtime() as runtime:
        module = runtime.instantiate(ADD)
        function = module.exported_function("add")
        expect(function is not None and function(0x7FFFFFFF, 1), -0x80000000, "add(2**31 - 1, 1)")


def check_gojs() -> None:
    """JavaScript without a program: classes are found, and the evaluator runs."""
    from wazero_gojs.global_names import GLOBALS
    from wazero_gojs.model.realm import Realm
    from wazero_gojs.script.evaluate import evaluate

    source = "JSON.stringify([...new Map([[1, 'a']]).values()].map((x) => `${x}!`))"
    expect(evaluate(Realm(GLOBALS), source), '["a!"]', "JavaScript is evaluated")


def check_wasi() -> None:
    """A WASI command runs: its output and its exit status come out."""
    guest = Path("command.wasm")
    guest.write_bytes(WASI_COMMAND)
    expect(run_command("run", str(guest)), (3, "ok\n", ""), "`wazero run` of a WASI command")


def check_missing_host_module() -> None:
    """Without wazero-wasi a WASI command fails with one line, not with a traceback."""
    guest = Path("command.wasm")
    guest.write_bytes(WASI_COMMAND)
    status, output, errors = run_command("run", str(guest))
    expect(
        (status != 0, output, errors.count("\n"), "Traceback" in errors),
        (True, "", 1, False),
        f"no WASI: {errors.strip()}",
    )


def check_native_functions() -> None:
    """Without core a module made from data is compiled and called."""
    from wazero_api import Export, ExternKind, FunctionType, Module, Trap, ValueType
    from wazero_jit import JitModule, function_body

    i32 = ValueType.I32
    divide = JitModule(
        Module(
            types=(FunctionType((i32, i32), (i32,)),),
            functions=(0,),
            bodies=(function_body([("local.get", 0), ("local.get", 1), "i32.div_s"]),),
            exports=(Export("divide", ExternKind.FUNCTION, 0),),
        )
    ).exports["divide"]
    expect(type(divide), type(len), "the type of a native function")
    expect(divide(-7, 2), -3, "divide(-7, 2)")
    try:
        divide(1, 0)
    except Trap as trap:
        expect(trap.kind.value, "integer divide by zero", "the trap of divide(1, 0)")
    else:
        raise SystemExit("FAILED: divide(1, 0) raised nothing")
