/* A mail server that takes everything and keeps nothing: fast enough that clients are measured and not it.
   Usage: null_server; it listens on a free port of 127.0.0.1, prints the port, and at its end how many mails it took. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LARGEST = 1 << 16, MOST_EVENTS = 256 };

struct client {
    int socket, content, closing; /* content: between 354 and the dot */
    size_t kept;                  /* bytes at the start of `buffer` that are half a line, or the tail of content */
    char buffer[LARGEST];
};

static volatile sig_atomic_t over;
static unsigned long taken;

static void stop(int signal) { over = signal; }

static void say(char *out, size_t *length, const char *words) {
    size_t more = strlen(words);
    memcpy(out + *length, words, more);
    *length += more;
}

/* Answer what is whole of the bytes in `buffer`; keep the rest at its start. */
static void answer(struct client *it, size_t size) {
    static char out[LARGEST * 4];
    size_t length = 0, at = 0;
    while (at < size) {
        char *start = it->buffer + at;
        if (it->content) {
            /* The tail of what was read before is here too, so a dot is never cut in two. */
            char *end = memmem(start, size - at, "\r\n.\r\n", 5);
            if (!end) {
                size_t tail = size - at < 4 ? size - at : 4;
                at = size - tail;
                break;
            }
            it->content = 0;
            taken++;
            at = (size_t)(end + 5 - it->buffer);
            say(out, &length, "250 2.0.0 taken\r\n");
            continue;
        }
        char *end = memchr(start, '\n', size - at);
        if (!end) break;
        at = (size_t)(end + 1 - it->buffer);
        switch (start[0] | 32) {
        case 'e': say(out, &length, "250-null\r\n250-PIPELINING\r\n250-SIZE 100000000\r\n250 8BITMIME\r\n"); break;
        case 'd':
            it->content = 1;
            at -= 2; /* the line end before content: a lone dot is content too */
            say(out, &length, "354 go\r\n");
            break;
        case 'q':
            it->closing = 1;
            say(out, &length, "221 bye\r\n");
            break;
        default: say(out, &length, "250 2.1.0 fine\r\n");
        }
        if (length > LARGEST) break;
    }
    it->kept = size - at;
    memmove(it->buffer, it->buffer + at, it->kept);
    for (size_t sent = 0; sent < length;) {
        ssize_t gone = send(it->socket, out + sent, length - sent, MSG_NOSIGNAL);
        if (gone <= 0) {
            it->closing = 1;
            return;
        }
        sent += (size_t)gone;
    }
}

int main(void) {
    int listening = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0), yes = 1;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;
    struct epoll_event event = {.events = EPOLLIN}, events[MOST_EVENTS];
    if (bind(listening, (struct sockaddr *)&here, size) || listen(listening, 1024)) return perror("listen"), 1;
    getsockname(listening, (struct sockaddr *)&here, &size);
    printf("%d\n", ntohs(here.sin_port));
    fflush(stdout);
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    epoll_ctl(poll, EPOLL_CTL_ADD, listening, &event);
    while (!over) {
        int count = epoll_wait(poll, events, MOST_EVENTS, -1);
        for (int index = 0; index < count; index++) {
            struct client *it = events[index].data.ptr;
            if (!it) {
                int joined = accept(listening, NULL, NULL);
                if (joined < 0) continue;
                it = calloc(1, sizeof *it);
                if (!it) return 1;
                it->socket = joined;
                setsockopt(joined, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
                event.data.ptr = it;
                epoll_ctl(poll, EPOLL_CTL_ADD, joined, &event);
                event.data.ptr = NULL;
                send(joined, "220 null ESMTP\r\n", 16, MSG_NOSIGNAL);
                continue;
            }
            ssize_t got = recv(it->socket, it->buffer + it->kept, LARGEST - it->kept, 0);
            if (got > 0) answer(it, it->kept + (size_t)got);
            if (got <= 0 || it->closing) {
                close(it->socket);
                free(it);
            }
        }
    }
    printf("%lu\n", taken);
    return 0;
}
