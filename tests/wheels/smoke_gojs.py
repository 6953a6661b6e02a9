"""wazero-core[gojs]: both import, core works, and no host module is registered yet."""

from checks import check_core, check_entry_points, check_installation

check_installation()
check_entry_points("wazero.hostmodules", set())
check_core()
