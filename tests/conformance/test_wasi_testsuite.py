"""WebAssembly/wasi-testsuite on every engine, with no test left out and none expected to fail.

Some of it also through our command, called as upstream's runner calls wazero's.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.engines import ENGINES
from conformance.wasi_testsuite import (
    Expectation,
    Outcome,
    WasiTest,
    copy_folders,
    read_expectation,
    read_tests,
    run_test,
    suite_folder,
    suite_missing,
)

FOLDER: Final = suite_folder()
TESTS: Final = {test.id: test for test in read_tests(FOLDER)} if FOLDER else {}

needs_suite: Final = pytest.mark.skipif(FOLDER is None, reason=suite_missing())


@needs_suite
def test_the_suites_are_whole() -> None:
    """That none of the tests below ran would not be seen otherwise."""
    counts = Counter(test.suite for test in TESTS.values())
    assert counts == {
        "WASI C tests [wasm32-wasip1]": 14,
        "WASI Rust tests [wasm32-wasip1]": 46,
        "WASI Assemblyscript  tests [wasm32-wasip1]": 12,
    }


@needs_suite
@pytest.mark.parametrize("name", TESTS or ["all"])
def test_wasi(name: str, engine: str, tmp_path: Path) -> None:
    test = TESTS[name]
    problems = run_test(test, ENGINES[engine], tmp_path).problems(test.expectation)
    assert not problems, "\n".join(problems)


# --- Upstream's adapter for wazero --------------------------------------------------------------------------------------

COMMAND: Final = [sys.executable, "-m", "wazero_core"]

THROUGH_THE_COMMAND: Final = (
    "assemblyscript/args_get-multiple-arguments",  # an argument with quotes
    "assemblyscript/environ_get-multiple-variables",  # a value with a line break
    "assemblyscript/environ_sizes_get-no-variables",  # nothing is inherited
    "assemblyscript/fd_write-to-stdout",  # the log must not be among it
    "assemblyscript/proc_exit-failure",  # the exit code is passed on
    "c/lseek",  # a folder under a relative name, with files to be read
    "rust/fd_readdir",  # the same as preopened folder that is named in an argument
    "rust/isatty",
    "rust/poll_oneoff_stdio",
)


def adapter_arguments(test: WasiTest, folders: Mapping[str, Path]) -> list[str]:
    """What adapters/wazero.py passes to wazero."""
    expected = test.expectation
    env = [f"-env={key}={value}" for key, value in (expected.env or {}).items()]
    mounts = [f"-mount={folder}:{name}" for name, folder in folders.items()]
    return ["run", "-hostlogging=filesystem", *env, *mounts, str(test.wasm), *expected.args]


@needs_suite
@pytest.mark.parametrize("name", THROUGH_THE_COMMAND)
def test_the_command_serves_as_upstreams_adapter_calls_it(name: str, tmp_path: Path) -> None:
    test = TESTS[name]
    arguments = adapter_arguments(test, copy_folders(test, tmp_path))
    done = subprocess.run([*COMMAND, *arguments], input=b"", capture_output=True, timeout=120, check=False)
    outcome = Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())
    problems = outcome.problems(test.expectation)
    assert not problems, "\n".join(problems)


def test_the_version_is_what_upstreams_runner_reports() -> None:
    """The adapter takes the whole output for the version."""
    done = subprocess.run([*COMMAND, "version"], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip().split()
    assert len(done.stdout.strip().splitlines()) == 1
    assert done.stderr == ""


# --- The runner itself --------------------------------------------------------------------------------------------------


def write_suite(folder: Path, **files: Any) -> Path:
    """A suite as upstream's tree has it, with a JSON file per name; the checkout's folder."""
    suite = folder / "tests" / "own" / "testsuite" / "wasm32-wasip1"
    suite.mkdir(parents=True)
    (suite / "manifest.json").write_text('{"name": "Own tests"}')
    for name, content in files.items():
        (suite / f"{name}.wasm").write_bytes(b"")
        if content is not None:
            (suite / f"{name}.json").write_text(json.dumps(content))
    return folder


def test_a_suite_is_read(tmp_path: Path) -> None:
    everything = {
        "args": ["a", "b"],
        "env": {"K": "V"},
        "dirs": ["d"],
        "exit_code": 3,
        "stdout": "out",
        "stderr": "",
    }
    one, two = read_tests(write_suite(tmp_path, two=None, one=everything))
    assert (one.suite, one.id, two.id) == ("Own tests", "own/one", "own/two")
    assert one.expectation == Expectation(("a", "b"), {"K": "V"}, ("d",), 3, "out", "")
    assert two.expectation == Expectation()


def test_an_unknown_key_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "new.json").write_text('{"operations": [], "args": []}')
    with pytest.raises(ValueError, match="knows what operations means"):
        read_expectation(tmp_path / "new.wasm")


@pytest.mark.parametrize(
    ("outcome", "expected", "problem"),
    [
        (Outcome(0, "x", "y"), Expectation(), None),
        (Outcome(33, "", ""), Expectation(exit_code=33), None),
        (Outcome(0, "x", "y"), Expectation(stdout="x", stderr="y"), None),
        (Outcome(1, "", "y"), Expectation(), "exited with 1, not with 0"),
        (Outcome(0, "", "y"), Expectation(exit_code=1), "exited with 0, not with 1"),
        (Outcome(None, "", "y", "unreachable"), Expectation(), "trapped: unreachable, not with 0"),
        (Outcome(0, "x\n", "y"), Expectation(stdout="x"), "wrote 'x\\n' to stdout, not 'x'"),
        (Outcome(0, "x", "y"), Expectation(stderr=""), "wrote 'y' to stderr, not ''"),
    ],
)
def test_what_is_a_problem(outcome: Outcome, expected: Expectation, problem: str | None) -> None:
    assert outcome.problems(expected) == ([] if problem is None else [problem, "its stderr: y"])


def test_a_guest_is_run_as_the_format_says(engine: str, tmp_path: Path) -> None:
    """Its folder is a writable copy, its output is what is compared, and its exit code or trap is told."""
    wasmtime = pytest.importorskip("wasmtime")
    suite = write_suite(tmp_path, echo={"dirs": ["d"], "args": ["a"]}, trap=None)
    echo, trap = read_tests(suite)
    folder = echo.wasm.parent / "d"
    folder.mkdir()
    (folder / "file").write_bytes(b"kept")
    (folder / "file").chmod(0o444)
    folder.chmod(0o555)
    echo.wasm.write_bytes(wasmtime.wat2wasm(ECHO))
    trap.wasm.write_bytes(wasmtime.wat2wasm('(module (func (export "_start") unreachable))'))
    scratch = tmp_path / "scratch"
    assert run_test(echo, ENGINES[engine], scratch) == Outcome(7, "d", "")
    assert not (scratch / "d" / "file").exists()
    assert (folder / "file").read_bytes() == b"kept"
    ended = run_test(trap, ENGINES[engine], scratch)
    assert (ended.exit_code, ended.trap.splitlines()[0]) == (None, "unreachable")


ECHO: Final = """
(module
  (import "wasi_snapshot_preview1" "fd_prestat_dir_name" (func $name (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\10\\00\\00\\00\\01\\00\\00\\00")
  (data (i32.const 32) "file")
  (func (export "_start")
    (drop (call $name (i32.const 3) (i32.const 16) (i32.const 1)))
    (if (call $unlink (i32.const 3) (i32.const 32) (i32.const 4)) (then unreachable))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $exit (i32.const 7))))
"""
"""Removes a file of its folder, prints the folder's name, and exits with 7."""
