"""Host modules are found by entry point; only those that a guest imports are loaded."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from wazero_api import FunctionType, HostFunction, HostModule, LinkError
from wazero_api import Module as DecodedModule
from wazero_core import CompiledModule, ModuleConfig, Runtime, RuntimeConfig
from wazero_core.runtime import hosting
from wazero_core.runtime.entry_points import EntryPoint
from wazero_core.runtime.hosting import instantiate_host_modules, run_program

Offer = Callable[..., None]


@pytest.fixture
def runtime() -> Runtime:
    return Runtime(RuntimeConfig.interpreter())


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Offer:
    """Offer a provider by entry point, in the place of all that are installed; None for one that is not there."""
    offered: list[EntryPoint] = []
    code = ModuleType("offered_providers")
    monkeypatch.setitem(sys.modules, code.__name__, code)
    monkeypatch.setattr(hosting, "entry_points", lambda group: [entry for entry in offered if entry.group == group])

    def add(
        name: str, provider: Callable[..., Any] | None, attribute: str = "provide", group: str = "wazero.hostmodules"
    ) -> None:
        if provider is not None:
            setattr(code, attribute, provider)
        offered.append(EntryPoint(group, name, f"{code.__name__}:{attribute}"))

    return add


def empty(name: str, guest: DecodedModule) -> HostModule:
    return HostModule(name, ())


def importing(runtime: Runtime, *names: str) -> CompiledModule:
    """A guest that imports a function "f" of each of these modules."""
    imports = b"".join(bytes([len(name)]) + name.encode() + b"\1f\0\0" for name in names)
    section = bytes([len(names)]) + imports
    return runtime.compile_module(b"\0asm\1\0\0\0\1\4\1\x60\0\0\2" + bytes([len(section)]) + section)


def test_what_is_imported_is_made_and_nothing_else_is_loaded(runtime: Runtime, offer: Offer) -> None:
    offer("a", empty)
    offer("broken", None, "missing")
    instantiate_host_modules(runtime, importing(runtime, "a", "a"))
    assert runtime.module("a") is not None
    assert runtime.module("broken") is None


def test_providers_get_the_name_and_the_guest(runtime: Runtime, offer: Offer) -> None:
    asked: list[Any] = []

    def provide(name: str, guest: DecodedModule) -> HostModule:
        asked.append((name, guest))
        return HostModule(name, ())

    offer("new", provide)
    offer("old", provide)
    compiled = importing(runtime, "old", "new")
    instantiate_host_modules(runtime, compiled)
    assert asked == [("old", compiled.module), ("new", compiled.module)]


def test_a_module_that_is_there_already_is_left_alone(runtime: Runtime, offer: Offer) -> None:
    there = runtime.instantiate_host_module(HostModule("a", ()))
    instantiate_host_modules(runtime, importing(runtime, "a"))
    assert runtime.module("a") is there


def test_each_host_module_can_be_changed(runtime: Runtime, offer: Offer) -> None:
    called: list[str] = []
    offer("a", empty)

    def change(host: HostModule) -> HostModule:
        function = HostFunction("f", FunctionType((), ()), lambda: called.append(host.name))
        return HostModule(host.name, (function,))

    compiled = importing(runtime, "a")
    instantiate_host_modules(runtime, compiled, change)
    runtime.instantiate_module(compiled).state.functions[0]()
    assert called == ["a"]


def importing_abort(runtime: Runtime) -> CompiledModule:
    """As AssemblyScript does: "abort" of "env", with a message, a file, a line and a column."""
    imports = b"\1\3env\5abort\0\0"
    binary = b"\0asm\1\0\0\0\1\x08\1\x60\4\x7f\x7f\x7f\x7f\0\2" + bytes([len(imports)]) + imports
    return runtime.compile_module(binary)


def test_what_compilers_take_for_granted_comes_with_core(runtime: Runtime, offer: Offer) -> None:
    seen: list[HostModule] = []
    compiled = importing_abort(runtime)

    def change(host: HostModule) -> HostModule:
        seen.append(host)
        return host

    instantiate_host_modules(runtime, compiled, change)
    assert [(host.name, [function.name for function in host.functions]) for host in seen] == [("env", ["abort"])]
    runtime.instantiate_module(compiled)


def test_an_environment_that_is_installed_goes_before_the_one_of_core(runtime: Runtime, offer: Offer) -> None:
    offer("env", empty)
    instantiate_host_modules(runtime, importing_abort(runtime))
    env = runtime.module("env")
    assert env is not None
    assert not env.exported_function_definitions()


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("other", ""),
        ("env", ""),
        ("wasi_snapshot_preview1", "; `pip install wazero-wasi` does"),
        ("wasi_unstable", "; `pip install wazero-wasi` does"),
        ("gojs", "; `pip install wazero-gojs` does"),
    ],
)
def test_a_missing_one_is_named_with_what_to_install(runtime: Runtime, offer: Offer, name: str, advice: str) -> None:
    with pytest.raises(LinkError) as caught:
        instantiate_host_modules(runtime, importing(runtime, name))
    assert str(caught.value) == f"unknown import: no installed package brings the host module {name!r}{advice}"


def test_a_program_has_no_host_module_of_its_own(runtime: Runtime, offer: Offer) -> None:
    offer("a", None, "run", hosting.PROGRAMS)
    message = (
        "unknown import: 'a' is for programs that run as a whole; to call a function of one, use offered_providers"
    )
    with pytest.raises(LinkError, match=f"^{message}$"):
        instantiate_host_modules(runtime, importing(runtime, "a"))


def test_one_that_cannot_be_loaded_is_a_link_error(runtime: Runtime, offer: Offer) -> None:
    offer("a", None, "missing")
    with pytest.raises(LinkError, match=r"'a' \(offered_providers:missing\) cannot be loaded: .*missing"):
        instantiate_host_modules(runtime, importing(runtime, "a"))


def test_two_of_one_name_are_both_named(runtime: Runtime, offer: Offer) -> None:
    offer("a", empty, "first")
    offer("a", empty, "second")
    with pytest.raises(LinkError, match=r"'a': offered_providers:first and offered_providers:second"):
        instantiate_host_modules(runtime, importing(runtime, "a"))


def test_the_same_one_twice_is_one(runtime: Runtime, offer: Offer) -> None:
    """As when a package is installed and on the path besides."""
    offer("a", empty)
    offer("a", empty)
    instantiate_host_modules(runtime, importing(runtime, "a"))
    assert runtime.module("a") is not None


# Programs


def test_a_program_is_run_by_who_offers_to_run_it(runtime: Runtime, offer: Offer) -> None:
    """With all that it was to be run with; its host modules are not made by anybody else."""
    asked: list[Any] = []
    offer("other", lambda *args, **others: asked.append("other"), "run_other", hosting.PROGRAMS)
    offer("a", lambda *args, **others: asked.append((args, others)), "run", hosting.PROGRAMS)
    offer("a", None, "missing")
    compiled, config = importing(runtime, "b", "a"), ModuleConfig()
    run_program(runtime, compiled, config, timeout=5, workdir="/home")
    assert asked == [((runtime, compiled, config), {"timeout": 5, "change": None, "workdir": "/home"})]
    assert runtime.module("a") is None


def test_other_programs_are_run_by_being_instantiated(runtime: Runtime, offer: Offer) -> None:
    called: list[str] = []

    def provide(name: str, guest: DecodedModule) -> HostModule:
        return HostModule(name, (HostFunction("f", FunctionType((), ()), lambda: called.append(name)),))

    offer("a", provide)
    offer("other", lambda *args, **others: called.append("other"), "run_other", hosting.PROGRAMS)
    # as `importing` makes them, with the import as start function
    binary = b"\0asm\1\0\0\0\1\4\1\x60\0\0\2\7\1\1a\1f\0\0\x08\1\0"
    run_program(runtime, runtime.compile_module(binary), ModuleConfig())
    assert called == ["a"]
