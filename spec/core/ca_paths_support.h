/*
 * ca_paths_support.h - usual places for certificates, and what is chosen of them.
 */
#ifndef CLY_SPEC_CORE_CA_PATHS_SUPPORT_H
#define CLY_SPEC_CORE_CA_PATHS_SUPPORT_H

#include "core/connect/ca_paths.h"
#include "spec/core/test.h"
#include <string.h>

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

/* Each option is refused by its name when it is `missing`, and not when it is `there`. */
static inline void check_options(cly_config *config, const cly_ca_variables *variables,
                                 const cly_ca_files *files, char *missing, char *there) {
    static const char *const params[] = {"ca_file", "ca_path", "proxy_ca_file", "proxy_ca_path"};
    char **const options[] = {&config->ca_file, &config->ca_path, &config->proxy_ca_file,
                              &config->proxy_ca_path};
    for (size_t i = 0; i < COUNT_OF(params); i++) {
        cly_error error;
        cly_error_clear(&error);
        *options[i] = missing;
        check_case(cly_ca_paths_check(config, variables, files, &error) == CLY_CONFIG, params[i]);
        check_case_text(error.param, params[i], params[i]);
        check_case(error.hint == NULL && error.outcome == CLY_NOT_SENT, params[i]);
        check_case(cly_ca_paths_check(config, variables, files, NULL) == CLY_CONFIG, params[i]);
        *options[i] = there;
        assert_int_equal(cly_ca_paths_check(config, variables, files, &error), CLY_OK);
        *options[i] = NULL;
    }
}

#endif
