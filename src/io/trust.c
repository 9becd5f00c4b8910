#define _POSIX_C_SOURCE 200809L
#include "io/trust.h"

#include <curl/curl.h>
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

/* "5ad8a5d6.0": what openssl rehash names a certificate. */
static bool is_hash_name(const char *name) {
    return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' && name[9] >= '0' && name[9] <= '9' &&
           name[10] == '\0';
}

static bool has_hashes(const char *path) {
    DIR *directory = opendir(path);
    struct dirent *entry;
    bool found = false;
    if (directory == NULL) return false;
    while (!found && (entry = readdir(directory)) != NULL) found = is_hash_name(entry->d_name);
    closedir(directory);
    return found;
}

static bool is_openssl(const curl_version_info_data *version) {
    const char *backend = version->ssl_version ? version->ssl_version : "";
    return strncmp(backend, "OpenSSL", 7) == 0 || strncmp(backend, "LibreSSL", 8) == 0;
}

static void take(char out[CLY_TRUST_PATH_SIZE], const char *path) {
    snprintf(out, CLY_TRUST_PATH_SIZE, "%s", path ? path : "");
}

/* The directory libcurl was built with, else the usual one. */
static void find_system_path(char out[CLY_TRUST_PATH_SIZE]) {
    const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);
    const char *paths[] = {version->capath, "/etc/ssl/certs"};
    out[0] = '\0';
    if (!is_openssl(version)) return;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (paths[i] == NULL || !has_hashes(paths[i])) continue;
        take(out, paths[i]);
        return;
    }
}

void cly_trust_find(cly_trust *trust, const cly_config *config) {
    memset(trust, 0, sizeof *trust);
    take(trust->ca_file, config->ca_file);
    take(trust->ca_path, config->ca_path);
    if (config->ca_file || config->ca_path) return;
    find_system_path(trust->ca_path);
    trust->is_default = trust->ca_path[0] == '\0';
}

static cly_kind check(const char *name, const char *path, cly_error *error) {
    if (path == NULL) return CLY_OK;
    if (strlen(path) < CLY_TRUST_PATH_SIZE && access(path, R_OK) == 0) return CLY_OK;
    snprintf(error->param, sizeof error->param, "%s", name);
    return cly_error_set(error, CLY_CONFIG, CLY_NOT_SENT, "%s: cannot be read", name);
}

cly_kind cly_trust_check(const cly_config *config, cly_error *error) {
    cly_kind kind = check("ca_file", config->ca_file, error);
    return kind == CLY_OK ? check("ca_path", config->ca_path, error) : kind;
}
