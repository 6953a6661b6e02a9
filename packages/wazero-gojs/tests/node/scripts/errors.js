// What is thrown, and what callbacks get.
fs.mkdirSync("full");
fs.writeSync(fs.openSync("full/file", fs.constants.O_CREAT | fs.constants.O_WRONLY), new Uint8Array(3));
const few = new Uint8Array(2);

const ATTEMPTS = {
  open: () => fs.openSync("missing/x"),
  "open exclusively": () => fs.openSync("full/file", fs.constants.O_CREAT | fs.constants.O_EXCL),
  stat: () => fs.statSync("missing/x"),
  lstat: () => fs.lstatSync("full/file/below"),
  readdir: () => fs.readdirSync("missing"),
  "readdir of a file": () => fs.readdirSync("full/file"),
  mkdir: () => fs.mkdirSync("missing/a/b"),
  "mkdir again": () => fs.mkdirSync("full"),
  rmdir: () => fs.rmdirSync("full"),
  unlink: () => fs.unlinkSync("missing"),
  rename: () => fs.renameSync("missing-a", "missing-b"),
  link: () => fs.linkSync("missing-a", "missing-b"),
  symlink: () => fs.symlinkSync("a", "missing-b/c"),
  readlink: () => fs.readlinkSync("full/file"),
  truncate: () => fs.truncateSync("missing", 1),
  utimes: () => fs.utimesSync("missing", 1, 1),
  chmod: () => fs.chmodSync("missing", 1),
  close: () => fs.closeSync(99),
  read: () => fs.readSync(99, few),
  fstat: () => fs.fstatSync(99),
  fsync: () => fs.fsyncSync(99),
  ftruncate: () => fs.ftruncateSync(99, 1),
  "no path": () => fs.openSync(),
  "a number as path": () => fs.statSync(1),
  "null as path": () => fs.renameSync("a", null),
  "no callback": () => fs.stat("x"),
  "a text as callback": () => fs.close(1, "x"),
  "a text as buffer": () => fs.readSync(0, "text"),
  "an offset beyond": () => fs.readSync(0, few, 3, 1),
  "too long": () => fs.readSync(0, few, 1, 5),
  "an endless offset": () => fs.readSync(0, few, Infinity, 1),
  "no function": () => process.nextTick(5),
  "no earlier time": () => process.hrtime(5),
};

function shown(error) {
  const named = ["errno", "code", "syscall", "path", "dest"].filter((name) => name in error);
  const message = error.code.startsWith("ERR_") ? "" : error.message;
  return [error.name, message, ...named.map((name) => `${name}=${error[name]}`)].join(" ");
}

for (const name in ATTEMPTS) {
  try {
    console.log(name, "gives", ATTEMPTS[name]());
  } catch (error) {
    console.log(name, shown(error));
  }
}

console.log(fs.statSync(new TextEncoder().encode("full")).isDirectory());
console.log(process.hrtime().length, typeof process.hrtime.bigint());
fs.stat("missing", (error, ...rest) => {
  console.log("stat", shown(error), rest.length);
  fs.stat("full", (error, stats) => {
    console.log("stat", error, stats.isDirectory());
    fs.rename("missing", "other", (error) => {
      console.log("rename", shown(error));
      process.nextTick((...given) => console.log("next", ...given), 1, 2);
      console.log("last");
    });
  });
});
console.log("first");
