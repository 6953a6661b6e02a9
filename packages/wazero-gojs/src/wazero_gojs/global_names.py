"""Which globals there are, and the module that makes each: a function ``make(realm, name)``."""

from __future__ import annotations

from typing import Final

_BY_MODULE: Final = {
    "builtins.objects": "Object",
    "builtins.function": "Function",
    "builtins.array": "Array",
    "builtins.error": "Error EvalError RangeError ReferenceError SyntaxError TypeError URIError AggregateError",
    "builtins.symbol": "Symbol",
    "builtins.string": "String",
    "builtins.number": "Number BigInt Boolean NaN Infinity undefined parseInt parseFloat isNaN isFinite",
    "builtins.math": "Math",
    "builtins.json": "JSON",
    "builtins.date": "Date",
    "builtins.collections": "Map Set WeakMap WeakSet WeakRef FinalizationRegistry",
    "builtins.promise": "Promise queueMicrotask",
    "builtins.buffers": (
        "ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array "
        "Float32Array Float64Array BigInt64Array BigUint64Array"
    ),
    "builtins.reflect": "Reflect Proxy",
    "builtins.regexp": "RegExp",
    "builtins.uri": "encodeURIComponent decodeURIComponent encodeURI decodeURI escape unescape",
    "script.evaluate": "eval",
    "web.console": "console",
    "web.timers": "setTimeout clearTimeout setInterval clearInterval setImmediate clearImmediate",
    "web.performance": "performance",
    "web.crypto": "crypto",
    "web.text": "TextEncoder TextDecoder atob btoa",
    "web.abort": "AbortController AbortSignal Event EventTarget DOMException",
    "web.url": "URL URLSearchParams",
    "node.fs": "fs",
    "node.path": "path",
    "node.process": "process",
}

GLOBALS: Final = {name: module for module, names in _BY_MODULE.items() for name in names.split()}
"""The module of each global, by its name."""

FETCH: Final = dict.fromkeys(("fetch", "Headers", "Request", "Response", "ReadableStream"), "web.fetch")
"""Only there if the program was given a round tripper: Go's net/http looks whether `fetch` exists."""
