"""Which module "env" a guest gets: the functions that it imports of those that its compiler's host would give it."""

from __future__ import annotations

from typing import Final

from wazero_api import ExternKind, HostModule, LinkError, Module

ENVIRONMENT: Final = "env"


def module_for(module: Module) -> HostModule | None:
    """A module "env" for a decoded module, or None where there is nothing to be made for it.

    That is so if the module imports no function from it that AssemblyScript or Emscripten ask for. Raises LinkError if it
    imports some, and others besides.
    """
    wanted = dict.fromkeys(item.name for item in module.imports if item.module == ENVIRONMENT)
    functions = {item.name for item in module.imported(ExternKind.FUNCTION) if item.module == ENVIRONMENT}
    if not functions:
        return None
    from . import assemblyscript, emscripten  # few guests need them

    offered = {function.name: function for function in assemblyscript.functions()}
    offered |= {function.name: function for function in emscripten.functions_for(module)}
    known = [offered[name] for name in wanted if name in functions & offered.keys()]
    if not known:
        return None
    unknown = [name for name in wanted if name not in offered]
    if unknown:
        raise LinkError(
            f"unknown imports: {', '.join(f'{ENVIRONMENT}.{name}' for name in unknown)}; only "
            f"{', '.join(function.name for function in known)} of {ENVIRONMENT!r} can be given to the guest"
        )
    return HostModule(ENVIRONMENT, tuple(known))
