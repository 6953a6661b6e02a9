"""Memory that machine code needs: executable memory, and linear memories at addresses it can rely on.

Everything that differs between operating systems is in `system`. May import wazero_api and the standard library.
"""

from .executable import CodeBlock, ExecutableSpace, probe
from .linear import ENVELOPE, GUARDED_BYTES, GuardEnvelope, MemoryRecord, NativeMemory, live_reservations

__all__ = [
    "CodeBlock",
    "ENVELOPE",
    "ExecutableSpace",
    "GUARDED_BYTES",
    "GuardEnvelope",
    "MemoryRecord",
    "NativeMemory",
    "live_reservations",
    "probe",
]
