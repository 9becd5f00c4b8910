#include "core/api/config.h"

#include "core/base/redact.h"
#include "core/base/text.h"
#include "core/encode/field_encoders.h"
#include <stdlib.h>

#define DEFAULT_BASE_URL "https://api.connectly.ai"

enum { TEXT_MAX = 4096 };

/* The options as a shape, so that unknown options are reported like unknown fields. */
static const cly_field option_fields[] = {
#define OPTION(name) {#name, #name, sizeof #name - 1, sizeof #name - 1, CLY_FIELD_TEXT, 0, 0, 0, NULL},
#define CLY_OPTION_TEXT(name) OPTION(name)
#define CLY_OPTION_NUMBER(name, value, low, high) OPTION(name)
#define CLY_OPTION_COUNT(name, value, low, high) OPTION(name)
#define CLY_OPTION_FLAG(name, value) OPTION(name)
#define CLY_OPTION_HOST(name) OPTION(name)
#include "core/api/options.def"
};

enum {
#define CLY_OPTION_TEXT(name) AT_##name,
#define CLY_OPTION_NUMBER(name, value, low, high) AT_##name,
#define CLY_OPTION_COUNT(name, value, low, high) AT_##name,
#define CLY_OPTION_FLAG(name, value) AT_##name,
#define CLY_OPTION_HOST(name) AT_##name,
#include "core/api/options.def"
    OPTION_COUNT
};

_Static_assert((int)OPTION_COUNT <= (int)CLY_SLOT_MAX, "raise CLY_SLOT_MAX");

static const cly_shape options = {"options", option_fields, OPTION_COUNT};

void cly_config_init(cly_config *config) {
    memset(config, 0, sizeof *config);
#define CLY_OPTION_TEXT(name)
#define CLY_OPTION_NUMBER(name, value, low, high) config->name = value;
#define CLY_OPTION_COUNT(name, value, low, high) config->name = value;
#define CLY_OPTION_FLAG(name, value) config->name = value;
#define CLY_OPTION_HOST(name)
#include "core/api/options.def"
}

void cly_config_clear(cly_config *config) {
    cly_wipe_text(config->api_key);
    cly_wipe_text(config->proxy); /* may hold a password */
#define CLY_OPTION_TEXT(name) free(config->name);
#define CLY_OPTION_NUMBER(name, value, low, high)
#define CLY_OPTION_COUNT(name, value, low, high)
#define CLY_OPTION_FLAG(name, value)
#define CLY_OPTION_HOST(name)
#include "core/api/options.def"
    memset(config, 0, sizeof *config);
}

/* ---- base_url ---- */

/* Returns the length of a decimal number from 0 to 255 without leading zeros, else 0. */
static size_t octet_length(const char *text, size_t length) {
    size_t count = 0;
    int number = 0;
    for (; count < length && count < 4 && text[count] >= '0' && text[count] <= '9'; count++)
        number = number * 10 + (text[count] - '0');
    if (count > 3 || number > 255 || (count > 1 && text[0] == '0')) return 0;
    return count;
}

/* 127.0.0.0/8 in full dotted form only. Any other text is a host name, and whatever it resolves to
 * would receive the key. */
static bool is_loopback_address(const char *host, size_t length) {
    size_t at = 0;
    if (!cly_starts_with(host, length, "127.")) return false;
    for (int part = 0; part < 4; part++) {
        size_t count;
        if (part > 0 && (at == length || host[at++] != '.')) return false;
        count = octet_length(host + at, length - at);
        if (count == 0) return false;
        at += count;
    }
    return at == length;
}

bool cly_is_loopback(const char *host, size_t length) {
    if (length == 9 && cly_starts_with(host, length, "localhost")) return true;
    if (length == 5 && memcmp(host, "[::1]", 5) == 0) return true;
    return is_loopback_address(host, length);
}

static bool is_host_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

static size_t host_length(const char *at) {
    size_t length = 0;
    if (*at == '[') {
        length = strspn(at + 1, "0123456789abcdefABCDEF:.");
        return length > 1 && at[length + 1] == ']' ? length + 2 : 0;
    }
    while (is_host_byte(at[length])) length++;
    return length;
}

static size_t port_length(const char *at) {
    size_t length = *at == ':' ? strspn(at + 1, "0123456789") : 0;
    if (length == 0 || length > 5 || atol(at + 1) < 1 || atol(at + 1) > 65535) return 0;
    return length + 1;
}

static bool is_plain_path(const char *at) {
    for (; *at; at++)
        if (!is_host_byte(*at) && *at != '/' && *at != '~') return false;
    return true;
}

bool cly_base_url_is_plain(const char *url) {
    return cly_starts_with(url, strlen(url), "http://");
}

const char *cly_base_url_fault(const char *url) {
    bool is_plain = cly_base_url_is_plain(url);
    const char *host = url + (is_plain ? 7 : 8), *at;
    size_t length;
    if (!is_plain && !cly_starts_with(url, strlen(url), "https://")) return "URL with https:// expected";
    if (strchr(host, '@')) return "no user and no password expected";
    length = host_length(host);
    if (length == 0) return "host name expected behind the scheme";
    if (is_plain && !cly_is_loopback(host, length))
        return "https:// expected: http:// is for loopback only, the key must not travel in the clear";
    at = host + length;
    if (*at == ':') {
        if (port_length(at) == 0) return "port from 1 to 65535 expected";
        at += port_length(at);
    }
    if (*at != '\0' && *at != '/') return "only a host, a port and a path expected";
    if (!is_plain_path(at) || strstr(at, "..")) return "plain path expected: no query, no dots, no escapes";
    return NULL;
}

/* ---- reading ---- */

typedef struct reader {
    cly_reader reader;
    cly_slots slots;
    cly_config *config;
    bool lacks_memory; /* not the fault of an option */
} reader;

static bool copy(char **out, const char *text, size_t length) {
    char *bytes = malloc(length + 1);
    if (bytes == NULL) return false;
    memcpy(bytes, text, length);
    bytes[length] = '\0';
    free(*out);
    *out = bytes;
    return true;
}

static void read_text(reader *read, size_t at, char **out) {
    cly_path path = cly_path_name(NULL, option_fields[at].name);
    const char *text;
    size_t length;
    if (!read->slots.given[at]) return;
    if (cly_reader_type(&read->reader, read->slots.values[at]) != CLY_TYPE_TEXT) {
        cly_reader_expected(&read->reader, &path, "string", read->slots.values[at]);
        return;
    }
    text = cly_value_text(read->slots.values[at], &length);
    if (length > TEXT_MAX)
        cly_problem_add(read->reader.problems, &path, "longer than %d bytes", TEXT_MAX);
    else if (cly_has_control(text, length))
        cly_problem_add(read->reader.problems, &path, "holds a control byte (a line break at its end?)");
    else if (!copy(out, text, length))
        read->lacks_memory = true;
}

static void read_number(reader *read, size_t at, double *out, double low, double high) {
    const cly_source *source = read->reader.source;
    cly_path path = cly_path_name(NULL, option_fields[at].name);
    double number;
    if (!read->slots.given[at]) return;
    if (cly_reader_type(&read->reader, read->slots.values[at]) != CLY_TYPE_NUMBER) {
        cly_reader_expected(&read->reader, &path, "number", read->slots.values[at]);
        return;
    }
    number = source->number(source->host, read->slots.values[at]).real;
    if (number >= low && number <= high)
        *out = number;
    else
        cly_problem_add(read->reader.problems, &path, "number from %g to %g expected", low, high);
}

static void read_count(reader *read, size_t at, int *out, int low, int high) {
    double number = *out;
    cly_path path = cly_path_name(NULL, option_fields[at].name);
    read_number(read, at, &number, low, high);
    if (number == (int)number)
        *out = (int)number;
    else
        cly_problem_add(read->reader.problems, &path, "whole number expected");
}

static void read_flag(reader *read, size_t at, bool *out) {
    const cly_source *source = read->reader.source;
    cly_path path = cly_path_name(NULL, option_fields[at].name);
    if (!read->slots.given[at]) return;
    if (cly_reader_type(&read->reader, read->slots.values[at]) == CLY_TYPE_BOOLEAN)
        *out = source->boolean(source->host, read->slots.values[at]);
    else
        cly_reader_expected(&read->reader, &path, "boolean", read->slots.values[at]);
}

static void read_options(reader *read) {
    cly_config *config = read->config;
#define CLY_OPTION_TEXT(name) read_text(read, AT_##name, &config->name);
#define CLY_OPTION_NUMBER(name, value, low, high) read_number(read, AT_##name, &config->name, low, high);
#define CLY_OPTION_COUNT(name, value, low, high) read_count(read, AT_##name, &config->name, low, high);
#define CLY_OPTION_FLAG(name, value) read_flag(read, AT_##name, &config->name);
#define CLY_OPTION_HOST(name)
#include "core/api/options.def"
}

static void take_default(reader *read, size_t at, char **out, const char *text) {
    cly_path path = cly_path_name(NULL, option_fields[at].name);
    if (read->slots.given[at] || text == NULL || *text == '\0') return;
    read->slots.given[at] = true;
    if (cly_has_control(text, strlen(text)))
        cly_problem_add(read->reader.problems, &path,
                        "the environment variable holds a control byte (a line break at its end?)");
    else if (!copy(out, text, strlen(text)))
        read->lacks_memory = true;
}

/* ---- checks ---- */

static void fault(cly_problems *problems, const char *name, const char *what) {
    cly_path path = cly_path_name(NULL, name);
    cly_problem_add(problems, &path, "%s", what);
}

static bool has_blank_ends(const char *text) {
    return *text == ' ' || (*text && text[strlen(text) - 1] == ' ');
}

/* `given` distinguishes "not given" from "given but already refused". */
static void check_api_key(cly_problems *problems, const char *key, bool given) {
    if (key == NULL && !given)
        fault(problems, "api_key", "missing: give it here or in CONNECTLY_API_KEY");
    else if (key && *key == '\0')
        fault(problems, "api_key", "must not be empty");
    else if (key && has_blank_ends(key))
        fault(problems, "api_key", "must not begin or end with a blank");
}

static void check_business_id(cly_problems *problems, const char *id, bool given) {
    if (id == NULL && !given)
        fault(problems, "business_id", "missing: give it here or in CONNECTLY_BUSINESS_ID");
    else if (id && *id == '\0')
        fault(problems, "business_id", "must not be empty");
    else if (id && (strcmp(id, ".") == 0 || strcmp(id, "..") == 0))
        fault(problems, "business_id", "cannot be a segment of a path");
}

static void check_given(cly_problems *problems, const char *name, const char *text) {
    if (text && *text == '\0') fault(problems, name, "must not be empty");
}

static void check(const reader *read) {
    const cly_config *config = read->config;
    cly_problems *problems = read->reader.problems;
    check_api_key(problems, config->api_key, read->slots.given[AT_api_key]);
    check_business_id(problems, config->business_id, read->slots.given[AT_business_id]);
    if (config->base_url && cly_base_url_fault(config->base_url))
        fault(problems, "base_url", cly_base_url_fault(config->base_url));
    if (config->proxy && *config->proxy && config->base_url && cly_base_url_is_plain(config->base_url))
        fault(problems, "proxy", "not with an http:// base_url: the key would reach it in the clear");
    if (config->sender && !cly_is_e164(config->sender, strlen(config->sender)))
        fault(problems, "sender", "a number in E.164 expected, such as +14155550100");
    check_given(problems, "ca_file", config->ca_file);
    check_given(problems, "ca_path", config->ca_path);
    check_given(problems, "proxy_ca_file", config->proxy_ca_file);
    check_given(problems, "proxy_ca_path", config->proxy_ca_path);
}

static void strip_slashes(char *url) {
    size_t length = url ? strlen(url) : 0;
    while (length > 0 && url[length - 1] == '/') url[--length] = '\0';
}

cly_kind cly_config_read(cly_config *config, const cly_config_defaults *defaults, const cly_source *source,
                         cly_value value, cly_problems *problems, cly_error *error) {
    reader read = {.reader = {.source = source, .problems = problems}, .config = config};
    int mark = source->mark(source->host);
    cly_problems_reset(problems);
    if (value.type != CLY_TYPE_TABLE)
        return cly_error_set(error, CLY_CONFIG, CLY_NOT_SENT, "table of options expected, got %s",
                             source->type_name(source->host, value));
    cly_collect(&read.reader, &options, value, NULL, &read.slots);
    read_options(&read);
    source->release(source->host, mark);
    take_default(&read, AT_api_key, &config->api_key, defaults->api_key);
    take_default(&read, AT_business_id, &config->business_id, defaults->business_id);
    take_default(&read, AT_base_url, &config->base_url, defaults->base_url);
    if (config->base_url == NULL && !copy(&config->base_url, DEFAULT_BASE_URL, strlen(DEFAULT_BASE_URL)))
        read.lacks_memory = true;
    if (read.lacks_memory) return cly_error_no_memory(error);
    check(&read);
    strip_slashes(config->base_url);
    return cly_problems_check(problems, CLY_CONFIG, error);
}
