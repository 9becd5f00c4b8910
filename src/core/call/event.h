/*
 * event.h - events about a call, for the on_event option.
 *
 * An event contains no secrets: no key, no telephone number, no message text.
 */
#ifndef CLY_CORE_CALL_EVENT_H
#define CLY_CORE_CALL_EVENT_H

#include "core/base/error.h"
#include <stdint.h>

CLY_PRIVATE_BEGIN

typedef enum cly_event_type {
    CLY_EVENT_ATTEMPT,   /* an attempt ended */
    CLY_EVENT_RETRY,     /* another attempt follows in `delay` seconds */
    CLY_EVENT_THROTTLED, /* the limiter delayed the attempt by `delay` seconds */
    CLY_EVENT_DONE       /* the call ended, `delay` seconds after it began */
} cly_event_type;

/* Seconds from the start of the attempt; 0 for a phase that was not reached. */
typedef struct cly_phases {
    double dns, connect, tls, first_byte, total;
} cly_phases;

enum { CLY_EVENT_ID_SIZE = 64, CLY_EVENT_CODE_SIZE = 80 };

typedef struct cly_event {
    cly_event_type type;
    const char *operation; /* static */
    uint64_t call;         /* from 1 */
    int attempt;           /* from 1 */
    int status;            /* 0 when no reply came */
    cly_kind kind;         /* CLY_OK for a success */
    cly_outcome outcome;   /* of the failed attempt or call */
    double delay;
    const char *reason;       /* of a retry; static */
    const char *http_version; /* static */
    cly_phases phases;
    char id[CLY_EVENT_ID_SIZE];     /* of a success, truncated if longer */
    char code[CLY_EVENT_CODE_SIZE]; /* of a failure: the API's code */
} cly_event;

enum { CLY_EVENT_MAX = 1024 };

/* The last CLY_EVENT_MAX events that were not taken yet. Embed the struct and initialize it with zeros. */
typedef struct cly_event_queue {
    bool is_wanted;    /* if false, no events are stored */
    cly_event *events; /* owned, allocated at the first event */
    int count, first;
    unsigned lost; /* overwritten before they were taken */
} cly_event_queue;

void cly_event_queue_clear(cly_event_queue *queue);
void cly_event_put(cly_event_queue *queue, const cly_event *event);
bool cly_event_take(cly_event_queue *queue, cly_event *event);

const char *cly_event_name(cly_event_type type);

CLY_PRIVATE_END

#endif
