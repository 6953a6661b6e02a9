// Headers, Request and Response without any network.
const rows = [];
function shown(value) {
  return value instanceof Error ? `${value.name}: ${value.message}` : typeof value === "string" ? value : JSON.stringify(value) ?? String(value);
}
async function row(make) {
  let text;
  try {
    text = shown(await make());
  } catch (error) {
    text = `throws ${shown(error)}${error.cause ? ` (${shown(error.cause)})` : ""}`;
  }
  console.log(`${make.toString().replace(/^(async )?\(\) => /, "")}\n  ${text}`);
}
const url = "http://example.com/";
const post = (body, more) => new Request(url, { method: "POST", body, ...more });
const checks = [
  // Headers
  () => [...new Headers({ b: 1, A: " 2 ", "set-cookie": "x" })],
  () => [...new Headers([["a", "1"], ["A", "2"], ["set-cookie", "x"], ["Set-Cookie", "y"]])],
  () => [...new Headers(new Headers({ x: "y" })).keys()],
  () => [...new Headers(new Map([["k", "v"]])).values()],
  () => { const h = new Headers(); h.append("A", "1"); h.append("a", "2"); h.set("B", "3"); h.delete("c"); return [h.get("a"), h.get("b"), h.get("c"), h.has("A"), h.has("z")]; },
  () => { const h = new Headers({ a: "1", b: "2" }); h.set("A", "3"); h.delete("B"); return [...h.entries()]; },
  () => new Headers([["set-cookie", "x"], ["set-cookie", "y"]]).getSetCookie(),
  () => new Headers([["set-cookie", "x"], ["set-cookie", "y"]]).get("set-cookie"),
  () => { const seen = []; new Headers({ b: "2", a: "1" }).forEach(function (v, n, h) { seen.push(v, n, h instanceof Headers, this.x); }, { x: 5 }); return seen; },
  () => { const h = new Headers({ a: "1" }); const seen = []; for (const [name] of h) { seen.push(name); if (seen.length < 4) h.set(`${name}a`, "x"); } return seen; },
  () => Object.prototype.toString.call(new Headers().entries()),
  () => new Headers().entries().next(),
  () => new Headers({ a: "b" }).entries().next(),
  () => new Headers().append("a b", "c"),
  () => new Headers().append("", "c"),
  () => new Headers().append("a", "c\nd"),
  () => new Headers({ a: "\t b\r\n" }).get("a"),
  () => new Headers().append("a", "\u2603"),
  () => new Headers({ a: "\u00e9" }).get("a"),
  () => new Headers().append("a"),
  () => new Headers().get(),
  () => new Headers().forEach(),
  () => new Headers(5),
  () => new Headers([["a"]]),
  () => new Headers([["a", "b", "c"]]),
  () => new Headers(undefined).get("x"),
  () => Headers.prototype.get.call({}, "a"),
  () => Object.prototype.toString.call(new Headers()),
  () => Headers.prototype.entries === Headers.prototype[Symbol.iterator],
  // Request
  () => { const r = new Request("HTTP://Example.com:80/a b?c#d"); return [r.url, r.method, r.mode, r.credentials, r.cache, r.redirect, r.referrer, r.referrerPolicy, r.integrity, r.keepalive, r.duplex, r.destination, r.body, r.bodyUsed]; },
  () => new Request("/x"),
  () => new Request("http://a:b@x/"),
  () => new Request(url, { method: "CONNECT" }),
  () => new Request(url, { method: "a b" }),
  () => [new Request(url, { method: "post" }).method, new Request(url, { method: "Report" }).method],
  () => new Request(url, { body: "1" }),
  () => new Request(url, { redirect: "no" }),
  () => new Request(url, { mode: "navigate" }),
  () => new Request(url, { signal: 3 }),
  () => new Request(url, { signal: null }).signal instanceof AbortSignal,
  () => post(new ReadableStream()),
  () => post("é").headers.get("content-type"),
  () => post(new URLSearchParams("a=1&b=é")).text(),
  () => post(new URLSearchParams("a=1")).headers.get("content-type"),
  () => post(new Uint8Array([104, 105])).text(),
  () => post(new Uint8Array([1])).headers.get("content-type"),
  () => post(new Uint8Array([1, 2, 3, 4]).subarray(1, 3)).arrayBuffer().then((b) => [...new Uint8Array(b)]),
  () => post(new DataView(new ArrayBuffer(3), 1)).arrayBuffer().then((b) => b.byteLength),
  () => post({}).text(),
  () => post(5, { headers: { "Content-Type": "x/y" } }).headers.get("content-type"),
  async () => { const r = post("x"); const c = new Request(r, { headers: { a: "b" } }); return [r.bodyUsed, c.bodyUsed, await c.text(), c.headers.get("a"), c.headers.get("content-type")]; },
  async () => { const r = post("x"); const c = r.clone(); return [await r.text(), await c.text(), r.bodyUsed]; },
  () => { const r = post("x"); r.text(); return new Request(r); },
  () => post('{"a": [1]}').json(),
  () => post("{").json(),
  // Response
  () => { const r = new Response("é"); return [r.type, r.url, r.redirected, r.status, r.ok, r.statusText, r.headers.get("content-type"), String(r.body), r.bodyUsed]; },
  () => new Response().body,
  () => new Response(null, { status: 204, statusText: "None" }).statusText,
  () => new Response("x", { status: 99 }),
  () => new Response("x", { status: 204 }),
  () => new Response("x", { statusText: "\n" }),
  () => { const r = new Response("x"); r.text(); return r.text(); },
  () => { const r = new Response("x"); r.text(); return r.clone(); },
  () => { const r = new Response("x"); r.body.getReader(); return r.text(); },
  async () => { const r = new Response("x"); const p = r.text(); return [r.bodyUsed, await p, r.bodyUsed]; },
  () => new Response("\ufeffabc").text().then((text) => text.length),
  () => new Response(new Uint8Array([0x61, 0xff, 0xe2, 0x82, 0x62])).text(),
  () => new Response("a\ud800b").text(),
  () => new Response().text(),
  () => new Response().json(),
  () => new Response().arrayBuffer().then((b) => b.byteLength),
  async () => { const r = new Response("abc"); const c = r.clone(); return [await r.text(), await c.text()]; },
  async () => { const r = new Response("abc"); r.body; const c = r.clone(); return [await c.text(), await r.text()]; },
  async () => { const { value, done } = await new Response("xy").body.getReader().read(); return [value.constructor.name, [...value], done]; },
  () => Response.json({ a: 1 }, { status: 201 }).text(),
  () => Response.json(undefined),
  () => Response.json(1).headers.get("content-type"),
  () => Response.redirect("http://x/", 200),
  () => { const r = Response.redirect("http://x/y", 307); return [r.status, r.headers.get("location")]; },
  () => Response.redirect("http://x/").headers.set("a", "b"),
  () => [Response.error().type, Response.error().status],
  () => new Response(new ReadableStream({ start(c) { c.enqueue("text"); c.close(); } })).text(),
  () => new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array([104])); c.enqueue(new Uint8Array([105])); c.close(); } })).text(),
  () => new Response(new ReadableStream({ pull(c) { c.error(new Error("mine")); } })).text(),
  () => [Headers.length, Request.length, Response.length, fetch.length, ReadableStream.length],
  // What fails before there is any request
  () => fetch(),
  () => fetch("/x"),
  () => fetch("ftp://x/"),
  () => fetch("http://a:b@x/"),
  () => fetch(url, { signal: AbortSignal.abort() }),
  () => fetch(url, { signal: AbortSignal.abort("mine") }).catch((e) => e),
];
(async () => {
  for (const check of checks) await row(check);
})();
