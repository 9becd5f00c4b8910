/*
 * call_table.h - the calls of one client, for all threads: core/call/records under a lock.
 *
 *   cly_call_table_submit(table, &ticket, &submission, &error);
 *   ...an engine on the table drives the call...
 *   cly_call_table_result(table, ticket, &result);
 *   cly_call_table_release(table, ticket);
 *
 * The functions of the first part take the lock, may be called from any thread, and treat a NULL
 * table as one without calls; core/call/records.h describes each. The functions of the second part
 * are for the engine and the worker.
 */
#ifndef CLY_IO_CALL_TABLE_H
#define CLY_IO_CALL_TABLE_H

#include "core/call/records.h"
#include <pthread.h>

CLY_PRIVATE_BEGIN

struct cly_engine;

/* A group without calls: waiting for it ends only when the time is up. */
enum { CLY_NO_GROUP = 0x7fffffff };

/* How a call ended. Valid until the call is released. */
typedef struct cly_result {
    const cly_call *call;
    const cly_buffer *reply;
    const char *http_version; /* static; "" without a reply */
} cly_result;

typedef struct cly_call_table {
    pthread_mutex_t lock;
    pthread_cond_t ended; /* signaled when a call has ended */
    cly_records records;
    bool ends_step;  /* the engine must not wait: the thread that makes the step has other work */
    bool is_waiting; /* the engine waits for the network: unlock wakes it if there is news */
    void (*wake)(struct cly_engine *engine);
    struct cly_engine *engine;
} cly_call_table;

cly_kind cly_call_table_submit(cly_call_table *table, cly_ticket *ticket, const cly_submission *submission,
                               cly_error *error) CLY_MUST_CHECK;
bool cly_call_table_is_known(cly_call_table *table, cly_ticket ticket);
bool cly_call_table_is_done(cly_call_table *table, cly_ticket ticket);

/* Returns 0 if none has ended; otherwise also fills `result`. */
cly_ticket cly_call_table_first_done(cly_call_table *table, unsigned group, cly_result *result);

/* Returns each ended call once; 0 if there are no more. */
cly_ticket cly_call_table_next_ended(cly_call_table *table);

/* Returns false unless the call is done. */
bool cly_call_table_result(cly_call_table *table, cly_ticket ticket, cly_result *result);

/* If an attempt is under way, the call ends at the engine's next step. */
void cly_call_table_cancel(cly_call_table *table, cly_ticket ticket);
void cly_call_table_release(cly_call_table *table, cly_ticket ticket);
void cly_call_table_detach(cly_call_table *table, cly_ticket ticket);
void cly_call_table_detach_group(cly_call_table *table, unsigned group);

bool cly_call_table_take_event(cly_call_table *table, cly_event *event);
cly_stats cly_call_table_stats(cly_call_table *table);

/* ---- for the engine and the worker ---- */

/* The arguments are those of cly_records_init. Returns NULL if out of memory. */
cly_call_table *cly_call_table_new(int max_in_flight, int capacity, int most, uint32_t first_generation);
void cly_call_table_free(cly_call_table *table);

/* Unlocking wakes the engine if there is news for it, and the threads that wait for a call to end. */
void cly_call_table_lock(cly_call_table *table);
void cly_call_table_unlock(cly_call_table *table);

CLY_PRIVATE_END

#endif
