"""The five distributions agree with each other: pins, extras, licenses, changelogs, supported Pythons."""

from __future__ import annotations

import importlib
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("wazero-api", "wazero-core", "wazero-gojs", "wazero-jit", "wazero-wasi")
DEPENDENCIES = {
    "wazero-api": [],
    "wazero-core": ["wazero-api"],
    "wazero-gojs": ["wazero-api", "wazero-core"],
    "wazero-jit": ["wazero-api"],
    "wazero-wasi": ["wazero-api", "wazero-core"],
}
EXTRAS = {
    "jit": ["wazero-jit"],
    "wasi": ["wazero-wasi"],
    "gojs": ["wazero-gojs"],
    "all": ["wazero-jit", "wazero-wasi", "wazero-gojs"],
}


def project(package: str) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((ROOT / "packages" / package / "pyproject.toml").read_text("utf-8"))
    return table["project"]  # type: ignore[no-any-return]


def version(package: str) -> str:
    module = importlib.import_module(package.replace("-", "_"))
    return str(module.__version__)


def pins(packages: list[str]) -> list[str]:
    return [f"{package}=={version(package)}" for package in packages]


@pytest.mark.parametrize("package", PACKAGES)
def test_dependencies_are_the_allowed_siblings_at_their_exact_versions(package: str) -> None:
    assert project(package)["dependencies"] == pins(DEPENDENCIES[package])


def test_the_extras_of_core_pin_the_siblings() -> None:
    assert project("wazero-core")["optional-dependencies"] == {name: pins(extra) for name, extra in EXTRAS.items()}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_license_is_that_of_the_repository(package: str) -> None:
    assert (ROOT / "packages" / package / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize("package", PACKAGES)
def test_the_changelog_opens_with_the_version(package: str) -> None:
    changelog = (ROOT / "packages" / package / "CHANGELOG.md").read_text("utf-8")
    first = next(line for line in changelog.splitlines() if line.startswith("## "))
    assert first.startswith(f"## [{version(package)}]")


@pytest.mark.parametrize("package", PACKAGES)
def test_all_support_the_same_pythons(package: str) -> None:
    def pythons(name: str) -> list[str]:
        metadata = project(name)
        return [metadata["requires-python"], *(c for c in metadata["classifiers"] if ":: Python ::" in c)]

    assert pythons(package) == pythons("wazero-core")


@pytest.mark.parametrize("package", PACKAGES)
def test_the_package_says_that_it_is_typed(package: str) -> None:
    source = ROOT / "packages" / package / "src" / package.replace("-", "_")
    assert (source / "py.typed").is_file()
