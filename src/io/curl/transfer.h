/*
 * transfer.h - one attempt: one HTTP exchange on a reused libcurl easy handle.
 *
 * At most once: when a kept connection dies before the first byte of the reply, libcurl sends the
 * request again on its own; the server may then have it twice while the caller sees one success. But
 * libcurl asks before it issues a request (CURLOPT_PREREQFUNCTION), and this module refuses every
 * second issue, for all methods. core decides on retries, and the limiter counts them.
 *
 * An issued request counts as sent; if it ends without a reply, its outcome is unknown. libcurl's byte
 * counters are not evidence: 8.7 counts no bytes, and up to 8.6 bytes can wait uncounted in libcurl's
 * own buffers.
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

/* Settings shared by all transfers of a client. All pointers are borrowed and must outlive the
 * handles. */
typedef struct cly_transfer_settings {
    struct curl_slist *headers;      /* for a request with a body */
    struct curl_slist *bare_headers; /* for one without */
    const char *user_agent;          /* for a proxy; the API gets it from the headers */
    const char *proxy, *no_proxy;
    const cly_ca_paths *ca_paths; /* initial contents of the engine's store */
    double connect_timeout;       /* seconds */
    bool is_plain;                /* http:// to loopback */
    bool http2;
} cly_transfer_settings;

/* The parts of the engine that a transfer reports to, in the thread that runs libcurl. */
typedef struct cly_transfer_host {
    cly_pools *pools;
    cly_connections *connections;
    cly_ca_store *ca_store;
    bool needs_room; /* the running libcurl breaks HTTP/2 when it writes a head to a full socket */
    void (*issued)(void *context, struct cly_transfer *transfer, double now);
    void *context;
} cly_transfer_host;

typedef struct cly_transfer_request {
    const char *method, *url;
    const char *body; /* borrowed until the transfer has ended */
    size_t length;
    char *trace_header;      /* a complete header line, or ""; borrowed as long */
    double deadline;         /* on cly_clock_now's clock; the request is not issued after it */
    double connect_deadline; /* the request must be issued before it */
} cly_transfer_request;

typedef struct cly_transfer {
    CURL *easy;        /* owned; made at first use */
    CURLU *parsed;     /* owned; the parsed origin of its URLs; NULL before the first */
    cly_buffer origin; /* the text that `parsed` was made from */
    char error_text[CURL_ERROR_SIZE];
    cly_buffer reply;
    size_t header_bytes;
    long upload_buffer; /* this and the next two: the values last set */
    long http_version;  /* the version offered, a CURL_HTTP_VERSION_ */
    long connect_limit; /* milliseconds */
    double retry_after; /* seconds, from the last reply; negative if not given */
    cly_transfer_request request;
    const cly_transfer_host *host;
    cly_pool *named; /* the pool whose share the handle uses, or NULL */
    /* The entry of its connection, NULL if unknown, and the entry's serial when the request was issued. */
    cly_connection *connection;
    unsigned connection_serial;
    bool is_begun;       /* libcurl has begun to resolve a name or open a socket */
    bool is_opening;     /* libcurl is opening a connection for it */
    bool is_issued;      /* libcurl has begun to send the request: it may arrive */
    bool is_refused;     /* libcurl wanted to issue it a second time */
    bool is_turned_away; /* and the server accepted no request at all on its connection */
    bool is_spoilt;      /* not issued: the connection had unread bytes */
    bool is_late;        /* not issued: its time was up */
    bool is_held;        /* not issued: the connection accepts nothing at present */
    bool is_too_big;
    bool is_canceled;       /* the engine must stop it */
    bool is_performed;      /* libcurl has had a turn: the handle's data are of this exchange */
    unsigned ca_generation; /* the store's generation when it was applied to the handle */
    cly_report report;      /* set when it has ended; borrows from the transfer */
    unsigned turn;          /* libcurl's first turn with it */
    cly_record *record;
    cly_start start;                      /* includes its pool */
    struct cly_transfer *previous, *next; /* the engine's lists */
    struct curl_slist trace_header;       /* prepended to the shared list; not owned by libcurl */
} cly_transfer;

/* In the order of appending. */
typedef struct cly_transfer_list {
    cly_transfer *first, *last;
} cly_transfer_list;

CLY_LIST_FUNCTIONS(cly_transfer, cly_transfer_list, cly_transfer_append, cly_transfer_detach)

/* Returns the idle transfer used last (its memory is in the cache) or a new one; NULL if out of memory. */
cly_transfer *cly_transfer_take(cly_transfer_list *idle);

/* Closes the handle and keeps the reply. */
void cly_transfer_close(cly_transfer *transfer);
void cly_transfer_free_all(cly_transfer_list *list);

/* Sets up the handle for its request, on the connections of the pool in `start`. Returns false if out of
 * memory, or if libcurl lacks a needed feature. */
bool cly_transfer_prepare(cly_transfer *transfer, const cly_transfer_settings *settings,
                          const cly_transfer_host *host);

/* Sets it up once more for the same request, which was not issued. With `is_fresh` it uses no kept
 * connection. */
bool cly_transfer_prepare_again(cly_transfer *transfer, bool is_fresh, double now);

/* Makes the handle stop using the pool's share. Not while it runs. */
void cly_transfer_leave_pool(cly_transfer *transfer);

/* The connection on which it was issued, or NULL if that is gone or unknown. */
cly_connection *cly_transfer_connection(const cly_transfer *transfer);

/* Whether libcurl shows no sign of having begun with it. */
bool cly_transfer_is_parked(const cly_transfer *transfer);

/* Fills `report` for an exchange that libcurl ended with `code`. */
void cly_transfer_finish(cly_transfer *transfer, CURLcode code);

/* The same for an exchange that the engine stops; `end` is the reason. */
void cly_transfer_stop(cly_transfer *transfer, cly_end end);

/* Whether nothing was sent because the kept connection had unread bytes that could be taken for the
 * reply. libcurl closes that connection; a new one may be tried at once. */
bool cly_transfer_wants_fresh(const cly_transfer *transfer);

/* Whether nothing was sent because the trusted certificates lacked the issuer, and the store has more
 * now: the same attempt must be made again. */
bool cly_transfer_wants_certificates(const cly_transfer *transfer, CURLcode code);

/* The time that each phase of the attempt took. */
cly_phases cly_transfer_phases(const cly_transfer *transfer);

/* "1.1", "2", "3", or "" without a reply; static. */
const char *cly_transfer_http_version(const cly_transfer *transfer);

CLY_PRIVATE_END

#endif
