"""The parser's part for what operators work on: literals, objects, functions, members, calls. Spec: ECMA-262, 13.2, 13.3."""

from __future__ import annotations

from typing import Any, Final, NoReturn

from wazero_gojs.model.values import to_string

from . import nodes
from .lexer import STRICT_RESERVED, Token, fail
from .patterns import to_pattern, to_patterns
from .reader import WORDS, Context, TokenReader

_ENDS_KEY: Final = frozenset(["(", ",", ":", "=", "}", ";"])
"""What follows the name of a property; so before it, get, set, static and async are names themselves."""
_REGEXP_FLAGS: Final = frozenset("dgimsuyv")
_CONSTANTS: Final = {"null": None, "true": True, "false": False}


class PrimaryParser(TokenReader):
    """Reads what comes first. What it needs of the rest, its subclasses define."""

    def function_body(self, is_simple: bool) -> tuple[Any, ...]:
        """Statements in braces."""
        raise NotImplementedError

    def class_expression(self) -> nodes.Class:
        """A class."""
        raise NotImplementedError

    def expression(self) -> Any:
        """Anything, commas included."""
        raise NotImplementedError

    def assignment(self) -> Any:
        """Anything without commas."""
        raise NotImplementedError

    # Members and calls

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
                if self.token.type == "template":
                    fail("Invalid tagged template on optional chain")
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
        self.descend()
        callee = self._suffixes(self._new() if self.at("new") else self._primary(), False)
        self.depth -= 1
        if self.at("?."):
            fail("Invalid optional chain from new expression")
        return nodes.New(callee, self._arguments() if self.at("(") else ())

    def _arguments(self) -> tuple[Any, ...]:
        self.advance()
        items, _, _ = self.with_in(lambda: self._items(")", "missing ) after argument list"))
        return items

    def _items(self, end: str, message: str = "") -> tuple[tuple[Any, ...], bool, Token]:
        """Expressions and spreads up to a bracket; whether there was a comma before that; the bracket."""
        items: list[Any] = []
        has_trailing_comma = False
        while not self.at(end):
            items.append(nodes.Spread(self.assignment()) if self.accept("...") else self.assignment())
            has_trailing_comma = self.at(",")
            if not self.accept(",") and not self.at(end):
                self.expect(end, message)
        return tuple(items), has_trailing_comma, self.advance()

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
        if token.type not in WORDS:
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
        self.token = self.lexer.regexp(self.token)
        pattern, flags = self.advance().value
        if len(set(flags)) < len(flags) or not set(flags) <= _REGEXP_FLAGS:
            fail("Invalid regular expression flags")
        return nodes.RegExp(pattern, flags)

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
            self.token = self.lexer.template_after(self.token)

    def _group(self) -> Any:
        self.advance()
        items, has_trailing_comma, bracket = self.with_in(lambda: self._items(")"))
        if self.at("=>"):
            return nodes.Group(items)
        if not items or has_trailing_comma or any(isinstance(item, nodes.Spread) for item in items):
            self.unexpected(bracket)
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
        function = self.function(name, "method", start, super_=super_, is_async=is_async, is_generator=is_generator)
        return nodes.Property("method", key, function, is_static)

    # Functions

    def function_expression(
        self, start: int = -1, *, is_async: bool = False, needs_name: bool = False
    ) -> nodes.Function:
        """Function name() {}, named or not."""
        start = self.token.start if start < 0 else start
        self.advance()
        is_generator = self.accept("*")
        name = ""
        if needs_name and self.at("("):
            fail("Function statements require a function name")
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
        items, _, _ = self.with_in(lambda: self._items(")", "missing ) after formal parameters"))
        found = self.finish_function(name, kind, start, items)
        self.context = before
        return found._replace(is_async=is_async, is_generator=is_generator, is_expression=is_expression)

    def finish_function(self, name: str, kind: str, start: int, items: Any) -> nodes.Function:
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
