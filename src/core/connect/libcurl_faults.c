#include "core/connect/libcurl_faults.h"

cly_libcurl_faults cly_libcurl_faults_of(unsigned version) {
    const cly_libcurl_faults faults = {
        .raises_sigpipe = version < 0x075800,
        .loses_proxied_reply = version < 0x075801,
        .needs_room = version >= 0x075800 && version < 0x080100,
        .loses_early_replies = version < 0x080500,
    };
    return faults;
}
