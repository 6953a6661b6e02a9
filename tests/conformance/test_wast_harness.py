"""The conformance harness itself: its assembler, its table of files, and its runner against a peer.

That the peer, PyPI's wasmtime, passes shows that the harness reads scripts right; that wrong expectations are found
shows that passing means something.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from conformance.embedder import Exhausted, Invalid, Malformed, MalformedOrInvalid, Trapped, Unlinkable
from conformance.runner import Report, Status, run_script
from conformance.wast.assemble import AssemblerMissingError, Assembly, assemble
from conformance.wast.features import FEATURES, needed_features
from conformance.wast.files import FILES, Group, files_of, suite_folder, suite_missing
from conformance.wast.imports import imported_modules
from conformance.wast.script import (
    AssertInvalid,
    AssertMalformed,
    Module,
    ModuleAssertion,
    Script,
    parse_script,
    read_script,
)
from conformance.wast.values import (
    Number,
    Value,
)

SUITE = suite_folder()
needs_suite = pytest.mark.skipif(SUITE is None, reason=suite_missing())

NO_GC_INTERFACE = [
    "array",
    "array_new_data",
    "array_new_elem",
    "extern",
    "i31",
    "ref_null",
    "struct",
]  # wasmtime's C values of kind anyref
PEER_REJECTS = {"proposals/threads/imports.wast": 6, "proposals/threads/memory.wast": 2}
"""Modules that the old fork of these files calls invalid: they have two tables or two memories."""

NEEDS_WITHOUT_FEATURES = {
    "br_table.wast": 162,
    "data.wast": 2,
    "elem.wast": 18,
    "global.wast": 8,
    "imports.wast": 59,
    "linking.wast": 43,
    "memory_grow.wast": 51,
    "ref_is_null.wast": 20,
    "table.wast": 12,
    "table_init.wast": 2,
    "unreached-valid.wast": 11,
}
"""How many commands of each mixed file a runtime of WebAssembly 2.0 leaves out: the number must not grow unseen."""


# --- Assembling -----------------------------------------------------------------------------------------------------


def assembled(text: str, cache: Path) -> tuple[Script, Assembly]:
    pytest.importorskip("wasmtime")
    script = parse_script(text)
    return script, assemble(script, cache)


def test_assembled_scripts_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one Python has assembled, another without wasmtime can run; a damaged file counts as none."""
    script, assembly = assembled('(module (func)) (module quote "(@") (module binary "")', tmp_path)
    assert [module.wasm is None for module in assembly.values()] == [False, True, False]
    monkeypatch.setattr("conformance.wast.assemble._assembler_version", lambda: None)
    assert assemble(script, tmp_path) == assembly
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:-10])
    with pytest.raises(AssemblerMissingError, match="install wasmtime"):
        assemble(script, tmp_path)


def test_confusing_characters_in_strings_assemble(tmp_path: Path) -> None:
    _, assembly = assembled('(module (func (export "\u202e")))', tmp_path)
    (module,) = assembly.values()
    assert module.wasm is not None
    assert "\u202e".encode() in module.wasm


@pytest.mark.parametrize(
    ("module", "needs"),
    [
        ("(module (memory 1))", set()),
        ("(module (memory 1) (memory 1))", {"multi-memory"}),
        ("(module (memory i64 1) (memory 1))", {"multi-memory", "memory64"}),
        ("(module (func (result v128) unreachable))", {"simd"}),
        ("(module (func (result i32) (i64.const 1)))", set()),
        ("(module (type (struct)))", {"function-references", "gc"}),
        ("(module (tag))", {"exceptions"}),
        ("(module (func (return_call 0)))", {"tail-call"}),
        ("(module (global i32 (i32.add (i32.const 1) (i32.const 2))))", set()),
    ],
)
def test_needed_features(module: str, needs: set[str]) -> None:
    wasmtime = pytest.importorskip("wasmtime")
    assert needed_features(bytes(wasmtime.wat2wasm(module))) == needs


def test_imported_modules() -> None:
    wasmtime = pytest.importorskip("wasmtime")
    fields = (
        "func (param i32)",
        "table 1 2 funcref",
        "memory 1",
        "global (mut i64)",
        "tag",
        "table i64 1 (ref null 0)",
    )
    imports = "".join(f'(import "m{index}" "x" ({field}))' for index, field in enumerate(fields))
    assert imported_modules(bytes(wasmtime.wat2wasm(f"(module (type (func)) {imports} (func))"))) == {
        f"m{index}" for index in range(len(fields))
    }
    assert imported_modules(b"\0asm\1\0\0\0") == imported_modules(b"\0asm\1\0\0\0\2\x10\5") == set()


# --- Files ----------------------------------------------------------------------------------------------------------


@needs_suite
def test_every_file_is_classified() -> None:
    assert SUITE is not None
    assert {path.relative_to(SUITE).as_posix() for path in SUITE.rglob("*.wast")} == FILES.keys()


@needs_suite
@pytest.mark.parametrize("name", sorted(FILES))
def test_features_are_those_that_the_modules_need(name: str) -> None:
    """Holds the table against what the validator finds for modules that must be accepted."""
    if FILES[name].group is Group.LEGACY:
        pytest.skip("nothing here assembles the old exception instructions")
    script, assembly = from_suite(name)
    accepted = [
        command.source
        for command in script.commands
        if isinstance(command, Module | ModuleAssertion) and not isinstance(command, AssertMalformed | AssertInvalid)
    ]
    assert [assembly[source].error for source in accepted if assembly[source].error] == []
    assert frozenset[str]().union(*(assembly[source].needs for source in accepted)) == FILES[name].features
    assert FILES[name].features <= set(FEATURES)


@cache
def assembled_file(name: str) -> tuple[Script, Assembly]:
    assert SUITE is not None
    script = read_script(SUITE / name, name)
    return script, assemble(script)


def from_suite(name: str) -> tuple[Script, Assembly]:
    try:
        return assembled_file(name)
    except AssemblerMissingError as error:
        pytest.skip(str(error))


# --- The runner -----------------------------------------------------------------------------------------------------


class FakeEmbedder:
    """Runs nothing: the name of a function says how its call ends, the module's size how its validation does."""

    features = frozenset[str]()

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.registered: dict[str, str | None] = {}

    def validate(self, wasm: bytes) -> None:
        if self.error:
            raise self.error

    def instantiate(self, wasm: bytes, name: str | None) -> str | None:
        self.validate(wasm)
        return name

    def register(self, instance: str | None, name: str) -> None:
        self.registered[name] = instance

    def invoke(self, instance: str | None, field: str, arguments: Sequence[Value]) -> Sequence[Value]:
        ends = {
            "trap": Trapped("integer overflow"),
            "both": Trapped("one", "two"),
            "deep": Exhausted("call stack exhausted"),
            "bug": ZeroDivisionError("oops"),
        }
        if field in ends:
            raise ends[field]
        return arguments

    def get(self, instance: str | None, field: str) -> Value:
        return Number("i32", len(instance or ""))


def fake_run(text: str, cache: Path, error: Exception | None = None) -> Report:
    script, assembly = assembled(text, cache)
    return run_script(script, assembly, FakeEmbedder(error))


PASSED, FAILED, OUT, NEEDS = Status.PASSED, Status.FAILED, Status.OUT_OF_SCOPE, Status.NEEDS_FEATURE


@pytest.mark.parametrize(
    ("command", "status", "reason"),
    [
        ('(invoke "f")', PASSED, ""),
        ('(invoke "trap")', FAILED, "Trapped: integer overflow"),
        ('(invoke "bug")', FAILED, "ZeroDivisionError: oops"),
        ('(invoke $n "f")', FAILED, "no such instance: $n"),
        ('(assert_return (invoke "f"))', PASSED, ""),
        ('(assert_return (invoke "f" (i32.const 1)) (i32.const 1))', PASSED, ""),
        (
            '(assert_return (invoke "f" (i32.const 1)) (i32.const 2))',
            FAILED,
            "expected (i32.const 0x2), got (i32.const 0x1)",
        ),
        ('(assert_return (invoke "f" (i32.const 1)))', FAILED, "expected no results, got (i32.const 0x1)"),
        ('(assert_return (get "g") (i32.const 2))', PASSED, ""),
        ('(assert_trap (invoke "trap") "integer overflow")', PASSED, ""),
        ('(assert_trap (invoke "trap") "integer")', PASSED, ""),
        ('(assert_trap (invoke "trap") "integer overflow in f")', PASSED, ""),
        ('(assert_trap (invoke "both") "two")', PASSED, ""),
        ('(assert_trap (invoke "trap") "unreachable")', FAILED, "expected \"unreachable\", got ['integer overflow']"),
        ('(assert_trap (invoke "f") "unreachable")', FAILED, 'expected Trapped "unreachable", got no results'),
        (
            '(assert_trap (invoke "deep") "call")',
            FAILED,
            'expected Trapped "call", got Exhausted: call stack exhausted',
        ),
        ('(assert_exhaustion (invoke "deep") "call stack exhausted")', PASSED, ""),
        ('(assert_trap (module) "x")', FAILED, 'expected Trapped "x", got an instance'),
        ('(assert_unlinkable (module) "x")', FAILED, 'expected Unlinkable "", got an instance'),
        ('(assert_invalid (module) "x")', FAILED, 'accepted, but it is Invalid: "x"'),
        ('(assert_invalid (module (memory 1) (memory 1)) "x")', FAILED, 'accepted, but it is Invalid: "x"'),
        ('(assert_malformed (module quote "(") "x")', OUT, "about the text format"),
        ('(assert_malformed_custom (module) "x")', OUT, "about the content of a custom section"),
        (
            '(assert_invalid (module quote "(") "x")',
            OUT,
            "rejected by the assembler already: expected valid module field",
        ),
        ('(module quote "(")', FAILED, "does not assemble: expected valid module field"),
        ("(module (memory 1) (memory 1))", NEEDS, "needs multi-memory"),
        ('(assert_unlinkable (module (memory 1) (memory 1)) "x")', NEEDS, "needs multi-memory"),
        ("(module instance $i)", PASSED, ""),
        ("(module instance $i $n)", FAILED, "no such module: $n"),
    ],
)
def test_outcome(command: str, status: Status, reason: str, tmp_path: Path) -> None:
    (outcome,) = fake_run(f"(module $m)\n{command}", tmp_path).outcomes[1:]
    assert (outcome.status, outcome.reason) == (status, reason)


@pytest.mark.parametrize(
    ("command", "error", "status"),
    [
        ('(assert_invalid (module) "x")', Invalid("a"), PASSED),
        ('(assert_invalid (module) "x")', Malformed("a"), FAILED),
        ('(assert_invalid (module) "x")', MalformedOrInvalid("a"), PASSED),
        ('(assert_invalid (module) "x")', KeyError("a"), FAILED),
        ('(assert_invalid (module (memory 1) (memory 1)) "x")', Malformed("a"), NEEDS),
        ('(assert_malformed (module binary "") "x")', Malformed("a"), PASSED),
        ('(assert_malformed (module binary "") "x")', Invalid("a"), FAILED),
        ('(assert_unlinkable (module) "x")', Unlinkable("other words"), PASSED),
        ('(assert_unlinkable (module) "x")', Invalid("a"), FAILED),
        ('(assert_trap (module) "x")', Trapped("x"), PASSED),
        ("(module)", Invalid("a"), FAILED),
        ("(module definition)", Invalid("a"), FAILED),
    ],
)
def test_rejection(command: str, error: Exception, status: Status, tmp_path: Path) -> None:
    assert [outcome.status for outcome in fake_run(command, tmp_path, error).outcomes] == [status]


def test_what_follows_a_module_ends_as_it_did(tmp_path: Path) -> None:
    """Neither the previous instance nor a link error hides that a module is not there."""
    text = """
    (module $good)
    (module $bad (memory 1) (memory 1))
    (register "bad")
    (assert_return (invoke "f"))
    (module (import "bad" "f" (func)))
    (assert_return (invoke $good "f"))
    (assert_unlinkable (module (import "bad" "f" (func))) "x")
    (register "bad" $good)
    (module (import "bad" "f" (func)))
    """
    report = fake_run(text, tmp_path)
    assert [outcome.status for outcome in report.outcomes] == [
        *(PASSED, NEEDS, NEEDS, NEEDS, NEEDS, PASSED, NEEDS, PASSED, PASSED)
    ]
    assert report.reasons(NEEDS) == {"needs multi-memory": 5}


def test_report(tmp_path: Path) -> None:
    report = fake_run('(module)\n\n(invoke "trap")\n(assert_malformed (module quote "") "x")', tmp_path)
    assert report.failures() == ["script:3: Invoke: Trapped: integer overflow"]
    assert report.summary() == "script: 3 commands, 2 ran: 1 passed, 1 failed, 1 out of scope, 0 needs feature"


def test_a_failed_module_fails_what_uses_it(tmp_path: Path) -> None:
    report = fake_run('(module)(invoke "f")', tmp_path, Invalid("no"))
    assert [outcome.reason for outcome in report.outcomes] == ["Invalid: no", "its module failed: Invalid: no"]


# --- The peer -------------------------------------------------------------------------------------------------------


def peer_report(name: str, features: frozenset[str]) -> Report:
    pytest.importorskip("wasmtime")
    from conformance.peer_wasmtime import WasmtimePeer

    script, assembly = from_suite(name)
    return run_script(script, assembly, WasmtimePeer(features))


@needs_suite
@pytest.mark.parametrize("name", sorted(name for name, file in FILES.items() if file.group is not Group.LEGACY))
def test_peer_passes(name: str) -> None:
    if name.removesuffix(".wast") in NO_GC_INTERFACE:
        pytest.skip("wasmtime's Python interface has no references to objects of the guest's heap")
    report = peer_report(name, frozenset(FEATURES))
    assert len(report.failures()) == PEER_REJECTS.get(name, 0), report.failures()
    assert report.counts[NEEDS] == 0


@needs_suite
@pytest.mark.parametrize("name", files_of(Group.CORE, Group.MIXED))
def test_peer_passes_without_later_features(name: str) -> None:
    """What a runtime of WebAssembly 2.0 without vectors gets to run, and how much of it it must leave out."""
    report = peer_report(name, frozenset())
    assert report.failures() == []
    assert report.counts[NEEDS] == NEEDS_WITHOUT_FEATURES.get(name, 0)


def test_peer_keeps_the_bits_of_signalling_nans(tmp_path: Path) -> None:
    pytest.importorskip("wasmtime")
    from conformance.peer_wasmtime import WasmtimePeer

    text = """
    (module (func (export "f") (param f32) (result f32) (local.get 0)))
    (assert_return (invoke "f" (f32.const nan:0x1)) (f32.const nan:0x1))
    (assert_return (invoke "f" (f32.const nan:0x1)) (f32.const nan:0x400001))
    """
    script, assembly = assembled(text, tmp_path)
    assert [outcome.status for outcome in run_script(script, assembly, WasmtimePeer()).outcomes] == [
        PASSED,
        PASSED,
        FAILED,
    ]
