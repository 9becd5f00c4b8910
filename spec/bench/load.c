/*
 * load.c - asks a server on this machine for something at a steady rate, whatever it
 * takes to answer, on as many connections as that needs.
 *
 *   load PORT PATH RATE SECONDS
 *
 * A generator that waits for replies before it asks again bunches its requests as the
 * server bunches its replies; this one does not. Prints the number of replies, and how
 * many requests were under way in the middle and at the most.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 1000 };

static struct pollfd connections[CONNECTIONS_MAX]; /* events: 0 while it is idle */
static int connection_count, under_way, most;
static long replies, sum_under_way;

static double now(void) {
    struct timespec moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    return (double)moment.tv_sec + (double)moment.tv_nsec / 1e9;
}

static void fail(const char *what) {
    fprintf(stderr, "load: %s\n", what);
    exit(1);
}

static struct pollfd *connect_to(int port) {
    struct sockaddr_in address;
    struct pollfd *made = &connections[connection_count++];
    int one = 1;
    if (connection_count == CONNECTIONS_MAX) fail("the server falls behind");
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    made->fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(made->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(made->fd, (struct sockaddr *)&address, sizeof address) != 0) fail("no connection");
    return made;
}

static struct pollfd *idle_connection(int port) {
    for (int i = 0; i < connection_count; i++)
        if (connections[i].events == 0) return &connections[i];
    return connect_to(port);
}

static void ask(struct pollfd *connection, const char *request, size_t length) {
    if (write(connection->fd, request, length) != (ssize_t)length) fail("a request did not go");
    connection->events = POLLIN;
    under_way++;
    sum_under_way += under_way;
    if (under_way > most) most = under_way;
}

static void read_reply(struct pollfd *connection) {
    char text[1024];
    ssize_t count = read(connection->fd, text, sizeof text);
    if (count < 12 || memcmp(text, "HTTP/1.1 200", 12) != 0) fail("a reply is not 200");
    connection->events = 0;
    under_way--;
    replies++;
}

static void read_until(double moment) {
    double left = moment - now();
    struct timespec wait = {0, 0};
    if (left > 0) wait.tv_sec = (time_t)left;
    if (left > 0) wait.tv_nsec = (long)((left - (double)wait.tv_sec) * 1e9);
    if (ppoll(connections, (nfds_t)connection_count, &wait, NULL) <= 0) return;
    for (int i = 0; i < connection_count; i++)
        if (connections[i].revents) read_reply(&connections[i]);
}

int main(int argc, char **argv) {
    char request[256];
    long asked = 0, count;
    double started, interval;
    size_t length;
    if (argc != 5) fail("PORT PATH RATE SECONDS expected");
    interval = 1 / atof(argv[3]);
    count = (long)(atof(argv[3]) * atof(argv[4]));
    length = (size_t)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", argv[2]);
    for (started = now(); asked < count; asked++) {
        while (now() < started + (double)asked * interval) read_until(started + (double)asked * interval);
        ask(idle_connection(atoi(argv[1])), request, length);
    }
    for (double until = now() + 5; under_way > 0 && now() < until;) read_until(until);
    printf("%ld replies, %ld under way, %d at the most\n", replies, sum_under_way / count, most);
    return under_way == 0 ? 0 : 1;
}
