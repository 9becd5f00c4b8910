/*
 * call_table.h - the calls of one client: the one record of each, its ticket, its
 * group and its state. No network.
 *
 *   cly_call_table_submit(table, &ticket, &submission, &error);
 *   ...an engine on the table drives the call...
 *   cly_call_table_result(table, ticket, &result);
 *   cly_call_table_release(table, ticket);
 *
 * The functions of the first part take the table's lock and may be called by any
 * thread. They accept NULL as a table without calls. Those of the second part are
 * for the engine and the worker, under the lock. Records and buffers are reused, so
 * a call in steady state allocates nothing here.
 */
#ifndef CLY_IO_CALL_TABLE_H
#define CLY_IO_CALL_TABLE_H

#include "core/call.h"
#include "core/event.h"
#include "core/message.h"
#include <pthread.h>
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

/* A group of no call: waiting for it ends with its time only. */
enum { CLY_NO_GROUP = 0x7fffffff };

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

/* How a call ended. Borrowed until the call is released. */
typedef struct cly_result {
    const cly_call *call;
    const cly_buffer *reply;
    const char *http_version; /* static; "" without a reply */
} cly_result;

/* Counted since the table was made. */
typedef struct cly_stats {
    uint64_t calls, succeeded, not_sent, rejected, unknown, attempts, retries, throttled, events_lost;
    int in_flight; /* now: not ended */
} cly_stats;

typedef struct cly_call_table cly_call_table;

/* Submits a call and returns at once. kind overloaded when the table is full,
 * closed after cly_call_table_close; the body then stays where it was. */
cly_kind cly_call_table_submit(cly_call_table *table, cly_ticket *ticket, const cly_submission *submission,
                               cly_error *error) CLY_MUST_CHECK;

/* Whether one more call would be taken. */
bool cly_call_table_has_room(cly_call_table *table);

bool cly_call_table_is_known(cly_call_table *table, cly_ticket ticket);
bool cly_call_table_is_done(cly_call_table *table, cly_ticket ticket);

/* The call of the group that ended first of those not released, or 0. */
cly_ticket cly_call_table_first_done(cly_call_table *table, unsigned group);

/* False unless the call is done. */
bool cly_call_table_result(cly_call_table *table, cly_ticket ticket, cly_result *result);

/* Ends a call. One that an attempt is under way for ends at the engine's next step. */
void cly_call_table_cancel(cly_call_table *table, cly_ticket ticket);

/* Frees the record; a call that has not ended is canceled first. */
void cly_call_table_release(cly_call_table *table, cly_ticket ticket);

/* The result of this call (of the calls of this group) will not be asked for: the
 * record is freed when the call ends by itself. */
void cly_call_table_detach(cly_call_table *table, cly_ticket ticket);
void cly_call_table_detach_group(cly_call_table *table, unsigned group);

/* The next of the calls that have ended and were not named here yet, in order; 0
 * when there is none. Released ones are passed over. */
cly_ticket cly_call_table_next_ended(cly_call_table *table);

bool cly_call_table_take_event(cly_call_table *table, cly_event *event);
cly_stats cly_call_table_stats(cly_call_table *table);

/* ---- for the engine and the worker; under the lock, but for new and free ---- */

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

/* Called under the lock when a call has ended whose result will be asked for. */
typedef void cly_ended_hook(void *context, cly_ticket ticket);

struct cly_call_table {
    pthread_mutex_t lock;
    pthread_cond_t ended; /* a call has */
    cly_record **records; /* made as they are needed */
    int count, capacity;  /* made, and how many may be */
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
    bool has_ended;  /* a call has, since the lock was taken */
    bool has_news;   /* there is something to do, since the engine last looked */
    bool ends_step;  /* the engine must not wait: the maker of the step has something to do */
    bool is_waiting; /* the engine waits for the network: wake it */
    void (*wake)(void *engine);
    void *engine;
    cly_ended_hook *on_ended; /* or NULL */
    void *context;
};

/* Room for `capacity` calls, and later for `most` at the most. Tickets begin above
 * `first_generation`. NULL without memory. */
cly_call_table *cly_call_table_new(int max_in_flight, int capacity, int most, uint32_t first_generation);
void cly_call_table_free(cly_call_table *table);

void cly_call_table_lock(cly_call_table *table);
void cly_call_table_unlock(cly_call_table *table);

/* Ends the engine's wait for the network, if it waits. */
void cly_call_table_wake(cly_call_table *table);

void cly_call_table_move(cly_call_table *table, cly_record *record, cly_record_state to);
cly_ticket cly_record_ticket(const cly_record *record);

/* Tells events and counts; the call has ended, and goes to DONE or is freed. */
void cly_call_table_end(cly_call_table *table, cly_record *record);

/* Ends those whose time is up while no attempt is under way, moves those that are
 * due to READY, and lets QUEUED ones in. Returns the seconds until there is something
 * of that kind to do again, HUGE_VAL for never. */
double cly_call_table_advance(cly_call_table *table, double now);

/* Ends all calls without an attempt under way as canceled, and marks the others for
 * the engine; returns how many calls that were. */
int cly_call_table_cancel_all(cly_call_table *table);

bool cly_call_table_has_done(const cly_call_table *table, unsigned group);

/* False also for a ticket that is not (or no longer) known. */
bool cly_call_table_is_under_way(const cly_call_table *table, cly_ticket ticket);

/* Detaches every call. */
void cly_call_table_detach_all(cly_call_table *table);

/* The event of a kind about a call, for the engine to complete. */
cly_event cly_record_event(const cly_record *record, cly_event_type type, double delay);

CLY_PRIVATE_END

#endif
