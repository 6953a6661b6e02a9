"""The event loop of a program as a guest of asyncio's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, NoReturn, final

from wazero_api import DeadlineExceededError
from wazero_core.system import READ, WRITE

from .conversion import JsPromise, error_of, to_js
from .model.promise import JSPromise
from .program import Program

_SECOND: Final = 1_000_000_000


@final
class Driver:
    """Runs one program in the asyncio event loop that is running."""

    def __init__(self, program: Program, timeout: float | None) -> None:
        self._program = program
        self._end = None if timeout is None else time.monotonic() + timeout
        self._asyncio = asyncio.get_running_loop()
        program.driver = self

    async def run(self) -> NoReturn:
        """To the end, which is ExitError. Raises DeadlineExceededError."""
        program = self._program
        with self._deadline():
            program.start()
        while True:
            with self._deadline():
                did = program.loop.run_ready()
                if not did and program.loop.is_stuck:
                    program.report_deadlock()
            if did:
                await asyncio.sleep(0)  # others have their turn
            else:
                await self.wait()

    async def wait(self) -> None:
        """Until something has become ready. Raises DeadlineExceededError."""
        loop = self._program.loop
        timeout = loop.timeout()
        if timeout == 0:
            await asyncio.sleep(0)
            return
        ready: dict[int, int] = {}
        happened = self._asyncio.create_future()

        def found(fd: int, mask: int) -> None:
            ready[fd] = ready.get(fd, 0) | mask
            if not happened.done():
                happened.set_result(None)

        interests = loop.interests()
        try:
            for fd, mask in interests:
                if mask & READ:
                    self._asyncio.add_reader(fd, found, fd, READ)
                if mask & WRITE:
                    self._asyncio.add_writer(fd, found, fd, WRITE)
            await asyncio.wait([happened], timeout=self._seconds(timeout))
        finally:
            for fd, _ in interests:
                self._asyncio.remove_reader(fd)
                self._asyncio.remove_writer(fd)
        loop.take_ready(ready)
        self._check_deadline()

    async def wait_for(self, promise: JsPromise) -> Any:
        """The result of a promise; the program goes on meanwhile."""
        while not promise.is_settled:
            await asyncio.sleep(0) if self._program.loop.run_ready() else await self.wait()
        return promise.result()

    def promise_of(self, awaitable: Awaitable[Any]) -> JSPromise:
        """A promise of what an awaitable gives."""
        realm = self._program.realm
        promise = realm.new_promise()
        hold = self._program.loop.hold()

        def done(task: asyncio.Future[Any]) -> None:
            error = asyncio.CancelledError() if task.cancelled() else task.exception()
            settle: Callable[[], object]
            if error is None:
                settle = lambda: promise.resolve(to_js(realm, task.result()))  # noqa: E731 - one of two
            else:
                settle = lambda: promise.reject(error_of(realm, error))  # noqa: E731
            hold.release(settle)

        asyncio.ensure_future(awaitable).add_done_callback(done)
        return promise

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
