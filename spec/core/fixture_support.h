/*
 * fixture_support.h - the cases that are files: spec/fixtures/<directory>/<name>.json
 */
#ifndef CLY_SPEC_CORE_FIXTURE_SUPPORT_H
#define CLY_SPEC_CORE_FIXTURE_SUPPORT_H

#include <jansson.h>

/* Calls `visit` with each fixture and its file's name; returns how many. An
 * empty or missing directory fails the test: it would pass for nothing. */
int fixture_each(const char *directory, void (*visit)(const char *name, const json_t *fixture));

/* A string of the fixture, or NULL. */
const char *fixture_text(const json_t *fixture, const char *field);

/* Its `body`, or the bytes that its `body_hex` says; good until the next call. */
const char *fixture_body(const json_t *fixture, size_t *length);

#endif
