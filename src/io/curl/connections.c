#define _GNU_SOURCE /* dladdr, TCP_INFO */
#include "io/curl/connections.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { UNASKED_MOST = 16 * 1024 };

void cly_connections_init(cly_connections *connections, bool has_tls_proxy) {
    memset(connections, 0, sizeof *connections);
    connections->has_tls_proxy = has_tls_proxy;
    for (int i = 0; i < CLY_CONNECTIONS_MAX; i++) connections->list[i].descriptor = -1;
}

/* ---- sockets ---- */

/* The kernel closes the connection if sent data are not acknowledged within this time. If the peer's
 * kernel still answers, neither this nor keep-alive probes help. */
static void set_patience(curl_socket_t descriptor, double seconds) {
#if defined(TCP_USER_TIMEOUT)
    unsigned milliseconds = (unsigned)(seconds * 1000);
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
#else
    (void)descriptor, (void)seconds;
#endif
}

void cly_connections_opened(cly_connections *connections, curl_socket_t descriptor, cly_pool *pool,
                            double patience) {
    const cly_connection opened = {.descriptor = descriptor,
                                   .use = {.serial = ++connections->opened},
                                   .pool = pool,
                                   .unasked = UNASKED_MOST};
    int index = 0;
    connections->open++;
    fcntl(descriptor, F_SETFD, FD_CLOEXEC); /* a program that the process starts must not inherit it */
    set_patience(descriptor, patience);
    while (index < connections->used && connections->list[index].descriptor >= 0) index++;
    if (index == CLY_CONNECTIONS_MAX) return;
    if (index == connections->used) connections->used++;
    connections->list[index] = opened;
}

int cly_connections_close(void *data, curl_socket_t descriptor) {
    cly_connections *connections = data;
    connections->open--;
    for (int i = 0; i < connections->used; i++) {
        cly_connection *known = &connections->list[i];
        if (known->descriptor != descriptor) continue;
        known->descriptor = -1;
        cly_pools_closed(known->pool, &known->use);
    }
    while (connections->used > 0 && connections->list[connections->used - 1].descriptor < 0)
        connections->used--;
    return close(descriptor);
}

void *cly_connections_open_share(void) {
    CURLSH *share = curl_share_init();
    if (share && curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT) == CURLSHE_OK)
        return share;
    curl_share_cleanup(share);
    return NULL;
}

/* libcurl may close a connection after its share, so clear the connections' pool. */
void cly_connections_close_share(void *data, cly_pool *pool) {
    cly_connections *connections = data;
    curl_share_cleanup(pool->share);
    for (int i = 0; i < connections->used; i++)
        if (connections->list[i].pool == pool) connections->list[i].pool = NULL;
}

/* Returns 0 if the socket has no port yet. */
static int port_of(curl_socket_t descriptor) {
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    if (getsockname(descriptor, (struct sockaddr *)&address, &length) != 0) return 0;
    if (address.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&address)->sin_port);
    if (address.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return 0;
}

static bool is_at(cly_connection *known, const cly_pool *pool, int port) {
    if (known->descriptor < 0 || known->pool != pool) return false;
    if (known->port == 0) known->port = port_of(known->descriptor);
    return known->port == port;
}

static bool is_readable(curl_socket_t descriptor) {
    struct pollfd asked = {descriptor, POLLIN, 0};
    return poll(&asked, 1, 0) > 0;
}

/* Two connections to different addresses may have the same local port. Then the one with unread bytes is
 * returned, if any: to treat the request's connection as spoilt is the safe choice. */
cly_connection *cly_connections_find(cly_connections *connections, const cly_pool *pool, int port) {
    cly_connection *found = NULL;
    for (int i = 0; port > 0 && i < connections->used; i++) {
        cly_connection *known = &connections->list[i];
        if (!is_at(known, pool, port)) continue;
        if (found == NULL || is_readable(known->descriptor)) found = known;
    }
    return found;
}

/* The kernel reports room while a third of its send buffer is free. */
bool cly_connections_has_room(cly_connection *known, size_t bytes) {
    struct pollfd asked = {-1, POLLOUT, 0};
    bool has_room;
    if (known == NULL) return true;
    known->unasked += bytes;
    if (known->unasked < UNASKED_MOST) return true;
    asked.fd = known->descriptor;
    has_room = poll(&asked, 1, 0) > 0;
    known->unasked = has_room ? bytes : UNASKED_MOST;
    return has_room;
}

void cly_connections_next_turn(cly_connections *connections) {
    for (int i = 0; i < connections->used; i++) connections->list[i].unasked = UNASKED_MOST;
}

int cly_connections_alive(void *data, const cly_pool *pool) {
    const cly_connections *connections = data;
    int alive = 0;
    for (int i = 0; i < connections->used; i++) {
        const cly_connection *known = &connections->list[i];
        if (known->descriptor >= 0 && known->pool == pool && known->use.requests > 0)
            alive += !is_readable(known->descriptor);
    }
    return alive;
}

bool cly_connections_has_ended(const cly_connection *known) {
    char byte;
    return recv(known->descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

double cly_connections_silence(const cly_connection *known, double since, double now) {
#if defined(__linux__) && defined(TCP_INFO)
    struct tcp_info info;
    socklen_t length = sizeof info;
    if (known && known->descriptor >= 0 &&
        getsockopt(known->descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) == 0)
        return info.tcpi_last_data_recv / 1000.0;
#endif
    return now - (known && known->heard_at > since ? known->heard_at : since);
}

/* ---- TLS ---- */

/* Searches the libraries that libcurl is linked with, because this module is not linked with them. */
static void search_symbols(cly_tls_symbols *tls) {
    cly_symbol anchor = {.curl = curl_easy_init};
    void *libcurl;
    Dl_info info;
    tls->are_searched = true;
    if (!dladdr(anchor.address, &info) || info.dli_fname == NULL) return;
    libcurl = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    if (libcurl == NULL) return;
    tls->pending.address = dlsym(libcurl, "SSL_pending");
    tls->has_pending.address = dlsym(libcurl, "SSL_has_pending");
    tls->gnutls_pending.address = dlsym(libcurl, "gnutls_record_check_pending");
    tls->alpn.address = dlsym(libcurl, "SSL_get0_alpn_selected");
    dlclose(libcurl);
}

/* Returns NULL without TLS. */
static const struct curl_tlssessioninfo *session_of(cly_connections *connections, CURL *easy) {
    const struct curl_tlssessioninfo *tls = NULL;
    if (!connections->tls.are_searched) search_symbols(&connections->tls);
    curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &tls);
    return tls && tls->internals ? tls : NULL;
}

typedef enum pending { NOTHING, SOMETHING, HIDDEN } pending;

/* Whether the TLS library holds bytes beyond the reply. These can be the rest of a record, which is read
 * whole. Since 8.15, in which libcurl lets OpenSSL read ahead, they can also be further records, which
 * SSL_pending does not count. */
static pending pending_of(cly_connections *connections, CURL *easy) {
    const cly_tls_symbols *tls = &connections->tls;
    const struct curl_tlssessioninfo *session = session_of(connections, easy);
    if (connections->has_tls_proxy) return HIDDEN;
    if (session == NULL) return NOTHING;
    if (session->backend == CURLSSLBACKEND_GNUTLS && tls->gnutls_pending.address)
        return tls->gnutls_pending.gnutls_pending(session->internals) > 0 ? SOMETHING : NOTHING;
    if (session->backend != CURLSSLBACKEND_OPENSSL || tls->pending.address == NULL) return HIDDEN;
    if (tls->pending.pending(session->internals) > 0) return SOMETHING;
    return tls->has_pending.address && tls->has_pending.pending(session->internals) > 0 ? SOMETHING : NOTHING;
}

bool cly_connections_hides_bytes(cly_connections *connections, CURL *easy) {
    return pending_of(connections, easy) == HIDDEN;
}

bool cly_connections_is_spoilt(cly_connections *connections, const cly_connection *known, CURL *easy) {
    if (known == NULL || known->use.protocol != CLY_PROTOCOL_HTTP1) return false;
    return is_readable(known->descriptor) || pending_of(connections, easy) != NOTHING;
}

cly_protocol cly_connections_protocol(cly_connections *connections, CURL *easy) {
    const unsigned char *name = NULL;
    unsigned length = 0;
    const struct curl_tlssessioninfo *session = session_of(connections, easy);
    if (session == NULL || session->backend != CURLSSLBACKEND_OPENSSL || !connections->tls.alpn.address)
        return CLY_PROTOCOL_UNKNOWN;
    connections->tls.alpn.alpn(session->internals, &name, &length);
    return length == 2 && memcmp(name, "h2", 2) == 0 ? CLY_PROTOCOL_HTTP2 : CLY_PROTOCOL_HTTP1;
}
