"""A Go program as a library of Python: its functions, its life, what is thrown on the way."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

import wazero_gojs
from gojs.conftest import binary, machine_config
from gojs.libraries import load
from wazero_api import DeadlineExceededError, ExhaustionError, ExitError, LinkError
from wazero_gojs import JsException, JsFunction, JsObject, JsPromise, Library


@pytest.fixture(scope="module")
def go() -> Iterator[Library]:
    """For tests that leave it alive."""
    with load() as library:
        yield library


class Problem(Exception):
    pass


# What is there


def test_functions_are_attributes_and_items(go: Library) -> None:
    assert go.echo(3) == go["echo"](3) == 3
    assert go.version == "1.2"
    assert go.settings == {"depth": 3}
    assert {"echo", "version", "settings", "count", "half"} <= set(dir(go))
    assert not {"run", "resume", "getsp", "mem", "Object", "fs"} & set(dir(go))


def test_built_in_globals_are_items_too(go: Library) -> None:
    assert go["Math"].max(1, 7, 3) == 7
    assert go.JSON.stringify([1, {"a": None}]) == '[1,{"a":null}]'


@pytest.mark.parametrize("name", ["missing", "run", "mem"])
def test_what_is_not_there(go: Library, name: str) -> None:
    with pytest.raises(AttributeError, match=f"the Go program has set no global '{name}'"):
        getattr(go, name)
    with pytest.raises(KeyError, match=name):
        go[name]


def test_exported_functions_run_while_main_waits(go: Library) -> None:
    before = go.count(0)
    assert (go.count(5), go.count(-2)) == (before + 5, before + 3)
    assert go.half(3.0) == 1.5


def test_exported_functions_call_python() -> None:
    seen: list[str] = []
    with load({"record": seen.append}) as go:
        go.callHost()
        assert seen == ["from an export"]


def test_calls_leave_nothing_behind_for_the_collector_of_go(go: Library) -> None:
    references = go._program.references.values
    go.echo(0)
    before = len(references)
    for number in range(200):
        go.echo(number)
    assert len(references) < before + 20  # a few may be Go's own


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (("x",), TypeError("i32 needs an int, not str")),
        ((2**40,), OverflowError(f"{2**40} does not fit in an i32")),
        ((), TypeError("count takes 1 arguments, not 0")),
        ((1, 2), TypeError("count takes 1 arguments, not 2")),
    ],
)
def test_wrong_arguments_of_an_exported_function_harm_nothing(
    go: Library, args: tuple[Any, ...], error: Exception
) -> None:
    before = go.count(0)
    with pytest.raises(type(error), match=f"^{error}$"):
        go.count(*args)
    assert go.count(0) == before


def test_setting_sets_a_global_of_the_program() -> None:
    with load() as go:
        go.given = [1, "two"]
        go["other-given"] = max
        assert go.fromGlobal("given") == [1, "two"]
        assert go.fromGlobal("other-given") is max


def test_what_belongs_to_a_program_cannot_be_copied(go: Library) -> None:
    for value in (go, go.echo, go.never(), go.evaluate("new (class Point {})")):
        for copying in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match=r"^objects of a Go program can neither be copied nor pickled$"):
                copying(value)


@pytest.mark.parametrize(
    "script",
    [
        "jsGo._makeFuncWrapper()",
        "jsGo._makeFuncWrapper({})",
        "jsGo._makeFuncWrapper('x')",
        "jsGo._makeFuncWrapper(Symbol())",
        "jsGo._makeFuncWrapper(2n)",
        "jsGo._values.length = 0",
        "jsGo._values.fill(7)",
    ],
)
def test_what_a_guest_does_to_its_own_ends_harms_no_host(script: str) -> None:
    """Guests know jsGo, by its number if not as a global. What is thrown is an error of JavaScript."""
    with load() as go:
        go._program.realm.global_object.set("jsGo", go._program.go)
        assert go.evaluate(f"try {{ {script}; 'ok' }} catch (e) {{ e.name }}") in ("ok", "TypeError")
        assert [go.echo(value) for value in ("text", 3, None)] == ["text", 3, None]


# Its end


def test_nothing_works_after_the_end(go: Library) -> None:
    with load() as other:
        echo, count, promise = other.echo, other.count, other.never()
    for call in (lambda: echo(1), lambda: count(1), other.run_pending, lambda: promise.result(timeout=1)):
        with pytest.raises(ExitError) as raised:
            call()
        assert raised.value.exit_code == 0
    other.close()
    assert go.echo(1) == 1


def test_a_program_that_exits(go: Library) -> None:
    with load() as other:
        for name, argument in (("exits", 7), ("echo", 1), ("count", 1)):
            with pytest.raises(ExitError) as raised:
                other[name](argument)
            assert raised.value.exit_code == 7


def test_a_panic_ends_the_program_and_the_error_says_it() -> None:
    with load() as other:
        with pytest.raises(ExitError) as raised:
            other.panics()
        assert raised.value.exit_code == 2
        assert "last words: panic: on purpose\n\ngoroutine" in raised.value.__notes__[0]
        with pytest.raises(ExitError):
            other.echo(1)


def test_a_panic_at_the_start_is_said_too() -> None:
    with pytest.raises(LinkError, match="ended with exit code 2") as raised:
        wazero_gojs.load(binary("ends"), machine_config(), args=["panic"])
    assert "last words: panic: words\n\ngoroutine" in raised.value.__notes__[0]


@pytest.mark.parametrize(
    ("program", "args", "message"),
    [
        ("ends", ("exit", "3"), "ended with exit code 3 instead of waiting"),
        ("ends", ("return",), "ended with exit code 0 instead of waiting"),
        ("ends", ("deadlock",), "waits, but has set no global"),
    ],
)
def test_programs_that_are_no_libraries(program: str, args: tuple[str, ...], message: str) -> None:
    with pytest.raises(LinkError, match=message):
        wazero_gojs.load(binary(program), args=args)


def test_loading_has_a_timeout() -> None:
    with pytest.raises(DeadlineExceededError):
        wazero_gojs.load(binary("waits"), machine_config().with_stdin(b""), args=["timers"], timeout=0.2)


# Re-entry


def test_a_getter_is_a_call(go: Library) -> None:
    """With its jobs, and its time."""
    seen: list[str] = []
    thing = go.evaluate("f => new (class A { get x() { Promise.resolve().then(() => f('job')); return 1 } })()")(
        seen.append
    )
    assert thing.x == 1
    assert seen == ["job"]
    with load(call_timeout=3) as other:
        endless = other.evaluate("new (class A { get x() { for (;;) {} } })()")
        with pytest.raises(DeadlineExceededError):
            _ = endless.x


def test_objects_that_have_no_constructor(go: Library) -> None:
    thing = go.evaluate("Object.create(Object.create(Object.create(null)), {constructor: {value: 1, writable: true}})")
    assert isinstance(thing, JsObject)
    thing.list = [1]
    assert (thing.list, thing.constructor) == ([1], 1)


def test_python_and_go_call_each_other_in_turns(go: Library) -> None:
    def down(n: int) -> int:
        return n if n == 0 else 1 + go.call(down, n - 1)

    assert go.call(down, 30) == 30


@pytest.mark.parametrize("padding", range(12))
def test_calls_that_nest_without_end_are_an_error(padding: int) -> None:
    """Wherever Python notices: between two calls, inside of one, or while what it raised is handled."""
    with load() as go:

        def down() -> Any:
            return go.call(down)

        def padded(frames: int) -> Any:
            return padded(frames - 1) if frames else down()

        with pytest.raises(ExhaustionError, match=r"^call stack exhausted"):
            padded(padding)
        with pytest.raises(ExitError):
            go.echo(1)


def test_a_callback_cannot_wait(go: Library) -> None:
    promise = go.never()
    messages = []

    def wait() -> None:
        for call in (lambda: promise.result(timeout=1), go.run_pending):
            with pytest.raises(RuntimeError, match="cannot wait for Go") as raised:
                call()
            messages.append(str(raised.value))

    go.call(wait)
    assert len(messages) == 2


# Time


def test_a_call_that_takes_too_long_ends_the_program() -> None:
    with load(call_timeout=3) as go:  # starting is a call, too
        with pytest.raises(DeadlineExceededError):
            go.spins()
        with pytest.raises(ExitError):
            go.echo(1)


def test_waiting_too_long_for_a_promise_harms_nothing(go: Library) -> None:
    promise = go.later(1000)
    with pytest.raises(DeadlineExceededError):
        promise.result(timeout=0.02)
    assert not promise.is_settled
    assert promise.result() == "after 1000"


def test_timers_run_when_asked_for(go: Library) -> None:
    seen: list[str] = []
    go.timer(lambda: seen.append("fired"), 0)
    go.later(5).result()
    go.run_pending()
    assert seen == ["fired"]


# Promises and jobs


def test_promises_of_goroutines(go: Library) -> None:
    go.later(1).result()  # compiling takes its time, too
    first, second = go.later(500), go.later(1)
    assert isinstance(first, JsPromise)
    assert (first.is_settled, repr(first)) == (False, "<JsPromise pending>")
    assert (second.result(), first.result()) == ("after 1", "after 500")
    assert (first.is_settled, repr(first)) == (True, "<JsPromise fulfilled>")
    with pytest.raises(JsException, match=r"^it failed$"):
        go.fails().result()


def test_a_promise_that_nothing_can_settle(go: Library) -> None:
    with load() as other, pytest.raises(RuntimeError, match="nothing is left that could settle this promise"):
        other.never().result()


def test_awaiting_needs_asyncio(go: Library) -> None:
    with pytest.raises(RuntimeError, match="does not run under asyncio: use `result`, or `run_async`"):
        go.never().__await__()


def test_jobs_run_after_the_outermost_call(go: Library) -> None:
    seen: list[str] = []

    def nested() -> None:
        go.thenCalls(seen.append)
        seen.append("still in the call")

    go.call(nested)
    assert seen == ["still in the call", "in a job"]
    go.thenCalls(seen.append)
    assert seen == ["still in the call", "in a job", "in a job"]


# What is thrown


def test_an_exception_of_python_is_an_error_in_go(go: Library) -> None:
    def fail() -> None:
        raise FileNotFoundError(2, "no such thing")

    assert go.caught(fail) == "FileNotFoundError / [Errno 2] no such thing / ENOENT"

    def fail_plainly() -> None:
        raise Problem

    assert go.caught(fail_plainly) == "Problem / Problem / <undefined>"

    def throw() -> None:
        raise JsException("as JavaScript has it")

    assert go.caught(throw) == "Error / as JavaScript has it / <undefined>"


def test_an_exception_comes_back_as_itself(go: Library) -> None:
    problem = Problem("the same")

    def fail(*_: Any) -> None:
        raise problem

    with pytest.raises(Problem) as raised:
        go.evaluate("f => f()")(fail)
    assert raised.value is problem
    with pytest.raises(Problem) as raised:
        go.evaluate("(function (f) { try { f() } catch (e) { throw e } })")(fail)
    assert raised.value is problem
    assert go.echo(problem) is problem
    with pytest.raises(Problem) as raised:
        go.rejectedWith(problem).result()
    assert raised.value is problem


def test_what_javascript_throws(go: Library) -> None:
    with pytest.raises(JsException, match=r"^no number$") as raised:
        go.evaluate("() => { throw new RangeError('no number') }")()
    assert isinstance(raised.value.value, JsObject)
    assert raised.value.value.name == "RangeError"
    with pytest.raises(JsException, match=r"^text$") as raised:
        go.evaluate("() => { throw 'text' }")()
    assert raised.value.value == "text"
    assert go.evaluate("(f) => { try { f() } catch (e) { return [typeof e, e] } }")(
        go.evaluate("() => { throw 'text' }")
    ) == ["string", "text"]


def test_a_thrown_text_passes_through_python(go: Library) -> None:
    thrower = go.evaluate("() => { throw 'text' }")
    assert go.evaluate("(f) => { try { f() } catch (e) { return e } }")(thrower) == "text"


def test_what_a_timer_throws_ends_the_program() -> None:
    errors = bytearray()
    problem = Problem("in a timer")

    def fail() -> None:
        raise problem

    with load(config=machine_config().with_stderr(errors)) as go:
        go.timer(fail, 0)
        with pytest.raises(ExitError) as raised:
            go.later(20).result()
        assert raised.value.exit_code == 1
        assert raised.value.__cause__ is problem
        assert errors.startswith(b"Uncaught Problem: in a timer\n")
        with pytest.raises(ExitError):
            go.echo(1)


def test_what_is_thrown_after_the_end_changes_nothing() -> None:
    """As by code that finds its files closed."""
    errors = bytearray()
    with load(config=machine_config().with_stderr(errors)) as go:

        def fail() -> None:
            go._program.module.close_with_exit_code(5)
            raise JsException("too late")

        go.timer(fail, 0)
        with pytest.raises(ExitError) as raised:
            go.later(20).result()
        assert (raised.value.exit_code, bytes(errors)) == (5, b"")


def test_a_rejection_that_nobody_handles_ends_the_program() -> None:
    errors = bytearray()
    with load(config=machine_config().with_stderr(errors)) as go:
        with pytest.raises(ExitError) as raised:
            go.evaluate("void Promise.reject(new Error('lost'))")
        assert raised.value.exit_code == 1
        assert isinstance(raised.value.__cause__, JsException)
        assert errors.startswith(b"Uncaught (in promise) Error: lost\n")


def test_a_rejection_that_python_has_is_handled(go: Library) -> None:
    promise = go.rejectedWith("why")
    go.run_pending()
    with pytest.raises(JsException, match=r"^why$"):
        promise.result()


# References


def test_numbers_of_values_are_used_again() -> None:
    with load() as go:
        values = go._program.references.values
        for _ in range(10):
            go.objects(10_000)
            go.collect()
            go.later(1).result()  # finalizers run
        assert len(values) < 50_000


def test_values_that_python_holds_outlive_those_of_go(go: Library) -> None:
    kept = go.evaluate("({x: 1, f() { return this.x }})")
    function = go.evaluate("new (class A { f() { return 7 } })()").f
    go.collect()
    go.later(1).result()
    assert kept["x"] == 1
    assert isinstance(function, JsFunction)
    assert function() == 7
