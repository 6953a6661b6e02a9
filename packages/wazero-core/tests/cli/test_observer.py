"""``-hostlogging``, ``-cpuprofile`` and ``-memprofile``: who watches the guest, and that all else stays as it is."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wazero_core.cli import main

Guests = Callable[[str], str]
Look = Callable[[Callable[[Any], None]], None]

LOOKS = '(module $m (import "probe" "look" (func $look)) (func (export "_start") (call $look)))'
GROWS = '(module $m (memory 1) (func $grow (drop (memory.grow (i32.const 2)))) (func (export "_start") {}))'


# --- Logs -------------------------------------------------------------------------------------------------------------


def test_calls_are_logged_to_stderr(guest: Guests, look: Look, capsys: pytest.CaptureFixture[str]) -> None:
    look(lambda module: None)
    assert main(["run", "-hostlogging=all", guest(LOOKS)]) == 0
    assert capsys.readouterr() == ("", "--> m.$1()\n\t==> probe.look()\n\t<==\n<--\n")
    assert main(["run", "-hostlogging=filesystem,clock", "-hostlogging", "proc", guest(LOOKS)]) == 0
    assert capsys.readouterr() == ("", "")  # the function belongs to no scope


def test_an_invoked_function_is_logged(guest: Guests, look: Look, capsys: pytest.CaptureFixture[str]) -> None:
    look(lambda module: None)
    text = LOOKS.replace('"_start"', '"_initialize"').removesuffix(")") + '(func (export "f") (call $look)))'
    assert main(["run", "-hostlogging=all", "-invoke", "f", guest(text)]) == 0
    call = "\t==> probe.look()\n\t<==\n<--\n"
    assert capsys.readouterr() == ("", f"--> m.$1()\n{call}--> m.$2()\n{call}")


def test_what_is_no_scope(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "-hostlogging", "clock", "-hostlogging=all,time", "no such"]) == 2
    output, errors = capsys.readouterr()
    assert (output, errors.count("\n")) == ("", 1)
    assert errors.startswith("error: argument -hostlogging: 'time' is not a log scope: use ")


# --- Profiles ---------------------------------------------------------------------------------------------------------


def content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())


@pytest.mark.parametrize("flags", [[], ["-interpreter"]])
@pytest.mark.parametrize(
    ("body", "status"),
    [("(call $grow)", 0), ("(call $grow) unreachable", 1), ("(call $grow) (loop (br 0))", 0xEFFFFFFF - (1 << 32))],
)
def test_profiles_are_written_however_the_guest_ends(
    guest: Guests, tmp_path: Path, flags: list[str], body: str, status: int
) -> None:
    cpu, memory = tmp_path / "cpu", tmp_path / "memory"
    arguments = ["-timeout", "300ms", f"-cpuprofile={cpu}", "-memprofile", str(memory), guest(GROWS.format(body))]
    assert main(["run", *flags, *arguments]) == status
    assert b"wall" in content(cpu)
    assert (b"m.$1" in content(cpu)) == ("loop" in body)
    assert b"(instantiation)" in content(memory)
    assert b"guest.wasm" in content(memory)


def test_growth_has_its_function(guest: Guests, tmp_path: Path) -> None:
    path = guest(GROWS.format("(call $grow)"))
    assert main(["run", "-interpreter", "-memprofile", str(tmp_path / "memory"), path]) == 0
    assert b"m.grow" in content(tmp_path / "memory")


def test_host_functions_are_in_the_profile(guest: Guests, look: Look, tmp_path: Path) -> None:
    def sleep(module: Any) -> None:
        module.system.sleep(200_000_000)

    look(sleep)
    for flags in ([], ["-interpreter"]):
        assert main(["run", *flags, "-hostlogging=proc", "-cpuprofile", str(tmp_path / "cpu"), guest(LOOKS)]) == 0
        assert b"probe.look" in content(tmp_path / "cpu")


@pytest.mark.parametrize("flag", ["cpuprofile", "memprofile"])
def test_a_profile_that_cannot_be_written_is_one_line(
    guest: Guests, look: Look, tmp_path: Path, capsys: pytest.CaptureFixture[str], flag: str
) -> None:
    seen: list[Any] = []
    look(seen.append)
    what = "cpu" if flag == "cpuprofile" else "memory"
    path = tmp_path / "gone" / "profile"
    assert main(["run", f"-{flag}", str(path), guest(LOOKS)]) == 1
    assert capsys.readouterr() == (
        "",
        f"error creating {what} profile output: {path}: No such file or directory\n",
    )
    assert seen == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line(guest: Guests, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "-memprofile", "/dev/full", guest(GROWS.format(""))]) == 1
    assert capsys.readouterr() == ("", "error writing memory profile: /dev/full: No space left on device\n")


def test_who_is_not_watched_does_not_pay_for_it(guest: Guests) -> None:
    """Nothing of what watches, invokes, listens or describes is imported."""
    code = (
        "import sys\n"
        "from wazero_core.cli import main\n"
        f"main(['run', {guest('(module)')!r}])\n"
        "print(*sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    unwanted = (
        "profiling",
        "host_logging",
        "observer",
        "invocation",
        "inspection",
        "listeners",
        "sockets",
        "gzip",
        "json",
    )
    assert [name for name in done.stdout.split() if name.rpartition(".")[2] in unwanted] == []
