/*
 * ca_paths_support.h - usual places for certificates, and what is chosen of them.
 */
#ifndef CLY_SPEC_CORE_CA_PATHS_SUPPORT_H
#define CLY_SPEC_CORE_CA_PATHS_SUPPORT_H

#include "core/ca_paths.h"
#include "spec/core/test.h"

/* Of each kind one that is of no use, and one that is: with hashes, or there. */
static inline cly_ca_system usual_places(const char *plain, const char *hashed, const char *missing,
                                         const char *bundle) {
    const cly_ca_system usual = {{plain, hashed}, {missing, bundle}, .reads_hashes = true};
    return usual;
}

static inline void check_pair(const cly_ca_pair *pair, const char *file, const char *directory) {
    assert_string_equal(pair->file, file);
    assert_string_equal(pair->directory, directory);
}

/* The system's directory is used first, and its bundle waits. */
static inline void check_usual(const cly_ca_paths *paths, const char *sample, const char *hashed,
                               const char *bundle) {
    check_pair(&paths->api, sample, hashed);
    assert_true(paths->api.is_sample);
    assert_false(paths->api.is_alone);
    assert_string_equal(paths->bundle, bundle);
    assert_string_equal(paths->file_source, "system");
    assert_string_equal(paths->directory_source, "system");
    check_pair(&paths->proxy, "", "");
}

#endif
