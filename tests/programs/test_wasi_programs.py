"""C and Go programs, compiled to WASI by real compilers, do under `wazero run` what was recorded of other runtimes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import wazero_wasi
from integration.runtimes import NAMED_ENGINES, new_runtime
from programs.build import NO_PROGRAMS, PROGRAMS
from programs.expected import Case, cases
from wazero_core import ModuleConfig, RuntimeConfig

SECONDS = 120
"""Per case: the slowest of the ordinary ones takes a tenth of it on the portable engine."""

SECONDS_OF = {("workload-go", "portable"): 280}
"""JSON, gzip, SHA-256, regular expressions and big integers: 40 s on the portable engine."""

RACES_WITH_THE_CLOCK = {"goroutines-go"}
"""Its timers are 30 ms apart, and Go runs two that are due at once in any order. The portable engine, which compiles what is
called for the first time, can be late for both; so can the native one on a busy machine. `test_timers_in_virtual_time` asks for the exact order."""

CASES = cases("wasi")


def command(case: Case, wasm: Path, scratch: Path) -> list[str]:
    """`wazero run`, for an interpreter of its own, as users start it."""
    flags = [f"-env={key}={value}" for key, value in case.env.items()]
    for mount in case.mounts:
        host = scratch if mount.source == "scratch" else PROGRAMS / mount.source
        flags.append(f"-mount={host}:{mount.guest}" + ("" if mount.source == "scratch" else ":ro"))
    return [sys.executable, "-m", "wazero_core", "run", *flags, str(wasm), *case.args]


def _parameter(case: Case, engine: str) -> object:
    is_slow = (case.name, engine) in SECONDS_OF
    return pytest.param(case, engine, id=f"{case.name}-{engine}", marks=[pytest.mark.slow] if is_slow else [])


@pytest.mark.skipif(not CASES, reason=NO_PROGRAMS)
@pytest.mark.parametrize(("case", "engine"), [_parameter(case, engine) for case in CASES for engine in NAMED_ENGINES])
def test_program(case: Case, engine: str, program: Callable[..., Path], tmp_path: Path) -> None:
    done = subprocess.run(
        command(case, program(case.source), tmp_path),
        env={**os.environ, "WAZERO_ENGINE": engine},
        input=case.stdin.encode(),
        capture_output=True,
        timeout=SECONDS_OF.get((case.name, engine), SECONDS),
        check=False,
    )
    errors = done.stderr.decode()
    show = sorted_timers if case.name in RACES_WITH_THE_CLOCK else str
    assert (done.returncode, show(done.stdout.decode())) == (case.exit_code, show(case.stdout)), errors
    assert (errors.splitlines() or [""])[0] == case.stderr_first_line


def sorted_timers(output: str) -> str:
    """The output with the numbers of the line "timers 30 60 90" in ascending order."""
    lines = output.splitlines(keepends=True)
    return "".join(f"timers {sorted(line.split()[1:])}\n" if line.startswith("timers ") else line for line in lines)


class VirtualTime:
    """A clock that only sleep moves, so that nothing is ever late."""

    def __init__(self) -> None:
        self.nanoseconds = 10**18

    def now(self) -> int:
        return self.nanoseconds

    def sleep(self, nanoseconds: int) -> None:
        self.nanoseconds += nanoseconds


@pytest.mark.skipif(not CASES, reason=NO_PROGRAMS)
def test_timers_in_virtual_time(engine: str, program: Callable[..., Path]) -> None:
    case = next(case for case in CASES if case.name == "goroutines-go")
    time, output = VirtualTime(), bytearray()
    config = ModuleConfig().with_args(case.name).with_stdout(output)
    config = config.with_walltime(time.now).with_nanotime(time.now).with_nanosleep(time.sleep)
    with new_runtime(engine, RuntimeConfig().with_lazy_validation(True)) as runtime:
        wazero_wasi.instantiate(runtime)
        runtime.instantiate(program(case.source).read_bytes(), config)
    assert output.decode() == case.stdout
