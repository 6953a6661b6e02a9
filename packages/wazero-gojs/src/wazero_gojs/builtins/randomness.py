"""Where random bytes come from."""

from __future__ import annotations

import os

from wazero_gojs.model.realm import Realm


def random_bytes(realm: Realm, count: int) -> bytes:
    """Bytes of the program's source; of the operating system for a realm that belongs to no program."""
    if realm.host is None:
        return os.urandom(count)
    found: bytes = realm.host.system.random(count)
    return found
