/*
 * libcurl_support.c - for `make test-libcurl`: ends a test program that has loaded
 * another libcurl than the one that is to be tested.
 */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <dlfcn.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *loaded(char path[PATH_MAX]) {
    Dl_info info;
    /* ISO C has no conversion of a function's address to void *. */
    void *address = (void *)(uintptr_t)curl_version_info;
    return dladdr(address, &info) && realpath(info.dli_fname, path) ? path : "an unknown library";
}

__attribute__((constructor)) static void check(void) {
    const char *wanted = getenv("CONNECTLY_SPEC_LIBCURL"),
               *version = curl_version_info(CURLVERSION_NOW)->version;
    char path[PATH_MAX];
    if (!wanted || (strcmp(loaded(path), wanted) == 0 && strcmp(version, LIBCURL_VERSION) == 0)) return;
    fprintf(stderr, "libcurl %s (%s) is loaded in place of %s (%s)\n", version, loaded(path), LIBCURL_VERSION,
            wanted);
    exit(1);
}
