"""Each `with_…` gives a changed copy; nonsense is refused at once, in one sentence."""

from __future__ import annotations

import dataclasses
import errno
import io
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wazero_api import LinkError
from wazero_core import Runtime, RuntimeConfig
from wazero_core.runtime.module_config import ModuleConfig
from wazero_core.system import FAKE_EPOCH, DirFS, FSConfig, TcpAddress


def test_the_default_is_a_closed_box() -> None:
    config = ModuleConfig()
    assert config.name is None
    assert config.start_functions == ("_start",)
    system = config.new_system_context()
    assert (system.args, system.environ, system.files.numbers()) == ((), (), (0, 1, 2))
    assert (system.walltime(), system.nanotime()) == (FAKE_EPOCH, 0)
    before = time.monotonic()
    system.sleep(10**10)
    assert time.monotonic() - before < 5


def test_each_instance_gets_clocks_input_and_random_bytes_of_its_own() -> None:
    config = ModuleConfig().with_stdin(b"input")
    first, second = config.new_system_context(), config.new_system_context()
    for system in (first, second):
        assert (system.walltime(), system.nanotime()) == (FAKE_EPOCH, 0)
        assert system.files[0].file.read(10) == b"input"
    assert first.random(8) == second.random(8)


def test_a_config_never_changes() -> None:
    base = ModuleConfig()
    changed = base.with_name("a").with_args("x").with_env("K", "V").with_stdout(bytearray())
    assert base == ModuleConfig()
    assert changed != base
    with pytest.raises(dataclasses.FrozenInstanceError):
        base.name = "b"  # type: ignore[misc]


@pytest.mark.parametrize("name", ["", "calc", "émile"])
def test_names(name: str) -> None:
    assert ModuleConfig().with_name(name).name == name


def test_start_functions() -> None:
    assert ModuleConfig().with_start_functions("_initialize", "main").start_functions == ("_initialize", "main")
    assert ModuleConfig().with_start_functions().start_functions == ()


def test_args() -> None:
    config = ModuleConfig().with_args("prog", "", "café", b"\xff", "\udce9")
    assert config.new_system_context().args == (b"prog", b"", "café".encode(), b"\xff", b"\xe9")
    assert config.with_args().args == ()


def test_env_keeps_its_order_and_replaces_in_place() -> None:
    config = ModuleConfig().with_env("A", "1").with_env("B", "").with_env("A", "x=y").with_env(b"C", b"\xff")
    assert config.new_system_context().environ == (b"A=x=y", b"B=", b"C=\xff")


def test_standard_streams(tmp_path: Path) -> None:
    out, err = bytearray(), io.BytesIO()
    system = ModuleConfig().with_stdin(io.StringIO("in")).with_stdout(out).with_stderr(err).new_system_context()
    assert system.files[0].file.read(9) == b"in"
    system.files[1].file.write(b"out")
    system.files[2].file.write(b"err")
    assert (bytes(out), err.getvalue()) == (b"out", b"err")


def test_files(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    by_fs = ModuleConfig().with_fs(DirFS(tmp_path))
    by_config = ModuleConfig().with_fs_config(FSConfig().with_dir_mount(tmp_path, "/"))
    for config in (by_fs, by_config):
        system = config.new_system_context()
        entry = system.files[3]
        assert entry.name == "/"
        assert entry.tree is not None
        assert entry.tree.stat("f").size == 3
        system.close()
    assert by_fs.with_fs(None).new_system_context().files.numbers() == (0, 1, 2)


def test_own_clocks() -> None:
    config = ModuleConfig().with_walltime(lambda: 5).with_nanotime(lambda: 7, 10)
    system = config.new_system_context()
    assert (system.walltime(), system.walltime.resolution) == (5, 1_000)
    assert (system.nanotime(), system.nanotime.resolution) == (7, 10)


def test_a_clock_may_bring_its_resolution() -> None:
    class Clock:
        resolution = 99

        def __call__(self) -> int:
            return 1

    assert ModuleConfig().with_walltime(Clock()).new_system_context().walltime.resolution == 99
    assert ModuleConfig().with_walltime(Clock(), 5).new_system_context().walltime.resolution == 5


def test_real_clocks_and_sleep() -> None:
    system = ModuleConfig().with_sys_walltime().with_sys_nanotime().with_sys_nanosleep().new_system_context()
    assert abs(system.walltime() - time.time_ns()) < 10**9
    before = system.nanotime()
    system.sleep(5_000_000)
    assert system.nanotime() - before >= 5_000_000


def test_own_sleep_and_yield() -> None:
    calls: list[Any] = []
    config = ModuleConfig().with_nanosleep(calls.append).with_osyield(lambda: calls.append("yield"))
    system = config.new_system_context()
    system.sleep(42)
    system.osyield()
    assert calls == [42, "yield"]


@pytest.mark.parametrize("source", [lambda count: b"x" * count, io.BytesIO(b"xxxx")])
def test_own_random_source(source: Any) -> None:
    assert ModuleConfig().with_rand_source(source).new_system_context().random(3) == b"xxx"


def test_the_systems_random_source() -> None:
    assert ModuleConfig().with_rand_source(os.urandom).new_system_context().random is os.urandom


# Listeners

EMPTY = b"\0asm\1\0\0\0"


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime(RuntimeConfig.interpreter()) as runtime:
        yield runtime


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def can_connect(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    except ConnectionRefusedError:
        return False
    return True


def test_listeners_are_added_in_order() -> None:
    with socket.socket() as mine:
        config = ModuleConfig().with_tcp_listener("127.0.0.1", 0).with_listener(mine).with_tcp_listener("", 80)
        assert config.listeners == (TcpAddress("127.0.0.1", 0), mine, TcpAddress("", 80))


def test_listening_lasts_as_long_as_the_module(runtime: Runtime) -> None:
    port = free_port()
    config = ModuleConfig().with_tcp_listener("127.0.0.1", port)
    assert not can_connect(port)
    module = runtime.instantiate(EMPTY, config)
    assert can_connect(port)
    module.close()
    assert not can_connect(port)
    runtime.instantiate(EMPTY, config.with_name("again"))
    assert can_connect(port)
    runtime.close()
    assert not can_connect(port)


def test_a_listener_of_the_caller_stays_open_and_as_it_is(runtime: Runtime) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mine:
        mine.settimeout(12)
        with runtime.instantiate(EMPTY, ModuleConfig().with_listener(mine)):
            pass
        assert can_connect(mine.getsockname()[1])
        assert mine.gettimeout() == 12


def test_a_port_in_use_is_an_error_of_the_system(runtime: Runtime) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        with pytest.raises(OSError) as caught:  # noqa: PT011  # the number is compared
            runtime.instantiate(EMPTY, ModuleConfig().with_tcp_listener("127.0.0.1", other.getsockname()[1]))
        assert caught.value.errno == errno.EADDRINUSE
    runtime.instantiate(EMPTY)


def test_a_module_that_fails_listens_no_more(runtime: Runtime) -> None:
    port = free_port()
    imports_f = EMPTY + b"\1\4\1\x60\0\0" + b"\2\7\1\1m\1f\0\0"
    with pytest.raises(LinkError):
        runtime.instantiate(imports_f, ModuleConfig().with_tcp_listener("127.0.0.1", port))
    assert not can_connect(port)


BAD: dict[str, tuple[Callable[[ModuleConfig], object], type[Exception], str]] = {
    "name": (lambda c: c.with_name(None), TypeError, "name of a module must be a str, not NoneType"),  # type: ignore[arg-type]
    "start function": (
        lambda c: c.with_start_functions(["_start"]),
        TypeError,
        "start function must be a str, not list",
    ),  # type: ignore[arg-type]
    "arg type": (lambda c: c.with_args(1), TypeError, "argument must be str or bytes, not int"),  # type: ignore[arg-type]
    "arg NUL": (lambda c: c.with_args("ok", "a\0b"), ValueError, "argument must not contain a NUL"),
    "key type": (lambda c: c.with_env(1, "x"), TypeError, "environment key must be str or bytes"),  # type: ignore[arg-type]
    "key empty": (lambda c: c.with_env("", "x"), ValueError, "environment key must not be empty"),
    "key equals": (lambda c: c.with_env("a=b", "x"), ValueError, "environment key must not contain '='"),
    "key NUL": (lambda c: c.with_env("a\0", "x"), ValueError, "environment key must not contain a NUL"),
    "value NUL": (lambda c: c.with_env("a", "x\0"), ValueError, "environment value must not contain a NUL"),
    "value type": (lambda c: c.with_env("a", None), TypeError, "environment value must be str"),  # type: ignore[arg-type]
    "fs config": (lambda c: c.with_fs_config(DirFS("/")), TypeError, "wants an FSConfig, not DirFS"),  # type: ignore[arg-type]
    "stdin": (lambda c: c.with_stdin("text"), TypeError, "stdin must be"),
    "stdout": (lambda c: c.with_stdout("path"), TypeError, "stdout and stderr must be"),
    "stderr": (lambda c: c.with_stderr(3.5), TypeError, "stdout and stderr must be"),
    "clock": (lambda c: c.with_walltime(5), TypeError, "clock must be a function"),  # type: ignore[arg-type]
    "resolution": (lambda c: c.with_nanotime(time.time_ns, 0), ValueError, "resolution of a clock"),
    "coarse": (lambda c: c.with_walltime(time.time_ns, 3_600_000_000_000), ValueError, "resolution of a clock"),
    "sleep": (lambda c: c.with_nanosleep(1), TypeError, "sleep must be a function"),  # type: ignore[arg-type]
    "yield": (lambda c: c.with_osyield(None), TypeError, "osyield must be a function"),  # type: ignore[arg-type]
    "random": (lambda c: c.with_rand_source(4), TypeError, "source of random bytes must be"),
    "open files": (lambda c: c.with_max_open_files(2), ValueError, "standard streams"),
    "port": (lambda c: c.with_tcp_listener("localhost", 65536), ValueError, "port .* from 0 to 65535, not 65536"),
    "negative port": (lambda c: c.with_tcp_listener("localhost", -1), ValueError, "port .*, not -1"),
    "port type": (lambda c: c.with_tcp_listener("localhost", "80"), ValueError, "port .*, not '80'"),  # type: ignore[arg-type]
    "listener": (lambda c: c.with_listener("localhost:80"), TypeError, "must be a socket that listens, not str"),
}


@pytest.mark.parametrize("name", BAD)
def test_nonsense_is_refused_at_once_in_one_sentence(name: str) -> None:
    operation, error, message = BAD[name]
    with pytest.raises(error, match=message) as caught:
        operation(ModuleConfig())
    assert "\n" not in str(caught.value)
