"""``wazero run`` in this process: what a guest gets, how it ends, and one line for everything that goes wrong."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wazero_api import ExitError
from wazero_api.system import OpenFlags
from wazero_core import RuntimeConfig
from wazero_core.cli import guest as guest_module
from wazero_core.cli import main
from wazero_core.cli.mounts import MountFlag
from wazero_core.cli.request import Request

Guests = Callable[[str], str]
Look = Callable[[Callable[[Any], None]], None]

LOOKS = '(module (import "probe" "look" (func $look)) (func (export "_start") (call $look)))'
RETURNS = '(module (func (export "_start")))'
DEADLINE_STATUS = 0xEFFFFFFF - (1 << 32)
"""wazero's exit code for a deadline, as `sys.exit` takes it; shells see 255."""


# --- From the command line to the request -----------------------------------------------------------------------------


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """What would have been run."""
    made: list[Request] = []

    def run_guest(request: Request) -> int:
        made.append(request)
        return 5

    monkeypatch.setattr(guest_module, "run_guest", run_guest)
    return made


def request(path: str, *args: str, **others: Any) -> Request:
    values = {"env": [], "mounts": [], "is_interpreted": False, "timeout": 0, **others}
    return Request(path=path, args=list(args), **values)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["p"], request("p")),
        (["p", "a", "-env", "", "--", "b"], request("p", "a", "-env", "", "--", "b")),
        (["p", "--", "-a", "--"], request("p", "-a", "--")),
        (["p", "--"], request("p")),
        (["--", "-p", "-h"], request("-p", "-h")),
        (["-interpreter", "p"], request("p", is_interpreted=True)),
        (["-env", "A=1", "--env=B=x=y", "-env=C=", "p"], request("p", env=[("A", "1"), ("B", "x=y"), ("C", "")])),
        (["-cachedir", "d", "p"], request("p", cache_directory="d")),
        (["-timeout=1.5s", "p"], request("p", timeout=1_500_000_000)),
        (["-listen", ":80", "-listen=[::1]:0", "p"], request("p", listeners=(("", 80), ("::1", 0)))),
        (["-hostlogging=clock,", "-hostlogging", "proc", "p"], request("p", log_scopes=3)),
        (["-hostlogging=all", "p"], request("p", log_scopes=(1 << 64) - 1)),
        (["--invoke", "f", "p", "-1", "--", "x"], request("p", "-1", "--", "x", function="f")),
        (["-invoke=", "p"], request("p", function="")),
        (["-cpuprofile", "c", "-memprofile=m", "p"], request("p", cpu_profile="c", memory_profile="m")),
        (["-timeout", "0", "p"], request("p")),
        (
            ["-mount", ".:/a", "-mount=.:ro", "p"],
            request("p", mounts=[MountFlag(".", "/a", False), MountFlag(".", ".", True)]),
        ),
    ],
)
def test_what_is_asked_for(requests: list[Request], arguments: list[str], expected: Request) -> None:
    assert main(["run", *arguments]) == 5
    assert requests == [expected]


def test_the_environment_is_inherited_below_the_flags(requests: list[Request], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"A": "1", "B": "2"})
    assert main(["run", "-env", "A=3", "-env-inherit", "p"]) == 5
    assert requests[0].env == [("A", "1"), ("B", "2"), ("A", "3")]


# --- What the guest gets ----------------------------------------------------------------------------------------------


def test_the_guest_gets_arguments_environment_and_the_real_world(guest: Guests, look: Look, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    seen: list[Any] = []

    def see(module: Any) -> None:
        system = module.system
        seen.extend([system.args, system.environ, [system.files[fd].name for fd in system.files.numbers()[3:]]])
        assert abs(system.walltime() - time.time_ns()) < 10**9
        assert abs(system.nanotime() - time.monotonic_ns()) < 10**9
        assert system.random(16) != system.random(16)
        before = time.monotonic()
        system.sleep(20_000_000)
        assert time.monotonic() - before >= 0.02
        with pytest.raises(OSError, match="Read-only"):
            system.files[4].tree.open_file("new", OpenFlags.CREATE | OpenFlags.WRITE_ONLY)
        system.files[3].tree.unlink("file")

    look(see)
    flags = ["-env", "A=1", "-env", "B=2", "-env", "A=é", "-mount", f"{tmp_path}:/rw", "-mount", f"{tmp_path}:/ro:ro"]
    assert main(["run", *flags, guest(LOOKS), "x", "ü y"]) == 0
    assert seen == [
        (b"guest.wasm", b"x", "ü y".encode()),
        ("A=é".encode(), b"B=2"),
        ["/rw", "/ro"],
    ]
    assert not (tmp_path / "file").exists()


def write_to_both(module: Any) -> None:
    for fd, text in ((1, b"out 1\n"), (2, b"error \xff\n"), (1, b"out 2")):
        assert module.system.files[fd].file.write(text) == len(text)


def test_output_is_passed_on_as_bytes(guest: Guests, look: Look, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    look(write_to_both)
    print("before", end=" ")
    assert main(["run", guest(LOOKS)]) == 0
    print(" after")
    assert capfdbinary.readouterr() == (b"before out 1\nout 2 after\n", b"error \xff\n")


def test_output_goes_to_replaced_streams(guest: Guests, look: Look, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    look(write_to_both)
    print("before", end=" ")
    assert main(["run", guest(LOOKS)]) == 0
    print(" after")
    assert capsysbinary.readouterr() == (b"before out 1\nout 2 after\n", b"error \xff\n")


def test_missing_streams_are_empty(guest: Guests, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that was started with its streams closed."""
    path = guest(LOOKS)
    seen: list[bytes] = []

    def see(module: Any) -> None:
        write_to_both(module)
        seen.append(module.system.files[0].file.read(10))

    look(see)
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    status = main(["run", path])
    monkeypatch.undo()
    assert (status, seen) == (0, [b""])


def test_validation_is_lazy(guest: Guests) -> None:
    assert main(["run", guest('(module (func (export "_start")) (func (result i32)))')]) == 0


def test_a_module_without_start_just_ends(guest: Guests) -> None:
    assert main(["run", guest("(module)")]) == 0


@pytest.mark.parametrize("flag", ["-interpreter", "--interpreter"])
def test_the_interpreter_can_be_asked_for(guest: Guests, monkeypatch: pytest.MonkeyPatch, flag: str) -> None:
    asked: list[bool] = []
    original = RuntimeConfig.interpreter

    def interpreter() -> RuntimeConfig:
        asked.append(True)
        return original()

    monkeypatch.setattr(RuntimeConfig, "interpreter", staticmethod(interpreter))
    assert main(["run", guest(RETURNS)]) == 0
    assert asked == []
    assert main(["run", flag, guest(RETURNS)]) == 0
    assert asked == [True]


# --- How it ends ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exit_code", "status"),
    [
        (0, 0),
        (1, 1),
        (3, 3),
        (255, 255),
        (256, 256),
        (0x7FFFFFFF, 0x7FFFFFFF),
        (0x80000000, -0x80000000),
        (0xFFFFFFFF, -1),
    ],
)
def test_the_exit_code_of_the_guest_is_the_status(
    guest: Guests, look: Look, capsys: pytest.CaptureFixture[str], exit_code: int, status: int
) -> None:
    def leave(module: Any) -> None:
        module.close_with_exit_code(exit_code)
        raise ExitError(exit_code, module.name)

    look(leave)
    assert main(["run", guest(LOOKS)]) == status
    assert capsys.readouterr() == ("", "")


def interrupt(module: Any) -> None:
    raise KeyboardInterrupt


def break_pipe(module: Any) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    module.system.files[1].file._file._fd = write_end
    try:
        module.system.files[1].file.write(b"lost")
    finally:
        os.close(write_end)


@pytest.mark.parametrize(("end", "status"), [(interrupt, 130), (break_pipe, 141)])
def test_quiet_ends(
    guest: Guests, look: Look, capfd: pytest.CaptureFixture[str], end: Callable[[Any], None], status: int
) -> None:
    look(end)
    assert main(["run", guest(LOOKS)]) == status
    assert capfd.readouterr() == ("", "")


def test_a_fault_of_a_host_module_keeps_its_traceback(guest: Guests, look: Look) -> None:
    def fail(module: Any) -> None:
        raise RuntimeError("a bug of the host module")

    look(fail)
    with pytest.raises(RuntimeError, match="a bug"):
        main(["run", guest(LOOKS)])


# --- What goes wrong --------------------------------------------------------------------------------------------------

COMPILING = "error compiling wasm binary: "
RUNNING = "error instantiating wasm binary: "


@pytest.mark.parametrize(
    ("arguments", "message", "status"),
    [
        ([], "missing path to wasm file (`wazero run -h` shows the usage)", 1),
        (["-interpreter"], "missing path to wasm file (`wazero run -h` shows the usage)", 1),
        (["-wat", "p"], "error: flag provided but not defined: -wat (`wazero run -h` lists the flags)", 2),
        (["-env"], "error: flag needs an argument: -env (`wazero run -h` lists the flags)", 2),
        (["-env", "A", "p"], "invalid environment variable: A", 1),
        (["-env", "--", "p"], "invalid environment variable: --", 1),
        (["-env", "a\n\x1b[31m", "p"], "invalid environment variable: a\\n\\x1b[31m", 1),
        (["-env", "=1", "p"], "invalid environment variable: =1", 1),
        (["-mount", "", "p"], "invalid mount: empty string", 1),
        (["-mount", ":/in", "p"], 'invalid mount: no host path in ":/in"', 1),
        (["-mount", "no such:/in", "p"], 'invalid mount: path "no such" error: No such file or directory', 1),
        (["-mount", "a file", "p"], 'invalid mount: path "a file" is not a directory', 1),
        (["-timeout", "-300ms", "p"], "timeout duration may not be negative, -300ms given", 1),
        (
            ["-timeout", "soon", "p"],
            'error: argument -timeout: invalid duration "soon": write 300ms, 1.5h or 2h45m (`wazero run -h` lists the flags)',
            2,
        ),
        (["no such"], "error reading wasm binary: no such: No such file or directory", 1),
        (["-env", "A=\0", "nothing"], "error: an environment value must not contain a NUL: b'\\x00'", 1),
        (["nothing", "\0"], "error: an argument must not contain a NUL: b'\\x00'", 1),
        (["a file"], COMPILING + "magic header not detected: this is not a WebAssembly binary (at byte 0x0)", 1),
    ],
)
def test_what_a_user_does_wrong_is_one_line(
    arguments: list[str],
    message: str,
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a file").write_text("some text")
    Path("nothing").write_bytes(b"\0asm\1\0\0\0")
    assert (main(["run", *arguments]), capsys.readouterr()) == (status, ("", message + "\n"))


@pytest.mark.parametrize(
    ("arguments", "start"),
    [
        (["-mount", "a\0b", "p"], 'invalid mount: path "a\\x00b" error: '),
        (["a\0b"], "error reading wasm binary: a\\x00b: "),
    ],
)
def test_impossible_paths(capsys: pytest.CaptureFixture[str], arguments: list[str], start: str) -> None:
    """The rest of the line is in Python's words, which differ between versions."""
    assert main(["run", *arguments]) == 1
    errors = capsys.readouterr().err
    assert errors.startswith(start)
    assert errors.count("\n") == 1


def test_a_directory_is_no_module(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(tmp_path)]) == 1
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.startswith(f"error reading wasm binary: {tmp_path}: ")
    assert errors.count("\n") == 1


def test_every_truncation_is_one_line(guest: Guests, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wasm = Path(guest('(module $m (memory 1) (func $f (export "_start") (drop (i32.const 1))))')).read_bytes()
    path = tmp_path / "cut.wasm"
    for length in range(len(wasm)):
        path.write_bytes(wasm[:length])
        status = main(["run", str(path)])
        output, errors = capsys.readouterr()
        if status:  # some cuts fall between sections and leave a module
            assert (status, output, errors.count("\n")) == (1, "", 1), length
            assert errors.startswith(COMPILING)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('(module (func (export "a") (result i32)) (start 0))', COMPILING),
        ('(module (func (export "_start") (drop (i32.add (i64.const 1)))))', COMPILING),
        ('(module (import "env" "f" (func)))', RUNNING + "unknown import: no installed package brings"),
        ('(module (import "a\\nb\\1b[31m" "f" (func)))', RUNNING + "unknown import: no installed package brings"),
        ('(module (import "probe" "look" (func (param i32))))', RUNNING),
        ('(module (import "probe" "gone" (func)))', RUNNING),
        ('(module (memory 0) (data (i32.const 1) "x"))', RUNNING + "out of bounds memory access"),
        ('(module (func (export "_start") (param i32)))', RUNNING + "the start function '_start' must not take"),
    ],
)
def test_what_is_wrong_with_a_module_is_one_line(
    guest: Guests, look: Look, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    look(write_to_both)
    status = main(["run", guest(text)])
    output, errors = capsys.readouterr()
    assert (status, output) == (1, "")
    assert errors.startswith(message)
    assert errors.count("\n") == 1
    assert "\x1b" not in errors


def test_a_trap_is_a_line_and_the_wasm_stack(guest: Guests, capsys: pytest.CaptureFixture[str]) -> None:
    path = guest('(module $m (func $inner unreachable) (func $outer (export "_start") (call $inner)))')
    assert main(["run", path]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == [RUNNING + "unreachable", "wasm stack trace:"]
    assert [line.split()[0] for line in lines[2:]] == ["m.inner", "m.outer"]


def test_endless_recursion_is_a_trap(guest: Guests, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", guest('(module (func $f (export "_start") (call $f)))')]) == 1
    assert capsys.readouterr().err.startswith(RUNNING + "call stack exhausted\nwasm stack trace:\n")


def test_an_engine_that_does_not_exist_is_one_line(
    guest: Guests, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAZERO_ENGINE", "steam")
    assert main(["run", guest(RETURNS)]) == 1
    errors = capsys.readouterr().err
    assert errors.startswith('error: no engine named "steam"')
    assert errors.count("\n") == 1


SPINS = '(module (func (export "_start") (loop $again (br $again))))'


@pytest.mark.parametrize(("flag", "printed"), [("50ms", "50ms"), ("0.05s", "50ms"), ("1ns", "1ns")])
def test_the_timeout_stops_a_guest_that_spins(
    guest: Guests, capsys: pytest.CaptureFixture[str], flag: str, printed: str
) -> None:
    assert main(["run", "-timeout", flag, guest(SPINS)]) == DEADLINE_STATUS
    assert capsys.readouterr() == ("", f"error: module closed with context deadline exceeded (timeout {printed})\n")


def test_the_timeout_stops_a_guest_that_sleeps(guest: Guests, look: Look, capsys: pytest.CaptureFixture[str]) -> None:
    look(lambda module: module.system.sleep(60 * 10**9))
    before = time.monotonic()
    assert main(["run", "-timeout", "50ms", guest(LOOKS)]) == DEADLINE_STATUS
    assert time.monotonic() - before < 30
    assert capsys.readouterr() == ("", "error: module closed with context deadline exceeded (timeout 50ms)\n")


def test_within_the_timeout_a_guest_sleeps_as_long_as_it_asks(guest: Guests, look: Look) -> None:
    slept: list[float] = []

    def sleep(module: Any) -> None:
        before = time.monotonic()
        module.system.sleep(20_000_000)
        slept.append(time.monotonic() - before)

    look(sleep)
    assert main(["run", "-timeout", "1m", guest(LOOKS)]) == 0
    assert slept[0] >= 0.02
