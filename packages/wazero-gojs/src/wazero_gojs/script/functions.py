"""Functions of scripts. Spec: ECMA-262, 10.2 and 15."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, final

from wazero_gojs.builtins.wrappers import to_object
from wazero_gojs.model.object import HIDDEN, WRITABLE, Args, JSFunction, JSObject, argument
from wazero_gojs.model.values import SYMBOL_ITERATOR, UNDEFINED, Symbol, is_object, throw_type_error

from . import nodes
from .binding import binder
from .compiler import Closure, Compiler, compiles, throw_uninitialized
from .depth import guarded
from .lexer import fail
from .patterns import names_of
from .scope import TDZ, Frame, FunctionScope, block_functions, functions_of, lexical_names, var_names

if TYPE_CHECKING:
    from wazero_gojs.model.realm import Realm


@final
class Code(NamedTuple):
    """A function that was compiled, apart from the frame that it was made in."""

    node: nodes.Function
    length: int
    template: Frame
    simple_count: int
    """Parameters that are plain variables, in the first slots. If others are there, `bind` does it all."""
    bind: Callable[[Frame, Args], None] | None
    specials: list[tuple[int, str]]
    body: Closure
    """For generators and async functions, it returns a Python generator."""
    this_slot: int
    """Of constructors of derived classes."""


class ScriptFunction(JSFunction):
    """A function that a script defines."""

    __slots__ = ("code", "fields", "frame", "home")

    def __init__(self, realm: Realm, code: Code, frame: Frame, home: JSObject | None = None) -> None:
        super().__init__(realm, code.node.name, code.length)
        self.code = code
        self.frame = frame
        self.home = home
        """The object whose method it is, which is what super begins at."""
        self.fields: list[tuple[Any, ScriptFunction]] = []
        """Of a class: what new objects get."""

    def source_text(self) -> str:
        return self.code.node.source

    def call(self, this: Any, args: Args) -> Any:
        if self.code.node.kind in {"constructor", "derived"}:
            throw_type_error(f"Class constructor {self.properties['name']} cannot be invoked without 'new'")
        return guarded(self.realm, lambda: self._run(this, args))

    def _run(self, this: Any, args: Args) -> Any:
        node = self.code.node
        if node.is_generator or node.is_async:
            from .generators import start

            return start(self, this, args)
        result = self.code.body(self.enter(this, args, UNDEFINED))
        return UNDEFINED if result is None else result[0]

    def enter(self, this: Any, args: Args, new_target: Any) -> Frame:
        """A frame for a call, with its parameters."""
        code = self.code
        frame = code.template.copy()
        frame[0] = self.frame
        for slot, name in code.specials:
            frame[slot] = self._special(name, this, args, new_target)
        if code.bind is not None:
            code.bind(frame, args)
        elif count := min(code.simple_count, len(args)):
            frame[1 : 1 + count] = args[:count]
        return frame

    def _special(self, name: str, this: Any, args: Args, new_target: Any) -> Any:
        if name == "this":
            if self.code.node.is_strict or isinstance(this, JSObject):
                return this
            is_nothing = this is UNDEFINED or this is None
            return self.realm.global_object if is_nothing else to_object(self.realm, this)
        if name == "arguments":
            return Arguments(self.realm, args, self)
        return self if name == "%function" else new_target

    def initialize_fields(self, this: JSObject) -> None:
        """Give a new object what the class defines for it."""
        for key, function in self.fields:
            value = function.call(this, ())
            if not this.define(key, value):
                throw_type_error(f"Cannot define property {key}, object is not extensible")


@final
class ScriptConstructor(ScriptFunction):
    """A function for the operator new, with its own property prototype."""

    __slots__ = ()

    is_constructor = True

    def construct(self, args: Args, new_target: JSFunction | None = None) -> Any:
        return guarded(self.realm, lambda: self._construct(args, new_target or self))

    def _construct(self, args: Args, new_target: JSFunction) -> Any:
        code = self.code
        this: Any = TDZ
        if code.node.kind != "derived":
            prototype = new_target.get("prototype")
            this = JSObject(prototype if is_object(prototype) else self.realm.object_prototype)
            self.initialize_fields(this)
        frame = self.enter(this, args, new_target)
        result = code.body(frame)
        value = UNDEFINED if result is None else result[0]
        if is_object(value):
            return value
        if code.node.kind == "derived":
            if value is not UNDEFINED:
                throw_type_error("Derived constructors may only return object or undefined")
            this = frame[code.this_slot]
            if this is TDZ:
                throw_uninitialized("this")
        return this


@final
class Arguments(JSObject):
    """The object `arguments`. It does not follow assignments to parameters. Spec: 10.4.4.6."""

    __slots__ = ()

    class_name = "Arguments"

    def __init__(self, realm: Realm, args: Args, function: JSFunction) -> None:
        super().__init__(realm.object_prototype)
        self.properties.update((str(index), value) for index, value in enumerate(args))
        hidden: dict[str | Symbol, Any] = {
            "length": len(args),
            SYMBOL_ITERATOR: realm.prototype_of("Array").get("values"),
            "callee": function,
        }
        self.properties.update(hidden)
        self.attributes.update(dict.fromkeys(hidden, HIDDEN))


# --- Compiling -------------------------------------------------------------------------------------------------------


@compiles(nodes.Function)
def function(compiler: Compiler, node: nodes.Function) -> Closure:
    """What makes the function."""
    make = function_maker(compiler, node)
    return lambda frame: make(frame, None)


def function_maker(compiler: Compiler, node: nodes.Function) -> Callable[[Frame, JSObject | None], ScriptFunction]:
    """What makes the function in a frame, as a method of an object or not."""
    realm = compiler.realm
    code = compile_function(compiler, node)
    is_plain = node.kind in {"arrow", "method"} or node.is_async
    if is_plain and not node.is_generator:
        return lambda frame, home: ScriptFunction(realm, code, frame, home)
    if node.is_generator:
        return lambda frame, home: _with_prototype(ScriptFunction(realm, code, frame, home), None)

    def make(frame: Frame, home: JSObject | None) -> ScriptFunction:
        made = ScriptConstructor(realm, code, frame, home)
        return _with_prototype(made, made)

    return make


def _with_prototype(made: ScriptFunction, constructor: ScriptFunction | None) -> ScriptFunction:
    realm = made.realm
    if constructor is None:
        from .generators import generator_prototype

        prototype = JSObject(generator_prototype(realm))
    else:
        prototype = JSObject(realm.object_prototype)
        prototype.properties["constructor"] = constructor
        prototype.attributes["constructor"] = HIDDEN
    made.properties["prototype"] = prototype
    made.attributes["prototype"] = WRITABLE
    return made


def compile_function(compiler: Compiler, node: nodes.Function) -> Code:
    """The code of a function; its scope is inside of the compiler's present one."""
    scope = FunctionScope(compiler.scope, node)
    inner = Compiler(compiler.realm, scope, node.is_strict)
    is_simple = all(isinstance(parameter, nodes.Name) for parameter in node.parameters)
    names = [name for parameter in node.parameters for name in names_of(parameter)]
    if len(set(names)) < len(names) and (node.is_strict or not is_simple or node.kind != "function"):
        fail("Duplicate parameter name not allowed in this context")
    for name in names:
        scope.add(name, "var" if is_simple else "parameter")
    bind = None if is_simple else _parameter_binder(inner, node.parameters)
    _declare_body(inner, node.body)
    hoisted = inner.hoisted(node.body)
    if node.kind == "derived":
        scope.lookup("this")
    if node.is_generator or node.is_async:
        from .suspended_statements import suspending_body

        body = suspending_body(inner, node.body)
    else:
        body = inner.sequence([inner.compile(statement) for statement in node.body])
    return Code(
        node,
        _length(node.parameters),
        scope.template,
        len(names) if is_simple else 0,
        bind,
        scope.specials,
        _after(hoisted, body),
        scope.variables.get("this", (0, ""))[0],
    )


def _after(hoisted: list[Closure], body: Closure) -> Closure:
    if not hoisted:
        return body

    def run(frame: Frame) -> Any:
        for make in hoisted:
            make(frame)
        return body(frame)

    return run


def _declare_body(compiler: Compiler, body: nodes.Nodes) -> None:
    scope = compiler.function_scope
    for name in (*var_names(body), *(function.name for function in functions_of(body))):
        if name not in scope.variables:
            scope.add(name, "var")
    lexical = list(lexical_names(body, is_block=False))
    if not compiler.is_strict:
        taken = {name for name, _ in lexical}
        compiler.block_functions = frozenset(name for name in block_functions(body) if name not in taken)
        for name in compiler.block_functions:
            if name not in scope.variables:
                scope.add(name, "var")
    for name, kind in lexical:
        scope.declare(name, kind)


def _length(parameters: nodes.Nodes) -> int:
    for index, parameter in enumerate(parameters):
        if isinstance(parameter, (nodes.Default, nodes.Rest)):
            return index
    return len(parameters)


def _parameter_binder(compiler: Compiler, parameters: nodes.Nodes) -> Callable[[Frame, Args], None]:
    realm = compiler.realm
    rest: Any = None
    writers = []
    for parameter in parameters:
        if isinstance(parameter, nodes.Rest):
            rest = binder(compiler, parameter.target, is_initial=True)
        else:
            writers.append(binder(compiler, parameter, is_initial=True))

    def bind(frame: Frame, args: Args) -> None:
        for index, write in enumerate(writers):
            write(frame, argument(args, index))
        if rest is not None:
            rest(frame, realm.new_array(args[len(writers) :]))

    return bind
