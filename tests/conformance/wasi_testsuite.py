"""WebAssembly/wasi-testsuite: reading what its files ask for, and running one of its tests on an engine.

A suite is a folder with a ``manifest.json``; every ``X.wasm`` in it is a test, and ``X.json``, if there is one, says how
it is run and what must come out. Only the form of that file is known which the suites for preview 1 use, and a key that
is not known is an error: no expectation can be missed.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, final

import wazero_wasi
from wazero_api import ExitError, Trap
from wazero_core import FSConfig, ModuleConfig, Runtime, RuntimeConfig

SUITE_VARIABLE: Final = "WAZERO_WASI_TESTSUITE"
"""Names the checkout; without it, it is `wasi-testsuite` in the folder `shared` beside the repository."""

_TIME_LIMIT: Final = 120
"""Seconds after which a guest counts as hanging; each needs less than one."""


@final
@dataclass(frozen=True, slots=True)
class Expectation:
    """What a test's JSON file says, or means by saying nothing."""

    args: tuple[str, ...] = ()
    """Those after the program's name."""
    env: Mapping[str, str] | None = None
    dirs: tuple[str, ...] = ()
    """Folders beside the test, which the guest gets under these very names."""
    exit_code: int = 0
    stdout: str | None = None
    """What must be written, None for anything."""
    stderr: str | None = None


@final
@dataclass(frozen=True, slots=True)
class WasiTest:
    """One test."""

    suite: str
    """The suite's name, as in its manifest."""
    wasm: Path
    expectation: Expectation

    @property
    def id(self) -> str:
        """Short and unique: the language of the suite and the name of the file."""
        return f"{self.wasm.parents[2].name}/{self.wasm.stem}"


@final
@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. A guest that trapped has no exit code."""

    exit_code: int | None
    stdout: str
    stderr: str
    trap: str = ""

    def problems(self, expected: Expectation) -> list[str]:
        """What is not as it should be; with the guest's complaints, if there is anything to tell."""
        found = []
        if self.exit_code != expected.exit_code:
            ended = f"trapped: {self.trap}" if self.trap else f"exited with {self.exit_code}"
            found.append(f"{ended}, not with {expected.exit_code}")
        for name in ("stdout", "stderr"):
            wanted, written = getattr(expected, name), getattr(self, name)
            if wanted is not None and written != wanted:
                found.append(f"wrote {written!r} to {name}, not {wanted!r}")
        return [*found, f"its stderr: {self.stderr}"] if found else []


# --- Reading --------------------------------------------------------------------------------------------------------


def suite_folder() -> Path | None:
    """Where the suites are, or None if they are not there."""
    override = os.environ.get(SUITE_VARIABLE)
    folder = Path(override) if override else Path(__file__).parents[3] / "shared" / "wasi-testsuite"
    return folder if any(_manifests(folder)) else None


def suite_missing() -> str:
    """The reason to give where a test is skipped since there are no suites."""
    return (
        f"the WASI test suite is not here: set {SUITE_VARIABLE} to a checkout of WebAssembly/wasi-testsuite, "
        "branch prod/testsuite-all"
    )


def _manifests(folder: Path) -> Iterator[Path]:
    return folder.glob("tests/*/testsuite/wasm32-wasip1/manifest.json")


def read_tests(folder: Path) -> list[WasiTest]:
    """All tests of all suites, by suite and name."""
    tests = []
    for manifest in sorted(_manifests(folder)):
        suite = json.loads(manifest.read_bytes())["name"]
        tests += [WasiTest(suite, wasm, read_expectation(wasm)) for wasm in sorted(manifest.parent.glob("*.wasm"))]
    return tests


def read_expectation(wasm: Path) -> Expectation:
    """What the file beside a test says. Raises ValueError for a key that is not known."""
    path = wasm.with_suffix(".json")
    if not path.exists():
        return Expectation()
    values: dict[str, Any] = json.loads(path.read_bytes())
    unknown = values.keys() - {field.name for field in fields(Expectation)}
    if unknown:
        raise ValueError(f"{path}: nobody here knows what {', '.join(sorted(unknown))} means")
    for name in ("args", "dirs"):
        values[name] = tuple(values.get(name, ()))
    return Expectation(**values)


# --- Running --------------------------------------------------------------------------------------------------------


def copy_folders(test: WasiTest, scratch: Path) -> dict[str, Path]:
    """Fresh, writable copies of the test's folders below `scratch`, by the names that the guest gets them under."""
    copies = {}
    for name in test.expectation.dirs:
        copy = copies[name] = scratch / name
        shutil.copytree(test.wasm.parent / name, copy)
        for path in (copy, *copy.rglob("*")):
            path.chmod(path.stat().st_mode | stat.S_IWUSR)
    return copies


def run_test(test: WasiTest, engine: RuntimeConfig, scratch: Path) -> Outcome:
    """Run a test in this process, with standard streams that are pipes, as upstream's runner gives them."""
    expected = test.expectation
    mounts = FSConfig()
    for name, folder in copy_folders(test, scratch).items():
        mounts = mounts.with_dir_mount(folder, name)
    config = _real_world(ModuleConfig()).with_args(test.wasm.name, *expected.args).with_fs_config(mounts)
    for key, value in (expected.env or {}).items():
        config = config.with_env(key, value)
    with _empty_pipe() as stdin, ThreadPoolExecutor(2) as pool:
        stdout, written_stdout = _collecting_pipe(pool)
        stderr, written_stderr = _collecting_pipe(pool)
        try:
            config = config.with_stdin(stdin).with_stdout(stdout).with_stderr(stderr)
            exit_code, trap = _run(engine, test.wasm, config)
        finally:
            os.close(stdout)
            os.close(stderr)
        return Outcome(exit_code, written_stdout(), written_stderr(), trap)


def _real_world(config: ModuleConfig) -> ModuleConfig:
    """Clocks that go and random bytes that differ: some tests look."""
    return config.with_sys_walltime().with_sys_nanotime().with_sys_nanosleep().with_rand_source(os.urandom)


def _run(engine: RuntimeConfig, wasm: Path, config: ModuleConfig) -> tuple[int | None, str]:
    """The exit code, or None and what the trap says."""
    with Runtime(engine) as runtime:
        wazero_wasi.instantiate(runtime)
        try:
            runtime.instantiate(wasm, config, timeout=_TIME_LIMIT)
        except ExitError as error:
            return error.exit_code, ""
        except Trap as error:
            return None, str(error)
    return 0, ""


@contextmanager
def _empty_pipe() -> Iterator[int]:
    """The end to read from, with nothing to be read but the end of the file."""
    read_end, write_end = os.pipe()
    os.close(write_end)
    try:
        yield read_end
    finally:
        os.close(read_end)


def _collecting_pipe(pool: ThreadPoolExecutor) -> tuple[int, Callable[[], str]]:
    """The end to write to, and a function that gives all that was written, to be called once that end is closed.

    A thread reads meanwhile: a pipe that is full would stop the guest.
    """
    read_end, write_end = os.pipe()

    def read_all() -> str:
        with os.fdopen(read_end, encoding="utf-8", errors="replace", newline="") as stream:
            return stream.read()

    return write_end, pool.submit(read_all).result
