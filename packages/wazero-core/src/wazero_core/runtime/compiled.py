"""A module that is decoded and, unless that was put off, validated: `CompiledModule`."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, final

from wazero_api import Code, CustomSection, Engine, ExternKind, Module
from wazero_core.validation import ModuleValidator

from .definitions import Definitions, FunctionDefinition, MemoryDefinition
from .engines import environment_of, process_engine
from .serialization import Snapshot, pack

if TYPE_CHECKING:
    from wazero_core.cache import CompilationCache, Record


@final
class CompiledModule:
    """Instantiate it any number of times, from any thread. Made by `Runtime.compile_module`.

    It can be pickled, to be sent to another process, say, and any runtime can instantiate it there. What is compiled goes
    along. As always, unpickle only what you trust.
    """

    __slots__ = (
        "__weakref__",
        "_bound",
        "_definitions",
        "_engine_name",
        "_lock",
        "_record",
        "_snapshot",
        "module",
        "validator",
    )

    def __init__(self, snapshot: Snapshot, module: Module, validator: ModuleValidator, engine_name: str) -> None:
        self.module = module
        self.validator = validator
        self._snapshot = snapshot
        """Once the module is bound to an engine, only its wasm counts."""
        self._engine_name = engine_name
        self._bound: tuple[Engine, Code] | None = None
        self._record: Record | None = None
        self._lock = Lock()
        self._definitions = Definitions(module, module.names.module or "")

    def __reduce__(self) -> tuple[Any, ...]:
        from .compiling import restore

        features = self.validator.features.value
        return restore, (self.serialize(), self._engine_name, features, bool(self.module.custom_sections))

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

    @property
    def code(self) -> Code:
        """What its engine compiled."""
        return self._binding()[1]

    @property
    def engine(self) -> Engine:
        """What its code is for."""
        return self._binding()[0]

    def _binding(self) -> tuple[Engine, Code]:
        """What comes from a pickle may have no engine yet; then it is given one of this process's own."""
        if self._bound is None:
            self.bind(process_engine(self._engine_name), None)
        assert self._bound is not None
        return self._bound

    @property
    def wasm(self) -> bytes:
        """The module's binary."""
        return self._snapshot.wasm

    def bind(self, engine: Engine, cache: CompilationCache | None) -> Code | None:
        """For runtimes: the code for `engine`, or None if the module belongs to another. The first one gets it."""
        with self._lock:
            if self._bound is None:
                code = self.new_code(engine)
                self._engine_name, self._bound = engine.name, (engine, code)
                self._snapshot = Snapshot(self.wasm)
                if cache is not None:
                    environment = environment_of(engine, self.validator.features)
                    self._record = cache.record(self.wasm, environment, code, self.validator)
                    self._record.follow(self)
            return self._bound[1] if self._bound[0] is engine else None

    def new_code(self, engine: Engine) -> Code:
        """Code for `engine` with all that is compiled, as far as that engine can use it."""
        code = engine.compile(self.module, self.validator)
        snapshot = self._taken()
        if snapshot.environment == environment_of(engine, self.validator.features):
            if snapshot.is_validated:
                self.validator.trust_bodies()
            try:
                code.load(snapshot.code)
            except Exception:  # noqa: BLE001, S110 - engines may raise what they like; what is not there is compiled
                pass
        return code

    def _taken(self) -> Snapshot:
        """All that is there now."""
        if self._bound is None:
            return self._snapshot
        engine, code = self._bound
        environment = environment_of(engine, self.validator.features)
        return Snapshot(self.wasm, environment, code.dump(), self.validator.has_checked_bodies)

    def serialize(self, key: bytes | None = None) -> bytes:
        """The module and what is compiled of it, for `Runtime.deserialize`; signed if there is a key, which keep secret.

        Raises ValueError for an empty key.
        """
        return pack(self._taken(), key)

    def compile_all(self, progress: Callable[[int, int], None] | None = None, processes: int = 1) -> None:
        """Compile every function now instead of at its first call; `progress` is given (done, total) now and then.

        With more than one process that many share the work, fewer where it is too little for them. With lazy validation
        raises InvalidModuleError for an invalid body.
        """
        if processes < 1:
            raise ValueError(f"compiling takes at least one process, not {processes}")
        if processes == 1:
            self.code.compile_all(progress)
        else:
            from .parallel import compile_in_processes  # starting processes takes large imports

            compile_in_processes(self, processes, progress)
        self.validator.trust_bodies()  # whoever compiled a body has checked it

    def close(self) -> None:
        """Write what was compiled to the compilation cache, if there is one. Nothing has to be freed by hand."""
        if self._record is not None:
            self._record.save()
