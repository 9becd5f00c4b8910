/*
 * ca_store.h - applies the store of trusted certificates to libcurl's handles, and reports
 * verification failures to the store.
 */
#ifndef CLY_IO_CURL_CA_STORE_H
#define CLY_IO_CURL_CA_STORE_H

#include "core/connect/ca_store.h"
#include <curl/curl.h>

CLY_PRIVATE_BEGIN

/* Sets all options by which a handle verifies the certificates of the API and of an https://
 * proxy. */
bool cly_ca_store_apply(const cly_ca_store *store, CURL *easy);

/* For a transfer that ended with `code` before its request was issued, on a handle that was set up in
 * `generation` of the store. Returns true if the store has changed since, or is changed now, in a way
 * that can help: the same attempt is then made again. */
bool cly_ca_store_wants_again(cly_ca_store *store, unsigned generation, CURL *easy, CURLcode code);

/* Whether such a transfer failed to read certificates that can be read now, because it lacked a file
 * descriptor. */
bool cly_ca_store_was_unread(const cly_ca_store *store, CURLcode code);

CLY_PRIVATE_END

#endif
