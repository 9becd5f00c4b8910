#define _GNU_SOURCE /* POSIX, and glibc's adaptive locks */
#include "io/call_table.h"

#include "io/system/clock.h"
#include <stdlib.h>

/* ---- making and freeing ---- */

/* The lock is held only briefly, so a thread that finds it taken should spin before it
 * sleeps. */
static bool init_lock(pthread_mutex_t *lock) {
    pthread_mutexattr_t attributes;
    bool is_made = pthread_mutexattr_init(&attributes) == 0;
    if (!is_made) return false;
#if defined(__GLIBC__)
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
#endif
    is_made = pthread_mutex_init(lock, &attributes) == 0;
    pthread_mutexattr_destroy(&attributes);
    return is_made;
}

static bool init_condition(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    bool is_made = pthread_condattr_init(&attributes) == 0;
    if (!is_made) return false;
#if !defined(__APPLE__)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
#endif
    is_made = pthread_cond_init(condition, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return is_made;
}

/* Makes both the condition and the lock, or neither. */
static bool init_locks(cly_call_table *table) {
    if (!init_condition(&table->ended)) return false;
    if (init_lock(&table->lock)) return true;
    pthread_cond_destroy(&table->ended);
    return false;
}

cly_call_table *cly_call_table_new(int max_in_flight, int capacity, int most, uint32_t first_generation) {
    cly_call_table *table = calloc(1, sizeof *table);
    if (table == NULL) return NULL;
    if (cly_records_init(&table->records, max_in_flight, capacity, most, first_generation)) {
        if (init_locks(table)) return table;
        cly_records_clear(&table->records);
    }
    free(table);
    return NULL;
}

void cly_call_table_free(cly_call_table *table) {
    if (table == NULL) return;
    cly_records_clear(&table->records);
    pthread_cond_destroy(&table->ended);
    pthread_mutex_destroy(&table->lock);
    free(table);
}

/* ---- the lock ---- */

void cly_call_table_lock(cly_call_table *table) {
    pthread_mutex_lock(&table->lock);
}

/* Wakes the engine once per wait. The engine checks for news before it waits. */
static void wake_engine(cly_call_table *table) {
    if (!table->is_waiting || !table->records.has_news) return;
    table->is_waiting = false;
    if (table->wake) table->wake(table->engine);
}

/* Waiting threads are woken after the unlock, because they take the lock at once. */
void cly_call_table_unlock(cly_call_table *table) {
    bool has_ended = table->records.has_ended;
    table->records.has_ended = false;
    wake_engine(table);
    pthread_mutex_unlock(&table->lock);
    if (has_ended) pthread_cond_broadcast(&table->ended);
}

/* Returns the record of a ticket and holds the lock; or returns NULL and does not. */
static cly_record *lock_record(cly_call_table *table, cly_ticket ticket) {
    cly_record *found;
    if (table == NULL) return NULL;
    cly_call_table_lock(table);
    found = cly_records_find(&table->records, ticket);
    if (found == NULL) cly_call_table_unlock(table);
    return found;
}

/* ---- for any thread ---- */

cly_kind cly_call_table_submit(cly_call_table *table, cly_ticket *ticket, const cly_submission *submission,
                               cly_error *error) {
    cly_kind kind;
    if (table == NULL) return cly_error_set(error, CLY_CLOSED, CLY_NOT_SENT, "the client is closed");
    cly_call_table_lock(table);
    kind = cly_records_submit(&table->records, ticket, submission, error);
    cly_call_table_unlock(table);
    return kind;
}

bool cly_call_table_is_known(cly_call_table *table, cly_ticket ticket) {
    if (lock_record(table, ticket) == NULL) return false;
    cly_call_table_unlock(table);
    return true;
}

/* Returns the record of an ended call, which the engine no longer touches, or NULL. */
static const cly_record *find_done(cly_call_table *table, cly_ticket ticket) {
    const cly_record *record = lock_record(table, ticket);
    bool is_done = record && record->state == CLY_RECORD_DONE;
    if (record) cly_call_table_unlock(table);
    return is_done ? record : NULL;
}

bool cly_call_table_is_done(cly_call_table *table, cly_ticket ticket) {
    return find_done(table, ticket) != NULL;
}

static cly_result result_of(const cly_record *record) {
    return (cly_result){&record->call, &record->reply, record->http_version};
}

bool cly_call_table_result(cly_call_table *table, cly_ticket ticket, cly_result *result) {
    const cly_record *record = find_done(table, ticket);
    if (record) *result = result_of(record);
    return record != NULL;
}

cly_ticket cly_call_table_first_done(cly_call_table *table, unsigned group, cly_result *result) {
    const cly_record *record;
    if (table == NULL) return 0;
    cly_call_table_lock(table);
    record = cly_records_first_done(&table->records, group);
    cly_call_table_unlock(table);
    if (record) *result = result_of(record);
    return record ? cly_record_ticket(record) : 0;
}

cly_ticket cly_call_table_next_ended(cly_call_table *table) {
    cly_ticket ticket;
    if (table == NULL) return 0;
    cly_call_table_lock(table);
    ticket = cly_records_next_ended(&table->records);
    cly_call_table_unlock(table);
    return ticket;
}

void cly_call_table_cancel(cly_call_table *table, cly_ticket ticket) {
    cly_record *record = lock_record(table, ticket);
    if (record == NULL) return;
    cly_records_cancel(&table->records, record, cly_clock_now());
    cly_call_table_unlock(table);
}

void cly_call_table_release(cly_call_table *table, cly_ticket ticket) {
    cly_record *record = lock_record(table, ticket);
    if (record == NULL) return;
    /* The clock is not needed if the call is done, the usual case. */
    cly_records_release(&table->records, record, record->state == CLY_RECORD_DONE ? 0 : cly_clock_now());
    cly_call_table_unlock(table);
}

void cly_call_table_detach(cly_call_table *table, cly_ticket ticket) {
    cly_record *record = lock_record(table, ticket);
    if (record == NULL) return;
    cly_records_detach(&table->records, record);
    cly_call_table_unlock(table);
}

void cly_call_table_detach_group(cly_call_table *table, unsigned group) {
    if (table == NULL) return;
    cly_call_table_lock(table);
    cly_records_detach_group(&table->records, group);
    cly_call_table_unlock(table);
}

bool cly_call_table_take_event(cly_call_table *table, cly_event *event) {
    bool is_taken;
    if (table == NULL) return false;
    cly_call_table_lock(table);
    is_taken = cly_event_take(&table->records.events, event);
    cly_call_table_unlock(table);
    return is_taken;
}

cly_stats cly_call_table_stats(cly_call_table *table) {
    cly_stats stats = {0};
    if (table == NULL) return stats;
    cly_call_table_lock(table);
    stats = table->records.stats;
    stats.events_lost = table->records.events.lost;
    cly_call_table_unlock(table);
    return stats;
}
