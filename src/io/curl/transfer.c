#define _POSIX_C_SOURCE 200809L
#include "io/curl/transfer.h"

#include "core/api/request.h"
#include "core/call/retry_after.h"
#include "core/base/text.h"
#include "io/system/clock.h"
#include "io/curl/connect_failure.h"
#include <math.h>
#include <stdlib.h>
#include <time.h>

#if LIBCURL_VERSION_NUM < 0x075000
#error "libcurl 7.80 or newer is needed: CURLOPT_PREREQFUNCTION keeps a message from being sent twice"
#endif

enum {
    REPLY_HEADERS_MAX = 256 * 1024,
    IDLE_MAX = 45,                 /* seconds; the pools retire a connection slightly sooner */
    UPLOAD_LEAST = 16 * 1024,      /* libcurl's minimum, and the size of a TLS record */
    UPLOAD_MOST = 2 * 1024 * 1024, /* libcurl's maximum */
    UPLOAD_HEAD = 4096             /* room for the head beside the body */
};

static void init(cly_transfer *transfer) {
    memset(transfer, 0, sizeof *transfer);
    cly_buffer_init(&transfer->reply, CLY_REPLY_MAX);
    cly_buffer_init(&transfer->origin, CLY_URL_MAX);
}

void cly_transfer_close(cly_transfer *transfer) {
    if (transfer->easy) curl_easy_cleanup(transfer->easy);
    if (transfer->named) transfer->named->named--;
    transfer->named = NULL;
    curl_url_cleanup(transfer->parsed);
    transfer->easy = NULL;
    transfer->parsed = NULL;
}

cly_transfer *cly_transfer_take(cly_transfer_list *idle) {
    cly_transfer *made;
    if (idle->last) return cly_transfer_detach(idle, idle->last);
    made = malloc(sizeof *made);
    if (made) init(made);
    return made;
}

void cly_transfer_free_all(cly_transfer_list *list) {
    while (list->first) {
        cly_transfer *old = cly_transfer_detach(list, list->first);
        cly_transfer_close(old);
        cly_buffer_clear(&old->reply);
        cly_buffer_clear(&old->origin);
        free(old);
    }
}

/* ---- libcurl's callbacks: they only record, and never touch Lua ---- */

static size_t note_too_big(cly_transfer *transfer) {
    transfer->is_too_big = true;
    return 0; /* ends the transfer; over HTTP/2 libcurl 8.5 to 8.7 continues */
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data) {
    cly_transfer *transfer = data;
    cly_buffer_append(&transfer->reply, bytes, size * count);
    if (transfer->reply.state == CLY_BUFFER_FINE) return size * count;
    return transfer->reply.state == CLY_BUFFER_FULL ? note_too_big(transfer) : 0;
}

/* libcurl parses all forms of an HTTP date. */
static double seconds_until(const char *date) {
    time_t then = curl_getdate(date, NULL);
    if (then == (time_t)-1) return -1;
    return then > time(NULL) ? difftime(then, time(NULL)) : 0;
}

/* Checks only a connection's first reply. libcurl obeys FORBID_REUSE at the end of the reply. */
static void keep_no_other(cly_transfer *transfer, const cly_connection *used, cly_protocol protocol) {
    if (used == NULL || used->use.requests > 1 || protocol != CLY_PROTOCOL_HTTP1) return;
    if (cly_connections_hides_bytes(transfer->host->connections, transfer->easy))
        curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, 1L);
}

/* A reply begins. */
static void read_status_line(cly_transfer *transfer, const char *line, size_t length) {
    cly_protocol protocol = cly_starts_with(line, length, "http/1") ? CLY_PROTOCOL_HTTP1 : CLY_PROTOCOL_HTTP2;
    cly_connection *used = cly_transfer_connection(transfer);
    double now = cly_clock_now();
    transfer->retry_after = -1;
    if (used) used->heard_at = now;
    keep_no_other(transfer, used, protocol);
    cly_pools_replied(transfer->host->pools, transfer->start.pool, used ? &used->use : NULL, protocol, now);
}

static void read_header(cly_transfer *transfer, const char *line, size_t length) {
    if (cly_starts_with(line, length, "http/")) read_status_line(transfer, line, length);
    cly_retry_after_read(&transfer->retry_after, line, length, seconds_until);
}

static size_t on_header(char *bytes, size_t size, size_t count, void *data) {
    cly_transfer *transfer = data;
    read_header(transfer, bytes, size * count);
    transfer->header_bytes += size * count;
    return transfer->header_bytes <= REPLY_HEADERS_MAX ? size * count : note_too_big(transfer);
}

/* If a request was issued and libcurl looks for a connection again, it wants to send it a second time. */
static bool refuse_second_issue(cly_transfer *transfer) {
    transfer->is_refused = transfer->is_issued;
    return transfer->is_refused;
}

/* libcurl is about to resolve the API's name for this transfer. */
static int on_resolve(void *resolver, void *reserved, void *data) {
    cly_transfer *transfer = data;
    (void)resolver, (void)reserved;
    transfer->is_begun = true;
    return refuse_second_issue(transfer) ? 1 : 0;
}

static const double patience_least = 30; /* seconds; see cly_connections_opened */

/* A transfer may try several addresses, but opens only one connection. */
static bool may_open(cly_transfer *transfer) {
    if (transfer->is_opening) return true;
    if (refuse_second_issue(transfer)) return false;
    transfer->is_opening = cly_pools_may_open(transfer->host->pools, transfer->start.pool);
    transfer->is_held = !transfer->is_opening;
    return transfer->is_opening;
}

static void note_opened(cly_transfer *transfer) {
    if (transfer->is_opening) cly_pools_opened(transfer->start.pool);
    transfer->is_opening = false;
}

static int on_open(void *data, curl_socket_t descriptor, curlsocktype purpose) {
    cly_transfer *transfer = data;
    cly_connections *connections = transfer->host->connections;
    double connecting = transfer->request.connect_deadline - transfer->start.began_at;
    (void)purpose;
    transfer->is_begun = true;
    if (!may_open(transfer)) {
        connections->open++; /* libcurl closes the socket, which counts down */
        return CURL_SOCKOPT_ERROR;
    }
    cly_connections_opened(connections, descriptor, transfer->start.pool,
                           connecting > patience_least ? connecting : patience_least);
    return CURL_SOCKOPT_OK;
}

static cly_protocol agreed_protocol(cly_transfer *transfer) {
    const cly_connection *used = transfer->connection;
    bool is_new = used && used->use.requests == 0 && transfer->host->pools->options.http2;
    return is_new ? cly_connections_protocol(transfer->host->connections, transfer->easy)
                  : CLY_PROTOCOL_UNKNOWN;
}

cly_connection *cly_transfer_connection(const cly_transfer *transfer) {
    cly_connection *named = transfer->connection;
    return named && named->descriptor >= 0 && named->use.serial == transfer->connection_serial ? named : NULL;
}

static void note_issue(cly_transfer *transfer, double now) {
    cly_connection *used = transfer->connection;
    transfer->connection_serial = used ? used->use.serial : 0;
    if (used) used->use.under_way++;
    cly_pools_issued(transfer->host->pools, transfer->start.pool, used ? &used->use : NULL,
                     agreed_protocol(transfer), now - transfer->start.began_at, now);
    transfer->is_issued = true;
    transfer->host->issued(transfer->host->context, transfer, now);
    note_opened(transfer);
}

static bool must_be_held(const cly_transfer *transfer, double now) {
    const cly_transfer_host *host = transfer->host;
    cly_connection *used = transfer->connection;
    if (!cly_pools_has_stream(host->pools, transfer->start.pool, used ? &used->use : NULL, now)) return true;
    /* Over HTTP/2 libcurl 7.88.0 to 8.0.1 sends a wrong body if the kernel refuses the first write. */
    if (!host->needs_room || transfer->start.pool->protocol != CLY_PROTOCOL_HTTP2) return false;
    return !cly_connections_has_room(used, transfer->request.length);
}

static int on_issue(void *data, char *address, char *local_address, int port, int local_port) {
    cly_transfer *transfer = data;
    cly_connections *connections = transfer->host->connections;
    double now;
    (void)address, (void)local_address, (void)port;
    if (refuse_second_issue(transfer)) return CURL_PREREQFUNC_ABORT;
    transfer->connection = cly_connections_find(connections, transfer->start.pool, local_port);
    transfer->is_spoilt = cly_connections_is_spoilt(connections, transfer->connection, transfer->easy);
    now = cly_clock_now();
    transfer->is_late = now >= transfer->request.deadline;
    if (transfer->is_spoilt || transfer->is_late) return CURL_PREREQFUNC_ABORT;
    transfer->is_held = must_be_held(transfer, now);
    if (transfer->is_held) return CURL_PREREQFUNC_ABORT;
    note_issue(transfer, now);
    return CURL_PREREQFUNC_OK;
}

/* While libcurl reads a proxy's refusal, however long, it does not return to the engine, so the deadlines
 * are checked here. */
static int on_progress(void *data, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now) {
    cly_transfer *transfer = data;
    double time = cly_clock_now();
    (void)total, (void)now, (void)up_total, (void)up_now;
    if (transfer->is_issued) return 0;
    transfer->is_late = time >= transfer->request.deadline;
    return transfer->is_late || time >= transfer->request.connect_deadline;
}

/* ---- options: a client's are set once, a request's each time ---- */

static bool set_protocols(CURL *easy, bool is_plain) {
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, is_plain ? "http" : "https") == CURLE_OK;
#else
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, is_plain ? CURLPROTO_HTTP : CURLPROTO_HTTPS) == CURLE_OK;
#endif
}

static bool set_certificates(cly_transfer *transfer) {
    if (!cly_ca_store_apply(transfer->host->ca_store, transfer->easy)) return false;
    transfer->ca_generation = transfer->host->ca_store->generation;
    return true;
}

static bool renew_certificates(cly_transfer *transfer) {
    return transfer->ca_generation == transfer->host->ca_store->generation || set_certificates(transfer);
}

static bool set_callbacks(cly_transfer *transfer) {
    CURL *easy = transfer->easy;
    return curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_XFERINFODATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_issue) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, on_resolve) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_open) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, transfer) == CURLE_OK &&
           /* A socket may outlive the handle that opened it, so the data are the connections. */
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, cly_connections_close) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transfer->host->connections) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error_text) == CURLE_OK;
}

static bool set_network(CURL *easy, const cly_transfer_settings *settings) {
    /* For no proxy the string is empty: with NULL libcurl would read the environment. */
    return curl_easy_setopt(easy, CURLOPT_PROXY, settings->proxy) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOPROXY, settings->no_proxy) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOPROGRESS, settings->proxy[0] ? 0L : 1L) == CURLE_OK &&
           /* Only for a proxy: libcurl formats it for each request, even if the headers replace it. */
           curl_easy_setopt(easy, CURLOPT_USERAGENT, settings->proxy[0] ? settings->user_agent : NULL) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
           /* Servers close idle connections after 60 s or more; a request sent just then is `unknown`. */
           curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)IDLE_MAX) == CURLE_OK;
}

/* Keeps libcurl from waiting for its resolver thread, which may take longer than the call's timeout. */
static bool set_quick_exit(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075700
    return curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK;
#else
    return easy != NULL;
#endif
}

static bool set_manners(CURL *easy) {
    return set_quick_exit(easy) && curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
           /* The headers of a proxy's reply to CONNECT are not the API's. */
           curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK;
}

static bool make(cly_transfer *transfer, const cly_transfer_settings *settings) {
    CURL *easy = curl_easy_init();
    transfer->easy = easy;
    transfer->upload_buffer = 0;
    transfer->http_version = CURL_HTTP_VERSION_NONE;
    transfer->connect_limit = 0;
    return easy && set_protocols(easy, settings->is_plain) && set_certificates(transfer) &&
           set_callbacks(transfer) && set_network(easy, settings) && set_manners(easy);
}

static bool set_method(CURL *easy, const cly_transfer_request *request) {
    bool is_post = strcmp(request->method, "POST") == 0, is_get = strcmp(request->method, "GET") == 0;
    const char *custom = is_post || is_get ? NULL : request->method;
    if (is_post || request->length > 0) {
        /* Set the size with the body: an old size would truncate it. */
        if (curl_easy_setopt(easy, CURLOPT_POST, 1L) != CURLE_OK ||
            curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->length) != CURLE_OK ||
            curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body ? request->body : "") != CURLE_OK)
            return false;
    } else if (curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) != CURLE_OK) {
        return false;
    }
    return curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, custom) == CURLE_OK;
}

/* Returns NULL if parsing fails; libcurl then reports the reason. */
static CURLU *parse(const char *url) {
    CURLU *parsed = curl_url();
    if (parsed && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK) return parsed;
    curl_url_cleanup(parsed);
    return NULL;
}

/* The origin is parsed once. Given only the text, libcurl would parse it for each request, and each time a
 * waiting request asks for a connection. libcurl needs the text too, for requests that it sends again. */
static bool set_origin(cly_transfer *transfer, const char *url, size_t length) {
    cly_buffer *origin = &transfer->origin;
    if (transfer->parsed && origin->length == length && memcmp(origin->data, url, length) == 0) return true;
    cly_buffer_reset(origin);
    cly_buffer_append(origin, url, length);
    curl_easy_setopt(transfer->easy, CURLOPT_CURLU, NULL);
    curl_url_cleanup(transfer->parsed);
    transfer->parsed = cly_buffer_terminate(origin) ? parse(origin->data) : NULL;
    return origin->data && curl_easy_setopt(transfer->easy, CURLOPT_URL, origin->data) == CURLE_OK &&
           curl_easy_setopt(transfer->easy, CURLOPT_CURLU, transfer->parsed) == CURLE_OK;
}

/* The path is set as the request target: libcurl would encode a URL's path for each request. */
static bool set_url(cly_transfer *transfer, const char *url) {
    size_t origin = cly_request_origin(url);
    return set_origin(transfer, url, origin) &&
           curl_easy_setopt(transfer->easy, CURLOPT_REQUEST_TARGET, url + origin) == CURLE_OK;
}

static bool set_changed(CURL *easy, CURLoption option, long *last, long wanted) {
    if (wanted == *last) return true;
    *last = wanted;
    return curl_easy_setopt(easy, option, wanted) == CURLE_OK;
}

/* Each request in flight has a buffer, 64 KiB by default, but most bodies are below 1 KiB. The whole body
 * must fit: over HTTP/2, libcurl up to 8.5 loses an early reply to a body that it writes in pieces. */
static bool set_upload_buffer(cly_transfer *transfer, size_t body) {
    size_t wanted = UPLOAD_LEAST;
    while (wanted < body + UPLOAD_HEAD && wanted < UPLOAD_MOST) wanted *= 2;
    return set_changed(transfer->easy, CURLOPT_UPLOAD_BUFFERSIZE, &transfer->upload_buffer, (long)wanted);
}

void cly_transfer_leave_pool(cly_transfer *transfer) {
    if (transfer->named == NULL) return;
    if (transfer->easy) curl_easy_setopt(transfer->easy, CURLOPT_SHARE, NULL);
    transfer->named->named--;
    transfer->named = NULL;
}

static bool name_pool(cly_transfer *transfer) {
    cly_pool *pool = transfer->start.pool;
    if (transfer->named == pool) return true;
    cly_transfer_leave_pool(transfer);
    if (curl_easy_setopt(transfer->easy, CURLOPT_SHARE, pool->share) != CURLE_OK) return false;
    transfer->named = pool;
    pool->named++;
    return true;
}

/* The engine enforces both deadlines; libcurl's timeout is slightly later. libcurl divides it among the
 * addresses of a name: each gets half of the time that is left. */
static bool set_connect_limit(cly_transfer *transfer) {
    const cly_transfer_request *request = &transfer->request;
    double seconds = fmin(request->connect_deadline, request->deadline) - transfer->start.began_at;
    long limit = seconds > 0 ? (long)(seconds * 1050 + 20) : 20;
    return set_changed(transfer->easy, CURLOPT_CONNECTTIMEOUT_MS, &transfer->connect_limit, limit);
}

/* HTTP/2 is not offered if the pool's first connection spoke HTTP/1.1. */
static bool set_version(cly_transfer *transfer) {
    bool is_offered =
        transfer->host->pools->options.http2 && transfer->start.pool->protocol != CLY_PROTOCOL_HTTP1;
    long wanted = is_offered ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1;
    return set_changed(transfer->easy, CURLOPT_HTTP_VERSION, &transfer->http_version, wanted);
}

static bool set_request(cly_transfer *transfer, const cly_transfer_settings *settings) {
    const cly_transfer_request *request = &transfer->request;
    struct curl_slist *headers = request->length > 0 ? settings->headers : settings->bare_headers;
    transfer->trace_header.data = request->trace_header;
    transfer->trace_header.next = headers;
    if (request->trace_header[0]) headers = &transfer->trace_header;
    return set_connect_limit(transfer) && set_version(transfer) && set_url(transfer, request->url) &&
           set_method(transfer->easy, request) && set_upload_buffer(transfer, request->length) &&
           curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
           curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, 0L) == CURLE_OK &&
           curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, 0L) == CURLE_OK;
}

/* Clears everything that belongs to the handle's last exchange. */
static void reset(cly_transfer *transfer) {
    cly_buffer_reset(&transfer->reply);
    transfer->error_text[0] = '\0';
    transfer->header_bytes = 0;
    transfer->retry_after = -1;
    transfer->connection = NULL;
    transfer->is_begun = transfer->is_issued = transfer->is_refused = transfer->is_turned_away = false;
    transfer->is_held = transfer->is_spoilt = transfer->is_late = transfer->is_too_big =
        transfer->is_performed = false;
}

bool cly_transfer_prepare(cly_transfer *transfer, const cly_transfer_settings *settings,
                          const cly_transfer_host *host) {
    reset(transfer);
    transfer->host = host;
    if (transfer->easy == NULL && !make(transfer, settings)) {
        /* A handle without all its options must never be used. */
        if (transfer->easy) curl_easy_cleanup(transfer->easy);
        transfer->easy = NULL;
        return false;
    }
    return renew_certificates(transfer) && name_pool(transfer) && set_request(transfer, settings);
}

bool cly_transfer_prepare_again(cly_transfer *transfer, bool is_fresh, double now) {
    note_opened(transfer);
    reset(transfer);
    transfer->start.began_at = now;
    return renew_certificates(transfer) && set_connect_limit(transfer) && set_version(transfer) &&
           curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, is_fresh ? 1L : 0L) == CURLE_OK;
}

/* ---- the report ---- */

bool cly_transfer_is_parked(const cly_transfer *transfer) {
    return !transfer->is_begun && !transfer->is_issued && !transfer->is_spoilt && !transfer->is_late &&
           !transfer->is_held;
}

/* A reply was arriving, but there was no memory for it. */
static bool is_out_of_memory(const cly_transfer *transfer) {
    return transfer->reply.state == CLY_BUFFER_NO_MEMORY;
}

static cly_end end_unissued(const cly_transfer *transfer, CURLcode code) {
    if (transfer->is_late) return CLY_END_TIMEOUT;
    if (transfer->is_held) return CLY_END_PARKED;
    if (code == CURLE_OUT_OF_MEMORY) return CLY_END_NO_MEMORY;
    /* libcurl reports a lack of descriptors by many codes. */
    if (cly_connect_failure_lacks_descriptors() || cly_ca_store_was_unread(transfer->host->ca_store, code))
        return CLY_END_NO_DESCRIPTOR;
    return cly_connect_failure(transfer->easy, code);
}

static cly_end end_of(const cly_transfer *transfer, CURLcode code) {
    if (transfer->is_too_big) return CLY_END_TOO_BIG;
    if (is_out_of_memory(transfer)) return CLY_END_LOST;
    if (code == CURLE_OK) return CLY_END_REPLY;
    return transfer->is_issued ? CLY_END_LOST : end_unissued(transfer, code);
}

/* Before the first byte of a reply, libcurl returns the status of the handle's last exchange. */
static int final_status(const cly_transfer *transfer) {
    long status = 0;
    if (transfer->header_bytes == 0) return 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200 ? (int)status : 0; /* 100 and 103 are not final */
}

/* Whether libcurl's error describes its attempt to send the request again, which was refused. */
static bool is_of_second_try(const cly_transfer *transfer, CURLcode code) {
    if (!transfer->is_issued) return false;
    return transfer->is_refused || code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
           code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION ||
           strstr(transfer->error_text, "Connection died") != NULL;
}

static const char no_connection[] = "no connection within connect_timeout";

static const char *reason_of(const cly_transfer *transfer, CURLcode code) {
    if (is_out_of_memory(transfer)) return "not enough memory for the reply";
    if (transfer->is_spoilt) return "a kept connection had bytes on it that belong to no request";
    if (code == CURLE_ABORTED_BY_CALLBACK && !transfer->is_issued) return no_connection;
    if (is_of_second_try(transfer, code))
        return "the server closed the connection or refused the request, without an answer";
    /* libcurl's text may quote a reply that echoes the API key, or a proxy's URL with its password. */
    if (transfer->error_text[0] == '\0' || transfer->header_bytes > 0 ||
        strstr(transfer->error_text, "://") || strchr(transfer->error_text, '@'))
        return curl_easy_strerror(code);
    return transfer->error_text;
}

static void set_report(cly_transfer *transfer, cly_end end) {
    cly_report *report = &transfer->report;
    cly_connection *used = transfer->is_issued ? cly_transfer_connection(transfer) : NULL;
    if (used) used->use.under_way--;
    note_opened(transfer);
    report->end = end;
    report->bytes_left = transfer->is_issued;
    report->status = final_status(transfer);
    report->retry_after = -1;
    report->reason = NULL;
    report->body = transfer->reply.data;
    report->length = transfer->reply.length;
}

void cly_transfer_finish(cly_transfer *transfer, CURLcode code) {
    set_report(transfer, end_of(transfer, code));
    transfer->report.retry_after = transfer->retry_after;
    if (code != CURLE_OK) transfer->report.reason = reason_of(transfer, code);
}

void cly_transfer_stop(cly_transfer *transfer, cly_end end) {
    set_report(transfer, end);
    if (end == CLY_END_UNREACHED) transfer->report.reason = no_connection;
}

bool cly_transfer_wants_fresh(const cly_transfer *transfer) {
    return transfer->is_spoilt && !transfer->is_late;
}

bool cly_transfer_wants_certificates(const cly_transfer *transfer, CURLcode code) {
    return !transfer->is_issued &&
           cly_ca_store_wants_again(transfer->host->ca_store, transfer->ca_generation, transfer->easy, code);
}

static double seconds_of(CURL *easy, CURLINFO info) {
    curl_off_t microseconds = 0;
    curl_easy_getinfo(easy, info, &microseconds);
    return (double)microseconds / 1e6;
}

cly_phases cly_transfer_phases(const cly_transfer *transfer) {
    cly_phases phases = {0, 0, 0, 0, 0};
    if (transfer->easy == NULL || !transfer->is_performed) return phases;
    phases.dns = seconds_of(transfer->easy, CURLINFO_NAMELOOKUP_TIME_T);
    phases.connect = seconds_of(transfer->easy, CURLINFO_CONNECT_TIME_T);
    phases.tls = seconds_of(transfer->easy, CURLINFO_APPCONNECT_TIME_T);
    phases.first_byte = seconds_of(transfer->easy, CURLINFO_STARTTRANSFER_TIME_T);
    phases.total = seconds_of(transfer->easy, CURLINFO_TOTAL_TIME_T);
    return phases;
}

const char *cly_transfer_http_version(const cly_transfer *transfer) {
    static const char *const names[] = {"", "1.0", "1.1", "2"}; /* indexed by CURL_HTTP_VERSION_ */
    long version = 0;
    if (transfer->header_bytes > 0) curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version);
    if (version == CURL_HTTP_VERSION_3) return "3";
    return version >= 0 && version <= CURL_HTTP_VERSION_2_0 ? names[version] : "";
}
