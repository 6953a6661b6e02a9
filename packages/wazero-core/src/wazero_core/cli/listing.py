"""What ``wazero dump`` does."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from wazero_api import ExternKind, FunctionBody, ListingLine, Module, WazeroBug, WazeroError
from wazero_core.binary.instructions import decode_instruction

from .errors import CommandError, printable
from .garbage import resume_collection
from .instruction_text import instruction_text
from .modules import new_runtime, read_binary

if TYPE_CHECKING:
    from wazero_core import CompiledModule

    from .disassembly import Disassembler

Instruction = tuple[int, str]
"""Offset in the binary, and what is shown."""
CodeLine = tuple[int | None, str]
"""Offset of the instruction that it belongs to, if to one, and what is shown."""

_ROW_BYTES: Final = 8
"""Bytes of machine code in a line, unless it is disassembled."""
_MAX_WIDTH: Final = 40
"""Of a column; what is longer pushes the rest of its line to the right."""

_OPENING: Final = frozenset({"block", "loop", "if", "else", "try_table"})
_CLOSING: Final = frozenset({"else", "end"})


def print_functions(path: str, engine: str) -> None:
    """A table of all functions. Raises CommandError."""
    with _compiled(path, engine) as compiled:
        module = compiled.module
        names, sizes = module.names.functions, [len(body.code) for body in module.bodies]
        uses = _uses(module)
        sizes[:0] = [0] * (len(uses) - len(sizes))
        rows = [("index", "bytes", "type", "name", "")]
        for index, type in enumerate(module.function_types()):
            rows.append((str(index), str(sizes[index] or ""), str(type), names.get(index, ""), uses[index]))
    _print_columns(rows)


def print_function(path: str, name: str, engine: str, *, is_disassembled: bool) -> None:
    """The instructions of a function, and the code made of them. Raises CommandError."""
    with _compiled(path, engine) as compiled:
        module = compiled.module
        index = _find(module, name)
        defined = index - len(module.imported(ExternKind.FUNCTION))
        listing = compiled.code.listing(defined)
        disassemble = None
        if is_disassembled:
            from .disassembly import new_disassembler

            disassemble = new_disassembler(listing.language)
        instructions = list(_instructions(compiled, defined))
    code = [row for line in listing.lines for row in _code(line, disassemble)]
    for line in _heading(module, index, module.bodies[defined]):
        print(printable(line))
    print()
    _print_columns([("wasm", listing.language), *_beside(instructions, code)])


@contextmanager
def _compiled(path: str, engine: str) -> Iterator[CompiledModule]:
    wasm = read_binary(path)
    with new_runtime("", is_interpreted=False, engine=engine) as runtime:
        try:
            with runtime.compile_module(wasm) as compiled:
                resume_collection()
                yield compiled
        except WazeroBug:
            raise  # a traceback is what its report needs
        except WazeroError as error:
            raise CommandError(f"error compiling wasm binary: {error}") from error
        except MemoryError:
            raise CommandError("error compiling wasm binary: out of memory") from None


# Functions


def _find(module: Module, name: str) -> int:
    """The index of a function that the module defines."""
    exported = {item.name: item.index for item in module.exports if item.kind is ExternKind.FUNCTION}
    found = [index for index, known in module.names.functions.items() if known == name]
    if name in exported:
        found = [exported[name]]
    elif name.isascii() and name.isdigit() and int(name[:10]) < len(module.function_types()):
        found = [int(name)]
    if not found:
        raise CommandError(f'error: there is no function "{name}": without -function, `wazero dump` lists them')
    if len(found) > 1:
        indices = ", ".join(map(str, found))
        raise CommandError(f'error: {len(found)} functions are named "{name}": choose one by index, of {indices}')
    if found[0] < len(module.imported(ExternKind.FUNCTION)):
        raise CommandError(f"error: function {found[0]} has no code here: {_uses(module)[found[0]]}")
    return found[0]


def _uses(module: Module) -> list[str]:
    """How others know each function."""
    words = [[f'import "{item.module}" "{item.name}"'] for item in module.imported(ExternKind.FUNCTION)]
    words += [[] for _ in module.functions]
    for export in module.exports:
        if export.kind is ExternKind.FUNCTION:
            words[export.index].append(f'export "{export.name}"')
    if module.start is not None:
        words[module.start].append("start")
    return [", ".join(uses) for uses in words]


def _heading(module: Module, index: int, body: FunctionBody) -> Iterator[str]:
    words = [f"function {index}", module.names.functions.get(index, ""), str(module.function_types()[index])]
    yield " ".join(filter(None, words))
    uses = _uses(module)[index]
    if uses:
        yield uses
    if body.locals:
        yield "locals " + ", ".join([f"{count} {type.name}" for count, type in body.locals])
    yield f"{len(body.code)} bytes of wasm"


# Columns


def _instructions(compiled: CompiledModule, defined_index: int) -> Iterator[Instruction]:
    names = compiled.module.names.functions
    tokens = compiled.validator.instructions(defined_index)
    depth = 0
    start = compiled.module.bodies[defined_index].offset
    for token, offset in zip(tokens, accumulate(map(len, tokens), initial=start), strict=False):
        instruction = decode_instruction(token)
        name = instruction.opcode.name
        depth -= name in _CLOSING
        callee = names.get(instruction.immediates[0], "") if name == "call" else ""
        text = f"{offset:6x}  {'  ' * max(0, depth)}{instruction_text(instruction)}"
        yield offset, f"{text} ;; {callee}" if callee else text
        depth += name in _OPENING


def _code(line: ListingLine, disassemble: Disassembler | None) -> Iterator[CodeLine]:
    code, position = line.code, line.position
    if isinstance(code, str):
        yield line.offset, f"{position:5}  {code}"
    elif disassemble is not None:
        for start, part, text in disassemble(code, position):
            yield line.offset, f"{start:5x}  {part.hex():20}  {text}"
    else:
        for start in range(0, len(code), _ROW_BYTES):
            yield line.offset, f"{position + start:5x}  {code[start : start + _ROW_BYTES].hex(' ')}"


def _beside(instructions: Sequence[Instruction], code: Iterable[CodeLine]) -> Iterator[tuple[str, str]]:
    """Each line of code beside the instruction that it was made for, or below if there are several."""
    offsets = [offset for offset, _ in instructions]
    shown = 0
    for offset, text in code:
        if offset is not None:
            stop = max(shown, bisect_right(offsets, offset))
        else:  # the function's begin, or what comes behind all instructions
            stop = len(instructions) if shown else 0
        due = [instruction for _, instruction in instructions[shown:stop]]
        beside = due.pop() if due and offset is not None else ""
        yield from [(instruction, "") for instruction in due]
        yield beside, text
        shown = stop
    yield from [(instruction, "") for _, instruction in instructions[shown:]]


def _print_columns(rows: Sequence[tuple[str, ...]]) -> None:
    """Names come from the module, so what is not printable is escaped."""
    texts = [[printable(text) for text in row] for row in rows]
    widths = [min(_MAX_WIDTH, max(map(len, column))) for column in zip(*texts, strict=True)]
    for row in texts:
        print("  ".join([f"{text:{width}}" for text, width in zip(row, widths, strict=True)]).rstrip())
