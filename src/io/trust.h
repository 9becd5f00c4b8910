/*
 * trust.h - whose certificates are believed.
 *
 * Parsing a whole bundle of roots costs OpenSSL about 44 ms, three quarters of
 * the time from process start to the first message. Most systems keep the same
 * roots beside it in a directory named by hash, from which OpenSSL reads only
 * the one it needs. So the directory is taken where it has hashes and the TLS
 * backend is OpenSSL; elsewhere libcurl's own default stands. (GnuTLS would
 * read the whole directory, which is slower than the bundle.)
 */
#ifndef CLY_IO_TRUST_H
#define CLY_IO_TRUST_H

#include "core/config.h"

CLY_PRIVATE_BEGIN

enum { CLY_TRUST_PATH_SIZE = 1024 };

typedef struct cly_trust {
    bool is_default;                   /* leave libcurl's own settings alone */
    char ca_file[CLY_TRUST_PATH_SIZE]; /* "" for none */
    char ca_path[CLY_TRUST_PATH_SIZE];
} cly_trust;

/* The options' own files, else the system's. */
void cly_trust_find(cly_trust *trust, const cly_config *config);

/* Refuses a ca_file or ca_path that cannot be read. */
cly_kind cly_trust_check(const cly_config *config, cly_error *error) CLY_MUST_CHECK;

CLY_PRIVATE_END

#endif
