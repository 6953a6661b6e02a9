class A { constructor(x) { this.x = x; } get y() { return this.x * 2; } set y(v) { this.x = v; } m() { return this.x; } static s() { return "s"; } } var a = new A(3); a.y = 5; [a.m(), a.y, A.s()]
class A { m() { return "A"; } } class B extends A { m() { return super.m() + "B"; } } new B().m()
class A { constructor() { this.n = new.target.name; } } class B extends A {} [new A().n, new B().n]
class A { constructor(...args) { this.args = args; } } class B extends A {} new B(1, 2).args
class A { static s() { return this.name; } } class B extends A { static s() { return super.s() + "!"; } } B.s()
class A { x = 1; y = this.x + 1; static z = 3; ["c" + 1] = 4; "d e" = 5; 6 = 7; u; } [new A(), A.z]
class A { f = () => this.v; v = 8; } var {f} = new A(); f()
class A { x = 1 } class B extends A { y = this.x + 1 } new B()
class A { static a = 1; static b = this.a + 1; static f = () => this.b; } A.f()
class A { get = 1; set = 2; static = 3; async = 4; } new A()
class A { static static() { return 1; } get() { return 2; } set() { return 3; } async() { return 4; } } var a = new A; [A.static(), a.get(), a.set(), a.async()]
class A { 'quoted name'() { return 1; } 5() { return 2; } [`c${1}`]() { return 3; } } var a = new A; [a["quoted name"](), a[5](), a.c1()]
class A { static async m() { return 1; } *g() { yield 2; } } [A.m() instanceof Promise, [...new A().g()]]
class A extends Error { constructor(m) { super(m); this.name = "A"; } } var e = new A("msg"); [e instanceof A, e instanceof Error, e.message, String(e)]
class MyError extends Error {} var e = new MyError("m"); [e.name, e.message, e instanceof MyError, e.constructor.name]
class MyArray extends Array { sum() { return this.reduce((a, b) => a + b, 0); } } var a = MyArray.from([1, 2, 3]); [a.sum(), a.length, a instanceof MyArray, Array.isArray(a)]
class MyArray extends Array {} var a = new MyArray(); a.push(1, 2); [a.length, a[1]]
class M extends Map { getOr(k, d) { return this.has(k) ? this.get(k) : d; } } new M([[1, 2]]).getOr(5, 6)
class P extends Promise {} P.resolve(1) instanceof P
class F extends Function {} new F("a", "return a * 2")(4)
class A {} A()
class A { constructor() {} } A.call({})
class B extends Object { constructor() { } } new B()
class A {} class B extends A { constructor() { this.x = 1; super(); } } new B()
class A {} class B extends A { constructor() { super(); super(); } } new B()
class A {} class B extends A { constructor() { return {own: 1}; } } new B()
class A {} class B extends A { constructor() { super(); return 5; } } new B()
class A {} class B extends A { constructor() { var f = () => super(); f(); this.x = 1; } } new B()
class A {} class B extends A { constructor() { return; } } new B()
class B extends null {} new B()
class B extends null { static x() { return 1; } } B.x()
class B extends 5 {}
class B extends undefined {}
class B extends (() => 1) {}
class A extends (class { m() { return 9; } }) {} new A().m()
function F() { this.f = 1; } F.prototype.m = function () { return this.f; }; class G extends F {} new G().m()
typeof class {}
(class {}).name
(class Named {}).name
var C = class { static n = C?.name }; C.name
let A = class B { m() { return B.name; } }; [new A().m(), typeof B]
class A { m() { A = 1; } } new A().m()
class A {} A = 5; A
new A(); class A {}
{ class X {} } typeof X
class A { constructor() { } constructor() { } }
class A { get constructor() { } }
class A { static prototype() { } }
class A { m() { super(); } }
function f() { super.x; }
({m() { return super.toString === Object.prototype.toString; }}).m()
var base = {hi() { return "base " + this.n; }}; var o = {__proto__: base, n: 1, hi() { return super.hi() + "!"; }}; o.hi()
class A { set v(x) { this._v = x; } } class B extends A { set v(x) { super.v = x + 1; } } var b = new B; b.v = 1; b._v
class A { get v() { return 1; } } class B extends A { get v() { return super.v + super["v"]; } } new B().v
class A { m() { return (() => super.toString())(); } } new A().m()
Object.getOwnPropertyNames(class { static m() {} }).sort()
Object.getOwnPropertyNames((class { m() {} get x() { return 1; } }).prototype)
Object.keys((class { m() {} }).prototype)
var k = 0; class A { [k++] = k; [k++]() {} } [Object.keys(new A()), k]
class A { m() { return undefinedInStrict = 1; } } new A().m()
class A { static create() { return new this(); } } class B extends A {} B.create() instanceof B
class A { static [Symbol.hasInstance](v) { return v === 1; } } [1 instanceof A, 2 instanceof A]
class A { *[Symbol.iterator]() { yield 1; yield 2; } } [...new A()]
class A { toString() { return "A!"; } } `${new A()}`
class A { valueOf() { return 7; } } new A() * 2
class A { constructor() { Object.freeze(this); } } class B extends A { x = 1 } new B()
class Stack { items = []; push(x) { this.items.push(x); return this; } get size() { return this.items.length; } } new Stack().push(1).push(2).size
var mixin = B => class extends B { mixed() { return "mixed"; } }; class A {} new (mixin(A))().mixed()
class A { a = 1; a = 2; } new A().a
class A { async = 1⏎get⏎x() { return 5; } } new A().x
class A { x⏎y = 2 } Object.keys(new A())
class A { static = 5 } new A().static
