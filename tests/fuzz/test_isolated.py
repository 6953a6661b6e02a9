"""The helper that runs hostile input apart: what goes wrong in there comes out as an error, and measures are true."""

from __future__ import annotations

import os
import sys
import time

import pytest

from fuzz import isolated


def test_gives_the_result_and_measures() -> None:
    outcome = isolated.run(sorted, [3, 1, 2])
    assert outcome.result == [1, 2, 3]
    assert 0 <= outcome.growth_bytes < 64 << 20


@pytest.mark.skipif(sys.platform != "linux", reason="other systems measure differently")
def test_sees_memory() -> None:
    assert isolated.run(bytes.__mul__, b"x" * 1024, 100 * 1024).growth_bytes > 90 << 20


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_limits_memory() -> None:
    with pytest.raises(isolated.CrashError, match="MemoryError"):
        isolated.run(bytes.__mul__, b"x" * 1024, isolated.DATA_LIMIT_BYTES // 512)


def test_reports_exceptions() -> None:
    with pytest.raises(isolated.CrashError, match="ZeroDivisionError"):
        isolated.run(divmod, 1, 0)


def test_reports_the_end_of_the_process() -> None:
    with pytest.raises(isolated.CrashError, match="exit code 3"):
        isolated.run(os._exit, 3)


def test_kills_what_hangs() -> None:
    start = time.monotonic()
    with pytest.raises(isolated.CrashError, match="did not end within"):
        isolated.run(time.sleep, 100, timeout_s=1)
    assert time.monotonic() - start < 30
