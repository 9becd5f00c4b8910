/*
 * records.h - the calls of one client: the one record of each, its ticket, its group
 * and its state.
 *
 * No lock and no clock: io/call_table guards the records, and the caller tells the
 * time, in seconds on any monotonic clock. Records and buffers are reused, so a call in
 * steady state allocates nothing here.
 */
#ifndef CLY_CORE_CALL_RECORDS_H
#define CLY_CORE_CALL_RECORDS_H

#include "core/call/call.h"
#include "core/call/event.h"
#include "core/encode/encoder.h"
#include <stdint.h>

CLY_PRIVATE_BEGIN

/* Names one submitted call; never 0, exact in a double, not used twice. Its low
 * 16 bits are those of no other call that has not been released. */
typedef uint64_t cly_ticket;

/* A ticket is the index of the record, and the generation, which counts its uses. */
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
    cly_buffer *body;        /* its contents are taken, by a swap */
    cly_batch batch;         /* of campaigns, else zero */
    double timeout;          /* seconds */
    double submitted_at;     /* when the budget began */
    uint64_t number;         /* for events */
    unsigned group;          /* calls of one group can be waited for together */
} cly_submission;

/* Counted since init. */
typedef struct cly_stats {
    uint64_t calls, succeeded, not_sent, rejected, unknown, attempts, retries, throttled, events_lost;
    int in_flight; /* now: not ended */
} cly_stats;

typedef enum cly_record_state {
    CLY_RECORD_FREE,
    CLY_RECORD_QUEUED,  /* max_in_flight others are under way */
    CLY_RECORD_READY,   /* waits for a permit and a connection, first come first served */
    CLY_RECORD_WAITING, /* waits for its next attempt */
    CLY_RECORD_RUNNING, /* an attempt is under way: its contents are the engine's */
    CLY_RECORD_DONE,
    CLY_RECORD_STATES
} cly_record_state;

/* Every record is in exactly one list, that of its state. */
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
    double ready_at;   /* since when it is READY */
    bool is_throttled; /* the limiter made it wait */
    bool is_detached;  /* its result will not be asked for */
    bool was_short;    /* an attempt failed for want of a file descriptor */
    bool is_canceled;  /* while RUNNING: the engine is to end it */
} cly_record;

typedef struct cly_record_list {
    cly_record *first, *last;
} cly_record_list;

/* Called when a call has ended whose result will be asked for. */
typedef void cly_ended_hook(void *context, cly_ticket ticket);

typedef struct cly_records {
    cly_record **all;    /* made as they are needed */
    int count, capacity; /* made, and how many may be */
    int array_size;
    int max_in_flight; /* QUEUED are those beyond */
    uint32_t first_generation;
    cly_record_list lists[CLY_RECORD_STATES];
    cly_record *unnamed;  /* the first DONE one that next_ended has not named */
    double next_deadline; /* no QUEUED or READY call is late before */
    cly_event_queue events;
    cly_stats stats;
    int active;     /* READY, WAITING or RUNNING */
    bool is_closed; /* takes no more calls */
    bool has_cancels;
    bool has_ended;           /* a call has; io clears it */
    bool has_news;            /* there is something to do; the engine clears it */
    cly_ended_hook *on_ended; /* or NULL */
    void *context;
} cly_records;

/* Room for `capacity` calls, and later for `most` at the most. Tickets begin above
 * `first_generation`. False without memory. */
bool cly_records_init(cly_records *records, int max_in_flight, int capacity, int most,
                      uint32_t first_generation) CLY_MUST_CHECK;
void cly_records_clear(cly_records *records);

/* Takes a call. kind overloaded when there is no room, closed when is_closed; the body
 * then stays where it was. */
cly_kind cly_records_submit(cly_records *records, cly_ticket *ticket, const cly_submission *submission,
                            cly_error *error) CLY_MUST_CHECK;

/* Whether one more call would be taken. */
bool cly_records_has_room(const cly_records *records);

/* NULL for a ticket that is not (or no longer) known; a detached call has none. */
cly_record *cly_records_find(const cly_records *records, cly_ticket ticket);
cly_ticket cly_record_ticket(const cly_record *record);

/* The call of the group that ended first of those not released, or NULL. */
cly_record *cly_records_first_done(const cly_records *records, unsigned group);

/* The next of the calls that have ended and were not named here yet, in order; 0
 * when there is none. Released ones are passed over. */
cly_ticket cly_records_next_ended(cly_records *records);

/* False also for a ticket that is not known. */
bool cly_records_is_under_way(const cly_records *records, cly_ticket ticket);

/* Ends a call. One that an attempt is under way for is marked: the engine ends it. */
void cly_records_cancel(cly_records *records, cly_record *record, double now);

/* The same for all calls; returns how many that were. */
int cly_records_cancel_all(cly_records *records, double now);

/* Frees the record; a call that has not ended is canceled first. */
void cly_records_release(cly_records *records, cly_record *record, double now);

/* The result will not be asked for: the record is freed when the call ends by itself. */
void cly_records_detach(cly_records *records, cly_record *record);
void cly_records_detach_group(cly_records *records, unsigned group);
void cly_records_detach_all(cly_records *records);

/* ---- for the engine ---- */

void cly_records_move(cly_records *records, cly_record *record, cly_record_state to);

/* Tells events and counts; the call has ended, and goes to DONE or is freed. */
void cly_records_end(cly_records *records, cly_record *record);

/* Ends those whose time is up while no attempt is under way, moves those that are
 * due to READY, and lets QUEUED ones in. Returns the seconds until there is something
 * of that kind to do again, HUGE_VAL for never. */
double cly_records_advance(cly_records *records, double now);

/* The event of a kind about a call, for the caller to complete. */
cly_event cly_record_event(const cly_record *record, cly_event_type type, double delay);

CLY_PRIVATE_END

#endif
