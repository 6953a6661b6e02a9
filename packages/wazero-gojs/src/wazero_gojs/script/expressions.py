"""The parser's half for expressions. Spec: ECMA-262, 13 and 15."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, NoReturn

from wazero_gojs.model.values import throw_range_error, to_string

from . import nodes
from .lexer import STRICT_RESERVED, Lexer, Token, fail
from .patterns import to_pattern, to_patterns

MAX_NESTING: Final = 400
"""Expressions and statements inside of one another."""

_LEVELS: Final = (
    "??", "||", "&&", "|", "^", "&", "== != === !==", "< > <= >= in instanceof", "<< >> >>>", "+ -", "* / %", "**",
)  # fmt: skip
_PRECEDENCE: Final = {operator: level for level, row in enumerate(_LEVELS, 1) for operator in row.split()}
_POWER: Final = _PRECEDENCE["**"]
_PREFIXES: Final = frozenset("- + ! ~ typeof void delete".split())
_ASSIGNMENTS: Final = frozenset("= += -= *= /= %= **= <<= >>= >>>= &= |= ^= &&= ||= ??=".split())
_WORDS: Final = frozenset(("punctuator", "keyword", "name"))
_ENDS_KEY: Final = frozenset("( , : = } ;".split())
"""What follows the name of a property; so before it, get, set, static and async are names themselves."""
_ENDS_YIELD: Final = frozenset(") ] } , ; : in of".split())
_UNEXPECTED: Final = {
    "end": "Unexpected end of input",
    "number": "Unexpected number",
    "string": "Unexpected string",
    "template": "Unexpected template string",
    "escaped": "Keyword must not contain escaped characters",
}
_CONSTANTS: Final = {"null": None, "true": True, "false": False}


class Context(NamedTuple):
    """What the code around a place allows there."""

    is_strict: bool = False
    in_function: bool = False
    in_generator: bool = False
    in_async: bool = False
    super_: str = ""
    """"property" in methods, "call" in constructors of derived classes."""


class ExpressionParser:
    """Reads one token ahead. Where a method starts, `token` is the first one that it reads."""

    def __init__(self, text: str, context: Context) -> None:
        self.text = text
        self.context = context
        self.allows_in = True
        """Whether `in` is an operator here."""
        self.functions = 0
        """How many were read so far."""
        self.grouped: dict[int, Any] = {}
        """Nodes that stood in parentheses, by id."""
        self.depth = 0
        self.end = 0
        """Of the last token that was read."""
        self._lexer = Lexer(text)
        self.token = self._lexer.next()

    # Tokens

    def advance(self) -> Token:
        """Read a token."""
        token = self.token
        if token.legacy and self.context.is_strict:
            fail(token.legacy)
        self.end = token.end
        self.token = self._lexer.next()
        return token

    def peek(self) -> Token:
        """The token after this."""
        position = self._lexer.position
        token = self._lexer.next()
        self._lexer.position = position
        return token

    def at(self, value: str) -> bool:
        """Whether a word or punctuator comes next."""
        return self.token.value == value and self.token.type in _WORDS

    def accept(self, value: str) -> bool:
        """Read a word or punctuator if it comes next."""
        if self.at(value):
            self.advance()
            return True
        return False

    def expect(self, value: str, message: str = "") -> None:
        """Read a word or punctuator that must come next."""
        if not self.accept(value):
            if message and self.token.type != "end":
                fail(message)
            self.unexpected()

    def unexpected(self, token: Token | None = None) -> NoReturn:
        """Complain of a token."""
        token = token or self.token
        if token.type == "name":
            if self.context.is_strict and token.value in STRICT_RESERVED:
                fail("Unexpected strict mode reserved word")
            fail(f"Unexpected identifier '{token.value}'")
        fail(_UNEXPECTED.get(token.type) or f"Unexpected token '{self.text[token.start : token.end]}'")

    def identifier(self) -> nodes.Name:
        """The name of a variable."""
        token = self.token
        context = self.context
        if token.type != "name" or (context.is_strict and token.value in STRICT_RESERVED):
            self.unexpected()
        if (token.value == "await" and context.in_async) or (token.value == "yield" and context.in_generator):
            fail("Unexpected reserved word" if token.value == "await" else "Unexpected identifier 'yield'")
        self.advance()
        return nodes.Name(token.value)

    def with_in(self, parse: Any) -> Any:
        """What `parse` reads, with the operator `in` whatever is around."""
        before, self.allows_in = self.allows_in, True
        found = parse()
        self.allows_in = before
        return found

    # Operators, loosest first

    def expression(self) -> Any:
        """Anything, commas included."""
        first = self.assignment()
        if not self.at(","):
            return first
        items = [first]
        while self.accept(","):
            items.append(self.assignment())
        return nodes.Sequence(tuple(items))

    def assignment(self) -> Any:
        """Anything without commas."""
        self.depth += 1
        if self.depth > MAX_NESTING:
            throw_range_error("Maximum call stack size exceeded")
        start = self.token
        if self.context.in_generator and self.at("yield"):
            found = self._yield()
        else:
            found = self._conditional()
            if self.at("=>"):
                found = self._arrow(found, start)
            elif self.token.type == "punctuator" and self.token.value in _ASSIGNMENTS:
                found = self._assign(found)
        self.depth -= 1
        return found

    def _assign(self, target: Any) -> nodes.Assign:
        operator = self.token.value[:-1]
        is_pattern = not operator and isinstance(target, (nodes.Array, nodes.Object)) and id(target) not in self.grouped
        if not is_pattern:
            self.check_target(target, "Invalid left-hand side in assignment")
        target = to_pattern(target, False, self.context.is_strict)
        self.advance()
        return nodes.Assign(operator, target, self.assignment())

    def check_target(self, target: Any, message: str) -> None:
        """Throw unless one value can be assigned to this."""
        if not isinstance(target, (nodes.Name, nodes.Member)) or target in (nodes.THIS, nodes.Name("new.target")):
            fail(message)
        if isinstance(target, nodes.Name):
            to_pattern(target, False, self.context.is_strict)

    def _yield(self) -> nodes.Yield:
        self.advance()
        token = self.token
        if token.after_newline or token.type == "end" or (token.type in _WORDS and token.value in _ENDS_YIELD):
            return nodes.Yield(None, False)
        is_delegate = self.accept("*")
        return nodes.Yield(self.assignment(), is_delegate)

    def _conditional(self) -> Any:
        test = self._binary(0)
        if not self.accept("?"):
            return test
        yes = self.with_in(self.assignment)
        self.expect(":")
        return nodes.Conditional(test, yes, self.assignment())

    def _binary(self, minimum: int) -> Any:
        left = self._unary()
        while self.token.type in _WORDS and (level := _PRECEDENCE.get(self.token.value, 0)) > minimum:
            operator = self.token.value
            if operator == "in" and not self.allows_in:
                break
            if operator == "**" and isinstance(left, (nodes.Unary, nodes.Await)) and id(left) not in self.grouped:
                fail(
                    "Unary operator used immediately before exponentiation expression. "
                    "Parenthesis must be used to disambiguate operator precedence"
                )
            token = self.advance()
            right = self._binary(level - (level == _POWER))
            if operator in {"??", "||", "&&"}:
                self._check_mix(operator, left, right, token)
                left = nodes.Logical(operator, left, right)
            else:
                left = nodes.Binary(operator, left, right)
        return left

    def _check_mix(self, operator: str, left: Any, right: Any, token: Token) -> None:
        for side in (left, right):
            if isinstance(side, nodes.Logical) and id(side) not in self.grouped:
                if (operator == "??") != (side.operator == "??"):
                    self.unexpected(token)

    def _unary(self) -> Any:
        token = self.token
        if token.type not in _WORDS:
            return self._postfix()
        if token.value in _PREFIXES:
            self.advance()
            operand = self._nested_unary()
            if token.value == "delete" and self.context.is_strict and isinstance(operand, nodes.Name):
                fail("Delete of an unqualified identifier in strict mode.")
            return nodes.Unary(token.value, operand)
        if token.value in {"++", "--"}:
            self.advance()
            target = self._nested_unary()
            self.check_target(target, "Invalid left-hand side expression in prefix operation")
            return nodes.Update(token.value, True, target)
        if token.value == "await" and self.context.in_async:
            self.advance()
            return nodes.Await(self._nested_unary())
        return self._postfix()

    def _nested_unary(self) -> Any:
        self.depth += 1
        if self.depth > MAX_NESTING:
            throw_range_error("Maximum call stack size exceeded")
        found = self._unary()
        self.depth -= 1
        return found

    def _postfix(self) -> Any:
        target = self.left_hand_side()
        if self.token.type == "punctuator" and self.token.value in {"++", "--"} and not self.token.after_newline:
            self.check_target(target, "Invalid left-hand side expression in postfix operation")
            return nodes.Update(self.advance().value, False, target)
        return target

    def left_hand_side(self) -> Any:
        """Members and calls."""
        return self._suffixes(self._new() if self.at("new") else self._primary(), True)

    def _suffixes(self, node: Any, has_calls: bool) -> Any:
        is_chain = False
        while True:
            if self.accept("."):
                node = nodes.Member(node, self._member_name())
            elif self.accept("["):
                node = nodes.Member(node, self._key_in_brackets())
            elif self.token.type == "template":
                if is_chain:
                    fail("Invalid tagged template on optional chain")
                node = nodes.TaggedTemplate(node, *self._template())
            elif has_calls and self.at("("):
                node = nodes.Call(node, self._arguments())
            elif has_calls and self.accept("?."):
                is_chain = True
                if self.at("("):
                    node = nodes.Call(node, self._arguments(), True)
                else:
                    key = self._key_in_brackets() if self.accept("[") else self._member_name()
                    node = nodes.Member(node, key, True)
            else:
                return nodes.Chain(node) if is_chain else node

    def _key_in_brackets(self) -> Any:
        key = self.with_in(self.expression)
        self.expect("]")
        return key

    def _member_name(self) -> nodes.Literal:
        if self.token.type == "private":
            fail("Private names are not supported")
        if self.token.type not in {"name", "keyword", "escaped"}:
            self.unexpected()
        return nodes.Literal(self.advance().value)

    def _new(self) -> Any:
        self.advance()
        if self.accept("."):
            if not self.at("target") or not self.context.in_function:
                fail("new.target expression is not allowed here")
            self.advance()
            return nodes.Name("new.target")
        self.depth += 1
        if self.depth > MAX_NESTING:
            throw_range_error("Maximum call stack size exceeded")
        callee = self._suffixes(self._new() if self.at("new") else self._primary(), False)
        self.depth -= 1
        if self.at("?."):
            fail("Invalid optional chain from new expression")
        return nodes.New(callee, self._arguments() if self.at("(") else ())

    def _arguments(self) -> tuple[Any, ...]:
        self.advance()
        items, _ = self.with_in(lambda: self._items(")", "missing ) after argument list"))
        return items

    def _items(self, end: str, message: str = "") -> tuple[tuple[Any, ...], bool]:
        """Expressions and spreads up to a bracket; whether there was a comma before that."""
        items: list[Any] = []
        has_trailing_comma = False
        while not self.accept(end):
            items.append(nodes.Spread(self.assignment()) if self.accept("...") else self.assignment())
            has_trailing_comma = self.at(",")
            if not self.accept(",") and not self.at(end):
                self.expect(end, message)
        return tuple(items), has_trailing_comma

    # Primary expressions

    def _primary(self) -> Any:
        token = self.token
        if token.type == "name":
            return self._name_or_async()
        if token.type in {"number", "string"}:
            return nodes.Literal(self.advance().value)
        if token.type == "template":
            texts, _, values = self._template()
            if None in texts:
                fail("Invalid escape sequence in template")
            return nodes.Template(texts, values)
        if token.type not in _WORDS:
            self.unexpected()
        if token.value in _CONSTANTS:
            return nodes.Literal(_CONSTANTS[self.advance().value])
        parse = self._PRIMARIES.get(token.value)
        if parse is None:
            self.unexpected()
        return parse(self)

    def _name_or_async(self) -> Any:
        start = self.token.start
        if self.at("async") and self.text.startswith("async", start):
            following = self.peek()
            if not following.after_newline and following.type == "keyword" and following.value == "function":
                self.advance()
                return self.function_expression(start, is_async=True)
            if not following.after_newline and following.type == "name":
                self.advance()
                parameter = self.identifier()
                if not self.at("=>"):
                    self.unexpected()
                return nodes.Call(nodes.Name("async"), (parameter,))
        return self.identifier()

    def _this(self) -> nodes.Name:
        self.advance()
        return nodes.THIS

    def _super(self) -> nodes.Super:
        self.advance()
        is_right = self.at("(") and self.context.super_ == "call"
        if not is_right and not (self.context.super_ and (self.at(".") or self.at("["))):
            fail("'super' keyword unexpected here")
        return nodes.Super()

    def _import(self) -> NoReturn:
        fail("Cannot use import statement outside a module")

    def _regexp(self) -> nodes.RegExp:
        self.token = self._lexer.regexp(self.token)
        return nodes.RegExp(*self.advance().value)

    def _template(self) -> tuple[Any, tuple[str, ...], tuple[Any, ...]]:
        texts: list[str | None] = []
        raw_texts: list[str] = []
        values: list[Any] = []
        while True:
            text, raw, is_last = self.advance().value
            texts.append(text)
            raw_texts.append(raw)
            if is_last:
                return tuple(texts), tuple(raw_texts), tuple(values)
            values.append(self.with_in(self.expression))
            if not self.at("}"):
                fail("Missing } in template expression")
            self.token = self._lexer.template_after(self.token)

    def _group(self) -> Any:
        self.advance()
        items, has_trailing_comma = self.with_in(lambda: self._items(")"))
        if self.at("=>"):
            return nodes.Group(items, has_trailing_comma)
        if not items or has_trailing_comma or any(isinstance(item, nodes.Spread) for item in items):
            self.unexpected()
        found = items[0] if len(items) == 1 else nodes.Sequence(items)
        self.grouped[id(found)] = found
        return found

    def _array(self) -> nodes.Array:
        self.advance()
        before, self.allows_in = self.allows_in, True
        items: list[Any] = []
        while not self.accept("]"):
            if self.accept(","):
                items.append(None)
                continue
            items.append(nodes.Spread(self.assignment()) if self.accept("...") else self.assignment())
            if not self.at("]"):
                self.expect(",")
        self.allows_in = before
        return nodes.Array(tuple(items))

    def _object(self) -> nodes.Object:
        self.advance()
        before, self.allows_in = self.allows_in, True
        properties: list[Any] = []
        while not self.accept("}"):
            properties.append(nodes.Spread(self.assignment()) if self.accept("...") else self._property())
            if not self.at("}"):
                self.expect(",")
        self.allows_in = before
        return nodes.Object(tuple(properties))

    def _property(self) -> Any:
        method = self.method("property", False)
        if method is not None:
            return method
        token = self.token
        key = self.key()
        if self.at("("):
            return self.finish_method(key, token.start, "property")
        if self.accept(":"):
            return nodes.Property("value", key, self.assignment())
        if token.type != "name":
            self.unexpected(token if token.type in {"keyword", "escaped"} else None)
        name = nodes.Name(token.value)
        self._check_shorthand(token)
        if self.accept("="):
            return nodes.CoverDefault(name, self.assignment())
        return nodes.Property("value", key, name)

    def _check_shorthand(self, token: Token) -> None:
        context = self.context
        is_reserved = (context.in_async and token.value == "await") or (context.in_generator and token.value == "yield")
        if is_reserved or (context.is_strict and token.value in STRICT_RESERVED):
            self.unexpected(token)

    # Properties of objects and classes

    def key(self) -> Any:
        """The name of a property."""
        token = self.token
        if token.type == "private":
            fail("Private names are not supported")
        if self.accept("["):
            key = self.with_in(self.assignment)
            self.expect("]")
            # So that a literal here is not taken for a name that is written out, which __proto__ cares about.
            return nodes.Sequence((key,))
        if token.type not in {"name", "keyword", "escaped", "string", "number"}:
            self.unexpected()
        return nodes.Literal(to_string(self.advance().value))

    def modifier(self, *words: str) -> str:
        """Read one of these words unless it is the name of a property itself."""
        token = self.token
        if token.type != "name" or token.value not in words:
            return ""
        following = self.peek()
        if following.type == "end" or (following.type == "punctuator" and following.value in _ENDS_KEY):
            return ""
        if token.value == "async" and following.after_newline:
            return ""
        self.advance()
        word: str = token.value
        return word

    def method(self, super_: str, is_static: bool) -> nodes.Property | None:
        """A getter, a setter, or an async or generator method; None if there is none."""
        start = self.token.start
        word = self.modifier("get", "set", "async")
        is_generator = word in {"", "async"} and self.accept("*")
        if not word and not is_generator:
            return None
        key = self.key()
        if word in {"", "async"}:
            return self.finish_method(key, start, super_, is_static, word == "async", is_generator)
        name = key.value if isinstance(key, nodes.Literal) else ""
        function = self.function(f"{word} {name}", "method", start, super_=super_)
        if word == "get" and function.parameters:
            fail("Getter must not have any formal parameters.")
        if word == "set" and (len(function.parameters) != 1 or isinstance(function.parameters[0], nodes.Rest)):
            fail("Setter must have exactly one formal parameter.")
        return nodes.Property(word, key, function, is_static)

    def finish_method(
        self,
        key: Any,
        start: int,
        super_: str,
        is_static: bool = False,
        is_async: bool = False,
        is_generator: bool = False,
    ) -> nodes.Property:
        """A method after its name."""
        name = key.value if isinstance(key, nodes.Literal) else ""
        function = self.function(
            name, "method", start, super_=super_, is_async=is_async, is_generator=is_generator
        )
        return nodes.Property("method", key, function, is_static)

    # Functions

    def function_expression(self, start: int = -1, *, is_async: bool = False) -> nodes.Function:
        """function name() {}, named or not."""
        start = self.token.start if start < 0 else start
        self.advance()
        is_generator = self.accept("*")
        name = ""
        if not self.at("("):
            before = self.context
            self.context = before._replace(in_generator=is_generator, in_async=is_async)
            name = to_pattern(self.identifier(), True, self.context.is_strict).name
            self.context = before
        return self.function(
            name, "function", start, is_async=is_async, is_generator=is_generator, is_expression=bool(name)
        )

    def function(
        self,
        name: str,
        kind: str,
        start: int,
        *,
        super_: str = "",
        is_async: bool = False,
        is_generator: bool = False,
        is_expression: bool = False,
    ) -> nodes.Function:
        """A function from its parameters on."""
        if is_async and is_generator:
            fail("Async generators are not supported")
        before = self.context
        self.context = Context(before.is_strict, True, is_generator, is_async, super_)
        self.expect("(")
        items, _ = self.with_in(lambda: self._items(")", "missing ) after formal parameters"))
        found = self._finish_function(name, kind, start, items)
        self.context = before
        return found._replace(is_async=is_async, is_generator=is_generator, is_expression=is_expression)

    def _finish_function(self, name: str, kind: str, start: int, items: Any) -> nodes.Function:
        """A function after its parameters, in its own context."""
        self.functions += 1
        if self.at("{"):
            is_simple = all(isinstance(item, nodes.Name) for item in items)
            body = self.with_in(lambda: self.function_body(is_simple))
        else:
            body = (nodes.Return(self.assignment()),)
        is_strict = self.context.is_strict
        parameters = to_patterns(items, True, is_strict, "Rest parameter must be last formal parameter")
        return nodes.Function(name, parameters, body, kind, self.text[start : self.end], is_strict)

    def _arrow(self, left: Any, start: Token) -> nodes.Function:
        is_async = start.type == "name" and start.value == "async" and isinstance(left, nodes.Call)
        is_async = is_async and isinstance(left.callee, nodes.Name)
        if isinstance(left, nodes.Group):
            items = left.items
        elif is_async and not left.is_optional:
            items = left.arguments
        elif isinstance(left, nodes.Name) and id(left) not in self.grouped and left != nodes.THIS:
            items = (left,)
        else:
            fail("Malformed arrow function parameter list")
        if self.token.after_newline:
            self.unexpected()
        self.advance()
        before = self.context
        self.context = before._replace(in_function=True, in_generator=False, in_async=is_async)
        found = self._finish_function("", "arrow", start.start, items)
        self.context = before
        return found._replace(is_async=is_async)

    def function_body(self, is_simple: bool) -> tuple[Any, ...]:
        """Statements in braces. The other half of the parser does it."""
        raise NotImplementedError

    def class_expression(self) -> nodes.Class:
        """A class. The other half of the parser does it."""
        raise NotImplementedError

    _PRIMARIES: Final[dict[str, Any]] = {
        "this": _this,
        "super": _super,
        "import": _import,
        "/": _regexp,
        "/=": _regexp,
        "(": _group,
        "[": _array,
        "{": _object,
        "function": lambda self: self.function_expression(),
        "class": lambda self: self.class_expression(),
    }

