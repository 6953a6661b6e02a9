"""Ends of calls and instances: timeouts, closing, exits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
import wasmtime

from wazero_api import DeadlineExceededError, ExitError, LinkError
from wazero_core import Module, ModuleConfig, Runtime, RuntimeConfig

ANONYMOUS = ModuleConfig().with_name("")
LOOPS = """(module (memory 1)
  (func (export "spin") (loop (br 0)))
  (func (export "call") (loop (call $g) (br 0))) (func $g)
  (func $r (export "recurse") (param i32) (if (local.get 0) (then (call $r (i32.sub (local.get 0) (i32.const 1)))
     (call $r (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "ok") (result i32) (i32.const 5)))"""


def wasm(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(text))


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime(RuntimeConfig.interpreter()) as runtime:
        yield runtime


@pytest.mark.parametrize(("name", "arguments"), [("spin", ()), ("call", ()), ("recurse", (60,))])
def test_a_timeout_stops_the_call_only(name: str, arguments: tuple[int, ...], runtime: Runtime) -> None:
    module = runtime.instantiate(wasm(LOOPS))
    function = module.exported_function(name)
    assert function is not None
    start = time.monotonic()
    with pytest.raises(DeadlineExceededError) as caught:
        function.call(*arguments, timeout=0.05)
    assert time.monotonic() - start < 10
    assert "OSError" not in [kind.__name__ for kind in caught.type.__mro__], (
        "else host functions might make it an errno"
    )
    assert not module.is_closed
    assert module.exports.ok() == 5


def test_a_timeout_that_is_not_reached(runtime: Runtime) -> None:
    function = runtime.instantiate(wasm(LOOPS)).exported_function("ok")
    assert function is not None
    assert function.call(timeout=60) == 5


def test_the_runtimes_timeout(runtime: Runtime) -> None:
    runtime = Runtime(RuntimeConfig.interpreter().with_call_timeout(0.05))
    module = runtime.instantiate(wasm(LOOPS))
    with pytest.raises(DeadlineExceededError):
        module.exports.spin()
    with pytest.raises(DeadlineExceededError):
        runtime.instantiate(wasm("(module (func $f (loop (br 0))) (start $f))"), ANONYMOUS)
    assert module.exports.ok() == 5


def test_a_timeout_can_close_the_module() -> None:
    runtime = Runtime(RuntimeConfig.interpreter().with_close_on_context_done(True))
    module = runtime.instantiate(wasm(LOOPS))
    with pytest.raises(DeadlineExceededError):
        module.exported_function("spin").call(timeout=0.05)  # type: ignore[union-attr]
    assert module.exit_code == 0xEFFFFFFF
    with pytest.raises(ExitError):
        module.exports.ok()


def test_the_timeout_of_instantiation(runtime: Runtime) -> None:
    with pytest.raises(DeadlineExceededError):
        runtime.instantiate(wasm('(module $m (func (export "_start") (loop (br 0))))'), timeout=0.05)
    assert runtime.module("m") is None


def finish(call: Callable[[], object], *, stop: Callable[[], object], within_s: float = 5.0) -> BaseException | None:
    """What `call` raises in a thread of its own; AssertionError if it does not end, and then `stop` is called."""
    raised: list[BaseException | None] = []

    def run() -> None:
        try:
            call()
            raised.append(None)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(within_s)
    ended = not thread.is_alive()
    stop()
    thread.join(within_s)
    assert ended, "the call did not end"
    return raised[0]


def host_calling(runtime: Runtime, function: Callable[[Module], None], code: str) -> Module:
    """A module whose "f" calls `function` and then does `code`; "spin" spins."""
    builder = runtime.new_host_module_builder("env").new_function_builder()
    builder.with_raw_module_function(function, [], []).export("host").instantiate()
    return runtime.instantiate(
        wasm(
            f"""(module (import "env" "host" (func $host)) (memory 1) (func $g) (func (export "spin") (loop (br 0)))
            (func (export "f") (call $host) {code}))"""
        ),
        ANONYMOUS,
    )


def test_an_inner_timeout_leaves_the_outer_one(runtime: Runtime) -> None:
    """The shorter one ends first, and the longer one still counts."""

    def host(module: Module) -> None:
        with pytest.raises(DeadlineExceededError):
            module.exported_function("spin").call(timeout=0.02)  # type: ignore[union-attr]

    module = host_calling(runtime, host, "(loop (br 0))")
    function = module.exported_function("f")
    assert function is not None
    raised = finish(lambda: function.call(timeout=0.3), stop=module.close)
    assert isinstance(raised, DeadlineExceededError)


def test_an_outer_timeout_that_passes_in_an_inner_call_is_not_forgotten(runtime: Runtime) -> None:
    """A host function may swallow the error, but not the deadline."""

    def host(module: Module) -> None:
        with pytest.raises(DeadlineExceededError):
            module.exported_function("spin").call(timeout=60)  # type: ignore[union-attr]

    module = host_calling(runtime, host, "(loop (br 0))")
    function = module.exported_function("f")
    assert function is not None
    raised = finish(lambda: function.call(timeout=0.1), stop=module.close)
    assert isinstance(raised, DeadlineExceededError)


CODE_AFTER_CLOSING = [
    pytest.param("(drop (i32.load (i32.const 0)))"),
    pytest.param("(i32.store (i32.const 0) (i32.const 1))"),
    pytest.param("(i32.store8 (i32.const 0) (i32.const 1))"),
    pytest.param("(f64.store (i32.const 0) (f64.const 1))"),
    "(memory.fill (i32.const 0) (i32.const 0) (i32.const 5))",
    "(drop (memory.size))",
    "(call $g) (loop (br 0))",
    "(loop (br 0))",
    "(loop (drop (i32.load (i32.const 0))) (br 0))",
]


@pytest.mark.parametrize("code", CODE_AFTER_CLOSING)
def test_code_that_goes_on_after_its_module_was_closed(code: str, runtime: Runtime) -> None:
    """It may do a little more, but what ends it is the exit, not some fault of the memory that is gone."""

    def host(module: Module) -> None:
        module.close_with_exit_code(9)

    module = host_calling(runtime, host, code)
    try:
        module.exports.f()
    except ExitError:
        pass
    assert module.exit_code == 9


def test_closing_from_another_thread(runtime: Runtime) -> None:
    module = runtime.instantiate(wasm(LOOPS))
    timer = threading.Timer(0.05, module.close_with_exit_code, (4,))
    timer.start()
    with pytest.raises(ExitError) as caught:
        module.exports.spin()
    timer.join()
    assert (caught.value.exit_code, module.exit_code) == (4, 4)


def test_only_the_first_close_counts(runtime: Runtime) -> None:
    module = runtime.instantiate(wasm(LOOPS))
    module.close_with_exit_code(2)
    module.close_with_exit_code(3)
    module.close()
    assert (module.exit_code, module.is_closed) == (2, True)
    with pytest.raises(ExitError, match="closed with exit code 2"):
        module.exports.ok()
    assert "(closed)" in repr(module)


def test_contexts_close() -> None:
    with Runtime(RuntimeConfig.interpreter()) as runtime, runtime.instantiate(wasm(LOOPS), ANONYMOUS) as module:
        other = runtime.instantiate(wasm(LOOPS), ANONYMOUS)
        before = module.exit_code
    assert (before, module.exit_code, module.is_closed) == (None, 0, True)
    assert other.exit_code == 0


def test_a_closed_runtime_makes_no_instances() -> None:
    runtime = Runtime(RuntimeConfig.interpreter())
    runtime.close()
    with pytest.raises(LinkError, match="the runtime is closed"):
        runtime.instantiate(wasm(LOOPS), ANONYMOUS)


def test_what_is_no_module(runtime: Runtime) -> None:
    for nothing in ("calc.wasm", 5, None, [0]):
        with pytest.raises(TypeError, match=r"must be bytes, or an os\.PathLike such as Path, not "):
            runtime.compile_module(nothing)  # type: ignore[arg-type]
    for uncompiled in (wasm(LOOPS), None):
        with pytest.raises(TypeError, match="wants what compile_module gives, not "):
            runtime.instantiate_module(uncompiled)  # type: ignore[arg-type]


def test_closing_the_runtime_gives_its_exit_code() -> None:
    runtime = Runtime(RuntimeConfig.interpreter())
    modules = [runtime.instantiate(wasm(LOOPS), ModuleConfig().with_name(name)) for name in ("", "a", "b", "")]
    runtime.close_with_exit_code(6)
    assert [module.exit_code for module in modules] == [6] * 4


def test_exit_error_of_a_host_function_ends_the_call(runtime: Runtime) -> None:
    """Through any number of frames, unchanged and without a note."""

    def host(module: Module) -> None:
        raise ExitError(11, module.name)

    module = host_calling(runtime, host, "unreachable")
    with pytest.raises(ExitError) as caught:
        module.exports.f()
    assert caught.value.exit_code == 11
    assert not getattr(caught.value, "__notes__", [])


def test_an_instance_runs_on_without_its_runtime_object() -> None:
    """Functions keep alive what they need."""
    function = Runtime(RuntimeConfig.interpreter()).instantiate(wasm(LOOPS)).exports.ok
    assert function() == 5


def test_a_timeout_covers_compiling_at_the_first_call() -> None:
    """A long straight function: what takes the time is its translation, and it has no loop that would look at the clock."""
    body = "local.get 0 " + "local.get 0 i32.add " * 40_000
    wasm = bytes(wasmtime.wat2wasm(f'(module (func (export "f") (param i32) (result i32) {body}))'))
    with Runtime(RuntimeConfig.interpreter()) as runtime:
        function = runtime.instantiate(wasm).exported_function("f")
        assert function is not None
        with pytest.raises(DeadlineExceededError):
            function.call(1, timeout=0.02)
        assert function.call(1) == 40_001
