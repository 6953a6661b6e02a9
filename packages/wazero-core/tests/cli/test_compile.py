"""``wazero compile``, and the cache that it shares with ``wazero run``."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wazero_core import CompiledModule
from wazero_core.cli import main
from wazero_core.cli.progress import Progress

Guests = Callable[[str], str]

RUNS = '(module (func $a (export "_start") (call $b)) (func $b) (func (export "c")))'
INVALID = bytes.fromhex("0061736d01000000 0105016000017f 0303020000 0a09020400410 10b02000b".replace(" ", ""))
"""Two functions, of which the second gives no result."""


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """How many functions were there before and after each call of `compile_all`."""
    counts: list[tuple[int, int]] = []
    original = CompiledModule.compile_all

    def compile_all(self: CompiledModule, *arguments: Any) -> None:
        before = self.code.compiled_count
        original(self, *arguments)
        counts.append((before, self.code.compiled_count))

    monkeypatch.setattr(CompiledModule, "compile_all", compile_all)
    return counts


@pytest.mark.parametrize("flags", [[], ["-interpreter"], ["-processes", "2"]])
def test_without_a_cache_it_is_a_check(
    guest: Guests, flags: list[str], compiled: list[tuple[int, int]], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["compile", *flags, guest(RUNS)]) == 0
    assert compiled == [(0, 3)]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("flags", [[], ["-interpreter"]])
def test_later_runs_take_it_from_the_cache(
    guest: Guests,
    flags: list[str],
    tmp_path: Path,
    compiled: list[tuple[int, int]],
    capfd: pytest.CaptureFixture[str],
) -> None:
    directory = tmp_path / "cache"
    command = [*flags, "-cachedir", str(directory), guest(RUNS)]
    assert main(["run", *command]) == 0
    assert main(["compile", *command]) == 0
    assert main(["compile", *command]) == 0
    assert compiled == [(2, 3), (3, 3)]
    (entry,) = directory.iterdir()
    before = entry.stat().st_ino
    assert main(["run", *command]) == 0
    assert entry.stat().st_ino == before, "nothing was compiled"
    assert capfd.readouterr() == ("", "")


def test_a_guest_that_exits_or_traps_is_cached_too(guest: Guests, tmp_path: Path) -> None:
    assert (
        main(["run", "-cachedir", str(tmp_path / "cache"), guest('(module (func (export "_start") unreachable))')]) == 1
    )
    assert len(list((tmp_path / "cache").iterdir())) == 1


@pytest.mark.parametrize(
    ("arguments", "message", "status"),
    [
        ([], "missing path to wasm file (`wazero compile -h` shows the usage)", 1),
        (["-cachedir", "d"], "missing path to wasm file (`wazero compile -h` shows the usage)", 1),
        (["nothing", "x"], "error: `wazero compile` takes one file; flags come before it, not 'x' after it", 1),
        (["-timeout", "1s", "p"], "error: flag provided but not defined: -timeout (`wazero compile -h` lists the flags)", 2),
        (
            ["-processes", "-1", "p"],
            'error: argument -processes: invalid number of processes "-1": write 1 or more (`wazero compile -h` lists the flags)',
            2,
        ),
        (["no such"], "error reading wasm binary: no such: No such file or directory", 1),
        (["a file"], "error compiling wasm binary: magic header not detected: this is not a WebAssembly binary (at byte 0x0)", 1),
        (["-cachedir", "a file/x", "nothing"], "invalid cachedir: a file/x: Not a directory", 1),
    ],
)  # fmt: skip
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
    assert (main(["compile", *arguments]), capsys.readouterr()) == (status, ("", message + "\n"))


@pytest.mark.parametrize("command", ["run", "compile"])
def test_a_file_is_no_cache(command: str, guest: Guests, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main([command, "-cachedir", str(tmp_path / "file"), guest(RUNS)]) == 1
    expected = f"invalid cachedir: {tmp_path / 'file'} is a file, and a compilation cache needs a directory\n"
    assert capsys.readouterr() == ("", expected)


@pytest.mark.parametrize("flags", [[], ["-interpreter"]])
def test_invalid_code_is_found(tmp_path: Path, flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "invalid.wasm").write_bytes(INVALID)
    assert main(["compile", *flags, str(tmp_path / "invalid.wasm")]) == 1
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.startswith("error compiling wasm binary: type mismatch")
    assert errors.count("\n") == 1


class Terminal(io.StringIO):
    """As wide as `os.get_terminal_size` says of it."""

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 99


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setattr("wazero_core.cli.progress._REDRAW_S", 0)
    monkeypatch.setattr(os, "get_terminal_size", lambda number: os.terminal_size((60, 25)))
    return Terminal()


def test_the_progress_bar(terminal: Terminal) -> None:
    with Progress(terminal) as progress:
        assert progress.is_visible
        for done in (0, 50, 100):
            progress.show(done, 100)
    lines = terminal.getvalue().split("\r")[1:]
    assert lines[0] == f"[{'.' * 30}]   0%  0/100 functions"
    assert lines[1] == f"[{'#' * 15}{'.' * 15}]  50%  50/100 functions"
    assert lines[2] == f"[{'#' * 30}] 100%  100/100 functions"
    assert lines[3] == " " * len(lines[2])
    assert lines[4] == ""


def test_a_narrow_terminal(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "get_terminal_size", lambda number: os.terminal_size((20, 25)))
    with Progress(terminal) as progress:
        progress.show(1, 1)
    assert max(map(len, terminal.getvalue().split("\r"))) == 19


def test_a_terminal_that_is_gone(terminal: Terminal) -> None:
    with Progress(terminal) as progress:
        terminal.close()
        progress.show(1, 2)
        assert not progress.is_visible


def test_what_is_quick_shows_nothing() -> None:
    terminal = Terminal()
    with Progress(terminal) as progress:
        progress.show(1, 2)
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_where_nobody_looks_nothing_is_shown(stream: io.StringIO | None) -> None:
    assert not Progress(stream).is_visible


def test_a_whole_process(guest: Guests, tmp_path: Path) -> None:
    path = guest(RUNS)
    command = [sys.executable, "-m", "wazero_core"]
    for arguments in (["compile", "-processes", "2"], ["run"]):
        done = subprocess.run(
            [*command, *arguments, "-cachedir", str(tmp_path / "cache"), path],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(list((tmp_path / "cache").iterdir())) == 1
