#include "core/request.h"

#include "core/text.h"

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
