#define _POSIX_C_SOURCE 200809L
#include "io/system/notifier.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* macOS: SO_NOSIGPIPE is not needed, the thread blocks signals */
#endif

enum { UNSENT_MAX = 1024 * 1024 };

void cly_notifier_init(cly_notifier *notifier) {
    memset(notifier, 0, sizeof *notifier);
    notifier->read_end = notifier->write_end = notifier->listener = notifier->peer = -1;
    cly_buffer_init(&notifier->unsent, UNSENT_MAX);
    cly_buffer_init(&notifier->leaving, UNSENT_MAX);
}

static void shut(int *descriptor) {
    if (*descriptor >= 0) close(*descriptor);
    *descriptor = -1;
}

static void remove_path(cly_notifier *notifier) {
    if (notifier->path[0]) unlink(notifier->path);
    if (notifier->folder[0]) rmdir(notifier->folder);
    notifier->path[0] = notifier->folder[0] = '\0';
}

void cly_notifier_abandon(cly_notifier *notifier) {
    shut(&notifier->read_end);
    shut(&notifier->write_end);
    shut(&notifier->listener);
    shut(&notifier->peer);
}

void cly_notifier_clear(cly_notifier *notifier) {
    cly_notifier_abandon(notifier);
    remove_path(notifier);
    cly_buffer_clear(&notifier->unsent);
    cly_buffer_clear(&notifier->leaving);
}

static bool make_private(int descriptor) {
    return fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 && fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0;
}

int cly_notifier_descriptor(cly_notifier *notifier) {
    int ends[2];
    if (notifier->read_end >= 0) return notifier->read_end;
    if (pipe(ends) != 0) return -1;
    notifier->read_end = ends[0];
    notifier->write_end = ends[1];
    if (make_private(ends[0]) && make_private(ends[1])) return notifier->read_end;
    shut(&notifier->read_end);
    shut(&notifier->write_end);
    return -1;
}

void cly_notifier_ring(cly_notifier *notifier) {
    ssize_t written;
    if (notifier->write_end < 0 || notifier->is_rung) return;
    do written = write(notifier->write_end, "!", 1);
    while (written < 0 && errno == EINTR);
    notifier->is_rung = written == 1;
}

void cly_notifier_quiet(cly_notifier *notifier) {
    char bytes[16];
    if (notifier->read_end < 0) return;
    while (read(notifier->read_end, bytes, sizeof bytes) > 0) continue;
    notifier->is_rung = false;
}

static bool make_folder(cly_notifier *notifier) {
    const char *root = getenv("TMPDIR");
    int length = snprintf(notifier->folder, sizeof notifier->folder, "%s/connectly-XXXXXX",
                          root && *root ? root : "/tmp");
    /* The socket's name must fit too, so a long TMPDIR is ignored. */
    if (length < 0 || (size_t)length + 3 > sizeof notifier->folder)
        snprintf(notifier->folder, sizeof notifier->folder, "/tmp/connectly-XXXXXX");
    if (mkdtemp(notifier->folder)) return true; /* creates it with mode 0700 */
    notifier->folder[0] = '\0';
    return false;
}

static bool bind_listener(cly_notifier *notifier) {
    struct sockaddr_un address;
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, notifier->path, strlen(notifier->path) + 1);
    notifier->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    return notifier->listener >= 0 && make_private(notifier->listener) &&
           bind(notifier->listener, (const struct sockaddr *)&address, sizeof address) == 0 &&
           listen(notifier->listener, 1) == 0;
}

const char *cly_notifier_listen(cly_notifier *notifier) {
    char name[CLY_NOTIFIER_PATH_SIZE + 2];
    if (notifier->path[0]) return notifier->path;
    shut(&notifier->listener);
    if (!make_folder(notifier)) return NULL;
    snprintf(name, sizeof name, "%s/s", notifier->folder);
    memcpy(notifier->path, name,
           strlen(name) + 1 < sizeof notifier->path ? strlen(name) + 1 : sizeof notifier->path);
    if (bind_listener(notifier)) return notifier->path;
    shut(&notifier->listener);
    remove_path(notifier);
    return NULL;
}

int cly_notifier_watch(const cly_notifier *notifier) {
    return notifier->peer >= 0 ? notifier->peer : notifier->listener;
}

static void take_peer(cly_notifier *notifier) {
    int peer = accept(notifier->listener, NULL, NULL);
    if (peer < 0) return;
    shut(&notifier->listener);
    remove_path(notifier);
    notifier->peer = peer;
    if (!make_private(peer)) shut(&notifier->peer);
    cly_notifier_tell(notifier, 0); /* it must look for calls that ended before */
}

/* The peer sends nothing; reading only detects that it has closed its end. */
static bool has_gone(const cly_notifier *notifier) {
    char bytes[64];
    ssize_t count = recv(notifier->peer, bytes, sizeof bytes, 0);
    return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

static void let_go(cly_notifier *notifier) {
    shut(&notifier->peer);
    cly_buffer_reset(&notifier->unsent);
    cly_buffer_reset(&notifier->leaving);
    notifier->is_behind = false;
}

static void write_on(cly_notifier *notifier) {
    ssize_t count = send(notifier->peer, notifier->leaving.data, notifier->leaving.length, MSG_NOSIGNAL);
    if (count <= 0) return;
    memmove(notifier->leaving.data, notifier->leaving.data + count, notifier->leaving.length - (size_t)count);
    notifier->leaving.length -= (size_t)count;
}

void cly_notifier_serve(cly_notifier *notifier) {
    if (notifier->peer < 0 && notifier->listener >= 0) take_peer(notifier);
    if (notifier->peer >= 0 && (notifier->is_behind || has_gone(notifier))) let_go(notifier);
    if (notifier->leaving.length == 0) cly_buffer_swap(&notifier->leaving, &notifier->unsent);
}

bool cly_notifier_send(cly_notifier *notifier) {
    if (notifier->peer >= 0 && notifier->leaving.length > 0) write_on(notifier);
    return notifier->peer >= 0 && notifier->leaving.length > 0;
}

void cly_notifier_tell(cly_notifier *notifier, uint64_t number) {
    char line[24];
    int length;
    if (notifier->peer < 0 || notifier->is_behind) return;
    length = snprintf(line, sizeof line, "%llu\n", (unsigned long long)number);
    cly_buffer_append(&notifier->unsent, line, (size_t)length);
    if (notifier->unsent.state == CLY_BUFFER_FINE) return;
    /* Disconnect a peer that misses numbers, so that it does not believe it has all. */
    notifier->is_behind = true;
    cly_buffer_reset(&notifier->unsent);
}
