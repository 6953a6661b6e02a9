"""A Go program while it runs: its module, its JavaScript world, and the event loop between them.

start:  arguments into memory => run(argc, argv) => Go runs until all its goroutines wait
then:   the event loop; whatever happens there that Go waits for calls resume()
end:    runtime.wasmExit, which leaves through all frames as ExitError
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final, NoReturn, final

from wazero_api import DeadlineExceededError, Engine, ExhaustionError, ExitError, HostModule
from wazero_api.sys import EXIT_CODE_DEADLINE_EXCEEDED
from wazero_core import Runtime

from .abi.arguments import lay_out
from .abi.go_object import GoObject
from .abi.linking import exported_function, exported_memory, instantiate_hosts
from .abi.memory import Names, out_of_bounds
from .abi.references import References
from .global_names import FETCH, GLOBALS
from .loop import EventLoop, Timer, UnhandledRejection
from .model.realm import Realm
from .model.values import JSError
from .node.places import Workdir

if TYPE_CHECKING:
    from wazero_core.runtime.compiled import CompiledModule

    from .config import Config

_STDERR: Final = 2
_FAILED: Final = 1
"""What a program exits with that ends by something thrown that nobody catches, or otherwise not by itself."""
_LAST_WORDS: Final = 2048
"""Bytes that are kept of what Go's runtime prints."""
_LAST: Final = (b"panic: ", b"fatal error: ")
"""How they begin."""
_UMASK: Final = 0o022


@final
class Program:
    """One run of one program. Belongs to the thread that starts it.

    Raises LinkError if the module is no Go program for GOOS=js, ValueError if arguments and environment are too long.
    """

    def __init__(
        self,
        runtime: Runtime,
        compiled: CompiledModule,
        config: Config,
        change: Callable[[HostModule], HostModule] | None = None,
    ) -> None:
        self.config = config
        self.is_exited = False
        self._timeouts: dict[int, Timer] = {}
        self._last_timeout = 0
        self._last_words = b""
        self.driver: Any = None
        """Who runs the event loop, if that is asyncio's: an `asynchronous.Driver`."""
        self.realm = Realm(GLOBALS if config.round_tripper is None else {**GLOBALS, **FETCH})
        self.realm.host = self
        self.go = GoObject(self)
        self.references = References(self.realm.global_object, self.go)
        self.names = Names()
        self._hosts = instantiate_hosts(self, runtime, compiled, change)
        module_config = config.module_config.with_start_functions().with_import_resolver(self._hosts.get)
        try:
            self.module = runtime.instantiate_module(compiled, module_config)
        except BaseException:
            self._close_hosts()
            raise
        try:
            self._set_up(config)
        except BaseException:
            self._close_modules()
            raise

    def _set_up(self, config: Config) -> None:
        self.system = self.module.system
        self.loop = EventLoop(self.system, self.realm.jobs)
        self.realm.poll = self.realm.jobs.poll = self.poll
        self.workdir = Workdir(self.system, config.workdir)
        self.umask = _UMASK
        self.answer: Any = None
        """What `fs` has given to a callback, for logs."""
        self.stats_prototype: Any = None
        """Of what `fs.stat` gives, once that was called."""
        self.getsp: Callable[[], int] = exported_function(self.module, "getsp")
        self._run: Callable[[int, int], None] = exported_function(self.module, "run")
        self._resume: Callable[[], None] = exported_function(self.module, "resume")
        self.buffer = memoryview(b"")
        self.refresh_memory()

    def refresh_memory(self) -> None:
        """The memory has grown."""
        self.buffer = exported_memory(self.module).buffer

    # Running

    def start(self) -> None:
        """Run until Go waits for something. Raises ExitError when the program ends."""
        argc, argv = lay_out(self.buffer, self.system.args, self.system.environ)
        self.loop.is_running = True
        try:
            self._in_go(self._run, argc, argv)
        except JSError as error:
            self._fail(error)
        finally:
            self.loop.is_running = False

    def run(self) -> NoReturn:
        """Run to the end, which is ExitError. A program that waits for nothing that could happen says so and ends."""
        self.start()
        loop = self.loop
        while True:
            if self.turn():
                continue
            if loop.is_stuck:
                self.report_deadlock()
            loop.wait()

    def turn(self) -> bool:
        """Run what is ready in the event loop; whether there was any. What is thrown there ends the program: ExitError."""
        try:
            return self.loop.run_ready()
        except JSError as error:
            self._fail(error)

    def run_until(self, is_done: Callable[[], bool], timeout: float | None) -> None:
        """Run the event loop until `is_done`. Raises RuntimeError if nothing is left that could bring that about."""
        self.check_idle()
        self.module.check_open()
        with nullcontext() if timeout is None else self.engine.deadline(timeout):
            while not is_done():
                if self.turn():
                    continue
                if self.loop.is_stuck:
                    raise RuntimeError("nothing is left that could settle this promise")
                self.loop.wait()

    def report_deadlock(self) -> None:
        """Have Go find that all its goroutines are asleep; it prints their stacks and exits."""
        self.go.pending_event = self.realm.new_object({"id": 0})
        try:
            self.resume()
        except JSError as error:
            self._fail(error)

    def resume(self) -> None:
        """Let Go look for what has happened."""
        if self.is_exited:
            raise JSError(self.realm.new_error("Error", "Go program has already exited"))
        self._in_go(self._resume)

    def enter(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call something for Python that may run code of the program; the outermost such call runs the jobs it has made.

        Raises ExitError if the program has ended, RuntimeError in another thread than the program's.
        """
        loop = self.loop
        if get_ident() != loop.thread:
            self.check_thread()
        self.module.check_open()
        if loop.is_running:
            return function(*args)
        limit = self.module.call_timeout
        with nullcontext() if limit is None else self.engine.deadline(limit):
            loop.is_running = True
            try:
                result = function(*args)
                loop.run_jobs()
            except JSError as error:
                self._fail(error)
            finally:
                loop.is_running = False
        if self.driver is not None:
            self.driver.wake()
        return result

    def call_export(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call what Go exports for its host."""
        try:
            return self._in_go(function, *args)
        except JSError as error:
            from .conversion import exception_of

            raise exception_of(self.realm, self.realm.thrown(error)) from None

    def _in_go(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run code of Go. After an exception that is not its own it cannot go on: it does not know where it was."""
        try:
            return function(*args)
        except JSError:
            raise
        except (struct.error, OverflowError) as error:
            self._end(_FAILED)
            raise out_of_bounds() from error
        except RecursionError as error:
            # First, as the rest may find no room either: then whoever is further out does it.
            self.is_exited = True
            self._end(_FAILED)
            raise ExhaustionError((), "by calls between Go and its host that are nested too deep") from error
        except BaseException as error:
            self._end(EXIT_CODE_DEADLINE_EXCEEDED if isinstance(error, DeadlineExceededError) else _FAILED)
            raise

    # What is asked of it meanwhile

    @property
    def engine(self) -> Engine:
        """What runs the code."""
        return self.module.engine

    def poll(self) -> None:
        """Raise what is to end the program while no code of Go runs that would notice: ExitError, DeadlineExceededError."""
        self.module.check_open()
        remaining = self.module.remaining()
        if remaining is not None and remaining <= 0:
            raise DeadlineExceededError("the call ran past its timeout")

    def promise_of(self, awaitable: Awaitable[Any]) -> Any:
        """A promise of what an awaitable gives; None if the program does not run under asyncio."""
        return None if self.driver is None else self.driver.promise_of(awaitable)

    @property
    def is_at_hand(self) -> bool:
        """Whether its objects can be looked at by who asks: in its own thread, or when it has ended."""
        return self.is_exited or get_ident() == self.loop.thread

    def check_thread(self) -> None:
        """Raise RuntimeError in another thread than the program's."""
        if get_ident() != self.loop.thread:
            raise RuntimeError("this Go program belongs to another thread: use it in the one that started it")

    def check_idle(self) -> None:
        """Raise RuntimeError if the event loop cannot be run now by who asks."""
        self.check_thread()
        if self.loop.is_running:
            raise RuntimeError("a function that Go calls cannot wait for Go: return, and go on when Go calls again")

    # Ending

    def exit(self, code: int) -> NoReturn:
        """The program ends itself."""
        self._end(code)
        error = ExitError(code, self.module.name)
        if code and self._last_words:
            error.add_note(f"the Go program's last words: {self._last_words.decode('utf-8', 'replace').strip()}")
        raise error

    def _fail(self, error: JSError) -> NoReturn:
        """Tell people what was thrown and caught by nobody, and end the program as one that failed.

        Unless it has ended, and this comes of that: of files that are closed, say.
        """
        self.module.check_open()
        from .conversion import exception_of
        from .web.inspect import inspect

        where = " (in promise)" if isinstance(error, UnhandledRejection) else ""
        thrown = self.realm.thrown(error)
        try:
            text = inspect(self.realm, thrown)
        except JSError:
            text = str(error)
        self.report(f"Uncaught{where} {text}")
        self._end(_FAILED)
        raise ExitError(_FAILED, self.module.name) from exception_of(self.realm, thrown)

    def _end(self, code: int) -> None:
        self.is_exited = True
        self.module.close_with_exit_code(code)

    def close(self) -> None:
        """Leave nothing behind: no timer, no file. May be called again."""
        self.is_exited = True
        self.loop.close()
        self.workdir.close()
        self._close_modules()

    def _close_modules(self) -> None:
        self.module.close()
        self._close_hosts()

    def _close_hosts(self) -> None:
        for host in self._hosts.values():
            host.close()

    # What Go's runtime wants of its host

    def write_all(self, fd: int, data: memoryview) -> None:
        """Write for the runtime, which has no way to handle an error."""
        entry = self.system.files.get(fd)
        try:
            while entry is not None and data:
                count = self.system.write(entry, data)
                if count <= 0:
                    return
                data = data[count:]
        except OSError:
            return

    def note_words(self, data: memoryview) -> None:
        """Keep what the runtime prints: in the end, why it ends."""
        words = bytes(data[:_LAST_WORDS])
        before = b"" if words.startswith(_LAST) else self._last_words
        self._last_words = (before + words)[:_LAST_WORDS]

    def report(self, message: str) -> None:
        """Tell people something, on the program's standard error."""
        self.write_all(_STDERR, memoryview(f"{message}\n".encode()))

    def schedule_timeout(self, milliseconds: int) -> int:
        """Resume Go after that long; the number to take it back by."""
        self._last_timeout += 1
        number = self._last_timeout
        self._timeouts[number] = self.loop.call_later(milliseconds, lambda: self._time_out(number))
        return number

    def clear_timeout(self, number: int) -> None:
        """Take a timeout back, or take note that Go has seen it."""
        timer = self._timeouts.pop(number, None)
        if timer is not None:
            timer.cancel()

    def _time_out(self, number: int) -> None:
        # By its own clock Go may find that it is too early, and waits on (golang.org/issue/28975).
        while number in self._timeouts:
            self.resume()
