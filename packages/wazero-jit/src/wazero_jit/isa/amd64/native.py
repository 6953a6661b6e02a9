"""What `isa.native` asks of an ISA, for amd64."""

from __future__ import annotations

from typing import Final

from wazero_jit.isa.native import NativeIsa

from .activity import WRITERS as ACTIVITY_WRITERS
from .bulk import memory_copy, memory_fill
from .features import missing_feature
from .machine import Amd64
from .trampolines import WRITERS

NATIVE: Final = NativeIsa(Amd64.name, Amd64, WRITERS, ACTIVITY_WRITERS, memory_copy, memory_fill, missing_feature)
