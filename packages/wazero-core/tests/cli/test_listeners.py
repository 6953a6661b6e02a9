"""The values of ``-listen``."""

from __future__ import annotations

import pytest

from wazero_core.cli import main
from wazero_core.cli.listeners import parse_listener


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("localhost:80", ("localhost", 80)),
        (":0", ("", 0)),
        ("127.0.0.1:65535", ("127.0.0.1", 65535)),
        ("[::1]:8080", ("::1", 8080)),
        ("::1:8080", ("::1", 8080)),
        ("a:08", ("a", 8)),
    ],
)
def test_host_and_port(text: str, expected: tuple[str, int]) -> None:
    assert parse_listener(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'invalid listen: "" is not of the form host:port'),
        ("8080", 'invalid listen: "8080" is not of the form host:port'),
        ("a:", 'invalid listen port: "" is not a number from 0 to 65535'),
        ("a:x", 'invalid listen port: "x" is not a number from 0 to 65535'),
        ("a:-1", 'invalid listen port: "-1" is not a number from 0 to 65535'),
        ("a:65536", 'invalid listen port: "65536" is not a number from 0 to 65535'),
        ("a:" + "9" * 5_000, f'invalid listen port: "{"9" * 5_000}" is not a number from 0 to 65535'),
        ("a:\uff18", 'invalid listen port: "\uff18" is not a number from 0 to 65535'),
        ("a\n:\x1b", 'invalid listen port: "\\x1b" is not a number from 0 to 65535'),
    ],
)
def test_what_is_none_is_one_line(capsys: pytest.CaptureFixture[str], text: str, message: str) -> None:
    assert main(["run", "-listen", "ok:1", "-listen", text, "no such file"]) == 1
    assert capsys.readouterr() == ("", message + "\n")
