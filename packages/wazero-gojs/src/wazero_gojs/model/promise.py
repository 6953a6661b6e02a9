"""Promises. Spec: ECMA-262, 27.2. Their reactions are jobs, which the event loop runs before anything else."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final, final

from .object import JSObject, is_callable
from .values import UNDEFINED, JSError, ThrownByName, is_object

Job = Callable[[], object]
_BETWEEN_POLLS: Final = 256
"""Jobs that are run before somebody looks whether they may go on."""
PENDING: Final = "pending"
FULFILLED: Final = "fulfilled"
REJECTED: Final = "rejected"


@final
class Jobs:
    """The microtasks of a realm, run in order until none is left."""

    __slots__ = ("_queue", "poll", "rejected")

    def __init__(self) -> None:
        self._queue: deque[Job] = deque()
        self.poll: Callable[[], object] = bool
        """As `Realm.poll`: called now and then while jobs make jobs."""
        self.rejected: deque[JSPromise] = deque()
        """Promises that were rejected before anybody listened to them."""

    def __bool__(self) -> bool:
        return bool(self._queue)

    def add(self, job: Job) -> None:
        """Have it run after all that are there."""
        self._queue.append(job)

    def run(self) -> None:
        """Run them, and those that they add. An exception leaves the rest for later."""
        queue = self._queue
        while queue:
            for _ in range(min(len(queue), _BETWEEN_POLLS)):
                queue.popleft()()
            self.poll()


@final
class JSPromise(JSObject):
    """A promise of a realm, whose `jobs` run its reactions."""

    __slots__ = ("_reactions", "is_handled", "jobs", "state", "thrown", "value")

    class_name = "Promise"

    def __init__(self, prototype: JSObject, jobs: Jobs, thrown: Callable[[JSError], Any]) -> None:
        super().__init__(prototype)
        self.jobs = jobs
        self.thrown = thrown
        """`Realm.thrown`."""
        self.state = PENDING
        self.value: Any = UNDEFINED
        """What it was fulfilled with, or why it was rejected."""
        self.is_handled = False
        """Whether somebody listens; of a rejection that nobody listens to, hosts complain."""
        self._reactions: list[tuple[Job, Job]] = []

    def resolve(self, value: Any) -> None:
        """Fulfil with a value, or go the way of another promise, or of anything with a method `then`."""
        if self.state is not PENDING:
            return
        if value is self:
            self.reject(self.thrown(ThrownByName("TypeError", "Chaining cycle detected for promise #<Promise>")))
            return
        if isinstance(value, JSPromise):
            value.when_settled(self.resolve, self.reject)
            return
        if is_object(value):
            try:
                then = value.get("then")
            except JSError as error:
                self.reject(self.thrown(error))
                return
            if is_callable(then):
                self.jobs.add(lambda: self._follow(value, then))
                return
        self._settle(FULFILLED, value)

    def reject(self, reason: Any) -> None:
        """End with a reason, mostly an Error."""
        if self.state is PENDING:
            self._settle(REJECTED, reason)

    def when_settled(self, fulfilled: Callable[[Any], object], rejected: Callable[[Any], object]) -> None:
        """Call one of these with the value or reason, as a job, once there is one."""
        self.is_handled = True
        reaction = (lambda: fulfilled(self.value), lambda: rejected(self.value))
        if self.state is PENDING:
            self._reactions.append(reaction)
        else:
            self.jobs.add(reaction[self.state is REJECTED])

    def then(self, on_fulfilled: Any, on_rejected: Any) -> JSPromise:
        """The promise of what the function that gets called returns; arguments that are no functions pass on what comes."""
        derived = JSPromise(self.prototype or self, self.jobs, self.thrown)
        self.when_settled(
            lambda value: derived.run_reaction(on_fulfilled, derived.resolve, value),
            lambda reason: derived.run_reaction(on_rejected, derived.reject, reason),
        )
        return derived

    def run_reaction(self, function: Any, otherwise: Callable[[Any], None], value: Any) -> None:
        """Resolve with what `function` makes of the value, and reject with what it throws."""
        if not is_callable(function):
            otherwise(value)
            return
        try:
            result = function.call(UNDEFINED, (value,))
        except JSError as error:
            self.reject(self.thrown(error))
        else:
            self.resolve(result)

    def _follow(self, value: Any, then: Any) -> None:
        """Let an object with `then` decide; only the first thing that it says counts."""
        is_done = False

        def once(settle: Callable[[Any], None]) -> Callable[..., Any]:
            def call(realm: Any, this: Any, args: Any) -> Any:
                nonlocal is_done
                if not is_done:
                    is_done = True
                    settle(args[0] if args else UNDEFINED)
                return UNDEFINED

            return call

        from .object import NativeFunction

        realm = then.realm
        resolve, reject = (NativeFunction(realm, "", 1, once(settle)) for settle in (self.resolve, self.reject))
        try:
            then.call(value, (resolve, reject))
        except JSError as error:
            if not is_done:
                is_done = True
                self.reject(self.thrown(error))

    def _settle(self, state: str, value: Any) -> None:
        self.state = state
        self.value = value
        if state is REJECTED and not self.is_handled:
            self.jobs.rejected.append(self)
        reactions, self._reactions = self._reactions, []
        for reaction in reactions:
            self.jobs.add(reaction[state is REJECTED])
