"""wazero-core[wasi]: `wazero run` finds WASI by its entry point and runs a command."""

from checks import check_core, check_entry_points, check_installation, check_wasi

check_installation()
check_entry_points("wazero.hostmodules", {"wasi_snapshot_preview1", "wasi_unstable"})
check_core()
check_wasi()
