"""Instances and how they are linked (spec 4.5). Knows engines only by the Protocols of `wazero_api`."""

from .instantiation import Instantiation
from .linking import External

__all__ = ["External", "Instantiation"]
