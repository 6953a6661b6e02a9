"""wazero-jit stands on wazero-api alone: core is absent. It registers no engine yet."""

from checks import check_entry_points, check_installation

check_installation()
check_entry_points("wazero.engines", set())
