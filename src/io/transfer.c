#include "io/transfer.h"

#include "core/request.h"
#include "core/text.h"
#include "io/clock.h"
#include <stdlib.h>
#include <time.h>

#if LIBCURL_VERSION_NUM < 0x075000
#error "libcurl 7.80 or newer is needed: CURLOPT_PREREQFUNCTION keeps a message from being sent twice"
#endif

enum { REPLY_HEADERS_MAX = 256 * 1024, IDLE_MAX = 45 /* seconds */, UPLOAD_BUFFER = 16 * 1024 };

void cly_transfer_init(cly_transfer *transfer) {
    memset(transfer, 0, sizeof *transfer);
    cly_buffer_init(&transfer->reply, CLY_REPLY_MAX);
    cly_buffer_init(&transfer->url, CLY_URL_MAX);
}

void cly_transfer_close(cly_transfer *transfer) {
    if (transfer->easy) curl_easy_cleanup(transfer->easy);
    curl_url_cleanup(transfer->parsed_url);
    transfer->easy = NULL;
    transfer->parsed_url = NULL;
}

void cly_transfer_clear(cly_transfer *transfer) {
    cly_transfer_close(transfer);
    cly_buffer_clear(&transfer->reply);
    cly_buffer_clear(&transfer->url);
}

/* ---- libcurl's callbacks: they note, and never touch Lua ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *data) {
    cly_transfer *transfer = data;
    cly_buffer_append(&transfer->reply, bytes, size * count);
    if (transfer->reply.state == CLY_BUFFER_FINE) return size * count;
    transfer->is_too_big = transfer->reply.state == CLY_BUFFER_FULL;
    return 0;
}

enum { VALUE_MAX = 64 };

/* Seconds or an HTTP date (RFC 9110 section 10.2.3). libcurl's own reading of it
 * cannot tell "0" from no such header. Anything else is as if it were not there. */
static double read_retry_after(const char *value) {
    size_t digits = strspn(value, "0123456789");
    time_t date;
    if (digits > 0 && value[digits] == '\0') return digits > 9 ? 1e9 : (double)atol(value);
    date = curl_getdate(value, NULL);
    if (date == (time_t)-1) return -1;
    return date > time(NULL) ? difftime(date, time(NULL)) : 0;
}

/* A reply begins. */
static void read_status_line(cly_transfer *transfer, const char *line, size_t length) {
    transfer->retry_after = -1;
    if (cly_starts_with(line, length, "http/1")) cly_sockets_replied(transfer->sockets, transfer->local_port);
}

static void read_header(cly_transfer *transfer, const char *line, size_t length) {
    static const char name[] = "retry-after:";
    char value[VALUE_MAX + 1];
    size_t from = sizeof name - 1, to = length;
    if (cly_starts_with(line, length, "http/")) read_status_line(transfer, line, length);
    if (!cly_starts_with(line, length, name)) return;
    while (from < to && strchr(" \t", line[from])) from++;
    while (to > from && strchr(" \t\r\n", line[to - 1])) to--;
    if (to - from > VALUE_MAX) return;
    memcpy(value, line + from, to - from);
    value[to - from] = '\0';
    transfer->retry_after = read_retry_after(value);
}

static size_t on_header(char *bytes, size_t size, size_t count, void *data) {
    cly_transfer *transfer = data;
    read_header(transfer, bytes, size * count);
    transfer->header_bytes += size * count;
    if (transfer->header_bytes <= REPLY_HEADERS_MAX) return size * count;
    transfer->is_too_big = true;
    return 0;
}

/* An issued request counts as left. libcurl's counters are no evidence: 8.7 counts
 * nothing, and up to 8.6 bytes wait in its own buffers that it has not counted. */
static bool has_left(const cly_transfer *transfer) {
    return transfer->is_issued;
}

static void depart(cly_transfer *transfer) {
    double now = cly_clock_now();
    cly_limiter_left(transfer->limiter, now);
    if (transfer->slots) cly_slots_departed(transfer->slots, transfer->slot_at, now);
}

static int on_issue(void *data, char *address, char *local_address, int port, int local_port) {
    cly_transfer *transfer = data;
    (void)address, (void)local_address, (void)port;
    transfer->local_port = local_port;
    if (transfer->is_issued) {
        transfer->is_refused = true;
        return CURL_PREREQFUNC_ABORT;
    }
    transfer->is_spoilt = cly_sockets_is_spoilt(transfer->sockets, transfer->easy, local_port);
    if (transfer->is_spoilt) return CURL_PREREQFUNC_ABORT;
    transfer->is_issued = true;
    depart(transfer);
    return CURL_PREREQFUNC_OK;
}

/* ---- options: those of a client once, those of a request each time ---- */

static bool set_protocols(CURL *easy, bool is_plain) {
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, is_plain ? "http" : "https") == CURLE_OK;
#else
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, is_plain ? CURLPROTO_HTTP : CURLPROTO_HTTPS) == CURLE_OK;
#endif
}

static bool set_trust(CURL *easy, const cly_trust *trust) {
    const char *file = trust->ca_file[0] ? trust->ca_file : NULL;
    const char *path = trust->ca_path[0] ? trust->ca_path : NULL;
    bool is_set = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
                  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
                  curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
    if (trust->is_default || !is_set) return is_set;
    return curl_easy_setopt(easy, CURLOPT_CAINFO, file) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CAPATH, path) == CURLE_OK;
}

static bool set_callbacks(cly_transfer *transfer) {
    CURL *easy = transfer->easy;
    return curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_issue) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error_text) == CURLE_OK;
}

static bool set_network(CURL *easy, const cly_transfer_settings *settings) {
    long version = settings->http2 ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1;
    /* An empty proxy, not none: with none libcurl asks the environment. */
    return curl_easy_setopt(easy, CURLOPT_PROXY, settings->proxy) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOPROXY, settings->no_proxy) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PIPEWAIT, settings->http2 ? 1L : 0L) == CURLE_OK &&
           /* libcurl writes it anew for each request, even when the headers replace it. */
           curl_easy_setopt(easy, CURLOPT_USERAGENT, settings->proxy[0] ? settings->user_agent : NULL) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
           /* The least that libcurl takes, and a record of TLS. It has one for each
            * request in flight, 64 KiB if not told, where a usual body takes 1. */
           curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER) == CURLE_OK &&
           /* Servers and balancers close idle connections after 60 seconds or more.
            * One that dies as it is used again costs an `unknown`. */
           curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)IDLE_MAX) == CURLE_OK;
}

/* A resolver that takes its time must not keep a call beyond its budget: libcurl
 * is not to wait for the thread it asks it in. */
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
           /* A proxy's answer to CONNECT is not the API's. */
           curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK;
}

static bool make(cly_transfer *transfer, const cly_transfer_settings *settings) {
    CURL *easy = curl_easy_init();
    transfer->easy = easy;
    return easy && set_protocols(easy, settings->is_plain) && set_trust(easy, settings->trust) &&
           set_callbacks(transfer) && set_network(easy, settings) && set_manners(easy) &&
           cly_sockets_watch(settings->sockets, easy);
}

static bool set_method(CURL *easy, const cly_transfer_request *request) {
    bool is_post = strcmp(request->method, "POST") == 0, is_get = strcmp(request->method, "GET") == 0;
    const char *custom = is_post || is_get ? NULL : request->method;
    if (is_post || request->length > 0) {
        /* The size goes with the body: a stale one would cut it. */
        if (curl_easy_setopt(easy, CURLOPT_POST, 1L) != CURLE_OK ||
            curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->length) != CURLE_OK ||
            curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body ? request->body : "") != CURLE_OK)
            return false;
    } else if (curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) != CURLE_OK) {
        return false;
    }
    return curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, custom) == CURLE_OK;
}

static long milliseconds(double seconds) {
    return seconds < 0.001 ? 1 : (long)(seconds * 1000);
}

static bool is_set_url(const cly_transfer *transfer, const char *url, size_t length) {
    return transfer->parsed_url && transfer->url.length == length &&
           memcmp(transfer->url.data, url, length) == 0;
}

/* NULL when it cannot be done: libcurl will say why. */
static CURLU *parse(const char *url) {
    CURLU *parsed = curl_url();
    if (parsed && curl_url_set(parsed, CURLUPART_URL, url, CURLU_PATH_AS_IS) == CURLUE_OK) return parsed;
    curl_url_cleanup(parsed);
    return NULL;
}

/* Parsed once: libcurl, given the text alone, parses it and writes it out again for
 * each request, and each time that one which waits asks for a connection. The text
 * it wants too, for what it repeats. */
static bool set_url(cly_transfer *transfer, const char *url) {
    size_t length = strlen(url);
    if (is_set_url(transfer, url, length)) return true;
    curl_easy_setopt(transfer->easy, CURLOPT_CURLU, NULL);
    curl_url_cleanup(transfer->parsed_url);
    transfer->parsed_url = parse(url);
    cly_buffer_reset(&transfer->url);
    cly_buffer_append(&transfer->url, url, length);
    return curl_easy_setopt(transfer->easy, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(transfer->easy, CURLOPT_CURLU, transfer->parsed_url) == CURLE_OK;
}

static bool set_request(cly_transfer *transfer, const cly_transfer_settings *settings,
                        const cly_transfer_request *request, void *owner) {
    CURL *easy = transfer->easy;
    double connect =
        settings->connect_timeout < request->timeout ? settings->connect_timeout : request->timeout;
    struct curl_slist *headers = request->length > 0 ? settings->headers : settings->bare_headers;
    transfer->trace_header.data = request->trace_header;
    transfer->trace_header.next = headers;
    if (request->trace_header[0]) headers = &transfer->trace_header;
    return curl_easy_setopt(easy, CURLOPT_PRIVATE, owner) == CURLE_OK && set_url(transfer, request->url) &&
           set_method(easy, request) && curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->is_fresh ? 1L : 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds(request->timeout)) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(connect)) == CURLE_OK;
}

bool cly_transfer_prepare(cly_transfer *transfer, const cly_transfer_settings *settings,
                          const cly_transfer_request *request, void *owner, double now) {
    cly_buffer_reset(&transfer->reply);
    transfer->error_text[0] = '\0';
    transfer->header_bytes = 0;
    transfer->retry_after = -1;
    transfer->is_issued = transfer->is_refused = false;
    transfer->is_too_big = false;
    transfer->is_spoilt = false;
    transfer->local_port = 0;
    transfer->started_at = now;
    transfer->timeout = request->timeout;
    transfer->limiter = request->limiter;
    transfer->slots = settings->slots;
    transfer->slot_at = request->slot_at;
    transfer->sockets = settings->sockets;
    if (transfer->easy == NULL && !make(transfer, settings)) {
        /* A handle with half its options must never be used. */
        if (transfer->easy) curl_easy_cleanup(transfer->easy);
        transfer->easy = NULL;
        return false;
    }
    return set_request(transfer, settings, request, owner);
}

/* ---- what was seen ---- */

/* A connection that took too long is no different from one that failed, as long
 * as the budget of the call is not used up. */
static cly_end end_of_timeout(const cly_transfer *transfer, double now) {
    bool is_connecting = !transfer->is_issued;
    bool has_time = now - transfer->started_at < transfer->timeout - 0.002;
    return is_connecting && has_time ? CLY_END_UNREACHED : CLY_END_TIMEOUT;
}

/* The reply was coming, and there was no room for it. */
static bool is_out_of_memory(const cly_transfer *transfer) {
    return transfer->reply.state == CLY_BUFFER_NO_MEMORY;
}

static cly_end end_of(const cly_transfer *transfer, CURLcode code, double now) {
    if (transfer->is_too_big) return CLY_END_TOO_BIG;
    if (is_out_of_memory(transfer)) return CLY_END_LOST;
    switch (code) {
    case CURLE_OK: return CLY_END_REPLY;
    case CURLE_OPERATION_TIMEDOUT: return end_of_timeout(transfer, now);
    case CURLE_OUT_OF_MEMORY: return has_left(transfer) ? CLY_END_LOST : CLY_END_NO_MEMORY;
    default: return transfer->is_issued ? CLY_END_LOST : CLY_END_UNREACHED;
    }
}

/* As long as no byte of a reply came, libcurl knows that of the handle's last
 * exchange. */
static int final_status(const cly_transfer *transfer) {
    long status = 0;
    if (transfer->header_bytes == 0) return 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200 ? (int)status : 0; /* 100 and 103 conclude nothing */
}

static const char *reason_of(const cly_transfer *transfer, CURLcode code) {
    if (is_out_of_memory(transfer)) return "not enough memory for the reply";
    if (transfer->is_spoilt) return "a kept connection had bytes on it before the request left";
    if (transfer->is_refused) return "the server closed the connection without an answer";
    /* libcurl may quote a proxy's URL, with its password. */
    if (transfer->error_text[0] == '\0' || strstr(transfer->error_text, "://") ||
        strchr(transfer->error_text, '@'))
        return curl_easy_strerror(code);
    return transfer->error_text;
}

cly_report cly_transfer_report(const cly_transfer *transfer, CURLcode code, double now) {
    cly_report report = {CLY_END_REPLY, false, 0, -1, NULL, NULL, 0};
    report.end = end_of(transfer, code, now);
    report.bytes_left = has_left(transfer);
    report.status = final_status(transfer);
    report.retry_after = transfer->retry_after;
    report.reason = code == CURLE_OK ? NULL : reason_of(transfer, code);
    report.body = transfer->reply.data;
    report.length = transfer->reply.length;
    return report;
}

cly_report cly_transfer_cancel(const cly_transfer *transfer) {
    cly_report report = {CLY_END_CANCELED, false, 0, -1, NULL, NULL, 0};
    report.bytes_left = has_left(transfer);
    report.status = final_status(transfer);
    report.body = transfer->reply.data;
    report.length = transfer->reply.length;
    return report;
}

bool cly_transfer_wants_fresh(const cly_transfer *transfer) {
    return transfer->is_spoilt;
}

static double seconds_of(CURL *easy, CURLINFO info) {
    curl_off_t microseconds = 0;
    curl_easy_getinfo(easy, info, &microseconds);
    return (double)microseconds / 1e6;
}

cly_phases cly_transfer_phases(const cly_transfer *transfer) {
    cly_phases phases = {0, 0, 0, 0, 0};
    if (transfer->easy == NULL) return phases;
    phases.dns = seconds_of(transfer->easy, CURLINFO_NAMELOOKUP_TIME_T);
    phases.connect = seconds_of(transfer->easy, CURLINFO_CONNECT_TIME_T);
    phases.tls = seconds_of(transfer->easy, CURLINFO_APPCONNECT_TIME_T);
    phases.first_byte = seconds_of(transfer->easy, CURLINFO_STARTTRANSFER_TIME_T);
    phases.total = seconds_of(transfer->easy, CURLINFO_TOTAL_TIME_T);
    return phases;
}

const char *cly_transfer_http_version(const cly_transfer *transfer) {
    long version = 0;
    if (transfer->header_bytes > 0) curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version);
    switch (version) {
    case CURL_HTTP_VERSION_1_0: return "1.0";
    case CURL_HTTP_VERSION_1_1: return "1.1";
    case CURL_HTTP_VERSION_2_0: return "2";
    case CURL_HTTP_VERSION_3: return "3";
    default: return "";
    }
}
