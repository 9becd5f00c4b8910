/*
 * liar.c - for LD_PRELOAD: the faults of other systems and of other versions of libcurl.
 *
 *   LIAR_AGAIN=kept     the first write of each request on a connection that has carried
 *                       one before fails once with EAGAIN; LIAR_AGAIN=all: of every request
 *   LIAR_SHORT=N        a write takes at most N bytes
 *   LIAR_COUNTERS=none  CURLINFO_REQUEST_SIZE and CURLINFO_SIZE_UPLOAD_T are 0, as in 8.7
 *                       over HTTP/1.1; LIAR_COUNTERS=late: until the reply begins, as in
 *                       8.2 to 8.6 over HTTP/2
 *
 * It acts on TCP sockets over IPv4 that this process opened, and on nothing else. Over TLS
 * it recognizes a request in the argument of SSL_write. At exit it writes one line to
 * standard error: "liar: N again, N short, N counters".
 */
#define _GNU_SOURCE
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#undef curl_easy_getinfo

enum { DESCRIPTORS = 4096, FRAME_HEAD = 9, FRAME_HEADERS = 1, FRAME_LAST = 9 };

int SSL_write(void *ssl, const void *bytes, int count);

/* One connection belongs to one thread at a time. */
typedef struct connection {
    bool is_ours, was_refused;
    int requests;
} connection;

static connection connections[DESCRIPTORS];
static _Thread_local bool is_in_tls, is_request_in_tls;
static atomic_int again_count, short_count, counter_count;

static bool is_set(const char *name, const char *value) {
    const char *found = getenv(name);
    return found && strcmp(found, value) == 0;
}

__attribute__((destructor)) static void tell(void) {
    fprintf(stderr, "liar: %d again, %d short, %d counters\n", again_count, short_count, counter_count);
}

/* ---- the functions that these replace ---- */

typedef struct search {
    const char *library, *symbol;
    void *found;
} search;

/* A Lua module's libraries are not in the global scope, where RTLD_NEXT looks. */
static int look_into(struct dl_phdr_info *info, size_t size, void *data) {
    search *wanted = data;
    void *handle;
    (void)size;
    if (!strstr(info->dlpi_name, wanted->library)) return 0;
    handle = dlopen(info->dlpi_name, RTLD_LAZY | RTLD_NOLOAD);
    if (!handle) return 0;
    wanted->found = dlsym(handle, wanted->symbol);
    dlclose(handle);
    return wanted->found != NULL;
}

static void *in_library(const char *library, const char *symbol) {
    search wanted = {library, symbol, NULL};
    dl_iterate_phdr(look_into, &wanted);
    if (!wanted.found) abort();
    return wanted.found;
}

/* ---- recognizing a request ---- */

static bool has_headers_frame(const unsigned char *bytes, size_t count) {
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    size_t at = count >= sizeof preface - 1 && memcmp(bytes, preface, sizeof preface - 1) == 0
                    ? sizeof preface - 1
                    : 0;
    while (at + FRAME_HEAD <= count && bytes[at + 3] <= FRAME_LAST) {
        if (bytes[at + 3] == FRAME_HEADERS) return true;
        at += FRAME_HEAD + ((size_t)bytes[at] << 16 | (size_t)bytes[at + 1] << 8 | bytes[at + 2]);
    }
    return false;
}

static bool is_request(const void *bytes, size_t count) {
    return (count > 5 && (memcmp(bytes, "POST ", 5) == 0 || memcmp(bytes, "GET ", 4) == 0)) ||
           has_headers_frame(bytes, count);
}

/* ---- sockets ---- */

static connection *connection_of(int descriptor) {
    connection *found = descriptor >= 0 && descriptor < DESCRIPTORS ? &connections[descriptor] : NULL;
    return found && found->is_ours ? found : NULL;
}

int socket(int domain, int type, int protocol) {
    int (*next)(int, int, int), descriptor;
    *(void **)&next = dlsym(RTLD_NEXT, "socket");
    descriptor = next(domain, type, protocol);
    if (descriptor >= 0 && descriptor < DESCRIPTORS)
        connections[descriptor] = (connection){domain == AF_INET && (type & SOCK_STREAM), false, 0};
    return descriptor;
}

int close(int descriptor) {
    int (*next)(int);
    *(void **)&next = dlsym(RTLD_NEXT, "close");
    if (connection_of(descriptor)) connections[descriptor].is_ours = false;
    return next(descriptor);
}

/* Called when a request begins, and when it is tried again. */
static bool is_refused(connection *it) {
    bool is_meant = is_set("LIAR_AGAIN", "all") || (is_set("LIAR_AGAIN", "kept") && it->requests > 0);
    it->was_refused = is_meant && !it->was_refused;
    if (it->was_refused) return true;
    it->requests++;
    return false;
}

static size_t shortened(size_t count) {
    const char *limit = getenv("LIAR_SHORT");
    size_t most = limit ? (size_t)atol(limit) : count;
    if (count <= most) return count;
    short_count++;
    return most;
}

/* Lowers *count to what a write may take; false when it must fail. */
static bool allow(int descriptor, const void *bytes, size_t *count) {
    connection *it = connection_of(descriptor);
    bool begins = is_in_tls ? is_request_in_tls : it && is_request(bytes, *count);
    if (!it) return true;
    is_request_in_tls = false;
    if (begins && is_refused(it)) {
        again_count++;
        errno = EAGAIN;
        return false;
    }
    *count = shortened(*count);
    return true;
}

ssize_t send(int descriptor, const void *bytes, size_t count, int flags) {
    ssize_t (*next)(int, const void *, size_t, int);
    *(void **)&next = dlsym(RTLD_NEXT, "send");
    return allow(descriptor, bytes, &count) ? next(descriptor, bytes, count, flags) : -1;
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    ssize_t (*next)(int, const void *, size_t);
    *(void **)&next = dlsym(RTLD_NEXT, "write");
    return allow(descriptor, bytes, &count) ? next(descriptor, bytes, count) : -1;
}

/* ---- OpenSSL ---- */

int SSL_write(void *ssl, const void *bytes, int count) {
    int (*next)(void *, const void *, int), result;
    *(void **)&next = in_library("libssl.so", "SSL_write");
    is_in_tls = true;
    is_request_in_tls = is_request(bytes, (size_t)count);
    result = next(ssl, bytes, count);
    is_in_tls = is_request_in_tls = false;
    return result;
}

/* ---- libcurl ---- */

typedef CURLcode (*getinfo)(CURL *, CURLINFO, ...);

static bool is_counter(CURLINFO info) {
    return info == CURLINFO_REQUEST_SIZE || info == CURLINFO_SIZE_UPLOAD_T;
}

static bool is_lied_about(getinfo next, CURL *easy) {
    long head = 0;
    if (is_set("LIAR_COUNTERS", "none")) return true;
    if (!is_set("LIAR_COUNTERS", "late")) return false;
    next(easy, CURLINFO_HEADER_SIZE, &head);
    return head == 0;
}

CURLcode curl_easy_getinfo(CURL *easy, CURLINFO info, ...) {
    getinfo next;
    va_list arguments;
    void *result;
    va_start(arguments, info);
    result = va_arg(arguments, void *);
    va_end(arguments);
    *(void **)&next = in_library("libcurl.so", "curl_easy_getinfo");
    if (!is_counter(info) || !is_lied_about(next, easy)) return next(easy, info, result);
    counter_count++;
    if (info == CURLINFO_REQUEST_SIZE)
        *(long *)result = 0;
    else
        *(curl_off_t *)result = 0;
    return CURLE_OK;
}
