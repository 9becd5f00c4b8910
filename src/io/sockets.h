/*
 * sockets.h - the sockets that a curl_multi has open.
 *
 * What stands on a kept connection of HTTP/1.x before a request leaves is not its
 * reply, be it a second reply to the last request, a balancer's 408 or an end. libcurl
 * sees an end, and takes bytes for the reply. It does not say which socket it is
 * about to use; it says which local port.
 */
#ifndef CLY_IO_SOCKETS_H
#define CLY_IO_SOCKETS_H

#include "core/visibility.h"
#include <curl/curl.h>
#include <stdbool.h>

CLY_PRIVATE_BEGIN

enum { CLY_SOCKETS = 1024 /* connections are at most 1000 */ };

typedef struct cly_socket {
    curl_socket_t descriptor;
    int port;         /* of this end; 0 as long as nobody has asked */
    bool has_replied; /* in HTTP/1.x, so that it says nothing by itself */
} cly_socket;

/* Bytes that OpenSSL has read and nobody has taken. */
typedef int cly_pending(const void *ssl);

typedef struct cly_sockets {
    cly_socket list[CLY_SOCKETS];
    int known, open;
    cly_pending *pending; /* NULL when libcurl uses something else */
    bool is_searched;     /* for it */
} cly_sockets;

/* Lets it know of the sockets that this handle opens. It outlives all of them. */
bool cly_sockets_watch(cly_sockets *sockets, CURL *easy);

/* A reply in HTTP/1.x came to this local port, if it is known. */
void cly_sockets_replied(cly_sockets *sockets, int port);

/* Whether the connection from this local port, on which such a reply came before,
 * has bytes to read or has ended; `easy` is about to use it. One system call, or
 * none. */
bool cly_sockets_is_spoilt(cly_sockets *sockets, CURL *easy, int port);

CLY_PRIVATE_END

#endif
