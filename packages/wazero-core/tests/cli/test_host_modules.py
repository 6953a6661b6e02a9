"""Host modules are found by entry point; only those that a guest imports are loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wazero_api import LinkError
from wazero_core import Runtime, RuntimeConfig
from wazero_core.cli.host_modules import instantiate_host_modules

Offer = Callable[..., None]


@pytest.fixture
def runtime() -> Runtime:
    return Runtime(RuntimeConfig.interpreter())


def maker(name: str) -> Callable[[Runtime], Any]:
    return lambda runtime: runtime.new_host_module_builder(name).instantiate()


def test_what_is_imported_is_made_and_nothing_else_is_loaded(runtime: Runtime, offer: Offer) -> None:
    offer("env", maker("env"))
    offer("broken", None, "missing")
    instantiate_host_modules(runtime, ["env", "env"])
    assert runtime.module("env") is not None


def test_a_module_that_is_there_already_is_left_alone(runtime: Runtime, offer: Offer) -> None:
    there = maker("env")(runtime)
    instantiate_host_modules(runtime, ["env"])
    assert runtime.module("env") is there


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("env", "unknown import: no installed package brings the host module 'env'"),
        (
            "wasi_snapshot_preview1",
            "unknown import: no installed package brings the host module 'wasi_snapshot_preview1'; `pip install wazero-wasi` does",
        ),
    ],
)
def test_a_missing_one_is_named_with_what_to_install(runtime: Runtime, offer: Offer, name: str, message: str) -> None:
    with pytest.raises(LinkError) as caught:
        instantiate_host_modules(runtime, [name])
    assert str(caught.value) == message


def test_one_that_cannot_be_loaded_is_a_link_error(runtime: Runtime, offer: Offer) -> None:
    offer("env", None, "missing")
    with pytest.raises(LinkError, match=r"'env' \(offered_host_modules:missing\) cannot be loaded: .*missing"):
        instantiate_host_modules(runtime, ["env"])


def test_two_of_one_name_are_both_named(runtime: Runtime, offer: Offer) -> None:
    offer("env", maker("env"), "first")
    offer("env", maker("env"), "second")
    with pytest.raises(LinkError, match=r"'env': offered_host_modules:first and offered_host_modules:second"):
        instantiate_host_modules(runtime, ["env"])


def test_the_same_one_twice_is_one(runtime: Runtime, offer: Offer) -> None:
    """As when a package is installed and on the path besides."""
    offer("env", maker("env"), "first")
    offer("env", maker("env"), "first")
    instantiate_host_modules(runtime, ["env"])
    assert runtime.module("env") is not None
