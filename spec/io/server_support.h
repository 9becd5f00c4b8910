/*
 * server_support.h - a small HTTP/1.1 server on a thread, on a free port.
 *
 * It answers the n-th request it receives whole with the n-th of its replies,
 * and the last of them from then on. It counts, and stamps, what it received.
 *
 *   server_start(&server, replies, COUNT_OF(replies));
 *   ...send to server.url...
 *   server_stop(&server);
 */
#ifndef CLY_SPEC_IO_SERVER_SUPPORT_H
#define CLY_SPEC_IO_SERVER_SUPPORT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* A whole reply; SILENCE for none, HANG_UP for a connection closed instead. What
 * follows LATER comes a moment after, when the reply was read, and GOOD_BYE in it
 * ends the server's side. */
#define SILENCE NULL
#define HANG_UP ""
#define LATER "\f"
#define GOOD_BYE "\v"
#define REPLY_OK "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"id\":\"a\"}"
#define REPLY_429(seconds) "HTTP/1.1 429 Slowly\r\nRetry-After: " seconds "\r\nContent-Length: 0\r\n\r\n"
#define REPLY_HALF_429 "HTTP/1.1 429 Slowly\r\nRetry-After: 0\r\nContent-Length: 99\r\n\r\n{"

enum { SERVER_PEERS = 128, SERVER_STAMPS = 4096, SERVER_REQUEST = 4096 };

typedef struct server_peer {
    int descriptor;
    size_t length;
    char bytes[SERVER_REQUEST];
} server_peer;

typedef struct server {
    char url[64];
    const char *const *replies;
    int reply_count;
    atomic_int requests, connections;
    double arrivals[SERVER_STAMPS]; /* read them when the server has stopped */
    char last[SERVER_REQUEST];      /* likewise: the last request */
    bool is_running;
    int listener, ends[2];
    pthread_t thread;
    int peer_count;
    server_peer peers[SERVER_PEERS];
} server;

bool server_start(server *made, const char *const *replies, int count);

/* Its counts stay. Harmless when it does not run. */
void server_stop(server *stopped);

/* Starts it, in place of one that runs. */
void server_serve(server *made, const char *const *replies, int count);

/* Until so many requests have come; fails after ten seconds. */
void server_await(server *asked, int requests);

/* Requests that came whole. */
int server_requests(server *asked);

/* Connections that it took. */
int server_connections(server *asked);

/* A port on loopback that takes connections at which nobody looks; its socket,
 * or -1. */
int server_listen(char *url, size_t room);

#endif
