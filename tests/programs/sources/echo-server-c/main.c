/* Sends back what clients send, on the listener with descriptor 3.
 *
 * "blocking COUNT" serves COUNT clients one after another; "poll COUNT" all at once, with sockets that do not wait.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTENER 3
#define MAX_CLIENTS 16
#define SIZE 4096

struct client {
    char data[SIZE];
    ssize_t length, sent;
};

static int fail(const char *what)
{
    perror(what);
    return 1;
}

static int serve_blocking(int count)
{
    static char data[SIZE];
    for (int served = 0; served < count; served++) {
        int fd = accept(LISTENER, NULL, NULL);
        if (fd < 0)
            return fail("accept");
        ssize_t length;
        while ((length = recv(fd, data, 1, MSG_PEEK)) > 0) {
            length = recv(fd, data, sizeof data, 0);
            for (ssize_t sent = 0, part; sent < length; sent += part)
                if ((part = send(fd, data + sent, length - sent, 0)) < 0)
                    return fail("send");
        }
        if (length < 0)
            return fail("recv");
        if (shutdown(fd, SHUT_RDWR) || close(fd))
            return fail("shutdown");
        printf("served %d\n", served + 1);
    }
    return 0;
}

static int serve_polling(int count)
{
    static struct client clients[MAX_CLIENTS + 1];
    struct pollfd files[MAX_CLIENTS + 1] = {{.fd = LISTENER, .events = POLLIN}};
    int used = 1, served = 0;
    if (fcntl(LISTENER, F_SETFL, O_NONBLOCK))
        return fail("fcntl");
    if (accept(LISTENER, NULL, NULL) >= 0 || errno != EAGAIN)
        return fail("accept without a client");
    puts("ready");
    fflush(stdout);
    while (served < count) {
        if (poll(files, used, -1) <= 0)
            return fail("poll");
        for (int i = used - 1; i > 0; i--) {
            struct client *client = &clients[i];
            int fd = files[i].fd;
            if (files[i].revents & (POLLIN | POLLHUP) && client->length == 0) {
                client->length = recv(fd, client->data, SIZE, 0);
                client->sent = 0;
                if (client->length == 0) {
                    close(fd);
                    served++;
                    files[i] = files[--used];
                    *client = clients[used];
                    continue;
                }
                if (client->length < 0 && errno != EAGAIN)
                    return fail("recv");
                if (client->length < 0)
                    client->length = 0;
            }
            if (client->length) {
                ssize_t part = send(fd, client->data + client->sent, client->length - client->sent, 0);
                if (part < 0 && errno != EAGAIN)
                    return fail("send");
                client->sent += part > 0 ? part : 0;
                if (client->sent == client->length)
                    client->length = 0;
            }
            files[i].events = client->length ? POLLOUT : POLLIN;
        }
        if (files[0].revents & POLLIN && used <= MAX_CLIENTS) {
            int fd = accept4(LISTENER, NULL, NULL, SOCK_NONBLOCK);
            if (fd < 0)
                return fail("accept");
            files[used] = (struct pollfd){.fd = fd, .events = POLLIN};
            clients[used++].length = 0;
        }
    }
    printf("served %d\n", served);
    return 0;
}

int main(int argc, char **argv)
{
    int count = argc > 2 ? atoi(argv[2]) : 0;
    return strcmp(argv[1], "poll") ? serve_blocking(count) : serve_polling(count);
}
