/*
 * ca_store.h - sets up libcurl's handles by the store of trusted certificates, and tells
 * the store how they failed.
 */
#ifndef CLY_IO_CURL_CA_STORE_H
#define CLY_IO_CURL_CA_STORE_H

#include "core/connect/ca_store.h"
#include <curl/curl.h>

CLY_PRIVATE_BEGIN

/* Sets all that a handle verifies certificates by, those of the API and those of an
 * https:// proxy. */
bool cly_ca_store_apply(const cly_ca_store *store, CURL *easy);

/* Asked of a transfer that ended with `code` before a request was issued, on a
 * handle that was set up in `generation`. True: the store has changed since, or
 * does so now, in a way that can help; the same attempt is to be made again. */
bool cly_ca_store_wants_again(cly_ca_store *store, unsigned generation, CURL *easy, CURLcode code);

/* Whether such a transfer could not read certificates that can be read now: it lacked a
 * file descriptor. */
bool cly_ca_store_was_unread(const cly_ca_store *store, CURLcode code);

CLY_PRIVATE_END

#endif
