"""Free ranges against a model that is a set of free cells."""

from __future__ import annotations

import random

import pytest

from wazero_jit.memory.free_ranges import FreeRanges

LOW, HIGH = 1000, 1400


def test_the_smallest_that_fits_is_taken_and_the_lowest_among_equals() -> None:
    free = FreeRanges()
    for start, end in ((0, 10), (20, 24), (30, 34), (40, 60)):
        free.put(start, end, 0, 100)
    assert [free.take(4), free.take(4), free.take(4), free.take(11), free.take(11)] == [20, 30, 0, 40, None]
    assert sorted(free._ends.items()) == [(4, 10), (51, 60)]


def test_neighbours_are_joined_inside_the_bounds_only() -> None:
    free = FreeRanges()
    assert free.put(0, 10, 0, 10) == (0, 10)
    assert free.put(20, 30, 10, 30) == (20, 30)
    assert free.put(30, 40, 30, 40) == (30, 40)
    assert free.put(10, 20, 10, 30) == (10, 30)
    assert len(free) == 3


@pytest.mark.parametrize("seed", range(20))
def test_what_is_taken_was_free_and_what_is_put_back_is_joined(seed: int) -> None:
    chance = random.Random(seed)
    free, cells, taken = FreeRanges(), set(range(LOW, HIGH)), []
    free.put(LOW, HIGH, LOW, HIGH)
    for _ in range(400):
        if chance.random() < 0.55:
            size = chance.randint(1, 30)
            start = free.take(size)
            if start is None:
                assert not any(all(cell + i in cells for i in range(size)) for cell in cells)
                continue
            assert cells.issuperset(range(start, start + size))
            cells.difference_update(range(start, start + size))
            taken.append((start, start + size))
        elif taken:
            start, end = taken.pop(chance.randrange(len(taken)))
            free.put(start, end, LOW, HIGH)
            cells.update(range(start, end))
    runs = sum(cell - 1 not in cells for cell in cells)
    assert len(free) == len(free._by_size) == len(free._starts) == runs
    for start, end in taken:
        free.put(start, end, LOW, HIGH)
    assert free.take(HIGH - LOW) == LOW
