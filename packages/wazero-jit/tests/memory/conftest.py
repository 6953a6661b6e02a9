"""What the system says about this process: its mappings, memory and files."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

if sys.platform != "linux" or os.uname().machine != "x86_64":
    collect_ignore = ["test_executable.py", "test_forks.py", "test_linear.py", "test_system.py"]


class Mapping(NamedTuple):
    start: int
    end: int
    access: str
    """As in "rw-p"."""
    name: str


def read_mappings() -> list[Mapping]:
    found = []
    for line in Path("/proc/self/maps").read_text().splitlines():
        addresses, access, _, _, _, *name = line.split(maxsplit=5)
        start, end = (int(address, 16) for address in addresses.split("-"))
        found.append(Mapping(start, end, access, "".join(name)))
    return found


@pytest.fixture
def mappings() -> Callable[[], list[Mapping]]:
    """What the process has mapped now."""
    return read_mappings


@pytest.fixture
def access() -> Callable[[int], str]:
    """What may be done with the byte at an address, as in "r-xs"; "" if nothing is mapped there."""

    def at(address: int) -> str:
        return next((found.access for found in read_mappings() if found.start <= address < found.end), "")

    return at


@pytest.fixture
def resident_bytes() -> Callable[[], int]:
    """Memory that the process really uses now."""

    def read() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

    return read


@pytest.fixture
def open_files() -> Callable[[], int]:
    return lambda: len(os.listdir("/proc/self/fd"))  # noqa: PTH208  # its own descriptor counts each time


@pytest.fixture
def in_child() -> Callable[[Callable[[], object]], str]:
    """Run something in a forked child; what it returned as text, or how it failed, or the signal that killed it."""

    def run(body: Callable[[], object]) -> str:
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.write(writer, str(body()).encode())
            except BaseException as error:
                os.write(writer, repr(error).encode())
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            text = pipe.read().decode()
        status = os.waitpid(pid, 0)[1]
        return f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else text

    return run
