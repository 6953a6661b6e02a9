"""What the native engine takes of the process, and gives back; where it refuses to work, and says so."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from integration.runtimes import ANONYMOUS, NATIVE, needs_jit, new_runtime, start_python, wasm
from wazero_api import ExitError, Trap, UnsupportedError, ValueType
from wazero_core import Runtime, RuntimeConfig
from wazero_jit import JitEngine

MIB: Final = 1 << 20

WORK: Final = """(module
  (import "env" "host" (func $host (param i32) (result i32)))
  (memory (export "memory") 1 16) (table (export "table") 3 funcref) (global (export "object") (mut externref) (ref.null extern))
  (elem (i32.const 0) func $add $host)
  (func $add (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "touch") (param i32) (result i32)
    (memory.fill (i32.const 0) (local.get 0) (i32.const 65536)) (drop (memory.grow (i32.const 1)))
    (i32.store (i32.const 100000) (local.get 0)) (call $host (i32.load (i32.const 100000))))
  (func (export "keep") (param externref) (global.set 0 (local.get 0)))
  (func (export "take") (result funcref) (table.get 0 (i32.const 1)))
  (func (export "trap") (drop (i32.load (i32.const -1)))))"""


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def mapping_count() -> int:
    return Path("/proc/self/maps").read_text().count("\n")


def descriptor_count() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def executable_bytes() -> int:
    """Of machine code, at addresses where it can be run."""
    lines = [line.split() for line in Path("/proc/self/smaps").read_text().splitlines()]
    is_executable, total = False, 0
    for words in lines:
        if "-" in words[0]:
            is_executable = words[1].startswith("r-xs")
        elif is_executable and words[0] == "Rss:":
            total += int(words[1]) * 1024
    return total


def assert_flat(cycle: Callable[[int], object], count: int) -> None:
    """`count` cycles, after some others, must not enlarge what the process takes."""
    for number in range(count // 3):
        cycle(number)
    gc.collect()
    before = resident_bytes(), executable_bytes(), mapping_count(), descriptor_count()
    for number in range(count):
        cycle(number)
    gc.collect()
    after = resident_bytes(), executable_bytes(), mapping_count(), descriptor_count()
    memory, executable, mappings, files = (new - old for new, old in zip(after, before, strict=True))
    assert memory < 3 * MIB
    assert executable < MIB // 4
    assert mappings < 10
    assert files <= 0


@pytest.fixture(params=NATIVE)
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    with new_runtime(request.param) as runtime:
        builder = runtime.new_host_module_builder("env").new_function_builder()
        i32 = ValueType.I32
        builder.with_raw_module_function(lambda module, value: value, [i32], [i32]).export("host").instantiate()
        yield runtime


def use(exports: Any, number: int) -> None:
    assert exports.add(number, 1) == number + 1
    assert exports.touch(number & 0xFF) == number & 0xFF
    exports.keep([number])
    assert exports.take()(5) == 5
    with pytest.raises(Trap):
        exports.trap()


@needs_jit
def test_instances_come_and_go(runtime: Runtime) -> None:
    compiled = runtime.compile_module(wasm(WORK))

    def cycle(number: int) -> None:
        with runtime.instantiate_module(compiled, ANONYMOUS) as module:
            use(module.exports, number)

    assert_flat(cycle, 300)


@needs_jit
def test_instances_that_nobody_closes_come_and_go(runtime: Runtime) -> None:
    """The garbage collector finds them, when their runtime is gone."""

    def cycle(number: int) -> None:
        own = Runtime(runtime.config)
        own.engine = runtime.engine
        host = own.new_host_module_builder("env").new_function_builder()
        host.with_raw_function(lambda value: value, [ValueType.I32], [ValueType.I32]).export("host").instantiate()
        use(own.instantiate(wasm(WORK), ANONYMOUS).exports, number)
        if number % 20 == 0:
            gc.collect()

    assert_flat(cycle, 200)


@needs_jit
def test_modules_come_and_go(runtime: Runtime) -> None:
    """Thousands of different ones, compiled to machine code and run; the code goes with them."""
    binaries = [wasm(WORK.replace("i32.const 100000", f"i32.const {100_000 + n}")) for n in range(50)]

    def cycle(number: int) -> None:
        compiled = runtime.compile_module(binaries[number % len(binaries)])
        compiled.compile_all()
        if number % 10 == 0:
            with runtime.instantiate_module(compiled, ANONYMOUS) as module:
                use(module.exports, number)
        compiled.close()

    assert_flat(cycle, 1000)


@needs_jit
def test_large_modules_come_and_go(runtime: Runtime) -> None:
    """Their code fills many pages, which are used again."""
    body = "(local.set 0 (i32.add (i32.mul (local.get 0) (i32.const 12345)) (i32.const 1)))" * 200
    functions = "".join(f'(func (export "f{n}") (param i32) (result i32) {body} (local.get 0))' for n in range(40))
    binary = wasm(f"(module {functions})")

    def cycle(number: int) -> None:
        compiled = runtime.compile_module(binary)
        compiled.compile_all()
        with runtime.instantiate_module(compiled, ANONYMOUS) as module:
            assert isinstance(module.exports.f39(number), int)

    assert_flat(cycle, 20)


@needs_jit
def test_failed_instantiations_leave_nothing(runtime: Runtime) -> None:
    texts = (
        '(module (memory 1) (data (i32.const 65536) "x"))',
        "(module (memory 1) (func $f unreachable) (start $f))",
        '(module (memory 1) (func (export "_start") unreachable))',
    )  # fmt: skip

    def cycle(number: int) -> None:
        with pytest.raises(Trap):
            runtime.instantiate(wasm(texts[number % len(texts)]), ANONYMOUS)

    assert_flat(cycle, 300)


@needs_jit
def test_threads_come_and_go(runtime: Runtime) -> None:
    exports = runtime.instantiate(wasm(WORK), ANONYMOUS).exports

    def cycle(number: int) -> None:
        thread = threading.Thread(target=exports.add, args=(number, 1))
        thread.start()
        thread.join()

    assert_flat(cycle, 300)


@needs_jit
def test_closing_gives_memory_back_at_once(runtime: Runtime) -> None:
    text = """(module (memory 512)
      (func (export "touch") (memory.fill (i32.const 0) (i32.const 1) (i32.const 0x2000000))))"""
    module = runtime.instantiate(wasm(text), ANONYMOUS)
    module.exports.touch()
    used = resident_bytes()
    module.close()
    assert used - resident_bytes() > 30 * MIB


@needs_jit
def test_two_threads_run_side_by_side(runtime: Runtime) -> None:
    """And a third one in Python: all of them end."""
    text = """(module (func (export "count") (param i32) (result i32)
      (loop (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br_if 0 (local.get 0))) (local.get 0)))"""
    compiled = runtime.compile_module(wasm(text))
    results: list[int] = []

    def count() -> None:
        results.append(runtime.instantiate_module(compiled, ANONYMOUS).exports.count(50_000_000))

    threads = [threading.Thread(target=count) for _ in range(2)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        sum(range(100))
    assert results == [0, 0]


# Choosing an engine

NAME: Final = "from wazero_core import Runtime, RuntimeConfig; print(Runtime().engine.name, {})"


@needs_jit
@pytest.mark.parametrize(
    ("variable", "expected"), [("", "jit"), ("jit", "jit"), ("portable", "portable")], ids=["unset", "jit", "portable"]
)
def test_the_environment_names_the_engine(variable: str, expected: str) -> None:
    """Where the config leaves it open, and only there."""
    named = "Runtime(RuntimeConfig.compiler()).engine.name, Runtime(RuntimeConfig.interpreter()).engine.name"
    with start_python(NAME.format(named), WAZERO_ENGINE=variable) as process:
        output, errors = process.communicate(timeout=30)
    assert output == f"{expected} jit portable\n", errors


def test_the_environment_names_no_engine_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAZERO_ENGINE", "hamster")
    with pytest.raises(UnsupportedError, match='no engine named "hamster" is installed'):
        Runtime()


def test_an_engine_that_does_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default is the portable one then; whoever demands the compiler is told why not, also by way of the environment."""
    monkeypatch.delenv("WAZERO_ENGINE", raising=False)
    monkeypatch.setattr(JitEngine, "probe", lambda self: "it is Friday")
    assert Runtime().engine.name == "portable"
    with pytest.raises(UnsupportedError, match=r'^the engine "jit" does not work here: it is Friday$'):
        Runtime(RuntimeConfig.compiler())
    monkeypatch.setenv("WAZERO_ENGINE", "jit")
    with pytest.raises(UnsupportedError, match="it is Friday"):
        Runtime()
    assert Runtime(RuntimeConfig.interpreter()).engine.name == "portable"


@pytest.mark.parametrize(
    ("platform", "machine", "reason"),
    [
        ("win32", "AMD64", "it needs Linux on .*, and this is win32 on AMD64"),
        ("linux", "riscv64", "and this is linux on riscv64"),
    ],
)
def test_platforms_without_the_engine(
    platform: str, machine: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    uname = os.uname()
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr(os, "uname", lambda: os.uname_result((*uname[:4], machine)))
    with pytest.raises(UnsupportedError, match=reason):
        Runtime(RuntimeConfig.compiler())


@needs_jit
def test_memory_can_be_checked_instead_of_guarded() -> None:
    program = """
from integration.runtimes import wasm
from wazero_core import Runtime, RuntimeConfig
engine = Runtime(RuntimeConfig.compiler()).engine
print("checked" in engine.code_key)
"""
    for variable, expected in (("checked", "True"), ("", "False")):
        with start_python(program, WAZERO_JIT_MEMORY=variable) as process:
            output, errors = process.communicate(timeout=30)
        assert output == f"{expected}\n", errors


@needs_jit
def test_without_address_space_memory_is_checked() -> None:
    """8 GiB a memory are not to be had under `ulimit -v`: the engine works all the same."""
    program = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
from integration.test_native_memory import GROWING, traps
from integration.runtimes import wasm
from wazero_core import Runtime, RuntimeConfig
runtime = Runtime(RuntimeConfig.compiler())
exports = runtime.instantiate(wasm(GROWING)).exports
assert traps(exports.load, 65536) and exports.grow(1) == 1 and exports.load(65536) == 0
print(runtime.engine.code_key.endswith("checked"))
"""
    with start_python(program) as process:
        output, errors = process.communicate(timeout=30)
    assert output == "True\n", errors


SUBINTERPRETERS: Final = """
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
print("ready")
program = f'''
import sys
sys.path[:] = {sys.path!r}
from wazero_api import UnsupportedError
from wazero_core import Runtime, RuntimeConfig
print(Runtime().engine.name)
try:
    Runtime(RuntimeConfig.compiler())
except UnsupportedError as error:
    print(str(error).partition(':')[0], flush=True)
'''
print(interpreters.run_string(interpreters.create(), program))
from wazero_core import Runtime
print(Runtime().engine.name)
"""


@needs_jit
def test_sub_interpreters_get_the_portable_engine() -> None:
    with start_python(SUBINTERPRETERS) as process:
        output, errors = process.communicate(timeout=60)
    if not output.startswith("ready"):
        pytest.skip("no module for sub-interpreters")
    assert output.splitlines()[1:] == ["portable", 'the engine "jit" does not work here', "None", "jit"], errors


# Ends of the process


@needs_jit
@pytest.mark.parametrize("state", ["idle", "running", "closing"])
def test_the_process_ends_while_daemon_threads_run_wasm(state: str) -> None:
    program = """
import threading, time
from integration.runtimes import new_runtime, wasm
module = new_runtime("jit").instantiate(wasm('(module (func (export "spin") (loop (br 0))) (func (export "f")))'))
module.exports.f()
if sys.argv[1] != "idle":
    for _ in range(3):
        threading.Thread(target=module.exports.spin, daemon=True).start()
    time.sleep(0.05)
if sys.argv[1] == "closing":
    threading.excepthook = lambda args: None
    module.close()
print("end")
"""
    with start_python(program, state) as process:
        assert process.communicate(timeout=30) == ("end\n", "")
        assert process.returncode == 0


@needs_jit
def test_exit_handlers_may_call_wasm() -> None:
    program = """
import atexit
from integration.runtimes import new_runtime, wasm
module = new_runtime("jit").instantiate(wasm('(module (func (export "f") (result i32) i32.const 5))'))
atexit.register(lambda: print(module.exports.f()))
"""
    with start_python(program) as process:
        assert process.communicate(timeout=30) == ("5\n", "")


@needs_jit
def test_a_forked_child_calls_wasm(runtime: Runtime) -> None:
    """And closes, compiles and is interrupted there; the parent goes on."""
    exports = runtime.instantiate(wasm(WORK), ANONYMOUS).exports
    spinner = runtime.instantiate(wasm('(module (func (export "spin") (loop (br 0))))'), ANONYMOUS)
    exports.add(1, 1)
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            use(exports, 7)
            use(runtime.instantiate(wasm(WORK), ANONYMOUS).exports, 8)
            threading.Timer(0.05, spinner.close).start()
            try:
                spinner.exports.spin()
            except ExitError:
                status = 0
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0
    use(exports, 9)
    assert not spinner.is_closed


@needs_jit
def test_a_child_started_by_subprocess(runtime: Runtime) -> None:
    """While wasm runs in another thread, as programs that make subprocesses do."""
    spinner = runtime.instantiate(wasm('(module (func (export "spin") (loop (br 0))))'), ANONYMOUS)

    def spin() -> None:
        with pytest.raises(ExitError):
            spinner.exports.spin()

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        for _ in range(5):
            assert subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, check=True).stdout == b"1\n"
    finally:
        spinner.close()
        thread.join()
