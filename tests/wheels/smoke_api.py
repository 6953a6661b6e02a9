"""wazero-api alone: it imports, and nothing else of the project is there."""

from checks import check_installation

api = check_installation()["api"]
print(f"wazero-api {api.__version__}: {len(api.__all__)} public names")
