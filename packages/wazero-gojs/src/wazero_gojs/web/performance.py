"""performance: high resolution time."""

from __future__ import annotations

from typing import Any, Final

from wazero_gojs.model.object import Args
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import SYMBOL_TO_STRING_TAG, number_of

_MILLISECOND: Final = 1_000_000


def make(realm: Realm, name: str) -> Any:
    """The global performance. Its time starts when it is first used, at 0."""
    system = realm.host.system
    start: int = system.nanotime()
    origin = number_of(system.walltime() / _MILLISECOND)
    table = Table()
    table.constant(SYMBOL_TO_STRING_TAG, "Performance", 4)

    @table.method("now")
    def now(realm: Realm, this: Any, args: Args) -> Any:
        return number_of((realm.host.system.nanotime() - start) / _MILLISECOND)

    @table.getter("timeOrigin")
    def time_origin(realm: Realm, this: Any, args: Args) -> Any:
        return origin

    @table.method("toJSON")
    def to_json(realm: Realm, this: Any, args: Args) -> Any:
        return realm.new_object({"timeOrigin": origin})

    return realm.new_namespace(table, "Performance")
