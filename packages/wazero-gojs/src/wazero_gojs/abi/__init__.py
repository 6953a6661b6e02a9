"""How Go programs for GOOS=js talk to their host: references, imports, arguments. Source: Go's lib/wasm/wasm_exec.js."""
