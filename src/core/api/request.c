#include "core/api/request.h"

#include "core/base/redact.h"
#include "core/base/text.h"

cly_kind cly_request_url(cly_buffer *url, const char *base_url, const char *business_id, const char *path,
                         cly_error *error) {
    cly_buffer_reset(url);
    cly_buffer_text(url, base_url);
    cly_buffer_text(url, "/v1/businesses/");
    cly_percent_encode(url, business_id, strlen(business_id));
    cly_buffer_text(url, path);
    cly_buffer_terminate(url);
    return cly_buffer_check(url, "URL", error);
}

size_t cly_request_origin(const char *url) {
    const char *authority = strstr(url, "://");
    authority = authority ? authority + 3 : url;
    return (size_t)(authority - url) + strcspn(authority, "/");
}

cly_kind cly_request_header(cly_buffer *line, const char *name, const char *value, cly_error *error) {
    if (cly_has_control(value, strlen(value)))
        return cly_error_set(error, CLY_ARGUMENT, CLY_NOT_SENT, "header %s: holds a control byte", name);
    cly_buffer_reset(line);
    cly_buffer_text(line, name);
    cly_buffer_text(line, ": ");
    cly_buffer_text(line, value);
    cly_buffer_terminate(line);
    return cly_buffer_check(line, "header", error);
}

/* `value` may be the API key. */
static cly_kind add_header(cly_request_add *add, void *list, const char *name, const char *value,
                           cly_error *error) {
    cly_buffer line;
    cly_kind kind;
    cly_buffer_init(&line, CLY_HEADER_MAX);
    /* Reserve enough at once: a realloc would leave a copy of the key behind. */
    cly_buffer_reserve(&line, strlen(name) + strlen(value) + sizeof ": ");
    kind = cly_request_header(&line, name, value, error);
    if (kind == CLY_OK && !add(list, line.data)) kind = cly_error_no_memory(error);
    if (line.data) cly_wipe(line.data, line.capacity);
    cly_buffer_clear(&line);
    return kind;
}

cly_kind cly_request_headers(cly_request_add *add, void *list, const char *api_key, const char *user_agent,
                             bool has_body, cly_error *error) {
    cly_kind kind = add_header(add, list, "X-API-Key", api_key, error);
    if (kind == CLY_OK) kind = add_header(add, list, "User-Agent", user_agent, error);
    if (kind == CLY_OK) kind = add_header(add, list, "Accept", "application/json", error);
    if (kind != CLY_OK || !has_body) return kind;
    return add_header(add, list, "Content-Type", "application/json", error);
}
