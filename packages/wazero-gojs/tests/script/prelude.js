// Evaluated in Node and in our interpreter alike: runs a source and shows its result in one line.
var show = function show(value, depth = 0) {
    if (typeof value === "string") return JSON.stringify(value);
    if (typeof value === "bigint") return `${value}n`;
    if (typeof value === "number" && Object.is(value, -0)) return "-0";
    if (typeof value === "function") return "function";
    if (typeof value !== "object" || value === null) return String(value);
    if (value instanceof Error) return `${value.name}: ${value.message}`;
    if (depth > 3) return "…";
    if (Array.isArray(value)) {
        var items = [];
        for (var i = 0; i < value.length; i++) items.push(i in value ? show(value[i], depth + 1) : "hole");
        return `[${items.join(", ")}]`;
    }
    return `{${Object.keys(value).map(key => `${key}: ${show(value[key], depth + 1)}`).join(", ")}}`;
};
var run = function run(source) {
    try {
        return show((0, eval)(source));
    } catch (error) {
        return `throws ${show(error)}`;
    }
};
