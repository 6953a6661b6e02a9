// Values and calls of JavaScript, from Go: prints what every host must give. The argument says which part.
package main

import (
	"fmt"
	"os"
	"strings"
	"syscall/js"
)

var global = js.Global()

// written is a value as JSON.
func written(value js.Value) string { return global.Get("JSON").Call("stringify", value).String() }

// try prints what a call gives, or the error that it panics with.
func try(what string, call func() any) {
	defer func() {
		switch thrown := recover().(type) {
		case nil:
		case js.Error:
			fmt.Printf("%s threw %s: %s\n", what, thrown.Get("name"), thrown.Get("message"))
		case error:
			fmt.Printf("%s panics: %s\n", what, thrown)
		default:
			fmt.Printf("%s panics with %v\n", what, thrown)
		}
	}()
	fmt.Printf("%s = %v\n", what, call())
}

func types() {
	for _, name := range []string{
		"undefined", "null", "true", "0", "-0", "1.5", "NaN", "Infinity", "''", "'text'", "'caf\u00e9 \U0001F600'",
		"Symbol('s')", "Symbol.iterator", "10n", "({})", "[]", "[1, 2]", "(function f() {})", "(() => 1)", "Object", "new Date(0)",
		"new Map()", "/a/g", "new Error('e')", "new Uint8Array(3)", "Promise.resolve(1)", "Math", "globalThis", "JSON",
		"new (class Point {})()",
	} {
		value := global.Call("eval", name)
		kind := func() (kind string) {
			defer func() {
				if thrown := recover(); thrown != nil {
					kind = fmt.Sprint(thrown)
				}
			}()
			return value.Type().String()
		}()
		fmt.Println(name, kind, value.IsUndefined(), value.IsNull(), value.IsNaN(), kind != "bad type flag" && value.Truthy())
	}
}

func conversions() {
	object := js.ValueOf(map[string]any{"a": 1, "b": []any{1, "two", nil, true, 2.5}, "c": map[string]any{"d": "e"}})
	fmt.Println(global.Get("JSON").Call("stringify", object.Get("b")), object.Get("c").Get("d"), object.Get("a").Int())
	for _, value := range []any{
		nil, true, 1, int8(-8), uint8(8), int64(1) << 53, uint64(1) << 60, float32(0.5), 1e300, "text", "", js.Undefined(), js.Null(), uintptr(7),
	} {
		converted := js.ValueOf(value)
		fmt.Println(converted.Type(), converted.String())
	}
	try("ValueOf(chan)", func() any { return js.ValueOf(make(chan int)) })
	try("ValueOf(struct)", func() any { return js.ValueOf(struct{}{}) })
	fmt.Println(js.ValueOf(1).Equal(js.ValueOf(1.0)), js.ValueOf("a").Equal(js.ValueOf("a")), js.ValueOf("a").Equal(js.ValueOf("b")))
	fmt.Println(js.ValueOf(0).Equal(js.ValueOf(-0.0)), global.Get("NaN").Equal(global.Get("NaN")), js.ValueOf([]any{}).Equal(js.ValueOf([]any{})))
	fmt.Println(js.ValueOf("\xff\xfe").String() == "\ufffd\ufffd", global.Call("eval", `"\ud800"`).String() == "\ufffd")
	fmt.Println(global.Get("Object").New("\U0001F600").Length())
}

func properties() {
	object := global.Get("Object").New()
	object.Set("number", 1)
	object.Set("text", "a")
	object.Set("list", []any{1, 2, 3})
	fmt.Println(object.Get("number"), object.Get("text"), object.Get("missing"), object.Get("list").Length())
	object.Delete("number")
	fmt.Println(object.Get("number"), written(global.Get("Object").Call("keys", object)))
	list := object.Get("list")
	list.SetIndex(5, "far")
	fmt.Println(list.Length(), list.Index(0), list.Index(4), list.Index(5), list.Index(99), written(list))
	list.Set("length", 2)
	fmt.Println(written(list))
	try("get of undefined", func() any { return js.Undefined().Get("x") })
	try("get of text", func() any { return js.ValueOf("text").Get("length") })
	try("index of number", func() any { return js.ValueOf(1).Index(0) })
	try("set on null", func() any { js.Null().Set("x", 1); return nil })
	try("length of number", func() any { return js.ValueOf(1).Length() })
	try("int of text", func() any { return js.ValueOf("1").Int() })
	try("bool of number", func() any { return js.ValueOf(1).Bool() })
	frozen := global.Get("Object").Call("freeze", map[string]any{"a": 1})
	frozen.Set("a", 2)
	frozen.Delete("a")
	fmt.Println(frozen.Get("a"))
	getter := global.Call("eval", "({get now() { return 42 }, get bad() { throw new RangeError('no') }})")
	fmt.Println(getter.Get("now"))
}

func calls() {
	try("unknown method", func() any { return global.Call("nothing") })
	try("unknown method of object", func() any { return global.Get("Math").Call("nothing", 1) })
	try("call of number", func() any { return js.ValueOf(map[string]any{"n": 1}).Call("n") })
	try("invoke of undefined", func() any { return js.Undefined().Invoke() })
	try("invoke of object", func() any { return global.Get("Math").Invoke() })
	try("new of arrow", func() any { // its message has the whole source
		defer func() { panic(recover().(js.Error).Get("name").String()) }()
		return global.Call("eval", "() => 1").New()
	})
	try("new of undefined", func() any { return js.Undefined().New() })
	try("new of Math", func() any { return global.Get("Math").New() })
	try("throwing", func() any { return global.Get("JSON").Call("parse", "{").Type() })
	try("throwing text", func() any {
		defer func() {
			thrown := recover().(js.Error)
			fmt.Println("thrown value", thrown.Value, thrown.Value.Type())
		}()
		return global.Call("eval", "(function () { throw 'text' })").Invoke()
	})
	try("Uint8Array(-1)", func() any { return global.Get("Uint8Array").New(-1) })
	try("Symbol()", func() any { return global.Get("Symbol").New() })
	try("max", func() any { return global.Get("Math").Call("max", 1, 5, 3) })
	try("Date", func() any { return global.Get("Date").New(0).Call("toISOString") })
	try("many arguments", func() any {
		arguments := make([]any, 1000)
		for i := range arguments {
			arguments[i] = i
		}
		return global.Get("Math").Get("max").Invoke(arguments...)
	})
	fmt.Println(js.ValueOf([]any{}).InstanceOf(global.Get("Array")), js.ValueOf([]any{}).InstanceOf(global.Get("Object")),
		js.ValueOf(1).InstanceOf(global.Get("Number")), global.Get("Error").New("x").InstanceOf(global.Get("TypeError")))
}

func functions() {
	add := js.FuncOf(func(this js.Value, args []js.Value) any { return args[0].Int() + args[1].Int() })
	fmt.Println(add.Invoke(1, 2), add.Type(), add.Get("length"))
	var double js.Func
	double = js.FuncOf(func(this js.Value, args []js.Value) any {
		n := args[0].Int()
		if n == 0 {
			return 0
		}
		return double.Invoke(n-1).Int() + 2
	})
	fmt.Println(double.Invoke(20))
	fmt.Println(written(js.ValueOf([]any{3, 1, 2}).Call("map", js.FuncOf(func(this js.Value, args []js.Value) any {
		return fmt.Sprint(args[0], "@", args[1], "/", args[2].Length())
	}))))
	fmt.Println(written(js.ValueOf([]any{3, 1, 2}).Call("sort", js.FuncOf(func(this js.Value, args []js.Value) any {
		return args[1].Int() - args[0].Int()
	}))))
	object := js.ValueOf(map[string]any{"name": "me"})
	object.Set("who", js.FuncOf(func(this js.Value, args []js.Value) any { return this.Get("name") }))
	fmt.Println(object.Call("who"), object.Get("who").Call("call", map[string]any{"name": "you"}))
	made := js.FuncOf(func(this js.Value, args []js.Value) any { this.Set("x", args[0]); return nil }).New(9)
	fmt.Println(made.Get("x"), made.Type())
	nothing := js.FuncOf(func(this js.Value, args []js.Value) any { return nil })
	fmt.Println(nothing.Invoke(), len(fmt.Sprint(nothing.Value)) > 0)
	nested := js.FuncOf(func(this js.Value, args []js.Value) any {
		return js.ValueOf([]any{1, 2}).Call("reduce", js.FuncOf(func(this js.Value, args []js.Value) any {
			return js.ValueOf([]any{args[0], args[1]}).Call("join", "+")
		}))
	})
	fmt.Println(nested.Invoke())
	try("recovered in callback", func() any {
		return js.FuncOf(func(this js.Value, args []js.Value) (result any) {
			defer func() { result = fmt.Sprint("recovered ", recover()) }()
			panic("inside")
		}).Invoke()
	})
	try("callback calls what throws", func() any {
		return js.FuncOf(func(this js.Value, args []js.Value) any {
			return global.Get("JSON").Call("parse", "nope")
		}).Call("bind").Type()
	})
	deep := js.FuncOf(func(this js.Value, args []js.Value) any {
		var grow func(n int) int
		grow = func(n int) int { // makes Go move its stack
			var room [256]byte
			if n == 0 {
				return len(room)
			}
			return grow(n-1) + int(room[0])
		}
		return grow(2000)
	})
	fmt.Println(deep.Invoke(), global.Get("Reflect").Call("apply", deep, nil, []any{}))
}

func bytes() {
	source := []byte{1, 2, 3, 250, 255}
	for _, name := range []string{"Uint8Array", "Uint8ClampedArray"} {
		array := global.Get(name).New(4)
		fmt.Println(name, js.CopyBytesToJS(array, source), written(array))
		target := make([]byte, 8)
		fmt.Println(js.CopyBytesToGo(target, array), target, js.CopyBytesToGo(target[:2], array))
	}
	part := global.Get("Uint8Array").New(8).Call("subarray", 2, 4)
	fmt.Println(js.CopyBytesToJS(part, source), global.Get("Uint8Array").New(part.Get("buffer")).Call("join"))
	for _, name := range []string{"Int8Array", "Uint16Array", "ArrayBuffer", "Array"} {
		try("copy to "+name, func() any { return js.CopyBytesToJS(global.Get(name).New(4), source) })
		try("copy from "+name, func() any { return js.CopyBytesToGo(source, global.Get(name).New(4)) })
	}
	try("copy from null", func() any { return js.CopyBytesToGo(source, js.Null()) })
	fmt.Println(js.CopyBytesToJS(global.Get("Uint8Array").New(0), nil))
	big := make([]byte, 1<<20)
	big[1<<20-1] = 7
	array := global.Get("Uint8Array").New(len(big))
	fmt.Println(js.CopyBytesToJS(array, big), array.Index(1<<20-1))
}

func replaced() {
	global.Set("answer", 42)
	fmt.Println(global.Get("answer"), global.Call("eval", "answer + 1"))
	before := global.Get("escape")
	global.Set("escape", js.FuncOf(func(this js.Value, args []js.Value) any { return "mine" }))
	fmt.Println(global.Call("escape", "a b"), before.Invoke("a b"))
	global.Get("Array").Get("prototype").Set("second", js.FuncOf(func(this js.Value, args []js.Value) any { return this.Index(1) }))
	fmt.Println(js.ValueOf([]any{1, 2}).Call("second"))
	global.Delete("answer")
	fmt.Println(global.Get("answer"))
	object := global.Get("Object")
	global.Set("Object", js.Null())
	fmt.Println(js.ValueOf(map[string]any{"a": 1}).Get("a"), object.Type())
}

func main() {
	parts := map[string]func(){
		"types": types, "conversions": conversions, "properties": properties, "calls": calls, "functions": functions,
		"bytes": bytes, "replaced": replaced,
	}
	part, ok := parts[os.Args[1]]
	if !ok {
		fmt.Println("no such part:", strings.Join(os.Args, " "))
		os.Exit(99)
	}
	part()
}
