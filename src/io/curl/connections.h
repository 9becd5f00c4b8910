/*
 * connections.h - the connections that libcurl has open for one engine.
 *
 * libcurl does not report which connection a request uses, only its local port, just before it issues
 * the request (CURLOPT_PREREQFUNCTION). From the port and the callbacks for each socket, this module
 * derives how many requests a connection has carried, whether it has unread bytes that belong to no
 * request, and how long its peer has been silent.
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
    cly_connection_use use;   /* its serial tells it from earlier users of the entry */
    int port;                 /* local; 0 until first needed */
    cly_pool *pool;           /* NULL once the pool is gone */
    size_t unasked;           /* bytes of requests since the kernel was last asked for room */
    double heard_at;          /* start of the last reply; used only without TCP_INFO */
    bool is_corked;           /* its writes are held back (cork.h) */
} cly_connection;

typedef union cly_symbol {
    void *address;
    CURL *(*curl)(void);
    int (*pending)(const void *ssl);
    size_t (*gnutls_pending)(const void *session);
    void (*alpn)(const void *ssl, const unsigned char **name, unsigned *length);
} cly_symbol;

/* Functions of the TLS library that libcurl uses; NULL if the library lacks them. */
typedef struct cly_tls_symbols {
    bool are_searched;
    cly_symbol pending, has_pending, gnutls_pending, alpn;
} cly_tls_symbols;

typedef struct cly_connections {
    cly_connection list[CLY_CONNECTIONS_MAX];
    int used; /* entries from here on are free */
    int open;
    unsigned opened; /* since init */
    cly_tls_symbols tls;
    bool has_tls_proxy; /* libcurl gives no access to its TLS session */
} cly_connections;

void cly_connections_init(cly_connections *connections, bool has_tls_proxy);

/* libcurl opened a socket. Sets close-on-exec and, where the system can, a timeout of `patience` seconds
 * for a dead path. The entry is freed when libcurl closes the socket through cly_connections_close, a
 * CURLOPT_CLOSESOCKETFUNCTION. */
void cly_connections_opened(cly_connections *connections, curl_socket_t descriptor, cly_pool *pool,
                            double patience);
int cly_connections_close(void *connections, curl_socket_t descriptor);

/* Returns the pool's connection with this local port, or NULL. Another connection may use the entry
 * later. Makes one system call for each new connection, none after that. */
cly_connection *cly_connections_find(cly_connections *connections, const cly_pool *pool, int port);

/* Whether this connection, which `easy` is about to use, speaks HTTP/1.x and may have unread bytes or has
 * ended. Bytes that arrived before a request leaves are not its reply. Makes one system call. */
bool cly_connections_is_spoilt(cly_connections *connections, const cly_connection *connection, CURL *easy);

/* Whether unread bytes in the TLS library cannot be detected, so that an HTTP/1.x connection carries
 * only one request: with TLS libraries other than OpenSSL and GnuTLS, and with an https:// proxy. */
bool cly_connections_hides_bytes(cly_connections *connections, CURL *easy);

/* Whether the peer has closed the connection and all that it sent has been read. */
bool cly_connections_has_ended(const cly_connection *connection);

/* Whether the kernel accepts a request of `bytes` bytes on this connection; true for NULL. Makes one
 * system call per 16 KiB of requests, and one for the first request of each turn. */
bool cly_connections_has_room(cly_connection *connection, size_t bytes);
void cly_connections_next_turn(cly_connections *connections);

/* The protocol negotiated by TLS (ALPN) for the connection of `easy`. */
cly_protocol cly_connections_protocol(cly_connections *connections, CURL *easy);

/* Seconds since the peer last sent anything; at most those since `since` for NULL and where the system
 * does not tell. Makes one system call. */
double cly_connections_silence(const cly_connection *connection, double since, double now);

/* The hooks of cly_pools_options. `connections` is the cly_connections. */
void *cly_connections_open_share(void);
void cly_connections_close_share(void *connections, cly_pool *pool);
int cly_connections_alive(void *connections, const cly_pool *pool);

CLY_PRIVATE_END

#endif
