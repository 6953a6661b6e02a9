"""The command as a whole: help, version, and what only a process of its own shows."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import wazero_core
from wazero_core.cli import main
from wazero_core.cli.entry import COMMANDS

Guests = Callable[[str], str]

COMMAND = [sys.executable, "-m", "wazero_core"]
SPINS = '(module (func (export "_start") (loop $again (br $again))))'
ONE = '(module (func (export "one") (result i32) (i32.const 1)))'


def test_version_prints_the_version_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr() == (f"{wazero_core.__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "usage"),
    [
        ([], "usage: wazero <command>"),
        (["-h"], "usage: wazero <command>"),
        (["--help", "run"], "usage: wazero <command>"),
        (["run", "-h"], "usage: wazero run [flags] <wasm> [--] [args]"),
        (["run", "-env", "A=1", "--help", "x.wasm"], "usage: wazero run"),
        (["compile", "-h"], "usage: wazero compile [flags] <wasm>"),
        (["dump", "-h"], "usage: wazero dump [flags] <wasm>"),
        (["inspect", "-h"], "usage: wazero inspect [flags] <wasm>"),
        (["validate", "-h"], "usage: wazero validate [flags] <wasm> ..."),
        (["version", "-h"], "usage: wazero version"),
    ],
)
def test_help_at_each_level(capsys: pytest.CaptureFixture[str], arguments: list[str], usage: str) -> None:
    assert main(arguments) == 0
    output, errors = capsys.readouterr()
    assert output.startswith(usage)
    assert errors == ""


def test_help_names_every_command_and_flag(capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    output = capsys.readouterr().out
    assert [name for name in COMMANDS if f"  {name} " not in output] == []
    main(["run", "-h"])
    output = capsys.readouterr().out
    flags = (
        "-env K=V",
        "-env-inherit",
        "-mount HOST[:GUEST][:ro]",
        "-cachedir DIR",
        "-interpreter",
        "-timeout DURATION",
        "-listen HOST:PORT",
        "-invoke NAME",
        "-hostlogging SCOPES",
        "-cpuprofile FILE",
        "-memprofile FILE",
    )
    assert [flag for flag in (*flags, "-h, -help") if f"  {flag}" not in output] == []
    main(["compile", "-h"])
    output = capsys.readouterr().out
    assert [flag for flag in ("-cachedir DIR", "-interpreter", "-processes N") if f"  {flag}" not in output] == []
    main(["dump", "-h"])
    output = capsys.readouterr().out
    wanted = ["-function NAME|INDEX", "-engine NAME", "-interpreter", "-disassemble"]
    assert [flag for flag in wanted if f"  {flag}" not in output] == []


def test_help_is_as_wide_as_the_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    texts = []
    for columns in ("60", "200", "1"):
        monkeypatch.setenv("COLUMNS", columns)
        main(["run", "-h"])
        options = capsys.readouterr().out.partition("options:")[2].partition("Flags may")[0]
        texts.append(options.split())
        assert max(map(len, options.splitlines())) < max(int(columns), 50)
    assert texts[0] == texts[1] == texts[2]


def test_the_collector_rests_until_the_guest_runs(guest: Guests) -> None:
    """And only where the process is all ours."""
    code = (
        "import gc, sys\n"
        "from wazero_core import Runtime\n"
        "from wazero_core.cli import main\n"
        "seen = []\n"
        "for name in ('compile_module', 'instantiate_module'):\n"
        "    def spy(self, *arguments, original=getattr(Runtime, name), **keywords):\n"
        "        seen.append(gc.isenabled())\n"
        "        return original(self, *arguments, **keywords)\n"
        "    setattr(Runtime, name, spy)\n"
        f"sys.argv[1:] = ['run', {guest('(module)')!r}]\n"
        "frozen = gc.get_freeze_count()\n"
        "main(sys.argv[1:])\n"
        "assert gc.isenabled() and gc.get_freeze_count() == frozen\n"
        "main()\n"
        "print(*seen)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "True True False True\n"


@pytest.mark.parametrize(
    ("arguments", "message", "status"),
    [
        (["dance"], "invalid command 'dance': `wazero -h` lists the commands", 1),
        (["prog.wasm\n"], "invalid command 'prog.wasm\\n': `wazero -h` lists the commands", 1),
        (["-x", "run"], "error: flag provided but not defined: -x (`wazero -h` lists the flags)", 2),
        (["version", "now"], "error: `wazero version` takes no arguments, not 'now'", 1),
    ],
)
def test_mistakes(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str, status: int) -> None:
    assert (main(arguments), capsys.readouterr()) == (status, ("", message + "\n"))


def test_without_arguments_main_takes_those_of_the_process(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["wazero", "version"])
    assert main() == 0
    assert capsys.readouterr().out == f"{wazero_core.__version__}\n"


# --- In a process of its own ------------------------------------------------------------------------------------------


def test_python_m_is_the_command() -> None:
    done = subprocess.run([*COMMAND, "version"], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{wazero_core.__version__}\n", "")


def test_the_status_of_the_process_is_that_of_the_guest(guest: Guests, tmp_path: Path) -> None:
    trap = guest('(module (func (export "_start") unreachable))')
    done = subprocess.run([*COMMAND, "run", trap], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[0] == "error instantiating wasm binary: unreachable"
    assert "Traceback" not in done.stderr
    done = subprocess.run(
        [*COMMAND, "run", "-timeout=20ms", guest(SPINS)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == (0xEFFFFFFF if os.name == "nt" else 255)
    assert done.stderr == "error: module closed with context deadline exceeded (timeout 20ms)\n"


def test_the_version_needs_no_runtime() -> None:
    """Nor anything else that is slow to import."""
    code = "import sys; from wazero_core.cli import main; main(['version']); print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(done.stdout.split())
    ours = {name for name in loaded if name.startswith("wazero_")}
    assert ours == {
        "wazero_core",
        "wazero_core._version",
        "wazero_core.cli",
        "wazero_core.cli.entry",
        "wazero_core.cli.errors",
        "wazero_core.cli.flags",
        "wazero_core.cli.garbage",
        "wazero_core.cli.version",
    }
    assert (
        loaded
        & {"argparse", "inspect", "dataclasses", "importlib.metadata", "email", "pathlib", "subprocess", "threading"}
        == set()
    )


@pytest.mark.skipif(os.name == "nt", reason="signals are a matter of POSIX")
def test_ctrl_c_ends_the_guest_quietly(guest: Guests) -> None:
    code = (
        "import sys, signal, threading, os\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell may have us ignore it
        "threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "from wazero_core.cli import main\n"
        f"sys.exit(main(['run', {guest(SPINS)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.SIGINT, "", "")


@pytest.mark.skipif(os.name == "nt", reason="pipes break in another way on Windows")
@pytest.mark.parametrize("arguments", [["version"], ["-h"], ["run", "-h"], ["run", "-invoke", "one"]])
def test_a_closed_pipe_is_no_news(guest: Guests, arguments: list[str]) -> None:
    if "-invoke" in arguments:
        arguments = [*arguments, guest(ONE)]
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run([*COMMAND, *arguments], stdout=write_end, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(write_end)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("is_program", [False, True])
def test_a_full_disk_is_one_line(guest: Guests, is_program: bool) -> None:
    arguments = ["run", "-invoke", "one", guest(ONE)] if is_program else ["version"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*COMMAND, *arguments], stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, b"error: No space left on device\n")


@pytest.mark.parametrize("command", ["inspect", "dump"])
def test_names_that_the_output_cannot_encode_are_escaped(guest: Guests, command: str) -> None:
    path = guest('(module (func $f (export "\u00e9") (result i32) (i32.const 1)))')
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*COMMAND, command, path], capture_output=True, env=environment, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\xe9" in done.stdout


@pytest.mark.skipif(os.name == "nt", reason="shells close streams in another way on Windows")
def test_messages_do_not_go_to_the_output_when_the_error_stream_is_closed() -> None:
    command = f"{shlex.join([*COMMAND, 'run', 'no such file'])} 2>&-"
    done = subprocess.run(["/bin/sh", "-c", command], stdout=subprocess.PIPE, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
