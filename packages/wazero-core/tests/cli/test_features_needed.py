"""The features that a module needs are those without which the validator refuses it."""

from __future__ import annotations

from functools import reduce
from operator import or_

import pytest

from wazero_api import CoreFeatures, InvalidModuleError, Module
from wazero_core.binary.decoder import decode_module
from wazero_core.cli.features_needed import features_needed
from wazero_core.validation import SUPPORTED_FEATURES, ModuleValidator

wasmtime = pytest.importorskip("wasmtime")

F = CoreFeatures
GUESTS: dict[str, tuple[CoreFeatures, ...]] = {
    "": (),
    "(func (param i32) (result i32) (local i64) (local.get 0))": (),
    '(memory 1) (table 1 funcref) (func $f) (elem (i32.const 0) $f) (data (i32.const 0) "a")': (),
    "(global (mut i32) (i32.const 0))": (),
    "(func (block (result i32) (i32.const 0)) drop)": (),
    # Types and definitions
    "(func (result i32 i32) (i32.const 0) (i32.const 0))": (F.MULTI_VALUE,),
    '(import "a" "b" (global (mut i32)))': (F.MUTABLE_GLOBAL,),
    '(global (export "a") (mut i32) (i32.const 0))': (F.MUTABLE_GLOBAL,),
    '(global (export "a") i32 (i32.const 0)) (global (mut i32) (i32.const 0))': (),
    "(table 1 funcref) (table 1 funcref)": (F.REFERENCE_TYPES,),
    "(table 1 externref)": (F.REFERENCE_TYPES,),
    "(func (param externref))": (F.REFERENCE_TYPES,),
    "(func (local funcref))": (F.REFERENCE_TYPES,),
    "(global externref (ref.null extern))": (F.REFERENCE_TYPES,),
    "(memory 1) (memory 1)": (F.MULTI_MEMORY,),
    "(memory i64 1)": (F.MEMORY64,),
    "(memory 1 1 shared)": (F.THREADS,),
    "(func (param v128))": (F.SIMD,),
    "(func (local v128))": (F.SIMD,),
    # Segments and initialisers
    '(memory 1) (data "a")': (F.BULK_MEMORY_OPERATIONS,),
    "(func $f) (elem func $f)": (F.BULK_MEMORY_OPERATIONS,),
    "(func $f) (elem declare func $f)": (F.BULK_MEMORY_OPERATIONS,),
    "(global i32 (i32.add (i32.const 1) (i32.const 2)))": (F.EXTENDED_CONST,),
    '(memory 1) (data (i32.mul (i32.const 1) (i32.const 2)) "a")': (F.EXTENDED_CONST,),
    "(table 1 funcref) (elem (i32.sub (i32.const 1) (i32.const 1)) func)": (F.EXTENDED_CONST,),
    "(table 1 funcref) (elem (i32.const 0) funcref (ref.null func))": (F.REFERENCE_TYPES,),
    # Instructions
    "(func (drop (i32.extend8_s (i32.const 1))))": (F.SIGN_EXTENSION_OPS,),
    "(func (drop (i32.trunc_sat_f32_s (f32.const 1))))": (F.NON_TRAPPING_FLOAT_TO_INT_CONVERSION,),
    "(memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)))": (F.BULK_MEMORY_OPERATIONS,),
    "(func (drop (ref.null extern)))": (F.REFERENCE_TYPES,),
    "(func (drop (select (result i32) (i32.const 0) (i32.const 0) (i32.const 0))))": (F.REFERENCE_TYPES,),
    "(func (i32.const 0) (block (param i32) (drop)))": (F.MULTI_VALUE,),
    "(func (block (result funcref) (ref.null func)) drop)": (F.REFERENCE_TYPES,),
    "(table 1 funcref) (func (call_indirect (i32.const 0)))": (),
    "(table 1 funcref) (table 1 funcref) (func (call_indirect 1 (i32.const 0)))": (F.REFERENCE_TYPES,),
    "(func (drop (v128.const i32x4 0 0 0 0)))": (F.SIMD,),
    "(func (drop (f32x4.relaxed_min (v128.const i32x4 0 0 0 0) (v128.const i32x4 0 0 0 0))))": (
        F.SIMD,
        F.RELAXED_SIMD,
    ),
    "(memory 1 1 shared) (func (drop (i32.atomic.load (i32.const 0))))": (F.THREADS,),
    "(func $f (return_call $f))": (F.TAIL_CALL,),
}


def decoded(text: str) -> Module:
    return decode_module(bytes(wasmtime.wat2wasm(f"(module {text})")))


def is_valid(module: Module, features: CoreFeatures) -> bool:
    validator = ModuleValidator(module, features)
    try:
        validator.check_module()
        validator.check_bodies()
    except InvalidModuleError:
        return False
    return True


@pytest.mark.parametrize(("text", "features"), GUESTS.items())
def test_what_is_needed(text: str, features: tuple[CoreFeatures, ...]) -> None:
    needed = features_needed(decoded(text))
    assert needed == reduce(or_, features, F(0)), needed.label


@pytest.mark.parametrize(
    "text", [text for text, needed in GUESTS.items() if all(f in SUPPORTED_FEATURES for f in needed)]
)
def test_the_validator_agrees(text: str) -> None:
    module = decoded(text)
    needed = features_needed(module)
    assert is_valid(module, needed)
    assert [f for f in CoreFeatures if f in needed and is_valid(module, needed & ~f)] == []


def test_every_supported_feature_is_met() -> None:
    assert reduce(or_, (feature for features in GUESTS.values() for feature in features)) & SUPPORTED_FEATURES == (
        SUPPORTED_FEATURES
    )
