"""What ``wazero validate`` does."""

from __future__ import annotations

from typing import Final

from wazero_api import CORE_FEATURES_V1, CORE_FEATURES_V2, CoreFeatures, ModuleError
from wazero_core.binary.decoder import decode_module
from wazero_core.runtime.config import DEFAULT_FEATURES
from wazero_core.validation import ModuleValidator

from .errors import USAGE, CommandError, printable
from .modules import read_binary

_SETS: Final = {
    "1.0": CORE_FEATURES_V1,
    "2.0": CORE_FEATURES_V2,
    **{feature.label: feature for feature in CoreFeatures},
}


def parse_features(text: str) -> CoreFeatures:
    """A list with commas; what runtimes enable by default if there is none. Raises CommandError."""
    features = CoreFeatures(0)
    for name in text.split(",") if text else ():
        if name not in _SETS:
            raise CommandError(f'error: "{name}" is not a feature: use {", ".join(_SETS)}', USAGE)
        features |= _SETS[name]
    return features if text else DEFAULT_FEATURES


def check_file(path: str, features: CoreFeatures) -> str:
    """What is wrong with the program, in one line that names it, or ""."""
    try:
        validator = ModuleValidator(decode_module(read_binary(path), keep_custom_sections=False), features)
        validator.check_module()
        validator.check_bodies()
    except ModuleError as error:
        return f"{printable(path)}: {printable(str(error))}"
    except CommandError as error:
        return error.text
    except MemoryError:
        return f"{printable(path)}: out of memory"
    return ""
