var r = []; for (let i = 0; i < 3; i++) r.push(() => i); r.map(f => f())
var r = []; for (var i = 0; i < 3; i++) r.push(() => i); r.map(f => f())
var r = []; for (const i of [1, 2]) r.push(() => i); r.map(f => f())
var r = []; for (const k in {a: 1, b: 2}) r.push(() => k); r.map(f => f())
var r = []; for (let i = 0, f = () => i; i < 2; i++) r.push(f()); r
var r = []; for (let i = 0; r.push(() => i), i < 2; i++); r.map(f => f())
var r = []; for (let i = 0; i < 2; r.push(() => i), i++); r.map(f => f())
var r = 0; for (;;) { if (r++ > 5) break; } r
var r = []; for (var i = 0, j = 10; i < j; i += 3, j -= 3) r.push([i, j]); r
var r = 0; while (r < 5) r++; r
var r = 0; do r++; while (r < 5) r
var r = 0; do { r++; if (r == 2) continue; if (r > 3) break; } while (true); r
outer: for (var i = 0; i < 3; i++) { for (var j = 0; j < 3; j++) { if (j == 1) continue outer; if (i == 2) break outer; } } [i, j]
a: { b: { break a; } 1; } 2
a: b: for (;;) { break a; }
a: b: for (var i = 0; i < 2; i++) { for (;;) continue a; } i
x: if (true) { break x; }
foo: for (var i = 0; i < 1; i++) { switch (1) { case 1: continue foo; } }
var r = []; for (var k in {a: 1, b: 2, __proto__: {c: 3, a: 4}}) r.push(k); r
var r = []; for (var k in [5, 6]) r.push(k); r
var r = []; for (var k in "ab") r.push(k); r
for (var k in null) k; for (var k in undefined) k; 1
var o = {a: 1, b: 2, c: 3}, r = []; for (var k in o) { r.push(k); delete o.b; } r
var o = {}; for (o.x in {q: 1}); o.x
var r = []; for (var [a, b] of [[1, 2], [3, 4]]) r.push(a + b); r
var r = []; for (var {x, y = 9} of [{x: 1}, {x: 2, y: 3}]) r.push(x + y); r
var r = []; for (const [k, v] of Object.entries({a: 1})) r.push(k + v); r
var r = []; for (const [k, v] of new Map([["a", 1]])) r.push(k + v); r
var r = []; for (const c of "a😀b") r.push(c); r
var a, r = []; for ([a] of [[1], [2]]) r.push(a); r
for (const x of 5);
for (const x of undefined);
var u; for (const x of u);
for (const x of {a: 1});
var o = {[Symbol.iterator]() { var n = 0; return {next() { return {value: n, done: n++ > 2}; }, return() { o.closed = true; return {}; }}; }}; var r = []; for (var x of o) { r.push(x); if (x == 1) break; } [r, o.closed]
var o = {[Symbol.iterator]() { return {next() { return {value: 1, done: false}; }, return() { o.closed = true; return {}; }}; }}; try { for (var x of o) throw new Error("in"); } catch (e) { [e.message, o.closed] }
var o = {[Symbol.iterator]() { return {next() { return {value: 1, done: false}; }, return() { o.closed = true; return {}; }}; }}; var f = () => { for (var x of o) return x; }; [f(), o.closed]
var o = {[Symbol.iterator]() { return {next() { return {value: 1, done: false}; }, return() { o.closed = true; return {}; }}; }}; var [a, b] = o; [a, b, o.closed]
var o = {[Symbol.iterator]() { return 5; }}; for (var x of o);
var o = {[Symbol.iterator]() { return {next() { return 5; }}; }}; for (var x of o);
if (true) 1; else 2
if (false) 1
if (false) 1; else if (true) 2
1; if (false) 2
1; {}
1; {2; 3}
1; ;
1; var x = 5
1; function f() {}
1; class A {}
1; let x = 2
1; do { 2; } while (false)
1; for (var i = 0; i < 3; i++) i * 2
1; while (false);
1; switch (5) { case 5: 6; break; 7; }
1; try { 2 } finally { 3 }
1; try { throw 2 } catch (e) { e + 1 } finally { 9 }
2; throw new Error("x")
"directive"
"use strict"; (function () { return this; })()
(function () { return this === globalThis; })()
(function () { return typeof this; }).call(5)
(function () { "use strict"; return typeof this; }).call(5)
(() => this === globalThis)()
switch (3) { case 1: "a"; case 3: "b"; case 4: "c"; break; default: "d"; }
switch (9) { case 1: "a"; default: "d"; case 4: "c"; }
switch ("1") { case 1: "num"; break; case "1": "str"; }
switch (1) { case 1: let x = 5; x; }
switch (1) { case 0: let x; case 1: x; }
switch (1) { default: case 2: function g() { return "g"; } } g()
try { throw 1 } catch { "no binding" }
try { throw {a: 1, b: [2]} } catch ({a, b: [c]}) { a + c }
try { null.x } catch (e) { [e instanceof TypeError, e.name, e.message] }
try { undefinedVar } catch (e) { [e instanceof ReferenceError, e.constructor.name] }
try { eval("1 +") } catch (e) { [e instanceof SyntaxError, e.message] }
(function () { try { return 1; } finally { return 2; } })()
(function () { try { throw 1; } finally { return 2; } })()
(function () { try { return 1; } finally { 2; } })()
(function () { for (;;) { try { return 1; } finally { break; } } return 3; })()
(function () { var i = 0; for (; i < 3; i++) { try { continue; } finally { i++; } } return i; })()
var log = []; try { try { throw 1; } finally { log.push("f"); } } catch (e) { log.push(e); } log
try { try { throw 1; } catch (e) { throw e + 1; } finally { throw 3; } } catch (e) { e }
var e = 1; try { throw 2; } catch (e) { var e = 3; } e
let x = 1; { let x = 2; } x
{ let y = 1; } typeof y
{ x; let x = 1; }
{ const x = 1; x = 2; }
const c = 1; c++; c
const o = {a: 1}; o.a = 2; o.a
let a = a;
let x; x
typeof zz; let zz;
var f = () => later; let later = 5; f()
var f = () => later; f(); let later = 5;
{ function inner() { return 1; } } inner()
"use strict"; { function inner() { return 1; } } typeof inner
if (true) function g() { return 7; } g()
typeof hoisted; { function hoisted() {} }
(function () { var before = typeof h; { function h() {} } return before + typeof h; })()
(function () { let h = 1; { function h() {} } return h; })()
f(); function f() { return "hoisted"; }
function f() { return 1; } function f() { return 2; } f()
var f = 1; function f() {} typeof f
var v = 1; var v; v
(function () { return typeof v; var v = 1; })()
(function (a) { var a; return a; })(5)
(function (a) { "use strict"; a = 6; return arguments[0]; })(5)
(function (a, a) { return a; })(1, 2)
(function (arguments) { return arguments; })(1)
(function () { return [...arguments]; })(1, 2)
(function () { return Object.prototype.toString.call(arguments); })()
(function () { return (() => arguments[0])(); })(8)
(function f(n) { return n ? n * f(n - 1) : 1; })(10)
function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); } fib(12)
function Counter() { var n = 0; return {up: () => ++n, get n() { return n; }}; } var c = Counter(); c.up(); c.up(); c.n
function P(x) { this.x = x; } P.prototype.get = function () { return this.x; }; new P(4).get()
function P() { return {other: 1}; } new P().other
function P() { return 5; } typeof new P()
function P() { return new.target === P; } [new P() instanceof P, P()]
function A() {} A.prototype.constructor === A
function A() {} var a = new A; [a instanceof A, Object.getPrototypeOf(a) === A.prototype, a.constructor.name]
var a = 1⏎b = 2⏎a + b
var a = 1, b = 2⏎;[a, b] = [b, a]⏎a
var i = 1, j = 1⏎i⏎++j⏎;[i, j]
(function () { return⏎5; })()
var f = function () { return 1 }⏎(function () { return 2 })
var x = 5⏎/2/1⏎x
if (true) { } 5
{ a: 1 }
({ a: 1 })
var let_ = 1; let⏎x = 5; x
var yield_ = 1; var yield = 2; yield
var async = 1; async + 1
var async; async⏎function f() {} f
var of = 1, get = 2, set = 3, static = 4, await = 5; [of, get, set, static, await]
debugger; 1
/* comment */ 1 // more
/* multi⏎line */ 2
var a = 1; a⏎/* x */ ++⏎a
;;;3
'use strict'; 010
var x = 08; x
"a" /* c */ + "b"
let [a, b = 2, ...c] = [1, undefined, 3, 4]; [a, b, c]
let {a, b: {c = 5, d: [e]}, ...rest} = {a: 1, b: {d: [2]}, f: 3, g: 4}; [a, c, e, rest]
let {["x" + 1]: y, 2: z, "q-r": w} = {x1: 1, 2: 3, "q-r": 4}; [y, z, w]
let {length} = "hello"; length
let [x, y] = "ab"; x + y
let [, , third] = [1, 2, 3]; third
var a = 1, b = 2; [a, b] = [b, a]; [a, b]
var o = {}; [o.a, o["b"], ...o.c] = [1, 2, 3, 4]; o
var o = {}; ({x: o.a, y: o.b = 7} = {x: 1}); o
var a, b; ({a, b = 3} = {a: 1}); [a, b]
var a, b; [a = 1, [b] = [2]] = []; [a, b]
var x; [x] = [1], x
var {a} = null
var {a} = undefined
var u; var {a: {b}} = {a: u}
var {} = null
var [a] = null
var [a] = undefined
var [a] = {}
var u = 5; var [a] = u
(({a}) => a)()
(([a]) => a)()
(({a = 1, b = a} = {}) => a + b)()
((a, b = () => a) => { a = 5; return b(); })(1)
((a = b, b) => a)()
((a = 1) => { var a; return a; })()
var x = 1; ((a = x) => { var x = 2; return a; })()
function f({a, b}, [c, d] = [3, 4], ...{length}) { return [a, b, c, d, length]; } f({a: 1, b: 2}, undefined, 5, 6)
Object.freeze([1]).push(2)
"use strict"; Object.freeze({a: 1}).a = 2
"use strict"; Object.freeze({a: 1}).b = 2
"use strict"; ({get a() { return 1; }}).a = 2
Object.freeze({a: 1}).a = 2
"use strict"; Object.freeze([1])[0] = 2
var s = 0; for (var i = 0; i < 1000; i++) { if (i % 2) continue; s += i; } s
var memo = {}; function m(n) { return memo[n] ??= n < 2 ? n : m(n - 1) + m(n - 2); } m(50)
