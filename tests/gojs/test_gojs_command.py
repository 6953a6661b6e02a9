"""`wazero run` with Go programs for GOOS=js: picked by what they import."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gojs.conftest import binary
from wazero_core.cli import main


@pytest.mark.parametrize(
    ("args", "code", "errors"),
    [
        (("return",), 0, ""),
        (("exit", "7"), 7, ""),
        (("deadlock",), 2, "fatal error: all goroutines are asleep - deadlock!"),
        (("panic",), 2, "panic: words"),
        (("rejected-error",), 1, "Uncaught (in promise) TypeError: unwanted"),
        (("uncaught-error",), 1, "Uncaught SyntaxError: Expected property name or '}' in JSON at position 1"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else None,
)
def test_how_programs_end(args: tuple[str, ...], code: int, errors: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(binary("ends")), *args]) == code
    assert capfd.readouterr().err.partition("\n")[0] == errors


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([f"-env=LONG={'x' * 9000}"], "arguments and environment take 9"),
        (["-workdir=/nope"], "the working directory '/nope' is no directory of a mount: mount it, or choose another"),
        (["-workdir=nope"], 'invalid workdir: "nope" is not absolute'),
        (["-timeout=300ms"], "error: module closed with context deadline exceeded (timeout 300ms)"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    flags: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    program = str(binary("tasks"))
    assert main(["run", *flags, program, "forever"]) != 0
    errors = capfd.readouterr().err
    assert message in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("flags", "expected"),
    [([], "/"), (["-env=PWD=/w/sub"], "/w/sub"), (["-env=PWD=/w", "-workdir=/w/sub"], "/w/sub")],
)
def test_the_working_directory(
    flags: list[str], expected: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sub").mkdir()
    assert main(["run", f"-mount={tmp_path}:/w", *flags, str(binary("files")), ".", "getwd"]) == 0
    assert capfd.readouterr().out == f"{expected} <nil>\n"


def test_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "input").write_text("a\nb\n")
    with (tmp_path / "input").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert main(["run", str(binary("tasks")), "echo"]) == 0
    assert capfd.readouterr().out == "echo a\necho b\n"
