"""A record is what a frozen, slotted dataclass is, to everybody who looks."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from typing import Any, ClassVar

import pytest

from wazero_api.record import record, replace


@record
class Point:
    """A place."""

    x: int
    y: int = 0
    origin: ClassVar[Point]

    @property
    def sum(self) -> int:
        return self.x + self.y


@record
class One:
    value: Any


@record
class Empty:
    pass


@record
class Loud:
    value: int

    def __repr__(self) -> str:
        return "LOUD"

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


@dataclasses.dataclass(frozen=True, slots=True)
class Model:
    """What `Point` should be like."""

    x: int
    y: int = 0


Model.__qualname__ = "Point"


@pytest.mark.parametrize("arguments", [(1,), (1, 2), ("a", None)])
def test_instances_are_like_those_of_a_dataclass(arguments: Any) -> None:
    made, model = Point(*arguments), Model(*arguments)
    assert (made.x, made.y) == (model.x, model.y)
    assert repr(made) == repr(model)
    assert hash(made) == hash(model)
    assert dataclasses.asdict(made) == dataclasses.asdict(model)  # type: ignore[call-overload]
    assert dataclasses.replace(made, y=9) == Point(arguments[0], 9)  # type: ignore[type-var]
    assert [field.name for field in dataclasses.fields(made)] == ["x", "y"]  # type: ignore[arg-type]


def test_keywords_and_defaults() -> None:
    assert Point(y=2, x=1) == Point(1, 2) != Point(1)
    assert str(inspect.signature(Point)) == str(inspect.signature(Model))


@pytest.mark.parametrize(("arguments", "keywords"), [((), {}), ((1, 2, 3), {}), ((1,), {"z": 2}), ((1,), {"x": 1})])
def test_wrong_calls(arguments: Any, keywords: Any) -> None:
    with pytest.raises(TypeError, match=r"__init__\(\)"):
        Point(*arguments, **keywords)


def test_equality_asks_for_the_same_class() -> None:
    assert Point(1, 2) != (1, 2)
    assert One(1) != Point(1)
    assert One(Point(1)) == One(Point(1))
    assert hash(One([1].__len__)) is not None
    with pytest.raises(TypeError, match="unhashable"):
        hash(One([]))
    assert Empty() == Empty()
    assert hash(Empty()) == hash(Empty())


@pytest.mark.parametrize("name", ["x", "z"])
def test_nothing_can_be_changed(name: str) -> None:
    point = Point(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match=name):
        setattr(point, name, 2)
    with pytest.raises(dataclasses.FrozenInstanceError, match=name):
        delattr(point, name)
    assert not hasattr(point, "__dict__")


def test_methods_of_its_own_stay() -> None:
    assert repr(Loud(1)) == "LOUD"
    assert Loud(1) == Loud(2)
    with pytest.raises(TypeError, match="unhashable"):
        hash(Loud(1))
    assert Point(1, 2).sum == 3
    assert Point.__doc__ == "A place."


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
@pytest.mark.parametrize("value", [Point(1, 2), One([1, 2]), Empty()])
def test_copies(duplicate: Any, value: Any) -> None:
    assert duplicate(value) == value


def test_replacing() -> None:
    assert replace(Point(1, 2), x=5) == Point(5, 2)
    with pytest.raises(TypeError, match="z"):
        replace(Point(1, 2), z=5)


def test_matching() -> None:
    match Point(1, 2):
        case Point(x, y):
            assert (x, y) == (1, 2)
        case _:
            pytest.fail("no match")


def test_class_variables_are_no_fields() -> None:
    Point.origin = Point(0)
    assert Point.__match_args__ == ("x", "y")  # type: ignore[attr-defined]


def test_importing_the_api_imports_no_dataclasses() -> None:
    import subprocess
    import sys

    code = "import sys, wazero_api; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "dataclasses" not in done.stdout.split()
