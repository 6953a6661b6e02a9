"""What can be known of a module's functions and memories without running it, as wazero's `api` definitions have it."""

from __future__ import annotations

from typing import final

from wazero_api import ExternKind, FunctionType, MemoryType, Module, ValueType
from wazero_api.record import record


@final
@record
class FunctionDefinition:
    """A function of a module, by its index."""

    module_name: str
    index: int
    type: FunctionType
    name: str = ""
    """From the name section; "" if it says nothing."""
    import_: tuple[str, str] | None = None
    """Module and name, for an imported function."""
    export_names: tuple[str, ...] = ()
    param_names: tuple[str, ...] = ()
    result_names: tuple[str, ...] = ()

    @property
    def debug_name(self) -> str:
        """For people: ``module.function``, or the index where there is no name."""
        return f"{self.module_name}.{self.name or f'${self.index}'}"

    @property
    def param_types(self) -> tuple[ValueType, ...]:
        """Of the parameters, in order."""
        return self.type.params

    @property
    def result_types(self) -> tuple[ValueType, ...]:
        """Of the results, in order."""
        return self.type.results


@final
@record
class MemoryDefinition:
    """A memory of a module, by its index. Sizes are pages of 64 KiB."""

    module_name: str
    index: int
    type: MemoryType
    import_: tuple[str, str] | None = None
    export_names: tuple[str, ...] = ()

    @property
    def min(self) -> int:
        """Pages it starts with."""
        return self.type.limits.minimum

    @property
    def max(self) -> int | None:
        """Pages it may have, if the module says so."""
        return self.type.limits.maximum


@final
class Definitions:
    """Makes definitions of one decoded module."""

    __slots__ = ("_export_names", "_function_types", "_functions", "_imports", "_memory_types", "_module", "_name")

    def __init__(self, module: Module, name: str) -> None:
        self._module = module
        self._name = name
        self._function_types = module.function_types()
        self._memory_types = module.memory_types()
        self._imports = {kind: module.imported(kind) for kind in (ExternKind.FUNCTION, ExternKind.MEMORY)}
        self._functions: dict[int, FunctionDefinition] = {}
        self._export_names: dict[tuple[ExternKind, int], list[str]] = {}
        for export in module.exports:
            self._export_names.setdefault((export.kind, export.index), []).append(export.name)

    def function(self, index: int) -> FunctionDefinition:
        """Of the function with that index; the same object each time, since a function can have many export names."""
        known = self._functions.get(index)
        if known is None:
            known = self._functions[index] = self._new_function(index)
        return known

    def _new_function(self, index: int) -> FunctionDefinition:
        type = self._function_types[index]
        names = self._module.names
        local_names = names.locals.get(index, {})
        params = tuple(local_names.get(i, "") for i in range(len(type.params)))
        return FunctionDefinition(
            self._name,
            index,
            type,
            names.functions.get(index, ""),
            self._import(ExternKind.FUNCTION, index),
            self._names(ExternKind.FUNCTION, index),
            params if any(params) else (),
        )

    def memory(self, index: int) -> MemoryDefinition:
        """Of the memory with that index."""
        kind = ExternKind.MEMORY
        return MemoryDefinition(
            self._name, index, self._memory_types[index], self._import(kind, index), self._names(kind, index)
        )

    def exported(self, kind: ExternKind) -> dict[str, int]:
        """Index by export name."""
        return {export.name: export.index for export in self._module.exports if export.kind is kind}

    def _import(self, kind: ExternKind, index: int) -> tuple[str, str] | None:
        imported = self._imports[kind]
        return (imported[index].module, imported[index].name) if index < len(imported) else None

    def _names(self, kind: ExternKind, index: int) -> tuple[str, ...]:
        return tuple(self._export_names.get((kind, index), ()))
