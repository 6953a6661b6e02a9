// Ways for a program to end: the first argument says which.
package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"runtime"
	"strconv"
	"syscall/js"
	"time"
)

type failure struct{ code int }

func (f failure) Error() string { return fmt.Sprintf("failure %d", f.code) }

func after(milliseconds int, f func()) js.Value {
	return js.Global().Call("setTimeout", js.FuncOf(func(js.Value, []js.Value) any {
		f()
		return nil
	}), milliseconds)
}

var ends = map[string]func(){
	"return":         func() {},
	"exit":           func() { os.Exit(number(2)) },
	"exit-goroutine": func() { go os.Exit(4); select {} },
	"exit-deferred": func() {
		defer fmt.Println("not printed")
		os.Exit(5)
	},
	"exit-callback":  func() { after(0, func() { os.Exit(6) }); select {} },
	"exit-timer":     func() { time.AfterFunc(time.Millisecond, func() { os.Exit(7) }); select {} },
	"log-fatal":      func() { log.SetFlags(0); log.Fatal("no more") },
	"goexit":         func() { runtime.Goexit() },
	"goexit-others":  func() { go func() { time.Sleep(time.Millisecond); os.Exit(8) }(); runtime.Goexit() },
	"deadlock":       func() { select {} },
	"deadlock-chan":  func() { <-make(chan int) },
	"deadlock-later": func() { time.Sleep(time.Millisecond); <-make(chan int) },
	"deadlock-nil":   func() { var c chan int; c <- 1 },
	"pending-timers": func() { after(60_000, func() { fmt.Println("not printed") }) },
	"deadlock-unref": func() { after(60_000, func() {}).Call("unref"); select {} },
	"unref-in-time": func() {
		after(1, func() { println("in time") }).Call("unref")
		after(100, func() { os.Exit(9) })
		select {}
	},
	"panic":          func() { panic("words") },
	"panic-error":    func() { panic(errors.New("an error")) },
	"panic-type":     func() { panic(failure{9}) },
	"panic-number":   func() { panic(3.5) },
	"panic-nil-map":  func() { var m map[string]int; m["a"] = 1 },
	"panic-index":    func() { s := []int{1}; fmt.Println(s[number(2)]) },
	"panic-divide":   func() { fmt.Println(1 / number(2)) },
	"panic-type-assertion": func() {
		var v any = "text"
		fmt.Println(v.(int))
	},
	"panic-goroutine": func() { go panic("elsewhere"); select {} },
	"panic-again": func() {
		defer func() { panic("second") }()
		panic("first")
	},
	"panic-deferred": func() {
		defer fmt.Println("deferred runs")
		panic("after")
	},
	"recovered": func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		panic("caught")
	},
	"panic-callback": func() { after(0, func() { panic("in a callback") }); select {} },
	"closed-chan":    func() { c := make(chan int); close(c); close(c) },
	"js-panic":       func() { js.Global().Call("missing") },
	"js-value-panic": func() { js.Undefined().Get("x") },
	"uncaught-error": func() {
		js.Global().Call("setTimeout", js.Global().Get("JSON").Get("parse"), 0, "{")
		select {}
	},
	"rejected-error": func() {
		js.Global().Get("Promise").Call("reject", js.Global().Get("TypeError").New("unwanted"))
		select {}
	},
	"rejected-text": func() { js.Global().Get("Promise").Call("reject", "unwanted"); select {} },
	"rejected-caught": func() {
		promise := js.Global().Get("Promise").Call("reject", "unwanted")
		promise.Call("catch", js.FuncOf(func(this js.Value, args []js.Value) any {
			println("caught", args[0].String())
			os.Exit(0)
			return nil
		}))
		select {}
	},
	"rejected-caught-late": func() {
		promise := js.Global().Get("Promise").Call("reject", "unwanted")
		after(20, func() {
			promise.Call("catch", js.FuncOf(func(this js.Value, args []js.Value) any { return nil }))
		})
		select {}
	},
	"rejected-derived": func() {
		promise := js.Global().Get("Promise").Call("resolve", 1)
		promise.Call("then", js.Global().Get("JSON").Get("parse")).Call("then", js.Global().Get("BigInt"))
		promise.Call("then", js.Global().Get("Symbol")).Call("then", js.Global().Get("Number"))
		select {}
	},
	"released": func() {
		f := js.FuncOf(func(js.Value, []js.Value) any { return 1 })
		f.Release()
		fmt.Println(f.Invoke())
	},
}

func number(index int) int {
	n, err := strconv.Atoi(os.Args[index])
	if err != nil {
		panic(err)
	}
	return n
}

func main() {
	end, ok := ends[os.Args[1]]
	if !ok {
		fmt.Println("no such end")
		os.Exit(99)
	}
	end()
}
