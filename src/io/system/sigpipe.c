#define _POSIX_C_SOURCE 200809L
#include "io/system/sigpipe.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>

static sigset_t only_sigpipe(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    return set;
}

static bool is_pending(void) {
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    return sigismember(&pending, SIGPIPE) == 1;
}

cly_sigpipe cly_sigpipe_hold(bool is_needed) {
    cly_sigpipe held = {false};
    sigset_t set = only_sigpipe(), before;
    if (!is_needed || is_pending()) return held;
    if (pthread_sigmask(SIG_BLOCK, &set, &before) != 0) return held;
    held.is_held = sigismember(&before, SIGPIPE) == 0;
    return held;
}

/* Does not wait if the system allows that, because another thread may already have taken a signal that
 * was sent to the process. */
static void take_pending(void) {
    sigset_t set = only_sigpipe();
#if defined(__APPLE__) /* has no sigtimedwait */
    int taken;
    if (is_pending()) (void)sigwait(&set, &taken);
#else
    const struct timespec at_once = {0, 0};
    (void)sigtimedwait(&set, NULL, &at_once);
#endif
}

/* Takes a SIGPIPE that was raised meanwhile, so that it is not delivered. */
void cly_sigpipe_release(cly_sigpipe held) {
    sigset_t set = only_sigpipe();
    if (!held.is_held) return;
    take_pending();
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
