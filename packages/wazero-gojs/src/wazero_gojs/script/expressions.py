"""The parser's part for operators and functions by arrows. Spec: ECMA-262, 13.4 to 13.16 and 15.3."""

from __future__ import annotations

from typing import Any, Final

from . import nodes
from .lexer import Token, fail
from .patterns import to_pattern
from .primaries import PrimaryParser
from .reader import WORDS

_LEVELS: Final = (
    "??", "||", "&&", "|", "^", "&", "== != === !==", "< > <= >= in instanceof", "<< >> >>>", "+ -", "* / %", "**",
)  # fmt: skip
_PRECEDENCE: Final = {operator: level for level, row in enumerate(_LEVELS, 1) for operator in row.split()}
_POWER: Final = _PRECEDENCE["**"]
_PREFIXES: Final = frozenset(["-", "+", "!", "~", "typeof", "void", "delete"])
_ASSIGNMENTS: Final = frozenset(
    ["=", "+=", "-=", "*=", "/=", "%=", "**=", "<<=", ">>=", ">>>=", "&=", "|=", "^=", "&&=", "||=", "??="]
)
_ENDS_YIELD: Final = frozenset([")", "]", "}", ",", ";", ":", "in", "of"])


class ExpressionParser(PrimaryParser):
    """Reads whole expressions."""

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
        self.descend()
        start = self.token
        found: Any
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
        if token.after_newline or token.type == "end" or (token.type in WORDS and token.value in _ENDS_YIELD):
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
        while self.token.type in WORDS and (level := _PRECEDENCE.get(self.token.value, 0)) > minimum:
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
            is_logical = isinstance(side, nodes.Logical) and id(side) not in self.grouped
            if is_logical and (operator == "??") != (side.operator == "??"):
                if side is left:
                    self.unexpected(token)
                fail(f"Unexpected token '{side.operator}'")

    def _unary(self) -> Any:
        token = self.token
        if token.type not in WORDS:
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
        self.descend()
        found = self._unary()
        self.depth -= 1
        return found

    def _postfix(self) -> Any:
        target = self.left_hand_side()
        if self.token.type == "punctuator" and self.token.value in {"++", "--"} and not self.token.after_newline:
            self.check_target(target, "Invalid left-hand side expression in postfix operation")
            return nodes.Update(self.advance().value, False, target)
        return target

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
        found = self.finish_function("", "arrow", start.start, items)
        self.context = before
        return found._replace(is_async=is_async)
