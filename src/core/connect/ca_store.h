/*
 * ca_store.h - the certificates that the handles of one engine trust at present.
 *
 * The store starts with the result of cly_ca_paths. When the certificate directory does not contain the
 * issuer of the server's certificate, the store adds the bundle for all handles from then on, and the
 * attempt is made again: a second handshake, before anything was sent. A handle whose generation
 * differs from the store's is configured again.
 */
#ifndef CLY_CORE_CONNECT_CA_STORE_H
#define CLY_CORE_CONNECT_CA_STORE_H

#include "core/connect/ca_paths.h"

CLY_PRIVATE_BEGIN

typedef struct cly_ca_store {
    const cly_ca_paths *paths; /* borrowed */
    cly_ca_pair api, proxy;    /* currently trusted */
    bool has_bundle;
    unsigned generation; /* incremented on each change */
} cly_ca_store;

/* How certificates may have caused a failed connection. */
typedef enum cly_ca_fault {
    CLY_CA_NO_FAULT,
    CLY_CA_UNREADABLE, /* a file or a directory of certificates could not be read */
    CLY_CA_UNVERIFIED, /* the peer's certificate could not be verified */
    CLY_CA_UNSAID      /* a handshake failed, and libcurl does not report the reason */
} cly_ca_fault;

typedef struct cly_ca_failure {
    cly_ca_fault fault;
    bool is_proxys;     /* the handshake with an https:// proxy failed */
    long verify_result; /* OpenSSL's X509_V_ERR_ code, with CLY_CA_UNVERIFIED */
} cly_ca_failure;

void cly_ca_store_init(cly_ca_store *store, const cly_ca_paths *paths);

/* Changes the store if that can fix the failure. Returns false if no change can. */
bool cly_ca_store_change(cly_ca_store *store, const cly_ca_failure *failure, const cly_ca_files *files);

CLY_PRIVATE_END

#endif
