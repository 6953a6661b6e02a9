"""wazero-core[all]: the five live together."""

from checks import check_core, check_entry_points, check_gojs, check_installation, check_wasi

check_installation()
check_entry_points("wazero.engines", {"jit", "portable"})
check_entry_points("wazero.hostmodules", {"wasi_snapshot_preview1", "wasi_unstable"})
check_core()
check_entry_points("wazero.programs", {"gojs", "go"})
check_wasi()
check_gojs()
