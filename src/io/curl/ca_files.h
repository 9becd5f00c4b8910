/*
 * ca_files.h - finds certificates in files and directories.
 */
#ifndef CLY_IO_CURL_CA_FILES_H
#define CLY_IO_CURL_CA_FILES_H

#include "core/connect/ca_paths.h"

CLY_PRIVATE_BEGIN

extern const cly_ca_files cly_ca_files_on_disk;

/* Whether OpenSSL can read the file and finds a certificate in it. */
bool cly_ca_file_has_certificates(const char *path);

CLY_PRIVATE_END

#endif
