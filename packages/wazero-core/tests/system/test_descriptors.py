"""The table of open files: lowest free number, a limit, every file closed once."""

from __future__ import annotations

import errno
import random
from collections.abc import Callable

import pytest

from wazero_core.system import BaseFile, FileEntry, FileTable


class Recorder(BaseFile):
    """A file that counts how often it was closed."""

    def __init__(self, error: OSError | None = None) -> None:
        self.closed = 0
        self.error = error

    def close(self) -> None:
        self.closed += 1
        if self.error:
            raise self.error


def number_of(operation: Callable[[], object]) -> str:
    with pytest.raises(OSError) as caught:  # noqa: PT011  # the number is compared
        operation()
    return errno.errorcode[caught.value.errno or 0]


def test_a_new_file_gets_the_lowest_free_number() -> None:
    table = FileTable()
    assert [table.insert(FileEntry(Recorder())) for _ in range(5)] == [0, 1, 2, 3, 4]
    for fd in (3, 1):
        table.close(fd)
    assert [table.insert(FileEntry(Recorder())) for _ in range(3)] == [1, 3, 5]
    assert table.numbers() == (0, 1, 2, 3, 4, 5)
    assert 5 in table
    assert 6 not in table


def test_numbers_stay_lowest_over_many_operations() -> None:
    table, model = FileTable(), set[int]()
    choices = random.Random(7)
    for _ in range(2_000):
        if not model or choices.random() < 0.55:
            expected = next(number for number in range(len(model) + 1) if number not in model)
            assert table.insert(FileEntry(Recorder())) == expected
            model.add(expected)
        elif choices.random() < 0.8:
            fd = choices.choice(sorted(model))
            table.close(fd)
            model.remove(fd)
        else:
            source, target = choices.choice(sorted(model)), choices.choice(sorted(model))
            table.renumber(source, target)
            model -= {source} - {target}
        assert table.numbers() == tuple(sorted(model))
        assert len(table) == len(model)


@pytest.mark.parametrize(
    "operation",
    [
        lambda table: table[1],
        lambda table: table.close(1),
        lambda table: table.close(-1),
        lambda table: table.close(1 << 32),
        lambda table: table.renumber(0, 1),
        lambda table: table.renumber(1, 0),
    ],
)
def test_numbers_that_are_not_open(operation: Callable[[FileTable], object]) -> None:
    table = FileTable()
    table.insert(FileEntry(Recorder()))
    assert number_of(lambda: operation(table)) == "EBADF"
    assert table.get(1) is None
    assert table.numbers() == (0,)


def test_the_limit() -> None:
    table = FileTable(limit=2)
    table.insert(FileEntry(Recorder()))
    table.check_room()
    table.insert(FileEntry(Recorder()))
    late = Recorder()
    assert number_of(table.check_room) == "EMFILE"
    assert number_of(lambda: table.insert(FileEntry(late))) == "EMFILE"
    assert late.closed == 0
    table.close(0)
    assert table.insert(FileEntry(late)) == 0


def test_renumbering_closes_the_file_that_had_the_number() -> None:
    table = FileTable()
    moved, replaced = Recorder(), Recorder()
    table.insert(FileEntry(moved))
    table.insert(FileEntry(replaced))
    table.renumber(0, 1)
    assert (moved.closed, replaced.closed) == (0, 1)
    assert table[1].file is moved
    table.renumber(1, 1)
    assert moved.closed == 0


def test_closing_closes_what_is_owned_once() -> None:
    table = FileTable()
    owned, lent, broken = Recorder(), Recorder(), Recorder(OSError(errno.EIO, "broken"))
    table.insert(FileEntry(broken))
    table.insert(FileEntry(owned))
    table.insert(FileEntry(lent, is_owned=False))
    assert number_of(table.close_all) == "EIO"
    table.close_all()
    assert (broken.closed, owned.closed, lent.closed) == (1, 1, 0)
    assert len(table) == 0
