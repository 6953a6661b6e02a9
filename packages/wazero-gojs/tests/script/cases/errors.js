x
x.y
undefined.x
null.x
null[0]
undefined["a b"]
undefined[Symbol("s")]
var u; u.x
var u; u.x.y
var u; u.x = 1
var u; u[0] = 1
var u; u()
var o = {}; o.f()
var o = {}; o.a.b
var o = {}; o.a.b()
var o = {a: {}}; o.a.b()
var o = {}; o["f"]()
var o = {}, k = "f"; o[k]()
var o = {}; o[0]()
[].f()
"abc".f()
(1)()
"a"()
(function () {})()()
(() => 5)()()
null()
undefined()
this.nope()
f(1)(2); function f() {}
new (class { m() {} })().n()
({}).x.y
[][0].x
new Foo
var a = 5; new a
var o = {}; new o.P
var o = {}; new o.p.q
const c = 1; c = 2
const [c] = [1]; c += 2
for (const i = 0; i < 2; i++);
x; let x
x = 1; let x
typeof x; let x
f(); let g = 1; function f() { return g; }
throw 5
throw {a: 1}
throw new TypeError("mine")
throw null
throw undefined
Symbol() + 1
BigInt(1) + 1
Object.defineProperty({}, "a", {get: 5})
[].reduce((a, b) => a)
new Array(-1)
"x".repeat(-1)
(1).toFixed(101)
JSON.parse("{")
decodeURIComponent("%")
null instanceof null
1 in null
[...null]
var {a: {b}} = {}
var f = ({a: {b}}) => b; f({})
let {x} = y
function f() { f(); } f()
var f = () => f() + 1; f()
var o = {get x() { return this.x; }}; o.x
class A { constructor() { new A(); } } new A()
var a = []; a[0] = a; String(a)
var o = {toString() { return `${this}`; }}; `${o}`
Object.setPrototypeOf({}, 5)
1 +
)
(
{
}
[1, 2
(1, 2
f(1, 2
f(1 2)
a b
1 2
"a" "b"
"abc
'abc
`abc
`${1
`${1 2}`
/abc
/[/
/(/
/a/gg
1a
0x
0b2
1__0
1_
08n
"\u{110000}"
"\xg"
"\u12"
@
#
a ? b
if
if (
if (1
if (1) else
while (1
do x
for (
for (;;
for (var i
for (let x of
for (let x, y of [])
for (let x = 1 of [])
for (1 of [])
for (const x;;);
function
function (
function f
function f(
function f() {
function () {}
(function ( {})
(a, b) => {
=> 1
() =>
()
(a, ) 
(a, b) + 1 => 2
(a.b) => 1
(1) => 1
({a: 1}) => 1
(...a, b) => 1
function f(...a, b) {}
function f(...a = []) {}
({a, b) => 1
({a = 1})
({a: 1, get})
({get a(x) {}})
({set a() {}})
({a b})
({if})
class
class {
class A {
class A extends {}
class A { x y }
class A { constructor() { } get constructor() { } }
var
var 1
var if
var a b
let
let let = 1
let a, a
let a; var a
var a; let a
let a; { var a; }
const a
const {a}
let [a]
var {a}
function f(a) { let a; }
"use strict"; var let
"use strict"; var yield
"use strict"; var static
"use strict"; eval = 1
"use strict"; arguments++
"use strict"; function eval() {}
"use strict"; function f(a, a) {}
"use strict"; delete x
"use strict"; with (a) {}
"use strict"; 010
"use strict"; "\01"
"use strict"; implements
function f(a = 1) { "use strict"; }
(a, a) => 1
function f(a, [a]) {}
1 = 2
1++
++1
this = 1
new.target = 1
[1] = [2]
({a: 1} = {})
({a}) = 1
[a + b] = 1
[...a, b] = 1
({...a, b} = 1)
({...{a}} = 1)
let {...{a}} = 1
a?.b = 1
new a?.b()
a?.`x`
for (a?.b of []);
-1 ** 2
typeof 1 ** 2
a ?? b || c
a && b ?? c
break
continue
while (1) { break foo; }
while (1) { continue foo; }
foo: { continue foo; }
foo: foo: 1
if (1) { break; }
(() => { break; })
for (;;) { (() => { break; }); }
return 1
yield 1
await 1
super.x
super()
new.target
(() => new.target)
import x from "y"
export default 1
enum
throw
throw⏎1
try {}
try { } catch
try { } catch (
switch (1) { case }
switch (1) { default: default: }
switch (1) { foo }
switch (1) { case 1: let a; case 2: let a; }
case 1:
else 1
catch (e) {}
if (1) let x
if (1) let [x] = 1
if (1) const x = 1
if (1) class A {}
while (0) function f() {}
"use strict"; if (1) function f() {}
label: let x
label: function* g() {}
v\u0061r x
var v\u0061r
/* unterminated
<!-- html
a => { } ()
async (a, a) => 1
async () => { await }
function* g() { yield = 1 }
let undefined = 1
x\u{0}
\
