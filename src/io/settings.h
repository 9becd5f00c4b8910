/*
 * settings.h - what all requests of a client are made with: its options, the headers
 * that hold the key, where its trusted certificates are, its proxy.
 *
 * An engine borrows it, and the calls of a client that was dropped outlive the
 * client: so it lies on the heap by itself, and whoever has the engine last frees
 * it. Nothing is changed in it once an engine was made with it.
 */
#ifndef CLY_IO_SETTINGS_H
#define CLY_IO_SETTINGS_H

#include "core/api/config.h"
#include "io/engine.h"

CLY_PRIVATE_BEGIN

typedef struct cly_settings {
    cly_config config;
    cly_ca_paths ca_paths;
    char user_agent[96];
    char *proxy, *no_proxy; /* as the environment was at make */
    struct curl_slist *headers, *bare_headers;
} cly_settings;

/* Empty; NULL when there is no memory. */
cly_settings *cly_settings_new(void);

/* Fills it from options; once. */
cly_kind cly_settings_read(cly_settings *settings, const cly_source *source, cly_value options,
                           cly_problems *problems, cly_error *error) CLY_MUST_CHECK;

/* What an engine is to be made with; it borrows the settings as long as it lives. */
cly_kind cly_settings_lend(cly_settings *settings, cly_engine_options *out, cly_error *error) CLY_MUST_CHECK;

/* Wipes the key and the proxy, which may hold a password, and frees all. NULL is fine. */
void cly_settings_free(cly_settings *settings);

/* The certificates that this process's environment names; borrowed from it. */
cly_ca_variables cly_settings_ca_variables(void);

CLY_PRIVATE_END

#endif
