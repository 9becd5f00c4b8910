/*
 * ca_store.h - the certificates that one engine's handles trust at present.
 *
 * It begins with those of cly_ca_paths. When the certificate directory does not
 * hold the issuer of the server's certificate, the bundle is added for all handles
 * from then on, and the attempt is made again: a second handshake, before anything
 * was sent. Handles that were set up before are set up again when their generation
 * is not the store's.
 */
#ifndef CLY_IO_CA_STORE_H
#define CLY_IO_CA_STORE_H

#include "io/ca_paths.h"
#include <curl/curl.h>

CLY_PRIVATE_BEGIN

typedef struct cly_ca_store {
    const cly_ca_paths *paths; /* borrowed */
    cly_ca_pair api, proxy;    /* at present */
    bool has_bundle;
    unsigned generation; /* counts the changes */
} cly_ca_store;

void cly_ca_store_init(cly_ca_store *store, const cly_ca_paths *paths);

/* Sets all that a handle verifies certificates by, those of the API and those of an
 * https:// proxy. */
bool cly_ca_store_apply(const cly_ca_store *store, CURL *easy);

/* Asked of a transfer that ended with `code` before a request was issued, on a
 * handle that was set up in `generation`. True: the store has changed since, or
 * does so now, in a way that can help; the same attempt is to be made again. */
bool cly_ca_store_wants_again(cly_ca_store *store, unsigned generation, CURL *easy, CURLcode code);

CLY_PRIVATE_END

#endif
