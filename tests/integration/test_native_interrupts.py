"""What stops machine code that would run for ever: Ctrl-C, deadlines, closing."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

from integration.runtimes import ANONYMOUS, NATIVE, needs_jit, new_runtime, start_python, wasm
from wazero_api import DeadlineExceededError, ExitError, ValueType
from wazero_core import Module, Runtime, RuntimeConfig

pytestmark = needs_jit

ENDLESS: Final = """
(module
  (import "env" "host" (func $host))
  (import "env" "spin" (func $host_spin))
  (memory 1)
  (table funcref (elem $nothing))
  (func $nothing)
  (func $spin (export "spin") (loop (br 0)))
  (func (export "recurse") (call $deep (i32.const 100)))
  (func $deep (param i32)
    (if (local.get 0)
      (then (call $deep (i32.sub (local.get 0) (i32.const 1)))
            (call $deep (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "call_host") (loop (call $host) (br 0)))
  (func (export "call_indirect") (loop (call_indirect (i32.const 0)) (br 0)))
  (func (export "nest") (call $host_spin))
  (func (export "fill") (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (br 0)))
  (func (export "floats") (local f64)
    (loop (local.set 0 (f64.add (local.get 0) (f64.const 1))) (br 0)))
  (func (export "answer") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 6))))
"""
"""All exports but the last run for ever, or for 2**100 calls."""
ENDLESS_EXPORTS: Final = ("spin", "recurse", "call_host", "call_indirect", "nest", "fill", "floats")


def instantiate(runtime: Runtime) -> Module:
    """An instance of `ENDLESS`, whose imports are "host", which does nothing, and "spin", which calls that export."""
    host = runtime.new_host_module_builder("env")
    host.new_function_builder().with_raw_function(lambda: None, [], []).export("host")
    host.new_function_builder().with_raw_module_function(lambda module: module.exports.spin(), [], []).export("spin")
    host.instantiate()
    return runtime.instantiate(wasm(ENDLESS), ANONYMOUS)


@pytest.fixture(params=NATIVE)
def module(request: pytest.FixtureRequest) -> Iterator[Module]:
    with new_runtime(request.param) as runtime:
        yield instantiate(runtime)


# Ctrl-C

INTERRUPTED: Final = """
import threading
from integration.runtimes import new_runtime
from integration.test_native_interrupts import instantiate

exports = instantiate(new_runtime("jit")).exports

def spin_in_python():
    while True:
        pass

if sys.argv[1] == "busy":
    threading.Thread(target=spin_in_python, daemon=True).start()
for name in sys.argv[2:]:
    try:
        print("ready", flush=True)
        exports[name]()
    except KeyboardInterrupt:
        print(name, exports.answer(7), flush=True)
print("end")
"""


@pytest.mark.parametrize("other_thread", ["busy", "none"])
def test_ctrl_c(other_thread: str) -> None:
    """Within 0.2 s on an idle machine: here the bound is what a user would notice. The instance is of use afterwards."""
    names = (*ENDLESS_EXPORTS, "spin", "nest")
    with start_python(INTERRUPTED, other_thread, *names) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            for number, name in enumerate(names):
                assert process.stdout.readline() == "ready\n"
                time.sleep(0.02 + 0.1 * (number % 2))  # as long as the GIL is held, and when it was released
                start = time.monotonic()
                process.send_signal(signal.SIGINT)
                assert process.stdout.readline() == f"{name} 42\n"
                assert time.monotonic() - start < 2
            assert (process.stdout.read(), process.stderr.read(), process.wait()) == ("end\n", "", 0)
        finally:
            process.kill()


def test_signal_handlers_that_return(module: Module) -> None:
    """They run while wasm code does, may call it, and it goes on afterwards."""
    answers: list[int] = []
    module.exports.answer(1)

    def handle(*_: object) -> None:
        answers.append(module.exports.answer(len(answers)))
        if len(answers) == 5:
            module.close_with_exit_code(3)
        signal.setitimer(signal.ITIMER_REAL, 0.02)

    before = signal.signal(signal.SIGALRM, handle)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(ExitError):
            module.exports.floats()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert answers == [0, 6, 12, 18, 24]


# Deadlines


@pytest.mark.parametrize("name", ENDLESS_EXPORTS)
def test_a_timeout_stops_the_call_only(name: str, module: Module) -> None:
    function: Any = module.exported_function(name)
    start = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        function.call(timeout=0.05)
    assert 0.05 <= time.monotonic() - start < 2
    assert module.exports.answer(7) == 42
    assert not module.is_closed


def test_timeouts_in_another_thread(module: Module) -> None:
    """Where no signal is delivered, and the main thread waits."""
    ends: list[object] = []

    def run() -> None:
        function: Any = module.exported_function("spin")
        try:
            function.call(timeout=0.03)
        except DeadlineExceededError:
            ends.append(module.exports.answer(7))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(5)
    assert ends == [42]


@pytest.mark.parametrize("timeout", [0, -1, 1e-9])
def test_a_timeout_that_is_over_at_once(timeout: float, module: Module) -> None:
    function: Any = module.exported_function("spin")
    with pytest.raises(DeadlineExceededError):
        function.call(timeout=timeout)
    assert module.exports.answer(7) == 42


def test_timeouts_that_are_never_over(module: Module) -> None:
    function: Any = module.exported_function("answer")
    assert [function.call(7, timeout=timeout) for timeout in (1, 1e9, 1e300, float("inf"))] == [42] * 4


def test_a_timeout_of_instantiation(module: Module) -> None:
    runtime = module._runtime
    for text in (
        "(module $m (func $f (loop (br 0))) (start $f))",
        '(module $m (func (export "_start") (loop (br 0))))',
    ):
        with pytest.raises(DeadlineExceededError):
            runtime.instantiate(wasm(text), timeout=0.03)
        assert runtime.module("m") is None
    assert module.exports.answer(7) == 42


@pytest.mark.parametrize("engine", NATIVE)
def test_a_timeout_closes_the_module_where_that_was_asked_for(engine: str) -> None:
    with new_runtime(engine, RuntimeConfig().with_close_on_context_done(True)) as runtime:
        module = instantiate(runtime)
        function: Any = module.exported_function("nest")
        with pytest.raises(DeadlineExceededError):
            function.call(timeout=0.03)
        assert module.exit_code == 0xEFFFFFFF
        with pytest.raises(ExitError):
            module.exports.answer(1)


@pytest.mark.parametrize("engine", NATIVE)
def test_the_timeout_of_the_config(engine: str) -> None:
    with new_runtime(engine, RuntimeConfig().with_call_timeout(0.03)) as runtime:
        module = instantiate(runtime)
        with pytest.raises(DeadlineExceededError):
            module.exports.floats()
        assert module.exports.answer(7) == 42


def test_nested_timeouts(module: Module) -> None:
    """The inner one ends the inner call; the outer one still counts, also where a host function swallowed its error."""
    ends: list[str] = []
    limits = {"short": 0.03, "long": 60.0}

    def host(caller: Module, inner: int) -> None:
        spin: Any = module.exported_function("spin")
        try:
            spin.call(timeout=limits["long" if inner else "short"])
        except DeadlineExceededError:
            ends.append("inner")

    builder = module._runtime.new_host_module_builder("nesting").new_function_builder()
    builder.with_raw_module_function(host, [ValueType.I32], []).export("host").instantiate()
    text = """(module (import "nesting" "host" (func $host (param i32)))
      (func (export "f") (param i32) (call $host (local.get 0)) (loop (br 0))))"""
    function: Any = module._runtime.instantiate(wasm(text), ANONYMOUS).exported_function("f")
    for inner in (0, 1):
        with pytest.raises(DeadlineExceededError):
            function.call(inner, timeout=0.1)
    assert ends == ["inner", "inner"]


# Closing


@pytest.mark.parametrize("name", ENDLESS_EXPORTS)
def test_closing_from_another_thread(name: str, module: Module) -> None:
    timer = threading.Timer(0.03, module.close_with_exit_code, (7,))
    timer.start()
    with pytest.raises(ExitError) as caught:
        module.exports[name]()
    timer.join()
    assert caught.value.exit_code == 7
    with pytest.raises(ExitError):
        module.exports.answer(1)


def test_closing_leaves_other_instances_alone(module: Module) -> None:
    other = module._runtime.instantiate(wasm(ENDLESS), ANONYMOUS)
    threading.Timer(0.02, module.close).start()
    threading.Timer(0.08, other.close_with_exit_code, (5,)).start()
    start = time.monotonic()
    with pytest.raises(ExitError) as caught:
        other.exports.floats()
    assert caught.value.exit_code == 5
    assert time.monotonic() - start >= 0.07


def test_closing_an_instance_that_is_below_another_on_the_stack(module: Module) -> None:
    """Its frames wait for the host; when that comes back, they end."""
    other = module._runtime.instantiate(wasm(ENDLESS), ANONYMOUS)

    def host(_: Module) -> None:
        module.close_with_exit_code(4)
        assert other.exports.answer(7) == 42

    builder = module._runtime.new_host_module_builder("closing").new_function_builder()
    builder.with_raw_module_function(host, [], []).export("host").instantiate()
    caller = module._runtime.instantiate(
        wasm('(module (import "closing" "host" (func $host)) (func (export "f") (call $host)))'), ANONYMOUS
    )
    assert caller.exports.f() is None
    with pytest.raises(ExitError):
        module.exports.answer(1)
    assert caller.exports.f() is None
