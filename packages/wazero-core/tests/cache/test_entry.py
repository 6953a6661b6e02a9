"""An entry is taken only if it is whole and for the key that was asked for."""

from __future__ import annotations

import pytest

from wazero_core.cache.entry import HEADER_BYTES, KEY_BYTES, Entry, header_of, parse_entry

KEY = bytes(range(KEY_BYTES))
ENTRY = Entry(b"compiled code", is_validated=True)
HEADER = header_of(KEY, ENTRY)


@pytest.mark.parametrize("entry", [ENTRY, ENTRY._replace(is_validated=False), Entry(b"", is_validated=True)])
def test_there_and_back(entry: Entry) -> None:
    header = header_of(KEY, entry)
    assert len(header) == HEADER_BYTES
    assert parse_entry(KEY, header, entry.code) == entry


def test_other_entries_have_other_headers() -> None:
    others = (ENTRY._replace(is_validated=False), ENTRY._replace(code=b"other code"), ENTRY._replace(code=b""))
    assert len({HEADER, *(header_of(KEY, entry) for entry in others)}) == 4


@pytest.mark.parametrize(
    ("key", "header", "code"),
    [
        pytest.param(KEY, b"", b"", id="empty"),
        pytest.param(KEY, HEADER[:-1], ENTRY.code, id="half a header"),
        pytest.param(KEY, HEADER, ENTRY.code[:-1], id="code cut off"),
        pytest.param(KEY, HEADER, ENTRY.code + b"x", id="more behind it"),
        pytest.param(KEY, HEADER, b"c0mpiled code", id="code changed"),
        pytest.param(KEY[::-1], HEADER, ENTRY.code, id="another module's"),
        pytest.param(KEY, b"W" + HEADER[1:], ENTRY.code, id="another file"),
        pytest.param(KEY, HEADER[:7] + b"\2" + HEADER[8:], ENTRY.code, id="another version"),
        pytest.param(KEY, b"\xff" * HEADER_BYTES, ENTRY.code, id="noise"),
    ],
)
def test_what_is_no_entry(key: bytes, header: bytes, code: bytes) -> None:
    assert parse_entry(key, header, code) is None
