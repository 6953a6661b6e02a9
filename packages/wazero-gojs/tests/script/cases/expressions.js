1 + 2 * 3
(1 + 2) * 3
2 ** 3 ** 2
(-2) ** 2
7 % 3
-7 % 3
-4 % 2
5 / 0
-5 / 0
0 / 0
0 * -1
-0
1 / -0
0.1 + 0.2
1e21 + 1
9007199254740991 + 2
2 ** 53 * 3
0x10 + 0b11 + 0o17 + 017 + .5 + 1_000 + 1e3
10n ** 20n
7n / 2n
-7n / 2n
-7n % 2n
1n << 70n
-5n >> 1n
~5n
-(-5n)
5n & 3n | 8n ^ 1n
typeof 1n
1n + 1
1n == 1
2n > 1
1n === 1
1n / 0n
1n >>> 0n
+1n
"a" + 1 + 2
1 + 2 + "a"
"3" * "4"
"b" - 1
[] + {}
[] + []
[1, 2] + [3]
null + 1
undefined + 1
true + true
"5" + null
1 < 2 < 3
3 > 2 > 1
"b" > "a"
"10" < "9"
"10" < 9
NaN < NaN
null >= 0
undefined == null
null == 0
"" == 0
"1" == 1
true == "1"
[1] == 1
({}) == "[object Object]"
NaN == NaN
NaN != NaN
null === undefined
"a" === "a"
1 === 1.0
5 & 3
5 | 3
5 ^ 3
~5
1 << 31
1 << 32
-1 >> 1
-1 >>> 0
-1 >>> 28
4294967296 | 0
2147483648 | 0
1.9 | 0
!0
!!"a"
!""
-"3"
+"0x1f"
+""
+"abc"
+[]
+{}
+[5]
typeof undefined
typeof null
typeof {}
typeof []
typeof "a"
typeof 1
typeof true
typeof function () {}
typeof class {}
typeof Symbol()
typeof nothingAtAll
void 0
void "x"
1, 2, 3
true && 1
false && 1
0 || "x"
1 || x
null ?? 5
0 ?? 5
undefined ?? null ?? 3
(null || undefined) ?? "z"
true ? 1 : 2
0 ? 1 : "" ? 2 : 3
"a" in {a: 1}
1 in [5, 6]
2 in [5, 6]
"length" in []
[] instanceof Array
[] instanceof Object
({}) instanceof Array
(() => 1) instanceof Function
"a" in "abc"
1 in 5
1 instanceof 1
1 instanceof {}
var x = 1; x += 2; x -= 1; x *= 10; x /= 4; x **= 2; x %= 7; x
var x = 12; x <<= 2; x >>= 1; x >>>= 1; x &= 10; x |= 5; x ^= 3; x
var a = null; a ??= 4; a ||= 5; a &&= 6; a
var o = {a: 0}; o.a ||= 3; o.b ??= 4; o.a &&= 5; [o.a, o.b]
var n = 0; var o = {get x() { n++; return 1; }}; o.x ||= 2; o.x ??= 2; n
var i = 5; [i++, i, ++i, i--, --i]
var s = "5"; s++; s
var s = "x"; s++; s
var b = 5n; b++; [b, --b]
var o = {n: 1}; o.n++; o["n"] += 5; ++o.n; o.n
var a = [1, 2]; a[0]++; a[1] += a[0]; a
var x; x = x = 5; x
var o = {a: {b: {c: 1}}}; o.a.b["c"]
var o = null; o?.a
var o = null; o?.a.b.c.d
var o = null; o?.[x.y]
var o = null; o?.f(1)
var o = {}; o.f?.(1)
var o = {f() { return this.v; }, v: 3}; o.f?.()
var o = {f() { return this.v; }, v: 3}; (o?.f)()
var o = {a: {f() { return this.v; }, v: 4}}; o?.a?.f?.()
var o = {}; o?.a.b
delete ({})?.a
var o = {a: 1, b: 2}; [delete o.a, delete o.zz, Object.keys(o)]
delete 5
delete undeclaredThing
var declared = 1; delete declared
"use strict"; delete Object.freeze({a: 1}).a
delete null.x
`a${1 + 1}b${"c"}d`
`line⏎two`
`a\tb\u0041\x41\u{1f600}`
`\${x}`
`nested ${`in ${1}`}`
`${{toString() { return "T"; }}}`
`${Symbol()}`
"\x41\u0042\u{43}\n\0\v\'\"\\\q"
"\ud83d\ude00".length
"\ud83d" + "\ude00" === "😀"
'a\⏎b'
"\101\8"
((s, ...v) => [s, s.raw, v])`a${1}\n${2}b`
((s) => s)`\u{bad}`
((s) => s.raw)`\u{bad}\xg`
(s => Object.isFrozen(s) && Object.isFrozen(s.raw))`x`
var f = () => (s => s)`x`; f() === f()
var o = {t(s) { return this.v + s[0]; }, v: "v"}; o.t`z`
new (function F() { this.a = 1; })().a
new Date(0).getTime()
new Object
new Array(3).length
new Number(5) + 1
typeof new Boolean(false)
new (class { constructor(a, b) { this.s = a + b; } })(1, 2).s
new Math.max(1)
new (() => 1)
new 5
new undefinedThing()
var d = {c: {D: class { v = 3 }}}; new d.c.D().v
[1, , 3]
[1, , 3].length
[,].length
1 in [1, , 3]
[...[1, 2], ...new Set([3, 4]), ..."ab"]
Math.max(...[1, 5, 3], 4)
[...5]
Math.max(...5)
[...undefined]
[...{}]
({a: 1, "b-c": 2, 3: 4, ["d" + 1]: 5, e() { return 6; }, get f() { return 7; }})
var a = 1, b = 2; ({a, b})
({...{a: 1, b: 2}, b: 3, ..."hi", ...null, ...[9]})
({__proto__: {inherited: 1}}).inherited
({"__proto__": null}) instanceof Object
Object.keys({["__proto__"]: 1})
var __proto__ = 5; Object.keys({__proto__})
({get a() { return this.b; }, set a(v) { this.b = v * 2; }, b: 1}).a
var o = {set a(v) { this.b = v * 2; }}; o.a = 4; [o.a, o.b]
var o = {get [`x${1}`]() { return 1; }}; Object.getOwnPropertyDescriptor(o, "x1").get.name
({async: 1, get: 2, set: 3, static: 4, of: 5, let: 6, yield: 7, await: 8, new: 9, if: 10})
({get: 1}).get + ({set() { return 2; }}).set()
({async() { return 1; }}).async()
({f: function () {}}).f.name + ({g: () => 1}).g.name + ({h() {}}).h.name
({1: "a", 0: "b", x: "c", 2: "d"})
"abc".length
"abc"[1]
"abc"["1"]
"abc".at(-1)
"abc".toUpperCase()
(5).toFixed(1)
5..toString()
true.toString()
"abc".foo
"abc".foo = 1
"use strict"; "abc".foo = 1
"use strict"; (5).x = 1
"use strict"; "abc".length = 1
/a(b)c/.exec("xabcx")[1]
/[/]\//.source
/x/gi.flags
"a/b/c".split(/\//g)
/=/.test("=")
var a = 4, g = 2; a /2/ g
"aXbX".replace(/x/gi, m => m + "!")
this === globalThis
typeof this
globalThis.q1 = 5; q1
q2 = 6; globalThis.q2
"use strict"; q3 = 6
undefined = 5; undefined
var \u0061bc = 3; abc
var ünïcödé = 1, $ = 2, _ = 3; ünïcödé + $ + _
var o = {class: 1, \u0069f: 2}; o.class + o.if
[1, 2, 3].map(x => x * 2).filter(x => x > 2).reduce((a, b) => a + b)
[3, 1, 2].sort((a, b) => a - b)
[[1, 2], [3, 4]].map(([a, b]) => a * b)
(x => y => x + y)(1)(2)
(() => ({a: 1}))()
((a, b = a + 1, ...c) => [a, b, c])(1, undefined, 3, 4)
(function () { return arguments.length; })(1, 2, 3)
(a => a, 5)
Symbol.iterator in []
({[Symbol.toPrimitive](h) { return h; }}) + ""
`${{[Symbol.toPrimitive](h) { return h; }}}`
+{[Symbol.toPrimitive](h) { return h === "number" ? 42 : 0; }}
Symbol() + ""
+Symbol()
({}) + 1
({valueOf() { return 5; }}) * 2
({valueOf() { return {}; }, toString() { return {}; }}) + ""
[10, 9, 1].sort()
[1, [2, [3]]].toString()
JSON.stringify({a: [1, {b: null}], c: undefined})
String(function f(a, b) { return a + b; })
String(class A { x() {} })
String((a) => a)
String({m(a) { return 1; }}.m)
(async x => x).toString()
(function f(a, b = 1, c) {}).length
((...a) => 1).length
((a, b) => 1).length
(function () {}).name
(() => {}).prototype
typeof (function () {}).prototype
({m() {}}).m.prototype
var f = function () {}; f.name
var f = () => {}; f.name
let f = class {}; f.name
var {f = () => 1} = {}; f.name
var [f = function () {}] = []; f.name
(function named() { return named.name; })()
(function named() { named = 1; return typeof named; })()
(function named() { "use strict"; named = 1; })()
