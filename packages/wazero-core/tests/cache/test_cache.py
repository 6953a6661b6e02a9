"""What a second run gets from a cache, when it is written, and what can never come out of it."""

from __future__ import annotations

import gc
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import wasmtime

from wazero_api import CORE_FEATURES_V1, InvalidModuleError, UnsupportedError
from wazero_core import CompilationCache, CompiledModule, ModuleConfig, Runtime, RuntimeConfig
from wazero_core.cache import records

ANONYMOUS = ModuleConfig().with_name("")
TEXT = """(module
  (func $one (export "one") (result i32) (i32.const 1))
  (func $two (export "two") (result i32) (i32.add (call $one) (call $one)))
  (func (export "three") (result i32) (i32.add (call $one) (call $two))))"""
WASM = bytes(wasmtime.wat2wasm(TEXT))
INVALID = bytes.fromhex("0061736d01000000 0105016000017f 03030200000a09020400410 10b02000b".replace(" ", ""))
"""Two functions, of which the second gives no result."""

NewRuntime = Callable[..., Runtime]


@pytest.fixture(params=["portable", "jit"])
def engine(request: pytest.FixtureRequest) -> str:
    try:
        Runtime(RuntimeConfig(engine=request.param))
    except UnsupportedError as error:
        pytest.skip(str(error))
    return str(request.param)


@pytest.fixture
def cache(tmp_path: Path) -> CompilationCache:
    return CompilationCache(tmp_path / "cache")


@pytest.fixture
def new_runtime(engine: str, cache: CompilationCache) -> NewRuntime:
    """With a `CompilationCache` of its own on the same directory, as another process would have."""

    def make(**changes: Any) -> Runtime:
        assert cache.directory is not None
        own = CompilationCache(cache.directory)
        return Runtime(RuntimeConfig(engine=engine, compilation_cache=own, **changes))

    return make


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Gets an item for each body that is checked."""
    from wazero_core.validation.body import BodyChecker

    seen: list[int] = []
    original = BodyChecker.check

    def check(self: BodyChecker, type: Any, body: Any) -> list[bytes]:
        seen.append(body.offset)
        return original(self, type, body)

    monkeypatch.setattr(BodyChecker, "check", check)
    return seen


def entries(cache: CompilationCache) -> dict[str, bytes]:
    assert cache.directory is not None
    return {path.name: path.read_bytes() for path in Path(cache.directory).iterdir()}


def test_a_second_run_compiles_and_checks_nothing(
    new_runtime: NewRuntime, cache: CompilationCache, checked: list[int]
) -> None:
    with new_runtime() as runtime:
        compiled = runtime.compile_module(WASM)
        assert runtime.instantiate_module(compiled).exports.two() == 2
        assert compiled.code.compiled_count == 2
        assert entries(cache) == {}
    assert len(checked) >= 3
    assert len(entries(cache)) == 1
    checked.clear()
    with new_runtime() as runtime:
        compiled = runtime.compile_module(WASM)
        assert compiled.code.compiled_count == 2
        assert runtime.instantiate_module(compiled).exports.two() == 2
        assert checked == []
    before = entries(cache)
    with new_runtime() as runtime:
        assert runtime.instantiate(WASM).exports.three() == 3
    with new_runtime() as runtime:
        assert runtime.compile_module(WASM).code.compiled_count == 3
    assert len(entries(cache)) == 1
    assert entries(cache) != before


def test_what_adds_nothing_writes_nothing(new_runtime: NewRuntime, cache: CompilationCache) -> None:
    with new_runtime() as runtime:
        runtime.compile_module(WASM).compile_all()
    assert cache.directory is not None
    (file,) = Path(cache.directory).iterdir()
    before = file.stat().st_ino
    with new_runtime() as runtime:
        assert runtime.instantiate(WASM).exports.three() == 3
    assert file.stat().st_ino == before


def test_validity_alone_is_worth_an_entry(new_runtime: NewRuntime, checked: list[int]) -> None:
    with new_runtime() as runtime:
        runtime.compile_module(WASM)
    checked.clear()
    with new_runtime() as runtime:
        assert runtime.compile_module(WASM).code.compiled_count == 0
    assert checked == []


def test_lazy_validation_vouches_for_what_it_compiled_only(new_runtime: NewRuntime, checked: list[int]) -> None:
    with new_runtime(lazy_validation=True) as runtime:
        assert runtime.instantiate(WASM).exports.one() == 1
    checked.clear()
    with new_runtime() as runtime:
        assert runtime.compile_module(WASM).code.compiled_count == 1
    assert len(checked) == 3, "nobody had checked all of them"


def test_what_is_invalid_stays_so(new_runtime: NewRuntime, cache: CompilationCache) -> None:
    with new_runtime(lazy_validation=True) as runtime:
        runtime.compile_module(INVALID).code.compile_functions([0])
    for _ in range(2):
        with new_runtime() as runtime, pytest.raises(InvalidModuleError):
            runtime.compile_module(INVALID)
        with new_runtime(lazy_validation=True) as runtime, pytest.raises(InvalidModuleError):
            runtime.compile_module(INVALID).compile_all()
    assert len(entries(cache)) == 1


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda runtime, compiled, cache: compiled.close(), id="compiled module"),
        pytest.param(lambda runtime, compiled, cache: runtime.close(), id="runtime"),
        pytest.param(lambda runtime, compiled, cache: cache.close(), id="cache"),
    ],
)
def test_closing_any_of_them_writes(engine: str, cache: CompilationCache, end: Callable[..., None]) -> None:
    runtime = Runtime(RuntimeConfig(engine=engine).with_compilation_cache(cache))
    compiled = runtime.compile_module(WASM)
    runtime.instantiate_module(compiled).exports.one()
    end(runtime, compiled, cache)
    first = entries(cache)
    assert len(first) == 1
    runtime.close()
    assert entries(cache) == first


def test_a_module_that_nobody_holds_is_written_at_the_next_compilation(
    new_runtime: NewRuntime, cache: CompilationCache
) -> None:
    runtime = new_runtime()
    module = runtime.instantiate(WASM, ANONYMOUS)
    assert module.exports.one() == 1
    runtime.compile_module(bytes(wasmtime.wat2wasm("(module $other)")))
    assert entries(cache) == {}, "its instance may still compile"
    module.close()
    del module
    gc.collect()
    runtime.compile_module(bytes(wasmtime.wat2wasm("(module $another)")))
    assert len(entries(cache)) >= 1
    with new_runtime() as other:
        assert other.compile_module(WASM).code.compiled_count == 1


def test_short_lived_modules_leave_nothing_behind(new_runtime: NewRuntime) -> None:
    runtime = new_runtime()
    before = len(records._records)
    for _ in range(20):
        runtime.instantiate(WASM, ANONYMOUS).close()
        gc.collect()
    assert len(records._records) - before <= 2


@pytest.mark.parametrize("ending", ["", "raise SystemExit(3)", "raise ValueError"])
def test_the_end_of_the_interpreter_writes(engine: str, cache: CompilationCache, ending: str) -> None:
    code = (
        "from wazero_core import *\n"
        f"config = RuntimeConfig(engine={engine!r}, compilation_cache=CompilationCache({cache.directory!r}))\n"
        f"one = Runtime(config).instantiate({WASM!r}).exports.one\n"
        f"assert one() == 1\n{ending}"
    )
    subprocess.run([sys.executable, "-c", code], stderr=subprocess.DEVNULL, timeout=60, check=False)
    with Runtime(RuntimeConfig(engine=engine).with_compilation_cache(cache)) as runtime:
        assert runtime.compile_module(WASM).code.compiled_count == 1


def test_what_others_wrote_meanwhile_is_kept(new_runtime: NewRuntime) -> None:
    first, second = new_runtime(), new_runtime()
    one, two = first.compile_module(WASM), second.compile_module(WASM)
    one.code.compile_functions([0])
    two.code.compile_functions([2])
    one.close()
    two.close()
    with new_runtime() as runtime:
        assert runtime.compile_module(WASM).code.compiled_count == 2


def test_a_cache_without_a_directory_is_shared_at_once(engine: str) -> None:
    config = RuntimeConfig(engine=engine).with_compilation_cache(CompilationCache())
    first, second = Runtime(config), Runtime(config)
    assert first.instantiate(WASM, ANONYMOUS).exports.two() == 2
    compiled = second.compile_module(WASM)
    assert compiled.code.compiled_count == 2
    assert second.instantiate_module(compiled).exports.three() == 3


def damaged(data: bytes) -> list[bytes]:
    return [b"", data[:20], data[:-1], data + b"x", bytes(len(data)), data[:-1] + bytes([data[-1] ^ 1])]


@pytest.mark.parametrize("number", range(6))
def test_damaged_entries_are_as_good_as_none(new_runtime: NewRuntime, cache: CompilationCache, number: int) -> None:
    with new_runtime() as runtime:
        runtime.compile_module(WASM).compile_all()
    assert cache.directory is not None
    (file,) = Path(cache.directory).iterdir()
    good = file.read_bytes()
    file.write_bytes(damaged(good)[number])
    with new_runtime() as runtime:
        compiled = runtime.compile_module(WASM)
        assert compiled.code.compiled_count == 0
        assert runtime.instantiate_module(compiled).exports.three() == 3
    with new_runtime() as runtime:
        assert runtime.compile_module(WASM).code.compiled_count == 3


def test_code_that_the_engine_cannot_read_is_as_good_as_none(
    new_runtime: NewRuntime, cache: CompilationCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_runtime() as runtime:
        compiled = runtime.compile_module(WASM)
        monkeypatch.setattr(type(compiled.code), "dump", lambda self: b"no code")
        compiled.compile_all()
    monkeypatch.undo()
    with new_runtime() as runtime:
        compiled = runtime.compile_module(WASM)
        assert compiled.code.compiled_count == 0
        compiled.compile_all()
    with new_runtime() as runtime:
        assert runtime.compile_module(WASM).code.compiled_count == 3


def compile_with(runtime: Runtime, wasm: bytes = WASM) -> CompiledModule:
    compiled = runtime.compile_module(wasm)
    compiled.compile_all()
    runtime.close()
    return compiled


def test_entries_depend_on_all_that_code_depends_on(
    new_runtime: NewRuntime, cache: CompilationCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    compile_with(new_runtime())
    assert len(entries(cache)) == 1
    compile_with(new_runtime(), bytes(wasmtime.wat2wasm(TEXT.replace("const 1", "const 2"))))
    assert len(entries(cache)) == 2
    compile_with(new_runtime(core_features=CORE_FEATURES_V1))
    assert len(entries(cache)) == 3
    monkeypatch.setattr("wazero_core.runtime.compiled.environment_of", lambda engine, features: "another processor")
    runtime = new_runtime()
    assert runtime.compile_module(WASM).code.compiled_count == 0
    compile_with(runtime)
    assert len(entries(cache)) == 4
    monkeypatch.undo()
    monkeypatch.setattr("wazero_core.runtime.engines.__version__", "99")
    compile_with(new_runtime())
    assert len(entries(cache)) == 5


def test_the_directory_is_made_for_its_owner(tmp_path: Path) -> None:
    cache = CompilationCache(tmp_path / "a" / "b")
    assert cache.directory == str(tmp_path / "a" / "b")
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    CompilationCache(str(tmp_path / "a" / "b"))


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match=r"file is a file, and a compilation cache needs a directory$"):
        CompilationCache(tmp_path / "file")
    with pytest.raises(OSError, match="file"):
        CompilationCache(tmp_path / "file" / "below")


def test_a_path_is_no_cache() -> None:
    with pytest.raises(TypeError, match=r"must be a CompilationCache\(directory\), not str"):
        RuntimeConfig().with_compilation_cache("/tmp/cache")  # type: ignore[arg-type]


def test_sizes_are_not_negative(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 0 bytes, not -1"):
        CompilationCache(tmp_path, max_bytes=-1)


def test_old_entries_make_room(tmp_path: Path, engine: str) -> None:
    with CompilationCache(tmp_path, max_bytes=5_000) as cache:
        runtime = Runtime(RuntimeConfig(engine=engine, compilation_cache=cache))
        for number in range(30):
            compiled = runtime.compile_module(bytes(wasmtime.wat2wasm(TEXT.replace("const 1", f"const {number}"))))
            compiled.compile_all()
            compiled.close()
    files = [path.stat().st_size for path in tmp_path.iterdir()]
    assert 0 < sum(files) <= 5_000
    assert len(files) < 30


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a matter of POSIX")
def test_a_forked_child_saves_what_it_compiled(engine: str, cache: CompilationCache) -> None:
    code = (
        "import os\nfrom wazero_core import *\n"
        f"config = RuntimeConfig(engine={engine!r}, compilation_cache=CompilationCache({cache.directory!r}))\n"
        f"runtime = Runtime(config)\nexports = runtime.instantiate({WASM!r}).exports\nexports.one()\n"
        "if os.fork():\n    os.wait()\nelse:\n    exports.two()\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], timeout=60, check=True)
    with Runtime(RuntimeConfig(engine=engine).with_compilation_cache(cache)) as runtime:
        assert runtime.compile_module(WASM).code.compiled_count == 2
