"""The table of error numbers: complete, in order, and true to Python's errors."""

from __future__ import annotations

import errno
import io

import pytest

from wazero_wasi.errnos import NAMES, NUMBERS, TABLE, errno_of


def test_numbers_are_consecutive_and_names_unique() -> None:
    assert [row.number for row in TABLE] == list(range(77))
    assert len(NUMBERS) == len(NAMES) == 77


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0, "ESUCCESS"),
        (8, "EBADF"),
        (20, "EEXIST"),
        (28, "EINVAL"),
        (44, "ENOENT"),
        (52, "ENOSYS"),
        (63, "EPERM"),
        (76, "ENOTCAPABLE"),
    ],
)
def test_numbers_are_those_of_the_specification(number: int, name: str) -> None:
    assert NUMBERS[name] == number
    assert NAMES[number] == name


@pytest.mark.parametrize("row", TABLE[1:-1], ids=lambda row: row.name)
def test_python_errors_become_their_own_number(row: tuple[int, str, tuple[str, ...]]) -> None:
    number, name, aliases = row
    for spelling in (name, *aliases):
        if hasattr(errno, spelling):
            assert errno_of(OSError(getattr(errno, spelling), "")) == number


@pytest.mark.parametrize("error", [OSError(), OSError("text"), io.UnsupportedOperation("read"), OSError(99_999, "?")])
def test_errors_without_a_number_that_wasi_knows_are_eio(error: OSError) -> None:
    assert NAMES[errno_of(error)] == "EIO"
