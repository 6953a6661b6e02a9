// Paths that end in dots and slashes, in operations on a name in a directory and on what it names.
fs.mkdirSync("top");
process.chdir("top");
fs.mkdirSync("d");
fs.mkdirSync("d/e");
fs.writeSync(fs.openSync("f", fs.constants.O_CREAT | fs.constants.O_WRONLY), new Uint8Array(3));
fs.symlinkSync("d", "l");

const OPERATIONS = {
  stat: (path) => fs.statSync(path).isDirectory(),
  lstat: (path) => fs.lstatSync(path).isDirectory(),
  readdir: (path) => fs.readdirSync(path).join(" "),
  readlink: (path) => fs.readlinkSync(path),
  open: (path) => fs.closeSync(fs.openSync(path, fs.constants.O_RDONLY)),
  create: (path) => fs.closeSync(fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT)),
  truncate: (path) => fs.truncateSync(path, 0),
  mkdir: (path) => fs.mkdirSync(path),
  symlink: (path) => fs.symlinkSync("x", path),
  "link from": (path) => fs.linkSync(path, "other"),
  "link to": (path) => fs.linkSync("f", path),
  "rename from": (path) => fs.renameSync(path, "other"),
  "rename to": (path) => fs.renameSync("d/e", path),
  unlink: (path) => fs.unlinkSync(path),
  rmdir: (path) => fs.rmdirSync(path),
};
const PATHS = ["d/.", "d/..", ".", "..", "./", "../", "f/.", "f/..", "f/", "m/.", "m/..", "l/", "l/.", "l/..", "d/e/..", "d/e/."];

for (const name of Object.keys(OPERATIONS)) {
  for (const path of PATHS) {
    let result;
    try {
      result = String(OPERATIONS[name](path));
    } catch (error) {
      result = error.code;
    }
    console.log(`${name} ${path}: ${result}`);
  }
}
