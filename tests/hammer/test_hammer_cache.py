"""The compilation cache under many writers, in threads and in processes: right results, whole entries, no exception."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import wasmtime

from hammer.hammer import SHORT, N, P, hammer
from wazero_api import UnsupportedError
from wazero_core import CompilationCache, ModuleConfig, Runtime, RuntimeConfig
from wazero_core.cache.entry import KEY_BYTES, Entry
from wazero_core.cache.stores import DirectoryStore, MemoryStore, Store

ANONYMOUS = ModuleConfig().with_name("")
FUNCTIONS = 8
MODULES = [
    bytes(
        wasmtime.wat2wasm(
            "(module {})".format(
                " ".join(
                    f'(func (export "f{n}") (param i32) (result i32) (i32.add (local.get 0) (i32.const {100 * m + n})))'
                    for n in range(FUNCTIONS)
                )
            )
        )
    )
    for m in range(3)
]
"""Function n of module m adds 100 m + n."""

PROCESSES = 2 if SHORT else 4
ROUNDS = 5 if SHORT else 20


@pytest.fixture(params=["portable", "jit"])
def engine(request: pytest.FixtureRequest) -> str:
    try:
        Runtime(RuntimeConfig(engine=request.param))
    except UnsupportedError as error:
        pytest.skip(str(error))
    return str(request.param)


def use(config: RuntimeConfig, m: int, n: int, *, is_closed: bool) -> None:
    """What a program does that runs one function of one module."""
    runtime = Runtime(config)
    compiled = runtime.compile_module(MODULES[m])
    assert runtime.instantiate_module(compiled, ANONYMOUS).exports[f"f{n}"](1) == 100 * m + n + 1
    if is_closed:
        compiled.close()
        runtime.close()


def check_directory(directory: Path, engine: str) -> None:
    """Nothing unfinished is left, and what is there is of use."""
    assert [path.name for path in directory.iterdir() if path.suffix != ".wazero-code"] == []
    config = RuntimeConfig(engine=engine).with_compilation_cache(CompilationCache(directory))
    for m in range(len(MODULES)):
        for n in range(FUNCTIONS):
            use(config, m, n, is_closed=True)
    with Runtime(config) as runtime:
        assert [runtime.compile_module(wasm).code.compiled_count for wasm in MODULES] == [FUNCTIONS] * len(MODULES)


@pytest.mark.parametrize("kind", ["directory", "memory"])
def test_stores_hammer(kind: str, tmp_path: Path) -> None:
    """Whoever reads finds one of the entries that were written, whole, or none; also while old ones make room."""
    store: Store = DirectoryStore(str(tmp_path), 6000) if kind == "directory" else MemoryStore(6000)
    keys = [bytes([number]) * KEY_BYTES for number in range(5)]

    def body(p: int, n: int) -> None:
        key = keys[(p + n) % len(keys)]
        if p % 2:
            size = 500 + 100 * ((p + n) % 10)
            store.write(key, Entry(bytes([size // 100]) * size, is_validated=bool(n % 2)))
        else:
            entry = store.read(key)
            assert entry is None or entry.code == bytes([len(entry.code) // 100]) * len(entry.code)
            store.header(key)

    hammer(body, n=N // 2)
    if kind == "directory":
        files = list(tmp_path.iterdir())
        assert all(path.suffix == ".wazero-code" for path in files)
        store.write(keys[0], Entry(b"last", is_validated=False))
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 6000


def test_caches_of_one_directory_hammer(engine: str, tmp_path: Path) -> None:
    """As many caches as threads, each as if in a process of its own; some leave it to others to write for them."""
    configs = [RuntimeConfig(engine=engine).with_compilation_cache(CompilationCache(tmp_path)) for _ in range(P)]

    def body(p: int, n: int) -> None:
        use(configs[p], n % len(MODULES), (p + n) % FUNCTIONS, is_closed=n % 3 > 0)

    hammer(body, n=N // 20)
    check_directory(tmp_path, engine)


def test_one_cache_of_many_runtimes_hammer(engine: str) -> None:
    config = RuntimeConfig(engine=engine).with_compilation_cache(CompilationCache())

    def body(p: int, n: int) -> None:
        use(config, n % len(MODULES), (p + n) % FUNCTIONS, is_closed=n % 3 > 0)

    hammer(body, n=N // 20)


def test_one_module_is_closed_while_others_compile_it_hammer(engine: str, tmp_path: Path) -> None:
    config = RuntimeConfig(engine=engine).with_compilation_cache(CompilationCache(tmp_path))
    runtimes = [Runtime(config) for _ in range(max(2, N // 50))]
    modules = [runtime.compile_module(MODULES[0]) for runtime in runtimes]

    def body(p: int, n: int) -> None:
        if p % 4 == 0:
            modules[n].close()
        elif p % 4 == 1:
            assert runtimes[n].deserialize(modules[n].serialize(b"key"), key=b"key").wasm == MODULES[0]
        else:
            module = runtimes[n].instantiate_module(modules[n], ANONYMOUS)
            assert [module.exports[f"f{i}"](1) for i in range(FUNCTIONS)] == list(range(1, FUNCTIONS + 1))

    hammer(body, n=len(modules))
    for runtime in runtimes:
        runtime.close()
    check_directory(tmp_path, engine)


PROGRAM = """
import random, sys
sys.path[:] = {path!r}
from hammer.test_hammer_cache import ANONYMOUS, FUNCTIONS, MODULES, use
from wazero_core import CompilationCache, RuntimeConfig
random.seed({seed})
config = RuntimeConfig(engine={engine!r}).with_compilation_cache(CompilationCache({directory!r}, max_bytes={max_bytes}))
for _ in range({rounds}):
    use(config, random.randrange(len(MODULES)), random.randrange(FUNCTIONS), is_closed=random.random() < 0.7)
"""


@pytest.mark.parametrize("max_bytes", [1 << 20, 3000], ids=["roomy", "crowded"])
def test_processes_hammer(engine: str, tmp_path: Path, max_bytes: int) -> None:
    """Processes compile, read and write the same entries, while a vandal cuts, changes and removes files."""
    path = [str(Path(__file__).parents[1]), *sys.path]
    programs = [
        PROGRAM.format(path=path, seed=seed, engine=engine, directory=str(tmp_path), max_bytes=max_bytes, rounds=ROUNDS)
        for seed in range(PROCESSES)
    ]
    processes = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for program in programs
    ]
    is_over = threading.Event()
    vandal = threading.Thread(target=vandalise, args=(tmp_path, is_over))
    vandal.start()
    try:
        outputs = [process.communicate(timeout=120)[0] for process in processes]
    finally:
        is_over.set()
        vandal.join()
        for process in processes:
            process.kill()
    assert [(process.returncode, output) for process, output in zip(processes, outputs, strict=True)] == [
        (0, "")
    ] * PROCESSES
    check_directory(tmp_path, engine)


def vandalise(directory: Path, is_over: threading.Event) -> None:
    choose = random.Random(1)
    while not is_over.wait(0.005):
        files = sorted(directory.iterdir())
        if not files:
            continue
        file = choose.choice(files)
        try:
            match choose.randrange(4):
                case 0:
                    file.unlink()
                case 1:
                    file.write_bytes(file.read_bytes()[: choose.randrange(200)])
                case 2:
                    data = bytearray(file.read_bytes())
                    data[choose.randrange(len(data))] ^= 1
                    file.write_bytes(data)
                case 3:
                    file.write_bytes(choose.randbytes(choose.randrange(300)))
        except (OSError, ValueError):  # another one was faster, or there was nothing to change
            pass
