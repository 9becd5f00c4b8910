#include "core/connect/ca_paths.h"

#include <stdio.h>

static void copy(char out[CLY_CA_PATH_SIZE], const char *path) {
    snprintf(out, CLY_CA_PATH_SIZE, "%s", path ? path : "");
}

/* ---- directories ---- */

bool cly_ca_is_hash_name(const char *name) {
    return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' && name[9] >= '0' && name[9] <= '9' &&
           name[10] == '\0';
}

/* Copies the next of several directories, separated by ':' as in OpenSSL. */
static bool next_directory(const char **list, char out[CLY_CA_PATH_SIZE]) {
    size_t length;
    *list += strspn(*list, ":");
    length = strcspn(*list, ":");
    snprintf(out, CLY_CA_PATH_SIZE, "%.*s", (int)length, *list);
    *list += length;
    return length > 0;
}

static bool find_sample(char out[CLY_CA_PATH_SIZE], const char *directories, bool by_hash,
                        const cly_ca_files *files) {
    char directory[CLY_CA_PATH_SIZE];
    while (next_directory(&directories, directory))
        if (files->find_sample(out, directory, by_hash)) return true;
    return false;
}

bool cly_ca_paths_sample(cly_ca_pair *pair, bool by_hash, const cly_ca_files *files) {
    pair->is_sample = true;
    if (find_sample(pair->file, pair->directory, by_hash, files)) return true;
    copy(pair->file, pair->directory);
    return false;
}

/* ---- the environment and the system ---- */

static const char *unless_empty(const char *value) {
    return value && *value ? value : NULL;
}

cly_ca_variables cly_ca_variables_make(const char *curl_bundle, const char *openssl_file,
                                       const char *openssl_directory) {
    cly_ca_variables variables = {unless_empty(curl_bundle), "CURL_CA_BUNDLE", NULL, "SSL_CERT_DIR"};
    if (variables.file) return variables;
    variables.file = unless_empty(openssl_file);
    variables.file_name = "SSL_CERT_FILE";
    variables.directory = unless_empty(openssl_directory);
    return variables;
}

static bool reads_hashes(const char *backend) {
    return backend && (strncmp(backend, "OpenSSL", 7) == 0 || strncmp(backend, "LibreSSL", 8) == 0);
}

static void add(const char **list, const char *path) {
    if (path == NULL) return;
    while (*list) list++;
    *list = path;
}

cly_ca_system cly_ca_system_make(const char *directory, const char *bundle, const char *backend,
                                 unsigned version) {
    cly_ca_system system = {{NULL}, {NULL}, bundle, reads_hashes(backend), NULL};
    if (system.reads_hashes && directory && version >= 0x081100) system.no_directory = "/dev/null";
    add(system.directories, directory);
    add(system.directories, "/etc/ssl/certs");
    add(system.bundles, bundle);
    add(system.bundles, "/etc/ssl/certs/ca-certificates.crt");
    add(system.bundles, "/etc/pki/tls/certs/ca-bundle.crt");
    add(system.bundles, "/etc/ssl/ca-bundle.pem");
    add(system.bundles, "/etc/ssl/cert.pem");
    return system;
}

/* ---- finding ---- */

/* Where to look for certificates, and the functions that look. */
typedef struct places {
    const cly_ca_variables *variables;
    const cly_ca_system *system;
    const cly_ca_files *files;
} places;

static const char *system_bundle(const places *in) {
    for (const char *const *path = in->system->bundles; *path; path++)
        if (in->files->is_readable(*path)) return *path;
    return NULL;
}

static void take_options(cly_ca_pair *pair, const char *file, const char *directory, const places *in) {
    copy(pair->file, file);
    copy(pair->directory, directory ? directory : file ? in->system->no_directory : NULL);
    pair->is_alone = file || directory;
    if (file == NULL && directory) cly_ca_paths_sample(pair, in->system->reads_hashes, in->files);
}

static bool take_directory(cly_ca_pair *pair, const char *directory, const cly_ca_files *files) {
    copy(pair->directory, directory);
    if (cly_ca_paths_sample(pair, true, files)) return true;
    pair->file[0] = pair->directory[0] = '\0';
    pair->is_sample = false;
    return false;
}

static bool take_hashed_directory(cly_ca_pair *pair, const places *in) {
    if (!in->system->reads_hashes) return false;
    if (in->variables->directory) return take_directory(pair, in->variables->directory, in->files);
    for (const char *const *path = in->system->directories; *path; path++)
        if (take_directory(pair, *path, in->files)) return true;
    return false;
}

/* libcurl's built-in bundle is left to libcurl, which caches the parsed bundle. */
static void take_bundle(cly_ca_paths *paths, const char *bundle, const char *built_in) {
    if (paths->api.directory[0] || !bundle || !built_in || strcmp(bundle, built_in) != 0)
        copy(paths->api.file, bundle);
}

static void find_shared(cly_ca_paths *paths, const places *in) {
    const cly_ca_variables *variables = in->variables;
    const char *bundle = variables->file ? variables->file : system_bundle(in);
    paths->file_source = variables->file ? variables->file_name : "system";
    paths->directory_source = variables->directory ? variables->directory_name : "system";
    if (take_hashed_directory(&paths->api, in)) {
        copy(paths->bundle, bundle);
        return;
    }
    copy(paths->api.directory, variables->directory);
    take_bundle(paths, bundle, in->system->built_in_bundle);
}

void cly_ca_paths_find(cly_ca_paths *paths, const cly_config *config, const cly_ca_variables *variables,
                       const cly_ca_system *system, const cly_ca_files *files) {
    const places in = {variables, system, files};
    memset(paths, 0, sizeof *paths);
    paths->reads_hashes = system->reads_hashes;
    paths->file_source = "ca_file";
    paths->directory_source = "ca_path";
    take_options(&paths->api, config->ca_file, config->ca_path, &in);
    take_options(&paths->proxy, config->proxy_ca_file, config->proxy_ca_path, &in);
    if (!paths->api.is_alone) find_shared(paths, &in);
}

/* ---- checking ---- */

typedef struct checker {
    const cly_ca_files *files;
    cly_error *error;
} checker;

static bool is_readable(const checker *by, const char *path) {
    return strlen(path) < CLY_CA_PATH_SIZE && by->files->is_readable(path);
}

static bool are_readable(const checker *by, const char *directories) {
    char directory[CLY_CA_PATH_SIZE];
    if (strlen(directories) >= CLY_CA_PATH_SIZE) return false;
    while (next_directory(&directories, directory))
        if (!is_readable(by, directory)) return false;
    return true;
}

static cly_kind refuse(const checker *by, const char *name, const char *hint) {
    cly_error *error = by->error;
    cly_kind kind = cly_error_set(error, CLY_CONFIG, CLY_NOT_SENT, "%s: cannot be read", name);
    if (error == NULL) return kind;
    snprintf(error->param, sizeof error->param, "%s", name);
    error->hint = hint;
    return kind;
}

static cly_kind check_file(const checker *by, const char *name, const char *path, const char *hint) {
    return path == NULL || is_readable(by, path) ? CLY_OK : refuse(by, name, hint);
}

static cly_kind check_directories(const checker *by, const char *name, const char *path, const char *hint) {
    return path == NULL || are_readable(by, path) ? CLY_OK : refuse(by, name, hint);
}

static cly_kind check_variables(const checker *by, const cly_ca_variables *variables) {
    static const char hint[] = "correct or unset the environment variable, or give ca_file";
    cly_kind kind = check_file(by, variables->file_name, variables->file, hint);
    if (kind != CLY_OK) return kind;
    return check_directories(by, variables->directory_name, variables->directory, hint);
}

cly_kind cly_ca_paths_check(const cly_config *config, const cly_ca_variables *variables,
                            const cly_ca_files *files, cly_error *error) {
    const checker by = {files, error};
    cly_kind kind = check_file(&by, "ca_file", config->ca_file, NULL);
    if (kind == CLY_OK) kind = check_directories(&by, "ca_path", config->ca_path, NULL);
    if (kind == CLY_OK) kind = check_file(&by, "proxy_ca_file", config->proxy_ca_file, NULL);
    if (kind == CLY_OK) kind = check_directories(&by, "proxy_ca_path", config->proxy_ca_path, NULL);
    if (kind != CLY_OK || config->ca_file || config->ca_path) return kind;
    return check_variables(&by, variables);
}
