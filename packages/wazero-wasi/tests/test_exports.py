"""The host module is what the signature table says, under both names."""

from __future__ import annotations

import inspect
from importlib.metadata import entry_points
from typing import Any

import pytest

import wazero_wasi
from wazero_api import FunctionType, HostFunction, Module, ValueType
from wazero_api.host import Convention, HostModule
from wazero_core import Runtime, RuntimeConfig
from wazero_wasi import exports, signatures


def test_there_are_46_functions_without_repetition() -> None:
    names = [row.name for row in signatures.TABLE]
    assert len(names) == len(set(names)) == 46


@pytest.mark.parametrize("row", signatures.TABLE, ids=lambda row: row.name)
def test_rows_are_consistent(row: signatures.Signature) -> None:
    assert len(row.param_names) == len(row.type.params) == len(set(row.param_names))
    assert row.result_names == (() if row.name == "proc_exit" else ("errno",))
    assert [type_.name for type_ in row.type.results] == ["i32"] * len(row.result_names)


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("args_get", "(i32 i32) -> (i32)"),
        ("clock_time_get", "(i32 i64 i32) -> (i32)"),
        ("fd_filestat_set_times", "(i32 i64 i64 i32) -> (i32)"),
        ("fd_pread", "(i32 i32 i32 i64 i32) -> (i32)"),
        ("fd_readdir", "(i32 i32 i32 i64 i32) -> (i32)"),
        ("fd_seek", "(i32 i64 i32 i32) -> (i32)"),
        ("path_filestat_set_times", "(i32 i32 i32 i32 i64 i64 i32) -> (i32)"),
        ("path_link", "(i32 i32 i32 i32 i32 i32 i32) -> (i32)"),
        ("path_open", "(i32 i32 i32 i32 i32 i64 i64 i32 i32) -> (i32)"),
        ("path_rename", "(i32 i32 i32 i32 i32 i32) -> (i32)"),
        ("poll_oneoff", "(i32 i32 i32 i32) -> (i32)"),
        ("proc_exit", "(i32) -> ()"),
        ("sched_yield", "() -> (i32)"),
        ("sock_recv", "(i32 i32 i32 i32 i32 i32) -> (i32)"),
    ],
)
def test_types_are_those_that_compilers_emit(name: str, type_: str) -> None:
    (row,) = (row for row in signatures.TABLE if row.name == name)
    assert str(row.type) == type_


@pytest.mark.parametrize("name", ["wasi_snapshot_preview1", "wasi_unstable"])
def test_the_module_has_every_function(name: str) -> None:
    module = wazero_wasi.host_module(name)
    assert module.name == name
    assert [function.name for function in module.functions] == [row.name for row in signatures.TABLE]
    for function, row in zip(module.functions, signatures.TABLE, strict=True):
        assert (function.type, function.convention, function.wants_module) == (row.type, Convention.RAW, True)
        assert (function.param_names, function.result_names) == (row.param_names, row.result_names)
        inspect.signature(function.callable).bind(None, *row.type.params)


def test_every_implementation_is_in_the_table_and_in_one_place() -> None:
    tables = [set(exports._COMPLETE), set(exports._RAISING), set(exports._MADE)]
    names = set().union(*tables)
    assert sum(map(len, tables)) == len(names)
    assert {row.name for row in signatures.TABLE} == names


def test_no_function_is_missing(guest: Any) -> None:
    for name, function in guest.functions.items():
        if name != "proc_exit":
            assert guest.call(name, *[0] * len(function.type.params)) != "ENOSYS", name


@pytest.mark.parametrize("name", ["wasi_snapshot_preview1", "wasi_unstable"])
def test_entry_points_of_the_distribution_lead_to_the_host_modules(name: str) -> None:
    (found,) = entry_points(group="wazero.hostmodules", name=name)
    assert found.load()(name, Module()).name == name


@pytest.mark.parametrize("name", ["wasi_snapshot_preview1", "wasi_unstable"])
def test_single_functions_can_be_replaced(name: str) -> None:
    type_ = FunctionType((ValueType.I32, ValueType.I32), (ValueType.I32,))
    mine = HostFunction("random_get", type_, lambda buf, buf_len: 0)
    builder = Runtime(RuntimeConfig.interpreter()).new_host_module_builder(name)
    assert wazero_wasi.export_functions(builder, name) is builder
    functions = {function.name: function for function in builder.add(mine).compile().functions}
    assert functions.pop("random_get") is mine
    assert functions == {f.name: f for f in wazero_wasi.host_module(name).functions if f.name != "random_get"}


def test_other_names_are_refused() -> None:
    with pytest.raises(ValueError, match="imported as wasi_snapshot_preview1 or wasi_unstable"):
        wazero_wasi.host_module("wasi")


def test_instantiate_gives_the_host_module_to_the_runtime() -> None:
    class Runtime:
        def instantiate_host_module(self, module: HostModule) -> str:
            return module.name

    assert wazero_wasi.instantiate(Runtime()) == wazero_wasi.MODULE_NAME == "wasi_snapshot_preview1"
