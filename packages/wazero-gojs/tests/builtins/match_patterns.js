// Prints what this JavaScript engine finds with each [pattern, flags, text] of the JSON list that it reads: see
// test_regexp_random.py.
const found = ([source, flags, text]) => {
  try {
    const match = new RegExp(source, flags).exec(text);
    return match && [match.index, [...match].map((part) => part ?? null)];
  } catch (error) {
    return error.message.slice(error.message.lastIndexOf(": ") + 2);
  }
};
console.log(JSON.stringify(JSON.parse(require("fs").readFileSync(0, "utf8")).map(found)));
