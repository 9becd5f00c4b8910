/*
 * test.h - cmocka, with the headers that it wants before itself.
 */
#ifndef CLY_SPEC_CORE_TEST_H
#define CLY_SPEC_CORE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Fails with the sentence of the case, so that a table's row can be found. */
#define check_case(condition, description)                          \
    do {                                                            \
        if (!(condition)) fail_msg("%s: " #condition, description); \
    } while (0)

#define check_case_text(actual, expected, description)                                                      \
    do {                                                                                                    \
        const char *is_ = (actual), *want_ = (expected);                                                    \
        if ((is_ == NULL) != (want_ == NULL) || (is_ && strcmp(is_, want_) != 0))                           \
            fail_msg("%s:\n  got  %s\n  want %s", description, is_ ? is_ : "NULL", want_ ? want_ : "NULL"); \
    } while (0)

#endif
