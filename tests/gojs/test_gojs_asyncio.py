"""Go programs beside other coroutines, in asyncio's event loop."""

from __future__ import annotations

import asyncio
import io
import os
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

import wazero_gojs
from gojs.conftest import Host, machine_config
from wazero_api import DeadlineExceededError, ExitError
from wazero_gojs import JsException

Start = Callable[..., Coroutine[Any, Any, str]]


@pytest.fixture
def start(host: Host) -> Start:
    """Run a program; what it has printed."""
    compiled = host.compiled("tasks")

    async def run(*args: str, stdin: Any = b"", limit: float | None = None, config: Any = None, **values: Any) -> str:
        output = bytearray()
        given = machine_config() if config is None else config
        wanted = wazero_gojs.Config(given.with_args("tasks", *args).with_stdin(stdin).with_stdout(output))
        for name, value in values.items():
            wanted = wanted.with_global(name, value)
        await wazero_gojs.run_async(host.runtime, compiled, wanted, timeout=limit)
        return output.decode()

    return run


def descriptors() -> set[str]:
    folder = Path("/proc/self/fd")
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def checked(main: Callable[[], Awaitable[Any]]) -> Any:
    """Run a coroutine; no task, thread or descriptor may be left of it."""

    async def run() -> Any:
        await asyncio.sleep(0)
        before = descriptors()
        result = await main()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for _ in range(3):  # tasks that were cancelled end in the next turns
            await asyncio.sleep(0)
        assert not {task for task in others if not task.done()}
        assert descriptors() == before
        return result

    before = threading.active_count()
    result = asyncio.run(run())
    assert threading.active_count() == before
    return result


def test_coroutine_functions_are_promises(start: Start) -> None:
    order: list[int] = []

    async def work(n: int) -> Any:
        await asyncio.sleep(0.02 * (3 - n))
        order.append(n)
        if n == 1:
            raise ValueError("not one")
        return {"n": n} if n == 2 else "zero"

    output = checked(lambda: start("calls", work=work))
    assert output == "0 zero <nil>\n1 <undefined> JavaScript error: not one\n2 <object> <nil>\n"
    assert order == [2, 1, 0]


def test_a_coroutine_that_is_cancelled_is_a_rejection(start: Start) -> None:
    async def work(n: int) -> None:
        raise asyncio.CancelledError

    assert checked(lambda: start("calls", work=work)).count("JavaScript error: CancelledError") == 3


def test_a_result_that_has_no_equal_is_a_rejection(start: Start) -> None:
    endless: list[Any] = []
    endless.append(endless)

    async def work(n: int) -> Any:
        return endless

    assert checked(lambda: start("calls", work=work)).count("nested more than 200 deep") == 3


def test_an_event_loop_that_watches_no_descriptors(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """As that of Windows: a program waits for timers and promises all the same."""

    def refuse(*args: object) -> None:
        raise NotImplementedError

    for name in ("add_reader", "add_writer"):
        monkeypatch.setattr(asyncio.SelectorEventLoop, name, refuse)

    async def work(n: int) -> str:
        await asyncio.sleep(0.01)
        return await asyncio.to_thread(str, n)

    assert asyncio.run(start("calls", work=work)) == "0 0 <nil>\n1 1 <nil>\n2 2 <nil>\n"


def test_other_coroutines_go_on(start: Start) -> None:
    turns: list[str] = []

    async def other() -> None:
        while turns.count("go") < 20:
            turns.append("python")
            await asyncio.sleep(0.001)

    async def main() -> None:
        await asyncio.gather(start("counts", "20", tick=lambda n: turns.append("go")), other())

    checked(main)
    assert turns.count("go") == 20
    assert turns.count("python") >= 5
    assert "python" in turns[turns.index("go") : len(turns) - turns[::-1].index("go")]


def test_several_programs_in_one_loop(start: Start) -> None:
    seen: dict[int, list[int]] = {number: [] for number in range(4)}

    async def main() -> None:
        await asyncio.gather(*(start("counts", "10", tick=seen[number].append) for number in seen))

    checked(main)
    assert seen == {number: list(range(10)) for number in range(4)}


def test_several_programs_that_read_one_pipe(start: Start) -> None:
    reading, writing = os.pipe()

    async def main() -> list[str]:
        both = [asyncio.ensure_future(start("echo", stdin=reading)) for _ in range(2)]
        for _ in range(2):
            await asyncio.sleep(0.05)
            os.write(writing, b"line\n")
        await asyncio.sleep(0.05)
        os.close(writing)
        return await asyncio.gather(*both)

    try:
        assert sorted("".join(asyncio.run(main())).splitlines()) == ["echo line", "echo line"]
    finally:
        os.close(reading)


def test_promises_can_be_awaited(start: Start) -> None:
    async def main() -> list[str]:
        given: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        running = asyncio.ensure_future(start("answers", given=lambda *functions: given.set_result(functions)))
        answer, end = await given
        first, second = answer("a"), answer("b")
        found = [await second, await first, *(await asyncio.gather(answer("c"), answer("d")))]
        end()
        await running
        return found

    assert checked(main) == ["answer to b", "answer to a", "answer to c", "answer to d"]


def test_awaiting_ends_with_the_program(start: Start) -> None:
    async def main() -> None:
        given: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        running = asyncio.ensure_future(start("answers", given=lambda *functions: given.set_result(functions)))
        answer, end = await given
        promise = answer("too late")
        end()
        with pytest.raises(ExitError):
            await promise
        await running

    checked(main)


def test_cancelling_ends_the_program(start: Start) -> None:
    reading, writing = os.pipe()
    ticks: list[int] = []

    async def main() -> None:
        running = asyncio.ensure_future(start("forever", stdin=reading, tick=lambda: ticks.append(1)))
        while len(ticks) < 5:  # noqa: ASYNC110 - another event loop's program is watched
            await asyncio.sleep(0.001)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        ticks.clear()
        await asyncio.sleep(0.02)
        assert not ticks

    try:
        checked(main)
    finally:
        os.close(reading)
        os.close(writing)


def test_cancelling_cancels_what_the_program_waits_for(start: Start) -> None:
    ended: list[str] = []

    async def work(n: int) -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(start("calls", work=work), 0.3)

    checked(main)
    assert ended == ["cancelled"] * 3


@pytest.mark.parametrize("what", ["forever", "spin"])
def test_a_timeout_ends_the_program(start: Start, what: str) -> None:
    async def main() -> None:
        with pytest.raises(DeadlineExceededError):
            await start(what, limit=0.3)

    before = time.monotonic()
    checked(main)
    assert time.monotonic() - before < 30


def test_a_program_that_is_closed_by_another_thread_ends(host: Host) -> None:
    """Also if nothing is about to happen in it."""
    compiled = host.compiled("tasks")

    async def main() -> None:
        given: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        config = wazero_gojs.Config(machine_config().with_args("tasks", "answers").with_name("to close"))
        config = config.with_global("given", lambda *functions: given.set_result(functions))
        running = asyncio.ensure_future(wazero_gojs.run_async(host.runtime, compiled, config))
        await given
        module = host.runtime.module("to close")
        assert module is not None
        threading.Timer(0.05, module.close_with_exit_code, (5,)).start()
        with pytest.raises(ExitError) as raised:
            await running
        assert raised.value.exit_code == 5

    asyncio.run(asyncio.wait_for(main(), 30))


def test_what_ends_a_program_ends_the_coroutine(host: Host) -> None:
    compiled = host.compiled("ends")
    said = io.BytesIO()

    async def run(*args: str) -> None:
        config = machine_config().with_stderr(said).with_args("ends", *args)
        await wazero_gojs.run_async(host.runtime, compiled, config)

    checked(lambda: run("exit", "0"))
    for args, code in ((("exit", "3"), 3), (("deadlock",), 2), (("panic",), 2), (("rejected-text",), 1)):
        with pytest.raises(ExitError) as raised:
            checked(lambda args=args: run(*args))  # type: ignore[misc]  # a default binds it
        why = "".join(traceback.format_exception(raised.value))
        assert raised.value.exit_code == code, f"{said.getvalue().decode()}\n{why}"


def test_a_python_function_that_raises(start: Start) -> None:
    def tick(n: int) -> None:
        raise JsException("stop")

    with pytest.raises(ExitError) as raised:
        checked(lambda: start("counts", "3", tick=tick))
    assert raised.value.exit_code == 2
