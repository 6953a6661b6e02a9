"""The programs beside the repository, compiled for GOOS=js, do what was recorded of them under Node."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

import wazero_core
from integration.runtimes import NAMED_ENGINES
from programs.build import NO_PROGRAMS, PROGRAMS, UnavailableError, build
from programs.expected import Case, cases
from programs.test_wasi_programs import RACES_WITH_THE_CLOCK, sorted_timers
from wazero_core import RuntimeConfig

NEEDS_A_SERVER: Final = {"httpfetch-go"}
SLOW: Final = {("workload-go", "portable")}
SECONDS: Final = 280

CASES: Final = [case for case in cases("gojs") if case.name not in NEEDS_A_SERVER]


def _parameter(case: Case, engine: str) -> object:
    marks = [pytest.mark.slow] if (case.name, engine) in SLOW else []
    return pytest.param(case, engine, id=f"{case.name}-{engine}", marks=marks)


@pytest.mark.skipif(not CASES, reason=NO_PROGRAMS)
@pytest.mark.parametrize(("case", "engine"), [_parameter(case, engine) for case in CASES for engine in NAMED_ENGINES])
def test_program(case: Case, engine: str, tmp_path: Path) -> None:
    try:
        wasm = build(case.source, target="js")
    except UnavailableError as error:
        pytest.skip(str(error))
    ended = wazero_core.run(
        wasm,
        case.args,
        env=case.env,
        stdin=case.stdin,
        mounts={m.guest: tmp_path if m.source == "scratch" else PROGRAMS / m.source for m in case.mounts},
        timeout=SECONDS,
        runtime_config=RuntimeConfig(engine=engine).with_lazy_validation(True),
    )
    errors = ended.stderr.decode()
    show = sorted_timers if case.name in RACES_WITH_THE_CLOCK else str
    assert (ended.exit_code, show(ended.stdout.decode())) == (case.exit_code, show(case.stdout)), errors
    assert (errors.splitlines() or [""])[0] == case.stderr_first_line
    assert ended.error is None
