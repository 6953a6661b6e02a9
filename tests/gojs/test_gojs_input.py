"""What comes from outside: arguments, environment, standard input that is not there yet, the clock."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from gojs.conftest import Host, machine_config
from wazero_api import DeadlineExceededError

ROOM = 8191
"""Bytes for arguments and environment, with their pointers."""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            pass  # the test has done so


class Watched:
    """Standard output that does something when a line appears."""

    def __init__(self, actions: dict[str, list[bytes]], fd: int) -> None:
        self.text = ""
        self._actions = actions
        self._fd = fd

    def write(self, data: bytes) -> int:
        self.text += bytes(data).decode()
        for line in list(self._actions):
            if line in self.text:
                for part in self._actions.pop(line):
                    os.write(self._fd, part)
                if not self._actions:
                    os.close(self._fd)
        return len(data)


def test_goroutines_run_while_a_read_waits(host: Host, pipe: tuple[int, int]) -> None:
    """The input comes only after timers have fired, so a read that stopped them would never return."""
    reading, writing = pipe
    output = Watched({"ticked\n": [b"fir", b"st\n"], "line first\nticked\n": [b"second\n"]}, writing)
    config = machine_config().with_stdout(output)
    compiled = host.compiled("waits")
    import wazero_gojs

    wazero_gojs.run(host.runtime, compiled, config.with_args("waits", "input").with_stdin(reading), timeout=60)
    lines = output.text.split("\n")
    assert lines[0] == "ticked"
    assert [line for line in lines if line != "ticked"] == ["line first", "line second", "end of input", ""]


def test_a_read_that_waits_ends_with_the_time(host: Host, pipe: tuple[int, int]) -> None:
    with pytest.raises(DeadlineExceededError):
        host.run("waits", "input", stdin=pipe[0], timeout=0.3)


def test_input_from_memory(host: Host) -> None:
    ended = host.run("waits", "input", stdin=b"one\ntwo\nunended")
    assert [line for line in ended.stdout.splitlines() if line != "ticked"] == ["line one", "line two", "end of input"]


def test_a_closed_run_ends_while_a_read_waits(host: Host, pipe: tuple[int, int]) -> None:
    """Closing the pipe from another thread is what ends it."""
    reading, writing = pipe
    timer = threading.Timer(0.1, os.close, (writing,))
    timer.start()
    ended = host.run("waits", "input", stdin=reading)
    timer.join()
    assert ended.stdout.endswith("end of input\n")


@pytest.mark.parametrize("what", ["argument", "environment", "many"])
def test_arguments_that_do_not_fit_are_refused(host: Host, what: str) -> None:
    args: tuple[str, ...] = ("return",)
    env: dict[str, str] = {}
    if what == "argument":
        args = ("return", "x" * ROOM)
    elif what == "environment":
        env = {"LONG": "x" * ROOM}
    else:
        env = {f"N{number}": "" for number in range(600)}
    with pytest.raises(ValueError, match="a Go program for GOOS=js has room for 8191: pass fewer variables"):
        host.run("ends", *args, env=env)


def test_as_many_arguments_as_fit(host: Host) -> None:
    """The program's name and "exit 7" take 48 bytes with their pointers and those two that end the lists."""
    longest = "x" * (ROOM - 3 * 8 - 6 * 8 - 1 - 7)
    assert host.run("ends", "exit", "7", longest).exit_code == 7
    with pytest.raises(ValueError, match="room"):
        host.run("ends", "exit", "7", longest + "x" * 8)


def test_a_program_runs_many_times_on_one_runtime(host: Host) -> None:
    """And leaves no modules behind."""
    before = len(host.runtime._anonymous)
    for code in range(30):
        assert host.run("ends", "exit", str(code)).exit_code == code
    assert len(host.runtime._anonymous) == before
