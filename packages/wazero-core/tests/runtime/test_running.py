"""`run`: what a program gets, and what its caller hears of it."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import wasmtime

from wazero_api import (
    DeadlineExceededError,
    ExitError,
    FunctionType,
    HostFunction,
    HostModule,
    LinkError,
    Trap,
    TrapKind,
)
from wazero_api import Module as DecodedModule
from wazero_api.errors import InvalidModuleError, MalformedModuleError
from wazero_api.host import Convention
from wazero_api.sys import EXIT_CODE_DEADLINE_EXCEEDED
from wazero_core import FSConfig, ModuleConfig, ReadOnlyFS, RunResult, RuntimeConfig, run
from wazero_core.runtime import hosting
from wazero_core.runtime.entry_points import EntryPoint
from wazero_core.system import DirFS

Look = Callable[[Callable[[Any], object]], bytes]


def wasm(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(text))


LOOKING = """(module (import "probe" "look" (func $look)) (memory (export "memory") 1)
  (func (export "_start") (call $look) {after}))"""


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Callable[..., bytes]:
    """A program that calls a function of Python with its instance, and then does something else if told to."""
    code = ModuleType("probing_host_module")
    monkeypatch.setitem(sys.modules, code.__name__, code)
    offered = EntryPoint(hosting.GROUP, "probe", f"{code.__name__}:provide")
    monkeypatch.setattr(hosting, "entry_points", lambda group: [offered] if group == hosting.GROUP else [])

    def program(function: Callable[[Any], object], after: str = "") -> bytes:
        host = HostFunction("look", FunctionType((), ()), function, Convention.RAW, wants_module=True)

        def provide(name: str, guest: DecodedModule) -> HostModule:
            return HostModule(name, (host,))

        code.provide = provide  # type: ignore[attr-defined]
        return wasm(LOOKING.format(after=after))

    return program


@pytest.fixture
def seen(look: Callable[..., bytes]) -> Callable[..., tuple[Any, RunResult]]:
    """Run the program, and give what a function finds in its system."""

    def see(function: Callable[[Any], object], *args: Any, **others: Any) -> tuple[Any, RunResult]:
        found: list[Any] = []
        result = run(look(lambda module: found.append(function(module.system))), *args, **others)
        return found[0], result

    return see


def write(module: Any) -> None:
    """To both outputs."""
    module.system.files[1].file.write(b"out")
    module.system.files[2].file.write(b"err")


def test_a_program_that_does_nothing() -> None:
    result = run(wasm("(module)"))
    assert result == RunResult(0, b"", b"")
    assert result.check() is result


# What the program gets


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview])
def test_binaries(seen: Any, look: Any, make: Callable[[bytes], Any]) -> None:
    names: list[Any] = []
    run(make(look(lambda module: names.append(module.system.args))))
    assert names == [(b"main.wasm",)]


@pytest.mark.parametrize("make", [str, Path])
def test_paths(look: Any, tmp_path: Path, make: Callable[[Path], Any]) -> None:
    names: list[Any] = []
    path = tmp_path / "prog.wasm"
    path.write_bytes(look(lambda module: names.append(module.system.args)))
    run(make(path), ["a"])
    assert names == [(b"prog.wasm", b"a")]


def test_arguments(seen: Any) -> None:
    assert seen(lambda system: system.args, ["one", b"\xff", "drei"])[0] == (b"main.wasm", b"one", b"\xff", b"drei")


def test_the_environment_is_what_was_given_and_nothing_else(seen: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INHERITED", "no")
    assert seen(lambda system: system.environ)[0] == ()
    assert seen(lambda system: system.environ, env={"A": "1", "B": ""})[0] == (b"A=1", b"B=")


def test_without_being_given_any_there_are_no_files(seen: Any) -> None:
    assert seen(lambda system: (system.files.numbers(), system.files[0].file.read(9)))[0] == ((0, 1, 2), b"")


@pytest.mark.parametrize("stdin", ["héllo", "héllo".encode(), io.BytesIO("héllo".encode())])
def test_input(seen: Any, stdin: Any) -> None:
    assert seen(lambda system: system.files[0].file.read(99), stdin=stdin)[0] == "héllo".encode()


def test_input_from_a_pipe_which_stays_open(seen: Any) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"piped")
    assert seen(lambda system: system.read(system.files[0], 99), stdin=reader)[0] == b"piped"
    os.close(reader)
    os.close(writer)


def test_time_and_chance_are_real(seen: Any) -> None:
    def look_around(system: Any) -> tuple[int, int, bytes]:
        start = system.nanotime()
        system.sleep(2_000_000)
        system.osyield()
        return system.walltime(), system.nanotime() - start, system.random(16)

    (wall, slept, random), _ = seen(look_around)
    assert abs(wall - time.time_ns()) < 10**10
    assert slept >= 2_000_000
    assert seen(look_around)[0][2] != random


def test_a_config_says_what_is_not_an_argument(seen: Any, tmp_path: Path) -> None:
    config = ModuleConfig().with_args("mine", "1").with_env("A", "1").with_env("B", "2").with_stdin(b"mine")

    def look_around(system: Any) -> tuple[Any, ...]:
        return system.args, system.environ, system.files[0].file.read(9), system.walltime()

    fake = 1_640_995_200_000_000_000
    found, result = seen(look_around, config=config)
    assert found == ((b"mine", b"1"), (b"A=1", b"B=2"), b"mine", fake)
    found, result = seen(look_around, ["2"], config=config, env={"B": "3"}, stdin=b"yours")
    assert found == ((b"mine", b"2"), (b"A=1", b"B=3"), b"yours", fake)
    assert result.exit_code == 0


def test_output_is_collected_whatever_the_config_says(look: Any) -> None:
    output = bytearray()
    assert run(look(write), config=ModuleConfig().with_stdout(output)).stdout == b"out"
    assert output == b""


def test_a_config_says_what_to_start() -> None:
    program = wasm('(module (func (export "_start") unreachable) (func (export "main")))')
    assert run(program, config=ModuleConfig().with_start_functions("main")).exit_code == 0


def test_a_runtime_config(look: Any) -> None:
    engines: list[str] = []
    run(look(lambda module: engines.append(type(module.engine).__module__)), runtime_config=RuntimeConfig.interpreter())
    assert engines[0].startswith("wazero_core.portable")


# Mounts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "sub").mkdir()
    return tmp_path


def mounts(system: Any) -> list[tuple[str, list[str]]]:
    """Guest path and content of each mount."""
    return [
        (system.files[fd].name, sorted(entry.name for entry in system.files[fd].file.read_directory()))
        for fd in system.files.numbers()[3:]
    ]


def test_mounts_by_guest_path(seen: Any, folder: Path) -> None:
    given = {"/": folder, "/text": str(folder / "sub"), "/view": ReadOnlyFS(DirFS(folder))}
    assert seen(mounts, mounts=given)[0] == [
        ("/", ["file", "sub"]),
        ("/text", []),
        ("/view", ["file", "sub"]),
    ]


def test_mounts_by_config(seen: Any, folder: Path) -> None:
    config = FSConfig().with_read_only_dir_mount(folder, "/ro")
    assert seen(mounts, mounts=config)[0] == [("/ro", ["file", "sub"])]


def test_mounts_beside_those_of_the_config(seen: Any, folder: Path) -> None:
    config = ModuleConfig().with_fs_config(FSConfig().with_dir_mount(folder, "/a").with_dir_mount(folder, "/b"))
    found, _ = seen(mounts, mounts={"/b": folder / "sub", "/c": folder}, config=config)
    assert found == [("/a", ["file", "sub"]), ("/b", []), ("/c", ["file", "sub"])]
    replaced = FSConfig().with_dir_mount(folder, "/only")
    assert seen(mounts, mounts=replaced, config=config)[0] == [("/only", ["file", "sub"])]


def test_a_mount_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing"):
        run(wasm("(module)"), mounts={"/": tmp_path / "missing"})


def test_files_are_closed_in_the_end(seen: Any, folder: Path) -> None:
    fd, _ = seen(lambda system: system.files[3].file.fileno(), mounts={"/": folder})
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


# What its caller hears


def test_output(look: Any) -> None:
    assert run(look(write)) == RunResult(0, b"out", b"err")


def test_output_that_is_too_much(look: Any) -> None:
    numbers: list[int | None] = []

    def write_on(module: Any) -> None:
        file = module.system.files[1].file
        assert (file.write(b"12345"), file.write(b"6789")) == (5, 1)
        with pytest.raises(OSError) as caught:  # noqa: PT011  # the number is compared
            file.write(b"7")
        numbers.append(caught.value.errno)
        module.system.files[2].file.write(b"123456")  # each has its own

    result = run(look(write_on), output_limit=6)
    assert (result.stdout, result.stderr, numbers) == (b"123456", b"123456", [28])


@pytest.mark.parametrize("code", [0, 1, 42, 0xFFFFFFFF])
def test_exit_codes(look: Any, code: int) -> None:
    def leave(module: Any) -> None:
        write(module)
        module.close_with_exit_code(code)
        raise ExitError(code)

    result = run(look(leave, "unreachable"))
    assert result == RunResult(code, b"out", b"err")
    if code:
        with pytest.raises(ExitError) as caught:
            result.check()
        assert caught.value.exit_code == code
    else:
        assert result.check() is result


def test_a_trap_is_in_the_result_with_what_was_written_before(look: Any) -> None:
    result = run(look(write, "unreachable"))
    assert (result.exit_code, result.stdout, result.stderr) == (1, b"out", b"err")
    assert isinstance(result.error, Trap)
    assert result.error.kind is TrapKind.UNREACHABLE
    with pytest.raises(Trap) as caught:
        result.check()
    assert caught.value is result.error


@pytest.mark.parametrize("engine", ["auto", "interpreter"])
def test_so_is_endless_recursion(engine: str) -> None:
    config = RuntimeConfig() if engine == "auto" else RuntimeConfig.interpreter()
    result = run(wasm('(module (func $f (export "_start") (call $f)))'), runtime_config=config)
    assert isinstance(result.error, Trap)
    assert result.error.kind is TrapKind.CALL_STACK_EXHAUSTED


@pytest.mark.parametrize("after", ["(loop (br 0))", "(loop (call $look) (br 0))"])
def test_running_too_long_is_in_the_result_with_what_was_written_before(look: Any, after: str) -> None:
    def write_or_sleep(module: Any) -> None:
        if written:
            module.system.sleep(10**12)
        write(module)
        written.append(True)

    written: list[bool] = []
    start = time.monotonic()
    result = run(look(write_or_sleep, after), timeout=0.05)
    assert 0.05 <= time.monotonic() - start < 10
    assert (result.exit_code, result.stdout, result.stderr) == (EXIT_CODE_DEADLINE_EXCEEDED, b"out", b"err")
    assert isinstance(result.error, DeadlineExceededError)
    with pytest.raises(DeadlineExceededError):
        result.check()


def test_a_timeout_that_is_not_reached(look: Any) -> None:
    assert run(look(write), timeout=60) == RunResult(0, b"out", b"err")


@pytest.mark.parametrize("error", [KeyError("a bug"), OSError("no number"), KeyboardInterrupt()])
def test_what_host_functions_raise_comes_through(look: Any, error: BaseException) -> None:
    def fail(module: Any) -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        run(look(fail))
    assert caught.value is error


@pytest.mark.parametrize("binary", [b"", b"\0asm", b"\0asm\1\0\0\0\1", b"(module)"])
def test_what_is_no_module(binary: bytes) -> None:
    with pytest.raises(MalformedModuleError):
        run(binary)


def test_a_function_that_is_not_valid_is_found_when_it_is_called() -> None:
    body = b"\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\7\n\1\6_start\0\0\n\5\1\3\0\x6a\x0b"
    with pytest.raises(InvalidModuleError):
        run(body)


@pytest.mark.parametrize("make", [str, Path])
def test_a_path_that_leads_nowhere(tmp_path: Path, make: Callable[[Path], Any]) -> None:
    with pytest.raises(FileNotFoundError):
        run(make(tmp_path / "missing.wasm"))


@pytest.mark.parametrize(
    ("module", "advice"),
    [
        ("wasi_snapshot_preview1", "`pip install wazero-wasi` does"),
        ("wasi_unstable", "`pip install wazero-wasi` does"),
        ("gojs", "`pip install wazero-gojs` does"),
        ("unheard_of", "'unheard_of'"),
    ],
)
def test_a_missing_host_module_is_named_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, module: str, advice: str
) -> None:
    monkeypatch.setattr(hosting, "entry_points", lambda group: [])
    with pytest.raises(LinkError, match=advice):
        run(wasm(f'(module (import "{module}" "f" (func)))'))


def test_an_import_that_the_host_module_lacks(look: Any) -> None:
    look(write)
    with pytest.raises(LinkError, match="other"):
        run(wasm('(module (import "probe" "other" (func)))'))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"args": [1]}, TypeError, "argument must be str or bytes, not int"),
        ({"args": ["a\0b"]}, ValueError, "must not contain a NUL"),
        ({"env": {"": "x"}}, ValueError, "environment key must not be empty"),
        ({"stdin": 1.5}, TypeError, "stdin must be"),
        ({"mounts": {5: "/"}}, TypeError, "guest path must be a str"),
        ({"args": "abc"}, TypeError, r"args must be a list of arguments, not one str: write \['abc'\]"),
        ({"args": b"abc"}, TypeError, "not one bytes"),
        ({"env": [("A", "1")]}, TypeError, "env must be a mapping of names to values, not list"),
        ({"mounts": "/tmp"}, TypeError, "mounts must be a mapping of guest paths or an FSConfig, not str"),
        ({"mounts": {"/": DirFS}}, TypeError, r"file system is needed, such as DirFS\(path\), not the class DirFS"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        run(wasm("(module)"), **arguments)
