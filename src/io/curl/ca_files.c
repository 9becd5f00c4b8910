#define _POSIX_C_SOURCE 200809L
#include "io/curl/ca_files.h"

#include <dirent.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <unistd.h>

static bool is_readable(const char *path) {
    return access(path, R_OK) == 0;
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

static bool find_sample(char out[CLY_CA_PATH_SIZE], const char *path, bool by_hash) {
    DIR *directory = opendir(path);
    struct dirent *entry;
    bool found = false;
    if (directory == NULL) return false;
    while (!found && (entry = readdir(directory)) != NULL) {
        int length = snprintf(out, CLY_CA_PATH_SIZE, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.' || length >= CLY_CA_PATH_SIZE) continue;
        if (by_hash && !cly_ca_is_hash_name(entry->d_name)) continue;
        found = holds_certificate(out);
    }
    closedir(directory);
    return found;
}

bool cly_ca_file_has_certificates(const char *path) {
    FILE *file = fopen(path, "r");
    STACK_OF(X509_INFO) *found = file ? PEM_X509_INFO_read(file, NULL, NULL, NULL) : NULL;
    int certificates = 0;
    for (int i = 0; found && i < sk_X509_INFO_num(found); i++)
        certificates += sk_X509_INFO_value(found, i)->x509 != NULL;
    sk_X509_INFO_pop_free(found, X509_INFO_free);
    ERR_clear_error(); /* the program shares OpenSSL's error queue */
    if (file) fclose(file);
    return certificates > 0;
}

const cly_ca_files cly_ca_files_on_disk = {is_readable, find_sample};
