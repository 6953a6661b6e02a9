"""What ``wazero run -hostlogging`` shows of a Go program's calls."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import wazero_gojs
from gojs.conftest import Host, machine_config
from gojs.handmade import END, EXIT, guest
from gojs.libraries import load
from wazero_api import ExitError, LogScope
from wazero_core import FSConfig, MemFS, ModuleConfig
from wazero_core.runtime.host_logging import logged, parse_log_scopes


def log_of(host: Host, scopes: str, program: str, *args: str, config: ModuleConfig | None = None) -> list[str]:
    lines: list[str] = []
    wanted = parse_log_scopes(scopes)
    config = (config or machine_config()).with_args(program, *args)
    try:
        wazero_gojs.run(
            host.runtime, host.compiled(program), config, change=lambda module: logged(module, wanted, lines.append)
        )
    except ExitError:
        pass
    return [line.removesuffix("\n") for line in lines]


def calls(lines: list[str]) -> list[str]:
    """Each call with its result on one line, and without what differs from run to run."""
    joined = "\n".join(lines).replace("\n<==", " <==")
    return re.sub(r"mtimeMs=\d+", "mtimeMs=T", joined).split("\n")


def test_the_file_system(host: Host) -> None:
    config = machine_config().with_fs_config(FSConfig().with_fs_mount(MemFS(), "/w"))
    lines = calls(log_of(host, "filesystem", "files", "/w", config=config))
    for expected in (
        "fs.open(path=a,flags=WRONLY|CREATE|TRUNC,perm=-rw-r--r--)) <== (err=<nil>,fd=3)",
        "fs.write(fd=3,offset=0,byteCount=5,fOffset=<nil>)) <== (err=<nil>,n=5)",
        "fs.close(fd=3)) <== (err=<nil>)",
        "fs.open(path=missing,flags=RDONLY,perm=----------)) <== (err=ENOENT)",
        "fs.fstat(fd=3)) <== (err=<nil>,stat={isDir=false,mode=-rw-r--r--,size=5,mtimeMs=T})",
        "fs.mkdir(path=d,perm=-rwxr-xr-x)) <== (err=EEXIST)",
        "fs.readdir(path=d)) <== (err=<nil>,dirents=[b,e,m,z])",
        "fs.rename(from=d/z,to=d/y)) <== (err=<nil>)",
        "fs.symlink(path=a,link=to-a)) <== (err=<nil>)",
        "fs.readlink(path=to-a)) <== (err=<nil>,dst=a)",
        "fs.chmod(path=a,mode=-rw-------)) <== (err=<nil>)",
        "fs.chown(path=missing,uid=-1,gid=-1)) <== (err=ENOSYS)",
        "fs.truncate(path=a,length=2)) <== (err=<nil>)",
    ):
        assert f"==> go.syscall/js.valueCall({expected}" in lines
    assert {line.split("(")[1].split(".")[0] for line in lines} == {"fs"}
    assert not any("fd=1," in line for line in lines), "what it prints is seen anyway"


def test_the_process(host: Host) -> None:
    config = machine_config().with_fs_config(FSConfig().with_fs_mount(MemFS(), "/w"))
    lines = calls(log_of(host, "proc", "files", "/w", config=config))
    for expected in (
        "valueCall(process.chdir(path=/w)) <== (err=<nil>)",
        "valueCall(process.chdir(path=missing)) <== (err=ENOENT)",
        "valueCall(process.cwd()) <== (cwd=/w)",
        "valueCall(process.umask(mask=----rwxrwx)) <== (oldmask=-----w--w-)",
    ):
        assert f"==> go.syscall/js.{expected}" in lines
    assert log_of(host, "proc", "ends", "exit", "3")[-1] == "==> go.runtime.wasmExit(code=3)"


def test_clock_random_memory_and_poll(host: Host) -> None:
    lines = calls(log_of(host, "clock,random,poll,memory", "waits", "timers"))
    shown = {re.sub(r"\d+", "N", line) for line in lines}
    assert shown >= {
        "==> go.runtime.nanotimeN() <== (nsec=N)",
        "==> go.runtime.walltime() <== (sec=N,nsec=N)",
        "==> go.runtime.getRandomData(r_len=N) <==",
        "==> go.runtime.resetMemoryDataView() <==",
        "==> go.runtime.scheduleTimeoutEvent(ms=N) <== (id=N)",
        "==> go.runtime.clearTimeoutEvent(id=N) <==",
    }
    assert not any("syscall/js" in line for line in shown)


def test_all(host: Host) -> None:
    lines = calls(log_of(host, "all", "values", "calls"))
    for expected in (
        "valueGet(v=globalThis,p=Math) <== (r=#<Object>)",
        "valueCall(#<Object>.max(1,5,3)) <== (res=5,ok=true)",
        "valueCall(#<Object>.parse({)) <== (res=SyntaxError: Expected property name or '}' in JSON at position 1,ok=false)",
        "valueNew(v=function Date,args=[0]) <== (res=#<Date>,ok=true)",
    ):
        assert f"==> go.syscall/js.{expected}" in lines
    assert not any("wasmWrite" in line for line in lines)


def test_calls_inside_of_calls_are_indented(host: Host) -> None:
    lines = log_of(host, "all", "values", "functions")
    start = next(i for i, line in enumerate(lines) if "valueInvoke(v=function,args=[1,2])" in line)
    assert lines[start].startswith("==> ")
    end = lines.index("<== (res=3,ok=true)", start)
    inside = lines[start + 1 : end]
    assert "\t==> go.syscall/js.valueGet(v=jsGo,p=_pendingEvent)" in inside
    assert all(line.startswith("\t") for line in inside)


@pytest.mark.parametrize("module", ["go", "gojs"])
def test_logs_of_all_versions_of_go_have_one_name(host: Host, module: str) -> None:
    lines: list[str] = []
    compiled = host.runtime.compile_module(guest(EXIT, END, module=module))
    wanted = machine_config().with_name("")
    wazero_gojs.run(host.runtime, compiled, wanted, change=lambda given: logged(given, LogScope.ALL, lines.append))
    assert lines == ["==> go.runtime.wasmExit(code=0)\n"]


def test_hostile_names_stay_on_one_line() -> None:
    lines: list[str] = []
    with load() as go:
        program = go._program
        from wazero_gojs.abi.logging import GoDescriber

        describer = GoDescriber(program, "syscall/js.valueGet", LogScope.ALL)
        program.buffer[64:72] = b"a\nb\x1b[2J\xff"
        program.buffer[8 + 256 : 8 + 280] = (
            (0x7FF80001_00000005).to_bytes(8, "little") + (64).to_bytes(8, "little") + (8).to_bytes(8, "little")
        )
        lines.append(describer.params(None, (256,)) or "")
    assert lines == ["v=globalThis,p=a\\nb\\x1b[2J\\xff"]


def test_the_command(host: Host, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from gojs.conftest import binary
    from wazero_core.cli import main

    (tmp_path / "x").write_text("1")
    code = main(["run", "-hostlogging=filesystem", f"-mount={tmp_path}:/w", "-workdir=/w", str(binary("files")), "."])
    out, err = capfd.readouterr()
    assert code == 0
    assert out.startswith("chdir ok\nwrite ok\n")
    assert "==> go.syscall/js.valueCall(fs.open(path=a,flags=WRONLY|CREATE|TRUNC,perm=-rw-r--r--))\n<== (err=" in err
