"""Compiling in several processes gives what one process gives, and fails as one does."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import wasmtime

from wazero_api import CORE_FEATURES_V1, InvalidModuleError, UnsupportedError
from wazero_core import CompiledModule, Runtime, RuntimeConfig
from wazero_core.runtime import parallel
from wazero_core.runtime.parallel import shares_of

COUNT = 40
FUNCTIONS = [
    f'(func (export "f{n}") (param i32) (result i32) {"(local.set 0 (i32.add (local.get 0) (i32.const 1)))" * (n + 1)} '
    f"{'(local.set 0 (i32.extend8_s (local.get 0)))' if n == COUNT - 1 else ''} (local.get 0))"
    for n in range(COUNT)
]
"""Each larger than the one before; the last one is invalid in WebAssembly 1.0."""

WASM = bytes(wasmtime.wat2wasm(f"(module {' '.join(FUNCTIONS)})"))


@pytest.fixture(params=["portable", "jit"])
def config(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> RuntimeConfig:
    config = RuntimeConfig(engine=request.param)
    try:
        Runtime(config)
    except UnsupportedError as error:
        pytest.skip(str(error))
    monkeypatch.setattr(parallel, "_SHARE_BYTES", 1)
    return config


@pytest.mark.parametrize(
    ("sizes", "count", "expected"),
    [
        ([], 2, [[], []]),
        ([5], 2, [[0], []]),
        ([1, 9, 1, 1], 2, [[1], [0, 2, 3]]),
        ([3, 3, 3, 3], 2, [[0, 2], [1, 3]]),
        ([0, 0, 4, 2, 2], 3, [[2], [0, 3], [1, 4]]),
    ],
)
def test_shares(sizes: list[int], count: int, expected: list[list[int]]) -> None:
    shares = shares_of(sizes, count)
    assert sorted(index for share in shares for index in share) == list(range(len(sizes)))
    assert sorted(sum(sizes[i] for i in share) for share in shares) == sorted(
        sum(sizes[i] for i in share) for share in expected
    )


@pytest.mark.parametrize("is_lazy", [False, True])
def test_all_is_compiled(config: RuntimeConfig, is_lazy: bool) -> None:
    runtime = Runtime(config.with_lazy_validation(is_lazy))
    compiled = runtime.compile_module(WASM)
    seen: list[tuple[int, int]] = []
    compiled.code.compile_functions([3])
    compiled.compile_all(lambda done, total: seen.append((done, total)), processes=2)
    assert compiled.code.compiled_count == COUNT
    assert compiled.validator.has_checked_bodies
    assert seen == sorted(seen)
    assert seen[-1] == (COUNT, COUNT)
    exports = runtime.instantiate_module(compiled).exports
    assert [exports[f"f{n}"](1) for n in range(COUNT)] == [n + 2 for n in range(COUNT)]


def test_nothing_is_started_for_nothing(config: RuntimeConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_compile_shares", None)
    runtime = Runtime(config)
    compiled = runtime.compile_module(WASM)
    compiled.compile_all()
    compiled.compile_all(processes=2)
    monkeypatch.setattr(parallel, "_SHARE_BYTES", 1_000_000)
    runtime.compile_module(WASM).compile_all(processes=2)
    monkeypatch.setattr(parallel, "_SHARE_BYTES", 1)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    runtime.compile_module(WASM).compile_all(processes=2)


@pytest.mark.parametrize("processes", [0, -1])
def test_at_least_one_process(config: RuntimeConfig, processes: int) -> None:
    with pytest.raises(ValueError, match=f"at least one process, not {processes}"):
        Runtime(config).compile_module(WASM).compile_all(processes=processes)


def test_errors_are_those_of_one_process(config: RuntimeConfig) -> None:
    lazy = config.with_core_features(CORE_FEATURES_V1).with_lazy_validation(True)
    messages = []
    for processes in (1, 2):
        with pytest.raises(InvalidModuleError) as caught:
            Runtime(lazy).compile_module(WASM).compile_all(processes=processes)
        messages.append((str(caught.value), caught.value.offset))
    assert messages[0] == messages[1]


def test_code_for_another_machine_is_left_out(config: RuntimeConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = Runtime(config).compile_module(WASM)
    monkeypatch.setattr(parallel, "environment_of", lambda engine, features: "another machine")
    compiled.compile_all(processes=2)
    assert compiled.code.compiled_count == COUNT


def test_a_process_that_dies_is_an_error(config: RuntimeConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_BOOT", "raise SystemExit(5)")
    with pytest.raises(RuntimeError, match="a compiling process died with status"):
        Runtime(config).compile_module(WASM).compile_all(processes=2)


def test_what_the_callback_raises_comes_out(config: RuntimeConfig) -> None:
    def give_up(done: int, total: int) -> None:
        raise LookupError(f"{done} of {total}")

    with pytest.raises(LookupError, match="of 40"):
        Runtime(config).compile_module(WASM).compile_all(give_up, processes=2)


def test_scripts_need_no_guard(config: RuntimeConfig, tmp_path: Path) -> None:
    """Unlike with multiprocessing, the main script is not run again; and what it prints does not disturb."""
    (tmp_path / "module.wasm").write_bytes(WASM)
    script = tmp_path / "script.py"
    script.write_text(
        "print('once', flush=True)\n"
        "from wazero_core import Runtime, RuntimeConfig\n"
        "from wazero_core.runtime import parallel\n"
        "parallel._SHARE_BYTES = 1\n"
        f"compiled = Runtime(RuntimeConfig(engine={config.engine!r})).compile_module(open('module.wasm', 'rb').read())\n"
        "compiled.compile_all(processes=2)\n"
        "print(compiled.code.compiled_count)\n",
        "utf-8",
    )
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == (f"once\n{COUNT}\n", "")


@pytest.mark.skipif(os.name == "nt", reason="signals are a matter of POSIX")
def test_ctrl_c_ends_all(config: RuntimeConfig, tmp_path: Path) -> None:
    (tmp_path / "module.wasm").write_bytes(WASM)
    code = (
        "import os, signal\n"
        "from wazero_core import Runtime, RuntimeConfig\n"
        "from wazero_core.runtime import parallel\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell may have us ignore it
        "parallel._SHARE_BYTES = 1\n"
        "parallel._BOOT = 'import time; time.sleep(60)'\n"
        f"compiled = Runtime(RuntimeConfig(engine={config.engine!r})).compile_module(open('module.wasm', 'rb').read())\n"
        "signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.3)\n"
        "compiled.compile_all(processes=2)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, timeout=30, check=False)
    assert done.stderr.rstrip().endswith(b"KeyboardInterrupt")
    assert done.returncode in {1, -signal.SIGINT, 130}


def test_the_code_survives_a_pickle_between(config: RuntimeConfig) -> None:
    restored: CompiledModule = pickle.loads(pickle.dumps(Runtime(config).compile_module(WASM)))
    restored.compile_all(processes=2)
    assert restored.code.compiled_count == COUNT
