/*
 * stopwatch.c - times commands from their start to their exit, in turns.
 *
 *   stopwatch ROUNDS command argument ... -- command argument ...
 *
 * A line a run: the command's number from 1, wall time and CPU time in
 * microseconds. What the commands print is thrown away. A command that fails
 * ends everything.
 */
#define _DEFAULT_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { COMMAND_MAX = 32 };

static double now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double microseconds(struct timeval time) {
    return (double)time.tv_sec * 1e6 + (double)time.tv_usec;
}

static int run(int number, char **command, const posix_spawn_file_actions_t *actions) {
    struct rusage used;
    pid_t pid;
    int status;
    double ended, started = now_us();
    if (posix_spawnp(&pid, command[0], actions, NULL, command, environ) != 0 ||
        wait4(pid, &status, 0, &used) != pid || status != 0) {
        fprintf(stderr, "stopwatch: command %d failed: %s\n", number, command[0]);
        return 1;
    }
    ended = now_us();
    printf("%d %.0f %.0f\n", number, ended - started,
           microseconds(used.ru_utime) + microseconds(used.ru_stime));
    return 0;
}

/* Cuts the arguments into commands, each ended by NULL. */
static int split(char **arguments, char **commands[COMMAND_MAX]) {
    int count = 0;
    while (*arguments && count < COMMAND_MAX) {
        commands[count++] = arguments;
        while (*arguments && strcmp(*arguments, "--") != 0) arguments++;
        if (*arguments) *arguments++ = NULL;
    }
    return count;
}

int main(int argc, char **argv) {
    char **commands[COMMAND_MAX];
    posix_spawn_file_actions_t actions;
    int rounds = argc > 2 ? atoi(argv[1]) : 0, count, failed = 0;
    if (rounds <= 0) return 2;
    count = split(argv + 2, commands);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    for (int round = 0; round < rounds && !failed; round++)
        for (int step = 0; step < count && !failed; step++) {
            int turn = (round + step) % count; /* nobody is always the first */
            failed = run(turn + 1, commands[turn], &actions);
        }
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}
