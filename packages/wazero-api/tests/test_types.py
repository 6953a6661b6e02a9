"""Value types, external types, features and the decoded module: immutable, hashable, spelled as in the text format."""

from __future__ import annotations

import dataclasses
import pickle
from typing import get_args

import pytest

import wazero_api
from wazero_api import (
    CORE_FEATURES_V1,
    CORE_FEATURES_V2,
    CORE_FEATURES_V3,
    HEAP_TYPE_NAMES,
    CoreFeatures,
    Export,
    ExternKind,
    FunctionType,
    GlobalType,
    Import,
    Limits,
    MemoryType,
    Module,
    TableType,
    ValueType,
    i32,
)

I32, I64 = ValueType.I32, ValueType.I64


@pytest.mark.parametrize(
    ("type", "name", "is_ref", "has_default"),
    [
        (ValueType.I32, "i32", False, True),
        (ValueType.F64, "f64", False, True),
        (ValueType.V128, "v128", False, True),
        (ValueType.FUNCREF, "funcref", True, True),
        (ValueType.EXTERNREF, "externref", True, True),
        (ValueType.ref(3), "(ref null 3)", True, True),
        (ValueType.ref(3, nullable=False), "(ref 3)", True, False),
        (ValueType.ref(-0x12), "(ref null any)", True, True),
    ],
)
def test_value_type(type: ValueType, name: str, is_ref: bool, has_default: bool) -> None:
    assert (type.name, repr(type), type.is_ref, type.has_default) == (name, name, is_ref, has_default)


def test_equal_types_are_one_key() -> None:
    assert len({ValueType.ref(-0x10), ValueType.FUNCREF}) == 1
    assert len({FunctionType((I32,), ()), FunctionType((I32,), ()), FunctionType((), (I32,))}) == 2


def test_heap_types_are_those_of_their_one_byte_shorthands() -> None:
    assert {name: heap & 0x7F for heap, name in HEAP_TYPE_NAMES.items()} == {
        "noexn": 0x74, "nofunc": 0x73, "noextern": 0x72, "none": 0x71, "func": 0x70, "extern": 0x6F,
        "any": 0x6E, "eq": 0x6D, "i31": 0x6C, "struct": 0x6B, "array": 0x6A, "exn": 0x69,
    }  # fmt: skip


def test_annotations_carry_their_value_type() -> None:
    assert get_args(i32) == (int, I32)


def test_function_type_text() -> None:
    assert str(FunctionType((I32, I64), (I32,))) == "(i32 i64) -> (i32)"


def test_features_are_wazeros_bits_then_ours() -> None:
    assert [flag.name for flag in CoreFeatures][:7] == [
        "BULK_MEMORY_OPERATIONS", "MULTI_VALUE", "MUTABLE_GLOBAL", "NON_TRAPPING_FLOAT_TO_INT_CONVERSION",
        "REFERENCE_TYPES", "SIGN_EXTENSION_OPS", "SIMD",
    ]  # fmt: skip
    assert [flag.value for flag in CoreFeatures] == [1 << i for i in range(len(CoreFeatures))]
    assert CORE_FEATURES_V1 in CORE_FEATURES_V2
    assert CORE_FEATURES_V2 in CORE_FEATURES_V3
    assert CoreFeatures.THREADS not in CORE_FEATURES_V3


def test_features_change_by_copy() -> None:
    fewer = CORE_FEATURES_V2.set_enabled(CoreFeatures.SIMD, False)
    assert not fewer.is_enabled(CoreFeatures.SIMD)
    assert fewer.set_enabled(CoreFeatures.SIMD, True) == CORE_FEATURES_V2
    assert (CoreFeatures.SIMD | CoreFeatures.MULTI_VALUE).label == "multi-value|simd"


MODULE = Module(
    types=(FunctionType((I32,), ()),),
    imports=(
        Import("env", "f", ExternKind.FUNCTION),
        Import("env", "m", ExternKind.MEMORY, MemoryType(Limits(1, 2))),
        Import("env", "t", ExternKind.TABLE, TableType(ValueType.FUNCREF, Limits(1))),
        Import("env", "g", ExternKind.GLOBAL, GlobalType(I32, True)),
    ),
    functions=(0, 0),
    memories=(MemoryType(Limits(3)),),
    exports=(Export("f", ExternKind.FUNCTION, 0),),
)


def test_index_spaces_begin_with_imports() -> None:
    assert len(MODULE.function_types()) == 3
    assert [type.limits.minimum for type in MODULE.memory_types()] == [1, 3]
    assert [type.limits for type in MODULE.table_types()] == [Limits(1)]
    assert [type.is_mutable for type in MODULE.global_types()] == [True]
    assert [item.name for item in MODULE.imported(ExternKind.MEMORY)] == ["m"]


def test_modules_pickle() -> None:
    assert pickle.loads(pickle.dumps(MODULE)) == MODULE


def test_every_dataclass_is_frozen_and_slotted() -> None:
    """Nothing in the package can be changed after it is made."""
    classes = [value for value in vars(wazero_api).values() if dataclasses.is_dataclass(value)]
    assert len(classes) > 15
    for cls in classes:
        assert cls.__dataclass_params__.frozen, cls  # type: ignore[union-attr]
        assert "__slots__" in vars(cls), cls
