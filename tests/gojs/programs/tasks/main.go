// Work beside a host's event loop: the first argument says what.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall/js"
	"time"
)

var global = js.Global()

func await(promise js.Value) (js.Value, error) {
	result, failure := make(chan js.Value, 1), make(chan error, 1)
	promise.Call("then",
		js.FuncOf(func(_ js.Value, args []js.Value) any { result <- args[0]; return nil }),
		js.FuncOf(func(_ js.Value, args []js.Value) any { failure <- js.Error{Value: args[0]}; return nil }))
	select {
	case found := <-result:
		return found, nil
	case err := <-failure:
		return js.Undefined(), err
	}
}

// calls awaits what the host's coroutine function "work" gives for several arguments at once, and prints it in order.
func calls() {
	var done sync.WaitGroup
	lines := make([]string, 3)
	for n := range lines {
		done.Add(1)
		go func() {
			defer done.Done()
			value, err := await(global.Call("work", n))
			lines[n] = fmt.Sprint(n, " ", value, " ", err)
		}()
	}
	done.Wait()
	for _, line := range lines {
		fmt.Println(line)
	}
}

// counts calls the host's "tick" as often as the second argument says, a millisecond apart.
func counts() {
	n, _ := strconv.Atoi(os.Args[2])
	for i := range n {
		global.Call("tick", i)
		time.Sleep(time.Millisecond)
	}
}

// forever has timers, a read and a promise that never ends.
func forever() {
	go func() { bufio.NewReader(os.Stdin).ReadString('\n') }()
	go await(global.Get("Promise").New(js.FuncOf(func(js.Value, []js.Value) any { return nil })))
	global.Call("setInterval", js.FuncOf(func(js.Value, []js.Value) any { return nil }), 1)
	global.Call("setTimeout", js.FuncOf(func(js.Value, []js.Value) any { return nil }), 3_600_000)
	for {
		time.Sleep(time.Millisecond)
		if tick := global.Get("tick"); tick.Truthy() {
			tick.Invoke()
		}
	}
}

// answers gives the host a function whose promise settles later, and ends when the host says so.
func answers() {
	end := make(chan bool)
	global.Call("given", js.FuncOf(func(_ js.Value, args []js.Value) any {
		question := args[0].String()
		return global.Get("Promise").New(js.FuncOf(func(_ js.Value, args []js.Value) any {
			go func() {
				time.Sleep(5 * time.Millisecond)
				args[0].Invoke("answer to " + question)
			}()
			return nil
		}))
	}), js.FuncOf(func(js.Value, []js.Value) any {
		time.AfterFunc(time.Millisecond, func() { close(end) })
		return nil
	}))
	for {
		select {
		case <-end:
			return
		case <-time.After(time.Hour):
		}
	}
}

func echo() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fmt.Println("echo", lines.Text())
	}
}

func spin() {
	for {
	}
}

func main() {
	map[string]func(){
		"calls": calls, "counts": counts, "forever": forever, "answers": answers, "echo": echo, "spin": spin,
	}[os.Args[1]]()
}
