// What is in files, and when it was written.
const { O_CREAT, O_RDWR, O_APPEND } = fs.constants;
const bytes = (text) => new TextEncoder().encode(text);

function content(name) {
  const into = new Uint8Array(fs.statSync(name).size);
  fs.readSync(fs.openSync(name), into, 0, into.length, 0);
  return new TextDecoder().decode(into);
}

const log = fs.openSync("log", O_CREAT | O_RDWR | O_APPEND);
const into = new Uint8Array(3);
fs.writeSync(log, bytes("one,"));
console.log(fs.writeSync(log, bytes("two,"), 0, 4, 0), content("log"));
console.log(fs.readSync(log, into, 0, 3, 4), new TextDecoder().decode(into));
console.log(fs.writeSync(log, bytes("three"), 0, 5, 2), content("log"));

const file = fs.openSync("file", O_CREAT | O_RDWR);
fs.writeSync(file, bytes("abcdef"));
console.log(fs.writeSync(file, bytes("XY"), 0, 2, 1), content("file"));
fs.ftruncateSync(file, 3);
console.log(content("file"));
fs.ftruncateSync(file, -1);
console.log(content("file").length);
fs.ftruncateSync(file, 5);
console.log(content("file") === "\0".repeat(5));
fs.truncateSync("file", -5);
console.log(content("file").length);

for (const seconds of [0, 1.5, 2 ** 32, 1e10]) {
  fs.utimesSync("file", seconds, seconds + 1);
  const { atimeMs, mtimeMs } = fs.statSync("file");
  console.log(seconds, atimeMs, mtimeMs);
}
