// ReadableStream, with sources of the script's own.
function shown(value) {
  return value instanceof Error ? `${value.name}: ${value.message}` : typeof value === "string" ? value : JSON.stringify(value) ?? String(value);
}
async function row(name, make) {
  const log = [];
  let text;
  try {
    text = shown(await make((line) => log.push(shown(line))));
  } catch (error) {
    text = `throws ${shown(error)}`;
  }
  console.log(`${name}: ${text}${log.length ? `\n  ${log.join("\n  ")}` : ""}`);
}
const counting = (log, last) => {
  let n = 0;
  return {
    start() { log("start"); },
    pull(c) { log(`pull ${n} ${c.desiredSize}`); c.enqueue(n++); if (n > last) c.close(); },
    cancel(reason) { log(`cancel ${reason}`); },
  };
};
const turn = () => new Promise((done) => setTimeout(done, 0));
async function each(iterable, goOn) { // what for await does
  const iterator = iterable[Symbol.asyncIterator]();
  for (let x; !(x = await iterator.next()).done; ) if (!goOn(x.value)) {
    await turn(); // as to jobs, Node takes some more
    return void (await iterator.return());
  }
}
const rows = {
  async "all chunks"(log) { const r = new ReadableStream(counting(log, 2)).getReader(); const seen = []; for (let x; !(x = await r.read()).done; ) seen.push(x.value); await r.closed; return seen; },
  async "nothing is pulled before it is asked for"(log) { const s = new ReadableStream(counting(log, 9), { highWaterMark: 0 }); await turn(); log("now"); const r = s.getReader(); await r.read(); await turn(); return "ok"; },
  async "the queue is filled"(log) { new ReadableStream(counting(log, 9), { highWaterMark: 3 }); await turn(); return "ok"; },
  async "sizes"(log) { let c; const s = new ReadableStream({ start(x) { c = x; } }, { highWaterMark: 10, size: (x) => x.length }); c.enqueue("abcd"); log(c.desiredSize); c.enqueue("abcdefgh"); log(c.desiredSize); const r = s.getReader(); await r.read(); log(c.desiredSize); return "ok"; },
  async "a bad size"(log) { let c; const s = new ReadableStream({ start(x) { c = x; } }, { size: () => NaN }); try { c.enqueue(1); } catch (e) { log(e.name); } try { await s.getReader().read(); } catch (e) { log(e.name); } log(c.desiredSize); },
  async "cancel"(log) { const s = new ReadableStream(counting(log, 9), { highWaterMark: 1 }); await turn(); log(await s.cancel("enough")); return s.getReader().read(); },
  async "cancel by the reader"(log) { const r = new ReadableStream(counting(log, 9), { highWaterMark: 0 }).getReader(); const p = r.read(); await r.cancel("r"); return [await p, await r.read()]; },
  async "cancel that fails"() { return new ReadableStream({ cancel() { throw new Error("no"); } }).cancel(); },
  async "error"(log) { let c; const s = new ReadableStream({ start(x) { c = x; } }); c.enqueue(1); const r = s.getReader(); r.closed.catch((e) => log(`closed ${e.message}`)); c.error(new Error("bad")); log(c.desiredSize); try { await r.read(); } catch (e) { log(e); } c.error(new Error("worse")); return s.cancel(); },
  async "start that fails"() { return new ReadableStream({ start() { throw new RangeError("s"); } }); },
  async "start whose promise fails"() { return new ReadableStream({ start: () => Promise.reject(new RangeError("s")) }).getReader().read(); },
  async "start that takes time"(log) { let go; const s = new ReadableStream({ start: () => new Promise((d) => (go = d)), pull(c) { log("pull"); c.enqueue(1); } }); await turn(); log("go"); go(); return (await s.getReader().read()).value; },
  async "pull that fails"() { return new ReadableStream({ pull() { throw new RangeError("p"); } }).getReader().read(); },
  async "pull whose promise fails"() { return new ReadableStream({ pull: () => Promise.reject(new RangeError("p")) }).getReader().read(); },
  async "pull waits for its promise"(log) { let n = 0; const r = new ReadableStream({ async pull(c) { log(`in ${n}`); await turn(); c.enqueue(n++); log(`out ${n}`); } }, { highWaterMark: 0 }).getReader(); const all = await Promise.all([r.read(), r.read(), r.read()]); return all.map((x) => x.value); },
  async "locked"(log) { const s = new ReadableStream(); log(s.locked); const r = s.getReader(); log(s.locked); try { s.getReader(); } catch (e) { log(e); } try { await s.cancel(); } catch (e) { log(e); } r.releaseLock(); log(s.locked); r.releaseLock(); try { await r.read(); } catch (e) { log(e); } return s.getReader() !== r; },
  async "release while somebody reads"(log) { const s = new ReadableStream(); const r = s.getReader(); const p = r.read().catch((e) => e.name); r.closed.catch((e) => log(`closed ${e.name}`)); r.releaseLock(); return p; },
  async "close twice"() { new ReadableStream({ start(c) { c.close(); c.close(); } }); },
  async "enqueue after close"() { new ReadableStream({ start(c) { c.close(); c.enqueue(1); } }); },
  async "close after chunks"() { const r = new ReadableStream({ start(c) { c.enqueue(1); c.close(); } }).getReader(); return [await r.read(), await r.read(), await r.closed]; },
  async "types"() { return new ReadableStream({ type: "x" }); },
  async "high water mark"() { return new ReadableStream({}, { highWaterMark: -1 }); },
  async "endless queue"(log) { const s = new ReadableStream({ start(c) { log(String(c.desiredSize)); } }, { highWaterMark: Infinity }); return s.locked; },
  async "tee"(log) { const [a, b] = new ReadableStream(counting(log, 2), { highWaterMark: 0 }).tee(); const all = async (s) => { const r = s.getReader(), seen = []; for (let x; !(x = await r.read()).done; ) seen.push(x.value); return seen; }; return [await all(a), await all(b)]; },
  async "tee locks"() { const s = new ReadableStream(); s.tee(); return s.locked; },
  async "tee and cancel one"(log) { const [a, b] = new ReadableStream(counting(log, 1), { highWaterMark: 0 }).tee(); a.cancel("a"); const r = b.getReader(); return [await r.read(), await r.read(), await r.read()]; },
  async "tee and cancel both"(log) { const [a, b] = new ReadableStream(counting(log, 1), { highWaterMark: 0 }).tee(); const p = a.cancel("a"); await b.cancel("b"); return p; },
  async "tee and fail"(log) { let c; const [a, b] = new ReadableStream({ start(x) { c = x; } }).tee(); c.error(new Error("t")); for (const s of [a, b]) try { await s.getReader().read(); } catch (e) { log(e); } },
  async "iteration"(log) { const seen = []; await each(new ReadableStream(counting(log, 2)), (x) => { seen.push(x); return true; }); return seen; },
  async "iteration that stops"(log) { const s = new ReadableStream(counting(log, 9)); await each(s, () => false); return [s.locked, await s.getReader().read()]; },
  async "iteration that stops and keeps"(log) { const s = new ReadableStream(counting(log, 9)); await each(s.values({ preventCancel: true }), () => false); return [s.locked, (await s.getReader().read()).value]; },
  async "iteration that fails"(log) { const s = new ReadableStream({ pull(c) { c.error(new Error("it")); } }); try { await each(s, () => true); } catch (e) { log(e); } return s.locked; },
  async "iteration after its end"() { const i = new ReadableStream({ start(c) { c.close(); } })[Symbol.asyncIterator](); return [await i.next(), await i.next(), await i.return("x")]; },
  async "iterators"() { const i = new ReadableStream().values(); return [i[Symbol.asyncIterator]() === i, ReadableStream.prototype.values === ReadableStream.prototype[Symbol.asyncIterator]]; },
  async "chunks that are promises"() { const r = new ReadableStream({ start(c) { c.enqueue(Promise.resolve(1)); } }).getReader(); return (await r.read()).value instanceof Promise; },
  async "others call"(log) { for (const f of [() => ReadableStream.prototype.getReader.call({}), () => ReadableStream()]) try { f(); } catch (e) { log(e.name); } try { await new ReadableStream().getReader().read.call({}); } catch (e) { log(e.name); } },
};
(async () => {
  for (const [name, make] of Object.entries(rows)) await row(name, make);
})();
