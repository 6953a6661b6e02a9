"""`eval` and `new Function`. Spec: ECMA-262, 19.2.1 and 20.2.1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from wazero_gojs.model.object import ALL, MISSING, Args, JSFunction, NativeFunction, argument
from wazero_gojs.model.values import UNDEFINED

from . import class_code, expression_code, loop_code, member_code, nodes, object_code, statement_code
from .compiler import COMPLETION, Closure, Compiler
from .depth import guarded
from .lexer import fail
from .parser import parse_script
from .scope import Frame, FunctionScope, block_functions, functions_of, lexical_names, var_names

if TYPE_CHECKING:
    from wazero_gojs.model.realm import Realm


RULES_OF: Final = (class_code, expression_code, loop_code, member_code, object_code, statement_code)
"""The modules that tell the compiler how: they only need to be imported."""


def make(realm: Realm, name: str) -> Any:
    """The global eval. Its scripts never see the variables of their callers."""
    return NativeFunction(realm, name, 1, _eval)


def _eval(realm: Realm, this: Any, args: Args) -> Any:
    source = argument(args, 0)
    return evaluate(realm, source) if isinstance(source, str) else source


def evaluate(realm: Realm, source: str) -> Any:
    """The result of a script. Raises JSError for what it throws, or a SyntaxError."""
    return guarded(realm, lambda: _run(realm, source))


def new_function(realm: Realm, parameters: Sequence[str] | str, body: str) -> JSFunction:
    """The function with these parameters and statements, all given as source. Throws a SyntaxError."""
    listed = parameters if isinstance(parameters, str) else ",".join(parameters)
    source = f"function anonymous({listed}\n) {{\n{body}\n}}"

    def compile_source() -> JSFunction:
        # Each must be right alone, so that neither ends what the other has begun.
        parse_script(f"(function anonymous(\n) {{\n{body}\n}})", realm.poll)
        parse_script(f"(function anonymous({listed}\n) {{\n}})", realm.poll)
        script = parse_script(f"({source})", realm.poll)
        node = script.body[0].expression
        if len(script.body) != 1 or not isinstance(node, nodes.Function):
            fail("Unexpected token ')'")
        compiler = Compiler(realm, FunctionScope(None, None), is_strict=False)
        made: JSFunction = compiler.compile(node._replace(is_expression=False))(_script_frame(realm, compiler))
        return made

    return guarded(realm, compile_source)


def _run(realm: Realm, source: str) -> Any:
    script = parse_script(source, realm.poll)
    scope = FunctionScope(None, None)
    compiler = Compiler(realm, scope, script.is_strict)
    completion = scope.add(COMPLETION, "var")
    compiler.has_completion = True
    names = _declare(compiler, script.body)
    hoisted = compiler.hoisted(script.body)
    body = compiler.sequence([compiler.compile(node) for node in script.body])
    for name in names:
        if realm.global_object.own(name) is MISSING:
            realm.global_object.define(name, UNDEFINED, ALL)
    return _execute(_script_frame(realm, compiler), hoisted, body, completion)


def _execute(frame: Frame, hoisted: list[Closure], body: Closure, completion: int) -> Any:
    for make in hoisted:
        make(frame)
    body(frame)
    return frame[completion]


def _script_frame(realm: Realm, compiler: Compiler) -> Frame:
    frame = compiler.scope.template.copy()
    for slot, _ in compiler.function_scope.specials:
        frame[slot] = realm.global_object
    return frame


def _declare(compiler: Compiler, body: nodes.Nodes) -> list[str]:
    """Declare a script's variables; those that become properties of the global object are returned."""
    scope = compiler.function_scope
    names = [*var_names(body), *(function.name for function in functions_of(body))]
    lexical = list(lexical_names(body, is_block=False))
    taken = {name for name, _ in lexical}
    for name in names:
        if name in taken:
            fail(f"Identifier '{name}' has already been declared")
    for name, kind in lexical:
        scope.declare(name, kind)
    if not compiler.is_strict:
        compiler.block_functions = frozenset(name for name in block_functions(body) if name not in taken)
        return [*names, *compiler.block_functions]
    for name in names:
        if name not in scope.variables:
            scope.add(name, "var")
    return []
