/*
 * transfer.h - one HTTP exchange on a libcurl easy handle that is used again.
 *
 * At most once, by construction: libcurl repeats a request by itself when a reused
 * connection dies before the first byte of the reply, and the server then has it
 * twice while the caller sees one success. libcurl asks before it issues a request
 * (CURLOPT_PREREQFUNCTION), and the second time it is always refused, whatever the
 * method: core decides about repeats, and the limiter counts them.
 */
#ifndef CLY_IO_TRANSFER_H
#define CLY_IO_TRANSFER_H

#include "core/event.h"
#include "core/limiter.h"
#include "core/slots.h"
#include "core/verdict.h"
#include "io/sockets.h"
#include "io/trust.h"
#include <curl/curl.h>

CLY_PRIVATE_BEGIN

/* What all transfers of a client share; everything is borrowed and outlives
 * the handles. */
typedef struct cly_transfer_settings {
    struct curl_slist *headers;      /* of a request with a body */
    struct curl_slist *bare_headers; /* of one without */
    const char *user_agent;          /* told to a proxy; the headers tell the API */
    const char *proxy, *no_proxy;
    const cly_trust *trust;
    cly_slots *slots;       /* told when a request leaves; NULL without a shared limiter */
    cly_sockets *sockets;   /* told of those that are opened */
    double connect_timeout; /* seconds */
    bool is_plain;          /* http:// to loopback */
    bool http2;
} cly_transfer_settings;

typedef struct cly_transfer {
    CURL *easy;        /* owned, made at first use */
    CURLU *parsed_url; /* owned; NULL before a URL was set */
    cly_buffer url;    /* what it was parsed from */
    char error_text[CURL_ERROR_SIZE];
    cly_buffer reply;
    size_t header_bytes;
    double retry_after; /* seconds, of the last reply; negative when it says nothing */
    bool is_issued;     /* libcurl began to send the request: it may arrive */
    bool is_refused;    /* libcurl wanted to issue it a second time */
    bool is_too_big;
    bool is_spoilt; /* the connection to be used had bytes on it; none of the request left */
    int local_port;
    double started_at, timeout;
    cly_limiter *limiter;
    cly_slots *slots;
    double slot_at;
    cly_sockets *sockets;
    struct curl_slist trace_header; /* stands before the shared list; not owned by libcurl */
} cly_transfer;

typedef struct cly_transfer_request {
    const char *method, *url;
    const char *body; /* borrowed until the transfer has ended */
    size_t length;
    char *trace_header; /* a whole line, or ""; borrowed likewise */
    bool is_fresh;        /* not on a kept connection */
    double timeout;       /* seconds */
    double slot_at;       /* the slot that it took */
    cly_limiter *limiter; /* told when it leaves; borrowed */
} cly_transfer_request;

void cly_transfer_init(cly_transfer *transfer);

/* Closes its handle; the reply stays. */
void cly_transfer_close(cly_transfer *transfer);
void cly_transfer_clear(cly_transfer *transfer);

/* Readies the handle, with `owner` as its private pointer. False: no memory, or
 * a libcurl that cannot do what is needed. */
bool cly_transfer_prepare(cly_transfer *transfer, const cly_transfer_settings *settings,
                          const cly_transfer_request *request, void *owner, double now);

/* What was seen of an exchange that libcurl ended with `code`. The report
 * borrows from the transfer. */
cly_report cly_transfer_report(const cly_transfer *transfer, CURLcode code, double now);

/* The same for one that is being stopped. */
cly_report cly_transfer_cancel(const cly_transfer *transfer);

/* Nothing was sent, since the kept connection had bytes on it that could be taken
 * for the reply. It is closed; a fresh one may be tried at once. */
bool cly_transfer_wants_fresh(const cly_transfer *transfer);

/* How long the attempt took to come how far. */
cly_phases cly_transfer_phases(const cly_transfer *transfer);

/* "1.1", "2", "3", or "" before any reply; static. */
const char *cly_transfer_http_version(const cly_transfer *transfer);

CLY_PRIVATE_END

#endif
