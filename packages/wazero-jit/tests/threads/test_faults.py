"""Faults of our code in a memory's guard become traps; all others do what they would have done without us."""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest
from machine_rig import TRAPPED

from wazero_api import Limits, MemoryType
from wazero_jit.link.faults import SignalAction
from wazero_jit.memory.linear import NativeMemory


@pytest.fixture
def memory() -> Any:
    """One page, and 8 GiB of guard."""
    return NativeMemory(MemoryType(Limits(1, 1)), 1, guarded=True)


def handler_of(number: int) -> int:
    action = SignalAction()
    assert ctypes.CDLL(None).sigaction(number, None, ctypes.byref(action)) == 0
    return action.handler


def test_store_in_the_guard_traps(rig: Any, memory: Any) -> None:
    rig.activity.catch_faults()
    code = rig.store()
    rig.run(code, memory.base_address + 65535)
    assert memory.buffer[65535] == 1
    for address in (65536, 1 << 32, (8 << 30) - 1):
        assert rig.run(code, memory.base_address + address) == TRAPPED
        kind, pc, sp = rig.trapped
        assert kind == 4
        assert code < pc < code + 16  # at the instruction itself
        assert sp % 16 == 0  # its stack pointer
    assert rig.executions.current().depth == 0


@pytest.mark.parametrize("stack_bytes", [32 << 10, 0])
def test_in_threads(stack_bytes: int, rig: Any, memory: Any, run_in_thread: Callable[..., Any]) -> None:
    """These have no alternate stack for signals."""
    rig.activity.catch_faults()
    code = rig.store()

    def body() -> list[int]:
        return [rig.run(code, memory.base_address + 65536) for _ in range(100)]

    assert run_in_thread(body, stack_bytes) == [TRAPPED] * 100


def test_in_threads_at_once(rig: Any, memory: Any) -> None:
    rig.activity.catch_faults()
    code = rig.store()
    results: list[int] = []

    def body() -> None:
        results.extend(rig.run(code, memory.base_address + 65536) for _ in range(500))

    threads = [threading.Thread(target=body) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [TRAPPED] * 2000


def test_installed_once(rig: Any) -> None:
    rig.activity.catch_faults()
    before = [handler_of(number) for number in (signal.SIGSEGV, signal.SIGBUS)]
    rig.activity.catch_faults()
    assert [handler_of(number) for number in (signal.SIGSEGV, signal.SIGBUS)] == before


# Other faults, each in a process of its own

SETUP = """
import ctypes, faulthandler, os, signal, sys, threading, machine_rig
from wazero_api import Limits, MemoryType
from wazero_jit.memory.linear import NativeMemory
rig = machine_rig.Rig()
memory = NativeMemory(MemoryType(Limits(1, 1)), 1, guarded=True)
code = rig.store()
def install(): rig.activity.catch_faults()
def trap(): print(rig.run(code, memory.base_address + 65536), flush=True)
def crash(): ctypes.string_at(0)
"""

FOREIGN = {
    "null pointer": "crash()",
    "in the guard, but not by our code": "ctypes.string_at(memory.base_address + 65536)",
    "by our code, but not in the guard": "rig.run(code, 8)",
    "by our code, at no address": "rig.run(code, 1 << 63)",
    "in another thread": "thread = threading.Thread(target=crash); thread.start(); thread.join()",
    "sent": "os.kill(os.getpid(), signal.SIGSEGV); os._exit(0)",
    "sent to a thread": "signal.pthread_kill(threading.get_ident(), signal.SIGSEGV); os._exit(0)",
    "sent while another thread runs wasm": "threading.Thread(target=rig.run_forever, daemon=True).start();"
    "os.kill(os.getpid(), signal.SIGSEGV); os._exit(0)",
}


@pytest.mark.parametrize("fault", FOREIGN.values(), ids=FOREIGN)
def test_foreign_fault_kills(fault: str, python: Callable[..., Any]) -> None:
    done = python(f"{SETUP}\ninstall(); trap()\n{fault}")
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGSEGV, f"{TRAPPED}\n", "")


def test_foreign_bus_error_kills(python: Callable[..., Any]) -> None:
    done = python(
        f"""{SETUP}
import mmap
fd = os.memfd_create("empty"); os.ftruncate(fd, 4096)
view = mmap.mmap(fd, 4096); os.ftruncate(fd, 0)
install(); trap()
view[0]"""
    )
    assert (done.returncode, done.stdout) == (-signal.SIGBUS, f"{TRAPPED}\n")


ORDERS = {
    "before": "faulthandler.enable(); install()",
    "after": "install(); faulthandler.enable(); install()",
    "before, and again after": "faulthandler.enable(); install(); faulthandler.disable(); faulthandler.enable(); install()",
    "many times": "for _ in range(20): faulthandler.enable(); install(); faulthandler.disable()\n"
    "faulthandler.enable(); install()",
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_faulthandler_prints_foreign_faults_only(order: str, python: Callable[..., Any]) -> None:
    done = python(f"{SETUP}\n{order}\ntrap(); trap()\ncrash()")
    assert (done.returncode, done.stdout) == (-signal.SIGSEGV, f"{TRAPPED}\n{TRAPPED}\n")
    assert done.stderr.count("Fatal Python error: Segmentation fault") == 1
    assert "in crash" in done.stderr


def test_faulthandler_enabled_while_idle(python: Callable[..., Any]) -> None:
    """The next call has to wake the ticker, and puts the handler in front again."""
    done = python(f"{SETUP}\ninstall(); trap(); faulthandler.enable(); rig.ticker.stop(); trap()")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{TRAPPED}\n{TRAPPED}\n", "")


def test_faulthandler_disabled_again(python: Callable[..., Any]) -> None:
    """It puts back whom it found, which is us, but an older one of us."""
    done = python(f"{SETUP}\ninstall(); faulthandler.enable(); install(); faulthandler.disable(); trap()\ncrash()")
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGSEGV, f"{TRAPPED}\n", "")


def test_ignored_signal(python: Callable[..., Any]) -> None:
    """Who ignores it ignores it when sent, but a fault kills all the same."""
    done = python(
        f"{SETUP}\nsignal.signal(signal.SIGSEGV, signal.SIG_IGN); install()\n"
        "os.kill(os.getpid(), signal.SIGSEGV); trap(); print('still', flush=True)\ncrash()"
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGSEGV, f"{TRAPPED}\nstill\n", "")


def test_handler_that_chains_to_ours(python: Callable[..., Any]) -> None:
    """It was put in front of ours; then we go in front of it. A foreign fault passes all three, and ends."""
    done = python(
        f"""{SETUP}
from wazero_jit.isa.amd64.assembler import Assembler
from wazero_jit.isa.amd64.encoding import *
from wazero_jit.link.faults import SignalAction, _sigaction
install(); trap()
ours = _sigaction(signal.SIGSEGV, None)
passed = (ctypes.c_uint64 * 1)()
a = Assembler()
a(MOV_OI(64, RAX, ctypes.addressof(passed)), INC(64, Mem(RAX)), MOV_OI(64, RAX, ours.handler), JMP_M(32, RAX))
_sigaction(signal.SIGSEGV, SignalAction(rig.place(a.finish()), ours.mask, ours.flags))
trap(); print(passed[0])
install()
trap(); print(passed[0], flush=True)
crash()"""
    )
    assert (done.returncode, done.stderr) == (-signal.SIGSEGV, "")
    assert done.stdout.split() == [str(TRAPPED), str(TRAPPED), "1", str(TRAPPED), "1"]


def test_python_handler_stays(python: Callable[..., Any]) -> None:
    """One set by `signal.signal` runs for signals that were sent."""
    done = python(
        f"{SETUP}\nsignal.signal(signal.SIGSEGV, lambda *_: print('handled', flush=True)); install()\n"
        "os.kill(os.getpid(), signal.SIGSEGV); trap()"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"handled\n{TRAPPED}\n", "")
