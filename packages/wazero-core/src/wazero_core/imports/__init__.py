"""Host modules named "env" that compilers expect: `assemblyscript`, `emscripten`, and `environment` to choose by imports.

They stand on instances and the system layer only, and know no ABI such as WASI. Nothing is imported here: a program that
needs one of them does not wait for the other.
"""
