"""wazero-core brings wazero-api and the portable engine, runs a module, and needs no sibling for it."""

from checks import check_core, check_entry_points, check_installation, check_missing_host_module

check_installation()
check_entry_points("wazero.engines", {"portable"})
check_entry_points("wazero.hostmodules", set())
check_core()
check_missing_host_module()
