/*
 * ca_store.h - the certificates that one engine's handles trust at present.
 *
 * It begins with those of cly_ca_paths. When the certificate directory does not
 * hold the issuer of the server's certificate, the bundle is added for all handles
 * from then on, and the attempt is made again: a second handshake, before anything
 * was sent. Handles that were set up before are set up again when their generation
 * is not the store's.
 */
#ifndef CLY_CORE_CONNECT_CA_STORE_H
#define CLY_CORE_CONNECT_CA_STORE_H

#include "core/connect/ca_paths.h"

CLY_PRIVATE_BEGIN

typedef struct cly_ca_store {
    const cly_ca_paths *paths; /* borrowed */
    cly_ca_pair api, proxy;    /* at present */
    bool has_bundle;
    unsigned generation; /* counts the changes */
} cly_ca_store;

/* The part that certificates may have had in a connection that was not made. */
typedef enum cly_ca_fault {
    CLY_CA_NO_FAULT,
    CLY_CA_UNREADABLE, /* a file or a directory of certificates could not be read */
    CLY_CA_UNVERIFIED, /* the peer's certificate was not verified with them */
    CLY_CA_UNSAID      /* a handshake failed, and libcurl has lost the reason */
} cly_ca_fault;

typedef struct cly_ca_failure {
    cly_ca_fault fault;
    bool is_proxys;     /* it was the handshake with an https:// proxy */
    long verify_result; /* OpenSSL's X509_V_ERR_ of CLY_CA_UNVERIFIED */
} cly_ca_failure;

void cly_ca_store_init(cly_ca_store *store, const cly_ca_paths *paths);

/* Changes the store in a way that can help against the failure. False: nothing can. */
bool cly_ca_store_change(cly_ca_store *store, const cly_ca_failure *failure, const cly_ca_files *files);

CLY_PRIVATE_END

#endif
