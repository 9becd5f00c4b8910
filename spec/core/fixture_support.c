#define _POSIX_C_SOURCE 200809L
#include "spec/core/fixture_support.h"

#include "spec/core/test.h"
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_fixture(const char *name) {
    size_t length = strlen(name);
    return length > 5 && strcmp(name + length - 5, ".json") == 0;
}

static void visit_file(const char *path, const char *name, void (*visit)(const char *, const json_t *)) {
    json_error_t error;
    json_t *fixture = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (fixture == NULL) fail_msg("%s:%d: %s", path, error.line, error.text);
    visit(name, fixture);
    json_decref(fixture);
}

int fixture_each(const char *directory, void (*visit)(const char *name, const json_t *fixture)) {
    char path[512];
    struct dirent *entry;
    int count = 0;
    DIR *opened;
    snprintf(path, sizeof path, "spec/fixtures/%s", directory);
    opened = opendir(path);
    if (opened == NULL) fail_msg("%s: cannot be opened", path);
    while ((entry = readdir(opened)) != NULL) {
        if (!is_fixture(entry->d_name)) continue;
        snprintf(path, sizeof path, "spec/fixtures/%s/%s", directory, entry->d_name);
        visit_file(path, entry->d_name, visit);
        count++;
    }
    closedir(opened);
    if (count == 0) fail_msg("spec/fixtures/%s: empty", directory);
    return count;
}

const char *fixture_text(const json_t *fixture, const char *field) {
    return json_string_value(json_object_get(fixture, field));
}

static size_t from_hex(const char *hex, char *bytes, size_t room) {
    size_t count = strlen(hex) / 2;
    assert_true(count <= room);
    for (size_t i = 0; i < count; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        bytes[i] = (char)byte;
    }
    return count;
}

const char *fixture_body(const json_t *fixture, size_t *length) {
    static char bytes[4096];
    const json_t *body = json_object_get(fixture, "body");
    *length = json_string_length(body);
    if (body) return json_string_value(body);
    *length = from_hex(fixture_text(fixture, "body_hex"), bytes, sizeof bytes);
    return bytes;
}
