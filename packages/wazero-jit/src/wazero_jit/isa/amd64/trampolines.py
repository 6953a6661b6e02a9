"""What `link.trampolines` asks of an ISA, for amd64."""

from __future__ import annotations

from typing import Final

from wazero_jit.link.trampolines import TrampolineWriters

from .entry import write_entry
from .host_call import write_host_call
from .routines import write_lazy_stubs, write_routines

WRITERS: Final = TrampolineWriters(write_routines, write_entry, write_host_call, write_lazy_stubs)
