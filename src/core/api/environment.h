/*
 * environment.h - interprets environment variables. The caller looks them up once, when a client is
 * created.
 *
 * They are never read later and never by a thread: getenv concurrent with setenv is a data race, and
 * libcurl's own lookup of the proxy variables on each transfer costs time.
 */
#ifndef CLY_CORE_API_ENVIRONMENT_H
#define CLY_CORE_API_ENVIRONMENT_H

#include "core/connect/ca_paths.h"

CLY_PRIVATE_BEGIN

/* Like getenv: returns NULL if the variable is not set. The functions below return its texts without
 * copying them. */
typedef char *cly_lookup(const char *name);

/* CONNECTLY_API_KEY, CONNECTLY_BUSINESS_ID, CONNECTLY_BASE_URL. */
cly_config_defaults cly_environment_defaults(cly_lookup *lookup);

/* The proxy for this base URL, and the hosts to contact without it. `option` takes precedence; if it is
 * NULL, curl's variables apply. "" means none; never NULL. */
void cly_environment_proxy(cly_lookup *lookup, const char *base_url, const char *option, const char **proxy,
                           const char **no_proxy);

/* The certificate variables. */
cly_ca_variables cly_environment_ca(cly_lookup *lookup);

CLY_PRIVATE_END

#endif
