"""Running Go programs: to their end with `run`, beside other coroutines with `run_async`, as a library with `load`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, final

from wazero_api import ExitError, LinkError
from wazero_api.record import replace
from wazero_core import ModuleConfig, Runtime, RuntimeConfig

from .config import Config
from .conversion import to_js, to_python
from .handles import JsFunction, JsObject, raising, visit
from .model.object import JSObject
from .program import Program

if TYPE_CHECKING:
    from wazero_core import Function
    from wazero_core.runtime.compiled import CompiledModule

_RESERVED: Final = frozenset({"run", "resume", "getsp", "mem"})
"""Exports that every Go program has."""


def run(
    runtime: Runtime,
    compiled: CompiledModule,
    config: Config | ModuleConfig | None = None,
    *,
    timeout: float | None = None,
    change: Callable[[Any], Any] | None = None,
) -> None:
    """Run a program to its end, within `timeout` seconds if given.

    Raises ExitError if it exits with another code than 0, DeadlineExceededError, LinkError for a module that is no Go
    program for GOOS=js, ValueError for arguments and environment that are too long, OSError for a mount that cannot be
    opened. `change` gets the host module with the program's imports, named "go" for every version of Go, and returns the
    one to use.
    """
    with deadline(runtime, timeout):
        program = new_program(runtime, compiled, config, change)
        try:
            program.run()
        except ExitError as error:
            if error.exit_code:
                raise
        finally:
            program.close()


def run_program(
    runtime: Runtime,
    compiled: CompiledModule,
    config: ModuleConfig,
    timeout: float | None = None,
    change: Callable[[Any], Any] | None = None,
    workdir: str | None = None,
) -> None:
    """What `wazero run` and `wazero_core.run` do with a Go program for GOOS=js: the `wazero.programs` entry point.

    As under Node, the program sees the user and the time zone of this process; with `run` it sees neither unless asked.
    """
    settings = Config(config, os_user=True, local_time_zone=True)
    run(
        runtime,
        compiled,
        settings if workdir is None else settings.with_workdir(workdir),
        timeout=timeout,
        change=change,
    )


async def run_async(
    runtime: Runtime,
    compiled: CompiledModule,
    config: Config | ModuleConfig | None = None,
    *,
    timeout: float | None = None,  # noqa: ASYNC109 - it also ends wasm code, which asyncio cannot
) -> None:
    """Like `run`, beside other coroutines: while Go waits for a timer, a file or a promise, they go on.

    Python functions that Go calls may be coroutine functions; Go gets a promise. Cancelling ends the program.
    """
    from .asynchronous import Driver

    program = new_program(runtime, compiled, config, None)
    try:
        await Driver(program, runtime.config.call_timeout if timeout is None else timeout).run()
    except ExitError as error:
        if error.exit_code:
            raise
    finally:
        program.close()


def load(
    wasm: bytes | bytearray | memoryview | str | os.PathLike[str],
    config: Config | ModuleConfig | None = None,
    *,
    args: Sequence[str] = (),
    runtime_config: RuntimeConfig | None = None,
    timeout: float | None = None,
) -> Library:
    """Start a Go program, wait until it has set globals and waits itself, and return these as a `Library`.

    `wasm` is a binary or the path of one. The program sets its functions with ``js.Global().Set("add", js.FuncOf(add))``
    and must not end: ``select {}``. Raises LinkError if it ends or waits for nothing without having set any, and what `run`
    raises; DeadlineExceededError if that takes longer than `timeout` seconds.
    """
    runtime = Runtime(runtime_config or RuntimeConfig().with_lazy_validation(True))
    try:
        compiled = runtime.compile_module(wasm if isinstance(wasm, (bytes, bytearray, memoryview)) else _read(wasm))
        settings = _settings(config)
        if args:
            settings = replace(settings, module_config=settings.module_config.with_args("go", *args))
        with deadline(runtime, timeout):
            program = new_program(runtime, compiled, settings, None)
            return Library(runtime, program, _register(program))
    except BaseException:
        runtime.close()
        raise


def _register(program: Program) -> tuple[str, ...]:
    """Start the program; the globals that it sets until it waits."""
    before = set(program.realm.global_object.properties)

    def new() -> tuple[str, ...]:
        found = [name for name in program.realm.global_object.properties if name not in before]
        return tuple(
            name for name in found if isinstance(name, str) and name not in program.realm.global_object.builtin
        )

    exports = [e.name for e in program.module.state.module.exports if e.name not in _RESERVED]
    try:
        program.start()
        loop = program.loop
        while program.turn() or not (new() or exports):
            if loop.is_stuck and not (new() or exports):
                raise LinkError("the Go program waits, but has set no global: call js.Global().Set before select {}")
            loop.wait()
    except ExitError as error:
        failure = LinkError(
            f"the Go program ended with exit code {error.exit_code} instead of waiting: end its main with select {{}}"
        )
        for words in getattr(error, "__notes__", ()):
            failure.add_note(words)
        raise failure from error
    return new()


@final
class Library:
    """A Go program that waits, and its functions as Python callables: attributes, or items by any name.

    Also what it exports with ``//go:wasmexport``. Setting one sets a global of the program. Belongs to the thread that
    loaded it. Use as a context manager, or call `close`; afterwards calls raise ExitError.
    """

    __slots__ = ("__weakref__", "_names", "_program", "_runtime")

    _names: tuple[str, ...]
    _program: Program
    _runtime: Runtime

    def __init__(self, runtime: Runtime, program: Program, names: tuple[str, ...]) -> None:
        for attribute, value in (("_runtime", runtime), ("_program", program), ("_names", names)):
            object.__setattr__(self, attribute, value)

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    __reduce_ex__ = JsObject.__reduce_ex__

    def __dir__(self) -> list[str]:
        exports = (name for name in self._program.module.exports if name not in _RESERVED)
        return sorted({*self._names, *exports})

    def __getitem__(self, name: str) -> Any:
        realm = self._program.realm
        if visit(realm, realm.global_object.has, name):
            return visit(realm, self._global, name)
        function = None if name in _RESERVED else self._program.module.exported_function(name)
        if function is None:
            raise KeyError(name)
        return partial(self._program.enter, self._call_export, name, function)

    def __setitem__(self, name: str, value: Any) -> None:
        realm = self._program.realm
        visit(realm, lambda: realm.global_object.set(name, to_js(realm, value)))

    def _global(self, name: str) -> Any:
        realm = self._program.realm
        value = realm.global_object.get(name)
        is_function = isinstance(value, JSObject) and value.is_callable
        return JsFunction(realm, value) if is_function else to_python(realm, value)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the Go program has set no global {name!r}, and exports no such function") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def _call_export(self, name: str, function: Function, *args: Any) -> Any:
        """Arguments are looked at before Go runs: it could not go on after an exception of theirs."""
        from wazero_core.portable.values import to_raw

        types = function.type.params
        if len(args) != len(types):
            raise TypeError(f"{name} takes {len(types)} arguments, not {len(args)}")
        return self._program.call_export(function.function.entry, *map(to_raw, args, types))

    def run_pending(self) -> None:
        """Run what has become due: timers, and callbacks of files and requests. Does not wait."""
        self._program.check_idle()
        self._program.enter(self._run_pending)

    def _run_pending(self) -> None:
        while self._program.turn():
            pass

    def close(self) -> None:
        """End the program. In another thread than its own, end what runs in there: that raises ExitError."""
        if self._program.is_at_hand:
            self._program.close()
        self._runtime.close()


def new_program(
    runtime: Runtime,
    compiled: CompiledModule,
    config: Config | ModuleConfig | None,
    change: Callable[[Any], Any] | None,
) -> Program:
    """A program that has not started, with the globals of its config."""
    settings = _settings(config)
    program = Program(runtime, compiled, settings, change)
    for name, value in settings.globals:
        program.realm.global_object.define(name, raising(program.realm, to_js, program.realm, value))
    return program


def deadline(runtime: Runtime, timeout: float | None) -> AbstractContextManager[None]:
    """All that the thread runs inside has that many seconds."""
    timeout = runtime.config.call_timeout if timeout is None else timeout
    return nullcontext() if timeout is None else runtime.engine.deadline(timeout)


def _settings(config: Config | ModuleConfig | None) -> Config:
    return config if isinstance(config, Config) else Config(config or ModuleConfig())


def _read(path: str | os.PathLike[str]) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - importing pathlib takes longer than the rest of a small program
        return file.read()
