"""Arguments, environment, exit, yield, random bytes, clocks."""

from __future__ import annotations

from typing import Any

import pytest

from wazero_api.errors import ExitError
from wazero_core.runtime.module_config import ModuleConfig
from wazero_wasi import signatures

PAST_END = 1 << 16


@pytest.mark.parametrize(
    ("strings", "data"),
    [([], b""), (["a"], b"a\0"), (["prog", "", "two words", "café"], "prog\0\0two words\0café\0".encode())],
)
def test_arguments(new_guest: Any, strings: list[str], data: bytes) -> None:
    guest = new_guest(ModuleConfig().with_args(*strings))
    count, size = guest.alloc(4), guest.alloc(4)
    assert guest.call("args_sizes_get", count, size) == "ESUCCESS"
    assert (guest.u32(count), guest.u32(size)) == (len(strings), len(data))
    argv, buf = guest.alloc(4 * len(strings)), guest.alloc(len(data))
    assert guest.call("args_get", argv, buf) == "ESUCCESS"
    assert guest.data(buf, len(data)) == data
    for index, string in enumerate(strings):
        raw = string.encode()
        assert guest.data(guest.u32(argv + 4 * index), len(raw) + 1) == raw + b"\0"


def test_environment(new_guest: Any) -> None:
    guest = new_guest(ModuleConfig().with_env("A", "1").with_env("B", ""))
    count, size, pointers, buf = (guest.alloc(8) for _ in range(4))
    assert guest.call("environ_sizes_get", count, size) == "ESUCCESS"
    assert (guest.u32(count), guest.u32(size)) == (2, 7)
    assert guest.call("environ_get", pointers, buf) == "ESUCCESS"
    assert guest.data(buf, 7) == b"A=1\0B=\0"
    assert (guest.u32(pointers), guest.u32(pointers + 4)) == (buf, buf + 4)


@pytest.mark.parametrize("name", ["args_get", "args_sizes_get", "environ_get", "environ_sizes_get"])
@pytest.mark.parametrize("pointers", [(PAST_END - 3, 0), (0, PAST_END - 3), (0xFFFFFFFF, 0), (0, 0xFFFFFFFC)])
def test_strings_outside_memory(new_guest: Any, name: str, pointers: tuple[int, int]) -> None:
    guest = new_guest(ModuleConfig().with_args("prog", "x").with_env("KEY", "value"))
    before = bytes(guest.memory.buffer)
    assert guest.call(name, *pointers) == "EFAULT"
    assert bytes(guest.memory.buffer) == before


@pytest.mark.parametrize("code", [0, 1, 0xFFFFFFFF])
def test_exit_closes_the_module_and_leaves_it(guest: Any, code: int) -> None:
    with pytest.raises(ExitError) as caught:
        guest.functions["proc_exit"].callable(guest, code)
    assert (caught.value.exit_code, caught.value.module_name, guest.exit_code) == (code, "guest", code)


def test_yield(new_guest: Any) -> None:
    calls: list[int] = []
    guest = new_guest(ModuleConfig().with_osyield(lambda: calls.append(1)))
    assert guest.call("sched_yield") == "ESUCCESS"
    assert calls == [1]


@pytest.mark.parametrize("size", [0, 1, 1000])
def test_random_bytes(new_guest: Any, size: int) -> None:
    guest = new_guest(ModuleConfig().with_rand_source(lambda count: b"r" * count))
    buf = guest.alloc(size + 1)
    assert guest.call("random_get", buf, size) == "ESUCCESS"
    assert guest.data(buf, size + 1) == b"r" * size + b"\0"


def test_random_bytes_are_asked_for_in_pieces(new_guest: Any) -> None:
    asked: list[int] = []

    def source(count: int) -> bytes:
        asked.append(count)
        return bytes(count)

    guest = new_guest(ModuleConfig().with_rand_source(source))
    guest.memory.buffer = memoryview(bytearray(5 << 19))
    assert guest.call("random_get", 0, 5 << 19) == "ESUCCESS"
    assert asked == [1 << 20, 1 << 20, 1 << 19]


@pytest.mark.parametrize(("buf", "size"), [(PAST_END, 1), (0, PAST_END + 1), (0, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF)])
def test_random_bytes_outside_memory(guest: Any, buf: int, size: int) -> None:
    assert guest.call("random_get", buf, size) == "EFAULT"


def test_a_source_of_random_bytes_that_fails(new_guest: Any) -> None:
    def broken(count: int) -> bytes:
        raise OSError

    assert new_guest(ModuleConfig().with_rand_source(broken)).call("random_get", 0, 1) == "EIO"
    with pytest.raises(ValueError, match="asked for 1 and gave 0"):
        new_guest(ModuleConfig().with_rand_source(lambda count: b"")).call("random_get", 0, 1)


def test_clocks(guest: Any) -> None:
    result = guest.alloc(8)
    readings = []
    for clock in (0, 0, 1, 1):
        assert guest.call("clock_time_get", clock, 0, result) == "ESUCCESS"
        readings.append(guest.u64(result))
    epoch = 1_640_995_200_000_000_000
    assert readings == [epoch, epoch + 1_000_000, 0, 1_000_000]
    for clock, resolution in ((0, 1_000), (1, 1)):
        assert guest.call("clock_res_get", clock, result) == "ESUCCESS"
        assert guest.u64(result) == resolution


@pytest.mark.parametrize("clock", [2, 3, 4, 0xFFFFFFFF])
def test_clocks_that_do_not_exist(guest: Any, clock: int) -> None:
    assert guest.call("clock_time_get", clock, 0, 0) == "EINVAL"
    assert guest.call("clock_res_get", clock, 0) == "EINVAL"


def test_a_clock_is_not_read_for_nothing(guest: Any) -> None:
    assert guest.call("clock_time_get", 1, 0, PAST_END - 7) == "EFAULT"
    assert guest.call("clock_res_get", 1, 0xFFFFFFFF) == "EFAULT"
    assert guest.system.nanotime() == 0


WITHOUT_MEMORY = {
    "fd_advise",
    "fd_close",
    "fd_datasync",
    "fd_fdstat_set_flags",
    "fd_renumber",
    "fd_sync",
    "proc_raise",
    "sched_yield",
}
"""What takes and gives nothing but numbers, and works on the standard output."""


@pytest.mark.parametrize("name", [row.name for row in signatures.TABLE if row.name != "proc_exit"])
def test_a_module_without_memory_faults(guest: Any, name: str) -> None:
    guest.memory = None
    args = [0 if name == "proc_raise" else 1] * len(guest.functions[name].type.params)
    assert (guest.call(name, *args) == "ESUCCESS") == (name in WITHOUT_MEMORY)


@pytest.mark.parametrize("number", [0, 16, 17, 22, 27])
def test_signals_without_effect(guest: Any, number: int) -> None:
    """NONE, CHLD, CONT, URG, WINCH."""
    assert guest.call("proc_raise", number) == "ESUCCESS"
    assert guest.exit_code is None


@pytest.mark.parametrize("number", [18, 19, 20, 21])
def test_signals_that_would_stop_the_guest(guest: Any, number: int) -> None:
    assert guest.call("proc_raise", number) == "ENOTSUP"
    assert guest.exit_code is None


@pytest.mark.parametrize("number", [*range(1, 16), *range(23, 27), 28, 29, 30])
def test_signals_that_end_the_guest(guest: Any, number: int) -> None:
    """As a shell reports it: 134 for ABRT, 143 for TERM."""
    with pytest.raises(ExitError) as caught:
        guest.functions["proc_raise"].callable(guest, number)
    assert caught.value.exit_code == guest.exit_code == 128 + number


@pytest.mark.parametrize("number", [31, 32, 255, 0xFFFFFFFF])
def test_signals_that_do_not_exist(guest: Any, number: int) -> None:
    assert guest.call("proc_raise", number) == "EINVAL"
