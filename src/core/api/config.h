/*
 * config.h - reads and checks the options of a client.
 */
#ifndef CLY_CORE_API_CONFIG_H
#define CLY_CORE_API_CONFIG_H

#include "core/api/problems.h"
#include "core/base/source.h"

CLY_PRIVATE_BEGIN

/* Times are in seconds. Texts are owned and zero-terminated, NULL if not given. */
typedef struct cly_config {
#define CLY_OPTION_TEXT(name) char *name;
#define CLY_OPTION_NUMBER(name, value, low, high) double name;
#define CLY_OPTION_COUNT(name, value, low, high) int name;
#define CLY_OPTION_FLAG(name, value) bool name;
#define CLY_OPTION_HOST(name)
#include "core/api/options.def"
} cly_config;

/* Defaults from the environment for options that are not given; borrowed, any may be NULL. */
typedef struct cly_config_defaults {
    const char *api_key, *business_id, *base_url;
} cly_config_defaults;

/* Call init, then read once, then clear. clear also wipes the key. */
void cly_config_init(cly_config *config);
void cly_config_clear(cly_config *config);

/* Reads all options from a table and checks them. */
cly_kind cly_config_read(cly_config *config, const cly_config_defaults *defaults, const cly_source *source,
                         cly_value value, cly_problems *problems, cly_error *error) CLY_MUST_CHECK;

/* Accepts https://, or http:// to loopback (localhost, 127.0.0.0/8, [::1]), with host, port and path
 * only. Returns NULL, or a description of the error (static). */
const char *cly_base_url_fault(const char *url);

/* True for localhost, [::1] and 127.0.0.0/8 in full dotted form. */
bool cly_is_loopback(const char *host, size_t length);

/* True for http://, which is allowed for loopback only. */
bool cly_base_url_is_plain(const char *url);

CLY_PRIVATE_END

#endif
