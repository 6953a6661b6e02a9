"""How a runtime decodes, validates and runs: `RuntimeConfig`."""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Final, final

from wazero_api import CORE_FEATURES_V2, MAX_MEMORY_PAGES, CoreFeatures
from wazero_api.record import record, replace

if TYPE_CHECKING:
    from wazero_core.cache import CompilationCache

_SANDBOX_PAGES: Final = 4096
_SANDBOX_SECONDS: Final = 10.0

DEFAULT_FEATURES: Final = CORE_FEATURES_V2 | CoreFeatures.EXTENDED_CONST
"""WebAssembly 2.0 as in wazero, and extended constant expressions."""


@final
@record
class RuntimeConfig:
    """Immutable: each ``with_…`` returns a changed copy."""

    engine: str | None = None
    """Name of the engine to use: "portable", "jit", or None for the fastest that works here."""
    core_features: CoreFeatures = DEFAULT_FEATURES
    memory_limit_pages: int = MAX_MEMORY_PAGES
    custom_sections: bool = False
    lazy_validation: bool = False
    close_on_context_done: bool = False
    call_timeout: float | None = None
    compilation_cache: CompilationCache | None = None

    @staticmethod
    def compiler() -> RuntimeConfig:
        """Run machine code; `Runtime` raises UnsupportedError where that is not to be had."""
        return RuntimeConfig(engine="jit")

    @staticmethod
    def interpreter() -> RuntimeConfig:
        """Run on the portable engine, which works everywhere."""
        return RuntimeConfig(engine="portable")

    @staticmethod
    def sandbox() -> RuntimeConfig:
        """Bounds for code that is not trusted: memories of 256 MiB, calls of 10 seconds. Adjust with ``with_…``."""
        return RuntimeConfig().with_memory_limit_pages(_SANDBOX_PAGES).with_call_timeout(_SANDBOX_SECONDS)

    def with_core_features(self, features: CoreFeatures) -> RuntimeConfig:
        """Enable exactly these. What the version cannot do is reported when a module uses it."""
        return replace(self, core_features=features)

    def with_memory_limit_pages(self, pages: int) -> RuntimeConfig:
        """Let no memory grow beyond `pages` of 64 KiB, 0 to 65536; a module that asks for more cannot be instantiated."""
        if not 0 <= pages <= MAX_MEMORY_PAGES:
            raise ValueError(f"the memory limit must be 0 to {MAX_MEMORY_PAGES} pages, not {pages}")
        return replace(self, memory_limit_pages=pages)

    def with_custom_sections(self, enabled: bool) -> RuntimeConfig:
        """Keep custom sections, for `CompiledModule.custom_sections`."""
        return replace(self, custom_sections=enabled)

    def with_lazy_validation(self, enabled: bool) -> RuntimeConfig:
        """Validate a function's body when it is first called, not when the module is compiled.

        An invalid body then shows as InvalidModuleError out of the call. Spec: appendix 7.3.3 allows it.
        """
        return replace(self, lazy_validation=enabled)

    def with_close_on_context_done(self, enabled: bool) -> RuntimeConfig:
        """Close a module whose call ran past its timeout, as wazero does; otherwise it stays usable."""
        return replace(self, close_on_context_done=enabled)

    def with_call_timeout(self, seconds: float | None) -> RuntimeConfig:
        """Stop every call from Python into wasm after `seconds`, unless the call names its own timeout."""
        if seconds is not None and seconds <= 0:
            raise ValueError(f"a timeout must be positive, not {seconds}")
        return replace(self, call_timeout=seconds)

    def with_compilation_cache(self, cache: CompilationCache | None) -> RuntimeConfig:
        """Keep compiled code in `cache`, and take from it what is there already. Several configs may name one cache."""
        from wazero_core.cache import CompilationCache

        if not isinstance(cache, (CompilationCache, NoneType)):
            raise TypeError(f"a cache must be a CompilationCache(directory), not {type(cache).__name__}")
        return replace(self, compilation_cache=cache)
