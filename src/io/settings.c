#include "io/settings.h"

#include "core/api/environment.h"
#include "core/api/request.h"
#include "core/base/redact.h"
#include "core/base/text.h"
#include "core/base/version.h"
#include "io/curl/ca_files.h"
#include "io/curl/libcurl.h"
#include <stdio.h>
#include <stdlib.h>

cly_settings *cly_settings_new(void) {
    cly_settings *settings = calloc(1, sizeof *settings);
    if (settings) cly_config_init(&settings->config);
    return settings;
}

/* The lists contain the API key. */
static void free_headers(struct curl_slist **list) {
    for (struct curl_slist *line = *list; line; line = line->next) cly_wipe_text(line->data);
    curl_slist_free_all(*list);
    *list = NULL;
}

void cly_settings_free(cly_settings *settings) {
    if (settings == NULL) return;
    free_headers(&settings->headers);
    free_headers(&settings->bare_headers);
    cly_wipe_text(settings->proxy); /* may hold a password */
    free(settings->proxy);
    free(settings->no_proxy);
    cly_config_clear(&settings->config);
    free(settings);
}

static bool add_header(void *list, const char *line) {
    struct curl_slist **at = list, *longer = curl_slist_append(*at, line);
    if (longer) *at = longer;
    return longer != NULL;
}

static cly_kind make_headers(cly_settings *settings, cly_error *error) {
    const char *key = settings->config.api_key, *agent = settings->user_agent;
    cly_kind kind = cly_request_headers(add_header, &settings->headers, key, agent, true, error);
    if (kind == CLY_OK)
        kind = cly_request_headers(add_header, &settings->bare_headers, key, agent, false, error);
    if (kind == CLY_OK) return CLY_OK;
    free_headers(&settings->headers);
    free_headers(&settings->bare_headers);
    return kind;
}

static cly_kind read_environment(cly_settings *settings, cly_error *error) {
    const char *proxy, *no_proxy;
    cly_environment_proxy(getenv, settings->config.base_url, settings->config.proxy, &proxy, &no_proxy);
    settings->proxy = cly_text_copy(proxy);
    settings->no_proxy = cly_text_copy(no_proxy);
    return settings->proxy && settings->no_proxy ? CLY_OK : cly_error_no_memory(error);
}

cly_ca_variables cly_settings_ca_variables(void) {
    return cly_environment_ca(getenv);
}

/* Without TLS, the environment's certificate variables are ignored. */
static cly_kind find_certificates(cly_settings *settings, cly_error *error) {
    static const cly_ca_variables none = {0};
    bool is_plain = cly_base_url_is_plain(settings->config.base_url);
    cly_ca_variables variables = is_plain ? none : cly_settings_ca_variables();
    cly_ca_system system = cly_libcurl_ca_system();
    cly_kind kind = cly_ca_paths_check(&settings->config, &variables, &cly_ca_files_on_disk, error);
    if (kind != CLY_OK) return kind;
    cly_ca_paths_find(&settings->ca_paths, &settings->config, &variables, &system, &cly_ca_files_on_disk);
    settings->ca_paths.has_tls_proxy = cly_starts_with(settings->proxy, strlen(settings->proxy),
                                                       "https:"); /* libcurl also accepts a single slash */
    return CLY_OK;
}

cly_kind cly_settings_read(cly_settings *settings, const cly_source *source, cly_value options,
                           cly_problems *problems, cly_error *error) {
    cly_config_defaults defaults = cly_environment_defaults(getenv);
    cly_kind kind = cly_config_read(&settings->config, &defaults, source, options, problems, error);
    if (kind == CLY_OK) kind = read_environment(settings, error);
    if (kind == CLY_OK) kind = find_certificates(settings, error);
    snprintf(settings->user_agent, sizeof settings->user_agent, "connectly-lua/%s libcurl/%s", CLY_VERSION,
             curl_version_info(CURLVERSION_NOW)->version);
    return kind;
}

static void lend_to_transfers(const cly_settings *settings, cly_transfer_settings *lent) {
    lent->headers = settings->headers;
    lent->bare_headers = settings->bare_headers;
    lent->user_agent = settings->user_agent;
    lent->proxy = settings->proxy;
    lent->no_proxy = settings->no_proxy;
    lent->ca_paths = &settings->ca_paths;
    lent->connect_timeout = settings->config.connect_timeout;
    lent->is_plain = cly_base_url_is_plain(settings->config.base_url);
    lent->http2 = settings->config.http2 &&
                  !(settings->ca_paths.has_tls_proxy && cly_libcurl_running_faults().loses_proxied_reply);
}

cly_kind cly_settings_lend(cly_settings *settings, cly_engine_options *out, cly_error *error) {
    cly_kind kind = settings->headers ? CLY_OK : make_headers(settings, error);
    if (kind != CLY_OK) return kind;
    memset(out, 0, sizeof *out);
    lend_to_transfers(settings, &out->settings);
    out->secret = settings->config.api_key;
    out->max_in_flight = settings->config.max_in_flight;
    out->max_connections = settings->config.max_connections;
    out->max_connection_age = settings->config.max_connection_age;
    out->max_attempts = settings->config.max_attempts;
    out->retry_unknown = settings->config.retry_unknown;
    out->rate = settings->config.rate;
    return CLY_OK;
}
