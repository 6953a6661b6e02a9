"""The suite's files: what group each belongs to, and what its modules need beyond WebAssembly 2.0 without vectors.

The suite is that of WebAssembly 3.0. Its files keep the names that they had before, but some of them gained modules of
later features, and a few of those are the file's main module. These are the `MIXED` ones.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Final, final

SUITE_VARIABLE: Final = "WAZERO_TESTSUITE"
"""Names the folder of the scripts; without it, it is `testsuite` in the folder `shared` beside the repository."""


class Group(Enum):
    """What a file is about."""

    CORE = "core"
    """WebAssembly 1.0 and 2.0 without vectors; a few modules that must be rejected mention later features."""
    MIXED = "mixed"
    """About the core, but some modules that must be accepted need later features."""
    ANNOTATIONS = "annotations"
    """About annotations in the text format; the modules themselves are ordinary."""
    SIMD = "simd"
    RELAXED_SIMD = "relaxed-simd"
    TAIL_CALL = "tail-call"
    MULTI_MEMORY = "multi-memory"
    MEMORY64 = "memory64"
    EXCEPTIONS = "exceptions"
    FUNCTION_REFERENCES = "function-references"
    GC = "gc"
    THREADS = "threads"
    """Of a fork older than the rest: some modules must be rejected that WebAssembly 2.0 accepts."""
    CUSTOM_PAGE_SIZES = "custom-page-sizes"
    WIDE_ARITHMETIC = "wide-arithmetic"
    LEGACY = "legacy"
    """Exception instructions that the specification gave up; nothing here assembles them."""


@final
@dataclass(frozen=True, slots=True)
class SuiteFile:
    """A script; `features` are those that its modules need which must be accepted."""

    name: str
    group: Group
    features: frozenset[str]


_TABLE: Final = (
    (
        Group.CORE,
        "",
        """
        address align binary-leb128 binary block br br_if bulk call call_indirect comments const conversions custom
        endianness exports f32 f32_bitwise f32_cmp f64 f64_bitwise f64_cmp fac float_exprs float_literals
        float_memory float_misc forward func func_ptrs i32 i64 id if inline-module int_exprs int_literals labels
        left-to-right load local_get local_set local_tee loop memory memory_copy memory_fill memory_init
        memory_redundancy memory_size memory_trap names nop obsolete-keywords ref_func return select
        skip-stack-guard-page stack start store switch table_copy table_fill table_get table_grow table_set
        table_size token traps type unreachable unreached-invalid unwind utf8-custom-section-id utf8-import-field
        utf8-import-module utf8-invalid-encoding
        """,
    ),
    (Group.MIXED, "exceptions", "imports"),
    (Group.MIXED, "function-references", "br_table linking ref_is_null table unreached-valid"),
    (Group.MIXED, "multi-memory", "memory_grow"),
    (Group.MIXED, "function-references gc", "data elem global table_init"),
    (Group.ANNOTATIONS, "", "annotations custom/branch_hint custom/custom_annot"),
    (Group.ANNOTATIONS, "exceptions", "custom/name_annot"),
    (
        Group.SIMD,
        "simd",
        """
        simd_address simd_align simd_bit_shift simd_bitwise simd_boolean simd_const simd_conversions simd_f32x4
        simd_f32x4_arith simd_f32x4_cmp simd_f32x4_pmin_pmax simd_f32x4_rounding simd_f64x2 simd_f64x2_arith
        simd_f64x2_cmp simd_f64x2_pmin_pmax simd_f64x2_rounding simd_i16x8_arith simd_i16x8_arith2 simd_i16x8_cmp
        simd_i16x8_extadd_pairwise_i8x16 simd_i16x8_extmul_i8x16 simd_i16x8_q15mulr_sat_s simd_i16x8_sat_arith
        simd_i32x4_arith simd_i32x4_arith2 simd_i32x4_cmp simd_i32x4_dot_i16x8 simd_i32x4_extadd_pairwise_i16x8
        simd_i32x4_extmul_i16x8 simd_i32x4_trunc_sat_f32x4 simd_i32x4_trunc_sat_f64x2 simd_i64x2_arith
        simd_i64x2_arith2 simd_i64x2_cmp simd_i64x2_extmul_i32x4 simd_i8x16_arith simd_i8x16_arith2 simd_i8x16_cmp
        simd_i8x16_sat_arith simd_int_to_int_extend simd_lane simd_linking simd_load simd_load16_lane
        simd_load32_lane simd_load64_lane simd_load8_lane simd_load_extend simd_load_splat simd_load_zero
        simd_select simd_splat simd_store simd_store16_lane simd_store32_lane simd_store64_lane simd_store8_lane
        """,
    ),
    (Group.SIMD, "multi-memory simd", "simd_memory-multi"),
    (
        Group.RELAXED_SIMD,
        "relaxed-simd simd",
        """
        i16x8_relaxed_q15mulr_s i32x4_relaxed_trunc i8x16_relaxed_swizzle relaxed_dot_product relaxed_laneselect
        relaxed_madd_nmadd relaxed_min_max
        """,
    ),
    (Group.TAIL_CALL, "function-references", "return_call_ref"),
    (Group.TAIL_CALL, "tail-call", "return_call return_call_indirect"),
    (Group.MULTI_MEMORY, "", "memory_size3"),
    (
        Group.MULTI_MEMORY,
        "multi-memory",
        """
        address0 address1 align0 binary0 data0 data1 data_drop0 exports0 float_exprs0 float_exprs1 float_memory0
        imports0 imports1 imports2 imports3 imports4 linking0 linking1 linking2 linking3 load0 load1 load2
        memory-multi memory_copy0 memory_copy1 memory_fill0 memory_init0 memory_size0 memory_size1 memory_size2
        memory_size_import memory_trap0 memory_trap1 start0 store0 store1 store2 traps0
        """,
    ),
    (
        Group.MEMORY64,
        "memory64",
        """
        address64 align64 binary_leb128_64 bulk64 call_indirect64 endianness64 float_memory64 load64
        memory64-imports memory64 memory_copy64 memory_fill64 memory_grow64 memory_init64 memory_redundancy64
        memory_trap64 table64 table_copy64 table_copy_mixed table_fill64 table_get64 table_grow64 table_set64
        table_size64
        """,
    ),
    (Group.MEMORY64, "function-references gc memory64", "table_init64"),
    (Group.EXCEPTIONS, "exceptions", "throw throw_ref"),
    (Group.EXCEPTIONS, "exceptions function-references gc", "tag"),
    (Group.EXCEPTIONS, "exceptions function-references multi-memory", "instance"),
    (Group.EXCEPTIONS, "exceptions function-references tail-call", "try_table"),
    (
        Group.FUNCTION_REFERENCES,
        "function-references",
        """
        br_on_non_null br_on_null call_ref local_init ref ref_as_non_null table-sub
        """,
    ),
    (Group.GC, "", "binary-gc"),
    (
        Group.GC,
        "function-references gc",
        """
        array array_copy array_fill array_init_data array_init_elem array_new_data array_new_elem br_on_cast
        br_on_cast_fail extern i31 ref_cast ref_eq ref_test struct type-canon type-equivalence type-rec
        type-subtyping
        """,
    ),
    (Group.GC, "exceptions function-references gc", "ref_null"),
    (
        Group.THREADS,
        "threads",
        """
        proposals/threads/atomic proposals/threads/exports proposals/threads/imports proposals/threads/memory
        """,
    ),
    (Group.CUSTOM_PAGE_SIZES, "", "proposals/custom-page-sizes/binary"),
    (Group.CUSTOM_PAGE_SIZES, "custom-page-sizes", "proposals/custom-page-sizes/memory_max"),
    (Group.CUSTOM_PAGE_SIZES, "custom-page-sizes memory64", "proposals/custom-page-sizes/memory_max_i64"),
    (
        Group.CUSTOM_PAGE_SIZES,
        "custom-page-sizes multi-memory",
        """
        proposals/custom-page-sizes/custom-page-sizes-invalid proposals/custom-page-sizes/custom-page-sizes
        """,
    ),
    (Group.WIDE_ARITHMETIC, "wide-arithmetic", "proposals/wide-arithmetic/wide-arithmetic"),
    (Group.LEGACY, "", "legacy/rethrow legacy/throw legacy/try_catch legacy/try_delegate"),
)
"""Group, features, names without ".wast"."""


def _files() -> dict[str, SuiteFile]:
    files: dict[str, SuiteFile] = {}
    for group, features, names in _TABLE:
        for name in names.split():
            if name in files:
                raise ValueError(f"classified twice: {name}")
            files[f"{name}.wast"] = SuiteFile(f"{name}.wast", group, frozenset(features.split()))
    return files


FILES: Final[Mapping[str, SuiteFile]] = MappingProxyType(_files())
"""All files by their path inside the suite, with forward slashes."""


def files_of(*groups: Group) -> list[str]:
    """The names of these groups' files, sorted."""
    return sorted(name for name, file in FILES.items() if file.group in groups)


def suite_folder() -> Path | None:
    """Where the scripts are, or None if they are not there."""
    override = os.environ.get(SUITE_VARIABLE)
    folder = Path(override) if override else Path(__file__).parents[4] / "shared" / "testsuite"
    return folder if (folder / "i32.wast").exists() else None


def suite_missing() -> str:
    """The reason to give where a test is skipped since there are no scripts."""
    return f"the WebAssembly test suite is not here: set {SUITE_VARIABLE} to a checkout of WebAssembly/testsuite"
