"""Compiling a module in several processes at once: each decodes it, compiles its share and sends back what it dumped.

The processes are started here and not by `multiprocessing`, which would run the main script again in each of them, so
that a script that calls `compile_all` without a guard would start processes without end. `worker` is their side.
"""

from __future__ import annotations

import heapq
import pickle
import sys
from collections.abc import Callable, Sequence
from multiprocessing.spawn import get_executable
from queue import SimpleQueue
from subprocess import PIPE, Popen
from threading import Thread
from typing import Any, Final, final

from .compiled import CompiledModule
from .engines import environment_of
from .worker import Event, Task

_SHARE_BYTES: Final = 100_000
"""Of function bodies, below which starting a process takes longer than it saves."""

_BOOT: Final = (
    "import pickle, sys; tasks = sys.stdin.buffer; sys.path[:] = pickle.load(tasks); "
    "from wazero_core.runtime.worker import work; work(tasks)"
)


def compile_in_processes(
    compiled: CompiledModule, processes: int, progress: Callable[[int, int], None] | None = None
) -> None:
    """Compile all functions in at most as many processes; in this one if a second would not pay.

    Raises what compiling raises, RuntimeError if a process dies.
    """
    sizes = [len(body.code) for body in compiled.module.bodies]
    processes = min(processes, sum(sizes) // _SHARE_BYTES)
    if processes > 1 and compiled.code.compiled_count < len(sizes) and _can_start_python():
        _compile_shares(compiled, shares_of(sizes, processes), progress)
        progress = None
    compiled.code.compile_all(progress)


def _can_start_python() -> bool:
    """Not where Python is part of another program, unless `multiprocessing.set_executable` said where to find one."""
    return bool(get_executable()) and not getattr(sys, "frozen", False)


def shares_of(sizes: Sequence[int], count: int) -> list[list[int]]:
    """The indices of `sizes` in `count` lists with sums as equal as can be had easily: the largest first."""
    shares: list[list[int]] = [[] for _ in range(count)]
    loads = [(0, number) for number in range(count)]
    for index in sorted(range(len(sizes)), key=sizes.__getitem__, reverse=True):
        load, number = loads[0]
        shares[number].append(index)
        heapq.heapreplace(loads, (load + sizes[index], number))
    return [sorted(share) for share in shares]


def _compile_shares(
    compiled: CompiledModule, shares: list[list[int]], progress: Callable[[int, int], None] | None
) -> None:
    environment = environment_of(compiled.engine, compiled.validator.features)
    events: SimpleQueue[Event] = SimpleQueue()
    workers = [_Worker(task, events) for task in _tasks(compiled, shares)]
    running, done, total = len(workers), 0, len(compiled.module.bodies)
    try:
        while running:
            kind, value = events.get()
            if kind == "failed":
                raise value
            if kind == "compiled":
                running -= 1
                if value[0] == environment:  # else it has another engine or CPU, and this process compiles the rest
                    compiled.code.load(value[1])
            elif progress is not None:
                done += value
                progress(done, total)
    finally:
        for worker in workers:
            worker.stop()


def _tasks(compiled: CompiledModule, shares: list[list[int]]) -> list[Task]:
    validator = compiled.validator
    fixed = compiled.wasm, compiled.engine.name, validator.features.value, validator.has_checked_bodies
    return [Task(*fixed, share) for share in shares]


@final
class _Worker:
    """A process, and the thread that talks with it."""

    def __init__(self, task: Task, events: SimpleQueue[Event]) -> None:
        self._process: Popen[bytes] = Popen([get_executable(), "-c", _BOOT], stdin=PIPE, stdout=PIPE)  # noqa: S603
        self._thread = Thread(target=self._talk, args=(task, events), daemon=True)
        self._thread.start()

    def _talk(self, task: Task, events: SimpleQueue[Event]) -> None:
        tasks: Any = self._process.stdin
        answers: Any = self._process.stdout
        kind = ""
        try:
            with tasks:
                pickle.dump(sys.path, tasks)
                pickle.dump(tuple(task), tasks)
            while kind not in {"compiled", "failed"}:
                kind, value = pickle.load(answers)  # noqa: S301 - our own process
                events.put((kind, value))
        except Exception:  # noqa: BLE001 - in whatever way reading fails, the process is of no use any more
            self._process.kill()
            error = RuntimeError(f"a compiling process died with status {self._process.wait()}")
            events.put(("failed", error))

    def stop(self) -> None:
        """End the process, if it is not done, and all that belongs to it."""
        self._process.kill()
        self._thread.join()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
