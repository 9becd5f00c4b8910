#define _DEFAULT_SOURCE /* usleep */
#include "spec/io/server_support.h"

#include "io/system/clock.h"
#include "spec/core/test.h"
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

int server_listen(char *url, size_t room) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int made = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (made < 0 || bind(made, (struct sockaddr *)&address, length) || listen(made, 512)) return -1;
    if (getsockname(made, (struct sockaddr *)&address, &length)) return -1;
    snprintf(url, room, "http://127.0.0.1:%d/x", ntohs(address.sin_port));
    return made;
}

static void drop(server *of, int index) {
    close(of->peers[index].descriptor);
    of->peers[index] = of->peers[--of->peer_count];
}

static void take_peer(server *of) {
    int descriptor = accept(of->listener, NULL, NULL);
    if (descriptor < 0) return;
    atomic_fetch_add(&of->connections, 1);
    if (of->peer_count == SERVER_PEERS) drop(of, 0);
    of->peers[of->peer_count].descriptor = descriptor;
    of->peers[of->peer_count++].length = 0;
}

/* Bytes of the first request, 0 while it is not whole. */
static size_t first_request(server_peer *peer) {
    const char *end, *size;
    size_t whole;
    peer->bytes[peer->length] = '\0';
    end = strstr(peer->bytes, "\r\n\r\n");
    if (end == NULL) return 0;
    size = strstr(peer->bytes, "Content-Length: ");
    whole = (size_t)(end - peer->bytes) + 4;
    if (size && size < end) whole += (size_t)atol(size + 16);
    return whole <= peer->length ? whole : 0;
}

static bool say(server_peer *peer, const char *reply, size_t length) {
    return send(peer->descriptor, reply, length, MSG_NOSIGNAL) > 0;
}

static bool say_all(server_peer *peer, const char *reply) {
    size_t at_once = strcspn(reply, LATER), length;
    if (!say(peer, reply, at_once)) return false;
    if (reply[at_once] == '\0') return true;
    reply += at_once + 1;
    length = strcspn(reply, GOOD_BYE);
    usleep(20 * 1000);
    if (length > 0 && !say(peer, reply, length)) return false;
    return reply[length] == '\0' || shutdown(peer->descriptor, SHUT_WR) == 0;
}

/* False when the connection is to be closed. */
static bool answer(server *of, server_peer *peer) {
    int number = atomic_load(&of->requests);
    const char *reply = of->replies[number < of->reply_count ? number : of->reply_count - 1];
    if (number < SERVER_STAMPS) of->arrivals[number] = cly_clock_now();
    memcpy(of->last, peer->bytes, peer->length + 1);
    atomic_store(&of->requests, number + 1);
    if (reply == SILENCE) return true;
    return *reply && say_all(peer, reply);
}

static bool read_peer(server *of, server_peer *peer) {
    ssize_t count = recv(peer->descriptor, peer->bytes + peer->length, SERVER_REQUEST - 1 - peer->length, 0);
    size_t whole;
    if (count <= 0) return false;
    peer->length += (size_t)count;
    while ((whole = first_request(peer)) > 0) {
        if (!answer(of, peer)) return false;
        peer->length -= whole;
        memmove(peer->bytes, peer->bytes + whole, peer->length);
    }
    return true;
}

static void *run(void *data) {
    server *of = data;
    struct pollfd watched[SERVER_PEERS + 2];
    for (;;) {
        int count = of->peer_count;
        watched[0] = (struct pollfd){of->ends[0], POLLIN, 0};
        watched[1] = (struct pollfd){of->listener, POLLIN, 0};
        for (int i = 0; i < count; i++) watched[i + 2] = (struct pollfd){of->peers[i].descriptor, POLLIN, 0};
        if (poll(watched, (nfds_t)count + 2, -1) < 0) continue;
        if (watched[0].revents) return NULL;
        for (int i = count - 1; i >= 0; i--)
            if (watched[i + 2].revents && !read_peer(of, &of->peers[i])) drop(of, i);
        if (watched[1].revents) take_peer(of);
    }
}

bool server_start(server *made, const char *const *replies, int count) {
    sigset_t all, before;
    int status;
    memset(made, 0, sizeof *made);
    made->replies = replies;
    made->reply_count = count;
    made->listener = server_listen(made->url, sizeof made->url);
    if (made->listener < 0 || pipe(made->ends) != 0) return false;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    status = pthread_create(&made->thread, NULL, run, made);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return made->is_running = status == 0;
}

void server_stop(server *stopped) {
    if (!stopped->is_running) return;
    stopped->is_running = false;
    close(stopped->ends[1]);
    pthread_join(stopped->thread, NULL);
    while (stopped->peer_count > 0) drop(stopped, 0);
    close(stopped->ends[0]);
    close(stopped->listener);
}

void server_serve(server *made, const char *const *replies, int count) {
    server_stop(made);
    assert_true(server_start(made, replies, count));
}

void server_await(server *asked, int requests) {
    double until = cly_clock_now() + 10;
    while (server_requests(asked) < requests && cly_clock_now() < until) usleep(1000);
    assert_int_equal(server_requests(asked), requests);
}

int server_requests(server *asked) {
    return atomic_load(&asked->requests);
}

int server_connections(server *asked) {
    return atomic_load(&asked->connections);
}
