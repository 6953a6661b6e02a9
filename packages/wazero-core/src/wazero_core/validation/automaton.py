"""The automaton of one module: its trie of states, and the memory of what tokens and block types mean."""

from __future__ import annotations

from typing import Final, final

from wazero_api import BY_NAME, CoreFeatures, FunctionType, InvalidModuleError, ValueType
from wazero_api.record import record
from wazero_core.binary.instructions import decode_instruction

from .context import ModuleContext
from .operands import State
from .rules import Rule, rule_of

CONTROL: Final = {
    BY_NAME[name].code: name
    for name in ("unreachable", "block", "loop", "if", "else", "end", "br", "br_if", "br_table", "return")
}
"""Instructions that `body` handles, by opcode byte."""

LOCALS: Final = {BY_NAME[name].code: name for name in ("local.get", "local.set", "local.tee")}
"""Instructions that depend on the function's locals: `body` turns nearly all into shapes beforehand."""

MAX_SIZE: Final = 500_000
"""States and transitions of one automaton; some 100 MB, and far above what a function of a compiler needs."""

_LOOP: Final = BY_NAME["loop"]
_SAFE_CONSTANTS: Final = {
    BY_NAME["i32.const"].code: (5, ValueType.I32),
    BY_NAME["i64.const"].code: (10, ValueType.I64),
}
"""Up to this many bytes the number cannot be out of range, whatever it is: no need to look at each of thousands."""
_I32_ONLY: Final = (ValueType.I32,)


@final
@record
class FrameShape:
    """What closes, leaves and follows one kind of control frame, as shapes; "" where nothing is to be done."""

    params: tuple[ValueType, ...]
    results: tuple[ValueType, ...]
    start: State
    """The operands that the frame begins with: its parameters."""
    takes: str
    """On the outside, before: pop the parameters."""
    gives: str
    """On the outside, after: push the results."""
    ends: str
    """On the inside, at the end: pop the results."""
    branch: str
    """At ``br``: pop what the label takes."""
    branch_if: str
    """At ``br_if``: pop the condition, look at what the label takes."""
    label_types: tuple[ValueType, ...]


@final
class Automaton:
    """Makes states and answers what they do not know yet; see `operands`."""

    __slots__ = (
        "_function_shapes",
        "_local_shapes",
        "_rules",
        "_shapes",
        "context",
        "dead",
        "frame_shapes",
        "live",
        "size",
    )

    def __init__(self, context: ModuleContext) -> None:
        self.context = context
        self.live = State(self, None, None, is_dead=False)
        self.dead = State(self, None, None, is_dead=True)
        self.size = 0
        """States made and transitions worked out: a measure of the memory in use."""
        self._rules: dict[bytes, Rule | None] = {}
        self._shapes: dict[str, tuple[tuple[ValueType, ...], tuple[ValueType, ...]]] = {}
        self.frame_shapes: dict[bytes, FrameShape] = {}
        """By the token of the opening instruction."""
        self._local_shapes: dict[ValueType, tuple[str, str, str]] = {}
        self._function_shapes: dict[int, tuple[FunctionType, FrameShape]] = {}
        """By the identity of the type, which hashes slowly, and is kept here so that its identity stays its own."""

    def shape(self, params: tuple[ValueType, ...], results: tuple[ValueType, ...]) -> str:
        """The key that pops `params` and pushes `results`."""
        key = f"{' '.join([t.name for t in params])} -> {' '.join([t.name for t in results])}"
        self._shapes[key] = (params, results)
        return key

    def local_shapes(self, type: ValueType) -> tuple[str, str, str]:
        """The keys of ``local.get``, ``local.set`` and ``local.tee`` for a local of `type`."""
        known = self._local_shapes.get(type)
        if known is None:
            one = (type,)
            known = self._local_shapes[type] = (self.shape((), one), self.shape(one, ()), self.shape(one, one))
        return known

    def step(self, state: State, key: bytes | str) -> State | None:
        """What `key` does to `state`. Raises InvalidModuleError if it must not stand there, or if this grew too large."""
        self.size += 1
        if self.size > MAX_SIZE:
            raise InvalidModuleError(
                "function is too complex: its operand stacks exceed a limit of this implementation"
            )
        if isinstance(key, str):
            return state.apply(*self._shapes[key])
        safe = _SAFE_CONSTANTS.get(key[0])
        if safe is not None and 1 < len(key) <= safe[0]:
            return state.push(safe[1])
        rule = self._rules.get(key, self)
        if rule is self:
            rule = self._rules[key] = self._rule(key)
        if rule is None:
            return None
        return state.apply(*rule) if isinstance(rule, tuple) else rule(state)  # type: ignore[operator]

    def _rule(self, token: bytes) -> Rule | None:
        instruction = decode_instruction(token)
        opcode = instruction.opcode
        if not opcode.prefix and (opcode.code in CONTROL or opcode.code in LOCALS):
            return None
        return rule_of(self.context, instruction)

    def frame_shape(self, token: bytes) -> FrameShape:
        """Of the frame that ``block``, ``loop`` or ``if`` opens."""
        known = self.frame_shapes.get(token)
        if known is None:
            opcode, (block_type,) = decode_instruction(token)
            params, results = self._block_type(block_type)
            label = params if opcode is _LOOP else results
            known = self.frame_shapes[token] = self._frame_shape(params, results, label)
        return known

    def function_shape(self, type: FunctionType) -> FrameShape:
        """Of the frame around a body."""
        known = self._function_shapes.get(id(type))
        if known is None:
            known = self._function_shapes[id(type)] = type, self._frame_shape((), type.results, type.results)
        return known[1]

    def _frame_shape(
        self, params: tuple[ValueType, ...], results: tuple[ValueType, ...], label: tuple[ValueType, ...]
    ) -> FrameShape:
        return FrameShape(
            params=params,
            results=results,
            start=self.live.apply((), params),
            takes=self.shape(params, ()) if params else "",
            gives=self.shape((), results) if results else "",
            ends=self.shape(results, ()) if results else "",
            branch=self.shape(label, ()) if label else "",
            branch_if=self.shape(label + _I32_ONLY, label),
            label_types=label,
        )

    def _block_type(self, block_type: ValueType | int | None) -> tuple[tuple[ValueType, ...], tuple[ValueType, ...]]:
        if block_type is None:
            return (), ()
        if isinstance(block_type, ValueType):
            self.context.check_value_type(block_type)
            return (), (block_type,)
        self.context.require(CoreFeatures.MULTI_VALUE, "block with a function type")
        if block_type >= len(self.context.types):
            raise InvalidModuleError(f"unknown type {block_type}")
        type = self.context.types[block_type]
        return type.params, type.results
