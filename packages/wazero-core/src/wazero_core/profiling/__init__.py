"""Profiles of guests: where they spend their time, and where their memories grow, as files that `pprof` reads."""

from .cpu import CpuProfiler
from .memory import MemoryProfiler
from .pprof import Profile

__all__ = ["CpuProfiler", "MemoryProfiler", "Profile"]
