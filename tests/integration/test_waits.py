"""Whatever a guest waits for, its wait ends with what it waits for, and early by deadline, closing and Ctrl-C. None spins."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from integration.runtimes import NAMED_ENGINES, start_python, wasm
from integration.waiting_guests import (
    CLOCK,
    FD_READ,
    FD_WRITE,
    MONOTONIC,
    SECOND,
    WAITS,
    WALL,
    Scene,
    clock,
    file,
    many,
    waiting,
)
from wazero_api import DeadlineExceededError, ExitError, Trap
from wazero_api.sys import EXIT_CODE_DEADLINE_EXCEEDED
from wazero_core import ModuleConfig, RuntimeConfig

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot wait for pipes")

MS: Final = 1_000_000
GRACE: Final = 10
"""Seconds that anything here may take on a machine that is busy with other things."""
SHORT: Final = 0.04
"""Seconds after which a wait is ended: mostly the guest waits by then, and if it does not, the test passes too easily."""


def end_of(call: Callable[[], object]) -> BaseException | None:
    """How a call ended."""
    try:
        call()
    except BaseException as error:
        return error
    return None


def in_main_thread(call: Callable[[], object], meanwhile: Callable[[], object]) -> BaseException | None:
    timer = threading.Timer(SHORT, meanwhile)
    timer.start()
    try:
        return end_of(call)
    finally:
        timer.join()


def in_other_thread(call: Callable[[], object], meanwhile: Callable[[], object]) -> BaseException | None:
    ends: list[BaseException | None] = []
    thread = threading.Thread(target=lambda: ends.append(end_of(call)))
    thread.start()
    time.sleep(SHORT)
    meanwhile()
    thread.join(GRACE)
    return ends[0]


Where = Callable[[Callable[[], object], Callable[[], object]], BaseException | None]
engines = pytest.mark.parametrize("engine", NAMED_ENGINES)
places = pytest.mark.parametrize("where", [in_main_thread, in_other_thread], ids=["main", "other"])
waits = pytest.mark.parametrize("name", WAITS)


# Early ends


@engines
@places
@waits
def test_a_deadline(engine: str, where: Where, name: str) -> None:
    """The instance can be used afterwards, and wait again."""
    with waiting(engine, name) as (scene, function, args):
        for _ in range(2):
            start = time.monotonic()
            end = where(lambda: function.call(*args, timeout=SHORT), lambda: None)
            assert isinstance(end, DeadlineExceededError)
            assert SHORT <= time.monotonic() - start < GRACE
        assert scene.module.exports.answer() == 42
        assert scene.poll(clock(1, MS)) == [(1, 0, CLOCK)]


@engines
@places
@waits
def test_closing_the_module(engine: str, where: Where, name: str) -> None:
    with waiting(engine, name) as (scene, function, args):
        start = time.monotonic()
        end = where(lambda: function(*args), lambda: scene.module.close_with_exit_code(7))
        assert isinstance(end, ExitError)
        assert end.exit_code == 7
        assert time.monotonic() - start < GRACE


@engines
@waits
def test_closing_the_runtime(engine: str, name: str) -> None:
    with waiting(engine, name) as (scene, function, args):
        end = in_other_thread(lambda: function(*args), scene.runtime.close)
        assert isinstance(end, ExitError)
        assert end.exit_code == 0


@engines
@pytest.mark.parametrize("name", ["read descriptor", "sleep", "poll many", "accept"])
def test_a_deadline_that_closes_the_module(engine: str, name: str) -> None:
    with waiting(engine, name, RuntimeConfig().with_close_on_context_done(True)) as (scene, function, args):
        with pytest.raises(DeadlineExceededError):
            function.call(*args, timeout=SHORT)
        assert scene.module.exit_code == EXIT_CODE_DEADLINE_EXCEEDED
        with pytest.raises(ExitError):
            scene.module.exports.answer()


@engines
def test_the_timeout_of_the_runtime(engine: str) -> None:
    with waiting(engine, "sleep", RuntimeConfig().with_call_timeout(SHORT)) as (_, function, args):
        assert isinstance(end_of(lambda: function(*args)), DeadlineExceededError)


@engines
def test_one_thread_waits_while_others_work_and_wait(engine: str) -> None:
    """Closing wakes all of them."""
    scene = Scene(engine)
    try:
        scene.start()
        exports, ends = scene.module.exports, list[BaseException | None]()
        calls = [lambda: exports.read(0), lambda: exports.accept(3)] * 3
        threads = [threading.Thread(target=lambda call=call: ends.append(end_of(call))) for call in calls]
        for thread in threads:
            thread.start()
        for _ in range(100):
            assert exports.answer() == 42
        scene.module.close_with_exit_code(3)
        for thread in threads:
            thread.join(GRACE)
        assert [getattr(end, "exit_code", end) for end in ends] == [3] * 6
    finally:
        scene.close()


INTERRUPTED: Final = """
from integration.waiting_guests import WAITS, waiting

for name in WAITS:
    with waiting(sys.argv[1], name) as (scene, function, args):
        try:
            print("ready", flush=True)
            function(*args)
        except KeyboardInterrupt:
            print(name, scene.module.exports.answer(), flush=True)
print("end")
"""


@engines
def test_ctrl_c(engine: str) -> None:
    with start_python(INTERRUPTED, engine) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            for name in WAITS:
                assert process.stdout.readline() == "ready\n", process.stderr.read()
                time.sleep(0.02)
                process.send_signal(signal.SIGINT)
                if not select.select([process.stdout], [], [], GRACE)[0]:
                    # Where a signal finds Python in a callback of a weak reference, which may be while the guest is being
                    # compiled, Python reports KeyboardInterrupt as ignored. People press Ctrl-C again, and so does this.
                    process.send_signal(signal.SIGINT)
                assert process.stdout.readline() == f"{name} 42\n"
            assert (process.stdout.read(), process.wait()) == ("end\n", 0)
        finally:
            process.kill()


# Costs


@engines
@waits
def test_a_wait_takes_no_processor_time(engine: str, name: str) -> None:
    with waiting(engine, name) as (_, function, args):
        assert isinstance(end_of(lambda: function.call(*args, timeout=0.01)), DeadlineExceededError)
        before = time.process_time()
        assert isinstance(end_of(lambda: function.call(*args, timeout=0.4)), DeadlineExceededError)
        assert time.process_time() - before < 0.1


DESCRIPTORS: Final = Path("/proc/self/fd")


def open_descriptors() -> int:
    return len([*DESCRIPTORS.iterdir()])


needs_proc = pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="descriptors are counted in /proc")


@needs_proc
@engines
@waits
def test_waits_leave_no_descriptors_behind(engine: str, name: str) -> None:
    before = open_descriptors()
    with waiting(engine, name) as (_, function, args):
        during = open_descriptors() + 2  # what wakes those who wait
        for _ in range(200):
            assert isinstance(end_of(lambda: function.call(*args, timeout=0.0005)), DeadlineExceededError)
        assert open_descriptors() <= during
    assert open_descriptors() <= before


@needs_proc
@engines
def test_instances_that_waited_leave_no_descriptors_behind(engine: str) -> None:
    with waiting(engine, "read descriptor") as (scene, _, args):
        before = open_descriptors() + 2  # what wakes those who wait
        for _ in range(50):
            scene.module.close()
            scene.start()
            end_of(lambda: scene.function("read").call(*args, timeout=0.002))
        assert open_descriptors() <= before


# What is waited for


@contextmanager
def started(engine: str) -> Iterator[Scene]:
    scene = Scene(engine)
    try:
        scene.start()
        yield scene
    finally:
        scene.close()


@contextmanager
def later(action: Callable[[], object]) -> Iterator[None]:
    timer = threading.Timer(SHORT, action)
    timer.start()
    try:
        yield
    finally:
        timer.join()


@engines
@pytest.mark.parametrize("name", ["read descriptor", "read raw", "read buffered", "read text", "read ahead"])
def test_input_that_comes(engine: str, name: str) -> None:
    with waiting(engine, name) as (scene, function, args):
        with later(lambda: os.write(scene.writer, b"hello")):
            assert function.call(*args, timeout=GRACE) == 0
        assert scene.data() == b"hello"


@engines
def test_input_that_is_written_in_pieces_arrives_in_order(engine: str) -> None:
    with waiting(engine, "read buffered") as (scene, function, args):
        received = b""
        for number in range(50):
            os.write(scene.writer, b"%d;" % number)
            assert function.call(*args, timeout=GRACE) == 0
            received += scene.data()
        assert received == b"".join(b"%d;" % number for number in range(50))


@engines
def test_room_that_comes(engine: str) -> None:
    """Every byte that the guest was told is written arrives."""
    with started(engine) as scene:
        size = 300_000
        received = bytearray()

        def read() -> None:
            while len(received) < size:
                received.extend(os.read(scene.reader, 1 << 16))

        thread = threading.Thread(target=read)
        thread.start()
        written = 0
        while written < size:
            assert scene.function("write").call(1, min(1 << 17, size - written), timeout=GRACE) == 0
            written += scene.result()
        thread.join(GRACE)
        assert (written, len(received)) == (size, size)


@engines
@pytest.mark.parametrize("clock_id", [WALL, MONOTONIC])
@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("nanoseconds", [0, 1, 50_000, 999_999, 3 * MS])
def test_a_clock_is_not_early(engine: str, clock_id: int, absolute: bool, nanoseconds: int) -> None:
    now = time.time_ns if clock_id == WALL else time.monotonic_ns
    with started(engine) as scene:
        start = now()
        subscription = clock(9, nanoseconds + start * absolute, clock_id, absolute=absolute)
        assert scene.poll(subscription) == [(9, 0, CLOCK)]
        # The wall clock may be set back meanwhile, by a little.
        assert now() - start >= nanoseconds - (MS // 10) * (clock_id == WALL)


@engines
@pytest.mark.parametrize("clock_id", [WALL, MONOTONIC])
def test_a_moment_that_is_over(engine: str, clock_id: int) -> None:
    with started(engine) as scene:
        for moment in (0, 1):
            assert scene.poll(clock(9, moment, clock_id, absolute=True), clock(8, -1)) == [(9, 0, CLOCK)]


@engines
def test_one_ready_pipe_among_many_subscriptions(engine: str) -> None:
    with started(engine) as scene:
        subscriptions = many(scene)
        fd, writer = scene.add_pipe()
        os.write(writer, b"x")
        for position in (0, 600, len(subscriptions)):
            array = [*subscriptions[:position], file(77, fd), *subscriptions[position:]]
            assert scene.poll(*array) == [(77, 0, FD_READ)]


@engines
def test_a_pipe_that_gets_ready_while_many_are_waited_for(engine: str) -> None:
    with started(engine) as scene:
        subscriptions = many(scene)
        fd, writer = scene.add_pipe()
        with later(lambda: os.write(writer, b"x")):
            assert scene.poll(*subscriptions, file(77, fd)) == [(77, 0, FD_READ)]


@engines
def test_the_nearest_clock_among_many_subscriptions(engine: str) -> None:
    with started(engine) as scene:
        subscriptions = many(scene)
        array = [*subscriptions[:600], clock(77, 5 * MS), *subscriptions[600:]]
        start = time.monotonic_ns()
        assert scene.poll(*array) == [(77, 0, CLOCK)]
        assert 5 * MS <= time.monotonic_ns() - start < GRACE * SECOND


@engines
def test_everything_that_is_ready_is_told_at_once(engine: str) -> None:
    with started(engine) as scene:
        os.write(scene.writer, b"x")
        fd = scene.connect()
        assert scene.client is not None
        scene.client.sendall(b"x")
        assert scene.poll(file(5, fd)) == [(5, 0, FD_READ)]
        found = scene.poll(
            clock(1, SECOND), file(2, 0), file(3, 1, FD_WRITE), file(4, 3), file(5, fd), file(6, 99), clock(7, 0)
        )
        assert sorted(found) == [
            (2, 0, FD_READ),
            (3, 0, FD_WRITE),
            (5, 0, FD_READ),
            (6, 8, FD_READ),
            (7, 0, CLOCK),
        ]


@engines
def test_the_wrong_end_of_a_pipe_is_an_error_and_no_wait(engine: str) -> None:
    ebadf = 8
    with started(engine) as scene:
        assert scene.function("write").call(0, 10, timeout=GRACE) == ebadf
        assert scene.function("read").call(1, timeout=GRACE) == ebadf


@engines
def test_waiting_in_a_module_that_failed_to_start(engine: str) -> None:
    """Others may hold its functions; nobody can close it any more, so that its waits end at once."""
    text = """(module
      (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
      (import "keep" "table" (table 1 funcref))
      (memory (export "memory") 1)
      (elem (i32.const 0) $sleep)
      (func $sleep (result i32)
        (i64.store (i32.const 24) (i64.const 100000000000))
        (i32.store (i32.const 16) (i32.const 1))
        (call $poll (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 200)))
      (func $start unreachable)
      (start $start))"""
    keeper = """(module (table (export "table") 1 funcref) (type $t (func (result i32)))
      (func (export "call") (result i32) (call_indirect (type $t) (i32.const 0))))"""
    with started(engine) as scene:
        keep = scene.runtime.instantiate(wasm(keeper), ModuleConfig().with_name("keep"))
        config = ModuleConfig().with_sys_nanotime().with_sys_nanosleep().with_name("")
        with pytest.raises(Trap):
            scene.runtime.instantiate(wasm(text), config)
        start = time.monotonic()
        ecanceled = 11
        assert keep.exports.call() == ecanceled
        assert time.monotonic() - start < GRACE
