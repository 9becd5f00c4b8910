/*
 * config.h - the options of a client, checked.
 */
#ifndef CLY_CORE_API_CONFIG_H
#define CLY_CORE_API_CONFIG_H

#include "core/api/problems.h"
#include "core/base/source.h"

CLY_PRIVATE_BEGIN

/* Times in seconds; texts are owned, zero-terminated, NULL when not given. */
typedef struct cly_config {
#define CLY_OPTION_TEXT(name) char *name;
#define CLY_OPTION_NUMBER(name, value, low, high) double name;
#define CLY_OPTION_COUNT(name, value, low, high) int name;
#define CLY_OPTION_FLAG(name, value) bool name;
#define CLY_OPTION_HOST(name)
#include "core/api/options.def"
} cly_config;

/* What the environment supplies when an option is not given; borrowed, any may
 * be NULL. */
typedef struct cly_config_defaults {
    const char *api_key, *business_id, *base_url;
} cly_config_defaults;

/* init, then read once, then clear; clear also wipes the key. */
void cly_config_init(cly_config *config);
void cly_config_clear(cly_config *config);

/* Fills and checks all options from a table. */
cly_kind cly_config_read(cly_config *config, const cly_config_defaults *defaults, const cly_source *source,
                         cly_value value, cly_problems *problems, cly_error *error) CLY_MUST_CHECK;

/* https://, or http:// to loopback (localhost, 127.0.0.0/8, [::1]); host, port
 * and path only. NULL, or what is wrong (static). */
const char *cly_base_url_fault(const char *url);

/* True for http://, which only loopback may have. */
bool cly_base_url_is_plain(const char *url);

CLY_PRIVATE_END

#endif
