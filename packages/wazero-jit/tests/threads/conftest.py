"""Stand-ins for what surrounds the parts under test: an entry, trap and error routines, and wasm code by hand."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent

if sys.platform != "linux" or os.uname().machine != "x86_64":
    collect_ignore_glob = ["test_*.py"]
else:
    sys.path.insert(0, str(FOLDER))  # for `machine_rig`, which subprocesses import, too


@pytest.fixture
def python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program in a process of its own, which may import `machine_rig`."""

    def run(program: str, *options: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(FOLDER), *sys.path))}
        command = [sys.executable, "-W", "error", *options, "-c", program]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)

    return run


@pytest.fixture(scope="session")
def rig() -> Any:
    """One for all tests, as there is one for all modules."""
    from machine_rig import Rig

    return Rig()


@pytest.fixture
def run_in_thread() -> Callable[..., Any]:
    """Run something in a thread of its own with a stack of so many bytes, and give what it returns or raises."""

    def run(body: Callable[[], Any], stack_bytes: int = 0) -> Any:
        outcome: list[Any] = []

        def target() -> None:
            try:
                outcome.append(body())
            except BaseException as error:
                outcome.append(error)

        before = threading.stack_size(stack_bytes)
        try:
            thread = threading.Thread(target=target)
            thread.start()
        finally:
            threading.stack_size(before)
        thread.join()
        if isinstance(outcome[0], BaseException):
            raise outcome[0]
        return outcome[0]

    return run


@pytest.fixture
def run_in_child() -> Callable[[Callable[[], object]], str]:
    """Fork, run something in the child, and give what it returns as text, how it fails, or the signal that killed it."""

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


@pytest.fixture
def wait_until() -> Callable[[Callable[[], object]], None]:
    """Wait, not for ever, until something holds."""

    def wait(holds: Callable[[], object]) -> None:
        end = time.monotonic() + 30
        while not holds():
            assert time.monotonic() < end, "still not so"
            time.sleep(0.001)

    return wait
