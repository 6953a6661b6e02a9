"""Go programs from many threads, and runs that are ended from outside: nothing of them may be left."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

import wazero_gojs
from gojs.conftest import binary, machine_config
from hammer.hammer import N, P, hammer
from integration.runtimes import NAMED_ENGINES
from wazero_api import DeadlineExceededError, ExitError
from wazero_core import CompilationCache, CompiledModule, Memory, Module, Runtime, RuntimeConfig
from wazero_gojs.asynchronous import Driver
from wazero_gojs.loop import EventLoop
from wazero_gojs.model.realm import Realm
from wazero_gojs.program import Program

_CACHE: Final = CompilationCache()
_ROUNDS: Final = max(N // 50, 5)
SECONDS: Final = 60


@pytest.fixture(params=NAMED_ENGINES)
def config(request: pytest.FixtureRequest) -> RuntimeConfig:
    """Every engine in turn."""
    return RuntimeConfig(engine=request.param).with_lazy_validation(True).with_compilation_cache(_CACHE)


@pytest.fixture
def runtime(config: RuntimeConfig) -> Iterator[Runtime]:
    with Runtime(config) as runtime:
        yield runtime


@pytest.fixture
def tasks(runtime: Runtime) -> CompiledModule:
    """The program that waits for timers, promises and reads; compiled as far as it runs here."""
    compiled = runtime.compile_module(binary("tasks").read_bytes())
    wazero_gojs.run(runtime, compiled, counting([]))
    return compiled


def counting(seen: list[int]) -> wazero_gojs.Config:
    """The program that counts to 3. Without a name: two instances of one name cannot be in one runtime."""
    config = machine_config().with_args("tasks", "counts", "3").with_name("")
    return wazero_gojs.Config(config).with_global("tick", seen.append)


@contextmanager
def nothing_left(runtime: Runtime | None = None) -> Iterator[None]:
    """No thread, descriptor or program more than before, and no module in the runtime."""
    before = left(runtime)
    yield
    end = time.monotonic() + 10
    while (now := left(runtime)) != before and time.monotonic() < end:
        time.sleep(0.01)
    assert now == before


def left(runtime: Runtime | None) -> list[Any]:
    """Threads, descriptors, modules of the runtime, and what of programs is in Python's memory."""
    modules = [] if runtime is None else [*runtime._named.values(), *runtime._anonymous]
    gc.collect()
    kinds = Counter(type(item).__name__ for item in gc.get_objects() if type(item) in _KINDS)
    return [threading.active_count(), descriptors(), modules, kinds]


_KINDS: Final = frozenset({Program, EventLoop, Realm, Driver, Module, Memory, asyncio.Task})


def descriptors() -> list[str]:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        listed = [entry.name for entry in entries]
    return sorted(name for name in listed if (folder / name).exists())


class Ticks:
    """Counts, and tells when there were some."""

    def __init__(self) -> None:
        self.count = 0
        self.some = threading.Event()

    def __call__(self) -> None:
        self.count += 1
        if self.count >= 3:
            self.some.set()


def rounds(on: Runtime | RuntimeConfig) -> int:
    """Fewer for the slow engine."""
    config = on.config if isinstance(on, Runtime) else on
    return _ROUNDS if config.engine == NAMED_ENGINES[-1] else 2


def forever(ticks: Ticks, stdin: Any, name: str = "") -> wazero_gojs.Config:
    """The program that has timers, an interval, a promise and a read pending, and calls `ticks`."""
    config = machine_config().with_args("tasks", "forever").with_stdin(stdin).with_name(name)
    return wazero_gojs.Config(config).with_global("tick", ticks)


# Many at once


def test_event_loops_of_several_threads_hammer(runtime: Runtime, tasks: CompiledModule) -> None:
    def body(p: int, n: int) -> None:
        seen: list[int] = []
        wazero_gojs.run(runtime, tasks, counting(seen))
        assert seen == [0, 1, 2]

    with nothing_left(runtime):
        hammer(body, n=rounds(runtime))


def test_asyncio_loops_of_several_threads_hammer(runtime: Runtime, tasks: CompiledModule) -> None:
    async def several() -> None:
        seen: list[list[int]] = [[], []]
        await asyncio.gather(*(wazero_gojs.run_async(runtime, tasks, counting(one)) for one in seen))
        assert seen == [[0, 1, 2]] * 2

    with nothing_left(runtime):
        hammer(lambda p, n: asyncio.run(several()), p=P // 2, n=rounds(runtime) // 2)


def test_libraries_of_several_threads_hammer(config: RuntimeConfig) -> None:
    path = binary("library")
    wazero_gojs.load(path, machine_config(), runtime_config=config).close()

    def body(p: int, n: int) -> None:
        with wazero_gojs.load(path, machine_config(), runtime_config=config) as go:
            assert go.echo([p, n]) == [p, n]
            assert go.call(lambda x: x * 2, n) == 2 * n
            assert go.later(1).result() == "after 1"
            assert go.count(p) == p

    with nothing_left():
        hammer(body, n=max(rounds(config) // 4, 1))


# Ended from outside


Ending = Callable[[Runtime, Any], None]


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lambda runtime, module: module.close(), 0),
        (lambda runtime, module: module.close_with_exit_code(5), 5),
        (lambda runtime, module: runtime.close(), 0),
        (lambda runtime, module: runtime.close_with_exit_code(6), 6),
    ],
    ids=["module", "module with a code", "runtime", "runtime with a code"],
)
@pytest.mark.parametrize("loop", ["own", "asyncio"])
def test_closing_from_another_thread_hammer(end: Ending, code: int, loop: str, config: RuntimeConfig) -> None:
    """With timers, a promise, a read and callbacks pending."""
    wasm = binary("tasks").read_bytes()
    with nothing_left():
        for _ in range(max(rounds(config) // 5, 1)):
            reading, writing = os.pipe()
            ticks = Ticks()
            with Runtime(config) as runtime:
                compiled = runtime.compile_module(wasm)
                ended: list[int] = []

                def target(runtime: Runtime = runtime, ended: list[int] = ended, ticks: Ticks = ticks) -> None:
                    given = forever(ticks, reading, "ended")  # noqa: B023 - joined in the same round
                    try:
                        if loop == "own":
                            wazero_gojs.run(runtime, compiled, given)  # noqa: B023
                        else:
                            asyncio.run(wazero_gojs.run_async(runtime, compiled, given))  # noqa: B023
                        ended.append(0)
                    except ExitError as error:
                        ended.append(error.exit_code)

                thread = threading.Thread(target=target)
                thread.start()
                assert ticks.some.wait(SECONDS)
                end(runtime, runtime.module("ended"))
                thread.join(SECONDS)
                assert not thread.is_alive()
                assert ended == [code]
            os.close(reading)
            os.close(writing)


def test_deadlines_in_several_threads_hammer(runtime: Runtime, tasks: CompiledModule) -> None:
    pipes = [os.pipe() for _ in range(P)]

    def body(p: int, n: int) -> None:
        ticks = Ticks()
        with pytest.raises(DeadlineExceededError):
            wazero_gojs.run(runtime, tasks, forever(ticks, pipes[p][0]), timeout=0.02 * (n % 3))
        seen = ticks.count
        time.sleep(0.005)
        assert ticks.count == seen, "a timer went on"

    with nothing_left(runtime):
        hammer(body, n=rounds(runtime))
    for pipe in pipes:
        for end in pipe:
            os.close(end)


@pytest.mark.parametrize("loop", ["own", "asyncio"])
def test_code_that_never_waits_is_ended(runtime: Runtime, tasks: CompiledModule, loop: str) -> None:
    config = machine_config().with_args("tasks", "spin").with_name("")

    def start() -> None:
        if loop == "own":
            wazero_gojs.run(runtime, tasks, config, timeout=0.2)
        else:
            asyncio.run(wazero_gojs.run_async(runtime, tasks, config, timeout=0.2))

    with nothing_left(runtime), pytest.raises(DeadlineExceededError):
        start()


@pytest.mark.parametrize("how", ["closed", "deadline", "cancelled"])
def test_coroutines_that_a_program_waits_for_end_with_it_hammer(
    runtime: Runtime, tasks: CompiledModule, how: str
) -> None:
    """Their tasks are cancelled before `run_async` is over."""

    async def main() -> None:
        begun: list[int] = []
        ended: list[int] = []

        async def work(n: int) -> None:
            begun.append(n)
            try:
                await asyncio.sleep(3600)
            finally:
                ended.append(n)

        name = f"waits {threading.get_ident()}"
        config = wazero_gojs.Config(machine_config().with_args("tasks", "calls").with_name(name))
        limit = 0.3 if how == "deadline" else None
        run = asyncio.ensure_future(
            wazero_gojs.run_async(runtime, tasks, config.with_global("work", work), timeout=limit)
        )
        if how != "deadline":
            while len(begun) < 3:  # noqa: ASYNC110 - the program's event loop is watched
                await asyncio.sleep(0.001)
        if how == "closed":
            module = runtime.module(name)
            assert module is not None
            threading.Thread(target=module.close_with_exit_code, args=(7,)).start()
        elif how == "cancelled":
            run.cancel()
        (error,) = await asyncio.gather(run, return_exceptions=True)
        assert type(error) is _ERRORS[how]
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert sorted(ended) == sorted(begun)

    with nothing_left(runtime):
        hammer(lambda p, n: asyncio.run(main()), p=P // 2, n=max(rounds(runtime) // 5, 1))


_ERRORS: Final = {"closed": ExitError, "deadline": DeadlineExceededError, "cancelled": asyncio.CancelledError}


@pytest.mark.parametrize(
    "script",
    [
        "(function f() { Promise.resolve().then(f) })()",
        "(function f() { queueMicrotask(f) })()",
        "(function f() { setImmediate(f) })()",
        "setInterval(() => 1, 0)",
        "(function f() { setTimeout(f, 0) })()",
        "for (;;) {}",
    ],
)
def test_scripts_that_never_end_are_ended(script: str) -> None:
    """None of these comes by code of Go again."""
    config = RuntimeConfig().with_lazy_validation(True).with_compilation_cache(_CACHE).with_call_timeout(0.5)
    go = wazero_gojs.load(binary("library"), machine_config(), runtime_config=config)

    def start() -> None:
        go["eval"](script)
        go.never().result(timeout=0.3)

    with nothing_left(), go, pytest.raises(DeadlineExceededError):
        start()


def test_control_c(tmp_path: Path) -> None:
    """Ends the command while everything is pending."""
    command = [sys.executable, "-m", "wazero_core", "run", str(binary("waits")), "input"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ticked\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=SECONDS)
    assert b"Traceback" not in errors
    assert process.returncode in {130, -signal.SIGINT}
