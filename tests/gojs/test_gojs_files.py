"""Package os of a Go program, over mounts: operations, errors as numbers, the working directory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

import wazero_core
from gojs.building import go_program, under_node
from gojs.conftest import Host, binary, machine_config
from gojs.recorded import load
from wazero_core import FSConfig, MemFS
from wazero_core.cli import main

EXPECTED: Final = load()["files"].stdout
posix_only: Final = pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")


def lines_without_owners(output: str) -> list[str]:
    return [line for line in output.splitlines() if "chown" not in line]


@posix_only
def test_in_a_folder_of_the_host(any_host: Host, tmp_path: Path) -> None:
    config = machine_config().with_fs_config(FSConfig().with_dir_mount(tmp_path, "/work"))
    ended = any_host.run("files", "/work", config=config)
    assert (ended.stdout, ended.exit_code, ended.stderr) == (EXPECTED, 0, "")
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_in_memory(host: Host) -> None:
    """Where files have no owners."""
    config = machine_config().with_fs_config(FSConfig().with_fs_mount(MemFS(), "/work"))
    ended = host.run("files", "/work", config=config)
    assert lines_without_owners(ended.stdout) == lines_without_owners(EXPECTED)
    assert "chown not implemented on js" in ended.stdout


@posix_only
def test_recorded_of_node(node: None, tmp_path: Path) -> None:
    ended = under_node(go_program("files"), [str(tmp_path)])
    assert (ended.stdout, ended.exit_code, ended.stderr) == (EXPECTED, 0, "")


def test_without_any_file_system(host: Host) -> None:
    ended = host.run("files", "/")
    assert ended.stdout.startswith("chdir ok\nwrite Read-only file system (exist false, not exist false")


@posix_only
def test_read_only(host: Host, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("kept")
    config = machine_config().with_fs_config(FSConfig().with_read_only_dir_mount(tmp_path, "/work"))
    ended = host.run("files", "/work", config=config)
    assert (
        "write Read-only file system (exist false, not exist false, permission false)\nread kept ok\n" in ended.stdout
    )
    assert [path.read_text() for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize(
    ("mounted", "pwd", "expected"),
    [
        ("/", None, "/"),
        ("/", "/sub", "/sub"),
        ("/", "/missing", "/"),
        ("/", "/file", "/"),
        ("/", "relative", "/"),
        ("/a/b", "/a/b/sub", "/a/b/sub"),
        ("/a/b", None, "/"),
    ],
)
def test_the_working_directory_is_pwd_where_that_is_mounted(
    host: Host, mounted: str, pwd: str | None, expected: str
) -> None:
    fs = MemFS.from_mapping({"sub/x": b"", "file": b""})
    config = machine_config().with_fs_config(FSConfig().with_fs_mount(fs, mounted))
    ended = host.run("files", "", "getwd", config=config, env={} if pwd is None else {"PWD": pwd})
    assert ended.stdout == f"{expected} <nil>\n"


def test_a_working_directory_of_the_config_comes_before_pwd(host: Host) -> None:
    config = machine_config().with_fs_config(
        FSConfig().with_fs_mount(MemFS.from_mapping({"sub/x": b"", "b/x": b""}), "/")
    )
    ended = host.run(
        "files", "", "getwd", config=config, env={"PWD": "/sub"}, change=lambda config: config.with_workdir("/b")
    )
    assert ended.stdout == "/b <nil>\n"


def test_the_working_directory_of_this_process(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "found").touch()
    config = machine_config().with_fs_config(FSConfig().with_read_only_dir_mount(Path(tmp_path.anchor), "/"))
    ended = host.run("files", "", "getwd", config=config, change=lambda config: config.with_os_workdir())
    assert ended.stdout == f"{os.path.splitdrive(tmp_path)[1].replace(os.sep, '/')} <nil>\n"


@pytest.mark.parametrize("path", ["/missing", "/file", "/other/mount"])
def test_a_working_directory_that_is_none_is_refused(host: Host, path: str) -> None:
    config = machine_config().with_fs_config(FSConfig().with_fs_mount(MemFS.from_mapping({"file": b""}), "/"))
    with pytest.raises(OSError, match=f"the working directory '{path}'"):
        host.run("files", "", "getwd", config=config, change=lambda config: config.with_workdir(path))


# Users


_IDS: Final = {"getuid": 1001, "geteuid": 1002, "getgid": 1003, "getegid": 1004, "getgroups": [1003, 44]}


@pytest.fixture
def other_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in _IDS.items():
        monkeypatch.setattr(os, name, lambda value=value: value, raising=False)


def test_a_library_user_is_hidden_unless_shown(host: Host, other_user: None) -> None:
    assert host.run("files", "/", "user").stdout == "0 0 0 0 [0] <nil>\n"
    shown = host.run("files", "/", "user", change=lambda config: config.with_os_user())
    assert shown.stdout == "1001 1002 1003 1004 [1003 44 1004] <nil>\n"


def test_a_system_without_users(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _IDS:
        monkeypatch.delattr(os, name, raising=False)
    shown = host.run("files", "/", "user", change=lambda config: config.with_os_user())
    assert shown.stdout == "0 0 0 0 [0] <nil>\n"


def test_the_command_shows_the_user(host: Host, other_user: None, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(binary("files")), "/", "user"]) == 0
    assert capfd.readouterr().out == "1001 1002 1003 1004 [1003 44 1004] <nil>\n"
    assert wazero_core.run(binary("files"), ["/", "user"]).stdout == b"1001 1002 1003 1004 [1003 44 1004] <nil>\n"


@posix_only
def test_the_command_shows_the_user_as_node_does(node: None, capfd: pytest.CaptureFixture[str]) -> None:
    program = go_program("files")
    assert main(["run", str(program), "/", "user"]) == 0
    assert capfd.readouterr().out == under_node(program, ["/", "user"]).stdout
