"""decode_never_crashes: of broken modules only the documented errors come out, fast and without much memory.

WAZERO_FUZZ_COUNT sets how many mutants there are; a tenth as many truncations are made of the larger modules, and every
one of the small ones. A failure's note says the seed and the bytes.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Final

import pytest

from fuzz import corpus, isolated, probe
from fuzz.exercise import exercise
from fuzz.mutation import mutants
from wazero_api import OPCODES
from wazero_core.binary import decode_module
from wazero_core.binary.instructions import decode_instruction, tokenize
from wazero_core.validation import SUPPORTED_FEATURES

COUNT: Final = int(os.environ.get("WAZERO_FUZZ_COUNT", "600"))
_PER_BATCH: Final = 500
_COMPILE_LIMIT_S: Final = 5.0
"""Of CPU time on a busy machine. Ordinary rows take a tenth; what grows without bound takes minutes."""
_MEMORY_LIMIT_BYTES: Final = 256 << 20

_CODE_SECTION_ENDINGS: Final = {
    "compile ok",
    "compile MalformedModuleError",
    "compile InvalidModuleError",
    "link ok",
    "call ok",
}


def _check(outcome: isolated.Outcome) -> Counter[str]:
    batch = outcome.result
    assert batch.slowest_s < _COMPILE_LIMIT_S
    assert outcome.growth_bytes < _MEMORY_LIMIT_BYTES
    return Counter(batch.endings)


def _modules() -> tuple[bytes, ...]:
    modules = tuple(corpus.small().values())
    return (*modules, corpus.c_program()) if corpus.has_compiler() else modules


@pytest.mark.parametrize("first", range(0, COUNT, _PER_BATCH))
def test_mutated_modules(first: int) -> None:
    endings = _check(isolated.run(probe.mutations, _modules(), first, min(_PER_BATCH, COUNT - first), timeout_s=600))
    # The mutants are worth their time: some of them break each stage, and some break none.
    assert set(endings) >= _CODE_SECTION_ENDINGS, endings


@pytest.mark.parametrize("name", sorted(corpus.small()))
def test_truncated_modules(name: str) -> None:
    module = corpus.small()[name]
    endings = _check(isolated.run(probe.prefixes, module, 1, len(module), timeout_s=600))
    assert endings["compile MalformedModuleError"] > len(module) * 0.9


@pytest.mark.skipif(not corpus.has_compiler(), reason="ziglang is not installed")
def test_truncated_c_program() -> None:
    count = max(30, COUNT // 10)
    endings = _check(isolated.run(probe.prefixes, corpus.c_program(), 1, count, timeout_s=600))
    assert endings["compile MalformedModuleError"] > count * 0.9


@pytest.mark.parametrize("name", sorted(corpus.small()))
def test_the_corpus_itself_works(name: str) -> None:
    report = exercise(corpus.small()[name], call_timeout_s=3, budget_s=30)
    assert (report.compiled, report.linked) == ("ok", "ok")
    assert "ok" in report.calls.values()


def test_the_corpus_holds_every_section_and_instruction() -> None:
    """What the mutants cannot have at all they would not test."""
    seen: set[str] = set()
    sections: set[int] = set()
    for wasm in corpus.small().values():
        sections |= _section_ids(wasm)
        for function_body in decode_module(wasm).bodies:
            seen.update(decode_instruction(token).opcode.name for token in tokenize(bytes(function_body.code)))
    assert sections == set(range(13))
    supported = {o.name for o in OPCODES if not o.feature & ~SUPPORTED_FEATURES}
    missing = supported - seen
    assert missing <= {"nop", "select", "select t*", "local.tee", "ref.func", "i64.const", "f32.const"}, missing


def _section_ids(wasm: bytes) -> set[int]:
    ids, position = set(), 8
    while position < len(wasm):
        ids.add(wasm[position])
        size = shift = 0
        while True:
            position += 1
            size |= (wasm[position] & 0x7F) << shift
            shift += 7
            if wasm[position] < 0x80:
                break
        position += 1 + size
    return ids


def test_a_seed_gives_the_same_mutants() -> None:
    modules = tuple(corpus.small().values())
    assert list(mutants(7, modules, 20)) == list(mutants(7, modules, 20))
    assert list(mutants(7, modules, 20)) != list(mutants(8, modules, 20))
