"""The entry to everything: `Runtime`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from threading import Lock
from types import TracebackType
from typing import Any, final

from wazero_api import (
    Code,
    ExitError,
    Export,
    ExternKind,
    HostModule,
    Import,
    LinkError,
)
from wazero_api import Module as DecodedModule
from wazero_core.store import External

from .compiled import CompiledModule
from .compiling import compile_snapshot
from .config import RuntimeConfig
from .engines import new_engine
from .host import HostModuleBuilder
from .module import Module
from .module_config import ModuleConfig, asks_for_nothing
from .serialization import Snapshot, unpack

Wasm = bytes | bytearray | memoryview | PathLike[str]
"""A module's binary, or the path of a file with it."""


@final
class Runtime:
    """Compiles modules and holds the named instances that see each other. Safe to use from several threads.

    Raises UnsupportedError if the config asks for an engine that is not to be had.
    """

    def __init__(self, config: RuntimeConfig | None = None) -> None:
        self.config = config or RuntimeConfig()
        self.engine = new_engine(self.config.engine)
        self._lock = Lock()
        self._named: dict[str, Module] = {}
        self._anonymous: set[Module] = set()
        self._adopted: Any = None
        """Code for modules that belong to other engines, by `CompiledModule`; made when there are some."""
        self._is_closed = False

    def __enter__(self) -> Runtime:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Compiling

    def compile_module(self, wasm: Wasm) -> CompiledModule:
        """Decode and validate; no code is made yet.

        Raises MalformedModuleError or InvalidModuleError with the byte offset, OSError for a path that cannot be read.
        """
        return compile_snapshot(Snapshot(_binary(wasm)), self.engine, self.config)

    def deserialize(
        self, data: bytes | bytearray | memoryview, *, key: bytes | None = None, allow_untrusted: bool = False
    ) -> CompiledModule:
        """The module that `CompiledModule.serialize` gave, with its code if that is of use to this runtime's engine.

        `data` is code: whoever could have written it can do all that this process can. So it must be signed with `key`,
        which only those know who are trusted; `allow_untrusted` is for bytes that you trust for another reason.
        Raises UntrustedCodeError if it is not, MalformedModuleError if it is not whole, and what `compile_module` raises.
        """
        return compile_snapshot(unpack(bytes(data), key, allow_untrusted=allow_untrusted), self.engine, self.config)

    # Instantiating

    def instantiate(self, wasm: Wasm, config: ModuleConfig | None = None, *, timeout: float | None = None) -> Module:
        """Compile and instantiate; raises what these do."""
        return self.instantiate_module(self.compile_module(wasm), config, timeout=timeout)

    def instantiate_module(
        self, compiled: CompiledModule, config: ModuleConfig | None = None, *, timeout: float | None = None
    ) -> Module:
        """Link an instance, fill it, and call its start functions, all within `timeout` seconds if given.

        Raises LinkError if imports do not fit or the name is taken, Trap if a segment does not fit or a start function
        traps, ExitError if one ends with another code than 0, OSError if a mount cannot be opened.
        """
        if not isinstance(compiled, CompiledModule):
            raise TypeError(f"instantiate_module wants what compile_module gives, not {type(compiled).__name__}")
        config = config or ModuleConfig()
        timeout = self.config.call_timeout if timeout is None else timeout
        if timeout is None:
            return self._instantiate(compiled, config)
        with self.engine.deadline(timeout):
            return self._instantiate(compiled, config)

    def _instantiate(self, compiled: CompiledModule, config: ModuleConfig) -> Module:
        decoded = compiled.module
        code = self._code_of(compiled)
        name = compiled.name if config.name is None else config.name
        system = None if asks_for_nothing(config) else config.new_system_context()
        module = Module(self, decoded, name, system, compiled)
        self._reserve(module)
        try:
            module.state.link(self.engine, code, self._resolver(config), self.config.memory_limit_pages)
            module.state.initialise()
            if decoded.start is not None:
                module.state.functions[decoded.start]()
        except BaseException:
            module.discard()
            raise
        self._start(module, config.start_functions)
        return module

    def _code_of(self, compiled: CompiledModule) -> Code:
        """Its code, or other code from the same module if it belongs to another engine: references must not cross."""
        code = compiled.bind(self.engine, self.config.compilation_cache)
        if code is not None:
            return code
        from weakref import WeakKeyDictionary  # rarely needed, and not free

        with self._lock:
            if self._adopted is None:
                self._adopted = WeakKeyDictionary()
            adopted: WeakKeyDictionary[CompiledModule, Code] = self._adopted
            if compiled not in adopted:
                adopted[compiled] = compiled.new_code(self.engine)
            return adopted[compiled]

    def _start(self, module: Module, names: Sequence[str]) -> None:
        """Call the exports of these names. The guest may end itself: with code 0 that is no error."""
        try:
            for name in names:
                _call_start(module, name)
        except ExitError as error:
            module.close_with_exit_code(error.exit_code)
            if error.exit_code:
                raise
        except BaseException:
            module.close_with_exit_code(1)
            raise

    def new_host_module_builder(self, name: str) -> HostModuleBuilder:
        """Offer Python functions to guests under a module name."""
        return HostModuleBuilder(self, name)

    def instantiate_host_module(self, host: HostModule) -> Module:
        """Make a host module importable. Raises LinkError if its name is taken."""
        types = tuple(dict.fromkeys(function.type for function in host.functions))
        decoded = DecodedModule(
            types=types,
            imports=tuple(
                Import("", function.name, ExternKind.FUNCTION, type_index=types.index(function.type))
                for function in host.functions
            ),
            exports=tuple(Export(f.name, ExternKind.FUNCTION, i) for i, f in enumerate(host.functions)),
        )
        module = Module(self, decoded, host.name, None)
        module.state.functions.extend([self.engine.new_host_function(function, module) for function in host.functions])
        self._reserve(module)
        return module

    # Names

    def module(self, name: str) -> Module | None:
        """The instance of that name, if there is one."""
        return self._named.get(name)

    def _reserve(self, module: Module) -> None:
        with self._lock:
            if self._is_closed:
                raise LinkError("the runtime is closed")
            if not module.name:
                self._anonymous.add(module)
            elif self._named.setdefault(module.name, module) is not module:
                raise LinkError(f"module {module.name!r} has already been instantiated")

    def _resolver(self, config: ModuleConfig) -> Callable[[str, str], External | None]:
        find = config.import_resolver

        def resolve(module_name: str, name: str) -> External | None:
            module = (find and find(module_name)) or self._named.get(module_name)
            if module is None:
                raise LinkError(f"unknown import: module {module_name!r} is not instantiated (for its {name!r})")
            external: External | None = module.external(name)
            return external

        return resolve

    def forget(self, module: Module) -> None:
        """Called by a module that closes."""
        with self._lock:
            self._anonymous.discard(module)
            if self._named.get(module.name) is module:
                del self._named[module.name]

    # Life

    def close(self) -> None:
        """Close every instance with exit code 0."""
        self.close_with_exit_code(0)

    def close_with_exit_code(self, exit_code: int) -> None:
        """Close every instance, and write what was compiled to the cache, if any. Nothing can be instantiated afterwards."""
        with self._lock:
            self._is_closed = True
            modules: list[Any] = [*self._named.values(), *self._anonymous]
        for module in modules:
            module.close_with_exit_code(exit_code)
        if self.config.compilation_cache is not None:
            self.config.compilation_cache.close()


def _call_start(module: Module, name: str) -> None:
    function = module.exported_function(name)
    if function is None:
        return
    if function.type.params:
        raise LinkError(f"the start function {name!r} must not take parameters, but is {function.type}")
    function()


def _binary(wasm: Wasm) -> bytes:
    if isinstance(wasm, PathLike):
        with open(wasm, "rb") as file:  # noqa: PTH123 - importing pathlib takes longer than the rest of a small program
            return file.read()
    try:
        return bytes(memoryview(wasm))
    except TypeError:
        raise TypeError(f"a module must be bytes, or an os.PathLike such as Path, not {type(wasm).__name__}") from None
