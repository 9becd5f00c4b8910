#define _GNU_SOURCE /* POSIX */
#include "io/system/shutdown.h"

#include "io/system/clock.h"
#include "io/system/process.h"
#include <stdio.h>
#include <stdlib.h>

/* The lock is held for moments, and taken before a table's. */
static struct {
    pthread_mutex_t lock;
    cly_running *first;
    pthread_t ended; /* left to itself, and joined by no other yet */
    bool has_ended;
    long generation; /* of the process that all this belongs to */
} list = {.lock = PTHREAD_MUTEX_INITIALIZER};
static pthread_once_t once = PTHREAD_ONCE_INIT;

static const double exit_drain = 5; /* seconds */

/* A parent's threads are the parent's: in a child none of them is there. */
static void lock_list(void) {
    pthread_mutex_lock(&list.lock);
    if (list.generation == cly_process_generation()) return;
    list.generation = cly_process_generation();
    list.first = NULL;
    list.has_ended = false;
}

static void unlock_list(void) {
    pthread_mutex_unlock(&list.lock);
}

/* Under the lock. */
static bool remove_from_list(const cly_running *running) {
    for (cly_running **place = &list.first; *place; place = &(*place)->next) {
        if (*place != running) continue;
        *place = running->next;
        return true;
    }
    return false;
}

static cly_running *take_first(bool *is_left) {
    cly_running *first;
    lock_list();
    first = list.first;
    if (first) list.first = first->next;
    *is_left = first && first->is_left;
    unlock_list();
    return first;
}

/* Under the lock: the thread that its receiver is to join. */
static bool take_ended(pthread_t *thread) {
    bool has_ended = list.has_ended;
    *thread = list.ended;
    list.has_ended = false;
    return has_ended;
}

static int stop_one(cly_running *running, bool is_left, double until) {
    double left = until - cly_clock_now();
    if (!is_left) return running->stop(running, left > 0 ? left : 0);
    pthread_join(running->thread, NULL); /* it has its own few seconds, and tells itself */
    running->free(running);
    return 0;
}

static void join_ended(void) {
    pthread_t last;
    bool has_ended;
    lock_list();
    has_ended = take_ended(&last);
    unlock_list();
    if (has_ended) pthread_join(last, NULL);
}

/* All have the same few seconds, for all go on meanwhile. */
static void stop_all(void) {
    double until = cly_clock_now() + exit_drain;
    cly_running *running;
    bool is_left;
    int ended = 0;
    while ((running = take_first(&is_left)) != NULL) ended += stop_one(running, is_left, until);
    join_ended();
    if (ended > 0)
        fprintf(stderr, "connectly: the program ended with %d calls under way; they may have arrived\n",
                ended);
}

/* At exit: after libcurl was started, and so after what OpenSSL does there: the last
 * that is registered is the first that runs. At a fork: a thread that ends may hold
 * the lock just then, and in the child no thread would give it back. */
static void watch_process(void) {
    (void)atexit(stop_all);
    (void)pthread_atfork(lock_list, unlock_list, unlock_list);
}

void cly_shutdown_add(cly_running *running) {
    pthread_once(&once, watch_process);
    lock_list();
    running->next = list.first;
    list.first = running;
    unlock_list();
}

bool cly_shutdown_remove(cly_running *running) {
    bool was_there;
    lock_list();
    was_there = remove_from_list(running);
    unlock_list();
    return was_there;
}

void cly_shutdown_call(cly_running *running, void (*act)(cly_running *running)) {
    const cly_running *at;
    lock_list();
    for (at = list.first; at && at != running; at = at->next) continue;
    if (at) act(running);
    unlock_list();
}

bool cly_shutdown_end(cly_running *running) {
    pthread_t before;
    bool is_ours, is_joinable = false;
    lock_list();
    is_ours = remove_from_list(running);
    if (is_ours) {
        is_joinable = take_ended(&before);
        list.ended = pthread_self();
        list.has_ended = true;
    }
    unlock_list();
    if (is_joinable) pthread_join(before, NULL);
    return is_ours;
}
