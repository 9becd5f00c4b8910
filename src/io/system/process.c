#define _XOPEN_SOURCE 700
#include "io/system/process.h"

#include "io/system/clock.h"
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

/* Some versions of libcurl wait inside for a resolver, for longer. */
static const double longest_wait = 0.5; /* seconds */

/* Written only in a child, before it runs anything else, and by the first asker. */
static volatile long generation = 0;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Read by each thread that has entered, written by one that forks. */
static pthread_rwlock_t entered = PTHREAD_RWLOCK_INITIALIZER;
static _Thread_local bool is_held; /* by a fork of this thread */

/* Tried, for a writer that waits would keep all others from entering. */
static void wait_for_all(void) {
    double until = cly_clock_now() + longest_wait;
    while (!is_held && !(is_held = pthread_rwlock_trywrlock(&entered) == 0) && cly_clock_now() < until)
        cly_clock_sleep(0.0001);
}

static void go_on(void) {
    if (is_held) pthread_rwlock_unlock(&entered);
    is_held = false;
}

/* Not the process's number: a grandchild may have its grandparent's. */
static void begin_child(void) {
    entered = (pthread_rwlock_t)PTHREAD_RWLOCK_INITIALIZER; /* it names a thread of the parent's */
    is_held = false;
    generation = generation + 1;
}

static void listen_for_forks(void) {
    if (pthread_atfork(wait_for_all, go_on, begin_child) == 0) generation = 1;
}

long cly_process_generation(void) {
    pthread_once(&once, listen_for_forks);
    return generation ? generation : (long)getpid();
}

void cly_process_enter(void) {
    pthread_once(&once, listen_for_forks);
    pthread_rwlock_rdlock(&entered);
}

void cly_process_leave(void) {
    pthread_rwlock_unlock(&entered);
}
