#define _GNU_SOURCE /* POSIX */
#include "io/system/shutdown.h"

#include "io/system/clock.h"
#include "io/system/process.h"
#include <stdio.h>
#include <stdlib.h>

/* The lock is held only briefly, and taken before a table's lock. */
static struct {
    pthread_mutex_t lock;
    cly_running *first;
    pthread_t ended; /* the last thread that was left and has ended; not joined yet */
    bool has_ended;
    long generation; /* of the process that the list belongs to */
} list = {.lock = PTHREAD_MUTEX_INITIALIZER};
static pthread_once_t once = PTHREAD_ONCE_INIT;

static const double exit_drain = 5; /* seconds */

/* In a child after a fork, none of the parent's threads exist, so the list is emptied. */
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

/* The caller holds the lock. */
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

/* Takes over the ended thread, which the caller must then join. The caller holds the lock. */
static bool take_ended(pthread_t *thread) {
    bool has_ended = list.has_ended;
    *thread = list.ended;
    list.has_ended = false;
    return has_ended;
}

static int stop_one(cly_running *running, bool is_left, double until) {
    double left = until - cly_clock_now();
    if (!is_left) return running->stop(running, left > 0 ? left : 0);
    pthread_join(running->thread, NULL); /* it has its own time limit and reports by itself */
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

/* All threads share one deadline, because they all run on meanwhile. */
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

/* The exit handler is registered after libcurl was started and so after OpenSSL's: the handler registered
 * last runs first. The fork handlers take the list's lock, because an ending thread may hold it during
 * the fork, and in the child no thread would release it. */
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
