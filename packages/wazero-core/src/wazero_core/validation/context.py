"""What the typing rules need to know of a module: its index spaces as flat lists (spec 3.1, "Contexts")."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, final

from wazero_api import (
    BY_NAME,
    CoreFeatures,
    Expression,
    ExternKind,
    InvalidModuleError,
    Module,
    ValueType,
)
from wazero_core.binary.instructions import decode_instruction, tokenize

SUPPORTED_FEATURES: Final = (
    CoreFeatures.BULK_MEMORY_OPERATIONS
    | CoreFeatures.MULTI_VALUE
    | CoreFeatures.MUTABLE_GLOBAL
    | CoreFeatures.NON_TRAPPING_FLOAT_TO_INT_CONVERSION
    | CoreFeatures.REFERENCE_TYPES
    | CoreFeatures.SIGN_EXTENSION_OPS
    | CoreFeatures.EXTENDED_CONST
    | CoreFeatures.MULTI_MEMORY
)
"""What this version can validate and run; asking for more enables nothing."""

_SHORTHAND_HEAPS: Final = (ValueType.FUNCREF.heap, ValueType.EXTERNREF.heap)


@final
class ModuleContext:
    """The index spaces of `module` under `features`. Raises InvalidModuleError if a type index is out of range."""

    __slots__ = (
        "data_count",
        "declared_functions",
        "elements",
        "features",
        "functions",
        "globals",
        "imported_global_count",
        "memories",
        "module",
        "tables",
        "types",
    )

    def __init__(self, module: Module, features: CoreFeatures) -> None:
        self.module = module
        self.features = features & SUPPORTED_FEATURES
        self.types = module.types
        for index in [*(item.type_index for item in module.imported(ExternKind.FUNCTION)), *module.functions]:
            self.check_index("type", index, len(module.types))
        self.functions = module.function_types()
        self.tables = module.table_types()
        self.memories = module.memory_types()
        self.globals = module.global_types()
        self.imported_global_count = len(self.globals) - len(module.globals)
        self.elements = [segment.type for segment in module.elements]
        self.data_count = module.data_count
        self.declared_functions = _declared_functions(module)

    def check_index(self, space: str, index: int, count: int) -> None:
        """Raise unless `index` lies in an index space of `count` items."""
        if index >= count:
            raise InvalidModuleError(f"unknown {space} {index}: the module has {count}")

    def require(self, feature: CoreFeatures, what: str) -> None:
        """Raise unless every bit of `feature` is enabled."""
        missing = feature & ~self.features
        if not missing:
            return
        if missing & ~SUPPORTED_FEATURES:
            raise InvalidModuleError(f'{what} needs the feature "{missing.label}", which this version does not support')
        raise InvalidModuleError(f'{what} invalid as feature "{missing.label}" is disabled')

    def check_value_type(self, type: ValueType) -> None:
        """Raise unless `type` may be used under the enabled features."""
        if type == ValueType.V128:
            self.require(CoreFeatures.SIMD, type.name)
        elif type.is_ref:
            self.require(CoreFeatures.REFERENCE_TYPES, type.name)
            if type.heap not in _SHORTHAND_HEAPS or not type.is_nullable:
                self.require(CoreFeatures.TYPED_FUNCTION_REFERENCES if type.heap >= 0 else CoreFeatures.GC, type.name)


def _declared_functions(module: Module) -> frozenset[int]:
    """Functions that ``ref.func`` in a body may name: those named outside of bodies (spec 3.4.10, "refs")."""
    declared = {export.index for export in module.exports if export.kind is ExternKind.FUNCTION}
    expressions = [item.init for item in module.globals]
    expressions += [table.init for table in module.tables if table.init is not None]
    for segment in module.elements:
        declared.update(segment.functions)
        expressions.extend(segment.expressions)
    for expression in expressions:
        declared.update(_functions_referenced_by(expression))
    return frozenset(declared)


def _functions_referenced_by(expression: Expression) -> Iterator[int]:
    """Indices that ``ref.func`` names in `expression`."""
    opening = BY_NAME["ref.func"].encoding
    if opening not in expression.code:
        return
    for token in tokenize(expression.code):
        if token.startswith(opening):
            yield decode_instruction(token, expression.offset).immediates[0]
