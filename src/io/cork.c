#define _GNU_SOURCE /* TCP_CORK, where there is one */
#include "io/cork.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WORTH_IT = 4 /* requests a socket: to hold and to release are two system calls */ };

static int on_open(void *data, curl_socket_t socket, curlsocktype purpose) {
    cly_cork *cork = data;
    (void)purpose;
    cork->open++;
    fcntl(socket, F_SETFD, FD_CLOEXEC); /* a program that is started must not hold our connections */
    if (cork->known < CLY_CORK_SOCKETS) cork->sockets[cork->known++] = socket;
    return CURL_SOCKOPT_OK;
}

static int on_close(void *data, curl_socket_t socket) {
    cly_cork *cork = data;
    cork->open--;
    for (int i = 0; i < cork->known; i++) {
        if (cork->sockets[i] != socket) continue;
        cork->sockets[i] = cork->sockets[--cork->known];
        break;
    }
    return close(socket);
}

bool cly_cork_watch(cly_cork *cork, CURL *easy) {
    return curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_open) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, cork) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, cork) == CURLE_OK;
}

static void set_all(cly_cork *cork, int is_held) {
    cork->is_held = is_held;
#ifdef TCP_CORK
    for (int i = 0; i < cork->known; i++)
        setsockopt(cork->sockets[i], IPPROTO_TCP, TCP_CORK, &is_held, sizeof is_held);
#endif
}

void cly_cork_hold(cly_cork *cork, int requests) {
    if (cork->open == cork->known && requests >= WORTH_IT * cork->open) set_all(cork, 1);
}

void cly_cork_release(cly_cork *cork) {
    if (cork->is_held) set_all(cork, 0);
}
