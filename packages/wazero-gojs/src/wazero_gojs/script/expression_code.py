"""How expressions are compiled. Spec: ECMA-262, 13."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from wazero_gojs.builtins.operations import MAX_ARGUMENTS, remove
from wazero_gojs.model import utf16
from wazero_gojs.model.array import MAX_LENGTH
from wazero_gojs.model.object import CONFIGURABLE, ENUMERABLE, MISSING, WRITABLE, Accessor, JSFunction, JSObject
from wazero_gojs.model.values import (
    UNDEFINED,
    describe,
    is_object,
    throw_range_error,
    throw_type_error,
    to_boolean,
    to_key,
    to_string,
    type_of,
)

from . import nodes
from .access import call, construct, get, iterator, key_of, put
from .binding import binder, copy_properties, name_for, named
from .compiler import Closure, Compiler, compiles
from .functions import function_maker
from .operators import OPERATORS, UNARY, step, to_numeric
from .scope import Frame

_PATTERNS: Final = (nodes.ArrayPattern, nodes.ObjectPattern)


class CutShort(Exception):  # noqa: N818  # no error
    """What ?. raises to end the chain around it."""


@compiles(nodes.Literal)
def literal(compiler: Compiler, node: nodes.Literal) -> Closure:
    """A value."""
    value = node.value
    return lambda frame: value


@compiles(nodes.Name)
def name(compiler: Compiler, node: nodes.Name) -> Closure:
    """A variable."""
    return compiler.reader(node.name)


@compiles(nodes.RegExp)
def regexp(compiler: Compiler, node: nodes.RegExp) -> Closure:
    """A new object each time. What is wrong with it is known at once."""
    constructor = compiler.realm.intrinsic("RegExp")
    constructor.construct((node.source, node.flags))
    return lambda frame: constructor.construct((node.source, node.flags))


@compiles(nodes.Template)
def template(compiler: Compiler, node: nodes.Template) -> Closure:
    """Spec: 13.2.8."""
    first, *texts = node.texts
    pairs = list(zip([compiler.compile(value) for value in node.values], texts, strict=True))

    def run(frame: Frame) -> str:
        parts = [first]
        for value, text in pairs:
            parts += to_string(value(frame)), text
        return utf16.concat_all(parts)

    return run


@compiles(nodes.TaggedTemplate)
def tagged_template(compiler: Compiler, node: nodes.TaggedTemplate) -> Closure:
    """Spec: 13.3.11. Each place in the source has one array of texts."""
    realm = compiler.realm
    target = callee(compiler, node.tag)
    values = arguments(compiler, node.values)
    made: list[Any] = []

    def texts() -> Any:
        if not made:
            array = realm.new_array([UNDEFINED if text is None else text for text in node.texts])
            raw = realm.new_array(node.raw_texts)
            raw.restrict(WRITABLE | CONFIGURABLE)
            array.define("raw", raw, 0)
            array.restrict(WRITABLE | CONFIGURABLE)
            made.append(array)
        return made[0]

    def run(frame: Frame) -> Any:
        this, function = target(frame)
        return call(function, this, (texts(), *values(frame)), node.tag)

    return run


@compiles(nodes.Sequence)
def sequence(compiler: Compiler, node: nodes.Sequence) -> Closure:
    """a, b."""
    *first, last = [compiler.compile(item) for item in node.items]

    def run(frame: Frame) -> Any:
        for item in first:
            item(frame)
        return last(frame)

    return run


# --- Arrays and objects ----------------------------------------------------------------------------------------------


@compiles(nodes.Array)
def array(compiler: Compiler, node: nodes.Array) -> Closure:
    """Spec: 13.2.4."""
    realm = compiler.realm
    items = _items(compiler, node.items, MAX_LENGTH, "Invalid array length")
    return lambda frame: realm.new_array(items(frame))


def _items(compiler: Compiler, items: nodes.Nodes, limit: int, message: str) -> Callable[[Frame], list[Any]]:
    """What makes a list of values, spreads included."""
    realm = compiler.realm
    steps = []
    for item in items:
        is_spread = isinstance(item, nodes.Spread)
        value = (lambda frame: MISSING) if item is None else compiler.compile(item.value if is_spread else item)
        steps.append((is_spread, value, item))

    def run(frame: Frame) -> list[Any]:
        found: list[Any] = []
        for is_spread, value, item in steps:
            if not is_spread:
                found.append(value(frame))
                continue
            record = iterator(realm, value(frame), item.value)
            while (part := record.step()) is not MISSING:
                realm.poll()
                found.append(part)
                if len(found) > limit:
                    throw_range_error(message)
        return found

    return run


def arguments(compiler: Compiler, items: nodes.Nodes) -> Closure:
    """What makes the arguments of a call."""
    if any(isinstance(item, nodes.Spread) for item in items):
        return _items(compiler, items, MAX_ARGUMENTS, "Maximum call stack size exceeded")
    values = tuple(compiler.compile(item) for item in items)
    if not values:
        return lambda frame: ()
    if len(values) == 1:
        (only,) = values
        return lambda frame: (only(frame),)
    if len(values) == 2:
        first, second = values
        return lambda frame: (first(frame), second(frame))
    return lambda frame: [value(frame) for value in values]


@compiles(nodes.Object)
def object_(compiler: Compiler, node: nodes.Object) -> Closure:
    """Spec: 13.2.5."""
    realm = compiler.realm
    steps = [property_step(compiler, item, ENUMERABLE) for item in node.properties]

    def run(frame: Frame) -> JSObject:
        made = realm.new_object()
        for add in steps:
            add(frame, made)
        return made

    return run


def property_step(compiler: Compiler, node: Any, enumerable: int) -> Callable[[Frame, JSObject], object]:
    """What adds a property, method, accessor or spread to an object."""
    realm = compiler.realm
    if isinstance(node, nodes.Spread):
        source = compiler.compile(node.value)
        return lambda frame, made: copy_properties(realm, made, source(frame))
    if isinstance(node, nodes.CoverDefault):
        compiler.compile(node)
    if node.kind in {"get", "set", "method"}:
        return _method_step(compiler, node, enumerable)
    if node.key == nodes.Literal("__proto__") and node.value != nodes.Name("__proto__"):
        value = compiler.compile(node.value)
        return lambda frame, made: _set_prototype(made, value(frame))
    if isinstance(node.key, nodes.Literal):
        name = node.key.value
        value = named(compiler, node.value, name)
        return lambda frame, made: made.define(name, value(frame))
    key = compiler.compile(node.key)
    value = compiler.compile(node.value)
    is_anonymous = isinstance(node.value, (nodes.Function, nodes.Class)) and not node.value.name

    def add(frame: Frame, made: JSObject) -> None:
        found = to_key(key(frame))
        content = value(frame)
        if is_anonymous and content.own("name") == "":
            content.properties["name"] = name_of_key(found)
        made.define(found, content)

    return add


def _set_prototype(made: JSObject, value: Any) -> None:
    if value is None or is_object(value):
        made.prototype = value


def name_of_key(key: Any) -> str:
    """What a method with such a key is called."""
    return key if isinstance(key, str) else f"[{key.description}]" if key.description is not None else ""


def _method_step(compiler: Compiler, node: nodes.Property, enumerable: int) -> Callable[[Frame, JSObject], object]:
    key = compiler.compile(node.key)
    make = function_maker(compiler, node.value)
    is_computed = not isinstance(node.key, nodes.Literal)
    kind = node.kind

    def add(frame: Frame, owner: JSObject) -> None:
        found = to_key(key(frame))
        function = make(frame, owner)
        if is_computed:
            function.properties["name"] = f"{kind} {name_of_key(found)}" if kind != "method" else name_of_key(found)
        if kind == "method":
            owner.define(found, function, enumerable | WRITABLE | CONFIGURABLE)
            return
        old = owner.own(found)
        getter, setter = (old.getter, old.setter) if type(old) is Accessor else (UNDEFINED, UNDEFINED)
        new = Accessor(function, setter) if kind == "get" else Accessor(getter, function)
        owner.define(found, new, enumerable | CONFIGURABLE)

    return add


# --- Members and calls -----------------------------------------------------------------------------------------------


@compiles(nodes.Member)
def member(compiler: Compiler, node: nodes.Member) -> Closure:
    """Spec: 13.3.2."""
    realm = compiler.realm
    if isinstance(node.base, nodes.Super):
        target = _super_member(compiler, node)
        return lambda frame: target(frame)[1]
    base = compiler.compile(node.base)
    if node.is_optional:
        base = _cutting(base)
    if isinstance(node.key, nodes.Literal) and isinstance(node.key.value, str):
        name = node.key.value

        def read(frame: Frame) -> Any:
            value = base(frame)
            return value.get(name) if isinstance(value, JSObject) else get(realm, value, name)

        return read
    key = compiler.compile(node.key)
    return lambda frame: get(realm, base(frame), key(frame))


def _cutting(value: Closure) -> Closure:
    def run(frame: Frame) -> Any:
        found = value(frame)
        if found is UNDEFINED or found is None:
            raise CutShort
        return found

    return run


@compiles(nodes.Chain)
def chain(compiler: Compiler, node: nodes.Chain) -> Closure:
    """Spec: 13.3.9."""
    value = compiler.compile(node.expression)

    def run(frame: Frame) -> Any:
        try:
            return value(frame)
        except CutShort:
            return UNDEFINED

    return run


def _super_member(compiler: Compiler, node: nodes.Member) -> Closure:
    """What finds `this` and the property that it inherits from beyond the method's home. Spec: 13.3.7."""
    this = compiler.reader("this")
    function = compiler.reader("%function")
    key = compiler.compile(node.key)

    def run(frame: Frame) -> tuple[Any, Any]:
        receiver = this(frame)
        home = function(frame).home
        prototype = home and home.prototype
        name = to_key(key(frame))
        if prototype is None:
            throw_type_error(f"Cannot read properties of null (reading '{describe(name)}')")
        return receiver, prototype.get(name, receiver)

    return run


def callee(compiler: Compiler, node: Any) -> Closure:
    """What finds (this, function) for a call."""
    if isinstance(node, nodes.Chain):
        target = callee(compiler, node.expression)

        def run(frame: Frame) -> tuple[Any, Any]:
            try:
                found: tuple[Any, Any] = target(frame)
            except CutShort:
                return UNDEFINED, UNDEFINED
            return found

        return run
    if not isinstance(node, nodes.Member):
        function = compiler.compile(node)
        return lambda frame: (UNDEFINED, function(frame))
    if isinstance(node.base, nodes.Super):
        return _super_member(compiler, node)
    realm = compiler.realm
    base = compiler.compile(node.base)
    if node.is_optional:
        base = _cutting(base)
    key = compiler.compile(node.key)

    def find(frame: Frame) -> tuple[Any, Any]:
        this = base(frame)
        return this, get(realm, this, key(frame))

    return find


@compiles(nodes.Call)
def call_(compiler: Compiler, node: nodes.Call) -> Closure:
    """Spec: 13.3.6."""
    if isinstance(node.callee, nodes.Super):
        from .class_code import super_call

        return super_call(compiler, node)
    target = callee(compiler, node.callee)
    args = arguments(compiler, node.arguments)
    is_optional = node.is_optional

    def run(frame: Frame) -> Any:
        this, function = target(frame)
        if is_optional and (function is UNDEFINED or function is None):
            raise CutShort
        values = args(frame)
        return function.call(this, values) if isinstance(function, JSFunction) else call(function, this, values, node.callee)

    return run


@compiles(nodes.New)
def new(compiler: Compiler, node: nodes.New) -> Closure:
    """Spec: 13.3.5."""
    function = compiler.compile(node.callee)
    args = arguments(compiler, node.arguments)
    return lambda frame: construct(function(frame), args(frame), node.callee)


# --- Operators -------------------------------------------------------------------------------------------------------


@compiles(nodes.Unary)
def unary(compiler: Compiler, node: nodes.Unary) -> Closure:
    """Spec: 13.5."""
    if node.operator == "delete":
        return _delete(compiler, node.operand)
    if node.operator == "typeof" and isinstance(node.operand, nodes.Name):
        return _typeof_name(compiler, node.operand)
    value = compiler.compile(node.operand)
    operate = UNARY[node.operator]
    return lambda frame: operate(value(frame))


def _typeof_name(compiler: Compiler, node: nodes.Name) -> Closure:
    value = compiler.compile(node)
    if compiler.scope.find(node.name) is not None:
        return lambda frame: type_of(value(frame))
    global_object = compiler.realm.global_object
    return lambda frame: type_of(value(frame)) if global_object.has(node.name) else "undefined"


def _delete(compiler: Compiler, node: Any) -> Closure:
    if isinstance(node, nodes.Chain):
        target = _delete(compiler, node.expression)

        def run(frame: Frame) -> Any:
            try:
                return target(frame)
            except CutShort:
                return True

        return run
    if isinstance(node, nodes.Name):
        global_object = compiler.realm.global_object
        is_local = compiler.scope.find(node.name) is not None
        return lambda frame: not is_local and global_object.delete(node.name)
    if not isinstance(node, nodes.Member):
        value = compiler.compile(node)
        return lambda frame: (value(frame), True)[1]
    return _delete_member(compiler, node)


def _delete_member(compiler: Compiler, node: nodes.Member) -> Closure:
    if isinstance(node.base, nodes.Super):
        from .lexer import fail

        fail("Unsupported reference to 'super'")
    base = compiler.compile(node.base)
    if node.is_optional:
        base = _cutting(base)
    key = compiler.compile(node.key)
    is_strict = compiler.is_strict

    def run(frame: Frame) -> bool:
        owner = base(frame)
        name = to_key(key(frame))
        if owner is UNDEFINED or owner is None:
            throw_type_error("Cannot convert undefined or null to object")
        if not isinstance(owner, JSObject):
            return True
        if not is_strict:
            return owner.delete(name)
        remove(owner, name)
        return True

    return run


@compiles(nodes.Binary)
def binary(compiler: Compiler, node: nodes.Binary) -> Closure:
    """Spec: 13.6 to 13.12."""
    operate = OPERATORS[node.operator]
    left = compiler.compile(node.left)
    right = compiler.compile(node.right)
    return lambda frame: operate(left(frame), right(frame))


@compiles(nodes.Logical)
def logical(compiler: Compiler, node: nodes.Logical) -> Closure:
    """Spec: 13.13."""
    left = compiler.compile(node.left)
    right = compiler.compile(node.right)
    is_final = FINAL[node.operator]

    def run(frame: Frame) -> Any:
        value = left(frame)
        return value if is_final(value) else right(frame)

    return run


FINAL: Final[dict[str, Callable[[Any], bool]]] = {
    "&&": lambda value: not to_boolean(value),
    "||": to_boolean,
    "??": lambda value: value is not UNDEFINED and value is not None,
}
"""Whether the left side of an operator is the result."""


@compiles(nodes.Conditional)
def conditional(compiler: Compiler, node: nodes.Conditional) -> Closure:
    """Spec: 13.14."""
    test = compiler.condition(node.test)
    yes = compiler.compile(node.yes)
    no = compiler.compile(node.no)
    return lambda frame: yes(frame) if test(frame) else no(frame)


# --- Assignment ------------------------------------------------------------------------------------------------------



@compiles(nodes.Assign)
def assign(compiler: Compiler, node: nodes.Assign) -> Closure:
    """Spec: 13.15."""
    target = node.target
    if isinstance(target, _PATTERNS):
        value = compiler.compile(node.value)
        bind = binder(compiler, target, is_initial=False, source=node.value)

        def run(frame: Frame) -> Any:
            found = value(frame)
            bind(frame, found)
            return found

        return run
    if node.operator in FINAL:
        return _assign_logically(compiler, node)
    if isinstance(target, nodes.Member):
        return _assign_member(compiler, node)
    write = compiler.writer(target.name)
    value = named(compiler, node.value, target.name)
    if node.operator:
        read = compiler.reader(target.name)
        operate = OPERATORS[node.operator]
        right = value
        value = lambda frame: operate(read(frame), right(frame))  # noqa: E731  # the closure of read and right

    def store(frame: Frame) -> Any:
        found = value(frame)
        write(frame, found)
        return found

    return store


def _place(compiler: Compiler, target: nodes.Member) -> tuple[Closure, Closure, Closure]:
    """What finds the object that is assigned to, the key, and given those the old value."""
    realm = compiler.realm
    key = compiler.compile(target.key)
    if isinstance(target.base, nodes.Super):
        read = _super_member(compiler, target)
        return compiler.reader("this"), key, lambda frame: read(frame)[1]
    base = compiler.compile(target.base)
    return base, key, lambda pair: get(realm, pair[0], pair[1])


def _assign_member(compiler: Compiler, node: nodes.Assign) -> Closure:
    realm, is_strict = compiler.realm, compiler.is_strict
    is_super = isinstance(node.target.base, nodes.Super)
    base, key, read = _place(compiler, node.target)
    value = compiler.compile(node.value)
    operate = OPERATORS.get(node.operator)

    def run(frame: Frame) -> Any:
        owner = base(frame)
        name = key(frame)
        if operate is None:
            found = value(frame)
        else:
            name = _stable(owner, name)
            found = operate(read(frame if is_super else (owner, name)), value(frame))
        if isinstance(owner, JSObject) and type(name) is str and owner.set(name, found):
            return found
        put(realm, owner, name, found, is_strict)
        return found

    return run


def _stable(owner: Any, name: Any) -> Any:
    """The key, converted once though it is used twice."""
    return name if owner is UNDEFINED or owner is None else key_of(name)


def _assign_logically(compiler: Compiler, node: nodes.Assign) -> Closure:
    realm, is_strict = compiler.realm, compiler.is_strict
    is_final = FINAL[node.operator]
    value = named(compiler, node.value, name_for(node.target))
    if isinstance(node.target, nodes.Name):
        read_name = compiler.reader(node.target.name)
        write = compiler.writer(node.target.name)

        def run_name(frame: Frame) -> Any:
            old = read_name(frame)
            if is_final(old):
                return old
            found = value(frame)
            write(frame, found)
            return found

        return run_name
    is_super = isinstance(node.target.base, nodes.Super)
    base, key, read = _place(compiler, node.target)

    def run(frame: Frame) -> Any:
        owner = base(frame)
        name = _stable(owner, key(frame))
        old = read(frame if is_super else (owner, name))
        if is_final(old):
            return old
        found = value(frame)
        put(realm, owner, name, found, is_strict)
        return found

    return run


@compiles(nodes.Update)
def update(compiler: Compiler, node: nodes.Update) -> Closure:
    """Spec: 13.4."""
    realm, is_strict = compiler.realm, compiler.is_strict
    by = 1 if node.operator == "++" else -1
    is_prefix = node.is_prefix
    if isinstance(node.target, nodes.Name):
        read_name = compiler.reader(node.target.name)
        write = compiler.writer(node.target.name)

        def run_name(frame: Frame) -> Any:
            old = to_numeric(read_name(frame))
            changed = step(old, by)
            write(frame, changed)
            return changed if is_prefix else old

        return run_name
    is_super = isinstance(node.target.base, nodes.Super)
    base, key, read = _place(compiler, node.target)

    def run(frame: Frame) -> Any:
        owner = base(frame)
        name = _stable(owner, key(frame))
        old = to_numeric(read(frame if is_super else (owner, name)))
        changed = step(old, by)
        put(realm, owner, name, changed, is_strict)
        return changed if is_prefix else old

    return run
