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

from wazero_api import DeadlineExceededError, Engine, ExitError, HostModule, LinkError, Trap, TrapKind
from wazero_api.record import replace
from wazero_api.sys import EXIT_CODE_DEADLINE_EXCEEDED
from wazero_core import Runtime

from .abi.arguments import lay_out
from .abi.imports import GO_TESTS, MODULE_NAMES, host_module
from .abi.references import References
from .global_names import FETCH, GLOBALS
from .loop import EventLoop, Timer, UnhandledRejection
from .model.array import JSArray
from .model.object import HIDDEN, MISSING, Accessor, Args, JSFunction, JSObject
from .model.realm import Realm
from .model.values import UNDEFINED, JSError
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
_LOG_NAME: Final = "go"
_KNOWN_NAMES: Final = 4096
"""Names of properties that are kept decoded."""
_TEXTS: Final = tuple(struct.Struct(f"{length}s") for length in range(65))
"""Names of all lengths that are kept. A structure takes them out of memory faster than a slice."""


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
        self._names: dict[bytes, str] = {}
        self._timeouts: dict[int, Timer] = {}
        self._last_timeout = 0
        self._last_words = b""
        self.driver: Any = None
        """Who runs the event loop, if that is asyncio's: an `asynchronous.Driver`."""
        self.realm = Realm(GLOBALS if config.round_tripper is None else {**GLOBALS, **FETCH})
        self.realm.host = self
        self.go = _GoObject(self)
        self.references = References(self.realm.global_object, self.go)
        hosts = _host_modules(self, compiled)
        self._hosts = {host.name: runtime.instantiate_host_module(_changed(host, change)) for host in hosts}
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
        self._event: _Event | None = None
        """Of a call that is over, for the next one."""
        self.getsp: Callable[[], int] = self.export("getsp")
        self._run: Callable[[int, int], None] = self.export("run")
        self._resume: Callable[[], None] = self.export("resume")
        self.buffer = memoryview(b"")
        self.refresh_memory()

    def export(self, name: str) -> Any:
        """The function that the program exports under a name, to call with Python values. Raises LinkError."""
        function = self.module.exported_function(name)
        if function is None:
            raise LinkError(
                f"the module exports no function {name!r}: it is no Go program built with GOOS=js GOARCH=wasm"
            )
        return function.function.entry

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

    def resume(self) -> None:
        """Let Go look for what has happened."""
        if self.is_exited:
            raise JSError(self.realm.new_error("Error", "Go program has already exited"))
        self._in_go(self._resume)

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

    def report_deadlock(self) -> None:
        """Have Go find that all its goroutines are asleep; it prints their stacks and exits."""
        event = self.realm.new_object({"id": 0})
        self.go.pending_event = event
        try:
            self.resume()
        except JSError as error:
            self._fail(error)

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
            raise _bad_stack_pointer() from error
        except BaseException as error:
            self._end(EXIT_CODE_DEADLINE_EXCEEDED if isinstance(error, DeadlineExceededError) else _FAILED)
            raise

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

    def call_go(self, number: int, this: Any, args: Args) -> Any:
        """Call the function that Go registered under a number.

        Go holds each object that it has seen until its next garbage collection, so an event is used again once Go has done
        with it, which is when it has given a result. Calls that Go makes meanwhile have events of their own.
        """
        event, self._event = self._event or _Event(self.realm), None
        event.fill(number, this, args)
        self.go.pending_event = event
        self.resume()
        result = event.properties.pop("result", MISSING)
        if result is MISSING:
            return UNDEFINED
        event.fill(0, None, ())  # keep nothing alive
        self._event = event
        return result

    def check_idle(self) -> None:
        """Raise RuntimeError if the event loop cannot be run now by who asks."""
        self.check_thread()
        if self.loop.is_running:
            raise RuntimeError("a function that Go calls cannot wait for Go: return, and go on when Go calls again")

    @property
    def is_at_hand(self) -> bool:
        """Whether its objects can be looked at by who asks: in its own thread, or when it has ended."""
        return self.is_exited or get_ident() == self.loop.thread

    def check_thread(self) -> None:
        """Raise RuntimeError in another thread than the program's."""
        if get_ident() != self.loop.thread:
            raise RuntimeError("this Go program belongs to another thread: use it in the one that started it")

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

    def poll(self) -> None:
        """Raise what is to end the program while no code of Go runs that would notice: ExitError, DeadlineExceededError."""
        self.module.check_open()
        remaining = self.module.remaining()
        if remaining is not None and remaining <= 0:
            raise DeadlineExceededError("the call ran past its timeout")

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

    @property
    def engine(self) -> Engine:
        """What runs the code."""
        return self.module.engine

    def promise_of(self, awaitable: Awaitable[Any]) -> Any:
        """A promise of what an awaitable gives; None if the program does not run under asyncio."""
        return None if self.driver is None else self.driver.promise_of(awaitable)

    def exit(self, code: int) -> NoReturn:
        """The program ends itself."""
        self._end(code)
        error = ExitError(code, self.module.name)
        if code and self._last_words:
            error.add_note(f"the Go program's last words: {self._last_words.decode('utf-8', 'replace').strip()}")
        raise error

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

    # Memory, for imports

    def refresh_memory(self) -> None:
        """The memory has grown."""
        memory = self.module.exported_memory("mem") or self.module.memory
        if memory is None:
            raise LinkError("the module has no memory: it is no Go program built with GOOS=js GOARCH=wasm")
        self.buffer = memory.buffer

    def bytes_at(self, pointer: int, length: int) -> memoryview:
        """Bytes of the guest. Raises Trap for what is outside its memory."""
        if pointer + length > len(self.buffer):
            raise _bad_stack_pointer()
        return self.buffer[pointer : pointer + length]

    def name_at(self, pointer: int, length: int) -> str:
        """The name of a property. Programs use few, and decoding takes longer than looking them up."""
        if length >= len(_TEXTS):
            return str(self.bytes_at(pointer, length), "utf-8", "replace")
        (raw,) = _TEXTS[length].unpack_from(self.buffer, pointer)
        return self._names.get(raw) or self._new_name(raw)

    def _new_name(self, raw: bytes) -> str:
        name = raw.decode("utf-8", "replace")
        if len(self._names) < _KNOWN_NAMES:
            self._names[raw] = name
        return name

    # What imports do with the outside

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


@final
class _GoObject(JSObject):
    """What Go knows as the object ``jsGo``: the event that it is to handle, and wrappers of its functions."""

    __slots__ = ("_program", "pending_event")

    class_name = "Go"

    def __init__(self, program: Program) -> None:
        super().__init__(program.realm.object_prototype)
        self._program = program
        self.pending_event: Any = None
        realm = program.realm
        values = realm.new_function(lambda realm, this, args: self._values())
        self.properties["_values"] = Accessor(values)
        self.properties["_makeFuncWrapper"] = realm.new_function(self._wrap, "_makeFuncWrapper", 1)
        self.attributes = dict.fromkeys(("_values", "_makeFuncWrapper"), HIDDEN)

    def own(self, key: Any) -> Any:
        return self.pending_event if key == "_pendingEvent" else super().own(key)

    def set_own(self, key: Any, value: Any) -> None:
        if key == "_pendingEvent":
            self.pending_event = value
        else:
            super().set_own(key, value)

    def _wrap(self, realm: Realm, this: Any, args: Args) -> Any:
        return GoFunction(self._program, int(args[0]))

    def _values(self) -> JSArray:
        """Go's own tests look how many there are."""
        return JSArray(self._program.realm.prototype_of("Array"), self._program.references.values)


@final
class _Event(JSObject):
    """A call of a function of Go's. Only Go's runtime sees it."""

    __slots__ = ("_args",)

    def __init__(self, realm: Realm) -> None:
        super().__init__(realm.object_prototype)
        self._args = realm.new_array(())

    def fill(self, number: int, this: Any, args: Args) -> None:
        """Tell of a call."""
        self._args.items = [*args]
        properties = self.properties
        properties["id"] = number
        properties["this"] = this
        properties["args"] = self._args


@final
class GoFunction(JSFunction):
    """A function of Go's `js.FuncOf`."""

    __slots__ = ("_number", "_program")

    is_constructor = True

    def __init__(self, program: Program, number: int) -> None:
        super().__init__(program.realm, "", 0)
        self._program = program
        self._number = number

    def call(self, this: Any, args: Args) -> Any:
        return self._program.call_go(self._number, this, args)

    def construct(self, args: Args, new_target: JSFunction | None = None) -> Any:
        prototype = (new_target or self).get("prototype")
        made = self.realm.new_object()
        if isinstance(prototype, JSObject):
            made.prototype = prototype
        result = self._program.call_go(self._number, made, args)
        return result if isinstance(result, JSObject) else made


def _bad_stack_pointer() -> Trap:
    """Structures are read and written where the guest's stack pointer says, which may be nowhere."""
    return Trap(TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS, detail="in a call to the host")


def _host_modules(program: Program, compiled: CompiledModule) -> list[HostModule]:
    wanted = {i.module for i in compiled.module.imports}
    hosts = [host_module(program, name) for name in MODULE_NAMES if name in wanted]
    if not hosts:
        raise LinkError(
            "the module imports nothing from 'gojs' or 'go': it is no Go program built with GOOS=js GOARCH=wasm"
        )
    if GO_TESTS in wanted:
        from .abi import go_tests

        hosts.append(go_tests.host_module(program))
    return hosts


def _changed(host: HostModule, change: Callable[[HostModule], HostModule] | None) -> HostModule:
    """A host module of this program alone: it has no name in the runtime."""
    if change is not None:
        # Whatever the program's imports say: who reads logs, or searches them, needs one name for all versions of Go.
        host = change(replace(host, name=_LOG_NAME) if host.name in MODULE_NAMES else host)
    return replace(host, name="")
