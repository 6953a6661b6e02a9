// A library for hosts: functions as globals, functions that it exports, and what a host gives to it.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall/js"
	"time"
)

var (
	global  = js.Global()
	counter int32
)

//go:wasmexport count
func count(by int32) int32 {
	counter += by
	return counter
}

//go:wasmexport half
func half(x float64) float64 { return x / 2 }

//go:wasmexport callHost
func callHost() { global.Call("record", "from an export") }

// function registers a Go function as a global.
func function(name string, call func(args []js.Value) any) {
	global.Set(name, js.FuncOf(func(_ js.Value, args []js.Value) any { return call(args) }))
}

// catch calls and gives what was thrown instead, as text.
func catch(call func() any) (result any) {
	defer func() {
		if thrown := recover(); thrown != nil {
			var failure js.Error
			if err, ok := thrown.(error); ok && errors.As(err, &failure) {
				result = fmt.Sprint(failure.Get("name"), " / ", failure.Get("message"), " / ", failure.Get("code"))
			} else {
				result = fmt.Sprint("panic: ", thrown)
			}
		}
	}()
	return call()
}

// promise runs Go code beside the host's, and settles when that is done.
func promise(run func() (any, error)) js.Value {
	return global.Get("Promise").New(js.FuncOf(func(_ js.Value, args []js.Value) any {
		go func() {
			if result, err := run(); err != nil {
				args[1].Invoke(global.Get("Error").New(err.Error()))
			} else {
				args[0].Invoke(result)
			}
		}()
		return nil
	}))
}

func await(value js.Value) (js.Value, error) {
	result, failure := make(chan js.Value, 1), make(chan error, 1)
	value.Call("then",
		js.FuncOf(func(_ js.Value, args []js.Value) any { result <- args[0]; return nil }),
		js.FuncOf(func(_ js.Value, args []js.Value) any { failure <- js.Error{Value: args[0]}; return nil }))
	select {
	case found := <-result:
		return found, nil
	case err := <-failure:
		return js.Undefined(), err
	}
}

func values() {
	function("echo", func(args []js.Value) any { return args[0] })
	function("kind", func(args []js.Value) any { return args[0].Type().String() })
	function("text", func(args []js.Value) any { return args[0].String() })
	function("call", func(args []js.Value) any {
		rest := make([]any, len(args)-1)
		for i := range rest {
			rest[i] = args[i+1]
		}
		return args[0].Invoke(rest...)
	})
	function("caught", func(args []js.Value) any {
		return catch(func() any { return args[0].Invoke() })
	})
	function("get", func(args []js.Value) any { return args[0].Get(args[1].String()) })
	function("set", func(args []js.Value) any { args[0].Set(args[1].String(), args[2]); return nil })
	function("method", func(args []js.Value) any { return args[0].Call(args[1].String()) })
	function("evaluate", func(args []js.Value) any { return global.Call("eval", args[0]) })
	function("fill", func(args []js.Value) any { return js.CopyBytesToJS(args[0], []byte("filled")) })
	function("sum", func(args []js.Value) any {
		total := 0
		data := make([]byte, args[0].Length())
		js.CopyBytesToGo(data, args[0])
		for _, b := range data {
			total += int(b)
		}
		return total
	})
	function("fromGlobal", func(args []js.Value) any { return global.Get(args[0].String()) })
	function("made", func(args []js.Value) any {
		return map[string]any{"list": []any{1, "two", nil}, "flag": true, "nested": map[string]any{"x": 1.5}}
	})
}

func behaviour() {
	function("throws", func(args []js.Value) any { return global.Get("JSON").Call("parse", "{") })
	function("panics", func(args []js.Value) any { panic("on purpose") })
	function("exits", func(args []js.Value) any { os.Exit(args[0].Int()); return nil })
	function("later", func(args []js.Value) any {
		milliseconds := args[0].Int()
		return promise(func() (any, error) {
			time.Sleep(time.Duration(milliseconds) * time.Millisecond)
			return "after " + fmt.Sprint(milliseconds), nil
		})
	})
	function("fails", func(args []js.Value) any {
		return promise(func() (any, error) { return nil, errors.New("it failed") })
	})
	function("never", func(args []js.Value) any {
		return global.Get("Promise").New(js.FuncOf(func(js.Value, []js.Value) any { return nil }))
	})
	function("rejectedWith", func(args []js.Value) any { return global.Get("Promise").Call("reject", args[0]) })
	function("thenCalls", func(args []js.Value) any {
		global.Get("Promise").Call("resolve", "in a job").Call("then", args[0])
		return nil
	})
	function("timer", func(args []js.Value) any { return global.Call("setTimeout", args[0], args[1]) })
	function("awaits", func(args []js.Value) any {
		call := args[0]
		return promise(func() (any, error) { return await(call.Invoke()) })
	})
	function("spins", func(args []js.Value) any {
		for {
			counter++
		}
	})
	function("collect", func(args []js.Value) any { runtime.GC(); return nil })
	function("objects", func(args []js.Value) any {
		for range args[0].Int() {
			global.Get("Object").New()
		}
		return nil
	})
	function("startTicker", func(args []js.Value) any {
		go func() {
			for {
				time.Sleep(time.Millisecond)
				counter++
			}
		}()
		return nil
	})
}

func main() {
	values()
	behaviour()
	global.Set("version", "1.2")
	global.Set("settings", map[string]any{"depth": 3})
	select {}
}
