"""Clocks. Spec: "clockid", "clock_res_get", "clock_time_get"."""

from __future__ import annotations

import errno

from wazero_api.system import Clock
from wazero_core.system import SystemContext

from .guest import Caller, buffer_of, check, fail, store_u64


def clock_of(system: SystemContext, clock_id: int) -> Clock:
    """The clock with WASI's number. EINVAL for others, the clocks of processor time among them."""
    if clock_id > 1:
        fail(errno.EINVAL)
    return system.nanotime if clock_id else system.walltime


def clock_res_get(module: Caller, clock_id: int, result: int) -> None:
    """Store the resolution in nanoseconds."""
    store_u64(buffer_of(module), result, clock_of(module.system, clock_id).resolution)


def clock_time_get(module: Caller, clock_id: int, precision: int, result: int) -> None:
    """Store the time in nanoseconds. The precision is a hint that needs no heeding."""
    buffer = buffer_of(module)
    check(buffer, result, 8)  # before reading: a fake clock must not move for nothing
    store_u64(buffer, result, clock_of(module.system, clock_id)())
