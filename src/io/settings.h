/*
 * settings.h - the options of a client, the headers with its key, its trusted certificates
 * and its proxy.
 *
 * An engine borrows them, and the calls of a dropped client outlive the client. So they are
 * a heap object that the last owner of the engine frees. An engine's settings do not change.
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

/* Returns empty settings, or NULL without memory. */
cly_settings *cly_settings_new(void);

/* Fills them from options, once. */
cly_kind cly_settings_read(cly_settings *settings, const cly_source *source, cly_value options,
                           cly_problems *problems, cly_error *error) CLY_MUST_CHECK;

/* The options of an engine, which borrows the settings for its life. */
cly_kind cly_settings_lend(cly_settings *settings, cly_engine_options *out, cly_error *error) CLY_MUST_CHECK;

/* Wipes the key and the proxy, which may hold a password, and frees all. NULL is fine. */
void cly_settings_free(cly_settings *settings);

/* The certificates that this process's environment names; borrowed from it. */
cly_ca_variables cly_settings_ca_variables(void);

CLY_PRIVATE_END

#endif
