"""Go programs for GOOS=js, built when they are first needed, and compiled once for each engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, final

import pytest

import wazero_gojs
from gojs.building import NODE, SECONDS, WHY_NO_NODE, Ended, go_program
from integration.runtimes import NAMED_ENGINES, new_runtime
from programs.build import UnavailableError, go
from wazero_api import ExitError
from wazero_core import CompiledModule, ModuleConfig, Runtime, RuntimeConfig


@final
class Host:
    """A runtime with the programs that were run on it. What is compiled stays for the next test."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.runtime: Runtime = new_runtime(engine, RuntimeConfig().with_lazy_validation(True))
        self._compiled: dict[Path, CompiledModule] = {}

    def compiled(self, program: str | Path) -> CompiledModule:
        """A program of this folder by its name, any other by its path. What is not to be had skips the test."""
        path = program if isinstance(program, Path) else binary(program)
        if path not in self._compiled:
            self._compiled[path] = self.runtime.compile_module(path.read_bytes())
        return self._compiled[path]

    def run(
        self,
        program: str | Path,
        *args: str,
        env: Mapping[str, str] | None = None,
        stdin: Any = b"",
        config: ModuleConfig | None = None,
        change: Callable[[wazero_gojs.Config], wazero_gojs.Config] = lambda config: config,
        timeout: float = SECONDS,
    ) -> Ended:
        """Run a program with real clocks, or with what `config` says."""
        output, errors = bytearray(), bytearray()
        given = machine_config() if config is None else config
        given = given.with_args("program", *args).with_stdin(stdin).with_stdout(output).with_stderr(errors)
        for key, value in (env or {}).items():
            given = given.with_env(key, value)
        compiled, code = self.compiled(program), 0
        try:
            wazero_gojs.run(self.runtime, compiled, change(wazero_gojs.Config(given)), timeout=timeout)
        except ExitError as error:
            code = error.exit_code
        return Ended(code, output.decode(), errors.decode())


def machine_config() -> ModuleConfig:
    """The clocks and random bytes of this machine."""
    config = ModuleConfig().with_sys_walltime().with_sys_nanotime().with_sys_nanosleep()
    return config.with_rand_source(lambda count: bytes(range(256)) * (count // 256) + bytes(range(count % 256)))


def binary(name: str) -> Path:
    """The binary of a program of this folder; skips the test where it cannot be built."""
    try:
        return go_program(name)
    except UnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture
def node() -> None:
    """Skips the test where there is no Node, or no script of Go's to run programs with it."""
    if NODE is None:
        pytest.skip(WHY_NO_NODE)
    try:
        go()
    except UnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def hosts() -> Iterator[dict[str, Host]]:
    made: dict[str, Host] = {}
    yield made
    for host in made.values():
        host.runtime.close()


@pytest.fixture
def host(hosts: dict[str, Host]) -> Host:
    """The fastest engine there is."""
    return _host(hosts, NAMED_ENGINES[-1])


@pytest.fixture(params=NAMED_ENGINES)
def any_host(request: pytest.FixtureRequest, hosts: dict[str, Host]) -> Host:
    """Every engine in turn."""
    return _host(hosts, request.param)


def _host(hosts: dict[str, Host], engine: str) -> Host:
    if engine not in hosts:
        hosts[engine] = Host(engine)
    return hosts[engine]
