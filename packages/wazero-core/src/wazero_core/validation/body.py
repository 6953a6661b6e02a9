"""Checking one function body: the control frames, around the automaton that checks everything else (spec 3.4, 3.3).

`BodyChecker` only checks. `BodyRecorder` does the same and keeps what engines want to know: where blocks end, how often
their labels are used, which instructions cannot be reached.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate, repeat
from typing import Any, Final

from wazero_api import (
    BY_NAME,
    Block,
    FunctionBody,
    FunctionType,
    InvalidModuleError,
    MalformedModuleError,
    ModuleError,
    ValidatedBody,
    ValueType,
)
from wazero_core.binary.instructions import decode_instruction, tokenize

from .automaton import LOCALS, Automaton, FrameShape
from .operands import State

_SHORT_LOCAL_INDICES: Final = 1 << 14
"""Locals whose access tokens are prepared beforehand: those with an index of one or two bytes."""


def _leb(value: int) -> bytes:
    return bytes((value,)) if value < 0x80 else bytes((value & 0x7F | 0x80, value >> 7))


class LocalTokens:
    """The tokens that access locals, in order of the index, per instruction. Made as far as functions need."""

    def __init__(self) -> None:
        self._tokens: dict[int, list[bytes]] = {code: [] for code in LOCALS}
        self._by_type: dict[int, tuple[FunctionType, dict[bytes, str]]] = {}

    def keys(self, type: FunctionType, body: FunctionBody, automaton: Automaton) -> dict[bytes, str]:
        """From access tokens to shapes, for as many locals as `body` can have use for."""
        bound = min(_SHORT_LOCAL_INDICES, len(body.code))
        keys = self._param_keys(type, automaton).copy() if type.params else {}
        start = len(type.params)
        for count, local in body.locals:
            if start >= bound:
                break
            stop = min(start + count, bound)
            self._add(keys, local, start, stop, automaton)
            start = stop
        return keys

    def _param_keys(self, type: FunctionType, automaton: Automaton) -> dict[bytes, str]:
        """Kept by the identity of the type, since functions of one type can be many and its parameters, too."""
        known = self._by_type.get(id(type))
        if known is None:
            keys: dict[bytes, str] = {}
            for index, param in enumerate(type.params):
                self._add(keys, param, index, index + 1, automaton)
            known = self._by_type[id(type)] = type, keys
        return known[1]

    def _add(self, keys: dict[bytes, str], type: ValueType, start: int, stop: int, automaton: Automaton) -> None:
        for code, shape in zip(LOCALS, automaton.local_shapes(type), strict=True):
            keys.update(zip(self._upto(code, stop)[start:stop], repeat(shape)))

    def _upto(self, code: int, stop: int) -> list[bytes]:
        tokens = self._tokens[code]
        tokens.extend([bytes((code,)) + _leb(index) for index in range(len(tokens), stop)])
        return tokens


Frame = tuple[FrameShape, State, bool]
"""An open control frame: its shape, the outer state once it is closed, and whether an ``else`` may or must follow."""


class BodyChecker:
    """Checks one body after the other with the automaton of their module."""

    def __init__(self, automaton: Automaton, local_tokens: LocalTokens) -> None:
        self.automaton = automaton
        self._local_tokens = local_tokens
        self._dead = automaton.dead
        self._frames: list[Frame] = []
        self._type = FunctionType((), ())
        self._body = FunctionBody((), b"", 0)
        self._local_ends: list[int] | None = None
        """How many locals there are up to each run of them; made when needed."""
        self._keys: Any = iter(())
        self._count = 0
        self._control: dict[int, Callable[[bytes, State], State]] = {
            BY_NAME[name].code: handler
            for name, handler in {
                "unreachable": self._unreachable,
                "block": self._block,
                "loop": self._block,
                "if": self._if,
                "else": self._else,
                "end": self._end,
                "br": self._br,
                "br_if": self._br_if,
                "br_table": self._br_table,
                "return": self._return,
                "local.get": self._long_local,
                "local.set": self._long_local,
                "local.tee": self._long_local,
            }.items()
        }

    def check(self, type: FunctionType, body: FunctionBody) -> list[bytes]:
        """The body's tokens, if it is valid.

        Raises InvalidModuleError or MalformedModuleError, with the offset of the instruction.
        """
        try:
            tokens = tokenize(body.code)
        except MalformedModuleError as error:
            raise MalformedModuleError(error.message, body.offset + (error.offset or 0)) from None
        self._type, self._body, self._local_ends = type, body, None
        get_key = self._local_tokens.keys(type, body, self.automaton).get
        keys = self._keys = iter([*map(get_key, tokens, tokens)])
        self._count = len(tokens)
        shape = self.automaton.function_shape(type)
        self._frames = [(shape, _AFTER_END, False)]
        state = shape.start
        control = self._control
        key: Any
        try:
            for key in keys:
                following = state[key]
                if following is None:
                    following = control[key[0]](key, state)
                state = following
        except ModuleError as error:
            position = self._position()
            offset = body.offset + sum(map(len, tokens[:position]))
            raise error.__class__(error.message, offset + (error.offset or 0)) from None
        if state is not _AFTER_END:
            raise MalformedModuleError(
                "END opcode expected: the body ends inside a block", body.offset + len(body.code)
            )
        return tokens

    def _position(self) -> int:
        """Of the token at hand, counted from the body's start."""
        return self._count - 1 - int(self._keys.__length_hint__())

    # Control instructions: from the token and the state before it to the state after it.

    def _unreachable(self, token: bytes, state: State) -> State:
        return self._dead

    def _block(self, token: bytes, state: State, is_if: bool = False) -> State:
        shape = self.automaton.frame_shapes.get(token) or self.automaton.frame_shape(token)
        if shape.takes:
            state = _follow(state, shape.takes)
        self._frames.append((shape, _follow(state, shape.gives) if shape.gives else state, is_if))
        return shape.start

    def _if(self, token: bytes, state: State) -> State:
        return self._block(token, state.take(ValueType.I32), is_if=True)

    def _close(self, state: State) -> Frame:
        """The innermost frame, taken off, if its results are on the stack and nothing else is."""
        frame = self._frames.pop()
        ends = frame[0].ends
        final = _follow(state, ends) if ends else state
        if final.below is not None:
            raise InvalidModuleError(
                f"type mismatch: {final.height} values remaining on the stack at the end of a block"
            )
        return frame

    def _else(self, token: bytes, state: State) -> State:
        shape, after, is_if = self._close(state)
        if not is_if:
            raise MalformedModuleError("else without if")
        self._frames.append((shape, after, False))
        return shape.start

    def _end(self, token: bytes, state: State) -> State:
        shape, after, is_if = self._close(state)
        if is_if and shape.params != shape.results:
            raise InvalidModuleError("type mismatch: if without else must give what it takes")
        return after

    def _label(self, depth: int) -> FrameShape:
        if depth >= len(self._frames):
            raise InvalidModuleError(f"unknown label {depth}")
        return self._frames[~depth][0]

    def _br(self, token: bytes, state: State) -> State:
        branch = self._label(self._depth(token)).branch
        if branch:
            _follow(state, branch)
        return self._dead

    def _br_if(self, token: bytes, state: State) -> State:
        return _follow(state, self._label(self._depth(token)).branch_if)

    def _depth(self, token: bytes) -> int:
        depth = token[1] if len(token) == 2 else 0x80
        return depth if depth < 0x80 else int(decode_instruction(token).immediates[0])

    def _br_table(self, token: bytes, state: State) -> State:
        labels = decode_instruction(token).immediates[0]
        state = state.take(ValueType.I32)
        arity = len(self._label(labels[-1]).label_types)
        for shape in {id(shape): shape for shape in map(self._label, set(labels))}.values():
            if len(shape.label_types) != arity:
                raise InvalidModuleError("type mismatch: the labels of br_table take different numbers of values")
            if shape.branch:
                _follow(state, shape.branch)
        return self._dead

    def _return(self, token: bytes, state: State) -> State:
        branch = self._frames[0][0].branch
        if branch:
            _follow(state, branch)
        return self._dead

    def _long_local(self, token: bytes, state: State) -> State:
        """An access whose token was not prepared: a high index, or one in a longer form than needed."""
        opcode, (index,) = decode_instruction(token)
        type = self._local_type(index)
        if type is None:
            raise InvalidModuleError(f"unknown local {index}")
        match opcode.name:
            case "local.get":
                return state.push(type)
            case "local.set":
                return state.take(type)
        return state.take(type).push(type)

    def _local_type(self, index: int) -> ValueType | None:
        params = self._type.params
        if index < len(params):
            return params[index]
        if self._local_ends is None:
            self._local_ends = list(accumulate(count for count, _ in self._body.locals))
        run = bisect_right(self._local_ends, index - len(params))
        return self._body.locals[run][1] if run < len(self._local_ends) else None


def _follow(state: State, shape: str) -> State:
    following = state[shape]
    assert following is not None, "only control tokens lead to None"
    return following


class _Nothing:
    """In the place of an automaton, for the one state that nothing follows."""

    size = 0

    def step(self, state: State, key: bytes | str) -> State:
        raise MalformedModuleError("unexpected instruction after the function's end")


_AFTER_END: Final = State(_Nothing(), None, None, is_dead=False)
"""The state behind a function's last ``end``."""


class BodyRecorder(BodyChecker):
    """A checker that also makes the `ValidatedBody`."""

    def record(self, type: FunctionType, body: FunctionBody) -> ValidatedBody:
        """Like `check`, and with the same errors."""
        self._blocks: dict[int, Block] = {}
        self._open = [_OpenBlock(0, True)]
        self._dead_ranges: list[tuple[int, int]] = []
        self._dead_since: int | None = None
        self._dead_depth = 0
        tokens = self.check(type, body)
        locals_ = (*type.params, *(t for count, t in body.locals for _ in range(count)))
        dead = tuple(self._dead_ranges)
        return ValidatedBody(type, locals_, tokens, body.offset, self._blocks, dead, self._branches_to_body)

    def _die(self) -> None:
        if self._dead_since is None:
            self._dead_since = self._position() + 1
            self._dead_depth = len(self._frames)

    def _revive(self) -> None:
        """At an ``else`` or ``end``: code behind it can be reached again if that was the frame where it died."""
        if self._dead_since is not None and len(self._frames) == self._dead_depth:
            position = self._position()
            if position > self._dead_since:
                self._dead_ranges.append((self._dead_since, position))
            self._dead_since = None

    def _count_branch(self, depth: int) -> None:
        if self._dead_since is None:
            self._open[~depth].branches += 1

    def _unreachable(self, token: bytes, state: State) -> State:
        self._die()
        return super()._unreachable(token, state)

    def _block(self, token: bytes, state: State, is_if: bool = False) -> State:
        self._open.append(_OpenBlock(self._position(), self._dead_since is None))
        return super()._block(token, state, is_if)

    def _else(self, token: bytes, state: State) -> State:
        self._revive()
        self._open[-1].alternative = self._position()
        return super()._else(token, state)

    def _end(self, token: bytes, state: State) -> State:
        self._revive()
        shape = self._frames[-1][0]
        block = self._open.pop()
        self._branches_to_body = block.branches
        if block.is_live and self._open:
            end = self._position()
            self._blocks[block.start] = Block(
                block.start, end, block.alternative, shape.params, shape.results, block.branches
            )
        return super()._end(token, state)

    def _br(self, token: bytes, state: State) -> State:
        state = super()._br(token, state)
        self._count_branch(self._depth(token))
        self._die()
        return state

    def _br_if(self, token: bytes, state: State) -> State:
        state = super()._br_if(token, state)
        self._count_branch(self._depth(token))
        return state

    def _br_table(self, token: bytes, state: State) -> State:
        state = super()._br_table(token, state)
        for depth in decode_instruction(token).immediates[0]:
            self._count_branch(depth)
        self._die()
        return state

    def _return(self, token: bytes, state: State) -> State:
        self._die()
        return super()._return(token, state)


class _OpenBlock:
    """A `Block` before its ``end`` is seen."""

    __slots__ = ("alternative", "branches", "is_live", "start")

    def __init__(self, start: int, is_live: bool) -> None:
        self.start = start
        self.is_live = is_live
        self.alternative: int | None = None
        self.branches = 0
