"""``wazero validate``: a line about each program that is not valid."""

from __future__ import annotations

from pathlib import Path

import pytest

from wazero_core.cli import main

EMPTY = "0061736d01000000"
VALID = EMPTY + "01040160 0000 03020100 0a04 0102 000b"
BAD_BODY = EMPTY + "01040160 0000 03020100 0a06 0104 00 4100 0b"
"""Leaves a value."""
EXTENDS = EMPTY + "01040160 0000 03020100 0a08 0106 00 4100 c0 1a 0b"
"""Uses sign extension."""
CONSTANT_SUM = EMPTY + "0609 01 7f 00 4100 4100 6a 0b"
"""Extended constant expression."""
FILES = {"empty": EMPTY, "valid": VALID, "bad": BAD_BODY, "extends": EXTENDS, "sum": CONSTANT_SUM, "cut": VALID[:-4]}


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_bytes(bytes.fromhex(text))


@pytest.mark.parametrize(
    "arguments",
    [
        ["empty"],
        ["valid", "extends", "sum"],
        ["-features", "1.0", "valid"],
        ["-features=2.0", "extends"],
        ["-features", "sign-extension-ops", "extends"],
        ["-features", "1.0,extended-const", "sum"],
    ],
)
def test_nothing_is_said_of_valid_programs(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert (main(["validate", *arguments]), capsys.readouterr()) == (0, ("", ""))


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (["bad"], ["bad: type mismatch: 1 values remaining on the stack at the end of a block (at byte 0x19)"]),
        (
            ["bad", "valid", "cut", "gone"],
            [
                "bad: type mismatch: 1 values remaining on the stack at the end of a block (at byte 0x19)",
                "cut: length out of bounds: section code runs past the end (at byte 0x12)",
                "error reading wasm binary: gone: No such file or directory",
            ],
        ),
        (
            ["-features", "1.0", "extends"],
            ['extends: i32.extend8_s invalid as feature "sign-extension-ops" is disabled (at byte 0x19)'],
        ),
        (["-features", "2.0", "sum"], ['sum: constant i32.add invalid as feature "extended-const" is disabled']),
    ],
)
def test_a_line_about_each_that_is_not(
    capsys: pytest.CaptureFixture[str], arguments: list[str], lines: list[str]
) -> None:
    assert main(["validate", *arguments]) == 1
    output, errors = capsys.readouterr()
    assert (output, errors.splitlines()) == ("", lines)


def test_names_cannot_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a\x1b[31m\nb").write_bytes(b"x")
    assert main(["validate", "bad", "a\x1b[31m\nb"]) == 1
    assert capsys.readouterr().err.splitlines()[1].startswith("a\\x1b[31m\\nb: magic header not detected")


@pytest.mark.parametrize(
    ("arguments", "start", "status"),
    [
        ([], "missing path to wasm file (`wazero validate -h` shows the usage)", 1),
        (["-features", "simd,nonsense", "valid"], 'error: "nonsense" is not a feature: use 1.0, 2.0, bulk-memory', 2),
        (["-x"], "error: flag provided but not defined: -x (`wazero validate -h` lists the flags)", 2),
    ],
)
def test_mistakes(capsys: pytest.CaptureFixture[str], arguments: list[str], start: str, status: int) -> None:
    assert main(["validate", *arguments]) == status
    output, errors = capsys.readouterr()
    assert (output, errors.count("\n")) == ("", 1)
    assert errors.startswith(start)
