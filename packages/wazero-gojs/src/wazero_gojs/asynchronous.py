"""The event loop of a program as a guest of asyncio's."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, NoReturn, final

from wazero_api import DeadlineExceededError, ExitError
from wazero_core.system import READ, WRITE

from .conversion import error_of, to_js
from .handles import JsPromise
from .model.promise import JSPromise
from .model.values import JSError
from .program import Program

_SECOND: Final = 1_000_000_000


@final
class Driver:
    """Runs one program in the asyncio event loop that is running."""

    def __init__(self, program: Program, timeout: float | None) -> None:
        self._program = program
        self._end = None if timeout is None else time.monotonic() + timeout
        self._asyncio = asyncio.get_running_loop()
        self._happened: asyncio.Future[None] | None = None
        """Ends the wait that is going on."""
        self._tasks: set[asyncio.Future[Any]] = set()
        """Of awaitables that the program waits for."""
        self._waits: set[asyncio.Future[None]] = set()
        """Of coroutines that wait for promises of the program."""
        program.driver = self
        program.loop.on_close(self._end_tasks)
        program.system.waiter.when_closed = program.loop.when_released = self._wake_from_thread

    async def run(self) -> NoReturn:
        """To the end, which is ExitError. Raises DeadlineExceededError."""
        program = self._program
        with self._deadline():
            program.start()
        while True:
            with self._deadline():
                did = program.turn()
                if not did and program.loop.is_stuck:
                    program.report_deadlock()
            if did:
                await asyncio.sleep(0)  # others have their turn
            else:
                await self.wait()

    async def wait(self) -> None:
        """Until something has become ready. Raises DeadlineExceededError, and ExitError if the program is closed."""
        loop = self._program.loop
        timeout = loop.timeout()
        if timeout == 0:
            await asyncio.sleep(0)
            return
        ready: dict[int, int] = {}
        self._happened = self._asyncio.create_future()
        twins: list[int] = []
        try:
            for fd, mask in loop.interests():
                self._watch(ready, twins, fd, mask)
            await asyncio.wait([self._happened], timeout=self._seconds(timeout))
        finally:
            self._happened = None
            for twin in twins:
                self._asyncio.remove_reader(twin)
                self._asyncio.remove_writer(twin)
                os.close(twin)
        loop.take_ready(ready)
        self._check_deadline()

    def _watch(self, ready: dict[int, int], twins: list[int], fd: int, mask: int) -> None:
        """Note what happens to a descriptor. asyncio knows it by a second number: of each it tells only one who waits."""

        def found(event: int) -> None:
            ready[fd] = ready.get(fd, 0) | event
            self.wake()

        try:
            twin = os.dup(fd)
        except OSError:  # it was closed: reading it tells
            found(mask)
            return
        twins.append(twin)
        if mask & READ:
            self._asyncio.add_reader(twin, found, READ)
        if mask & WRITE:
            self._asyncio.add_writer(twin, found, WRITE)

    def wake(self) -> None:
        """Something has changed: end the wait that is going on, if there is one."""
        if self._happened is not None and not self._happened.done():
            self._happened.set_result(None)

    def _wake_from_thread(self) -> None:
        try:
            self._asyncio.call_soon_threadsafe(self.wake)
        except RuntimeError:
            pass  # asyncio's loop has ended, and with it all waits

    async def wait_for(self, promise: JsPromise) -> Any:
        """The result of a promise; the program goes on meanwhile. Raises ExitError if it ends first."""
        settled = self._asyncio.create_future()

        def settle(_: Any) -> None:
            if not settled.done():
                settled.set_result(None)

        if not promise.is_settled:
            promise.js.when_settled(settle, settle)
            self._waits.add(settled)
            try:
                await settled
            finally:
                self._waits.discard(settled)
        return promise.result()

    def promise_of(self, awaitable: Awaitable[Any]) -> JSPromise:
        """A promise of what an awaitable gives."""
        realm = self._program.realm
        promise = realm.new_promise()
        hold = self._program.loop.hold()

        def settle(task: asyncio.Future[Any]) -> None:
            try:
                promise.resolve(to_js(realm, task.result()))
            except JSError as error:
                promise.reject(realm.thrown(error))
            except (asyncio.CancelledError, Exception) as error:  # noqa: BLE001 - thrown in JavaScript
                promise.reject(error_of(realm, error))

        def done(task: asyncio.Future[Any]) -> None:
            self._tasks.discard(task)
            if not task.cancelled():
                task.exception()  # else asyncio complains if the program has ended, and nobody hears of it
            hold.release(lambda: settle(task))

        task = asyncio.ensure_future(awaitable)
        self._tasks.add(task)
        task.add_done_callback(done)
        return promise

    def _end_tasks(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        module = self._program.module
        for wait in self._waits:
            if not wait.done():
                wait.set_exception(ExitError(module.exit_code or 0, module.name))

    def _seconds(self, timeout: int | None) -> float | None:
        left = [] if timeout is None else [timeout / _SECOND]
        if self._end is not None:
            left.append(max(self._end - time.monotonic(), 0.0))
        return min(left, default=None)

    def _deadline(self) -> AbstractContextManager[None]:
        if self._end is None:
            return nullcontext()
        return self._program.engine.deadline(max(self._end - time.monotonic(), 0.0))

    def _check_deadline(self) -> None:
        if self._end is not None and time.monotonic() >= self._end:
            raise DeadlineExceededError("the program ran past its timeout")
