#define _GNU_SOURCE
#include "io/pin.h"

#include <dlfcn.h>

static const char anchor = 0; /* an address inside this module */

void cly_pin_module(void) {
#if defined(RTLD_NODELETE)
    Dl_info info;
    /* The handle is never given back: that is the point. */
    if (dladdr(&anchor, &info) && info.dli_fname) (void)dlopen(info.dli_fname, RTLD_LAZY | RTLD_NODELETE);
#endif
}
