#include "io/profile.h"

#include "core/api/environment.h"
#include "core/api/request.h"
#include "core/base/redact.h"
#include "core/base/text.h"
#include "core/base/version.h"
#include "io/curl/ca_files.h"
#include "io/curl/libcurl.h"
#include <stdio.h>
#include <stdlib.h>

cly_profile *cly_profile_new(void) {
    cly_profile *profile = calloc(1, sizeof *profile);
    if (profile) cly_config_init(&profile->config);
    return profile;
}

/* The lists hold the key. */
static void free_headers(struct curl_slist **list) {
    for (struct curl_slist *line = *list; line; line = line->next) cly_wipe_text(line->data);
    curl_slist_free_all(*list);
    *list = NULL;
}

void cly_profile_free(cly_profile *profile) {
    if (profile == NULL) return;
    free_headers(&profile->headers);
    free_headers(&profile->bare_headers);
    cly_wipe_text(profile->proxy); /* may hold a password */
    free(profile->proxy);
    free(profile->no_proxy);
    cly_config_clear(&profile->config);
    free(profile);
}

static bool add_header(void *list, const char *line) {
    struct curl_slist **at = list, *longer = curl_slist_append(*at, line);
    if (longer) *at = longer;
    return longer != NULL;
}

static cly_kind make_headers(cly_profile *profile, cly_error *error) {
    const char *key = profile->config.api_key, *agent = profile->user_agent;
    cly_kind kind = cly_request_headers(add_header, &profile->headers, key, agent, true, error);
    if (kind == CLY_OK)
        kind = cly_request_headers(add_header, &profile->bare_headers, key, agent, false, error);
    if (kind == CLY_OK) return CLY_OK;
    free_headers(&profile->headers);
    free_headers(&profile->bare_headers);
    return kind;
}

static cly_kind read_environment(cly_profile *profile, cly_error *error) {
    const char *proxy, *no_proxy;
    cly_environment_proxy(getenv, profile->config.base_url, profile->config.proxy, &proxy, &no_proxy);
    profile->proxy = cly_text_copy(proxy);
    profile->no_proxy = cly_text_copy(no_proxy);
    return profile->proxy && profile->no_proxy ? CLY_OK : cly_error_no_memory(error);
}

cly_ca_variables cly_profile_ca_variables(void) {
    return cly_environment_ca(getenv);
}

/* Of the environment's certificates nothing is needed where no TLS is spoken. */
static cly_kind find_certificates(cly_profile *profile, cly_error *error) {
    static const cly_ca_variables none = {0};
    bool is_plain = cly_base_url_is_plain(profile->config.base_url);
    cly_ca_variables variables = is_plain ? none : cly_profile_ca_variables();
    cly_ca_system system = cly_libcurl_ca_system();
    cly_kind kind = cly_ca_paths_check(&profile->config, &variables, &cly_ca_files_on_disk, error);
    if (kind != CLY_OK) return kind;
    cly_ca_paths_find(&profile->ca_paths, &profile->config, &variables, &system, &cly_ca_files_on_disk);
    profile->ca_paths.has_tls_proxy = cly_starts_with(profile->proxy, strlen(profile->proxy), "https://");
    return CLY_OK;
}

cly_kind cly_profile_read(cly_profile *profile, const cly_source *source, cly_value options,
                          cly_problems *problems, cly_error *error) {
    cly_config_defaults defaults = cly_environment_defaults(getenv);
    cly_kind kind = cly_config_read(&profile->config, &defaults, source, options, problems, error);
    if (kind == CLY_OK) kind = read_environment(profile, error);
    if (kind == CLY_OK) kind = find_certificates(profile, error);
    snprintf(profile->user_agent, sizeof profile->user_agent, "connectly-lua/%s libcurl/%s", CLY_VERSION,
             curl_version_info(CURLVERSION_NOW)->version);
    return kind;
}

static void lend_settings(const cly_profile *profile, cly_transfer_settings *settings) {
    settings->headers = profile->headers;
    settings->bare_headers = profile->bare_headers;
    settings->user_agent = profile->user_agent;
    settings->proxy = profile->proxy;
    settings->no_proxy = profile->no_proxy;
    settings->ca_paths = &profile->ca_paths;
    settings->connect_timeout = profile->config.connect_timeout;
    settings->is_plain = cly_base_url_is_plain(profile->config.base_url);
    settings->http2 = profile->config.http2 &&
                      !(profile->ca_paths.has_tls_proxy && cly_libcurl_running_faults().loses_proxied_reply);
}

cly_kind cly_profile_lend(cly_profile *profile, cly_engine_options *out, cly_error *error) {
    cly_kind kind = profile->headers ? CLY_OK : make_headers(profile, error);
    if (kind != CLY_OK) return kind;
    memset(out, 0, sizeof *out);
    lend_settings(profile, &out->settings);
    out->secret = profile->config.api_key;
    out->max_in_flight = profile->config.max_in_flight;
    out->max_connections = profile->config.max_connections;
    out->max_connection_age = profile->config.max_connection_age;
    out->max_attempts = profile->config.max_attempts;
    out->retry_unknown = profile->config.retry_unknown;
    out->rate = profile->config.rate;
    return CLY_OK;
}
