"""What a compiling process does; see `parallel`, which starts it."""

from __future__ import annotations

import os
import pickle
import signal
import time
from typing import Any, BinaryIO, Final, Literal, NamedTuple

from wazero_api import CoreFeatures

from .compiling import compile_snapshot
from .config import RuntimeConfig
from .engines import environment_of, process_engine
from .serialization import Snapshot

_REPORT_S: Final = 0.05
"""Seconds between two reports of progress."""

Event = tuple[Literal["progress", "compiled", "failed"], Any]
"""What a process sends: how many functions more are done; the code and what it depends on; an exception."""


class Task(NamedTuple):
    """What a process has to know."""

    wasm: bytes
    engine_name: str
    features: int
    is_validated: bool
    share: list[int]
    """Indices of the functions to compile, among those that the module defines."""


def work(tasks: BinaryIO) -> None:
    """Do the task that is read from there, and write `Event`s to standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, too, which ends this process
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # nothing else may get among the answers
        try:
            event = _compile(Task(*pickle.load(tasks)), answers)  # noqa: S301 - from the process that started this one
        except Exception as error:  # noqa: BLE001 - it is raised there
            event = "failed", _picklable(error)
        _send(answers, event)


def _compile(task: Task, answers: BinaryIO) -> Event:
    engine = process_engine(task.engine_name)
    config = RuntimeConfig(core_features=CoreFeatures(task.features), lazy_validation=True)
    compiled = compile_snapshot(Snapshot(task.wasm), engine, config)
    if task.is_validated:
        compiled.validator.trust_bodies()
    reported, reported_at = 0, time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal reported, reported_at
        if done == total or time.monotonic() >= reported_at + _REPORT_S:
            _send(answers, ("progress", done - reported))
            reported, reported_at = done, time.monotonic()

    compiled.code.compile_functions(task.share, report)
    return "compiled", (environment_of(engine, config.core_features), compiled.code.dump())


def _send(answers: BinaryIO, event: Event) -> None:
    pickle.dump(event, answers)
    answers.flush()


def _picklable(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - what was just dumped
    except Exception:  # noqa: BLE001 - errors of others may not even allow that
        return RuntimeError(f"{error.__class__.__name__}: {error}")
    return error
