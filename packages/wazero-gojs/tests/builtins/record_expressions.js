// Prints what this JavaScript engine makes of each expression that it reads, one JSON string a line: how
// expressions/*.txt got their results. `node record_expressions.js <expressions.txt` (see test_expressions.py).
const vm = require("vm");
const SHOW = `
(function () {
  const quote = (text) => '"' + text.replace(/[^ !#-\\[\\]-~]/gu, (c) =>
    Array.from({ length: c.length }, (_, i) => "\\\\u" + c.charCodeAt(i).toString(16).padStart(4, "0")).join("")) + '"';
  const name = (key) => (typeof key === "symbol" ? "[" + String(key) + "]" : key);
  const field = (object, key, depth) => {
    const found = Object.getOwnPropertyDescriptor(object, key);
    return "value" in found ? show(found.value, depth + 1) : "<accessor>";
  };
  const show = (value, depth) => {
    if (typeof value === "string") return quote(value);
    if (typeof value === "bigint") return value + "n";
    if (typeof value === "function") return "<function " + value.name + ">";
    if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : String(value);
    if (depth > 4) return "...";
    const tag = Object.prototype.toString.call(value).slice(8, -1);
    if (tag === "Error") return "<" + value.name + ": " + value.message + ">";
    const keys = Reflect.ownKeys(value).filter((key) => Object.getOwnPropertyDescriptor(value, key).enumerable);
    if (Array.isArray(value)) {
      const items = Array.from({ length: value.length }, (_, i) => (i in value ? field(value, i, depth) : "<hole>"));
      const named = keys.filter((key) => typeof key === "symbol" || !/^[0-9]+$/.test(key));
      return "[" + [...items, ...named.map((key) => name(key) + ": " + field(value, key, depth))].join(", ") + "]";
    }
    const fields = keys.map((key) => name(key) + ": " + field(value, key, depth)).join(", ");
    return (tag === "Object" ? "" : tag + " ") + "{" + fields + "}";
  };
  return (source) => {
    try { return show((0, eval)(source), 0); } catch (error) {
      return "throws " + (error instanceof Error ? error.name + ": " + error.message : show(error, 0));
    }
  };
})()`;
for (const line of require("fs").readFileSync(0, "utf8").split("\n")) {
  if (line) console.log(JSON.stringify(vm.runInNewContext(SHOW)(line)));
}
