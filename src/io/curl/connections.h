/*
 * connections.h - the connections that libcurl has open for one engine.
 *
 * libcurl does not say which connection a request uses; it says from which local
 * port, just before it issues the request (CURLOPT_PREREQFUNCTION). From that and
 * from the callbacks that tell of each socket follows what libcurl does not tell: how
 * many requests a connection has carried, whether bytes lie on it that belong to no
 * request, and for how long its peer has been silent.
 */
#ifndef CLY_IO_CURL_CONNECTIONS_H
#define CLY_IO_CURL_CONNECTIONS_H

#include "core/connect/pools.h"
#include <curl/curl.h>
#include <stdbool.h>

CLY_PRIVATE_BEGIN

enum { CLY_CONNECTIONS_MAX = 2048 };

typedef struct cly_connection {
    curl_socket_t descriptor; /* -1: the entry is free */
    cly_connection_use use;   /* its serial tells it from others that had the entry */
    int port;                 /* local; 0 until it was asked for */
    cly_pool *pool;           /* the pool it belongs to; NULL when that is gone */
    size_t unasked;           /* bytes of requests since the kernel was asked for room */
    double heard_at;          /* start of the last reply; read only without TCP_INFO */
    bool is_corked;           /* what is written to it is held back (cork.h) */
} cly_connection;

typedef union cly_symbol {
    void *address;
    CURL *(*curl)(void);
    int (*pending)(const void *ssl);
    size_t (*gnutls_pending)(const void *session);
    void (*alpn)(const void *ssl, const unsigned char **name, unsigned *length);
} cly_symbol;

/* Functions of the TLS library that libcurl uses; NULL when it uses another. */
typedef struct cly_tls_symbols {
    bool are_searched;
    cly_symbol pending, has_pending, gnutls_pending, alpn;
} cly_tls_symbols;

typedef struct cly_connections {
    cly_connection list[CLY_CONNECTIONS_MAX];
    int used; /* no entry beyond is in use */
    int open;
    unsigned opened; /* since the beginning */
    cly_tls_symbols tls;
    bool has_tls_proxy; /* of its TLS libcurl tells nothing */
} cly_connections;

void cly_connections_init(cly_connections *connections, bool has_tls_proxy);

/* libcurl opened a socket. It is closed on exec, notices a dead path after `patience` seconds where the
 * system can, and is forgotten when libcurl closes it by cly_connections_close, a
 * CURLOPT_CLOSESOCKETFUNCTION. */
void cly_connections_opened(cly_connections *connections, curl_socket_t descriptor, cly_pool *pool,
                            double patience);
int cly_connections_close(void *connections, curl_socket_t descriptor);

/* The connection of this pool from this local port, or NULL; another may have its entry
 * later. One system call for each new connection, none after that. */
cly_connection *cly_connections_find(cly_connections *connections, const cly_pool *pool, int port);

/* Whether this connection of HTTP/1.x, which `easy` is about to use, may have bytes to read or has ended.
 * Bytes that lie there before a request leaves are not its reply. One system call. */
bool cly_connections_is_spoilt(cly_connections *connections, const cly_connection *connection, CURL *easy);

/* Whether bytes may lie in TLS unseen, so that a connection of HTTP/1.x carries one request:
 * with another TLS library than OpenSSL or GnuTLS, and through the TLS of a proxy. */
bool cly_connections_hides_bytes(cly_connections *connections, CURL *easy);

/* Whether the peer has ended it, and all that it sent has been read. */
bool cly_connections_has_ended(const cly_connection *connection);

/* Whether the kernel takes a request of so many bytes on this connection; true for NULL. One
 * system call for each 16 KiB of requests, and for each that is the first of a turn. */
bool cly_connections_has_room(cly_connection *connection, size_t bytes);
void cly_connections_next_turn(cly_connections *connections);

/* The protocol that TLS has agreed on for the connection of `easy`. */
cly_protocol cly_connections_protocol(cly_connections *connections, CURL *easy);

/* Seconds since the peer last sent anything; from `since` on for NULL, and where the system does
 * not tell. One system call. */
double cly_connections_silence(const cly_connection *connection, double since, double now);

/* The hooks of cly_pools_options. `connections` are the cly_connections. */
void *cly_connections_open_share(void);
void cly_connections_close_share(void *connections, cly_pool *pool);
int cly_connections_alive(void *connections, const cly_pool *pool);

CLY_PRIVATE_END

#endif
