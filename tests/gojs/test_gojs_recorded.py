"""Programs of this folder do what they do under Node with Go's own scripts."""

from __future__ import annotations

import pytest

from gojs.conftest import Host, machine_config
from gojs.recorded import CASES, UNCAUGHT, Case, compared, load, of_node
from programs.test_wasi_programs import VirtualTime

RECORDED = load()


def test_every_case_was_recorded() -> None:
    assert list(RECORDED) == [*map(str, CASES), "files"]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_here(case: Case, host: Host) -> None:
    """In virtual time, in which nothing is ever late."""
    time = VirtualTime()
    config = machine_config().with_walltime(time.now).with_nanotime(time.now).with_nanosleep(time.sleep)
    assert compared(case, host.run(case.program, *case.args, config=config)) == RECORDED[str(case)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_recorded_of_node(case: Case, node: None) -> None:
    """Up to three times: its timers are real, and a busy machine can be late for them."""
    assert any(of_node(case) == RECORDED[str(case)] for _ in range(3))


@pytest.mark.parametrize("end", UNCAUGHT)
def test_uncaught_is_said_in_one_way(end: str, host: Host) -> None:
    """Before anything else, and before the program has printed more."""
    errors = host.run("ends", end).stderr
    promise = " (in promise)" if end.startswith("rejected") else ""
    text = UNCAUGHT[end]
    assert errors.startswith(f"Uncaught{promise} " + (text if ": " in text else f"'{text}'"))
    assert "goroutine" not in errors
