"""The event loop of one program: tasks, timers, and files and threads that are waited for. Everything runs in one thread.

    step:  all jobs (microtasks) => one task, or a timer that is due, or a file that is ready => all jobs => …
    wait:  until the nearest timer, a file, or another thread that has something

A program is stuck when its loop has nothing left to wait for. Timers that are not referenced do not count: they run if their
time comes while the loop waits for something else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from threading import Lock, get_ident
from typing import Final, final

from wazero_core.system import READ, Bell, SystemContext
from wazero_gojs.model.promise import Jobs
from wazero_gojs.model.values import JSError

Task = Callable[[], object]

_MILLISECOND: Final = 1_000_000


@final
class UnhandledRejection(JSError):
    """A promise was rejected, and when all jobs were done nobody had asked for the reason."""


@final
class Timer:
    """A task that waits for its time. `cancel` may be called at any time."""

    __slots__ = ("due", "is_cancelled", "is_referenced", "task")

    def __init__(self, due: int, task: Task) -> None:
        self.due = due
        """By the program's monotonic clock, in nanoseconds."""
        self.task = task
        self.is_cancelled = False
        self.is_referenced = True
        """Whether the loop waits for it if there is nothing else to wait for. May be changed at any time."""

    def cancel(self) -> None:
        """Do not run it."""
        self.is_cancelled = True

    def run(self) -> None:
        """Its time has come."""
        if not self.is_cancelled:
            self.task()


@final
class Hold:
    """Keeps the loop waiting while work goes on somewhere else, say in a thread, until `release`."""

    __slots__ = ("_loop",)

    def __init__(self, loop: EventLoop) -> None:
        self._loop: EventLoop | None = loop

    def release(self, task: Task | None = None) -> None:
        """The work is done, and `task` is to be run in the loop. From any thread; only the first call counts."""
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.release(task)


@final
class EventLoop:
    """Belongs to the thread that makes it, but for `Hold.release`."""

    def __init__(self, system: SystemContext, jobs: Jobs) -> None:
        self.thread: Final = get_ident()
        self.is_running = False
        """Whether code runs that jobs have to wait for the end of: in a turn of the loop, or called from outside of it."""
        self._system = system
        self._jobs = jobs
        self._tasks: deque[Task] = deque()
        self._timers: list[tuple[int, int, Timer]] = []
        self._order = count()
        self._files: dict[int, tuple[int, Task]] = {}
        self._file_numbers = count(1)
        self._interests: dict[int, tuple[int, int]] = {}
        """By number of the wait: descriptor and what for."""
        self._lock = Lock()
        self._held = 0
        self._done: deque[Task] = deque()
        """From other threads."""
        self._bell: Bell | None = None
        self.when_released: Callable[[], object] | None = None
        """Called, by any thread, when work is done: for those who wait in another way than by `wait`."""
        self._is_closed = False
        self._closers: list[Task] = []

    # What there is to do

    def post(self, task: Task) -> None:
        """Run `task` after the tasks that are there, and not before what runs now has ended."""
        self._tasks.append(task)

    def call_later(self, milliseconds: float, task: Task) -> Timer:
        """Run `task` once, not earlier than that."""
        timer = Timer(self._system.nanotime() + int(max(milliseconds, 0) * _MILLISECOND), task)
        heappush(self._timers, (timer.due, next(self._order), timer))
        return timer

    def when_ready(self, fd: int, mask: int, task: Task) -> Callable[[], None]:
        """Run `task` once a descriptor can be read (`READ`) or written (`WRITE`); the result takes that back."""
        number = next(self._file_numbers)
        self._interests[number] = (fd, mask)
        self._files[number] = (mask, task)

        def forget() -> None:
            self._interests.pop(number, None)
            self._files.pop(number, None)

        return forget

    def hold(self) -> Hold:
        """Wait for work that is done elsewhere."""
        with self._lock:
            self._held += 1
            if self._bell is None and self.when_released is None and not self._is_closed:
                self._bell = Bell()
        return Hold(self)

    def release(self, task: Task | None) -> None:
        """See `Hold.release`."""
        with self._lock:
            if task is not None and not self._is_closed:
                self._done.append(task)
            self._held -= 1
            if self._bell is not None:
                self._bell.ring()
        if self.when_released is not None:
            self.when_released()

    # Doing it

    @property
    def is_stuck(self) -> bool:
        """Whether nothing is left that the program lives for."""
        self._drop_cancelled()
        # `_held` comes first: who releases it in another thread has put its task into `_done` before.
        if self._held or self._done or self._jobs or self._tasks or self._interests:
            return False
        return not any(timer.is_referenced and not timer.is_cancelled for _, _, timer in self._timers)

    def run_ready(self) -> bool:
        """Run what can be run now: jobs, then one turn of tasks; whether there was any. Raises what they raise."""
        self._jobs.poll()
        was_running, self.is_running = self.is_running, True
        try:
            return self._run_turn()
        finally:
            self.is_running = was_running

    def run_jobs(self) -> None:
        """Run all microtasks. Raises what they raise, and `UnhandledRejection`."""
        jobs = self._jobs
        jobs.run()
        while jobs.rejected:
            promise = jobs.rejected.popleft()
            if not promise.is_handled:
                raise UnhandledRejection(promise.value)

    def _run_turn(self) -> bool:
        did = bool(self._jobs)
        self.run_jobs()
        while self._done:
            self._tasks.append(self._done.popleft())
        if self._timers:
            self._take_due_timers()
        for _ in range(len(self._tasks)):
            did = True
            self._tasks.popleft()()
            self.run_jobs()
        return did

    def wait(self) -> None:
        """Wait for a timer, a file or a thread, if there is one. Raises DeadlineExceededError and ExitError, as `Waiter` does."""
        timeout = self.timeout()
        if timeout == 0 or self.is_stuck:
            return
        interests = self.interests()
        if interests:
            self.take_ready(self._system.waiter.wait(interests, timeout))
        elif timeout is not None:
            self._system.sleep(timeout)

    def timeout(self) -> int | None:
        """Nanoseconds that `wait` may take: 0 if there is something to do now, None for as long as it takes."""
        self._drop_cancelled()
        if self._jobs or self._tasks or self._done:
            return 0
        return max(self._timers[0][0] - self._system.nanotime(), 0) if self._timers else None

    def interests(self) -> list[tuple[int, int]]:
        """Descriptors to wait for, and what for."""
        found = list(self._interests.values())
        if self._bell is not None:  # also if nobody holds any more: it may just have rung
            found.append((self._bell.fileno, READ))
        return found

    def take_ready(self, ready: dict[int, int]) -> None:
        """Of these descriptors, something happened."""
        if self._bell is not None and ready.pop(self._bell.fileno, 0):
            self._bell.silence()
        for number, (fd, _) in list(self._interests.items()):
            if fd in ready:
                del self._interests[number]
                self._tasks.append(self._files.pop(number)[1])

    def on_close(self, closer: Task) -> None:
        """Call this when the program ends: for who has threads or files that must not outlive it."""
        self._closers.append(closer)

    def close(self) -> None:
        """Forget everything. What threads have to say that are still at work is heard no more."""
        self._tasks.clear()
        self._timers.clear()
        self._interests.clear()
        self._files.clear()
        with self._lock:
            self._is_closed = True
            bell, self._bell = self._bell, None
            self._done.clear()
        if bell is not None:
            bell.close()
        while self._closers:
            self._closers.pop()()

    def _take_due_timers(self) -> None:
        now = self._system.nanotime()
        while self._timers and (self._timers[0][2].is_cancelled or self._timers[0][0] <= now):
            timer = heappop(self._timers)[2]
            if not timer.is_cancelled:
                self._tasks.append(timer.run)

    def _drop_cancelled(self) -> None:
        while self._timers and self._timers[0][2].is_cancelled:
            heappop(self._timers)
        if len(self._timers) > 64 and sum(t.is_cancelled for _, _, t in self._timers) * 2 > len(self._timers):
            self._timers = [row for row in self._timers if not row[2].is_cancelled]
            heapify(self._timers)
