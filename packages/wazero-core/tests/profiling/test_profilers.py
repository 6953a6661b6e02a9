"""What the profilers make of what an engine tells them: no engine is running here, and no time passes by itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from wazero_api import (
    PAGE_SIZE,
    Convention,
    Frame,
    FunctionType,
    HostFunction,
    HostModule,
    Limits,
    MemoryType,
    StackTaker,
    ValueType,
)
from wazero_core.profiling import CpuProfiler, MemoryProfiler
from wazero_core.profiling.cpu import _PERIOD_NANOSECONDS

Read = Callable[[bytes], Any]
Stack = Callable[..., tuple[Frame, ...]]

PERIOD = _PERIOD_NANOSECONDS


class Memory:
    def __init__(self, pages: int, maximum: int) -> None:
        self.pages = pages
        self.maximum = maximum

    def grow(self, delta: int) -> int:
        old = self.pages
        if old + delta > self.maximum:
            return -1
        self.pages += delta
        return old


class Engine:
    """Tells what it is told to, when asked or later."""

    name = "fake"

    def __init__(self) -> None:
        self.stacks: list[tuple[int, tuple[Frame, ...], bool]] = []
        self.asked: list[StackTaker] = []

    def take_stacks(self, take: StackTaker, *, only_caller: bool = False) -> None:
        self.asked.append(take)
        for stack in self.stacks:
            take(*stack)

    def new_memory(self, type: MemoryType, maximum_pages: int) -> Memory:
        return Memory(type.limits.minimum, maximum_pages)


@pytest.fixture
def engine() -> Any:
    return Engine()


def host(function: Callable[..., Any]) -> HostModule:
    return HostModule("host", (HostFunction("f", FunctionType((), ()), function, Convention.RAW),))


def samples(read_profile: Read, profiler: CpuProfiler | MemoryProfiler) -> dict[str, list[int]]:
    """Numbers by names of the stack."""
    return {" ".join(names): values for names, values in read_profile(profiler.encode("p")).samples}


# --- Time -------------------------------------------------------------------------------------------------------------


def test_each_round_counts_for_the_time_since_the_one_before(engine: Any, frames: Stack, read_profile: Read) -> None:
    profiler = CpuProfiler(engine)
    engine.stacks = [(1, frames("inner", "outer"), False), (2, frames("outer"), False)]
    profiler._round(10)
    engine.stacks = engine.stacks[:1]
    profiler._round(15)
    assert samples(read_profile, profiler) == {"guest.inner guest.outer": [2, 25], "guest.outer": [1, 10]}


def test_a_host_function_is_the_leaf_where_the_stack_is_known(engine: Any, frames: Stack, read_profile: Read) -> None:
    profiler = CpuProfiler(engine)
    thread = threading.get_ident()

    def work() -> None:
        engine.stacks = [(thread, frames("caller"), True), (thread + 1, frames("other"), True)]
        profiler._round(10)
        engine.stacks = [(thread, frames("callee", "caller"), False)]  # called back
        profiler._round(10)

    profiler.watched(host(work)).functions[0].callable()
    engine.stacks = [(thread, frames("caller"), False)]
    profiler._round(10)
    assert samples(read_profile, profiler) == {
        "host.f guest.caller": [1, 10],
        "guest.other": [1, 10],
        "guest.callee guest.caller": [1, 10],
        "guest.caller": [1, 10],
    }


def test_a_host_function_stands_alone_where_the_stack_is_not_known(
    engine: Any, frames: Stack, read_profile: Read
) -> None:
    profiler = CpuProfiler(engine)
    thread = threading.get_ident()

    def work() -> None:
        for elapsed in (10, 20, 30):
            profiler._round(elapsed)

    profiler.watched(host(work)).functions[0].callable()
    # The guest goes on, and tells late.
    engine.asked[-1](thread, frames("caller"), False)
    profiler._round(5)
    assert samples(read_profile, profiler) == {"host.f": [2, 50], "guest.caller": [1, 30]}


def test_watched_functions_do_what_they_did(engine: Any) -> None:
    def fail() -> None:
        raise OSError

    profiler = CpuProfiler(engine)
    type = FunctionType((ValueType.I32,), (ValueType.I32,))
    functions = (
        HostFunction("double", type, lambda x: 2 * x, Convention.RAW),
        HostFunction("fail", FunctionType((), ()), fail, wants_module=True),
    )
    watched = profiler.watched(HostModule("host", functions))
    assert watched.functions[0].callable(4) == 8
    with pytest.raises(OSError):  # noqa: PT011 - that it comes through is the point
        watched.functions[1].callable()
    assert [(f.name, f.type, f.convention, f.wants_module) for f in watched.functions] == [
        (f.name, f.type, f.convention, f.wants_module) for f in functions
    ]
    assert profiler._in_host == {}


def test_sampling_goes_on_as_long_as_the_block(engine: Any, frames: Stack, read_profile: Read) -> None:
    profiler = CpuProfiler(engine)
    rounds = threading.Event()

    def take_stacks(take: StackTaker, *, only_caller: bool = False) -> None:
        engine.asked.append(take)
        if len(engine.asked) >= 3:
            rounds.set()

    engine.take_stacks = take_stacks
    with profiler:
        assert rounds.wait(30)
    count = len(engine.asked)
    engine.asked[0](1, frames("late"), False)
    read = read_profile(profiler.encode("p"))
    assert (read.samples, read.period) == ([], PERIOD)
    assert read.duration >= 2 * PERIOD
    assert "wazero-profiler" not in [thread.name for thread in threading.enumerate()]
    assert len(engine.asked) == count


# --- Memory -----------------------------------------------------------------------------------------------------------


def new_memory(profiler: MemoryProfiler, pages: int, maximum: int) -> Any:
    return profiler.engine().new_memory(MemoryType(Limits(pages)), maximum)


def test_memory_is_that_of_who_let_it_grow(engine: Any, frames: Stack, read_profile: Read) -> None:
    profiler = MemoryProfiler(engine)
    memory = new_memory(profiler, 2, 100)
    engine.stacks = [(threading.get_ident(), frames("allocate", "main"), False)]
    assert [memory.grow(3), memory.grow(0), memory.grow(4), memory.grow(1000)] == [2, 5, 5, -1]
    assert samples(read_profile, profiler) == {
        "(instantiation)": [0, 2 * PAGE_SIZE],
        "guest.allocate guest.main": [2, 7 * PAGE_SIZE],
    }
    assert read_profile(profiler.encode("p")).value_types == [("grow_calls", "count"), ("inuse_space", "bytes")]


def test_growth_that_is_told_late_or_never(engine: Any, frames: Stack, read_profile: Read) -> None:
    profiler = MemoryProfiler(engine)
    memory = new_memory(profiler, 0, 100)
    memory.grow(1)
    memory.grow(2)
    engine.asked[-1](threading.get_ident() + 1, frames("other"), False)  # of another thread
    engine.asked[-1](threading.get_ident(), frames("later"), False)
    memory.grow(4)
    assert samples(read_profile, profiler) == {
        "(instantiation)": [0, 0],
        "guest.later": [2, 3 * PAGE_SIZE],
        "(unknown)": [1, 4 * PAGE_SIZE],
    }


def test_the_rest_of_the_engine_stays_as_it_is(engine: Any) -> None:
    profiler = MemoryProfiler(engine)
    profiled: Any = profiler.engine()
    assert profiled.name == "fake"
    assert new_memory(profiler, 3, 5).maximum == 5
