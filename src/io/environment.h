/*
 * environment.h - what the environment says, read once, when a client is made.
 *
 * Never later and never by a thread: getenv beside a setenv is a data race, and
 * libcurl's own look at the proxy variables on each transfer costs time.
 */
#ifndef CLY_IO_ENVIRONMENT_H
#define CLY_IO_ENVIRONMENT_H

#include "core/ca_paths.h"

CLY_PRIVATE_BEGIN

/* CONNECTLY_API_KEY, CONNECTLY_BUSINESS_ID, CONNECTLY_BASE_URL. Borrowed. */
cly_config_defaults cly_environment_defaults(void);

/* The proxy for this base URL, and the hosts that go without one, as curl's
 * variables say; "" for none, never NULL. Borrowed. */
void cly_environment_proxy(const char *base_url, const char **proxy, const char **no_proxy);

/* Certificates. Borrowed. */
cly_ca_variables cly_environment_ca(void);

CLY_PRIVATE_END

#endif
