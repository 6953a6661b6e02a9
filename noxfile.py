"""One command per need: `nox -l` lists them, `nox` runs those that must pass before a change goes in.

What each session installs is listed in the root `pyproject.toml` ([dependency-groups]); the Python versions are the
classifiers of wazero-core. Arguments after `--` go to the tool: `nox -s tests-3.12 -- -k memory`.
"""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import nox
from nox.project import dependency_groups, load_toml, python_versions

nox.needs_version = ">=2026.10"
nox.options.sessions = ["lint", "types", "tests", "conformance", "bench_once", "wheels"]
nox.options.reuse_venv = "yes"
nox.options.default_venv_backend = "virtualenv"
nox.options.download_python = "never"

ROOT = Path(__file__).parent
CACHE = ROOT / ".cache"
PACKAGES = ("api", "core", "jit", "wasi", "gojs")
PYPROJECT = load_toml(ROOT / "pyproject.toml")
PYTHONS = python_versions(load_toml(ROOT / "packages/wazero-core/pyproject.toml"))
TYPED_TESTS = ("noxfile.py", "benchmarks", "examples", "tests", "packages/wazero-core/tests/cli")
"""What is typed strictly besides the packages."""
IN_PARALLEL = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", "--max-worker-restart", "0")
"""Files of tests run beside one another, one more than a small machine has processors, since many wait for processes.

They are taken in the order of `testpaths`, which has the slow ones first; pytest-xdist would begin with the files of many
tests. A process that ends in the middle ends the run: after replacing one, pytest-xdist 3.8 waits for ever.
"""
FIRST_ONLY = (
    "packages/wazero-core/tests/system/test_fs_contract.py",
    "packages/wazero-jit/tests/isa",
    "tests/go_stdlib",
    "tests/gojs/test_esbuild.py",
    "tests/gojs/test_gojs_recorded.py",
    "tests/gojs/test_gojs_shared.py",
    "tests/fuzz",
    "tests/programs",
    "tests/sandbox",
)
"""Tests that run on the first version of Python only."""
WHEELS_LIMIT_BYTES = 1_000_000
"""All five wheels together stay below this."""


# --- Interpreters ---------------------------------------------------------------------------------------------------


def _found_pythons() -> list[str]:
    """The supported versions that this machine has; puts those that PATH does not really offer in front of it.

    pyenv's shims answer to `python3.12` even where they refuse to run it, so its versions are looked up by folder.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = []
    for version in PYTHONS:
        name = f"python{version}"
        installed = sorted(pyenv.glob(f"{version}.*/bin/{name}"), key=_patch_version)
        if sys.version_info[:2] == tuple(map(int, version.split("."))):
            installed = [Path(sys.base_prefix, "bin", name)]
        if installed and installed[-1].exists():
            os.environ["PATH"] = f"{installed[-1].parent}{os.pathsep}{os.environ['PATH']}"
        if shutil.which(name):
            found.append(version)
    return found


def _patch_version(python: Path) -> int:
    """The third number of `~/.pyenv/versions/3.12.1/bin/python3.12`; -1 for pre-releases and the like."""
    patch = python.parts[-3].split(".")[2]
    return int(patch) if patch.isdigit() else -1


FOUND = _found_pythons()
# A version that is missing is skipped, and nox says so; that none is there must not look like success.
nox.options.error_on_missing_interpreters = not FOUND


# --- Helpers --------------------------------------------------------------------------------------------------------


def _install(session: nox.Session, *groups: str, packages: tuple[str, ...] = PACKAGES) -> None:
    """Install dependency groups, then packages of this repository, editable, by the one build backend in the session."""
    session.install(*dependency_groups(PYPROJECT, "build", *groups))
    editable = [argument for name in packages for argument in ("-e", f"packages/wazero-{name}")]
    session.install("--no-build-isolation", "--no-deps", *editable)


def _source_folders() -> list[str]:
    return [f"packages/wazero-{name}/src" for name in PACKAGES]


# --- Checks ---------------------------------------------------------------------------------------------------------


@nox.session
def lint(session: nox.Session) -> None:
    """ruff: rules and formatting. `nox -s lint -- --fix` repairs what it can."""
    session.install(*dependency_groups(PYPROJECT, "lint"))
    if session.posargs == ["--fix"]:
        session.run("ruff", "check", "--fix", ".")
        session.run("ruff", "format", ".")
        return
    session.run("ruff", "check", *session.posargs, ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Mypy --strict: the five packages, this file and the test helpers."""
    session.install(*dependency_groups(PYPROJECT, "types"))
    session.run("mypy", "--strict", *_source_folders(), *TYPED_TESTS, *session.posargs)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Every test but the official suite, with real programs built by real compilers.

    What an ISA's bytes do, and what a compiled program does beside Node or wasmtime, depends on no version of Python: the
    first version tests that for all.
    """
    _install(session, "test", "compilers")
    others = [] if session.python == FOUND[0] else [f"--ignore={path}" for path in FIRST_ONLY]
    session.run("python", "-m", "pytest", *IN_PARALLEL, "--ignore=tests/conformance", *others, *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """What the default run leaves out or does at a smaller count: heavy programs, 10,000 mutants, 10,000 generated modules."""
    _install(session, "test", "compilers")
    elsewhere = ("--ignore=tests/conformance", "--ignore=tests/go_stdlib")
    session.run("python", "-m", "pytest", "-m", "slow", *elsewhere, *session.posargs)
    folders = ("tests/fuzz/test_decode_never_crashes.py", "tests/differential")
    session.run("python", "-m", "pytest", *folders, env={"WAZERO_FUZZ_COUNT": "10000"})


@nox.session
def go_stdlib(session: nox.Session) -> None:
    """Go's own tests of its standard library, all of them, beside wasmtime and Node; the default run has a few packages."""
    _install(session, "test", "compilers")
    # Some packages take longer on the portable engine than a test may otherwise.
    options = ("-m", "slow or not slow", "--timeout", "2400", "-o", "faulthandler_timeout=3000")
    session.run("python", "-m", "pytest", "tests/go_stdlib", *options, *session.posargs)


@nox.session(python=PYTHONS)
def conformance(session: nox.Session) -> None:
    """The official .wast scripts (folder: WAZERO_TESTSUITE)."""
    _install(session, "test")
    session.run("python", "-m", "pytest", "tests/conformance", *session.posargs)
    if session.python == FOUND[0]:  # the native engine where memories cannot be guarded
        arguments = ("tests/conformance/test_wast.py", "-k", "[jit")
        session.run("python", "-m", "pytest", *arguments, env={"WAZERO_JIT_MEMORY": "checked"})


# --- Benchmarks -----------------------------------------------------------------------------------------------------


@nox.session
def bench(session: nox.Session) -> None:
    """Benchmarks, timed, side by side with peers. Not part of the default run: a busy machine makes no figures."""
    _install(session, "bench", "peers", "compilers")
    session.run("python", "-m", "pytest", "benchmarks", "--benchmark-only", *session.posargs)


@nox.session
def bench_once(session: nox.Session) -> None:
    """Every benchmark once, untimed: they are tests too."""
    _install(session, "bench", "peers", "compilers")
    session.run("python", "-m", "pytest", "benchmarks", "--benchmark-disable", *session.posargs)


# --- Wheels ---------------------------------------------------------------------------------------------------------


class Combination(NamedTuple):
    """What a user may ask pip for, and the distributions that must then be there, no more and no fewer."""

    name: str
    requirement: str
    installed: tuple[str, ...]


COMBINATIONS = (
    Combination("api", "wazero-api", ("api",)),
    Combination("core", "wazero-core", ("api", "core")),
    Combination("jit", "wazero-jit", ("api", "jit")),
    Combination("wasi", "wazero-core[wasi]", ("api", "core", "wasi")),
    Combination("gojs", "wazero-core[gojs]", ("api", "core", "gojs")),
    Combination("all", "wazero-core[all]", PACKAGES),
)


@nox.session
def wheels(session: nox.Session) -> None:
    """Build the five wheels, check them, and smoke-test every useful combination in an empty environment."""
    session.install(*dependency_groups(PYPROJECT, "build"))
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    for name in PACKAGES:
        with session.chdir(ROOT / f"packages/wazero-{name}"):
            session.run("python", "-m", "hatchling", "build", "-t", "wheel", "-d", str(dist), silent=True)
    _check_wheels(session, dist)
    for combination in COMBINATIONS:
        _smoke(session, dist, combination)


def _check_wheels(session: nox.Session, dist: Path) -> None:
    """Five pure wheels, each with its license and type marker, and small."""
    built = sorted(dist.glob("*.whl"))
    if [wheel.name.split("-")[0] for wheel in built] != sorted(f"wazero_{name}" for name in PACKAGES):
        session.error(f"expected one wheel a package, got {[wheel.name for wheel in built]}")
    for wheel in built:
        session.log(f"{wheel.name}: {wheel.stat().st_size:,} bytes")
        if not wheel.name.endswith("-py3-none-any.whl"):
            session.error(f"{wheel.name} is not py3-none-any")
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
        for wanted in ("/licenses/LICENSE", "/py.typed"):
            if not any(name.endswith(wanted) for name in names):
                session.error(f"{wheel.name} lacks {wanted}")
    total = sum(wheel.stat().st_size for wheel in built)
    session.log(f"all wheels: {total:,} bytes")
    if total >= WHEELS_LIMIT_BYTES:
        session.error(f"the wheels have {total:,} bytes, not less than {WHEELS_LIMIT_BYTES:,}")


def _smoke(session: nox.Session, dist: Path, combination: Combination) -> None:
    """Install from the wheels alone into an environment without even pip, and run the combination's script there."""
    home = Path(session.create_tmp()).resolve() / combination.name
    session.run("python", "-m", "venv", "--clear", "--without-pip", str(home))
    python = str(home / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    options = ("--isolated", "--no-index", "--find-links", str(dist), "--no-cache-dir", "--quiet")
    session.run("python", "-m", "pip", "--python", python, "install", *options, combination.requirement)
    script = ROOT / f"tests/wheels/smoke_{combination.name}.py"
    with session.chdir(home):  # away from the checkout: only what was installed can be imported
        session.run(python, "-E", "-s", str(script), *combination.installed, external=True)


# --- Example --------------------------------------------------------------------------------------------------------


@nox.session
def example(session: nox.Session) -> None:
    """Build examples/hello/hello.c for WASI and run it: the main job, from nothing but Python."""
    _install(session, "example", packages=("api", "core", "wasi"))
    guest = CACHE / "examples" / "hello.wasm"
    guest.parent.mkdir(parents=True, exist_ok=True)
    compiler = ("python", "-m", "ziglang", "cc", "-target", "wasm32-wasi", "-Os")
    session.run(*compiler, "-o", str(guest), "examples/hello/hello.c")
    session.run("wazero", "run", "-env", "GREETING=Hello", str(guest), *(session.posargs or ["world"]))
