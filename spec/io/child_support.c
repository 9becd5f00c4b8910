#define _DEFAULT_SOURCE /* kill */
#include "spec/io/child_support.h"

#include "spec/core/test.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

void child_end(int status) {
    if (status != 0) _exit(status);
    kill(getpid(), SIGKILL);
}

void child_await(pid_t child) {
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) fail_msg("the child failed: %d", WEXITSTATUS(status));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
