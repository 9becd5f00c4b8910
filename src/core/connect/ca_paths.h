/*
 * ca_paths.h - finds the trusted certificates of a client, once when the client is created.
 *
 * 1. The options ca_file and ca_path. If either is given, nothing else is trusted.
 * 2. The environment variables of curl and OpenSSL: CURL_CA_BUNDLE or SSL_CERT_FILE replaces the
 *    system's bundle, SSL_CERT_DIR the system's directory.
 * 3. The system: a directory of certificates named by hash, and the bundle, a file that contains all
 *    of them.
 *
 * If there are both, the directory is used first and alone: OpenSSL parses a whole bundle in about 20
 * to 40 ms, most of the time from process start to the first message, but reads one file of the
 * directory in 1 ms. The bundle is added when the directory does not contain the issuer (ca_store.h).
 * Other TLS backends would read the whole directory, so with them, and if no directory has hashed
 * names, the bundle is used from the start.
 */
#ifndef CLY_CORE_CONNECT_CA_PATHS_H
#define CLY_CORE_CONNECT_CA_PATHS_H

#include "core/api/config.h"

CLY_PRIVATE_BEGIN

enum { CLY_CA_PATH_SIZE = 1024 };

/* A file of certificates and a directory of them, or several directories separated by ':'. "" keeps
 * libcurl's default unless `is_alone` is set. */
typedef struct cly_ca_pair {
    char file[CLY_CA_PATH_SIZE];
    char directory[CLY_CA_PATH_SIZE];
    bool is_alone;  /* nothing else is trusted */
    bool is_sample; /* the file is a sample of the directory: see cly_ca_paths_sample */
} cly_ca_pair;

typedef struct cly_ca_paths {
    cly_ca_pair api;
    cly_ca_pair proxy;             /* for an https:// proxy; if both are "", as for the API */
    char bundle[CLY_CA_PATH_SIZE]; /* to add when api.directory lacks an issuer; "" for none */
    bool has_tls_proxy, reads_hashes;
    const char *file_source, *directory_source; /* an option, a variable or "system"; static */
} cly_ca_paths;

/* Access to the file system, implemented by io/curl/ca_files. */
typedef struct cly_ca_files {
    bool (*is_readable)(const char *path); /* a file or a directory */
    /* Writes the path of a file in the directory that holds a certificate; with `by_hash`, of one that
     * is named by a hash. Returns false if there is none. */
    bool (*find_sample)(char out[CLY_CA_PATH_SIZE], const char *directory, bool by_hash);
} cly_ca_files;

/* The certificates that the environment names, and the variables' names, which are static. A path is
 * NULL if it is not set. */
typedef struct cly_ca_variables {
    const char *file, *file_name, *directory, *directory_name;
} cly_ca_variables;

/* Builds it from the values of CURL_CA_BUNDLE, SSL_CERT_FILE and SSL_CERT_DIR, borrowed; NULL or "" if
 * not set. If CURL_CA_BUNDLE is set, it hides OpenSSL's variables. */
cly_ca_variables cly_ca_variables_make(const char *curl_bundle, const char *openssl_file,
                                       const char *openssl_directory);

/* The usual places, each list terminated by NULL. */
typedef struct cly_ca_system {
    const char *directories[3], *bundles[6];
    const char *built_in_bundle; /* libcurl's built-in path, or NULL */
    bool reads_hashes;           /* the TLS backend looks certificates up by hash */
    const char *no_directory;    /* value that makes libcurl trust no directory: NULL or this path */
} cly_ca_system;

/* The places that libcurl was built with, borrowed, or NULL; then the usual ones of the distributions.
 * `backend` is libcurl's name for its TLS backend, `version` its version number. */
cly_ca_system cly_ca_system_make(const char *directory, const char *bundle, const char *backend,
                                 unsigned version);

/* Fails if an option or a variable names a file or directory that cannot be read. */
cly_kind cly_ca_paths_check(const cly_config *config, const cly_ca_variables *variables,
                            const cly_ca_files *files, cly_error *error) CLY_MUST_CHECK;

void cly_ca_paths_find(cly_ca_paths *paths, const cly_config *config, const cly_ca_variables *variables,
                       const cly_ca_system *system, const cly_ca_files *files);

/* If a pair has no file, uses one certificate of its directory as the file. That adds nothing to what
 * is trusted. Without a file, libcurl 8.17 and newer trust their built-in bundle in addition to any
 * directory. Returns false if the directory has none; then the directory itself becomes the file, and
 * every handshake fails. */
bool cly_ca_paths_sample(cly_ca_pair *pair, bool by_hash, const cly_ca_files *files);

/* True for names such as "5ad8a5d6.0", which openssl rehash gives to certificates. */
bool cly_ca_is_hash_name(const char *name);

CLY_PRIVATE_END

#endif
