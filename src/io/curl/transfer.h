/*
 * transfer.h - one attempt: one HTTP exchange on a libcurl easy handle that is reused.
 *
 * At most once, by construction: libcurl repeats a request by itself when a reused
 * connection dies before the first byte of the reply, and the server then has it
 * twice while the caller sees one success. libcurl asks before it issues a request
 * (CURLOPT_PREREQFUNCTION), and the second time it is always refused, whatever the
 * method: core decides about repeats, and the limiter counts them.
 *
 * An issued request counts as left, and its end without a reply as unknown. libcurl's
 * counters are no evidence: 8.7 counts no bytes, and up to 8.6 bytes wait uncounted in
 * its own buffers.
 */
#ifndef CLY_IO_CURL_TRANSFER_H
#define CLY_IO_CURL_TRANSFER_H

#include "core/call/attempts.h"
#include "core/base/list.h"
#include "core/connect/pools.h"
#include "io/curl/ca_store.h"
#include "io/curl/connections.h"
#include <curl/curl.h>

CLY_PRIVATE_BEGIN

struct cly_transfer;

/* What all transfers of a client share; everything is borrowed and outlives
 * the handles. */
typedef struct cly_transfer_settings {
    struct curl_slist *headers;      /* of a request with a body */
    struct curl_slist *bare_headers; /* of one without */
    const char *user_agent;          /* told to a proxy; the headers tell the API */
    const char *proxy, *no_proxy;
    const cly_ca_paths *ca_paths; /* where the engine's store begins */
    double connect_timeout;       /* seconds */
    bool is_plain;                /* http:// to loopback */
    bool http2;
} cly_transfer_settings;

/* The engine's parts that a transfer tells, in the thread that runs libcurl. */
typedef struct cly_transfer_host {
    cly_pools *pools;
    cly_connections *connections;
    cly_ca_store *ca_store;
    bool needs_room; /* the libcurl that runs breaks HTTP/2 when a head meets a full socket */
    void (*issued)(void *context, struct cly_transfer *transfer, double now);
    void *context;
} cly_transfer_host;

typedef struct cly_transfer_request {
    const char *method, *url;
    const char *body; /* borrowed until the transfer has ended */
    size_t length;
    char *trace_header;      /* a whole line, or ""; borrowed likewise */
    double deadline;         /* on cly_clock_now's clock: after it the request is not issued */
    double connect_deadline; /* before it the request must be issued */
} cly_transfer_request;

typedef struct cly_transfer {
    CURL *easy;        /* owned, made at first use */
    CURLU *parsed;     /* owned: the origin of its URLs; NULL before there was one */
    cly_buffer origin; /* what that was parsed from */
    char error_text[CURL_ERROR_SIZE];
    cly_buffer reply;
    size_t header_bytes;
    long upload_buffer; /* these three: as last set */
    long http_version;  /* that is offered: of CURL_HTTP_VERSION_ */
    long connect_limit; /* milliseconds */
    double retry_after; /* seconds, of the last reply; negative when it says nothing */
    cly_transfer_request request;
    const cly_transfer_host *host;
    cly_pool *named; /* whose share the handle names, or NULL */
    /* The entry of its connection, NULL when not known, and the serial in it at the issue. */
    cly_connection *connection;
    unsigned connection_serial;
    bool is_begun;       /* libcurl resolves a name or opens a socket for it */
    bool is_opening;     /* a connection is being made for it */
    bool is_issued;      /* libcurl began to send the request: it may arrive */
    bool is_refused;     /* libcurl wanted to issue it a second time */
    bool is_turned_away; /* likewise, and its connection took no request at all */
    bool is_spoilt;      /* the connection to be used had bytes on it; it was not issued */
    bool is_late;        /* it was not issued: its time was up */
    bool is_held;        /* it was not issued: the connection takes nothing at present */
    bool is_too_big;
    bool is_canceled;       /* the engine is to stop it */
    bool is_performed;      /* libcurl has had a turn: the handle tells of this exchange */
    unsigned ca_generation; /* of the store, when the handle was set up by it */
    cly_report report;      /* once it has ended; borrows from the transfer */
    unsigned turn;          /* of libcurl, the first that it takes part in */
    cly_record *record;
    cly_start start;                      /* its pool, among others */
    struct cly_transfer *previous, *next; /* the engine's lists */
    struct curl_slist trace_header;       /* stands before the shared list; not owned by libcurl */
} cly_transfer;

/* In the order in which they were appended. */
typedef struct cly_transfer_list {
    cly_transfer *first, *last;
} cly_transfer_list;

CLY_LIST_FUNCTIONS(cly_transfer, cly_transfer_list, cly_transfer_append, cly_transfer_detach)

/* The idle one that was used last, whose memory is warm, or a new one; NULL without memory. */
cly_transfer *cly_transfer_take(cly_transfer_list *idle);

/* Closes its handle; the reply stays. */
void cly_transfer_close(cly_transfer *transfer);
void cly_transfer_free_all(cly_transfer_list *list);

/* Readies the handle for its request, on the connections of its start's pool. False: no
 * memory, or a libcurl that cannot do what is needed. */
bool cly_transfer_prepare(cly_transfer *transfer, const cly_transfer_settings *settings,
                          const cly_transfer_host *host);

/* Readies it for the same request once more: nothing was issued. With `is_fresh` it uses
 * no kept connection. */
bool cly_transfer_prepare_again(cly_transfer *transfer, bool is_fresh, double now);

/* The handle does not name the pool's share any more. Not while it runs. */
void cly_transfer_leave_pool(cly_transfer *transfer);

/* The connection that it was issued on, or NULL when that is gone or not known. */
cly_connection *cly_transfer_connection(const cly_transfer *transfer);

/* libcurl keeps it, without any sign that it has begun with it. */
bool cly_transfer_is_parked(const cly_transfer *transfer);

/* Notes in `report` how an exchange went that libcurl ended with `code`. */
void cly_transfer_finish(cly_transfer *transfer, CURLcode code);

/* The same for one that is being stopped: `end` says why. */
void cly_transfer_stop(cly_transfer *transfer, cly_end end);

/* Nothing was sent, since the kept connection had bytes on it that could be taken
 * for the reply. It is closed; a fresh one may be tried at once. */
bool cly_transfer_wants_fresh(const cly_transfer *transfer);

/* Nothing was sent, since the trusted certificates did not hold the issuer. The store
 * holds more now; the same attempt is to be made again. */
bool cly_transfer_wants_certificates(const cly_transfer *transfer, CURLcode code);

/* How long the attempt took to come how far. */
cly_phases cly_transfer_phases(const cly_transfer *transfer);

/* "1.1", "2", "3", or "" before any reply; static. */
const char *cly_transfer_http_version(const cly_transfer *transfer);

CLY_PRIVATE_END

#endif
