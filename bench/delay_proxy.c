/*
 * Carries bytes between clients and a port on loopback, each a fixed time after it came: a network of that distance.
 *
 * Usage: delay_proxy PORT MICROSECONDS. It prints the port it listens on. The time is that of one direction; there is
 * no limit of rate, and the order is kept. It ends at the end of its input.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 1 << 16, EVENTS = 256 };

struct pair;

/* One side of a pair. Whether a side is left is only known when all events are done, so pairs are freed then. */
struct side {
    struct pair *pair;
    int socket;
    int other; /* the index of the side that gets what comes here */
};

struct pair {
    struct side sides[2];
    int gone;
    struct pair *next_gone;
};

/* Bytes on their way; an end of the stream has none. */
struct parcel {
    struct parcel *next;
    struct side *to;
    long long due;
    size_t length, written;
    char bytes[];
};

static int poll_on, timer_on, upstream;
static long long delay;
/* All have the same way to go, so they arrive in the order in which they left. */
static struct parcel *front, **back = &front;
static struct pair *gone;

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

static void watch(struct side *side, int socket)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = side};
    int on = 1;
    side->socket = socket;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (epoll_ctl(poll_on, EPOLL_CTL_ADD, socket, &event))
        fail("epoll_ctl");
}

static void send_off(struct side *to, const char *bytes, size_t length)
{
    struct parcel *parcel = malloc(sizeof *parcel + length);
    if (!parcel)
        fail("malloc");
    *parcel = (struct parcel){.to = to, .due = now() + delay, .length = length};
    memcpy(parcel->bytes, bytes, length);
    *back = parcel;
    back = &parcel->next;
}

static void part(struct pair *pair)
{
    if (pair->gone)
        return;
    pair->gone = 1;
    close(pair->sides[0].socket);
    close(pair->sides[1].socket);
    pair->next_gone = gone;
    gone = pair;
}

static void came(struct side *side)
{
    static char bytes[ROOM];
    struct side *to = &side->pair->sides[side->other];
    ssize_t length;
    if (side->pair->gone)
        return;
    length = recv(side->socket, bytes, sizeof bytes, MSG_DONTWAIT);
    if (length < 0 && errno == EAGAIN)
        return;
    if (length <= 0) {
        epoll_ctl(poll_on, EPOLL_CTL_DEL, side->socket, NULL);
        length = 0;
    }
    send_off(to, bytes, length);
}

static void deliver(void)
{
    long long time = now();
    while (front && front->due <= time) {
        struct parcel *parcel = front;
        struct pair *pair = parcel->to->pair;
        front = parcel->next;
        if (!front)
            back = &front;
        if (!pair->gone && !parcel->length)
            part(pair);
        while (!pair->gone && parcel->written < parcel->length) { /* the sockets block: both ends read all the time */
            ssize_t done = send(parcel->to->socket, parcel->bytes + parcel->written, parcel->length - parcel->written,
                                MSG_NOSIGNAL);
            if (done < 0)
                part(pair);
            else
                parcel->written += done;
        }
        free(parcel);
    }
}

static void set_timer(void)
{
    struct itimerspec when;
    memset(&when, 0, sizeof when);
    if (front) {
        when.it_value.tv_sec = front->due / 1000000000LL;
        when.it_value.tv_nsec = front->due % 1000000000LL;
    }
    if (timerfd_settime(timer_on, TFD_TIMER_ABSTIME, &when, NULL))
        fail("timerfd_settime");
}

static void welcome(int listening)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(upstream)};
    int client = accept(listening, NULL, NULL), server = socket(AF_INET, SOCK_STREAM, 0);
    struct pair *pair = calloc(1, sizeof *pair);
    if (client < 0)
        return;
    if (server < 0 || !pair || connect(server, (struct sockaddr *)&address, sizeof address))
        fail("connect");
    for (int i = 0; i < 2; i++)
        pair->sides[i] = (struct side){.pair = pair, .other = !i};
    watch(&pair->sides[0], client);
    watch(&pair->sides[1], server);
}

/* Nothing that is on its way leads to a pair that is freed. */
static void forget(void)
{
    struct pair **at = &gone;
    while (*at) {
        struct pair *pair = *at;
        struct parcel *parcel = front;
        while (parcel && parcel->to->pair != pair)
            parcel = parcel->next;
        if (parcel)
            at = &pair->next_gone;
        else {
            *at = pair->next_gone;
            free(pair);
        }
    }
}

int main(int count, char **words)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    struct epoll_event events[EVENTS], event = {.events = EPOLLIN};
    int listening = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    char line[64];
    if (count != 3) {
        fprintf(stderr, "usage: delay_proxy PORT MICROSECONDS\n");
        return 2;
    }
    upstream = atoi(words[1]);
    delay = atoll(words[2]) * 1000;
    poll_on = epoll_create1(0);
    timer_on = timerfd_create(CLOCK_MONOTONIC, 0);
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (listening < 0 || poll_on < 0 || timer_on < 0 || bind(listening, (struct sockaddr *)&address, sizeof address) ||
        listen(listening, 4096) || getsockname(listening, (struct sockaddr *)&address, &length))
        fail("listen");
    event.data.ptr = &listening;
    if (epoll_ctl(poll_on, EPOLL_CTL_ADD, listening, &event))
        fail("epoll_ctl");
    event.data.ptr = &timer_on;
    if (epoll_ctl(poll_on, EPOLL_CTL_ADD, timer_on, &event))
        fail("epoll_ctl");
    event.data.ptr = NULL;
    if (epoll_ctl(poll_on, EPOLL_CTL_ADD, STDIN_FILENO, &event))
        fail("epoll_ctl");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int found = epoll_wait(poll_on, events, EVENTS, -1);
        for (int i = 0; i < found; i++) {
            void *whose = events[i].data.ptr;
            if (!whose) {
                if (read(STDIN_FILENO, line, sizeof line) <= 0)
                    return 0;
            } else if (whose == &listening)
                welcome(listening);
            else if (whose == &timer_on)
                (void)!read(timer_on, line, 8);
            else
                came(whose);
        }
        deliver();
        set_timer();
        if (gone)
            forget();
    }
}
