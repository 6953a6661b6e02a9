"""engines_agree: random modules do the same on our engines and on wasmtime, bit for bit, traps and memory included.

A failure names its seed, which is all that `_disagreements` needs. WAZERO_FUZZ_COUNT sets how many seeds there are.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from random import Random
from typing import Final, NamedTuple
from unittest.mock import Mock

import pytest
import wasmtime

from differential import engines
from differential.engines import Ending, Ours, Theirs, Value, numeric_instructions, value_of
from differential.generator import EDGES, Generated, Types, generate, host_results, random_bits
from fuzz.binary import F32
from integration.runtimes import ENGINES, needs_jit
from wazero_jit.process import the_process

COUNT: Final = int(os.environ.get("WAZERO_FUZZ_COUNT", "200"))
"""Modules to try."""
_PER_TEST: Final = 50
_CALLS: Final = 3
"""Of each function."""


def _arguments(random: Random, types: Types) -> list[Value]:
    return [value_of(random_bits(random, type), type) for type in types]


class Call(NamedTuple):
    """What to do, and how it must end."""

    number: int
    arguments: list[Value]
    expected: Ending


Recorded = Callable[[int], tuple[Generated, list[Call]]]


def _record(seed: int, peer: wasmtime.Engine) -> tuple[Generated, list[Call]]:
    """The seed's module, and a few calls of every function with what wasmtime makes of them, one after the other."""
    generated = generate(seed, numeric_instructions())
    random = Random(~seed)
    theirs = Theirs(generated, peer)
    calls = []
    for number, (params, _) in enumerate(generated.functions):
        for _ in range(_CALLS):
            arguments = _arguments(random, params)
            calls.append(Call(number, arguments, theirs.call(number, arguments)))
    return generated, calls


def _disagreements(seed: int, engine: str, recorded: Recorded) -> Iterator[str]:
    """What first came out differently, if anything."""
    generated, calls = recorded(seed)
    ours = Ours(generated, engine)
    for number, arguments, expected in calls:
        mine = ours.call(number, arguments)
        if not mine.agrees_with(expected):
            yield f"seed {seed}: f{number}{tuple(arguments)}:\n  {engine:8} {mine}\n  wasmtime {expected}"
            return
    ours.close()


@pytest.fixture(scope="module")
def peer() -> wasmtime.Engine:
    return wasmtime.Engine()


@pytest.fixture(scope="module")
def recorded(peer: wasmtime.Engine) -> Recorded:
    """`_record`, once a seed."""
    return functools.cache(lambda seed: _record(seed, peer))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("first", range(0, COUNT, _PER_TEST))
def test_engines_agree(first: int, engine: str, recorded: Recorded) -> None:
    failures = [
        text for seed in range(first, min(COUNT, first + _PER_TEST)) for text in _disagreements(seed, engine, recorded)
    ]
    assert not failures, "\n".join(failures)


@needs_jit
def test_engines_agree_on_code_that_is_interrupted_all_the_time(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ticker asks for it 50,000 times a second: polls keep all registers, wherever they come."""
    activity = the_process().activity
    monkeypatch.setattr(activity._executions.ticker, "period_nanoseconds", 20_000)
    before = activity.current().signals_at
    assert not [text for seed in range(_PER_TEST) for text in _disagreements(seed, "jit", recorded)]
    assert activity.current().signals_at > before, "there were no polls"


def test_the_modules_are_worth_running(peer: wasmtime.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither nearly all calls trap, nor nearly none; and most modules hold blocks, loops, branches and calls."""
    results = traps = 0
    opcodes = set()
    host = Mock(side_effect=host_results)
    monkeypatch.setattr(engines, "host_results", host)
    for seed in range(30):
        generated = generate(seed, numeric_instructions())
        theirs = Theirs(generated, peer)
        random = Random(seed)
        for number, (params, _) in enumerate(generated.functions):
            ending = theirs.call(number, _arguments(random, params))
            results, traps = results + (ending.results is not None), traps + (ending.results is None)
        opcodes |= set(generated.wasm)
    assert results > 20
    assert traps > 10
    assert host.call_count > 20
    assert {0x02, 0x03, 0x04, 0x0C, 0x0D, 0x0E, 0x10, 0x11} <= opcodes


def test_the_comparison_sees_differences(peer: wasmtime.Engine) -> None:
    """Were the engines to run two modules, it would be noticed."""
    seeds = [seed for seed in range(20) if generate(seed, numeric_instructions()).functions[0].params == ()]
    endings = [Theirs(generate(seed, numeric_instructions()), peer).call(0, []) for seed in seeds]
    assert len(endings) > 2
    assert not endings[0].agrees_with(endings[1])
    assert endings[0].agrees_with(endings[0])


def test_edge_values_fit_their_types() -> None:
    assert all(0 <= bits < 1 << (32 if type in (0x7F, F32) else 64) for type, row in EDGES.items() for bits in row)
