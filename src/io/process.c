#define _GNU_SOURCE /* POSIX, and glibc's lock that lets the writer go first */
#include "io/process.h"

#include <pthread.h>
#include <unistd.h>

#if defined(PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP)
#define FREE_LOCK PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
#else
#define FREE_LOCK PTHREAD_RWLOCK_INITIALIZER
#endif

/* Written only in a child, before it runs anything else, and by the first asker. */
static volatile long generation = 0;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Read by each thread that has entered, written by one that forks. */
static pthread_rwlock_t entered = FREE_LOCK;

static void wait_for_all(void) {
    pthread_rwlock_wrlock(&entered);
}

static void go_on(void) {
    pthread_rwlock_unlock(&entered);
}

/* Not the process's number: a grandchild may have its grandparent's. The lock names the
 * parent's thread, which is not there. */
static void begin_child(void) {
    static const pthread_rwlock_t free_lock = FREE_LOCK;
    entered = free_lock;
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
