/* Up to 7.83 two threads must not start libcurl at the same time, and a child that is forked
 * meanwhile would find its lock taken. */
#define _GNU_SOURCE
#include "io/curl/libcurl.h"

#include "spec/core/test.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8 };

static pthread_barrier_t all_are_there;
static atomic_int starts, inside;

/* In place of libcurl's: it takes long enough for another thread to come in. */
CURLcode curl_global_init(long flags) {
    const struct timespec pause = {0, 50 * 1000 * 1000};
    (void)flags;
    atomic_fetch_add(&inside, 1);
    atomic_fetch_add(&starts, 1);
    nanosleep(&pause, NULL);
    atomic_fetch_sub(&inside, 1);
    return CURLE_OK;
}

static void *start(void *result) {
    pthread_barrier_wait(&all_are_there);
    *(bool *)result = cly_libcurl_start();
    return NULL;
}

/* How many threads were inside, in the copy that a child has. The child ends by a signal, since
 * ThreadSanitizer has an opinion about its threads at an exit. */
static int fork_while_it_starts(void) {
    int *seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status, count;
    pid_t child;
    assert_true(seen != MAP_FAILED);
    *seen = -1;
    while (atomic_load(&starts) == 0) usleep(100);
    child = fork();
    if (child == 0) {
        *seen = atomic_load(&inside);
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    count = *seen;
    munmap(seen, sizeof *seen);
    return count;
}

static void libcurl_is_started_once_by_many_threads(void **state) {
    pthread_t threads[THREADS];
    bool are_started[THREADS] = {false};
    (void)state;
    assert_int_equal(pthread_barrier_init(&all_are_there, NULL, THREADS), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, start, &are_started[i]), 0);
    assert_int_equal(fork_while_it_starts(), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&all_are_there);
    for (int i = 0; i < THREADS; i++) assert_true(are_started[i]);
    assert_int_equal(atomic_load(&starts), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(libcurl_is_started_once_by_many_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
