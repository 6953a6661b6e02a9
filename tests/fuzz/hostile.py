"""Modules made by somebody who wants to break the runtime: one row an idea.

What each aims at is in its `aim`; what it may come to, in `outcome`. The sizes are such that something which grows with
the square of the input takes many times longer than `test_hostile_modules` allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice, product
from typing import Final, NamedTuple

from fuzz.binary import (
    CODE,
    DATA,
    DATA_COUNT,
    ELEMENT,
    END,
    EXPORT,
    F32,
    F64,
    FUNCTION,
    GLOBAL,
    I32,
    I64,
    IMPORT,
    MEMORY,
    PREAMBLE,
    START,
    TABLE,
    TYPE,
    body,
    export,
    function,
    function_type,
    functions,
    i32_const,
    leb,
    module,
    name,
    section,
    vec,
)

MALFORMED: Final = "MalformedModuleError"
INVALID: Final = "InvalidModuleError"
LINK: Final = "LinkError"
WORKS: Final = "ok"
TRAP: Final = "Trap"
EXHAUSTED: Final = "ExhaustionError"
TIMEOUT: Final = "DeadlineExceededError"
UNSUPPORTED: Final = "UnsupportedError"
"""A function whose translation would be too long."""

BLOCK, LOOP, IF, ELSE = b"\x02\x40", b"\x03\x40", b"\x04\x40", b"\x05"
UNREACHABLE, NOP, RETURN, DROP = b"\x00", b"\x01", b"\x0f", b"\x1a"
GET_0, SET_0, TEE_0 = b"\x20\x00", b"\x21\x00", b"\x22\x00"
HUGE: Final = leb(0xFFFFFFFF)
PAGES_1: Final = (MEMORY, vec([b"\0\1"]))


class Hostile(NamedTuple):
    """One module, what it aims at, and how it may end: at compiling, at linking, or at the first call."""

    id: str
    aim: str
    build: Callable[[], bytes]
    outcome: tuple[str, ...]


# Decoder


def _function_of(code: Callable[[], bytes], *more: tuple[int, bytes]) -> bytes:
    return function(code(), params=[I32], more=more)


def _sweep(opener: bytes, code: bytes, ends: int) -> bytes:
    """A function for each depth; `ends` blocks are opened at each."""
    return functions(
        [body(opener * depth + code + END * (ends * depth)) for depth in range(3, 130)],
        types=[function_type([I32])],
        exports=[export(f"f{depth}", depth - 3) for depth in range(3, 130)],
    )


def huge_counts() -> Iterator[Hostile]:
    """Every vector announces four billion items."""
    for number, what in {
        TYPE: "types",
        IMPORT: "imports",
        FUNCTION: "functions",
        TABLE: "tables",
        MEMORY: "memories",
        GLOBAL: "globals",
        EXPORT: "exports",
        ELEMENT: "elements",
        CODE: "bodies",
        DATA: "data",
    }.items():
        wasm = module((number, HUGE + bytes(100)))
        yield Hostile(f"count of {what}", "memory of the decoder", partial(bytes, wasm), (MALFORMED,))
    inside = {
        "params": module((TYPE, b"\1\x60" + HUGE)),
        "results": module((TYPE, b"\1\x60\0" + HUGE)),
        "runs of locals": module((CODE, b"\1\x07" + HUGE + b"\x0b\x0b")),
        "locals of a run": functions([body(b"", [(0xFFFFFFFF, I32)])]),
        "locals of 2,000 runs": functions([body(b"", [(0xFFFFFF, I32)] * 2000)]),
        "a function index vector": module((ELEMENT, b"\1\1\0" + HUGE)),
        "an expression vector": module((ELEMENT, b"\1\5\x70" + HUGE)),
        "bytes of a segment": module((DATA, b"\1\1" + HUGE)),
        "bytes of an active segment": module((DATA, b"\1\0\x41\0\x0b" + HUGE)),
        "bytes of an import's name": module((IMPORT, b"\1" + HUGE)),
        "bytes of a custom section's name": module((0, HUGE)),
        "bytes of a body": module((CODE, b"\1" + HUGE)),
        "bytes of a section": PREAMBLE + b"\1" + HUGE,
        "data segments": module((DATA_COUNT, HUGE)),
    }
    for what, wasm in inside.items():
        yield Hostile(f"count of {what}", "memory of the decoder", partial(bytes, wasm), (MALFORMED,))
    for what, wasm in {
        "labels": function(GET_0 + b"\x0e" + HUGE, params=[I32]),
        "types of a select": function(GET_0 * 3 + b"\x1c" + HUGE, params=[I32]),
        "locals in an index": function(b"\x20" + HUGE),
        "depths in a branch": function(b"\x0c" + HUGE),
        "functions in a call": function(b"\x10" + HUGE),
    }.items():
        yield Hostile(f"count of {what}", "memory of the validator", partial(bytes, wasm), (MALFORMED, INVALID))


def long_numbers() -> Iterator[Hostile]:
    """LEB128 numbers that are padded beyond their width, or never end."""
    for what, wasm in {
        "section size": PREAMBLE + b"\1" + b"\x80" * 100_000 + b"\0",
        "type count": module((TYPE, b"\x80" * 5 + b"\0")),
        "heap type": module((TABLE, b"\1\x63" + b"\x80" * 1000 + b"\0")),
        "memory minimum": module((MEMORY, b"\1\0" + b"\x80" * 10 + b"\0")),
        "i32.const": function(b"\x41" + b"\x80" * 5 + b"\0" + DROP),
        "i32.const to the end": function(b"\x41" + b"\x80" * 500_000),
        "i64.const": function(b"\x42" + b"\x80" * 10 + b"\0" + DROP),
        "i32.const with wrong sign bits": function(b"\x41" + b"\x80" * 4 + b"\x10" + DROP),
        "local index": function(b"\x20" + b"\x80" * 5 + b"\0" + DROP, params=[I32]),
        "opcode after a prefix": function(b"\xfc" + b"\x80" * 5 + b"\0"),
    }.items():
        yield Hostile(f"long {what}", "limits of numbers", partial(bytes, wasm), (MALFORMED,))


def with_names(content: bytes) -> bytes:
    """A good module with a name section behind it."""
    return functions([body(b"")]) + section(0, name("name") + content)


def sections() -> Iterator[Hostile]:
    """Sections that are big in what they ask for, or many."""
    rows: list[tuple[str, str, Callable[[], bytes], tuple[str, ...]]] = [
        (
            "giant names",
            "memory",
            lambda: with_names(section(1, vec(leb(i) + name("n" * 40) for i in range(50_000)))),
            (WORKS,),
        ),
        (
            "names of locals",
            "memory",
            lambda: with_names(section(2, vec(leb(i) + b"\0" for i in range(100_000)))),
            (WORKS,),
        ),
        ("count of names", "memory", lambda: with_names(section(1, HUGE)), (WORKS,)),
        ("a name that runs past the end", "reading past the end", lambda: with_names(b"\0" + HUGE + HUGE), (WORKS,)),
        (
            "a subsection that runs past the end",
            "reading past the end",
            lambda: with_names(b"\1" + HUGE + b"\1\0\1n"),
            (WORKS,),
        ),
        ("100,000 custom sections", "time", lambda: PREAMBLE + section(0, name("")) * 100_000, (WORKS,)),
        ("100,000 types", "memory", lambda: module((TYPE, vec([function_type()] * 100_000))), (WORKS,)),
        ("100,000 different types", "memory", lambda: module((TYPE, vec(islice(_types(), 100_000)))), (WORKS,)),
        ("100,000 empty element segments", "memory", lambda: module((ELEMENT, vec([b"\1\0\0"] * 100_000))), (WORKS,)),
        ("100,000 empty data segments", "memory", lambda: module((DATA, vec([b"\1\0"] * 100_000))), (WORKS,)),
        (
            "100,000 active data segments",
            "time",
            lambda: module(PAGES_1, (DATA, vec([b"\0\x41\0\x0b\0"] * 100_000))),
            (WORKS,),
        ),
        ("50,000 globals", "memory", lambda: module((GLOBAL, vec([b"\x7f\0\x41\0\x0b"] * 50_000))), (WORKS,)),
        (
            "20,000 exports",
            "time",
            lambda: functions([body(b"")], exports=[export(f"f{i}", 0) for i in range(20_000)]),
            (WORKS,),
        ),
        (
            "50,000 references",
            "memory",
            lambda: functions([body(b"")], more=[(ELEMENT, vec([b"\5\x70" + vec([b"\xd2\0\x0b"] * 50_000)]))]),
            (WORKS,),
        ),
        ("memory beyond 4 GiB", "memory", lambda: module((MEMORY, b"\1\0" + leb(65537))), (INVALID,)),
        ("memory of 4 GiB", "memory", lambda: module((MEMORY, b"\1\0" + leb(65536))), (LINK,)),
        ("two memories of 4 GiB", "memory", lambda: module((MEMORY, b"\2" + (b"\0" + leb(65536)) * 2)), (INVALID,)),
        ("table of four billion", "memory", lambda: module((TABLE, b"\1\x70\0" + HUGE)), (LINK,)),
        (
            "fifty tables of ten million",
            "memory",
            lambda: module((TABLE, vec([b"\x70\0" + leb(10_000_000)] * 50))),
            (LINK,),
        ),
        (
            "data at the end of memory",
            "bounds",
            lambda: module(PAGES_1, (DATA, b"\1\0\x41" + b"\xff\xff\x03" + b"\x0b\2ab")),
            (TRAP,),
        ),
        ("data at a negative address", "bounds", lambda: module(PAGES_1, (DATA, b"\1\0\x41\x7f\x0b\1a")), (TRAP,)),
        (
            "elements at a negative index",
            "bounds",
            lambda: functions([body(b"")], more=[(TABLE, b"\1\x70\0\1"), (ELEMENT, b"\1\0\x41\x7f\x0b\1\0")]),
            (TRAP,),
        ),
        (
            "start that never ends",
            "time",
            lambda: functions([body(LOOP + b"\x0c\0" + END)], more=[(START, b"\0")]),
            (TIMEOUT,),
        ),
        ("start that recurses", "the stack", lambda: functions([body(b"\x10\0")], more=[(START, b"\0")]), (EXHAUSTED,)),
    ]
    for row in rows:
        yield Hostile(*row)


def _types() -> Iterator[bytes]:
    """Function types, all different."""
    for length in range(1, 12):
        yield from map(function_type, product((I32, I64, F32, F64), repeat=length))


# Validator and translator


def nesting() -> Iterator[Hostile]:
    """Blocks in blocks."""
    deeper, deep = 100_000, 20_000
    ladder = i32_const(0) + IF + NOP + ELSE
    rows = {
        "blocks": lambda: BLOCK * deeper + END * deeper,
        "loops": lambda: LOOP * deeper + END * deeper,
        "ifs": lambda: (i32_const(1) + IF) * deep + END * deep,
        "else ladder": lambda: ladder * deep + END * deep,
        "blocks with results": lambda: b"\x02\x7f" * deep + i32_const(1) + END * deep + DROP,
        "a branch out of all blocks": lambda: BLOCK * deep + b"\x0c" + leb(deep) + END * deep,
        "a branch in each block": lambda: (BLOCK + GET_0 + b"\x0d\0") * deep + END * deep,
        "a branch from each block to the function": lambda: (
            b"".join(BLOCK + GET_0 + b"\x0d" + leb(i + 1) for i in range(deep)) + END * deep
        ),
        "a branch from each loop to the outermost": lambda: (
            b"".join(LOOP + GET_0 + b"\x0d" + leb(i) for i in range(deep)) + END * deep
        ),
        "a br_table to each block": lambda: (
            BLOCK * deep + GET_0 + b"\x0e" + vec(map(leb, range(deep))) + leb(deep) + END * deep
        ),
        "ifs with branches out": lambda: (
            b"".join(GET_0 + IF + GET_0 + b"\x0d" + leb(i) for i in range(deep)) + END * deep
        ),
        "unreachable blocks": lambda: UNREACHABLE + BLOCK * deeper + END * deeper,
        "ends too many": lambda: END * 1000,
        "ends too few": lambda: BLOCK * deeper,
        "else without if": lambda: BLOCK + ELSE + END,
    }
    bad = ("ends too many", "ends too few", "else without if")
    for what, code in rows.items():
        outcome = (MALFORMED, INVALID) if what in bad else (WORKS, TRAP, TIMEOUT)
        yield Hostile(
            f"nested: {what}",
            "recursion, CPython's limits on nesting",
            partial(_function_of, code),
            outcome,
        )


def sweeps() -> Iterator[Hostile]:
    """Every depth around CPython's limits: 20 nested ``while``s, 100 levels of indentation, 200 parentheses."""
    table = GET_0 + b"\x0e" + vec([b"\0\1\2\0"[i % 4 : i % 4 + 1] for i in range(300)]) + b"\1"
    openers = {
        "ifs": (GET_0 + IF, b"\x0d\0"),
        "blocks": (BLOCK, b"\x0d\0"),
        "loops": (LOOP + GET_0 + b"\x04\x40\x0c\1" + END, b"\x0d\0"),
        "loops in blocks in ifs": (GET_0 + IF + BLOCK + LOOP, b"\x0d\1"),
        "ifs in loops": (LOOP + GET_0 + IF, b"\x0d\1"),
    }
    for what, (opener, branch) in openers.items():
        ends = sum(opener.count(byte) for byte in (BLOCK, LOOP, IF)) - opener.count(END)
        for inner, code in {"a br_table": table, "a branch": GET_0 + branch}.items():
            yield Hostile(
                f"{what} around {inner}, 3 to 129 deep",
                "CPython's limits on nesting",
                partial(_sweep, opener, code, ends),
                (WORKS, TIMEOUT),
            )


def operands() -> Iterator[Hostile]:
    """High stacks, long expressions, many pending operands."""
    rows: dict[str, tuple[str, Callable[[], bytes], tuple[str, ...]]] = {
        "50,000 gets": ("bit sets", lambda: GET_0 * 50_000 + DROP * 50_000, (WORKS,)),
        "99,000 constants": ("bit sets", lambda: i32_const(1) * 99_000 + DROP * 99_000, (WORKS,)),
        "too many": ("memory", lambda: GET_0 * 1_000_000, (INVALID,)),
        "100,000 gets and sets": ("settling", lambda: GET_0 * 1000 + (GET_0 + SET_0) * 100_000 + DROP * 1000, (WORKS,)),
        "40 pending, 50,000 sets": (
            "settling",
            lambda: GET_0 * 40 + (i32_const(1) + SET_0) * 50_000 + DROP * 40,
            (WORKS,),
        ),
        "40 constants pending, 50,000 tees": (
            "settling",
            lambda: i32_const(1) * 40 + (GET_0 + TEE_0 + DROP) * 50_000 + DROP * 40,
            (WORKS,),
        ),
        "100,000 additions": ("CPython's parser", lambda: GET_0 + (GET_0 + b"\x6a") * 100_000 + DROP, (WORKS,)),
        "100,000 eqz": ("CPython's parser", lambda: GET_0 + b"\x45" * 100_000 + DROP, (WORKS,)),
        "100,000 clz": ("CPython's parser", lambda: GET_0 + b"\x67" * 100_000 + DROP, (WORKS,)),
        "100,000 negations": ("CPython's parser", lambda: b"\x43" + bytes(4) + b"\x8c" * 100_000 + DROP, (WORKS,)),
        "100,000 loads of loads": ("CPython's parser", lambda: GET_0 + b"\x28\2\0" * 100_000 + DROP, (WORKS, TRAP)),
        "100,000 divisions": ("CPython's parser", lambda: GET_0 + (GET_0 + b"\x6e") * 100_000 + DROP, (TRAP, WORKS)),
        "50,000 selects of selects": (
            "CPython's parser",
            lambda: GET_0 + (GET_0 * 2 + b"\x1b") * 50_000 + DROP,
            (WORKS,),
        ),
        "a comb of additions": ("CPython's parser", lambda: GET_0 * 50_000 + b"\x6a" * 49_999 + DROP, (WORKS,)),
        "a comb of selects": ("CPython's parser", lambda: GET_0 * 20_001 + b"\x1b" * 10_000 + DROP, (WORKS,)),
        "100,000 drops of expressions": (
            "CPython's parser",
            lambda: (GET_0 + b"\x28\2\0" * 3 + DROP) * 20_000,
            (WORKS, TRAP),
        ),
        "200,000 nops": ("time", lambda: NOP * 200_000, (WORKS,)),
        "typed selects with padded counts": (
            "copies in the tokenizer",
            lambda: GET_0 + (GET_0 * 2 + b"\x1c\x81\0\x7f") * 14_000 + DROP,
            (WORKS,),
        ),
        "300,000 unreachable instructions": ("dead code", lambda: UNREACHABLE + b"\x6a" * 300_000 + DROP, (TRAP,)),
        "4 GiB of fill": ("memory", lambda: i32_const(0) + GET_0 + i32_const(-1) + b"\xfc\x0b\0", (TRAP,)),
        "grow without end": (
            "memory",
            lambda: LOOP + i32_const(1) + b"\x40\0" + i32_const(-1) + b"\x47\x0d\0" + END,
            (WORKS,),
        ),
        "grow to everything": ("memory", lambda: i32_const(65535) + b"\x40\0" + DROP, (WORKS,)),
        "fills in a row": (
            "the deadline",
            lambda: (i32_const(0) + GET_0 + i32_const(65535) + b"\xfc\x0b\0") * 50_000,
            (WORKS, TIMEOUT),
        ),
        "fills in a row of a big memory": (
            "the deadline",
            lambda: (
                i32_const(255) + b"\x40\0" + DROP + (i32_const(0) + GET_0 + i32_const(1 << 24) + b"\xfc\x0b\0") * 10_000
            ),
            (TIMEOUT,),
        ),
        "an endless loop": ("the deadline", lambda: LOOP + b"\x0c\0" + END, (TIMEOUT,)),
        "an endless loop with br_if": ("the deadline", lambda: LOOP + i32_const(1) + b"\x0d\0" + END, (TIMEOUT,)),
        "an endless loop with br_table": (
            "the deadline",
            lambda: LOOP + i32_const(1) + b"\x0e\1\0\0" + END,
            (TIMEOUT,),
        ),
        "endless recursion": ("the stack", lambda: GET_0 + b"\x10\0", (EXHAUSTED,)),
    }
    for what, (aim, code, outcome) in rows.items():
        yield Hostile(what, aim, partial(_function_of, code, PAGES_1), outcome)
    for what, dead in {
        "selects with padded counts": b"\x1c\x81\0\x7f" * 32_000 + DROP,
        "br_tables of 17 targets": (b"\x0e\x11" + bytes(18)) * 6_500,
    }.items():
        yield Hostile(
            f"six bodies of unreachable {what}",
            "copies in the tokenizer",
            partial(functions, [body(UNREACHABLE + dead)] * 6),
            (TRAP,),
        )


def locals_() -> Iterator[Hostile]:
    """Many locals, and many runs of them."""
    yield Hostile(
        "50,000 locals used",
        "bit sets",
        lambda: function(
            b"".join(b"\x20" + leb(i) + b"\x21" + leb(i + 1) for i in range(49_998)), locals_=[(49_999, I32)]
        ),
        (WORKS,),
    )
    yield Hostile(
        "50,000 locals of changing types",
        "memory",
        lambda: function(b"", locals_=[(1, I32), (1, F64)] * 25_000),
        (WORKS,),
    )
    yield Hostile("50,001 locals", "limits", lambda: function(b"", locals_=[(50_001, I32)]), (MALFORMED, INVALID))
    yield Hostile(
        "padded locals behind empty runs",
        "search for a local's run",
        lambda: function((b"\x20\x80\0" + DROP) * 10_000, locals_=[(0, I32)] * 30_000 + [(1, I64)]),
        (WORKS,),
    )
    yield Hostile(
        "1,000 functions of 50,000 locals",
        "what is made for each local",
        lambda: functions(
            [body(GET_0 + DROP, [(50_000, I32)])] * 1000, exports=[export(f"f{i}", i) for i in range(1000)]
        ),
        (WORKS,),
    )


def arities() -> Iterator[Hostile]:
    """Types with many parameters and results; the specification has no bound, but its JavaScript API has 1,000."""
    wide = function_type([I32] * 1000, [I32] * 1000)
    wider = function_type([I32] * 10_000, ())
    many = function_type((), [I32] * 50_000)
    takes, gives = function_type([I32] * 1000), function_type((), [I32] * 1000)
    allowed = (WORKS, MALFORMED, INVALID)
    prefixes = list(islice(product((GET_0, b"\x42\0"), repeat=6), 30))
    yield Hostile(
        "1,000 params and results",
        "CPython's limits on calls",
        lambda: functions([body(b"".join(b"\x20" + leb(i) for i in range(1000)))], types=[wide]),
        (WORKS,),
    )
    yield Hostile(
        "100 calls of 1,000 params and results",
        "length of generated code",
        lambda: functions(
            [
                body(i32_const(0) * 1000 + b"\x10\1" * 100 + DROP * 1000),
                body(b"".join(b"\x20" + leb(i) for i in range(1000))),
            ],
            types=[function_type(), wide],
            type_indices=[0, 1],
        ),
        (WORKS, INVALID),
    )
    yield Hostile(
        "2,000 calls of 1,000 params and results",
        "length of generated code",
        lambda: functions(
            [
                body(i32_const(0) * 1000 + b"\x10\1" * 2_000 + DROP * 1000),
                body(b"".join(b"\x20" + leb(i) for i in range(1000))),
            ],
            types=[function_type(), wide],
            type_indices=[0, 1],
        ),
        (WORKS, UNSUPPORTED),
    )
    yield Hostile(
        "1,000 functions of 10,000 params",
        "work for each parameter of each function",
        lambda: functions([body(b"")] * 1000, types=[wider]),
        allowed,
    )
    yield Hostile(
        "10,000 functions of 1,000 params",
        "work for each parameter of each function",
        lambda: functions([body(b"")] * 10_000, types=[takes]),
        (WORKS,),
    )
    yield Hostile(
        "40,000 functions of 1,000 results",
        "work for each result of each function",
        lambda: functions([body(UNREACHABLE)] * 40_000, types=[gives]),
        (TRAP,),
    )
    yield Hostile(
        "50,000 results under 30 prefixes",
        "states of the validator",
        lambda: functions(
            [body(b"".join(BLOCK + b"".join(p) + b"\x10\1\x0c\0" + END for p in prefixes)), body(UNREACHABLE)],
            types=[function_type([I32]), many],
            type_indices=[0, 1],
        ),
        (TRAP, MALFORMED, INVALID),
    )
    yield Hostile(
        "1,000 results under 2,000 prefixes",
        "states of the validator",
        lambda: functions(
            [
                body(
                    b"".join(
                        BLOCK + b"".join(p) + b"\x10\1\x0c\0" + END
                        for p in islice(product((GET_0, b"\x42\0"), repeat=12), 2000)
                    )
                ),
                body(UNREACHABLE),
            ],
            types=[function_type([I32]), gives],
            type_indices=[0, 1],
        ),
        (TRAP, INVALID),
    )
    yield Hostile(
        "all stacks of 16 operands",
        "states of the validator",
        lambda: function(
            b"".join(b"".join(p) + DROP * 16 for p in islice(product((GET_0, b"\x42\0"), repeat=16), 20_000)),
            params=[I32],
        ),
        (WORKS, INVALID),
    )
    yield Hostile(
        "2,000 blocks of 1,000 params and results",
        "work for each parameter of each block",
        lambda: functions(
            [body(i32_const(0) * 1000 + (b"\x02\1\x0c\0" + END) * 2000 + DROP * 1000)], types=[function_type(), wide]
        ),
        (WORKS,),
    )


def tables() -> Iterator[Hostile]:
    """br_table and call_indirect."""
    million = 1_000_000
    many = BLOCK + GET_0 + b"\x0e" + vec([b"\0"] * 17) + b"\0" + END
    rows = {
        "br_table of a million targets": lambda: BLOCK + GET_0 + b"\x0e" + leb(million) + bytes(million) + b"\0" + END,
        "br_table of a million alternating targets": lambda: (
            BLOCK * 2 + GET_0 + b"\x0e" + leb(million) + b"\0\1" * (million // 2) + b"\0" + END * 2
        ),
        "br_table of 100,000 alternating targets with values": (
            lambda: (
                (b"\x02\x7f" * 2 + GET_0 + GET_0 + b"\x0e" + leb(100_000) + b"\0\1" * 50_000 + b"\0" + END * 2) + DROP
            )
        ),
        "10,000 br_tables of 17 targets": lambda: many * 10_000,
        "br_table in 250 blocks, a hundred times": (
            lambda: (BLOCK * 250 + GET_0 + b"\x0e" + vec(map(leb, range(250))) + b"\0" + END * 250) * 100
        ),
        "br_table of targets that do not exist": lambda: GET_0 + b"\x0e" + leb(1000) + b"\x7f" * 1001,
    }
    for what, code in rows.items():
        outcome = (INVALID,) if what.endswith("not exist") else (WORKS, UNSUPPORTED)
        yield Hostile(what, "length and nesting of generated code", partial(_function_of, code), outcome)
    yield Hostile(
        "br_table of 1,500 alternating targets with 1,000 values",
        "length of generated code",
        lambda: functions(
            [
                body(
                    b"\x02\1" * 2
                    + i32_const(0) * 1000
                    + GET_0
                    + b"\x0e"
                    + leb(1500)
                    + b"\0\1" * 750
                    + b"\0"
                    + END * 2
                    + DROP * 1000
                )
            ],
            types=[function_type([I32]), function_type((), [I32] * 1000)],
        ),
        (WORKS, UNSUPPORTED),
    )
    grow = b"".join(b"\xd0\x70" + i32_const(10_000_000) + b"\xfc\x0f" + leb(i) + DROP for i in range(50))
    yield Hostile(
        "fifty tables grown by ten million",
        "memory",
        lambda: function(grow, more=[(TABLE, vec([b"\x70\0\0"] * 50))]),
        (WORKS,),
    )
    yield Hostile(
        "endless indirect recursion",
        "the stack",
        lambda: function(i32_const(0) + b"\x11\0\0", more=[(TABLE, b"\1\x70\0\1"), (ELEMENT, b"\1\0\x41\0\x0b\1\0")]),
        (EXHAUSTED,),
    )


def many_functions() -> Iterator[Hostile]:
    """Ten thousand functions."""
    count = 10_000

    def chain(length: int) -> bytes:
        return functions([*(body(b"\x10" + leb(i + 1)) for i in range(length - 1)), body(b"")])

    yield Hostile("10,000 functions", "time", lambda: functions([body(b"")] * count), (WORKS,))
    yield Hostile(
        "10,000 functions that call each other", "the stack of first calls", lambda: chain(count), (EXHAUSTED,)
    )
    yield Hostile("1,000 functions that call each other", "the stack of first calls", lambda: chain(1000), (WORKS,))
    yield Hostile(
        "10,000 exported functions",
        "time of looking up exports",
        lambda: functions([body(b"")] * count, exports=[export(f"f{i}", i) for i in range(count)]),
        (WORKS,),
    )


ROWS: Final = tuple(
    row for rows in (sections, nesting, sweeps, operands, locals_, arities, tables, many_functions) for row in rows()
)
"""Those that need a process of their own."""

SMALL_ROWS: Final = (*huge_counts(), *long_numbers())
"""Those that are refused before they can do harm, if all is well."""
