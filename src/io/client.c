#define _POSIX_C_SOURCE 200809L
#include "io/client.h"

#include "core/request.h"
#include "core/version.h"
#include "io/clock.h"
#include "io/environment.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void cly_client_init(cly_client *client) {
    memset(client, 0, sizeof *client);
    cly_config_init(&client->config);
    cly_encoder_init(&client->encoder);
    cly_buffer_init(&client->url, CLY_URL_MAX);
}

/* The lists hold the key. */
static void free_headers(struct curl_slist **list) {
    for (struct curl_slist *line = *list; line; line = line->next) {
        volatile char *byte = line->data;
        while (*byte) *byte++ = '\0';
    }
    curl_slist_free_all(*list);
    *list = NULL;
}

static void close_engine(cly_client *client) {
    if (client->engine == NULL) return;
    if (client->pid == (long)getpid())
        cly_engine_free(client->engine);
    else
        cly_engine_abandon(client->engine);
    client->engine = NULL;
}

void cly_client_close(cly_client *client) {
    close_engine(client);
    free_headers(&client->headers);
    free_headers(&client->bare_headers);
    free(client->proxy);
    free(client->no_proxy);
    client->proxy = client->no_proxy = NULL;
    cly_config_clear(&client->config);
    cly_encoder_clear(&client->encoder);
    cly_buffer_clear(&client->url);
    client->is_closed = true;
}

static bool add_header(struct curl_slist **list, const char *line) {
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer) *list = longer;
    return longer != NULL;
}

static cly_kind make_headers(cly_client *client, cly_error *error) {
    cly_buffer key;
    cly_kind kind;
    bool is_made;
    cly_buffer_init(&key, CLY_HEADER_MAX);
    kind = cly_request_header(&key, "X-API-Key", client->config.api_key, error);
    is_made = kind == CLY_OK && add_header(&client->headers, key.data) &&
              add_header(&client->headers, "Content-Type: application/json") &&
              add_header(&client->headers, "Accept: application/json") &&
              /* No waiting for 100-continue: it costs a round trip or a second. */
              add_header(&client->headers, "Expect:") && add_header(&client->bare_headers, key.data) &&
              add_header(&client->bare_headers, "Accept: application/json");
    if (key.data) memset(key.data, 0, key.capacity);
    cly_buffer_clear(&key);
    if (is_made) return CLY_OK;
    free_headers(&client->headers);
    free_headers(&client->bare_headers);
    return kind != CLY_OK ? kind : cly_error_no_memory(error);
}

static char *copy(const char *text) {
    char *bytes = malloc(strlen(text) + 1);
    return bytes ? strcpy(bytes, text) : NULL;
}

static cly_kind read_environment(cly_client *client, cly_error *error) {
    const char *proxy, *no_proxy;
    cly_environment_proxy(client->config.base_url, &proxy, &no_proxy);
    if (client->config.proxy) {
        proxy = client->config.proxy;
        no_proxy = "";
    }
    client->proxy = copy(proxy);
    client->no_proxy = copy(no_proxy);
    return client->proxy && client->no_proxy ? CLY_OK : cly_error_no_memory(error);
}

cly_kind cly_client_read(cly_client *client, const cly_source *source, cly_value options, cly_error *error) {
    cly_config_defaults defaults = cly_environment_defaults();
    cly_kind kind =
        cly_config_read(&client->config, &defaults, source, options, &client->encoder.problems, error);
    if (kind == CLY_OK) kind = cly_trust_check(&client->config, error);
    if (kind == CLY_OK) kind = read_environment(client, error);
    snprintf(client->user_agent, sizeof client->user_agent, "connectly-lua/%s libcurl/%s", CLY_VERSION,
             curl_version_info(CURLVERSION_NOW)->version);
    return kind;
}

static cly_kind open_engine(cly_client *client, cly_error *error) {
    cly_engine_options options = {0};
    cly_kind kind = CLY_OK;
    if (client->headers == NULL) kind = make_headers(client, error);
    if (kind != CLY_OK) return kind;
    cly_trust_find(&client->trust, &client->config);
    options.settings.headers = client->headers;
    options.settings.bare_headers = client->bare_headers;
    options.settings.user_agent = client->user_agent;
    options.settings.proxy = client->proxy;
    options.settings.no_proxy = client->no_proxy;
    options.settings.trust = &client->trust;
    options.settings.connect_timeout = client->config.connect_timeout;
    options.settings.is_plain = cly_base_url_is_plain(client->config.base_url);
    options.settings.http2 = client->config.http2;
    options.secret = client->config.api_key;
    options.max_in_flight = client->config.max_in_flight;
    options.max_connections = client->config.max_connections;
    client->pid = (long)getpid();
    return cly_engine_new(&client->engine, &options, error);
}

cly_engine *cly_client_engine(cly_client *client) {
    if (client->engine && client->pid != (long)getpid()) close_engine(client);
    return client->engine;
}

cly_kind cly_client_submit(cly_client *client, const cly_operation *operation, cly_ticket *ticket,
                           cly_error *error) {
    cly_submission submission;
    cly_kind kind = CLY_OK;
    if (cly_client_engine(client) == NULL) kind = open_engine(client, error);
    if (kind == CLY_OK)
        kind = cly_request_url(&client->url, client->config.base_url, client->config.business_id,
                               client->encoder.path.data, error);
    if (kind != CLY_OK) return kind;
    submission.operation = operation;
    submission.method = client->encoder.method;
    submission.url = client->url.data;
    submission.body = &client->encoder.body;
    submission.timeout = client->config.timeout;
    return cly_engine_submit(client->engine, ticket, &submission, cly_clock_now(), error);
}
