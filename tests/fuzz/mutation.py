"""Seeded ways to break a module a little."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Final

from fuzz.binary import leb

_INTERESTING: Final = (
    0x00,
    0x01,
    0x0B,
    0x3F,
    0x40,
    0x41,
    0x60,
    0x6F,
    0x70,
    0x7B,
    0x7C,
    0x7D,
    0x7E,
    0x7F,
    0x80,
    0xFB,
    0xFC,
    0xFD,
    0xFF,
)
"""Bytes that mean something in many places."""


def mutants(seed: int, modules: Sequence[bytes], count: int) -> Iterator[bytes]:
    """`count` broken descendants of `modules`, one to four changes each."""
    random = Random(seed)
    for _ in range(count):
        data = bytearray(random.choice(modules))
        for _ in range(random.choice((1, 1, 1, 2, 2, 4))):
            random.choice(_MUTATIONS)(random, data, modules)
        yield bytes(data)


def truncations(seed: int, module: bytes, count: int) -> Iterator[bytes]:
    """Every proper prefix, or `count` random ones if there are more."""
    if len(module) <= count:
        stops: Sequence[int] = range(len(module))
    else:
        stops = Random(seed).sample(range(len(module)), count)
    for stop in stops:
        yield module[:stop]


_Mutation = Callable[[Random, bytearray, Sequence[bytes]], None]


def _flip(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    data[_place(random, data)] ^= 1 << random.randrange(8)


def _replace(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    data[_place(random, data)] = random.randrange(256)


def _replace_by_interesting(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    data[_place(random, data)] = random.choice(_INTERESTING)


def _add_one(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    place = _place(random, data)
    data[place] = data[place] + random.choice((-1, 1)) & 0xFF


def _copy_within(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    length = random.randint(1, 16)
    source, target = _place(random, data), _place(random, data)
    piece = data[source : source + length]
    data[target : target + len(piece)] = piece


def _insert(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    place = _place(random, data)
    data[place:place] = random.randbytes(random.randint(1, 4))


def _delete(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    place = _place(random, data)
    del data[place : place + random.randint(1, 4)]


def _big_number(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    place = _place(random, data)
    data[place : place + 1] = leb(random.choice((0x7F, 0x3FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 63)))


def _splice(random: Random, data: bytearray, modules: Sequence[bytes]) -> None:
    other = random.choice(modules)
    start, place = random.randrange(len(other)), _place(random, data)
    piece = other[start : start + random.randint(1, 40)]
    data[place : place + len(piece)] = piece


def _place(random: Random, data: bytearray) -> int:
    """An index, seldom in the preamble; tiny modules grow a byte so that there is one."""
    if len(data) <= 8:
        data += b"\0"
    return (
        random.randrange(0 if random.random() < 0.02 else 8, len(data))
        if len(data) > 8
        else random.randrange(len(data))
    )


_MUTATIONS: Final[tuple[_Mutation, ...]] = (
    *(_flip, _replace, _replace_by_interesting, _add_one, _copy_within) * 3,
    _insert,
    _delete,
    _big_number,
    _splice,
)
"""Those that keep lengths right come more often: what they make is more often decoded to the end."""
