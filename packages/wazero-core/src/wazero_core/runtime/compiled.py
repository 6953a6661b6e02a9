"""A module that is decoded and, unless that was put off, validated: `CompiledModule`."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import final

from wazero_api import Code, CustomSection, Engine, ExternKind, Module
from wazero_core.validation import ModuleValidator

from .definitions import Definitions, FunctionDefinition, MemoryDefinition


@final
class CompiledModule:
    """Instantiate it any number of times, from any thread. Made by `Runtime.compile_module`."""

    __slots__ = ("_definitions", "code", "module", "validator")

    def __init__(self, module: Module, validator: ModuleValidator, engine: Engine) -> None:
        self.module = module
        self.validator = validator
        self.code: Code = engine.compile(module, validator)
        self._definitions = Definitions(module, module.names.module or "")

    def __enter__(self) -> CompiledModule:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def name(self) -> str:
        """What the module calls itself in its name section, or ""."""
        return self.module.names.module or ""

    @property
    def imported_functions(self) -> list[FunctionDefinition]:
        """Functions that others must supply, in order."""
        return [self._definitions.function(i) for i in range(len(self.module.imported(ExternKind.FUNCTION)))]

    @property
    def exported_functions(self) -> dict[str, FunctionDefinition]:
        """By export name."""
        exported = self._definitions.exported(ExternKind.FUNCTION)
        return {name: self._definitions.function(index) for name, index in exported.items()}

    @property
    def imported_memories(self) -> list[MemoryDefinition]:
        """Memories that others must supply, in order."""
        return [self._definitions.memory(i) for i in range(len(self.module.imported(ExternKind.MEMORY)))]

    @property
    def exported_memories(self) -> dict[str, MemoryDefinition]:
        """By export name."""
        exported = self._definitions.exported(ExternKind.MEMORY)
        return {name: self._definitions.memory(index) for name, index in exported.items()}

    @property
    def custom_sections(self) -> tuple[CustomSection, ...]:
        """Kept only if `RuntimeConfig.with_custom_sections` asks for it; never the name section."""
        return self.module.custom_sections

    def compile_all(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Compile every function now instead of at its first call; `progress` is given (done, total)."""
        self.code.compile_all(progress)

    def close(self) -> None:
        """Nothing has to be freed by hand; here for symmetry with wazero."""
