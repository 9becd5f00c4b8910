#define _GNU_SOURCE /* dladdr */
#include "io/sockets.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int on_open(void *data, curl_socket_t descriptor, curlsocktype purpose) {
    cly_sockets *sockets = data;
    const cly_socket opened = {descriptor, 0, false};
    (void)purpose;
    sockets->open++;
    fcntl(descriptor, F_SETFD, FD_CLOEXEC); /* a program that is started must not hold our connections */
    if (sockets->known < CLY_SOCKETS) sockets->list[sockets->known++] = opened;
    return CURL_SOCKOPT_OK;
}

static int on_close(void *data, curl_socket_t descriptor) {
    cly_sockets *sockets = data;
    sockets->open--;
    for (int i = 0; i < sockets->known; i++) {
        if (sockets->list[i].descriptor != descriptor) continue;
        sockets->list[i] = sockets->list[--sockets->known];
        break;
    }
    return close(descriptor);
}

bool cly_sockets_watch(cly_sockets *sockets, CURL *easy) {
    return curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_open) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, sockets) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, sockets) == CURLE_OK;
}

/* 0 when it has none yet. */
static int port_of(curl_socket_t descriptor) {
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    if (getsockname(descriptor, (struct sockaddr *)&address, &length) != 0) return 0;
    if (address.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&address)->sin_port);
    if (address.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return 0;
}

void cly_sockets_replied(cly_sockets *sockets, int port) {
    for (int i = 0; port > 0 && i < sockets->known; i++) {
        cly_socket *known = &sockets->list[i];
        if (known->port == 0) known->port = port_of(known->descriptor);
        if (known->port == port) known->has_replied = true;
    }
}

static bool is_readable(curl_socket_t descriptor) {
    struct pollfd asked = {descriptor, POLLIN, 0};
    return poll(&asked, 1, 0) > 0;
}

/* In the OpenSSL that libcurl is linked with, which this module is not. */
static cly_pending *find_pending(void) {
    CURL *(*anchor)(void) = curl_easy_init;
    cly_pending *found = NULL;
    void *address, *libcurl, *symbol;
    Dl_info info;
    memcpy(&address, &anchor, sizeof address);
    if (!dladdr(address, &info) || info.dli_fname == NULL) return NULL;
    libcurl = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    if (libcurl == NULL) return NULL;
    symbol = dlsym(libcurl, "SSL_pending");
    memcpy(&found, &symbol, sizeof found);
    dlclose(libcurl);
    return found;
}

/* OpenSSL reads a record of TLS whole, and libcurl from that the reply alone. */
static bool has_pending(cly_sockets *sockets, CURL *easy) {
    const struct curl_tlssessioninfo *tls = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &tls) != CURLE_OK || tls == NULL) return false;
    if (tls->backend != CURLSSLBACKEND_OPENSSL || tls->internals == NULL) return false;
    if (!sockets->is_searched) sockets->pending = find_pending();
    sockets->is_searched = true;
    return sockets->pending && sockets->pending(tls->internals) > 0;
}

/* Two may have one port, when they lead to two addresses: both must be readable. */
bool cly_sockets_is_spoilt(cly_sockets *sockets, CURL *easy, int port) {
    bool is_known = false, is_spoilt = true;
    for (int i = 0; i < sockets->known; i++) {
        const cly_socket *known = &sockets->list[i];
        if (known->port != port || !known->has_replied) continue;
        is_known = true;
        is_spoilt = is_spoilt && is_readable(known->descriptor);
    }
    return is_known && (is_spoilt || has_pending(sockets, easy));
}
