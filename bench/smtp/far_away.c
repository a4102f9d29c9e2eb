/* A server that is far away: passes bytes on to a port of 127.0.0.1, each half of the round trip late.
   Usage: far_away PORT MICROSECONDS; it listens on a free port, and prints it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { LARGEST = 1 << 16, MOST_EVENTS = 256 };

struct pair;

struct side {
    int socket;
    struct side *other;
    struct pair *pair;
};

struct pair {
    struct side near, far;
    int ended, waiting; /* how many sides say no more, and how many portions are under way */
};

/* Everything is equally late, so what came first leaves first: one queue for all. */
struct portion {
    struct portion *next;
    struct side *to;
    long long due;
    ssize_t size; /* 0: the end */
    char bytes[];
};

static struct portion *first, **last = &first;
static int poll, timer;
static long long late;

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void release(struct pair *it) {
    if (it->ended < 2 || it->waiting) return;
    close(it->near.socket);
    close(it->far.socket);
    free(it);
}

static void arm(void) {
    struct itimerspec at = {0};
    if (first) at.it_value = (struct timespec){first->due / 1000000000LL, first->due % 1000000000LL};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static void deliver(void) {
    long long time = now();
    while (first && first->due <= time) {
        struct portion *it = first;
        first = it->next;
        if (!first) last = &first;
        if (!it->size) shutdown(it->to->socket, SHUT_WR);
        for (ssize_t sent = 0; sent < it->size;) {
            ssize_t gone = send(it->to->socket, it->bytes + sent, (size_t)(it->size - sent), MSG_NOSIGNAL);
            if (gone <= 0) break;
            sent += gone;
        }
        it->to->pair->waiting--;
        release(it->to->pair);
        free(it);
    }
    arm();
}

static void take(struct side *from) {
    static char buffer[LARGEST];
    ssize_t got = recv(from->socket, buffer, LARGEST, 0);
    struct portion *it = malloc(sizeof *it + (got > 0 ? (size_t)got : 0));
    if (!it) exit(1);
    *it = (struct portion){.to = from->other, .due = now() + late, .size = got > 0 ? got : 0};
    if (got > 0) memcpy(it->bytes, buffer, (size_t)got);
    int idle = !first;
    *last = it;
    last = &it->next;
    from->pair->waiting++;
    if (got <= 0) {
        epoll_ctl(poll, EPOLL_CTL_DEL, from->socket, NULL);
        from->pair->ended++;
    }
    if (idle) arm();
}

static int connected(int port) {
    int made = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    if (connect(made, (struct sockaddr *)&there, sizeof there)) return -1;
    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return made;
}

int main(int count, char **words) {
    if (count != 3) return 2;
    late = atoll(words[2]) * 1000 / 2;
    int listening = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;
    poll = epoll_create1(0);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN}, events[MOST_EVENTS];
    if (bind(listening, (struct sockaddr *)&here, size) || listen(listening, 1024)) return perror("listen"), 1;
    getsockname(listening, (struct sockaddr *)&here, &size);
    printf("%d\n", ntohs(here.sin_port));
    fflush(stdout);
    epoll_ctl(poll, EPOLL_CTL_ADD, listening, &event);
    event.data.ptr = &timer;
    epoll_ctl(poll, EPOLL_CTL_ADD, timer, &event);
    for (;;) {
        int ready = epoll_wait(poll, events, MOST_EVENTS, -1);
        for (int index = 0; index < ready; index++) {
            void *who = events[index].data.ptr;
            if (who == &timer) {
                unsigned long long times;
                if (read(timer, &times, sizeof times) > 0) deliver();
            } else if (who) {
                take(who);
            } else {
                struct pair *it = calloc(1, sizeof *it);
                if (!it) return 1;
                it->near = (struct side){accept(listening, NULL, NULL), &it->far, it};
                it->far = (struct side){connected(atoi(words[1])), &it->near, it};
                setsockopt(it->near.socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
                event.data.ptr = &it->near;
                epoll_ctl(poll, EPOLL_CTL_ADD, it->near.socket, &event);
                event.data.ptr = &it->far;
                epoll_ctl(poll, EPOLL_CTL_ADD, it->far.socket, &event);
            }
        }
    }
}
