"""Scripts of WebAssembly 3.0 cut back to what WebAssembly 2.0 has.

Some files about core features gained a few lines of later features in the very module that all their assertions use:
an engine of 2.0 could run next to nothing of them. The edits here take these lines out, or read a typed function
reference as the ``funcref`` that it was before; what is asserted stays. Commands that still need more are counted as such.
"""

from __future__ import annotations

import re
from typing import Final

_TYPED_REFERENCES: Final = (r"\(ref (?:null )?(?:\$t|func)\)", "funcref")
_TYPED_NULLS: Final = (r"ref\.null \$t", "ref.null func")
_TAGS: Final = (r'^ *\((?:tag |export "tag|import "test" "tag).*$', "")

_EDITS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "br_table.wast": (_TYPED_REFERENCES, _TYPED_NULLS),
    "imports.wast": (_TAGS,),
    "ref_is_null.wast": (_TYPED_REFERENCES, _TYPED_NULLS),
    "unreached-valid.wast": ((r"\(call_ref \$t\)", "(drop) (i32.const 0)"),),
}
"""By file: a pattern over the text, and what stands in its place."""


def cut_back(text: str, name: str) -> str:
    """The text of the script `name` as an engine of WebAssembly 2.0 can run it.

    Raises ValueError if an edit finds nothing to do, as it would after an update of the suite.
    """
    for pattern, replacement in _EDITS.get(name, ()):
        text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
        if not count:
            raise ValueError(f"{name} has no {pattern!r} any more")
    return text
