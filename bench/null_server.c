/*
 * A mail server that takes everything and keeps nothing, as fast as one core can: what a client is measured against.
 *
 * Usage: null_server. It prints the port it listens on, on loopback; then, for each line on standard input, it prints
 *     messages bytes connections nanoseconds
 * since the last one: from the first connection to the last message. It offers PIPELINING and CHUNKING, answers each
 * group of commands in one write, and ends at the end of its input.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 1 << 16, ANSWERS = 1 << 16, LONGEST_ANSWER = 256, EVENTS = 256 };
enum mode { COMMANDS, BEGIN, CONTENT, CHUNK };

struct client {
    int socket;
    enum mode mode;
    int last;      /* this chunk ends the message */
    int writing;   /* epoll tells when there is room for answers */
    int leaving;
    int full;      /* there is no room for more answers */
    size_t left;   /* of a chunk */
    size_t filled; /* of `in` */
    size_t said;   /* of `out` */
    char in[ROOM];
    char out[ANSWERS];
};

static int poll_on;
static unsigned long messages, bytes, connections;
static long long first, latest;

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void answer(struct client *client, const char *text)
{
    size_t length = strlen(text);
    memcpy(client->out + client->said, text, length);
    client->said += length;
}

static void took(struct client *client)
{
    answer(client, "250 taken\r\n");
    messages++;
    latest = now();
    client->mode = COMMANDS;
}

static void command(struct client *client, const char *line, size_t length)
{
    if (length >= 4 && !strncasecmp(line, "MAIL", 4))
        answer(client, "250 fine\r\n");
    else if (length >= 4 && !strncasecmp(line, "RCPT", 4))
        answer(client, "250 fine\r\n");
    else if (length >= 4 && !strncasecmp(line, "DATA", 4)) {
        answer(client, "354 go on\r\n");
        client->mode = BEGIN;
    } else if (length >= 5 && !strncasecmp(line, "BDAT ", 5)) {
        client->left = strtoul(line + 5, NULL, 10);
        client->last = memmem(line, length, "LAST", 4) != NULL;
        client->mode = CHUNK;
    } else if (length >= 4 && !strncasecmp(line, "EHLO", 4))
        answer(client, "250-null\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-CHUNKING\r\n250 SIZE 100000000\r\n");
    else if (length >= 4 && !strncasecmp(line, "QUIT", 4)) {
        answer(client, "221 bye\r\n");
        client->leaving = 1;
    } else if (length >= 4 && (!strncasecmp(line, "HELO", 4) || !strncasecmp(line, "RSET", 4)))
        answer(client, "250 fine\r\n");
    else
        answer(client, "502 no\r\n");
}

/* Use up what has been read, as far as it goes; the rest moves to the front. */
static void use(struct client *client)
{
    char *at = client->in, *end = client->in + client->filled;
    client->full = 0;
    while (at < end && !(client->full = client->said > ANSWERS - LONGEST_ANSWER)) {
        if (client->mode == COMMANDS) {
            char *stop = memchr(at, '\n', end - at);
            if (!stop)
                break;
            command(client, at, stop - at);
            at = stop + 1;
        } else if (client->mode == CHUNK) {
            size_t part = client->left < (size_t)(end - at) ? client->left : (size_t)(end - at);
            bytes += part;
            at += part;
            client->left -= part;
            if (client->left)
                break;
            if (client->last)
                took(client);
            else
                answer(client, "250 more\r\n");
            client->mode = COMMANDS;
        } else {
            char *stop;
            if (client->mode == BEGIN) { /* an empty message is a dot alone */
                if (end - at < 3)
                    break;
                client->mode = CONTENT;
                if (!memcmp(at, ".\r\n", 3)) {
                    at += 3;
                    took(client);
                    continue;
                }
            }
            stop = memmem(at, end - at, "\r\n.\r\n", 5);
            if (!stop) { /* its beginning may be there */
                size_t part = end - at > 4 ? end - at - 4 : 0;
                bytes += part;
                at += part;
                break;
            }
            bytes += stop + 2 - at;
            at = stop + 5;
            took(client);
        }
    }
    client->filled = end - at;
    memmove(client->in, at, client->filled);
}

static void drop(struct client *client)
{
    close(client->socket);
    free(client);
}

/* Write the answers; 0 when the client is gone. */
static int say(struct client *client)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    while (client->said) {
        ssize_t part = write(client->socket, client->out, client->said);
        if (part < 0 && errno == EAGAIN)
            break;
        if (part <= 0) {
            drop(client);
            return 0;
        }
        client->said -= part;
        memmove(client->out, client->out + part, client->said);
    }
    if (client->leaving && !client->said) {
        drop(client);
        return 0;
    }
    if (client->writing != (client->said > 0)) {
        client->writing = client->said > 0;
        event.events = client->writing ? EPOLLIN | EPOLLOUT : EPOLLIN;
        if (epoll_ctl(poll_on, EPOLL_CTL_MOD, client->socket, &event))
            fail("epoll_ctl");
    }
    return 1;
}

static void go_on(struct client *client)
{
    do
        use(client);
    while (say(client) && client->full && !client->said);
}

static void serve(struct client *client)
{
    ssize_t part = 0;
    if (client->filled < ROOM) {
        part = read(client->socket, client->in + client->filled, ROOM - client->filled);
        if (part == 0 || (part < 0 && errno != EAGAIN)) {
            drop(client);
            return;
        }
    }
    if (part > 0)
        client->filled += part;
    go_on(client);
}

static void welcome(int listening)
{
    int on = 1, socket = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
    struct client *client;
    struct epoll_event event = {.events = EPOLLIN};
    if (socket < 0)
        return;
    if (!connections++)
        first = now();
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    client = calloc(1, sizeof *client);
    if (!client)
        fail("calloc");
    client->socket = socket;
    event.data.ptr = client;
    if (epoll_ctl(poll_on, EPOLL_CTL_ADD, socket, &event))
        fail("epoll_ctl");
    answer(client, "220 null\r\n");
    say(client);
}

static void report(void)
{
    char line[64];
    if (read(STDIN_FILENO, line, sizeof line) <= 0)
        exit(0);
    printf("%lu %lu %lu %lld\n", messages, bytes, connections, messages ? latest - first : 0);
    fflush(stdout);
    messages = bytes = connections = 0;
}

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    struct epoll_event events[EVENTS], event = {.events = EPOLLIN};
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    poll_on = epoll_create1(0);
    if (listening < 0 || poll_on < 0 || bind(listening, (struct sockaddr *)&address, sizeof address) ||
        listen(listening, 4096) || getsockname(listening, (struct sockaddr *)&address, &length))
        fail("listen");
    event.data.ptr = &listening;
    if (epoll_ctl(poll_on, EPOLL_CTL_ADD, listening, &event))
        fail("epoll_ctl");
    event.data.ptr = NULL;
    if (epoll_ctl(poll_on, EPOLL_CTL_ADD, STDIN_FILENO, &event))
        fail("epoll_ctl");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(poll_on, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            void *whose = events[i].data.ptr;
            if (!whose)
                report();
            else if (whose == &listening)
                welcome(listening);
            else if (events[i].events & EPOLLOUT && !(events[i].events & EPOLLIN))
                go_on(whose);
            else
                serve(whose);
        }
    }
}
