#define _POSIX_C_SOURCE 200809L
#include "io/ca_paths.h"

#include <curl/curl.h>
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

static void copy(char out[CLY_CA_PATH_SIZE], const char *path) {
    snprintf(out, CLY_CA_PATH_SIZE, "%s", path ? path : "");
}

/* ---- directories ---- */

/* Takes the next of several directories, separated by ':' as OpenSSL has it. */
static bool next_directory(const char **list, char out[CLY_CA_PATH_SIZE]) {
    size_t length;
    *list += strspn(*list, ":");
    length = strcspn(*list, ":");
    snprintf(out, CLY_CA_PATH_SIZE, "%.*s", (int)length, *list);
    *list += length;
    return length > 0;
}

/* "5ad8a5d6.0": what openssl rehash names a certificate. */
static bool is_hash_name(const char *name) {
    return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' && name[9] >= '0' && name[9] <= '9' &&
           name[10] == '\0';
}

static bool holds_certificate(const char *path) {
    char line[256];
    bool found = false;
    FILE *file = fopen(path, "r");
    if (file == NULL) return false;
    while (!found && fgets(line, sizeof line, file))
        found = strncmp(line, "-----BEGIN ", 11) == 0 && strstr(line, "CERTIFICATE-----");
    fclose(file);
    return found;
}

static bool find_certificate(char out[CLY_CA_PATH_SIZE], const char *path, bool by_hash) {
    DIR *directory = opendir(path);
    struct dirent *entry;
    bool found = false;
    if (directory == NULL) return false;
    while (!found && (entry = readdir(directory)) != NULL) {
        int length = snprintf(out, CLY_CA_PATH_SIZE, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.' || length >= CLY_CA_PATH_SIZE) continue;
        if (by_hash && !is_hash_name(entry->d_name)) continue;
        found = holds_certificate(out);
    }
    closedir(directory);
    return found;
}

static bool find_sample(char out[CLY_CA_PATH_SIZE], const char *directories, bool by_hash) {
    char directory[CLY_CA_PATH_SIZE];
    while (next_directory(&directories, directory))
        if (find_certificate(out, directory, by_hash)) return true;
    return false;
}

bool cly_ca_paths_sample(cly_ca_pair *pair, bool by_hash) {
    pair->is_sample = true;
    if (find_sample(pair->file, pair->directory, by_hash)) return true;
    copy(pair->file, pair->directory);
    return false;
}

/* ---- the system's ---- */

static bool reads_hashes(const curl_version_info_data *version) {
    const char *backend = version->ssl_version ? version->ssl_version : "";
    return strncmp(backend, "OpenSSL", 7) == 0 || strncmp(backend, "LibreSSL", 8) == 0;
}

static void add(const char **list, const char *path) {
    if (path == NULL) return;
    while (*list) list++;
    *list = path;
}

cly_ca_system cly_ca_system_default(void) {
    const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);
    cly_ca_system system = {{NULL}, {NULL}, false, NULL};
    system.reads_hashes = reads_hashes(version);
    if (system.reads_hashes && version->capath && version->version_num >= 0x081100)
        system.no_directory = "/dev/null";
    add(system.directories, version->capath);
    add(system.directories, "/etc/ssl/certs");
    add(system.bundles, version->cainfo);
    add(system.bundles, "/etc/ssl/certs/ca-certificates.crt");
    add(system.bundles, "/etc/pki/tls/certs/ca-bundle.crt");
    add(system.bundles, "/etc/ssl/ca-bundle.pem");
    add(system.bundles, "/etc/ssl/cert.pem");
    return system;
}

static const char *system_bundle(const cly_ca_system *system) {
    for (const char *const *path = system->bundles; *path; path++)
        if (access(*path, R_OK) == 0) return *path;
    return NULL;
}

/* ---- finding ---- */

static void take_options(cly_ca_pair *pair, const char *file, const char *directory,
                         const cly_ca_system *system) {
    copy(pair->file, file);
    copy(pair->directory, directory ? directory : file ? system->no_directory : NULL);
    pair->is_alone = file || directory;
    if (file == NULL && directory) cly_ca_paths_sample(pair, system->reads_hashes);
}

static bool take_directory(cly_ca_pair *pair, const char *directory) {
    copy(pair->directory, directory);
    if (cly_ca_paths_sample(pair, true)) return true;
    pair->file[0] = pair->directory[0] = '\0';
    pair->is_sample = false;
    return false;
}

static bool take_hashed_directory(cly_ca_pair *pair, const cly_ca_variables *variables,
                                  const cly_ca_system *system) {
    if (!system->reads_hashes) return false;
    if (variables->directory) return take_directory(pair, variables->directory);
    for (const char *const *path = system->directories; *path; path++)
        if (take_directory(pair, *path)) return true;
    return false;
}

/* The bundle that libcurl was built with is left to libcurl: it keeps it parsed. */
static void take_bundle(cly_ca_paths *paths, const char *bundle) {
    const char *built_in = curl_version_info(CURLVERSION_NOW)->cainfo;
    if (paths->api.directory[0] || !bundle || !built_in || strcmp(bundle, built_in) != 0)
        copy(paths->api.file, bundle);
}

static void find_shared(cly_ca_paths *paths, const cly_ca_variables *variables, const cly_ca_system *system) {
    const char *bundle = variables->file ? variables->file : system_bundle(system);
    paths->file_source = variables->file ? variables->file_name : "system";
    paths->directory_source = variables->directory ? variables->directory_name : "system";
    if (take_hashed_directory(&paths->api, variables, system)) {
        copy(paths->bundle, bundle);
        return;
    }
    copy(paths->api.directory, variables->directory);
    take_bundle(paths, bundle);
}

void cly_ca_paths_find(cly_ca_paths *paths, const cly_config *config, const cly_ca_variables *variables,
                       const cly_ca_system *system) {
    memset(paths, 0, sizeof *paths);
    paths->reads_hashes = system->reads_hashes;
    paths->file_source = "ca_file";
    paths->directory_source = "ca_path";
    take_options(&paths->api, config->ca_file, config->ca_path, system);
    take_options(&paths->proxy, config->proxy_ca_file, config->proxy_ca_path, system);
    if (!paths->api.is_alone) find_shared(paths, variables, system);
}

/* ---- checking ---- */

static bool is_readable(const char *path) {
    return strlen(path) < CLY_CA_PATH_SIZE && access(path, R_OK) == 0;
}

static bool are_readable(const char *directories) {
    char directory[CLY_CA_PATH_SIZE];
    if (strlen(directories) >= CLY_CA_PATH_SIZE) return false;
    while (next_directory(&directories, directory))
        if (!is_readable(directory)) return false;
    return true;
}

static cly_kind refuse(const char *name, const char *hint, cly_error *error) {
    cly_kind kind = cly_error_set(error, CLY_CONFIG, CLY_NOT_SENT, "%s: cannot be read", name);
    if (error == NULL) return kind;
    snprintf(error->param, sizeof error->param, "%s", name);
    error->hint = hint;
    return kind;
}

static cly_kind check_file(const char *name, const char *path, const char *hint, cly_error *error) {
    return path == NULL || is_readable(path) ? CLY_OK : refuse(name, hint, error);
}

static cly_kind check_directories(const char *name, const char *path, const char *hint, cly_error *error) {
    return path == NULL || are_readable(path) ? CLY_OK : refuse(name, hint, error);
}

static cly_kind check_variables(const cly_ca_variables *variables, cly_error *error) {
    static const char hint[] = "correct or unset the environment variable, or give ca_file";
    cly_kind kind = check_file(variables->file_name, variables->file, hint, error);
    if (kind != CLY_OK) return kind;
    return check_directories(variables->directory_name, variables->directory, hint, error);
}

cly_kind cly_ca_paths_check(const cly_config *config, const cly_ca_variables *variables, cly_error *error) {
    cly_kind kind = check_file("ca_file", config->ca_file, NULL, error);
    if (kind == CLY_OK) kind = check_directories("ca_path", config->ca_path, NULL, error);
    if (kind == CLY_OK) kind = check_file("proxy_ca_file", config->proxy_ca_file, NULL, error);
    if (kind == CLY_OK) kind = check_directories("proxy_ca_path", config->proxy_ca_path, NULL, error);
    if (kind != CLY_OK || config->ca_file || config->ca_path) return kind;
    return check_variables(variables, error);
}
