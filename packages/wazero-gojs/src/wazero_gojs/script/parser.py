"""The parser: statements and declarations. Spec: ECMA-262, 14 and 16."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, final

from . import nodes
from .expressions import ExpressionParser
from .lexer import fail
from .patterns import names_of, to_pattern
from .reader import Context

_DIRECTIVE_LENGTH: Final = len("'use strict'")


def parse_script(text: str, poll: Callable[[], None]) -> nodes.Script:
    """The tree of a script. Throws a SyntaxError. Calls `poll` now and then, see `Realm.poll`."""
    parser = Parser(text, Context(), poll)
    body = parser.directives("end")
    if parser.token.type != "end":
        parser.unexpected()
    return nodes.Script(body, parser.context.is_strict)


@final
class Parser(ExpressionParser):
    """Of one text."""

    def directives(self, end: str, is_simple: bool = True) -> tuple[Any, ...]:
        """Statements up to `end`, of which the first may be directives."""
        body: list[Any] = []
        while self.token.type == "string":
            token = self.token
            body.append(self.statement())
            is_directive = body[-1] == nodes.ExpressionStatement(nodes.Literal(token.value))
            if not is_directive or token.value != "use strict" or token.end - token.start != _DIRECTIVE_LENGTH:
                continue
            if not is_simple:
                fail("Illegal 'use strict' directive in function with non-simple parameter list")
            self.context = self.context._replace(is_strict=True)
        return (*body, *self._statements(end))

    def _statements(self, end: str) -> list[Any]:
        body = []
        while self.token.type != "end" and not self.at(end):
            body.append(self.item())
        return body

    def item(self) -> Any:
        """A statement or declaration."""
        token = self.token
        if self.at("function") or (self.at("async") and self._is_async_function()):
            return self._function_declaration()
        if self.at("class"):
            following = self.peek()
            if following.type != "name":
                self.unexpected(following)
            return nodes.ClassDeclaration(self.class_expression())
        if self.at("const") or (self.at("let") and self._is_let()):
            declaration = self.declaration(token.value)
            self.semicolon()
            return declaration
        return self.statement()

    def _is_async_function(self) -> bool:
        following = self.peek()
        return following.type == "keyword" and following.value == "function" and not following.after_newline

    def _is_let(self) -> bool:
        following = self.peek()
        return following.type == "name" or following.value in {"[", "{"}

    def statement(self) -> Any:
        """A statement that is no declaration."""
        self.descend()
        parse = self._STATEMENTS.get(self.token.value) if self.token.type in {"keyword", "punctuator"} else None
        found = parse(self) if parse is not None else self._expression_statement()
        self.depth -= 1
        return found

    def _body(self) -> Any:
        """What a loop or condition controls."""
        if self.at("class") or self.at("const"):
            self.unexpected()
        if self.at("let") and self._is_let() and not (self.peek().after_newline and self.peek().type == "name"):
            fail("Lexical declaration cannot appear in a single-statement context")
        return self.statement()

    def semicolon(self) -> None:
        """The end of a statement, which may be left out before a brace or on a new line."""
        if not self.accept(";") and not self.at("}") and not self.token.after_newline and self.token.type != "end":
            self.unexpected()

    # Declarations

    def declaration(self, kind: str, *, in_for: bool = False) -> nodes.Declaration:
        """var, let or const without its end; in the head of a loop, values may be missing."""
        self.advance()
        pairs: list[tuple[Any, Any]] = []
        while True:
            target = self.binding()
            if kind != "var" and "let" in names_of(target):
                fail("let is disallowed as a lexically bound name")
            value = self.assignment() if self.accept("=") else None
            is_for_each = in_for and (self.at("of") or self.at("in"))
            if value is None and not is_for_each and not isinstance(target, nodes.Name):
                fail("Missing initializer in destructuring declaration")
            if value is None and not is_for_each and kind == "const":
                fail("Missing initializer in const declaration")
            pairs.append((target, value))
            if not self.accept(","):
                return nodes.Declaration(kind, tuple(pairs))

    def binding(self) -> Any:
        """A name or pattern of variables."""
        is_pattern = self.at("[") or self.at("{")
        found = self.left_hand_side() if is_pattern else self.identifier()
        return to_pattern(found, True, self.context.is_strict)

    def _function_declaration(self) -> nodes.FunctionDeclaration:
        start = self.token.start
        is_async = self.accept("async")
        function = self.function_expression(start, is_async=is_async, needs_name=True)
        return nodes.FunctionDeclaration(function._replace(is_expression=False))

    def function_body(self, is_simple: bool) -> tuple[Any, ...]:
        self.expect("{")
        body = self.directives("}", is_simple)
        is_strict = self.context.is_strict
        # What comes after the brace belongs to the code around, which may allow more.
        self.context = self.context._replace(is_strict=False)
        self.expect("}")
        self.context = self.context._replace(is_strict=is_strict)
        return body

    def class_expression(self) -> nodes.Class:
        start = self.token.start
        before = self.context
        self.context = before._replace(is_strict=True)
        self.advance()
        self.functions += 1
        name = "" if self.at("{") or self.at("extends") else self.identifier().name
        parent = self.left_hand_side() if self.accept("extends") else None
        self.expect("{")
        constructor = None
        members: list[nodes.Property] = []
        while not self.accept("}"):
            if self.accept(";"):
                continue
            member = self._class_member(parent is not None)
            if member.kind == "constructor":
                if constructor is not None:
                    fail("A class may only have one constructor")
                constructor = member.value
            else:
                members.append(member)
        self.context = before
        return nodes.Class(name, parent, constructor, tuple(members), self.text[start : self.end])

    def _class_member(self, is_derived: bool) -> nodes.Property:
        start = self.token.start
        is_static = bool(self.modifier("static"))
        if is_static and self.at("{"):
            fail("Static blocks are not supported")
        member = self.method("property", is_static)
        if member is None:
            key = self.key()
            if not self.at("("):
                return self._field(key, is_static)
            if key == nodes.Literal("constructor") and not is_static:
                kind, super_ = ("derived", "call") if is_derived else ("constructor", "property")
                return nodes.Property("constructor", key, self.function("", kind, start, super_=super_))
            member = self.finish_method(key, start, "property", is_static)
        if member.key == nodes.Literal("constructor") and not is_static:
            function = member.value
            kind = "a generator" if function.is_generator else "an async method" if function.is_async else "an accessor"
            fail(f"Class constructor may not be {kind}")
        if member.key == nodes.Literal("prototype") and is_static:
            fail("Classes may not have a static property named 'prototype'")
        return member

    def _field(self, key: Any, is_static: bool) -> nodes.Property:
        if key in (nodes.Literal("constructor"), nodes.Literal("prototype")):
            fail(f"Classes may not have a field named '{key.value}'")
        before = self.context
        self.context = Context(True, True, super_="property")
        start = self.token.start
        value = self.assignment() if self.accept("=") else nodes.Unary("void", nodes.Literal(0))
        source = self.text[start : self.end]
        self.context = before
        self.semicolon()
        # A field's value is computed as if it were the body of a method.
        function = nodes.Function("", (), (nodes.Return(value),), "method", source, True)
        return nodes.Property("field", key, function, is_static)

    # Statements

    def block(self) -> nodes.Block:
        """{…}."""
        before = self.functions
        self.expect("{")
        body = self._statements("}")
        self.expect("}")
        return nodes.Block(tuple(body), self.functions != before)

    def _empty(self) -> nodes.Block:
        self.advance()
        return nodes.Block((), False)

    def _var(self) -> nodes.Declaration:
        found = self.declaration("var")
        self.semicolon()
        return found

    def _head(self) -> Any:
        self.expect("(")
        found = self.expression()
        self.expect(")")
        return found

    def _if(self) -> nodes.If:
        self.advance()
        test = self._head()
        yes = self._branch()
        return nodes.If(test, yes, self._branch() if self.accept("else") else None)

    def _branch(self) -> Any:
        if not self.context.is_strict and self.at("function"):  # allowed by B.3.3
            return nodes.Block((self._function_declaration(),), True)
        return self._body()

    def _while(self) -> nodes.While:
        self.advance()
        return nodes.While(self._head(), self._body())

    def _do(self) -> nodes.DoWhile:
        self.advance()
        body = self._body()
        self.expect("while")
        test = self._head()
        self.accept(";")
        return nodes.DoWhile(body, test)

    def _for(self) -> nodes.For | nodes.ForEach:
        self.advance()
        before = self.functions
        if self.at("await"):
            fail("for await is not supported")
        self.expect("(")
        self.allows_in = False
        start = self._for_start()
        self.allows_in = True
        if self.at("of") or self.at("in"):
            return self._for_each(start, before)
        self.expect(";")
        test = None if self.at(";") else self.expression()
        self.expect(";")
        update = None if self.at(")") else self.expression()
        self.expect(")")
        return nodes.For(start, test, update, self._body(), self.functions != before)

    def _for_start(self) -> Any:
        if self.at(";"):
            return None
        if self.at("var") or self.at("const") or (self.at("let") and self._is_let()):
            return self.declaration(self.token.value, in_for=True)
        return self.expression()

    def _for_each(self, start: Any, before: int) -> nodes.ForEach:
        word = self.advance().value
        if isinstance(start, nodes.Declaration):
            kind, ((target, initial), *others) = start
            if others:
                fail(f"Invalid left-hand side in for-{word} loop: Must have a single binding.")
            if initial is not None:
                fail(f"for-{word} loop variable declaration may not have an initializer.")
        else:
            kind = ""
            if not isinstance(start, (nodes.Array, nodes.Object)):
                self.check_target(start, "Invalid left-hand side in for-loop")
            target = to_pattern(start, False, self.context.is_strict)
        value = self.expression() if word == "in" else self.assignment()
        self.expect(")")
        return nodes.ForEach(word, kind, target, value, self._body(), self.functions != before)

    def _jump(self) -> nodes.Jump:
        word = self.advance().value
        has_label = self.token.type == "name" and not self.token.after_newline
        label = self.identifier().name if has_label else None
        self.semicolon()
        return nodes.Jump(word, label)

    def _return(self) -> nodes.Return:
        if not self.context.in_function:
            fail("Illegal return statement")
        self.advance()
        is_empty = self.at(";") or self.at("}") or self.token.after_newline or self.token.type == "end"
        value = None if is_empty else self.expression()
        self.semicolon()
        return nodes.Return(value)

    def _throw(self) -> nodes.Throw:
        self.advance()
        if self.token.after_newline:
            fail("Illegal newline after throw")
        value = self.expression()
        self.semicolon()
        return nodes.Throw(value)

    def _try(self) -> nodes.Try:
        self.advance()
        block = self.block()
        parameter = handler = finalizer = None
        if self.accept("catch"):
            if self.accept("("):
                parameter = self.binding()
                self.expect(")")
            handler = self.block()
        if self.accept("finally"):
            finalizer = self.block()
        if handler is None and finalizer is None:
            fail("Missing catch or finally after try")
        return nodes.Try(block, parameter, handler, finalizer)

    def _switch(self) -> nodes.Switch:
        self.advance()
        value = self._head()
        before = self.functions
        self.expect("{")
        cases: list[tuple[Any, tuple[Any, ...]]] = []
        while not self.accept("}"):
            if self.accept("default"):
                if any(test is None for test, _ in cases):
                    fail("More than one default clause in switch statement")
                test = None
            else:
                self.expect("case")
                test = self.expression()
            self.expect(":")
            body = []
            while self.token.type != "end" and not (self.at("case") or self.at("default") or self.at("}")):
                body.append(self.item())
            cases.append((test, tuple(body)))
        return nodes.Switch(value, tuple(cases), self.functions != before)

    def _debugger(self) -> nodes.Block:
        self.advance()
        self.semicolon()
        return nodes.Block((), False)

    def _with(self) -> Any:
        if self.context.is_strict:
            fail("Strict mode code may not include a with statement")
        fail("with statements are not supported")

    def _expression_statement(self) -> Any:
        if self.token.type == "name" and self.peek().value == ":" and self.peek().type == "punctuator":
            label = self.identifier().name
            self.advance()
            if not self.at("function") or self.context.is_strict:
                return nodes.Labelled(label, self._body())
            declaration = self._function_declaration()
            if declaration.function.is_generator:
                fail("Generators can only be declared at the top level or inside a block.")
            return nodes.Labelled(label, declaration)
        if self.at("function"):
            fail(
                "In strict mode code, functions can only be declared at top level or inside a block."
                if self.context.is_strict
                else "In non-strict mode code, functions can only be declared at top level, inside a block, "
                "or as the body of an if statement."
            )
        expression = self.expression()
        self.semicolon()
        return nodes.ExpressionStatement(expression)

    _STATEMENTS: Final[dict[str, Any]] = {
        "{": block,
        ";": _empty,
        "var": _var,
        "if": _if,
        "while": _while,
        "do": _do,
        "for": _for,
        "break": _jump,
        "continue": _jump,
        "return": _return,
        "throw": _throw,
        "try": _try,
        "switch": _switch,
        "debugger": _debugger,
        "with": _with,
    }
