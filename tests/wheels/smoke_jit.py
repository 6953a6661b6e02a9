"""wazero-jit stands on wazero-api alone: core is absent, and a module made by hand becomes native functions."""

import runpy
from pathlib import Path

from checks import check_entry_points, check_installation, check_native_functions

from wazero_jit import JitEngine

check_installation()
check_entry_points("wazero.engines", {"jit"})
reason = JitEngine().probe()
if reason is not None:
    print(f"the rest is left out: {reason}")
else:
    check_native_functions()
    runpy.run_path(str(Path(__file__).parents[2] / "examples" / "expressions" / "expressions.py"), run_name="__main__")
