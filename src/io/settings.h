/*
 * settings.h - the options of a client, the headers with its API key, its trusted certificates
 * and its proxy.
 *
 * An engine borrows them, and the calls of a collected client outlive the client. So the settings are
 * a heap object that the last owner of the engine frees. An engine's settings never change.
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
    char *proxy, *no_proxy; /* from options or environment, at read; "" for none */
    struct curl_slist *headers, *bare_headers;
} cly_settings;

/* Returns empty settings, or NULL if out of memory. */
cly_settings *cly_settings_new(void);

/* Fills the settings from options. Call it once. */
cly_kind cly_settings_read(cly_settings *settings, const cly_source *source, cly_value options,
                           cly_problems *problems, cly_error *error) CLY_MUST_CHECK;

/* Fills the options of an engine. The engine borrows the settings for its lifetime. */
cly_kind cly_settings_lend(cly_settings *settings, cly_engine_options *out, cly_error *error) CLY_MUST_CHECK;

/* Wipes the key and the proxy, which may hold a password, and frees everything. NULL is allowed. */
void cly_settings_free(cly_settings *settings);

/* The certificate paths named in this process's environment; borrowed from it. */
cly_ca_variables cly_settings_ca_variables(void);

CLY_PRIVATE_END

#endif
