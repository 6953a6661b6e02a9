/* A WASI command: greets its arguments as the environment asks, and says what it was given.
 *
 *   python -m ziglang cc -target wasm32-wasi -Os -o hello.wasm hello.c
 *   wazero run -env GREETING=Hello hello.wasm world
 */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  const char *greeting = getenv("GREETING");
  if (argc < 2) {
    fprintf(stderr, "usage: hello name...\n");
    return 2;
  }
  for (int i = 1; i < argc; i++) {
    printf("%s, %s!\n", greeting ? greeting : "Hi", argv[i]);
  }
  return 0;
}
