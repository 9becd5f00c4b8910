#define _POSIX_C_SOURCE 200809L
#include "io/reset.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static bool is_connected_tcp(int descriptor) {
    struct sockaddr_storage peer;
    socklen_t peer_size = sizeof peer, type_size = sizeof(int);
    int type = 0;
    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &type_size) != 0 || type != SOCK_STREAM)
        return false;
    return getpeername(descriptor, (struct sockaddr *)&peer, &peer_size) == 0 &&
           (peer.ss_family == AF_INET || peer.ss_family == AF_INET6);
}

/* Where the system does not know how to undo a connection, its owner's close resets it. */
bool cly_reset_connection(int descriptor) {
    struct linger at_once = {1, 0};
    struct sockaddr nobody;
    if (!is_connected_tcp(descriptor)) return false;
    memset(&nobody, 0, sizeof nobody);
    nobody.sa_family = AF_UNSPEC;
    (void)setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    (void)!connect(descriptor, &nobody, sizeof nobody);
    return true;
}
