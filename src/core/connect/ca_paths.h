/*
 * ca_paths.h - where the trusted certificates of a client are, chosen once when the
 * client is made.
 *
 * 1. The options: ca_file and ca_path, and nothing beside them.
 * 2. The environment, as curl and OpenSSL read it: CURL_CA_BUNDLE or SSL_CERT_FILE
 *    takes the place of the system's bundle, SSL_CERT_DIR that of its directory.
 * 3. The system: a directory of certificates by hash, and the bundle, a file that
 *    holds all of them.
 *
 * With both a directory and a bundle, the directory is used first and alone:
 * OpenSSL parses a whole bundle in about 20 to 40 ms, most of the time from process
 * start to the first message, and reads one file of the directory in 1 ms. The
 * bundle is added when the directory does not hold the issuer (core/ca_store).
 * Other TLS backends would read the whole directory, so with them, and where no
 * directory has hashes, the bundle is used from the start.
 */
#ifndef CLY_CORE_CONNECT_CA_PATHS_H
#define CLY_CORE_CONNECT_CA_PATHS_H

#include "core/api/config.h"

CLY_PRIVATE_BEGIN

enum { CLY_CA_PATH_SIZE = 1024 };

/* A file of certificates and a directory of them, or several directories with ':'
 * between them. "" leaves libcurl's own, unless the pair is alone. */
typedef struct cly_ca_pair {
    char file[CLY_CA_PATH_SIZE];
    char directory[CLY_CA_PATH_SIZE];
    bool is_alone;  /* nothing else is trusted */
    bool is_sample; /* the file stands for the directory: see cly_ca_paths_sample */
} cly_ca_pair;

typedef struct cly_ca_paths {
    cly_ca_pair api;
    cly_ca_pair proxy;             /* of an https:// proxy; both "": as for the API */
    char bundle[CLY_CA_PATH_SIZE]; /* to add when api.directory lacks an issuer; "" for none */
    bool has_tls_proxy, reads_hashes;
    const char *file_source, *directory_source; /* an option, a variable or "system"; static */
} cly_ca_paths;

/* Questions to the file system; io/ca_files answers them. */
typedef struct cly_ca_files {
    bool (*is_readable)(const char *path); /* a file or a directory */
    /* Writes the path of a file in the directory that holds a certificate; `by_hash`: of one
     * that is named by a hash. False when there is none. */
    bool (*find_sample)(char out[CLY_CA_PATH_SIZE], const char *directory, bool by_hash);
} cly_ca_files;

/* The certificates that the environment names, and the variables that name them; NULL
 * for none. The names are static. */
typedef struct cly_ca_variables {
    const char *file, *file_name, *directory, *directory_name;
} cly_ca_variables;

/* From the values of CURL_CA_BUNDLE, SSL_CERT_FILE and SSL_CERT_DIR, borrowed; NULL or ""
 * when not set. curl's own variable, when it is set, hides those of OpenSSL. */
cly_ca_variables cly_ca_variables_make(const char *curl_bundle, const char *openssl_file,
                                       const char *openssl_directory);

/* The usual places, each list ended by NULL. */
typedef struct cly_ca_system {
    const char *directories[3], *bundles[6];
    const char *built_in_bundle; /* of libcurl, or NULL */
    bool reads_hashes;           /* the TLS backend looks certificates up by hash */
    const char *no_directory;    /* tells libcurl to trust no directory; NULL does, or this path */
} cly_ca_system;

/* Those that libcurl was built with, borrowed, or NULL; then the usual ones of the
 * distributions. `backend` is libcurl's name for its TLS, `version` its own number. */
cly_ca_system cly_ca_system_make(const char *directory, const char *bundle, const char *backend,
                                 unsigned version);

/* Refuses an option or a variable that names what cannot be read. */
cly_kind cly_ca_paths_check(const cly_config *config, const cly_ca_variables *variables,
                            const cly_ca_files *files, cly_error *error) CLY_MUST_CHECK;

void cly_ca_paths_find(cly_ca_paths *paths, const cly_config *config, const cly_ca_variables *variables,
                       const cly_ca_system *system, const cly_ca_files *files);

/* Makes one certificate out of the directory the file of a pair that has no other
 * file. It adds nothing to what is trusted. Without a file, libcurl 8.17 and newer
 * trust their built-in bundle beside any directory. False: the directory has none,
 * and the directory itself becomes the file, with which no handshake succeeds. */
bool cly_ca_paths_sample(cly_ca_pair *pair, bool by_hash, const cly_ca_files *files);

/* "5ad8a5d6.0": what openssl rehash names a certificate. */
bool cly_ca_is_hash_name(const char *name);

CLY_PRIVATE_END

#endif
