/* A fork waits until every thread has left what may hold another library's lock. */
#define _GNU_SOURCE
#include "io/system/process.h"

#include "spec/core/test.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FORKS = 200, THREADS = 2, PATIENCE = 20 /* seconds */ };

static atomic_int inside; /* threads that have entered */
static atomic_bool is_over;

/* Inside for a good part of the time. */
static void *enter_and_leave(void *unused) {
    (void)unused;
    while (!atomic_load(&is_over)) {
        cly_process_enter();
        atomic_fetch_add(&inside, 1);
        for (volatile int i = 0; i < 10000; i++) continue;
        atomic_fetch_sub(&inside, 1);
        cly_process_leave();
        usleep(50); /* as a worker that waits for the network */
    }
    return NULL;
}

/* A child may enter whoever was inside. Returns the status of one that ends with what `find`
 * gives, or with 100 when it is not another process to itself. */
static int fork_once(int (*find)(void)) {
    long generation = cly_process_generation();
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        alarm(PATIENCE);
        cly_process_enter();
        cly_process_leave();
        _exit(cly_process_generation() != generation ? find() : 100);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(cly_process_generation(), generation);
    return status;
}

/* What a child sees is what was there at the fork. */
static int count_inside(void) {
    return atomic_load(&inside);
}

static int find_nothing(void) {
    return 0;
}

static void no_thread_is_inside_at_a_fork(void **state) {
    pthread_t threads[THREADS];
    (void)state;
    alarm(6 * PATIENCE);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, enter_and_leave, NULL), 0);
    for (int i = 0; i < FORKS; i++) assert_int_equal(fork_once(count_inside), 0);
    atomic_store(&is_over, true);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    alarm(0);
}

static atomic_bool has_entered;

static void *stay_inside(void *unused) {
    (void)unused;
    cly_process_enter();
    atomic_store(&has_entered, true);
    while (!atomic_load(&is_over)) usleep(1000);
    cly_process_leave();
    return NULL;
}

/* As where libcurl waits for a resolver. */
static void a_fork_does_not_wait_for_long(void **state) {
    pthread_t thread;
    (void)state;
    atomic_store(&is_over, false);
    alarm(PATIENCE);
    assert_int_equal(pthread_create(&thread, NULL, stay_inside, NULL), 0);
    while (!atomic_load(&has_entered)) usleep(1000);
    assert_int_equal(fork_once(find_nothing), 0);
    cly_process_enter(); /* nor does it leave anything behind */
    cly_process_leave();
    atomic_store(&is_over, true);
    pthread_join(thread, NULL);
    alarm(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_thread_is_inside_at_a_fork),
                                       cmocka_unit_test(a_fork_does_not_wait_for_long)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
