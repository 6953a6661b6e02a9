// Times file access as a guest sees it, and prints the seconds: `copy FROM TO BYTES` in pieces of that many bytes,
// `write TO COUNT` of single bytes. TO "-" is standard output.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int output(const char *path) {
    return strcmp(path, "-") ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644) : STDOUT_FILENO;
}

static int copy(int from, int to, size_t size) {
    char *buffer = malloc(size);
    for (;;) {
        ssize_t count = read(from, buffer, size);
        if (count <= 0) return count != 0;
        for (char *rest = buffer; count > 0;) {
            ssize_t taken = write(to, rest, (size_t)count);
            if (taken <= 0) return 1;
            rest += taken;
            count -= taken;
        }
    }
}

static int write_bytes(int to, long count) {
    for (; count > 0; count--)
        if (write(to, "x", 1) != 1) return 1;
    return 0;
}

int main(int argc, char **argv) {
    int is_copy = argc == 5 && !strcmp(argv[1], "copy");
    if (!is_copy && argc != 4) return 2;
    int from = is_copy ? open(argv[2], O_RDONLY) : -1;
    int to = output(argv[is_copy ? 3 : 2]);
    if (to < 0 || (is_copy && from < 0)) return 3;
    double start = now();
    int failed = is_copy ? copy(from, to, (size_t)atol(argv[4])) : write_bytes(to, atol(argv[3]));
    fprintf(stderr, "%.9f\n", now() - start);
    return failed;
}
