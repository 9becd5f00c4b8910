#define _DEFAULT_SOURCE /* mkdtemp, setenv */
#include "io/system/notifier.h"

#include "spec/core/test.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static cly_notifier notifier;

static int begin(void **state) {
    (void)state;
    cly_notifier_init(&notifier);
    return 0;
}

static int end(void **state) {
    (void)state;
    cly_notifier_clear(&notifier);
    return 0;
}

static bool is_readable(int descriptor) {
    struct pollfd watched = {descriptor, POLLIN, 0};
    return poll(&watched, 1, 0) == 1;
}

/* The peer's side, or -1. */
static int connect_to(const char *path) {
    struct sockaddr_un address;
    int made = socket(AF_UNIX, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (connect(made, (struct sockaddr *)&address, sizeof address) == 0) return made;
    close(made);
    return -1;
}

static void serve(void) {
    cly_notifier_serve(&notifier);
    cly_notifier_send(&notifier);
}

static void expect_lines(int peer, const char *expected) {
    char bytes[256] = "";
    ssize_t count = recv(peer, bytes, sizeof bytes - 1, MSG_DONTWAIT);
    assert_int_equal(count, strlen(expected));
    assert_string_equal(bytes, expected);
}

static int connect_peer(void) {
    const char *path = cly_notifier_listen(&notifier);
    int peer;
    assert_non_null(path);
    peer = connect_to(path);
    assert_true(peer >= 0);
    serve();
    expect_lines(peer, "0\n"); /* it is to look around */
    return peer;
}

/* ---- the descriptor ---- */

static void it_rings_until_it_is_quieted(void **state) {
    int descriptor;
    (void)state;
    cly_notifier_ring(&notifier); /* nobody has asked for it yet */
    cly_notifier_quiet(&notifier);
    descriptor = cly_notifier_descriptor(&notifier);
    assert_true(descriptor >= 0);
    assert_int_equal(cly_notifier_descriptor(&notifier), descriptor);
    assert_false(is_readable(descriptor));
    for (int i = 0; i < 100000; i++) cly_notifier_ring(&notifier); /* never blocks, never fills */
    assert_true(is_readable(descriptor));
    cly_notifier_quiet(&notifier);
    assert_false(is_readable(descriptor));
    cly_notifier_ring(&notifier);
    assert_true(is_readable(descriptor));
}

static void no_child_inherits_it(void **state) {
    int peer = connect_peer();
    (void)state;
    assert_true(fcntl(cly_notifier_descriptor(&notifier), F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(notifier.write_end, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(notifier.peer, F_GETFD) & FD_CLOEXEC);
    close(peer);
}

/* ---- the socket ---- */

static void its_folder_is_nobody_elses(void **state) {
    const char *path = cly_notifier_listen(&notifier);
    struct stat folder;
    (void)state;
    assert_non_null(path);
    assert_int_equal(stat(notifier.folder, &folder), 0);
    assert_int_equal(folder.st_mode & 0777, 0700);
    assert_ptr_equal(cly_notifier_listen(&notifier), path);
}

static void one_peer_connects_and_the_path_is_gone(void **state) {
    char path[CLY_NOTIFIER_PATH_SIZE], folder[CLY_NOTIFIER_PATH_SIZE];
    struct stat gone;
    int peer;
    (void)state;
    assert_int_equal(cly_notifier_watch(&notifier), -1);
    strcpy(path, cly_notifier_listen(&notifier));
    strcpy(folder, notifier.folder);
    assert_int_equal(cly_notifier_watch(&notifier), notifier.listener);
    peer = connect_peer();
    assert_int_equal(cly_notifier_watch(&notifier), notifier.peer);
    assert_int_equal(notifier.listener, -1);
    assert_int_equal(stat(path, &gone), -1);
    assert_int_equal(stat(folder, &gone), -1);
    assert_int_equal(connect_to(path), -1);
    close(peer);
}

static void clear_takes_the_path_away(void **state) {
    char folder[CLY_NOTIFIER_PATH_SIZE];
    struct stat gone;
    (void)state;
    assert_non_null(cly_notifier_listen(&notifier));
    strcpy(folder, notifier.folder);
    cly_notifier_clear(&notifier);
    assert_int_equal(stat(folder, &gone), -1);
    cly_notifier_clear(&notifier);
}

static void each_number_is_a_line(void **state) {
    int peer;
    (void)state;
    cly_notifier_tell(&notifier, 1); /* to nobody */
    peer = connect_peer();
    cly_notifier_tell(&notifier, 2);
    cly_notifier_tell(&notifier, UINT64_MAX);
    cly_notifier_serve(&notifier);
    assert_false(cly_notifier_send(&notifier)); /* nothing is left */
    expect_lines(peer, "2\n18446744073709551615\n");
    close(peer);
}

static void a_peer_that_goes_does_no_harm(void **state) {
    int peer = connect_peer();
    (void)state;
    cly_notifier_tell(&notifier, 1);
    close(peer);
    serve();
    assert_int_equal(notifier.peer, -1);
    assert_int_equal(notifier.unsent.length, 0);
    assert_int_equal(cly_notifier_watch(&notifier), -1);
    cly_notifier_tell(&notifier, 2);
    serve();
    peer = connect_peer(); /* and another may come */
    cly_notifier_tell(&notifier, 3);
    serve();
    expect_lines(peer, "3\n");
    close(peer);
}

static void a_peer_that_talks_is_not_listened_to(void **state) {
    char noise[1000];
    int peer = connect_peer();
    (void)state;
    memset(noise, 'x', sizeof noise);
    assert_int_equal(write(peer, noise, sizeof noise), sizeof noise);
    for (int i = 0; i < 20; i++) serve();
    cly_notifier_tell(&notifier, 4);
    serve();
    expect_lines(peer, "4\n");
    close(peer);
}

/* The thread that serves sends without the lock: what others tell meanwhile lies
 * elsewhere, even when it is too much. */
static void telling_touches_nothing_that_is_being_sent(void **state) {
    int peer = connect_peer(), descriptor = notifier.peer;
    char *bytes;
    (void)state;
    cly_notifier_tell(&notifier, 1);
    cly_notifier_serve(&notifier);
    bytes = notifier.leaving.data;
    for (int i = 0; i < 200000; i++) cly_notifier_tell(&notifier, UINT64_MAX);
    assert_int_equal(notifier.peer, descriptor);
    assert_ptr_equal(notifier.leaving.data, bytes);
    assert_int_equal(notifier.leaving.length, 2);
    assert_memory_equal(bytes, "1\n", 2);
    cly_notifier_send(&notifier);
    expect_lines(peer, "1\n");
    cly_notifier_serve(&notifier); /* it missed lines */
    assert_int_equal(notifier.peer, -1);
    close(peer);
}

/* It is let go rather than told less than all: it notices, and asks. */
static void a_peer_that_never_reads_is_let_go(void **state) {
    int peer = connect_peer();
    (void)state;
    for (int i = 0; notifier.peer >= 0; i++) {
        assert_true(i < 2000000);
        cly_notifier_tell(&notifier, UINT64_MAX);
        if (i % 100 == 0) serve();
        assert_true(notifier.unsent.length <= notifier.unsent.ceiling);
    }
    assert_int_equal(notifier.unsent.length, 0);
    cly_notifier_tell(&notifier, 1);
    serve();
    close(peer);
}

/* A peer that reads slowly misses nothing. */
static void a_slow_peer_gets_every_line(void **state) {
    enum { LINES = 30000 };
    char bytes[4096];
    int peer = connect_peer(), lines = 0;
    (void)state;
    for (int i = 0; i < LINES; i++) cly_notifier_tell(&notifier, 1234567890);
    while (lines < LINES) {
        ssize_t count;
        serve();
        count = recv(peer, bytes, sizeof bytes, MSG_DONTWAIT);
        assert_true(count > 0);
        for (ssize_t i = 0; i < count; i++) lines += bytes[i] == '\n';
    }
    assert_int_equal(lines, LINES);
    assert_int_equal(notifier.unsent.length, 0);
    close(peer);
}

/* ---- where the folder is ---- */

static void a_temporary_folder_is_followed(void **state) {
    char root[] = "/tmp/notifier-spec-XXXXXX", far[300];
    (void)state;
    assert_non_null(mkdtemp(root));
    setenv("TMPDIR", root, 1);
    assert_non_null(cly_notifier_listen(&notifier));
    assert_int_equal(strncmp(notifier.path, root, strlen(root)), 0);
    cly_notifier_clear(&notifier);
    assert_int_equal(rmdir(root), 0); /* nothing is left in it */
    cly_notifier_init(&notifier);
    assert_null(cly_notifier_listen(&notifier));
    assert_int_equal(errno, ENOENT);
    memset(far, 'x', sizeof far - 1);
    far[0] = '/', far[sizeof far - 1] = '\0';
    setenv("TMPDIR", far, 1); /* longer than a unix address */
    assert_non_null(cly_notifier_listen(&notifier));
    assert_int_equal(strncmp(notifier.path, "/tmp/", 5), 0);
    unsetenv("TMPDIR");
}

/* Every length up to the longest path that an address holds, and past it. */
static void no_length_is_cut(void **state) {
    char root[CLY_NOTIFIER_PATH_SIZE + 8];
    (void)state;
    for (size_t length = 80; length < CLY_NOTIFIER_PATH_SIZE; length++) {
        int peer;
        memset(root, 'y', sizeof root);
        memcpy(root, "/tmp/", 5);
        root[length] = '\0';
        assert_int_equal(mkdir(root, 0700), 0);
        setenv("TMPDIR", root, 1);
        assert_non_null(cly_notifier_listen(&notifier));
        peer = connect_to(notifier.path);
        assert_true(peer >= 0);
        cly_notifier_clear(&notifier);
        cly_notifier_init(&notifier);
        close(peer);
        assert_int_equal(rmdir(root), 0);
    }
    unsetenv("TMPDIR");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(it_rings_until_it_is_quieted),
        TEST(no_child_inherits_it),
        TEST(its_folder_is_nobody_elses),
        TEST(one_peer_connects_and_the_path_is_gone),
        TEST(clear_takes_the_path_away),
        TEST(each_number_is_a_line),
        TEST(a_peer_that_goes_does_no_harm),
        TEST(a_peer_that_talks_is_not_listened_to),
        TEST(telling_touches_nothing_that_is_being_sent),
        TEST(a_peer_that_never_reads_is_let_go),
        TEST(a_slow_peer_gets_every_line),
        TEST(a_temporary_folder_is_followed),
        TEST(no_length_is_cut),
    };
    return cmocka_run_group_tests_name("io/system/notifier", tests, NULL, NULL);
}
