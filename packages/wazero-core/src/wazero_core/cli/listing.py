"""What ``wazero dump`` does."""

from __future__ import annotations

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

Row = tuple[int | None, str]
"""What is shown, and the offset in the binary that it belongs to, if it belongs to one."""

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
        imported = len(module.imported(ExternKind.FUNCTION))
        rows = [("index", "bytes", "type", "name", "")]
        for index, type in enumerate(module.function_types()):
            size = "" if index < imported else str(len(module.bodies[index - imported].code))
            rows.append((str(index), size, str(type), module.names.functions.get(index, ""), _uses(module, index)))
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
        raise CommandError(f"error: function {found[0]} has no code here: {_uses(module, found[0])}")
    return found[0]


def _uses(module: Module, index: int) -> str:
    """How others know a function."""
    imported = module.imported(ExternKind.FUNCTION)
    words = [f'import "{imported[index].module}" "{imported[index].name}"'] if index < len(imported) else []
    for export in module.exports:
        if export.kind is ExternKind.FUNCTION and export.index == index:
            words.append(f'export "{export.name}"')
    return ", ".join([*words, "start"] if module.start == index else words)


def _heading(module: Module, index: int, body: FunctionBody) -> Iterator[str]:
    words = [f"function {index}", module.names.functions.get(index, ""), str(module.function_types()[index])]
    yield " ".join(filter(None, words))
    if _uses(module, index):
        yield _uses(module, index)
    if body.locals:
        yield "locals " + ", ".join([f"{count} {type.name}" for count, type in body.locals])
    yield f"{len(body.code)} bytes of wasm"


# Columns


def _instructions(compiled: CompiledModule, defined_index: int) -> Iterator[Row]:
    names = compiled.module.names.functions
    tokens = compiled.validator.instructions(defined_index)
    depth = 0
    for token, offset in zip(tokens, accumulate(map(len, tokens), initial=compiled.module.bodies[defined_index].offset)):
        instruction = decode_instruction(token)
        name = instruction.opcode.name
        depth -= name in _CLOSING
        callee = names.get(instruction.immediates[0], "") if name == "call" else ""
        text = f"{offset:6x}  {'  ' * max(0, depth)}{instruction_text(instruction)}"
        yield offset, f"{text} ;; {callee}" if callee else text
        depth += name in _OPENING


def _code(line: ListingLine, disassemble: Disassembler | None) -> Iterator[Row]:
    code, position = line.code, line.position
    if isinstance(code, str):
        yield line.offset, f"{position:5}  {code}"
    elif disassemble is not None:
        for start, part, text in disassemble(code, position):
            yield line.offset, f"{start:5x}  {part.hex():20}  {text}"
    else:
        for start in range(0, len(code), _ROW_BYTES):
            yield line.offset, f"{position + start:5x}  {code[start : start + _ROW_BYTES].hex(' ')}"


def _beside(instructions: Sequence[Row], code: Iterable[Row]) -> Iterator[tuple[str, str]]:
    """Each line of code beside the instruction that it was made for, or below if there are several."""
    shown = 0
    for offset, text in code:
        stop = shown
        while stop < len(instructions) and _is_due(instructions[stop], offset, shown):
            stop += 1
        for _, instruction in instructions[shown : stop - 1]:
            yield instruction, ""
        yield instructions[stop - 1][1] if stop > shown else "", text
        shown = stop
    for _, instruction in instructions[shown:]:
        yield instruction, ""
