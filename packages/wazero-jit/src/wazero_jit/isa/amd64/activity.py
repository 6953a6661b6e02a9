"""What `link.activity` asks of an ISA, for amd64."""

from __future__ import annotations

from typing import Final

from wazero_jit.link.activity import ActivityWriters

from .faults import fault_handler
from .poll import poll_routine
from .ticker import stop_routine, ticker_routine, wake_routine

WRITERS: Final = ActivityWriters(poll_routine, ticker_routine, wake_routine, stop_routine, fault_handler)
