#define _POSIX_C_SOURCE 200809L
#include "io/bell.h"

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

void cly_bell_init(cly_bell *bell) {
    memset(bell, 0, sizeof *bell);
    bell->read_end = bell->write_end = bell->listener = bell->peer = -1;
    cly_buffer_init(&bell->unsent, UNSENT_MAX);
    cly_buffer_init(&bell->leaving, UNSENT_MAX);
}

static void shut(int *descriptor) {
    if (*descriptor >= 0) close(*descriptor);
    *descriptor = -1;
}

static void remove_path(cly_bell *bell) {
    if (bell->path[0]) unlink(bell->path);
    if (bell->folder[0]) rmdir(bell->folder);
    bell->path[0] = bell->folder[0] = '\0';
}

void cly_bell_abandon(cly_bell *bell) {
    shut(&bell->read_end);
    shut(&bell->write_end);
    shut(&bell->listener);
    shut(&bell->peer);
}

void cly_bell_clear(cly_bell *bell) {
    cly_bell_abandon(bell);
    remove_path(bell);
    cly_buffer_clear(&bell->unsent);
    cly_buffer_clear(&bell->leaving);
}

static bool make_private(int descriptor) {
    return fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 && fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0;
}

int cly_bell_descriptor(cly_bell *bell) {
    int ends[2];
    if (bell->read_end >= 0) return bell->read_end;
    if (pipe(ends) != 0) return -1;
    bell->read_end = ends[0];
    bell->write_end = ends[1];
    if (make_private(ends[0]) && make_private(ends[1])) return bell->read_end;
    shut(&bell->read_end);
    shut(&bell->write_end);
    return -1;
}

void cly_bell_ring(cly_bell *bell) {
    ssize_t written;
    if (bell->write_end < 0 || bell->is_rung) return;
    do written = write(bell->write_end, "!", 1);
    while (written < 0 && errno == EINTR);
    bell->is_rung = written == 1;
}

void cly_bell_quiet(cly_bell *bell) {
    char bytes[16];
    if (bell->read_end < 0) return;
    while (read(bell->read_end, bytes, sizeof bytes) > 0) continue;
    bell->is_rung = false;
}

static bool make_folder(cly_bell *bell) {
    const char *root = getenv("TMPDIR");
    int length =
        snprintf(bell->folder, sizeof bell->folder, "%s/connectly-XXXXXX", root && *root ? root : "/tmp");
    /* Room for the name in it; a long TMPDIR is passed over. */
    if (length < 0 || (size_t)length + 3 > sizeof bell->folder)
        snprintf(bell->folder, sizeof bell->folder, "/tmp/connectly-XXXXXX");
    if (mkdtemp(bell->folder)) return true; /* made 0700 */
    bell->folder[0] = '\0';
    return false;
}

static bool bind_listener(cly_bell *bell) {
    struct sockaddr_un address;
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, bell->path, strlen(bell->path) + 1);
    bell->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    return bell->listener >= 0 && make_private(bell->listener) &&
           bind(bell->listener, (const struct sockaddr *)&address, sizeof address) == 0 &&
           listen(bell->listener, 1) == 0;
}

const char *cly_bell_listen(cly_bell *bell) {
    char name[CLY_BELL_PATH_SIZE + 2];
    if (bell->path[0]) return bell->path;
    shut(&bell->listener);
    if (!make_folder(bell)) return NULL;
    snprintf(name, sizeof name, "%s/s", bell->folder);
    memcpy(bell->path, name, strlen(name) + 1 < sizeof bell->path ? strlen(name) + 1 : sizeof bell->path);
    if (bind_listener(bell)) return bell->path;
    shut(&bell->listener);
    remove_path(bell);
    return NULL;
}

int cly_bell_watch(const cly_bell *bell) {
    return bell->peer >= 0 ? bell->peer : bell->listener;
}

static void take_peer(cly_bell *bell) {
    int peer = accept(bell->listener, NULL, NULL);
    if (peer < 0) return;
    shut(&bell->listener);
    remove_path(bell);
    bell->peer = peer;
    if (!make_private(peer)) shut(&bell->peer);
    cly_bell_tell(bell, 0); /* what ended before it came it must look for itself */
}

/* The peer says nothing; reading only notices that it went away. */
static bool has_gone(const cly_bell *bell) {
    char bytes[64];
    ssize_t count = recv(bell->peer, bytes, sizeof bytes, 0);
    return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

static void let_go(cly_bell *bell) {
    shut(&bell->peer);
    cly_buffer_reset(&bell->unsent);
    cly_buffer_reset(&bell->leaving);
    bell->is_behind = false;
}

static void write_on(cly_bell *bell) {
    ssize_t count = send(bell->peer, bell->leaving.data, bell->leaving.length, MSG_NOSIGNAL);
    if (count <= 0) return;
    memmove(bell->leaving.data, bell->leaving.data + count, bell->leaving.length - (size_t)count);
    bell->leaving.length -= (size_t)count;
}

void cly_bell_serve(cly_bell *bell) {
    if (bell->peer < 0 && bell->listener >= 0) take_peer(bell);
    if (bell->peer >= 0 && (bell->is_behind || has_gone(bell))) let_go(bell);
    if (bell->leaving.length == 0) cly_buffer_swap(&bell->leaving, &bell->unsent);
}

bool cly_bell_send(cly_bell *bell) {
    if (bell->peer >= 0 && bell->leaving.length > 0) write_on(bell);
    return bell->peer >= 0 && bell->leaving.length > 0;
}

void cly_bell_tell(cly_bell *bell, uint64_t number) {
    char line[24];
    int length;
    if (bell->peer < 0 || bell->is_behind) return;
    length = snprintf(line, sizeof line, "%llu\n", (unsigned long long)number);
    cly_buffer_append(&bell->unsent, line, (size_t)length);
    if (bell->unsent.state == CLY_BUFFER_FINE) return;
    /* A peer that misses numbers must not believe that it has all. */
    bell->is_behind = true;
    cly_buffer_reset(&bell->unsent);
}
