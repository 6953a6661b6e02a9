"""What a Go program and its host must find in one another: modules for its imports, and its exports."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from wazero_api import HostModule, LinkError
from wazero_api.record import replace

from .imports import GO_TESTS, MODULE_NAMES, host_module

if TYPE_CHECKING:
    from wazero_core import Memory, Module, Runtime
    from wazero_core.runtime.compiled import CompiledModule
    from wazero_gojs.program import Program

_LOG_NAME: Final = "go"


def instantiate_hosts(
    program: Program,
    runtime: Runtime,
    compiled: CompiledModule,
    change: Callable[[HostModule], HostModule] | None,
) -> dict[str, Module]:
    """The modules of one program's imports, by the names that it has for them. Raises LinkError for no Go program."""
    hosts = _host_modules(program, compiled)
    return {host.name: runtime.instantiate_host_module(_changed(host, change)) for host in hosts}


def _host_modules(program: Program, compiled: CompiledModule) -> list[HostModule]:
    wanted = {i.module for i in compiled.module.imports}
    hosts = [host_module(program, name) for name in MODULE_NAMES if name in wanted]
    if not hosts:
        raise _no_go_program("imports nothing from 'gojs' or 'go'")
    if GO_TESTS in wanted:
        from . import go_tests

        hosts.append(go_tests.host_module(program))
    return hosts


def _changed(host: HostModule, change: Callable[[HostModule], HostModule] | None) -> HostModule:
    """A host module of this program alone: it has no name in the runtime."""
    if change is not None:
        # Whatever the program's imports say: who reads logs, or searches them, needs one name for all versions of Go.
        host = change(replace(host, name=_LOG_NAME) if host.name in MODULE_NAMES else host)
    return replace(host, name="")


def exported_function(module: Module, name: str) -> Any:
    """The function that a program exports under a name, to call with Python values. Raises LinkError."""
    function = module.exported_function(name)
    if function is None:
        raise _no_go_program(f"exports no function {name!r}")
    return function.function.entry


def exported_memory(module: Module) -> Memory:
    """The memory of a program. Raises LinkError."""
    memory = module.exported_memory("mem") or module.memory
    if memory is None:
        raise _no_go_program("has no memory")
    return memory


def _no_go_program(reason: str) -> LinkError:
    return LinkError(f"the module {reason}: it is no Go program built with GOOS=js GOARCH=wasm")
