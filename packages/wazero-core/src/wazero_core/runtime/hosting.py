"""Host modules, such as WASI, for what a guest imports: found by entry point, under the name that guests import them by.

An entry point of the group `wazero.hostmodules` names a function that gets this name and the guest's decoded module, and
returns a `HostModule`. Installing a package is all it takes. The host functions of AssemblyScript and Emscripten, which
are imported from "env", come with core.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from wazero_api import HostModule, LinkError
from wazero_api import Module as DecodedModule

from .entry_points import EntryPoint, entry_points

if TYPE_CHECKING:
    from .compiled import CompiledModule
    from .module_config import ModuleConfig
    from .runtime import Runtime

GROUP: Final = "wazero.hostmodules"
PROGRAMS: Final = "wazero.programs"
ENVIRONMENT: Final = "env"

_DISTRIBUTIONS: Final = {
    "wasi_snapshot_preview1": "wazero-wasi",
    "wasi_unstable": "wazero-wasi",
    "gojs": "wazero-gojs",
    "go": "wazero-gojs",
}
"""What to install for a host module that is missing."""

Provider = Callable[[str, DecodedModule], HostModule]


def instantiate_host_modules(
    runtime: Runtime, compiled: CompiledModule, change: Callable[[HostModule], HostModule] | None = None
) -> None:
    """Make importable what the guest imports and the runtime does not have yet; other host modules are not even loaded.

    `change` gets each host module and returns the one to use, say one that logs calls. Raises LinkError if a host module
    is not installed, two distributions offer it, or its code cannot be loaded.
    """
    guest = compiled.module
    wanted = [name for name in dict.fromkeys(i.module for i in guest.imports) if runtime.module(name) is None]
    if not wanted:
        return
    installed = _installed()
    for name in wanted:
        host = _host_module(name, guest, installed.get(name))
        runtime.instantiate_host_module(host if change is None else change(host))


def run_program(
    runtime: Runtime,
    compiled: CompiledModule,
    config: ModuleConfig,
    *,
    timeout: float | None = None,
    change: Callable[[HostModule], HostModule] | None = None,
    workdir: str | None = None,
) -> None:
    """Run a command module of any ABI to its end, with the host modules that it imports.

    Most run by being instantiated. Where an import has an entry point of the group `wazero.programs`, that names a function
    that does it: it gets these arguments. `workdir` is where relative paths of the program start; ABIs without such a thing,
    as WASI, ignore it. Raises ExitError for another exit code than 0, and what instantiating raises.
    """
    runners = {entry.name: entry for entry in entry_points(PROGRAMS)}
    for name in dict.fromkeys(import_.module for import_ in compiled.module.imports):
        if name in runners:
            run = _load(runners[name])
            run(runtime, compiled, config, timeout=timeout, change=change, workdir=workdir)
            return
    instantiate_host_modules(runtime, compiled, change)
    runtime.instantiate_module(compiled, config, timeout=timeout)


def _host_module(name: str, guest: DecodedModule, entry_point: EntryPoint | None) -> HostModule:
    if entry_point is not None:
        provide: Provider = _load(entry_point)
        return provide(name, guest)
    if name == ENVIRONMENT:
        from wazero_core.imports.environment import module_for

        host = module_for(guest)
        if host is not None:
            return host
    for runner in entry_points(PROGRAMS):
        if runner.name == name:
            package = runner.value.partition(":")[0].partition(".")[0]
            raise LinkError(
                f"unknown import: {name!r} is for programs that run as a whole; to call a function of one, use {package}"
            )
    distribution = _DISTRIBUTIONS.get(name)
    advice = f"; `pip install {distribution}` does" if distribution else ""
    raise LinkError(f"unknown import: no installed package brings the host module {name!r}{advice}")


def _load(entry_point: EntryPoint) -> Callable[..., Any]:
    try:
        function: Callable[..., Any] = entry_point.load()
    except (ImportError, AttributeError) as error:
        raise LinkError(
            f"the host module {entry_point.name!r} ({entry_point.value}) cannot be loaded: {error}"
        ) from error
    return function


def _installed() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry_point in entry_points(GROUP):
        other = found.setdefault(entry_point.name, entry_point)
        if other.value != entry_point.value:
            raise LinkError(f"two host modules are named {entry_point.name!r}: {other.value} and {entry_point.value}")
    return found
