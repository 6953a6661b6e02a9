"""The switches that gate instructions and types, one bit a proposal.

Names and bits 0 to 6 are wazero's `api.CoreFeatures`; the later bits are what WebAssembly 3.0 and the threads
proposal add. This module imports nothing of the project.
"""

from __future__ import annotations

from enum import IntFlag


class CoreFeatures(IntFlag):
    """A set of WebAssembly proposals; combine with ``|``, test with ``in`` or `is_enabled`."""

    BULK_MEMORY_OPERATIONS = 1 << 0
    MULTI_VALUE = 1 << 1
    MUTABLE_GLOBAL = 1 << 2
    NON_TRAPPING_FLOAT_TO_INT_CONVERSION = 1 << 3
    REFERENCE_TYPES = 1 << 4
    SIGN_EXTENSION_OPS = 1 << 5
    SIMD = 1 << 6
    EXTENDED_CONST = 1 << 7
    TAIL_CALL = 1 << 8
    MULTI_MEMORY = 1 << 9
    MEMORY64 = 1 << 10
    RELAXED_SIMD = 1 << 11
    TYPED_FUNCTION_REFERENCES = 1 << 12
    EXCEPTION_HANDLING = 1 << 13
    GC = 1 << 14
    THREADS = 1 << 15

    def is_enabled(self, feature: CoreFeatures) -> bool:
        """Whether every bit of `feature` is set."""
        return feature in self

    def set_enabled(self, feature: CoreFeatures, value: bool) -> CoreFeatures:
        """A copy with the bits of `feature` set or cleared."""
        return self | feature if value else self & ~feature

    @property
    def label(self) -> str:
        """The names as the proposals spell them, joined by ``|``: ``"bulk-memory-operations|simd"``."""
        return "|".join((flag.name or "").lower().replace("_", "-") for flag in type(self) if flag in self)


CORE_FEATURES_V1 = CoreFeatures.MUTABLE_GLOBAL
"""WebAssembly 1.0."""

CORE_FEATURES_V2 = (
    CORE_FEATURES_V1
    | CoreFeatures.BULK_MEMORY_OPERATIONS
    | CoreFeatures.MULTI_VALUE
    | CoreFeatures.NON_TRAPPING_FLOAT_TO_INT_CONVERSION
    | CoreFeatures.REFERENCE_TYPES
    | CoreFeatures.SIGN_EXTENSION_OPS
    | CoreFeatures.SIMD
)
"""WebAssembly 2.0."""

CORE_FEATURES_V3 = (
    CORE_FEATURES_V2
    | CoreFeatures.EXTENDED_CONST
    | CoreFeatures.TAIL_CALL
    | CoreFeatures.MULTI_MEMORY
    | CoreFeatures.MEMORY64
    | CoreFeatures.RELAXED_SIMD
    | CoreFeatures.TYPED_FUNCTION_REFERENCES
    | CoreFeatures.EXCEPTION_HANDLING
    | CoreFeatures.GC
)
"""WebAssembly 3.0."""
