"""From bytes to a `CompiledModule`: decode, validate, and take over what was compiled before."""

from __future__ import annotations

from wazero_api import CoreFeatures, Engine
from wazero_core.binary import decode_module
from wazero_core.validation import ModuleValidator

from .compiled import CompiledModule
from .config import RuntimeConfig
from .serialization import Snapshot, unpack


def compile_snapshot(snapshot: Snapshot, engine: Engine, config: RuntimeConfig) -> CompiledModule:
    """Decoded and, unless put off, validated; compiled only so far as the snapshot or the config's cache knows code.

    Raises MalformedModuleError or InvalidModuleError.
    """
    compiled = _decode(snapshot, engine.name, config)
    compiled.bind(engine, config.compilation_cache)
    if not (config.lazy_validation or compiled.validator.has_checked_bodies):
        compiled.validator.check_bodies()
    return compiled


def restore(data: bytes, engine_name: str, features: int, keeps_custom_sections: bool) -> CompiledModule:
    """What a pickle calls, which is trusted. The module gets its code from whichever runtime first uses it."""
    config = RuntimeConfig(core_features=CoreFeatures(features), custom_sections=keeps_custom_sections)
    return _decode(unpack(data, None, allow_untrusted=True), engine_name, config)


def _decode(snapshot: Snapshot, engine_name: str, config: RuntimeConfig) -> CompiledModule:
    decoded = decode_module(snapshot.wasm, keep_custom_sections=config.custom_sections)
    validator = ModuleValidator(decoded, config.core_features)
    validator.check_module()
    return CompiledModule(snapshot, decoded, validator, engine_name)
