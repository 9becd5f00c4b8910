#define _XOPEN_SOURCE 700
#include "io/process.h"

#include <pthread.h>
#include <unistd.h>

/* Written only in a child, before it runs anything else, and by the first asker. */
static volatile long generation = 0;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Not the process's number: a grandchild may have its grandparent's. */
static void count_up(void) {
    generation = generation + 1;
}

static void listen_for_forks(void) {
    if (pthread_atfork(NULL, NULL, count_up) == 0) generation = 1;
}

long cly_process_generation(void) {
    pthread_once(&once, listen_for_forks);
    return generation ? generation : (long)getpid();
}
