"""The programs in the README of wazero-gojs, Go and Python, run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from programs.build import ROOT, UnavailableError, build

_README: Final = ROOT / "packages" / "wazero-gojs" / "README.md"
_TEXT: Final = _README.read_text("utf-8")
_NAMES: Final = ("calc", "hello")
_OUTPUTS: Final = ("3\n", "Hello, Gopher!\n\n", "")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", _TEXT, re.DOTALL)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Go programs, built in the working directory."""
    monkeypatch.chdir(tmp_path)
    for name, source in zip(_NAMES, blocks("go"), strict=True):
        path = tmp_path / name / "main.go"
        path.parent.mkdir()
        path.write_text(source, "utf-8")
        try:
            Path(f"{name}.wasm").write_bytes(build(path, target="js").read_bytes())
        except UnavailableError as error:
            pytest.skip(str(error))


def test_the_examples(programs: None, capsys: pytest.CaptureFixture[str]) -> None:
    for block, output in zip(blocks("python"), _OUTPUTS, strict=True):
        exec(compile(block, "README.md", "exec"), {})
        assert capsys.readouterr().out == output


def test_the_table_is_that_of_the_documentation() -> None:
    import wazero_gojs.conversion

    def rows(text: str) -> list[str]:
        return [line for line in text.splitlines() if line.startswith("| ")]

    assert rows(wazero_gojs.conversion.__doc__ or "") == rows(_TEXT)
