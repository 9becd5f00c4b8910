#define _GNU_SOURCE /* POSIX */
#include "io/worker.h"

#include "io/system/notifier.h"
#include "io/system/clock.h"
#include "io/system/shutdown.h"
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The table's lock guards all members except those that only one thread uses. */
struct cly_worker {
    cly_running running; /* in the list of threads that exit must stop */
    cly_engine *engine;
    cly_call_table *table; /* the engine's */
    cly_notifier notifier;
    int permits_told; /* permits wanted at the last iteration; the host knows */
    bool is_stopping, is_stopped;
    bool is_left; /* the thread must free it; written under both locks, read under either */
    double stop_at;
    int canceled_at_stop;
    cly_worker_done *done;
    void *context;
};

static const double idle_wait = 60; /* seconds; any news wakes the thread */

/* ---- the thread ---- */

/* A call has ended. The caller holds the lock. */
static void tell_ended(void *context, cly_ticket ticket) {
    cly_worker *worker = context;
    cly_notifier_ring(&worker->notifier);
    cly_notifier_tell(&worker->notifier, ticket);
    worker->table->ends_step = worker->notifier.unsent.length > 0;
}

static void tell_wanted(cly_worker *worker, int wanted) {
    if (wanted > worker->permits_told) {
        cly_notifier_ring(&worker->notifier);
        cly_notifier_tell(&worker->notifier, 0);
    }
    worker->permits_told = wanted;
}

/* Returns the seconds until the stop, negative if the thread must end. The caller holds the lock. */
static double until_stop(cly_worker *worker) {
    double left;
    if (!worker->is_stopping) return idle_wait;
    if (worker->table->records.stats.in_flight == 0) return -1;
    left = worker->stop_at - cly_clock_now();
    if (left > 0) return left;
    worker->canceled_at_stop += cly_records_cancel_all(&worker->table->records, cly_clock_now());
    return 0; /* the next step ends them */
}

static void step(cly_worker *worker, double wait, int watched, bool wants_write) {
    struct curl_waitfd extra = {0, 0, 0};
    extra.fd = watched;
    extra.events = (short)(wants_write ? CURL_WAIT_POLLIN | CURL_WAIT_POLLOUT : CURL_WAIT_POLLIN);
    cly_engine_step(worker->engine, CLY_NO_GROUP, wait, &extra, watched >= 0);
}

static void free_left(cly_worker *worker);

/* One iteration of the thread; returns false when the thread must end. */
static bool turn(cly_worker *worker) {
    int wanted = cly_engine_permits_wanted(worker->engine), watched;
    bool is_left, wants_write;
    double wait;
    cly_call_table_lock(worker->table);
    if (worker->is_left) cly_notifier_clear(&worker->notifier); /* the host that listened is gone */
    tell_wanted(worker, wanted);
    cly_notifier_serve(&worker->notifier);
    wait = until_stop(worker);
    watched = cly_notifier_watch(&worker->notifier);
    is_left = worker->is_left;
    worker->table->ends_step = false;
    cly_call_table_unlock(worker->table);
    /* Without the lock, because the woken thread takes it at once. */
    wants_write = cly_notifier_send(&worker->notifier);
    if (wait >= 0) step(worker, wait, watched, wants_write);
    if (wait < 0 && is_left) free_left(worker);
    return wait >= 0;
}

static void *run(void *data) {
    while (turn(data)) continue;
    return NULL;
}

/* ---- making and ending ---- */

/* Blocks all signals in the new thread: Ctrl-C must interrupt the script. */
static int start_thread(cly_worker *worker) {
    sigset_t all, before;
    int status;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    status = pthread_create(&worker->running.thread, NULL, run, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

static int stop_at_exit(cly_running *running, double drain) {
    return cly_worker_stop((cly_worker *)(void *)running, drain);
}

static void free_all(cly_running *running) {
    cly_worker *worker = (cly_worker *)(void *)running;
    cly_engine_free(worker->engine);
    free(worker);
}

static void join_table(cly_worker *worker) {
    cly_records *records = &worker->table->records;
    records->capacity = records->array_size;
    records->on_ended = tell_ended;
    records->context = worker;
}

cly_kind cly_worker_new(cly_worker **out, cly_engine *engine, cly_error *error) {
    cly_worker *worker = calloc(1, sizeof *worker);
    int status;
    *out = NULL;
    if (worker == NULL) return cly_error_no_memory(error);
    worker->engine = engine;
    worker->table = cly_engine_calls(engine);
    worker->running.stop = stop_at_exit;
    worker->running.free = free_all;
    cly_notifier_init(&worker->notifier);
    /* The new thread waits for the lock until everything is set up. */
    cly_call_table_lock(worker->table);
    status = start_thread(worker);
    if (status == 0) join_table(worker);
    cly_call_table_unlock(worker->table);
    if (status == 0) {
        cly_shutdown_add(&worker->running);
        *out = worker;
        return CLY_OK;
    }
    free(worker);
    return cly_error_set(error, CLY_OVERLOADED, CLY_NOT_SENT, "no thread for calls in the background");
}

static void ask_to_stop(cly_worker *worker, double seconds) {
    worker->is_stopping = worker->table->records.is_closed = true;
    worker->stop_at = cly_clock_now() + seconds;
    cly_engine_wakeup(worker->engine);
}

int cly_worker_stop(cly_worker *worker, double drain) {
    if (worker->is_stopped) return 0;
    cly_shutdown_remove(&worker->running);
    cly_call_table_lock(worker->table);
    ask_to_stop(worker, drain);
    cly_call_table_unlock(worker->table);
    pthread_join(worker->running.thread, NULL);
    cly_engine_stop(worker->engine);
    cly_call_table_lock(worker->table);
    worker->is_stopped = true;
    worker->table->records.has_ended = true; /* wakes the waiting threads */
    cly_call_table_unlock(worker->table);
    return worker->canceled_at_stop;
}

void cly_worker_free(cly_worker *worker) {
    if (worker == NULL) return;
    cly_worker_stop(worker, 0);
    cly_notifier_clear(&worker->notifier);
    free_all(&worker->running);
}

/* Runs on the thread. The worker stays in the list until all its work is done, so that exit waits for
 * it. Either this thread or exit removes it from the list, and frees it and the table. Removal needs the
 * list's lock, so the thread in cly_worker_leave has already released the table's lock. */
static void free_left(cly_worker *worker) {
    cly_engine_stop(worker->engine);
    if (worker->done) worker->done(worker->context, worker->canceled_at_stop);
    if (cly_shutdown_end(&worker->running)) free_all(&worker->running);
}

/* The caller holds the list's lock, this function takes the table's. The thread may see is_left at once
 * and begin to end, but it cannot free the worker: that needs the list's lock. */
static void leave(cly_running *running) {
    cly_worker *worker = (cly_worker *)(void *)running;
    cly_call_table_lock(worker->table);
    worker->is_left = running->is_left = true;
    worker->table->records.on_ended = NULL;
    cly_records_detach_all(&worker->table->records);
    ask_to_stop(worker, worker->stop_at);
    cly_call_table_unlock(worker->table);
}

void cly_worker_leave(cly_worker *worker, double seconds, cly_worker_done *done, void *context) {
    worker->done = done;
    worker->context = context;
    worker->stop_at = seconds;
    cly_shutdown_call(&worker->running, leave);
}

/* A thread that does not exist in the child may hold the lock or have been writing the buffers. So the
 * child leaves everything untouched, except its own copies of the descriptors. */
void cly_worker_abandon(cly_worker *worker) {
    if (worker) cly_notifier_abandon(&worker->notifier);
}

/* ---- waiting ---- */

static struct timespec time_after(double seconds) {
    struct timespec at;
    double nanoseconds;
#if defined(__APPLE__)
    clock_gettime(CLOCK_REALTIME, &at);
#else
    clock_gettime(CLOCK_MONOTONIC, &at);
#endif
    nanoseconds = (double)at.tv_nsec + seconds * 1e9;
    at.tv_sec += (time_t)(nanoseconds / 1e9);
    at.tv_nsec = (long)fmod(nanoseconds, 1e9);
    return at;
}

/* Waits until a call ends; returns false when the time is up. The caller holds the lock. */
static bool wait_until(cly_worker *worker, const struct timespec *until) {
    if (worker->is_stopped) return false;
    return pthread_cond_timedwait(&worker->table->ended, &worker->table->lock, until) == 0;
}

void cly_worker_wait(cly_worker *worker, unsigned group, double seconds) {
    struct timespec until = time_after(seconds);
    cly_call_table_lock(worker->table);
    while (!cly_records_first_done(&worker->table->records, group) && wait_until(worker, &until)) continue;
    cly_call_table_unlock(worker->table);
}

void cly_worker_wait_for(cly_worker *worker, cly_ticket ticket, double seconds) {
    struct timespec until = time_after(seconds);
    cly_call_table_lock(worker->table);
    while (cly_records_is_under_way(&worker->table->records, ticket) && wait_until(worker, &until)) continue;
    cly_call_table_unlock(worker->table);
}

int cly_worker_drain(cly_worker *worker, double seconds) {
    struct timespec until = time_after(seconds);
    int count;
    cly_call_table_lock(worker->table);
    while (worker->table->records.stats.in_flight > 0 && wait_until(worker, &until)) continue;
    count = worker->table->records.stats.in_flight;
    cly_call_table_unlock(worker->table);
    return count;
}

/* ---- notifications ---- */

int cly_worker_descriptor(cly_worker *worker) {
    int descriptor;
    cly_call_table_lock(worker->table);
    descriptor = cly_notifier_descriptor(&worker->notifier);
    if (worker->table->records.lists[CLY_RECORD_DONE].first) cly_notifier_ring(&worker->notifier);
    cly_call_table_unlock(worker->table);
    return descriptor;
}

void cly_worker_acknowledge(cly_worker *worker) {
    cly_call_table_lock(worker->table);
    cly_notifier_quiet(&worker->notifier);
    cly_call_table_unlock(worker->table);
}

const char *cly_worker_listen(cly_worker *worker, cly_error *error) {
    const char *path;
    cly_call_table_lock(worker->table);
    path = cly_notifier_listen(&worker->notifier);
    if (path == NULL)
        cly_error_set(error, CLY_OVERLOADED, CLY_NOT_SENT, "no unix socket: %s", strerror(errno));
    else if (!worker->is_stopped)
        cly_engine_wakeup(worker->engine);
    cly_call_table_unlock(worker->table);
    return path;
}
