// Waiting for several things: the first argument says for what. Every line is printed in an order that does not depend on luck.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall/js"
	"time"
)

const unit = 40 * time.Millisecond

func sleepers() {
	var done sync.WaitGroup
	for _, n := range []int{3, 1, 2} {
		done.Add(1)
		go func() {
			defer done.Done()
			time.Sleep(time.Duration(n) * unit)
			fmt.Println("slept", n)
		}()
	}
	done.Wait()
}

func tickers() {
	ticker := time.NewTicker(unit)
	defer ticker.Stop()
	stop := time.After(unit*3 + unit/2)
	for n := 1; ; n++ {
		select {
		case <-ticker.C:
			fmt.Println("tick", n)
		case <-stop:
			fmt.Println("stop")
			return
		}
	}
}

func selects() {
	results, quit := make(chan int), make(chan bool)
	go func() {
		for n := range 3 {
			results <- n
		}
		close(quit)
	}()
	for {
		select {
		case n := <-results:
			fmt.Println("result", n)
		case <-quit:
			fmt.Println("quit")
			return
		}
	}
}

func timers() {
	timer := time.NewTimer(time.Hour)
	fmt.Println("stopped", timer.Stop())
	timer.Reset(unit)
	<-timer.C
	fmt.Println("reset fired")
	ctx, cancel := context.WithTimeout(context.Background(), unit)
	defer cancel()
	select {
	case <-ctx.Done():
		fmt.Println(ctx.Err())
	case <-time.After(time.Hour):
		fmt.Println("too long")
	}
	start := time.Now()
	time.Sleep(unit)
	fmt.Println("long enough", time.Since(start) >= unit)
}

// order shows what the event loop runs first.
func order() {
	done := make(chan bool)
	say := func(text string) js.Func {
		return js.FuncOf(func(js.Value, []js.Value) any {
			println(text) // a callback cannot wait, as fmt's functions do
			if text == "timeout 2" {
				close(done)
			}
			return nil
		})
	}
	global := js.Global()
	global.Call("setTimeout", say("timeout 2"), 80)
	global.Call("setTimeout", say("timeout 1"), 20)
	global.Call("queueMicrotask", say("microtask 1"))
	global.Get("Promise").Call("resolve").Call("then", say("microtask 2")).Call("then", say("microtask 3"))
	interval := global.Call("setInterval", say("never"), 1)
	global.Call("clearInterval", interval)
	cancelled := global.Call("setTimeout", say("never"), 1)
	global.Call("clearTimeout", cancelled)
	println("main waits")
	<-done
}

func await(promise js.Value) (js.Value, error) {
	type outcome struct {
		value js.Value
		err   error
	}
	settled := make(chan outcome, 1)
	then := js.FuncOf(func(_ js.Value, args []js.Value) any { settled <- outcome{value: args[0]}; return nil })
	fail := js.FuncOf(func(_ js.Value, args []js.Value) any {
		settled <- outcome{err: js.Error{Value: args[0]}}
		return nil
	})
	defer then.Release()
	defer fail.Release()
	promise.Call("then", then, fail)
	result := <-settled
	return result.value, result.err
}

func promises() {
	constructor := js.Global().Get("Promise")
	fmt.Println(await(constructor.Call("resolve", 7)))
	fmt.Println(await(constructor.Call("reject", js.Global().Get("Error").New("refused"))))
	later := constructor.New(js.FuncOf(func(_ js.Value, args []js.Value) any {
		resolve := args[0]
		go func() {
			time.Sleep(unit)
			resolve.Invoke("later")
		}()
		return nil
	}))
	fmt.Println(await(later))
	all := constructor.Call("all", []any{later, constructor.Call("resolve", 2), 3})
	value, _ := await(all)
	fmt.Println(value.Length(), value.Index(0), value.Index(1), value.Index(2))
	value, _ = await(constructor.Call("race", []any{constructor.New(js.FuncOf(func(js.Value, []js.Value) any { return nil })), later}))
	fmt.Println(value)
}

// input reads lines while a ticker runs: reading must not stop it.
func input() {
	lines := make(chan string)
	go func() {
		reader := bufio.NewReader(os.Stdin)
		for {
			line, err := reader.ReadString('\n')
			if err == io.EOF {
				close(lines)
				return
			}
			lines <- line
		}
	}()
	ticker := time.NewTicker(10 * time.Millisecond)
	ticks := 0
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				fmt.Println("end of input")
				return
			}
			fmt.Print("line ", line)
			ticks = 0
		case <-ticker.C:
			if ticks++; ticks == 3 {
				fmt.Println("ticked")
			}
		}
	}
}

func main() {
	map[string]func(){
		"sleepers": sleepers, "tickers": tickers, "selects": selects, "timers": timers,
		"order": order, "promises": promises, "input": input,
	}[os.Args[1]]()
}
