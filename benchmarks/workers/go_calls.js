// Calls between Go and JavaScript under Node, as benchmarks/guests/calls/main.go has them: prints a line of JSON for each
// line of input, seconds a call. Arguments: Go's lib/wasm, and the program.
"use strict";
globalThis.fs = require("fs");
globalThis.path = require("path");
require(`${process.argv[2]}/wasm_exec.js`);
globalThis.host = (number) => number + 1;

function timed(run, count) {
  const start = process.hrtime.bigint();
  run(count);
  return Number(process.hrtime.bigint() - start) / 1e9 / count;
}

const kinds = {
  call: (count) => globalThis.call(count),
  callMethod: (count) => globalThis.callMethod(count),
  echo: (count) => {
    for (let i = 0; i < count; i++) globalThis.echo(i);
  },
};

const go = new Go();
WebAssembly.instantiate(fs.readFileSync(process.argv[3]), go.importObject).then((made) => {
  go.run(made.instance);
  for (const [kind, count] of Object.entries(kinds)) count(2000);
  const lines = require("readline").createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const [kind, count] = line.split(" ");
    console.log(timed(kinds[kind], Number(count)));
  });
  lines.on("close", () => process.exit(0));
});
