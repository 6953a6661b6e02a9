"""engines_agree: random modules do the same on our engines and on wasmtime, bit for bit, traps and memory included.

A failure names its seed, which is all that `_disagreements` needs. WAZERO_FUZZ_COUNT sets how many seeds there are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random
from typing import Final

import pytest
import wasmtime

from differential.engines import Ours, Theirs, Value, numeric_instructions, value_of
from differential.generator import EDGES, Types, generate, random_bits
from fuzz.binary import F32, F64
from integration.runtimes import ENGINES

COUNT: Final = int(os.environ.get("WAZERO_FUZZ_COUNT", "200"))
"""Modules to try."""
_PER_TEST: Final = 50
_CALLS: Final = 3
"""Of each function."""


def _arguments(random: Random, types: Types) -> list[Value]:
    return [value_of(random_bits(random, type), type) for type in types]


def _disagreements(seed: int, engine: str, peer: wasmtime.Engine) -> Iterator[str]:
    """What came out differently, if anything, when every function of the seed's module was called a few times."""
    generated = generate(seed, numeric_instructions())
    random = Random(~seed)
    ours, theirs = Ours(generated, engine), Theirs(generated, peer)
    for number, (params, _) in enumerate(generated.functions):
        for _ in range(_CALLS):
            arguments = _arguments(random, params)
            mine, other = ours.call(number, arguments), theirs.call(number, arguments)
            if not mine.agrees_with(other):
                yield f"seed {seed}: f{number}{tuple(arguments)}:\n  {engine:8} {mine}\n  wasmtime {other}"
                return
    ours.close()


@pytest.fixture(scope="module")
def peer() -> wasmtime.Engine:
    return wasmtime.Engine()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("first", range(0, COUNT, _PER_TEST))
def test_engines_agree(first: int, engine: str, peer: wasmtime.Engine) -> None:
    failures = [
        text for seed in range(first, min(COUNT, first + _PER_TEST)) for text in _disagreements(seed, engine, peer)
    ]
    assert not failures, "\n".join(failures)


def test_the_modules_are_worth_running(peer: wasmtime.Engine) -> None:
    """Neither nearly all calls trap, nor nearly none; and most modules hold blocks, loops, branches and calls."""
    results = traps = 0
    opcodes = set()
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
