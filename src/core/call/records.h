/*
 * records.h - the calls of one client: a record per call with its ticket, group and state.
 *
 * No lock and no clock: io/call_table guards the records, and the caller passes the time, in seconds on
 * any monotonic clock. Records and buffers are reused, so in steady state a call allocates nothing
 * here.
 */
#ifndef CLY_CORE_CALL_RECORDS_H
#define CLY_CORE_CALL_RECORDS_H

#include "core/call/call.h"
#include "core/call/event.h"
#include "core/encode/encoder.h"
#include <stdint.h>

CLY_PRIVATE_BEGIN

/* Identifies one submitted call. Never 0, exact in a double, never reused. No two calls that have not
 * been released share the low 16 bits. */
typedef uint64_t cly_ticket;

/* A ticket consists of the record's index and its generation, which counts the uses of the record. */
enum { CLY_TICKET_INDEX_BITS = 16 };

static inline cly_ticket cly_ticket_make(uint32_t generation, size_t index) {
    return (cly_ticket)generation << CLY_TICKET_INDEX_BITS | (cly_ticket)index;
}

static inline size_t cly_ticket_index(cly_ticket ticket) {
    return (size_t)(ticket & ((1u << CLY_TICKET_INDEX_BITS) - 1));
}

static inline uint32_t cly_ticket_generation(cly_ticket ticket) {
    return (uint32_t)(ticket >> CLY_TICKET_INDEX_BITS);
}

typedef struct cly_submission {
    const cly_operation *operation;
    const char *method;      /* static */
    const char *url;         /* copied */
    const char *traceparent; /* copied; "" for none */
    cly_buffer *body;        /* its contents are moved out by a swap */
    cly_batch batch;         /* of send_campaigns, else zero */
    double timeout;          /* seconds */
    double submitted_at;     /* start of the time budget */
    uint64_t number;         /* for events */
    unsigned group;          /* the calls of a group can be waited for together */
} cly_submission;

/* Counters since init. */
typedef struct cly_stats {
    uint64_t calls, succeeded, not_sent, rejected, unknown, attempts, retries, throttled, events_lost;
    int in_flight; /* current: calls that have not ended */
} cly_stats;

typedef enum cly_record_state {
    CLY_RECORD_FREE,
    CLY_RECORD_QUEUED,  /* waits because max_in_flight others are under way */
    CLY_RECORD_READY,   /* waits for a permit and a connection, in FIFO order */
    CLY_RECORD_WAITING, /* waits for its next attempt */
    CLY_RECORD_RUNNING, /* an attempt is under way; the engine owns the contents */
    CLY_RECORD_DONE,
    CLY_RECORD_STATES
} cly_record_state;

/* Every record is in exactly one list, the one of its state. */
typedef struct cly_record {
    cly_record_state state;
    struct cly_record *previous, *next;
    int index;
    uint32_t generation;
    cly_call call;
    cly_buffer body, url, reply;
    const char *method;
    const char *http_version;
    char traceparent[CLY_TRACEPARENT_SIZE + 16]; /* the header line, or "" */
    uint64_t number;
    unsigned group;
    double ready_at;   /* when it became READY */
    bool is_throttled; /* the limiter delayed it */
    bool is_detached;  /* its result will be discarded */
    bool was_short;    /* an attempt failed for lack of a file descriptor */
    bool is_canceled;  /* while RUNNING: the engine must end it */
} cly_record;

typedef struct cly_record_list {
    cly_record *first, *last;
} cly_record_list;

/* Called when a call that is not detached has ended. */
typedef void cly_ended_hook(void *context, cly_ticket ticket);

typedef struct cly_records {
    cly_record **all;    /* allocated on demand */
    int count, capacity; /* allocated records, and their maximum */
    int array_size;
    int max_in_flight; /* further calls are QUEUED */
    uint32_t first_generation;
    cly_record_list lists[CLY_RECORD_STATES];
    cly_record *unnamed;  /* the first DONE record that next_ended has not returned */
    double next_deadline; /* no QUEUED or READY call times out before */
    cly_event_queue events;
    cly_stats stats;
    int active;     /* READY, WAITING or RUNNING */
    bool is_closed; /* accepts no more calls */
    bool has_cancels;
    bool has_ended;           /* a call has ended; io clears it */
    bool has_news;            /* the engine has something to do; the engine clears it */
    cly_ended_hook *on_ended; /* or NULL */
    void *context;
} cly_records;

/* Room for `capacity` calls now, and later for at most `most`. Generations start above
 * `first_generation`. Returns false if out of memory. */
bool cly_records_init(cly_records *records, int max_in_flight, int capacity, int most,
                      uint32_t first_generation) CLY_MUST_CHECK;
void cly_records_clear(cly_records *records);

/* Submits a call. Fails with kind overloaded if there is no room, or closed if is_closed; the body then
 * stays in the caller's buffer. */
cly_kind cly_records_submit(cly_records *records, cly_ticket *ticket, const cly_submission *submission,
                            cly_error *error) CLY_MUST_CHECK;

/* Whether another call would be accepted. */
bool cly_records_has_room(const cly_records *records);

/* Returns NULL for a ticket that is unknown or was released, or whose call is detached. */
cly_record *cly_records_find(const cly_records *records, cly_ticket ticket);
cly_ticket cly_record_ticket(const cly_record *record);

/* Returns the call of the group that ended first among those not released, or NULL. */
cly_record *cly_records_first_done(const cly_records *records, unsigned group);

/* Returns the tickets of ended calls, each once, in order; 0 if there are no more. Released calls are
 * skipped. */
cly_ticket cly_records_next_ended(cly_records *records);

/* Returns false also for an unknown ticket. */
bool cly_records_is_under_way(const cly_records *records, cly_ticket ticket);

/* Cancels a call. If an attempt is under way, the call is marked, and the engine ends it. */
void cly_records_cancel(cly_records *records, cly_record *record, double now);

/* The same for all calls; returns how many were under way. */
int cly_records_cancel_all(cly_records *records, double now);

/* Frees the record; a call that has not ended is canceled first. */
void cly_records_release(cly_records *records, cly_record *record, double now);

/* Discards the call's result: the record is freed when the call ends on its own. */
void cly_records_detach(cly_records *records, cly_record *record);
void cly_records_detach_group(cly_records *records, unsigned group);
void cly_records_detach_all(cly_records *records);

/* ---- for the engine ---- */

void cly_records_move(cly_records *records, cly_record *record, cly_record_state to);

/* The call has ended: emits its events, updates the counters, and moves the record to DONE or frees it. */
void cly_records_end(cly_records *records, cly_record *record);

/* Ends calls that have timed out without an attempt under way, moves those that are due to READY, and
 * admits QUEUED ones. Returns the seconds until it must be called again, HUGE_VAL for never. */
double cly_records_advance(cly_records *records, double now);

/* Returns an event of this type about a call; the caller sets the remaining fields. */
cly_event cly_record_event(const cly_record *record, cly_event_type type, double delay);

CLY_PRIVATE_END

#endif
