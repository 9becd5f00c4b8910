#define _XOPEN_SOURCE 700
#include "io/system/process.h"

#include "io/system/clock.h"
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

/* Some versions of libcurl wait longer than this for a resolver. */
static const double longest_wait = 0.5; /* seconds */

/* Written only by the first caller, and in a child before it runs anything else. */
static volatile long generation = 0;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A thread that has entered holds the read lock, a thread that forks the write lock. */
static pthread_rwlock_t entered = PTHREAD_RWLOCK_INITIALIZER;
static _Thread_local bool is_held; /* `entered`, by a fork of this thread */

/* Tries the lock repeatedly: a waiting writer would keep all other threads from entering. */
static void wait_for_all(void) {
    double until = cly_clock_now() + longest_wait;
    while (!is_held && !(is_held = pthread_rwlock_trywrlock(&entered) == 0) && cly_clock_now() < until)
        cly_clock_sleep(0.0001);
}

static void go_on(void) {
    if (is_held) pthread_rwlock_unlock(&entered);
    is_held = false;
}

/* The process id would not do: a grandchild may have its grandparent's. */
static void begin_child(void) {
    entered = (pthread_rwlock_t)PTHREAD_RWLOCK_INITIALIZER; /* it refers to a thread of the parent */
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
