"""Signals and pipes end `wazero run` as they end other commands, whatever the guest is doing then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

import pytest

from integration.runtimes import NAMED_ENGINES, wasm

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="signals are a matter of POSIX"),
    pytest.mark.skipif(
        not entry_points(group="wazero.hostmodules", name="wasi_snapshot_preview1"),
        reason="wazero-wasi is not installed",
    ),
]

COMMAND: Final = (
    "import signal, sys\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # what started us may have it ignored
    "from wazero_core.cli import main\n"
    "sys.exit(main())"
)

PREAMBLE: Final = """
(import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
(memory (export "memory") 2)
(data (i32.const 0) "\\08\\00\\00\\00\\06\\00\\00\\00ready\\n")
(data (i32.const 32) "\\00\\01\\00\\00\\00\\80\\00\\00")
(func $ready (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 24))))
(func $read (result i32)
  (drop (call $fd_read (i32.const 0) (i32.const 32) (i32.const 1) (i32.const 24)))
  (i32.load (i32.const 24)))
(func $write (param $count i32)
  (i32.store (i32.const 40) (i32.const 256)) (i32.store (i32.const 44) (local.get $count))
  (drop (call $fd_write (i32.const 1) (i32.const 40) (i32.const 1) (i32.const 24))))
(func $sleep_an_hour
  (i32.store (i32.const 64) (i32.const 0)) (i32.store (i32.const 80) (i32.const 1))
  (i64.store (i32.const 88) (i64.const 3600000000000))
  (drop (call $poll_oneoff (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 24))))
"""
"""At 0 and 32 a vector each, for the line and for a buffer of 32 KiB at 256; the size that was read or written at 24."""

BUSY: Final = {
    "in a loop": "(call $ready) (loop (br 0))",
    "in calls": "(call $ready) (loop (call $nothing) (br 0))",
    "reading": "(call $ready) (drop (call $read))",
    "asleep": "(call $ready) (call $sleep_an_hour)",
    "writing": "(call $ready) (loop (call $write (i32.const 32768)) (br 0))",
}
ECHO: Final = """
(local $count i32)
(block $end (loop $again
  (br_if $end (i32.eqz (local.tee $count (call $read))))
  (call $write (local.get $count))
  (br $again)))
"""


def program(tmp_path: Path, body: str) -> str:
    text = f'(module {PREAMBLE} (func $nothing) (func (export "_start") {body}))'
    (tmp_path / "guest.wasm").write_bytes(wasm(text))
    return str(tmp_path / "guest.wasm")


def start(engine: str, *arguments: str) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(sys.path)
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, "run", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "WAZERO_ENGINE": engine, "PYTHONPATH": path},
    )


def end(process: subprocess.Popen[bytes]) -> bytes:
    """What it says on stderr until it ends."""
    assert process.stderr is not None
    try:
        process.wait(60)
        return process.stderr.read()
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@pytest.mark.parametrize("engine", NAMED_ENGINES)
@pytest.mark.parametrize("body", BUSY.values(), ids=list(BUSY))
def test_ctrl_c(tmp_path: Path, engine: str, body: str) -> None:
    process = start(engine, program(tmp_path, body))
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    assert (end(process), process.returncode) == (b"", 128 + signal.SIGINT)


@pytest.mark.parametrize("engine", NAMED_ENGINES)
@pytest.mark.parametrize("body", BUSY.values(), ids=list(BUSY))
def test_terminate(tmp_path: Path, engine: str, body: str) -> None:
    process = start(engine, program(tmp_path, body))
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    assert (end(process), process.returncode) == (b"", -signal.SIGTERM)


@pytest.mark.parametrize("engine", NAMED_ENGINES)
@pytest.mark.parametrize("body", [BUSY["in a loop"], BUSY["reading"], BUSY["asleep"]])
def test_the_timeout(tmp_path: Path, engine: str, body: str) -> None:
    process = start(engine, "-timeout", "300ms", program(tmp_path, body))
    message = b"error: module closed with context deadline exceeded (timeout 300ms)\n"
    assert (end(process), process.returncode) == (message, 255)


@pytest.mark.parametrize("engine", NAMED_ENGINES)
def test_nobody_reads_the_output(tmp_path: Path, engine: str) -> None:
    process = start(engine, program(tmp_path, BUSY["writing"]))
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.stdout.close()
    assert (end(process), process.returncode) == (b"", 128 + signal.SIGPIPE)


@pytest.mark.parametrize("engine", NAMED_ENGINES)
def test_much_input(tmp_path: Path, engine: str) -> None:
    process = start(engine, program(tmp_path, ECHO))
    text = bytes(range(256)) * 20_000
    try:
        output, errors = process.communicate(text, timeout=120)
    finally:
        process.kill()
    assert (output == text, errors, process.returncode) == (True, b"", 0)


@pytest.mark.parametrize("engine", NAMED_ENGINES)
def test_a_guest_that_does_not_read_all(tmp_path: Path, engine: str) -> None:
    """Whoever writes to it finds the pipe broken, and nothing else."""
    process = start(engine, program(tmp_path, "(drop (call $read)) (call $ready)"))
    output, errors = process.communicate(b"x" * 1_000_000, timeout=60)
    assert (output, errors, process.returncode) == (b"ready\n", b"", 0)


def test_the_second_of_two_commands_in_a_pipe_ends_the_first(tmp_path: Path) -> None:
    guest = program(tmp_path, BUSY["writing"])
    line = f'{sys.executable} -m wazero_core run {guest} | head -n 1; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", line], capture_output=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == (b"ready\n141\n", b"")
