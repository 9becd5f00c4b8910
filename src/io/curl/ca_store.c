#include "io/curl/ca_store.h"

#include "io/curl/ca_files.h"
#include "io/curl/connect_failure.h"
#include "io/curl/libcurl.h"

/* ---- setting up a handle ---- */

/* The options that exist both for the API and for a proxy. */
typedef struct options {
    CURLoption verify_peer, verify_host, version, file, directory;
} options;

static const options api_options = {CURLOPT_SSL_VERIFYPEER, CURLOPT_SSL_VERIFYHOST, CURLOPT_SSLVERSION,
                                    CURLOPT_CAINFO, CURLOPT_CAPATH};
static const options proxy_options = {CURLOPT_PROXY_SSL_VERIFYPEER, CURLOPT_PROXY_SSL_VERIFYHOST,
                                      CURLOPT_PROXY_SSLVERSION, CURLOPT_PROXY_CAINFO, CURLOPT_PROXY_CAPATH};

static bool set_path(CURL *easy, CURLoption option, const char *path, bool is_alone) {
    if (path[0] == '\0' && !is_alone) return true; /* keep libcurl's default */
    return curl_easy_setopt(easy, option, path[0] ? path : NULL) == CURLE_OK;
}

static bool apply(CURL *easy, const options *to, const cly_ca_pair *pair) {
    return curl_easy_setopt(easy, to->verify_peer, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, to->verify_host, 2L) == CURLE_OK &&
           curl_easy_setopt(easy, to->version, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           set_path(easy, to->file, pair->file, pair->is_alone) &&
           set_path(easy, to->directory, pair->directory, pair->is_alone);
}

bool cly_ca_store_apply(const cly_ca_store *store, CURL *easy) {
    return apply(easy, &api_options, &store->api) &&
           (!store->paths->has_tls_proxy || apply(easy, &proxy_options, &store->proxy));
}

/* ---- after a failure ---- */

/* Before about 8.21 libcurl loses the reason when the TLS handshake with the API fails inside the TLS of
 * an https:// proxy. The reason may be the certificate. */
static cly_ca_fault fault_of(const cly_ca_store *store, CURLcode code, bool is_proxys) {
    if (code == CURLE_SSL_CACERT_BADFILE) return CLY_CA_UNREADABLE;
    if (code == CURLE_PEER_FAILED_VERIFICATION) return CLY_CA_UNVERIFIED;
    if (code != CURLE_SSL_CONNECT_ERROR || !store->paths->has_tls_proxy) return CLY_CA_NO_FAULT;
    return is_proxys ? CLY_CA_NO_FAULT : CLY_CA_UNSAID;
}

static cly_ca_failure failure_of(const cly_ca_store *store, CURL *easy, CURLcode code) {
    bool is_proxys = cly_connect_failure_is_proxys(easy);
    cly_ca_failure failure = {fault_of(store, code, is_proxys), is_proxys, 0};
    curl_easy_getinfo(easy, is_proxys ? CURLINFO_PROXY_SSL_VERIFYRESULT : CURLINFO_SSL_VERIFYRESULT,
                      &failure.verify_result);
    return failure;
}

bool cly_ca_store_wants_again(cly_ca_store *store, unsigned generation, CURL *easy, CURLcode code) {
    cly_ca_failure failure = failure_of(store, easy, code);
    if (failure.fault == CLY_CA_NO_FAULT) return false;
    if (generation != store->generation) return true;
    return !cly_connect_failure_lacks_descriptors() &&
           cly_ca_store_change(store, &failure, &cly_ca_files_on_disk);
}

/* If no file is set, libcurl uses its built-in bundle. */
static bool has_certificates(const cly_ca_pair *pair) {
    const char *file = pair->file[0] ? pair->file : cly_libcurl_running().bundle;
    return file && cly_ca_file_has_certificates(file);
}

bool cly_ca_store_was_unread(const cly_ca_store *store, CURLcode code) {
    return code == CURLE_SSL_CACERT_BADFILE && has_certificates(&store->api) &&
           (!store->paths->has_tls_proxy || has_certificates(&store->proxy));
}
