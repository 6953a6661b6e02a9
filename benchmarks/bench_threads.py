"""Many at a time, and many one after the other: threads that run wasm side by side, and what thousands of instances leave."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any, Final

import pytest
from benchmarks import processes
from benchmarks.engine import ENGINE
from benchmarks.figures import Target
from benchmarks.measuring import Measure

from wazero_core import ModuleConfig, Runtime, RuntimeConfig

# --- Threads --------------------------------------------------------------------------------------------------------

_ROUNDS: Final = 9
_CALL_SECONDS: Final = 0.3
_UNTIMED_SECONDS: Final = 0.001

_LOOP: Final = """
(module
  (func (export "run") (param $n i64) (result i64)
    (local $x i64)
    (local.set $x (i64.const 88172645463325252))
    (loop $again
      (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 13))))
      (local.set $x (i64.xor (local.get $x) (i64.shr_u (local.get $x) (i64.const 7))))
      (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 17))))
      (br_if $again (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
    (local.get $x)))
"""
"""Marsaglia's xorshift: nothing but arithmetic in registers."""

Run = Callable[[int], int]
"""The export ``run`` of an instance of its own."""


def _python_run(n: int) -> int:
    mask = (1 << 64) - 1
    x = 88172645463325252
    for _ in range(n):
        x ^= (x << 13) & mask
        x ^= x >> 7
        x ^= (x << 17) & mask
    return x if x < 1 << 63 else x - (1 << 64)


@pytest.fixture
def runs(engine_config: RuntimeConfig, assemble: Callable[[str], bytes]) -> Iterator[list[Run]]:
    """Two instances."""
    with Runtime(engine_config) as runtime:
        compiled = runtime.compile_module(assemble(_LOOP))
        anonymous = ModuleConfig().with_name("")
        yield [runtime.instantiate_module(compiled, anonymous).exports.run for _ in range(2)]


def _wasmtime_run(wasmtime: Any, engine: Any, module: Any) -> Run:
    store = wasmtime.Store(engine)
    run = wasmtime.Instance(store, module, []).exports(store)["run"]
    return lambda n: int(run(store, n))


def _together(runs: list[Run], n: int) -> Callable[[], list[int]]:
    """A function that runs each in a thread of its own, all at once."""

    def together() -> list[int]:
        results: list[int] = []
        threads = [Thread(target=lambda run=run: results.append(run(n))) for run in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    return together


def _size(run: Run, seconds: float) -> int:
    """An `n` for which it takes at least that long."""
    n = 100
    while True:
        start = time.perf_counter()
        run(n)
        if time.perf_counter() - start >= seconds:
            return n
        n *= 2


@pytest.fixture
def sides(runs: list[Run], assemble: Callable[[str], bytes], wasmtime: Any) -> dict[str, list[Run]]:
    """The same two by two on all."""
    engine = wasmtime.Engine()
    module = wasmtime.Module(engine, assemble(_LOOP))
    on_wasmtime = [_wasmtime_run(wasmtime, engine, module) for _ in range(2)]
    return {"wazero": runs, "wasmtime": on_wasmtime, "Python": [_python_run] * 2}


def test_threads(measure: Measure, sides: dict[str, list[Run]]) -> None:
    """Two threads and one give the same results, on all."""
    assert {run(1_000) for both in sides.values() for run in both} == {_python_run(1_000)}
    peers = {}
    for name, both in sides.items():
        n = _size(both[0], _CALL_SECONDS if measure.is_timed else _UNTIMED_SECONDS)
        peers[f"{name}, one"] = _together(both[:1], n)
        peers[f"{name}, two"] = _together(both, n)
    results = measure.run(peers.pop("wazero, two"), rounds=_ROUNDS, peers=peers)
    assert results == measure.peer_results["wazero, one"] * 2
    if measure.is_timed:
        times = {name: measure.peer_median(name) for name in peers} | {"wazero, two": measure.median}
        for name in sides:
            targets = [Target(1.2)] if name == "wazero" else []
            ratio = times[f"{name}, two"] / times[f"{name}, one"]
            measure.report_value(f"two threads, {name}", ratio, "x the time of one", *targets)


# --- Instances ------------------------------------------------------------------------------------------------------

_SMALL: Final = """
(module
  (memory (export "memory") 1)
  (table 4 funcref)
  (type $result (func (result i32)))
  (global $sum (mut i32) (i32.const 2))
  (elem (i32.const 0) $forty)
  (data (i32.const 16) "(")
  (func $forty (result i32) (i32.load8_u (i32.const 16)))
  (func (export "run") (result i32)
    (global.set $sum (i32.add (global.get $sum) (call_indirect (type $result) (i32.const 0))))
    (global.get $sum)))
"""
"""One of everything; ``run`` gives 42 the first time."""

_MEGABYTE: Final = 1e6
_FLAT: Final = (Target(1.0), Target(5))
"""Megabytes, and mappings, that count as none: what the system's allocator takes or leaves by the way."""

_CYCLES: Final = [
    pytest.param("instances", 1_000, id="1,000 instances"),
    pytest.param("instances", 10_000, id="10,000 instances"),
    pytest.param("modules", 1_000, id="1,000 modules"),
    pytest.param("modules", 5_000, id="5,000 modules"),
]


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc to read memory and mappings of a process")
@pytest.mark.parametrize(("kind", "count"), _CYCLES)
def test_cycles(
    stated: Measure,
    engine_config: RuntimeConfig,
    assemble: Callable[[str], bytes],
    tmp_path: Path,
    kind: str,
    count: int,
) -> None:
    """Each instance starts from nothing."""
    if not stated.is_timed and count > 1_000:
        pytest.skip("many are made in timed runs only")
    wasm = tmp_path / "small.wasm"
    wasm.write_bytes(assemble(_SMALL))
    report: dict[str, float] = {}

    def run() -> float:
        report.update(processes.report_of("instances.py", ENGINE, str(wasm), str(count), kind))
        return report["seconds"]

    stated.run(run, rounds=1)
    stated.note(resident_growth_bytes=report["resident"], mappings_growth=report["mappings"])
    resident, mappings = _FLAT
    stated.report(f"{count:,} {kind}: instantiate, call, close one", per=count)
    stated.report_value(f"{count:,} {kind}: growth of memory", report["resident"] / _MEGABYTE, "MB", resident)
    stated.report_value(f"{count:,} {kind}: growth of mappings", report["mappings"], "mappings", mappings)
