"""Processes of this interpreter: run once for their output, or kept to be asked line by line.

Code under test may crash, hang or fill the memory; in a process of its own that is an error to report, no more.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, final

from benchmarks.inputs import CACHE, ROOT

WORKERS: Final = ROOT / "benchmarks" / "workers"

_SECONDS: Final = 240
"""Less than pytest gives a test before it ends the whole run."""
_ERROR_CHARACTERS: Final = 600


@final
class WorkerError(Exception):
    """A process failed, crashed or did not answer; the text says which."""


def environment() -> dict[str, str]:
    """This process's, but bytecode is kept: a package that pip installed has its bytecode from the start."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(CACHE / "bytecode")}


def run(*arguments: str, extra: Mapping[str, str] | None = None) -> str:
    """What this interpreter prints with these arguments. `extra` adds to the environment. Raises WorkerError."""
    try:
        done = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            env=environment() | dict(extra or {}),
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise WorkerError(f"not done within {_SECONDS} seconds") from None
    if done.returncode:
        raise WorkerError(f"{_ending(done.returncode)}: {_tail(done.stderr)}")
    return done.stdout


def report_of(worker: str, *arguments: str) -> Any:
    """The JSON that a script of the folder `workers` prints. Raises WorkerError."""
    return json.loads(run(str(WORKERS / worker), *arguments))


@final
class Worker:
    """A script of the folder `workers` that answers each line with one line of JSON, its start included."""

    def __init__(self, script: str, *arguments: str, timeout: float = _SECONDS) -> None:
        self._timeout = timeout
        self._errors = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - __exit__ closes it
        self._process = subprocess.Popen(
            [sys.executable, str(WORKERS / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=environment(),
        )

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def ask(self) -> Any:
        """Have it do its work once more, and wait. Raises WorkerError if it cannot, or says that it failed."""
        try:
            print(file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise self._ended() from None
        return self.answer()

    def answer(self) -> Any:
        """The next line: the first one comes unasked. Raises WorkerError."""
        assert self._process.stdout is not None
        timer = threading.Timer(self._timeout, self._process.kill)
        start = time.monotonic()
        timer.start()
        line = self._process.stdout.readline()
        timer.cancel()
        if not line and time.monotonic() - start >= self._timeout:
            raise WorkerError(f"no answer within {self._timeout:g} seconds")
        if not line:
            raise self._ended()
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def _ended(self) -> WorkerError:
        code = self._process.wait()
        self._errors.seek(0)
        return WorkerError(f"{_ending(code)}: {_tail(self._errors.read())}")


def _ending(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _tail(text: str) -> str:
    return text.strip()[-_ERROR_CHARACTERS:]
