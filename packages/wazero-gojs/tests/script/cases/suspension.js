function* g() { yield 1; yield 2; return 3; } [...g()]
function* g() { var x = yield 1; var y = yield x * 2; return x + y; } var i = g(); [i.next(), i.next(5), i.next(6), i.next()]
function* g() { yield* [1, 2]; yield* "ab"; return yield* (function* () { yield 3; return 4; })(); } var i = g(), r = []; for (;;) { var s = i.next(); r.push(s.value); if (s.done) break; } r
function* g() { try { yield 1; } finally { yield "cleanup"; } } var i = g(); [i.next(), i.return(9), i.next(), i.next()]
function* g() { try { yield 1; } catch (e) { yield "caught " + e; } yield "after"; } var i = g(); i.next(); [i.throw("x"), i.next(), i.next()]
function* g() { yield 1; } var i = g(); i.throw(new Error("early"))
function* g() { yield 1; } var i = g(); [i.return(5), i.next()]
function* g() { i.next(); yield 1; } var i = g(); i.next()
function* g() { var i = 0; while (true) { var reset = yield i++; if (reset) i = 0; } } var it = g(); [it.next().value, it.next().value, it.next(true).value, it.next().value]
function* g() { for (let i = 0; i < 3; i++) yield () => i; } [...g()].map(f => f())
function* g() { for (const x of [1, 2, 3]) { if (x == 2) continue; yield x; } } [...g()]
function* g() { for (const k in {a: 1, b: 2}) yield k; } [...g()]
function* g() { outer: for (var i = 0; i < 3; i++) for (var j = 0; j < 3; j++) { if (j == 1) continue outer; yield i * 10 + j; } } [...g()]
function* g() { do { yield 1; } while (yield 2); } var i = g(); [i.next(), i.next(), i.next(true), i.next(), i.next(false)]
function* g() { switch (yield 0) { case 1: yield "one"; case 2: yield "two"; break; default: yield "other"; } } var i = g(); i.next(); [i.next(1).value, i.next().value, i.next().done]
function* g() { yield (yield 1) + (yield 2); } var i = g(); [i.next(), i.next(10), i.next(20), i.next()]
function* g() { return [yield 1, yield 2, ...(yield 3)]; } var i = g(); i.next(); i.next("a"); i.next("b"); i.next([7, 8]).value
function* g() { return {a: yield 1, [yield 2]: yield 3, m() { return 1; }}; } var i = g(); i.next(); i.next("a"); i.next("k"); i.next("v").value.k
function* g() { var o = {f(...a) { return [this.n, a]; }, n: 5}; return o.f(yield 1, o.n = 6, yield 2); } var i = g(); i.next(); i.next("x"); i.next("y").value
function* g() { return (yield 1) ? yield "yes" : yield "no"; } var i = g(); i.next(); [i.next(0).value, i.next("end").value]
function* g() { return (yield 1) && (yield 2) || (yield 3) ?? 4; } var i = g()
function* g() { return ((yield 1) && (yield 2)) || (yield 3); } var i = g(); i.next(); [i.next(0).value, i.next("z").value]
function* g() { var x = 1; x += yield x; return x; } var i = g(); i.next(); i.next(5).value
function* g() { var o = {a: 1}; o.a += yield o.a; o["b"] = yield 2; return o; } var i = g(); i.next(); i.next(5); i.next(6).value
function* g() { var [a, b = 5] = yield 1; var {c} = yield 2; return a + b + c; } var i = g(); i.next(); i.next([1]); i.next({c: 3}).value
function* g() { return `a${yield 1}b${yield 2}`; } var i = g(); i.next(); i.next("X"); i.next("Y").value
function* g() { return typeof (yield 1); } var i = g(); i.next(); i.next("s").value
function* g() { throw yield 1; } var i = g(); i.next(); i.next(new Error("thrown"))
function* g() { yield; yield⏎1; } [...g()]
function* g(a, b = a + 1) { yield a; yield b; yield arguments.length; yield typeof this; } [...g.call({}, 1)]
var o = {*g() { yield this.v; }, v: 3}; [...o.g()]
function* g() {} [Object.prototype.toString.call(g()), g() instanceof g, typeof g().next, g()[Symbol.iterator]() !== undefined]
function* g() {} new g()
function* fib() { let [a, b] = [0, 1]; for (;;) { yield a; [a, b] = [b, a + b]; } } var r = []; for (const x of fib()) { if (x > 50) break; r.push(x); } r
var closed = false; function* g() { try { yield 1; yield 2; } finally { closed = true; } } for (const x of g()) break; closed
var closed = false; function* g() { try { yield 1; yield 2; } finally { closed = true; } } var [a] = g(); [a, closed]
function* inner() { try { yield 1; } finally { log.push("inner"); } } var log = []; function* outer() { try { yield* inner(); } finally { log.push("outer"); } } var i = outer(); i.next(); i.return(4); log
function* g() { label: { yield 1; break label; } yield 2; } [...g()]
function* g() { let x = 1; { let x = yield; yield x; } yield x; } var i = g(); i.next(); [i.next(7).value, i.next().value]
function* g() { if (yield 1) yield 2; else yield 3; } var i = g(); i.next(); i.next(false).value
function* g() { yield* 5; } [...g()]
var g = function* () { yield 1; }; [g.name, [...g()].length]
var f = function* yield_() { var x = yield; return x; }; f().next().done
function* g() { var yield; }
function* g(x = yield) { }
async function f() { return 1; } f().then(v => RESULT = v); f() instanceof Promise
async function f() { return await 1 + await Promise.resolve(2); } f().then(v => RESULT = v)
async function f() { throw new Error("rejected"); } f().catch(e => RESULT = e)
async function f() { try { await Promise.reject(new Error("r")); } catch (e) { return "caught " + e.message; } finally { log.push("f"); } } var log = []; f().then(v => RESULT = [v, log])
var f = async x => { var y = await x; return y * 2; }; f(Promise.resolve(4)).then(v => RESULT = v)
var f = async (x, y = 2) => await x + y; f(1).then(v => RESULT = v)
var log = []; async function f() { log.push(1); await null; log.push(3); } f(); log.push(2); Promise.resolve().then(() => RESULT = log)
async function f() { for (const x of [1, 2, 3]) { await x; if (x == 2) return x; } } f().then(v => RESULT = v)
async function f() { var r = []; for (let i = 0; i < await 3; i++) r.push(await i); return r; } f().then(v => RESULT = v)
async function f(o) { return (await o)?.a.b; } f({a: {b: 4}}).then(v => RESULT = v)
async function f(o) { return await (await o).m(await 1, await 2); } f({m(a, b) { return this.k + a + b; }, k: 10}).then(v => RESULT = v)
async function f({a}) { return a; } f().catch(e => RESULT = e)
async function f() { await {then(r) { r(7); }}; return await {then(r) { r(8); }}; } f().then(v => RESULT = v)
var o = {async m() { return this.v; }, v: 6}; o.m().then(v => RESULT = v)
class A { async m() { return await super.toString(); } } new A().m().then(v => RESULT = v)
async function f() { return await Promise.all([1, Promise.resolve(2), (async () => 3)()]); } f().then(v => RESULT = v)
async function f() { const [a, b] = await Promise.all([1, 2]); const {c = 3} = await {}; return a + b + c; } f().then(v => RESULT = v)
async function f() { return arguments.length + await this.x; } f.call({x: 5}, 1, 2).then(v => RESULT = v)
async function f() { while (true) { try { if (n++ > 2) break; await n; } finally { log.push(n); } } return log; } var n = 0, log = []; f().then(v => RESULT = v)
async function f() { await; }
function f() { await 1; }
async () => { var await; }
new (async function () {})
(async function named() { return named.name; })().then(v => RESULT = v)
(async () => { await (async () => { throw 1; })(); })().catch(e => RESULT = ["c", e])
