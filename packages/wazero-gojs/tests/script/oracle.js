// Prints what Node makes of each line of a file, as script/harness.py makes our interpreter do.
"use strict";
const fs = require("fs");
const vm = require("vm");

const [, , prelude, file] = process.argv;
process.on("unhandledRejection", () => {});

async function result(source) {
    const context = vm.createContext({});
    vm.runInContext(fs.readFileSync(prelude, "utf8"), context);
    const shown = context.run(source);
    await new Promise(resolve => setImmediate(resolve));
    return "RESULT" in context ? context.show(context.RESULT) : shown;
}

(async () => {
    const sources = fs.readFileSync(file, "utf8").trimEnd().split("\n");
    const results = [];
    for (const source of sources) results.push(await result(source.replaceAll("⏎", "\n")));
    console.log(results.join("\n"));
})();
