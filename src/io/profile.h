/*
 * profile.h - what all requests of a client are made with: its options, the headers
 * that hold the key, where its trusted certificates are, its proxy.
 *
 * An engine borrows it, and the calls of a client that was dropped outlive the
 * client: so it lies on the heap by itself, and whoever has the engine last frees
 * it. Nothing is changed in it once an engine was made with it.
 */
#ifndef CLY_IO_PROFILE_H
#define CLY_IO_PROFILE_H

#include "core/api/config.h"
#include "io/engine.h"

CLY_PRIVATE_BEGIN

typedef struct cly_profile {
    cly_config config;
    cly_ca_paths ca_paths;
    char user_agent[96];
    char *proxy, *no_proxy; /* as the environment was at make */
    struct curl_slist *headers, *bare_headers;
} cly_profile;

/* Empty; NULL when there is no memory. */
cly_profile *cly_profile_new(void);

/* Fills it from options; once. */
cly_kind cly_profile_read(cly_profile *profile, const cly_source *source, cly_value options,
                          cly_problems *problems, cly_error *error) CLY_MUST_CHECK;

/* What an engine is to be made with; it borrows the profile as long as it lives. */
cly_kind cly_profile_lend(cly_profile *profile, cly_engine_options *out, cly_error *error) CLY_MUST_CHECK;

/* Wipes the key and the proxy, which may hold a password, and frees all. NULL is fine. */
void cly_profile_free(cly_profile *profile);

/* The certificates that this process's environment names; borrowed from it. */
cly_ca_variables cly_profile_ca_variables(void);

CLY_PRIVATE_END

#endif
