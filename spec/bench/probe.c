/*
 * probe.c - asks a server on this machine for something, again and again, at moments
 * that are random and so keep no step with the server's, on one connection.
 *
 *   probe PORT PATH FIRST COUNT INTERVAL
 *
 * The paths are PATHn, n from FIRST. A line for each: microseconds from the first
 * byte written to the first ones read (the replies are small and come whole). The
 * INTERVAL is in microseconds, on average; a reply that takes longer puts the next one
 * off.
 */
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void sleep_until(double moment) {
    struct timespec until;
    until.tv_sec = (time_t)(moment / 1e6);
    until.tv_nsec = (long)((moment - (double)until.tv_sec * 1e6) * 1e3);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0) continue;
}

static int connect_to(int port) {
    struct sockaddr_in address;
    int one = 1, made = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return connect(made, (struct sockaddr *)&address, sizeof address) == 0 ? made : -1;
}

/* Microseconds, or negative when the reply is not a good one. */
static double ask(int connection, const char *path, long number) {
    char text[512];
    double started = now_us();
    int length = snprintf(text, sizeof text, "GET %s%ld HTTP/1.1\r\nHost: localhost\r\n\r\n", path, number);
    ssize_t count;
    if (write(connection, text, (size_t)length) != length) return -1;
    count = read(connection, text, sizeof text);
    return count > 12 && memcmp(text, "HTTP/1.1 200", 12) == 0 ? now_us() - started : -1;
}

int main(int argc, char **argv) {
    int connection = argc == 6 ? connect_to(atoi(argv[1])) : -1;
    long first, count;
    double next = now_us();
    if (connection < 0) return 2;
    first = atol(argv[3]);
    count = atol(argv[4]);
    for (long i = 0; i < count; i++) {
        double taken, interval = atof(argv[5]) * (0.5 + drand48());
        sleep_until(next);
        taken = ask(connection, argv[2], first + i);
        if (taken < 0) return 1;
        printf("%.1f\n", taken);
        next = next + interval > now_us() ? next + interval : now_us();
    }
    return 0;
}
