"""Run a function in a process of its own: with limits, measured, and killed when it takes too long.

Hostile input is tested there, so that a crash, a hang or gigabytes of memory fail one test and not the whole run.
Must not import the packages under test.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, NamedTuple

if sys.platform != "win32":
    import resource

DATA_LIMIT_BYTES: Final = 2 << 30
"""Of memory that a process can write to: beyond it allocation fails, before the machine suffers."""

_RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024
_STATUS: Final = Path("/proc/self/status")


class Outcome(NamedTuple):
    """What came of it."""

    result: Any
    growth_bytes: int
    """By how much the peak of resident memory grew; 0 where the system does not say."""
    cpu_s: float


class CrashError(Exception):
    """The process ended without an answer, raised an exception, or had to be killed."""


def run(function: Callable[..., Any], *args: Any, timeout_s: float = 120.0) -> Outcome:
    """Call a function of an importable module in a fresh process. What it returns must be picklable.

    Raises CrashError with what is known.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(sender, function, args), daemon=True)
    process.start()
    sender.close()
    try:
        if not receiver.poll(timeout_s):
            raise CrashError(f"{function.__name__}{args} did not end within {timeout_s:g} s")
        outcome = receiver.recv()
    except EOFError:
        process.join()
        raise CrashError(f"{function.__name__}{args} ended with exit code {process.exitcode}") from None
    finally:
        process.kill()
        process.join()
        receiver.close()
    if isinstance(outcome, str):
        raise CrashError(f"{function.__name__}{args} raised:\n{outcome}")
    assert isinstance(outcome, Outcome)
    return outcome


def _child(sender: Connection, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    import faulthandler
    import traceback

    faulthandler.enable()
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (DATA_LIMIT_BYTES, DATA_LIMIT_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    before, start = peak_bytes(), time.process_time()
    try:
        result = function(*args)
    except BaseException:
        sender.send(traceback.format_exc(limit=-30)[-8000:])
        return
    sender.send(Outcome(result, peak_bytes() - before, time.process_time() - start))


def peak_bytes() -> int:
    """The peak of this process's resident memory so far; 0 where the system does not say.

    Linux hands the peak that getrusage knows on from parent to child, so there the kernel's own figure is read.
    """
    if _STATUS.exists():
        (line,) = [line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT
