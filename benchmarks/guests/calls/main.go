// Calls between Go and its host, to be timed by the host: call(n) calls the global function host(i) n times, and echo(i)
// returns what it gets.
package main

import "syscall/js"

func main() {
	host := js.Global().Get("host")
	js.Global().Set("call", js.FuncOf(func(this js.Value, args []js.Value) any {
		n := args[0].Int()
		total := 0
		for i := 0; i < n; i++ {
			total += host.Invoke(i).Int()
		}
		return total
	}))
	js.Global().Set("callMethod", js.FuncOf(func(this js.Value, args []js.Value) any {
		n := args[0].Int()
		global := js.Global()
		total := 0
		for i := 0; i < n; i++ {
			total += global.Call("host", i).Int()
		}
		return total
	}))
	js.Global().Set("echo", js.FuncOf(func(this js.Value, args []js.Value) any {
		return args[0]
	}))
	select {}
}
