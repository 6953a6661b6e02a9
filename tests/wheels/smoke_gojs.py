"""wazero-core[gojs]: core finds the host of Go programs, and its JavaScript works."""

from checks import check_core, check_entry_points, check_gojs, check_installation

check_installation()
check_entry_points("wazero.hostmodules", set())
check_entry_points("wazero.programs", {"gojs", "go"})
check_core()
check_gojs()
