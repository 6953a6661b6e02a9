"""The deterministic source repeats itself; streams are read to the last byte asked for."""

from __future__ import annotations

import errno
import io

import pytest

from wazero_core.system import DeterministicRandom, StreamRandom, system_random


def test_the_deterministic_source_gives_the_same_bytes_everywhere() -> None:
    """If these bytes change, runs that users have recorded can no longer be repeated."""
    source = DeterministicRandom()
    assert source(8).hex() == "9d79b1a37f31801c"
    assert source(3).hex() == "1a6706"


def test_each_deterministic_source_starts_anew() -> None:
    assert DeterministicRandom()(100) == DeterministicRandom()(100)
    assert DeterministicRandom(1)(100) != DeterministicRandom(2)(100)


@pytest.mark.parametrize("count", [0, 1, 7, 100_000])
@pytest.mark.parametrize("source", [DeterministicRandom(), system_random, StreamRandom(io.BytesIO(bytes(200_000)))])
def test_sources_give_as_many_bytes_as_asked_for(source: DeterministicRandom, count: int) -> None:
    assert len(source(count)) == count


def test_a_stream_that_gives_little_at_a_time_is_asked_again() -> None:
    class Slow(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return b"x"

    assert StreamRandom(Slow())(5) == b"xxxxx"


def test_a_stream_that_ends_is_an_error() -> None:
    with pytest.raises(OSError, match="ended") as caught:
        StreamRandom(io.BytesIO(b"abc"))(4)
    assert caught.value.errno == errno.EIO
