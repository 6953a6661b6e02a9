"""Sources of random bytes: a deterministic one, which guests get unless told otherwise, the system's, and any stream."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any, Final, final

DETERMINISTIC_SEED: Final = 42

system_random: Final = os.urandom
"""Random bytes of the operating system, fit for cryptography."""


@final
class DeterministicRandom:
    """The same bytes in every run and on every machine, given the same requests: a Mersenne Twister with a fixed seed.

    Not fit for cryptography. Guests that need real randomness are given `system_random`.
    """

    __slots__ = ("_randbytes",)

    def __init__(self, seed: int = DETERMINISTIC_SEED) -> None:
        from random import Random  # costs milliseconds, and most instances never ask for a random byte

        self._randbytes = Random(seed).randbytes  # noqa: S311  # being predictable is the point

    def __call__(self, count: int) -> bytes:
        return self._randbytes(count)


@final
class StreamRandom:
    """Bytes of a binary stream, say an open ``/dev/urandom``. Raises OSError (EIO) when the stream ends."""

    __slots__ = ("_read",)

    def __init__(self, stream: Any) -> None:
        self._read: Callable[[int], bytes] = stream.read

    def __call__(self, count: int) -> bytes:
        parts: list[bytes] = []
        while count > 0:
            part = self._read(count)
            if not part:
                raise OSError(errno.EIO, "the source of random bytes ended")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)
