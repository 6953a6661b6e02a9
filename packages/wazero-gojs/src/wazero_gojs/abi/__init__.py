"""How Go programs for GOOS=js talk to their host: imports, references, memory, calls of Go's functions. Source: Go's
lib/wasm/wasm_exec.js.
"""
