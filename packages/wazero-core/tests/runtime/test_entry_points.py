"""Entry points are those that importlib.metadata finds, found without it."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from wazero_core.runtime import entry_points as searching
from wazero_core.runtime.entry_points import EntryPoint, entry_points

GROUP = "wazero.tests"


def install(folder: Path, distribution: str, text: str | None) -> None:
    info = folder / f"{distribution}.dist-info"
    info.mkdir(parents=True)
    name, _, version = distribution.partition("-")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", "utf-8")
    if text is not None:
        (info / "entry_points.txt").write_text(text, "utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", [str(tmp_path / "first"), str(tmp_path / "second"), *sys.path])
    monkeypatch.setattr(sys, "meta_path", [f for f in sys.meta_path if not hasattr(type(f), "find_distributions")])
    (tmp_path / "first").mkdir()
    return tmp_path / "first"


def standard_answer(group: str) -> set[EntryPoint]:
    return {EntryPoint(found.group, found.name, found.value) for found in importlib.metadata.entry_points(group=group)}


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"[{GROUP}]\na = json:dumps\n",
        f"[other]\na = x:y\n\n[{GROUP}]\n# comment\na=json:dumps\n  b =json.decoder : JSONDecoder.decode \n[more]\nc = z\n",
        f"[{GROUP}]\na = json:dumps [extra]\nb-c.d = json\n",
        f"[{GROUP}]\r\na = json:dumps\r\n",
    ],
)
def test_the_answer_is_that_of_the_standard_library(folder: Path, text: str) -> None:
    install(folder, "one-1.0", text)
    assert set(entry_points(GROUP)) == standard_answer(GROUP)


@pytest.mark.parametrize("group", ["wazero.engines", "wazero.hostmodules", "console_scripts", "pytest11"])
def test_what_is_installed_here(group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "_ask_standard_library", None)
    assert set(entry_points(group)) == standard_answer(group)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("json:dumps", "json.dumps"),
        ("json.decoder:JSONDecoder.decode", "json.decoder.JSONDecoder.decode"),
        ("json : dumps [fast]", "json.dumps"),
        ("json.decoder", "json.decoder"),
    ],
)
def test_loading(value: str, expected: str) -> None:
    import json.decoder

    found: Any = json
    for name in expected.split(".")[1:]:
        found = getattr(found, name)
    assert EntryPoint(GROUP, "a", value).load() is found


@pytest.mark.parametrize(("value", "error"), [("no_such_module:x", ImportError), ("json:no_such_name", AttributeError)])
def test_what_cannot_be_loaded(value: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        EntryPoint(GROUP, "a", value).load()


def test_the_first_of_two_installations_counts(folder: Path) -> None:
    install(folder, "Some.Package-1.0", f"[{GROUP}]\na = json:dumps\n")
    install(folder.parent / "second", "some_package-2.0", f"[{GROUP}]\na = json:loads\nb = json:loads\n")
    assert entry_points(GROUP) == [EntryPoint(GROUP, "a", "json:dumps")]
    assert set(entry_points(GROUP)) == standard_answer(GROUP)


def test_what_is_installed_while_the_program_runs(folder: Path) -> None:
    assert entry_points(GROUP) == []
    install(folder, "one-1.0", f"[{GROUP}]\na = json:dumps\n")
    assert entry_points(GROUP) == [EntryPoint(GROUP, "a", "json:dumps")]


def test_folders_that_say_nothing(folder: Path) -> None:
    install(folder, "one-1.0", None)
    (folder / "two-1.0.dist-info").write_text("a file", "utf-8")
    (folder / "three-1.0.dist-info").mkdir()
    (folder / "three-1.0.dist-info" / "entry_points.txt").write_bytes(b"\xff\xfe")
    sys.path.insert(0, str(folder / "not there"))
    sys.path.insert(0, "")
    assert entry_points(GROUP) == []


def test_archives_are_looked_into(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = folder / "packages.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("one-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: one\nVersion: 1.0\n")
        file.writestr("one-1.0.dist-info/entry_points.txt", f"[{GROUP}]\na = json:dumps\n")
    monkeypatch.setattr(sys, "path", [str(archive), *sys.path])
    assert entry_points(GROUP) == [EntryPoint(GROUP, "a", "json:dumps")]


def test_eggs_are_looked_into(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = folder / "one-1.0-py3.egg" / "EGG-INFO"
    info.mkdir(parents=True)
    (info / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: one\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\na = json:dumps\n", "utf-8")
    monkeypatch.setattr(sys, "path", [str(info.parent), *sys.path])
    assert entry_points(GROUP) == [EntryPoint(GROUP, "a", "json:dumps")]


def test_finders_of_others_are_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Found(importlib.metadata.Distribution):
        def read_text(self, filename: str) -> str | None:
            return f"[{GROUP}]\na = json:dumps\n" if filename == "entry_points.txt" else "Name: one\n"

        def locate_file(self, path: Any) -> Any:
            return path

    class Finder:
        @staticmethod
        def find_spec(*_: object) -> None: ...
        @staticmethod
        def find_distributions(_context: object = None) -> list[Found]:
            return [Found()]

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    assert EntryPoint(GROUP, "a", "json:dumps") in entry_points(GROUP)


def test_a_runtime_imports_nothing_heavy() -> None:
    """These take longer than all of core; a program starts in the time of a few dozen small modules."""
    code = "import sys, wazero_core; wazero_core.Runtime(wazero_core.RuntimeConfig()); print(*sys.modules)"
    heavy = {"importlib.metadata", "dataclasses", "inspect", "pathlib", "email", "zipfile", "subprocess", "argparse"}
    heavy |= {"hashlib", "multiprocessing", "wazero_core.cache"}
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={"WAZERO_ENGINE": "portable"},
    )
    bare = subprocess.run(
        [sys.executable, "-I", "-c", "import sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    assert (set(done.stdout.split()) - set(bare.stdout.split())) & heavy == set()
