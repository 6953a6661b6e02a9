"""The parts of Node.js that Go's standard library for GOOS=js stands on: fs, path and process."""
