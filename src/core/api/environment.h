/*
 * environment.h - what the environment's variables mean. The caller looks them up, once,
 * when a client is made.
 *
 * Never later and never by a thread: getenv beside a setenv is a data race, and
 * libcurl's own look at the proxy variables on each transfer costs time.
 */
#ifndef CLY_CORE_API_ENVIRONMENT_H
#define CLY_CORE_API_ENVIRONMENT_H

#include "core/connect/ca_paths.h"

CLY_PRIVATE_BEGIN

/* As getenv: NULL when the variable is not set. The functions below give its texts as they
 * are, without a copy. */
typedef char *cly_lookup(const char *name);

/* CONNECTLY_API_KEY, CONNECTLY_BUSINESS_ID, CONNECTLY_BASE_URL. */
cly_config_defaults cly_environment_defaults(cly_lookup *lookup);

/* The proxy for this base URL, and the hosts that go without one: as the option says, which
 * is NULL when it is not given, else as curl's variables do. "" for none, never NULL. */
void cly_environment_proxy(cly_lookup *lookup, const char *base_url, const char *option, const char **proxy,
                           const char **no_proxy);

/* Certificates. */
cly_ca_variables cly_environment_ca(cly_lookup *lookup);

CLY_PRIVATE_END

#endif
