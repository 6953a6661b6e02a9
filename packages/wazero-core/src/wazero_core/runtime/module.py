"""An instance of a module: wazero's `api.Module`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, final

from wazero_api import Engine, ExitError, ExternKind
from wazero_api import Module as DecodedModule
from wazero_core.store import External, Instantiation

from .definitions import Definitions, FunctionDefinition, MemoryDefinition
from .function import Function
from .memory import Memory
from .table import Global, Table

if TYPE_CHECKING:
    from wazero_core.system.context import SystemContext

    from .compiled import CompiledModule
    from .runtime import Runtime


@final
class Module:
    """What an instance exports, and its life. `exports` is the short way to the functions."""

    __slots__ = (
        "__weakref__",
        "_compiled",
        "_definitions",
        "_exports",
        "_functions",
        "_memories",
        "_runtime",
        "_system",
        "exit_code",
        "name",
        "state",
    )

    def __init__(
        self,
        runtime: Runtime,
        module: DecodedModule,
        name: str,
        system: SystemContext | None,
        compiled: CompiledModule | None = None,
    ) -> None:
        self.name = name
        self.exit_code: int | None = None
        """What the module was closed with; None while it is open."""
        self.state = Instantiation(module, name, self)
        self._runtime = runtime
        self._compiled = compiled
        """Kept, so that the compilation cache sees that more may still be compiled."""
        self._system = system
        if system is not None:
            system.waiter.owner = self
        self._exports = {export.name: export for export in module.exports}
        self._definitions: Definitions | None = None
        self._functions: dict[str, Function] = {}
        self._memories: dict[int, Memory] = {}

    def __repr__(self) -> str:
        return f"<wasm module {self.name!r}{' (closed)' if self.is_closed else ''}>"

    def __enter__(self) -> Module:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def system(self) -> SystemContext:
        """Arguments, files, clocks and so on, for host modules. Made when first needed; OSError if a mount fails."""
        if self._system is None:
            from wazero_core.system.context import SystemContext

            self._system = SystemContext()
            self._system.waiter.owner = self
        return self._system

    @property
    def engine(self) -> Engine:
        """What runs the code."""
        return self._runtime.engine

    @property
    def call_timeout(self) -> float | None:
        """Seconds that a call may take by default."""
        return self._runtime.config.call_timeout

    @property
    def closes_on_deadline(self) -> bool:
        """Whether a call that runs past its timeout closes the module."""
        return self._runtime.config.close_on_context_done

    @property
    def exports(self) -> Exports:
        """All exports, as attributes or by name."""
        return Exports(self)

    def definitions(self) -> Definitions:
        """Of the decoded module, under this instance's name."""
        if self._definitions is None:
            self._definitions = Definitions(self.state.module, self.name)
        return self._definitions

    def external(self, name: str) -> External | None:
        """What an import of another module gets for `name`."""
        export = self._exports.get(name)
        return None if export is None else self.state.export(export.kind, export.index)

    def _index(self, name: str, kind: ExternKind) -> int | None:
        export = self._exports.get(name)
        return export.index if export is not None and export.kind is kind else None

    def _names(self, kind: ExternKind) -> Iterator[str]:
        return (name for name, export in self._exports.items() if export.kind is kind)

    # Functions

    def exported_function(self, name: str) -> Function | None:
        """None if there is no function of that name."""
        function = self._functions.get(name)
        if function is None:
            index = self._index(name, ExternKind.FUNCTION)
            if index is None:
                return None
            function = Function(self, self.state.functions[index], self.definitions().function(index))
            self._functions[name] = function
        return function

    def exported_function_definitions(self) -> dict[str, FunctionDefinition]:
        """By export name."""
        definitions = self.definitions()
        return {n: definitions.function(i) for n, i in definitions.exported(ExternKind.FUNCTION).items()}

    # Memories

    @property
    def memory(self) -> Memory | None:
        """The first memory, exported or not."""
        return self._memory(0) if self.state.memories else None

    def _memory(self, index: int) -> Memory:
        memory = self._memories.get(index)
        if memory is None:
            memory = self._memories[index] = Memory(self.state.memories[index], self.definitions().memory(index))
        return memory

    def exported_memory(self, name: str) -> Memory | None:
        """None if there is no memory of that name."""
        index = self._index(name, ExternKind.MEMORY)
        return None if index is None else self._memory(index)

    def exported_memory_definitions(self) -> dict[str, MemoryDefinition]:
        """By export name."""
        definitions = self.definitions()
        return {n: definitions.memory(i) for n, i in definitions.exported(ExternKind.MEMORY).items()}

    # Tables and globals

    def exported_table(self, name: str) -> Table | None:
        """None if there is no table of that name."""
        index = self._index(name, ExternKind.TABLE)
        return None if index is None else Table(self.state.tables[index])

    def exported_global(self, name: str) -> Global | None:
        """None if there is no global of that name."""
        index = self._index(name, ExternKind.GLOBAL)
        return None if index is None else Global(self.state.globals[index])

    # Life

    @property
    def is_closed(self) -> bool:
        """Whether calls are refused."""
        return self.exit_code is not None

    def check_open(self) -> None:
        """Raise ExitError if the module is closed."""
        if self.exit_code is not None:
            raise ExitError(self.exit_code, self.name)

    def remaining(self) -> float | None:
        """Seconds that the calling thread's call has left; None if it may take as long as it wants."""
        return self._runtime.engine.remaining()

    def close(self) -> None:
        """Close with exit code 0."""
        self.close_with_exit_code(0)

    def close_with_exit_code(self, exit_code: int) -> None:
        """Stop running calls soon, refuse further ones with ExitError, free memory and files. Only the first time counts."""
        if self.exit_code is None:
            self.exit_code = exit_code
            self.state.close(exit_code)
            self.discard()
        self.state.release()

    def discard(self) -> None:
        """Take back the name and the files, but let functions run that others hold: what a failed start leaves."""
        self._runtime.forget(self)
        if self._system is not None:
            try:
                self._system.close()
            except OSError:  # of files that the guest left open: its exit code matters more
                pass


@final
class Exports:
    """``module.exports.add(1, 2)``. Functions come as the fastest callables there are, the rest as wrappers."""

    __slots__ = ("_module",)

    def __init__(self, module: Module) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the module exports no {name!r}") from None

    def __getitem__(self, name: str) -> Any:
        module = self._module
        function = module.exported_function(name)
        if function is not None:
            fast: Callable[..., Any] = function.function.entry
            return fast if module.call_timeout is None else function
        for find in (module.exported_memory, module.exported_table, module.exported_global):
            found = find(name)
            if found is not None:
                return found
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter([export.name for export in self._module.state.module.exports])

    def __dir__(self) -> list[str]:
        return list(self)
