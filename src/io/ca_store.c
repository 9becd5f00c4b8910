#include "io/ca_store.h"

#include "io/ca_files.h"
#include "io/connect_failure.h"

/* ---- setting a handle up ---- */

static bool set_pair(CURL *easy, const cly_ca_pair *pair, CURLoption file, CURLoption directory) {
    const char *file_name = pair->file[0] ? pair->file : NULL;
    const char *directory_name = pair->directory[0] ? pair->directory : NULL;
    if ((pair->file[0] || pair->is_alone) && curl_easy_setopt(easy, file, file_name) != CURLE_OK)
        return false;
    if (pair->directory[0] == '\0' && !pair->is_alone) return true;
    return curl_easy_setopt(easy, directory, directory_name) == CURLE_OK;
}

static bool apply_api(const cly_ca_store *store, CURL *easy) {
    return curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           set_pair(easy, &store->api, CURLOPT_CAINFO, CURLOPT_CAPATH);
}

static bool apply_proxy(const cly_ca_store *store, CURL *easy) {
    return curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           set_pair(easy, &store->proxy, CURLOPT_PROXY_CAINFO, CURLOPT_PROXY_CAPATH);
}

bool cly_ca_store_apply(const cly_ca_store *store, CURL *easy) {
    return apply_api(store, easy) && (!store->paths->has_tls_proxy || apply_proxy(store, easy));
}

/* ---- after a failure ---- */

/* Before 8.21 or so libcurl loses the reason when the handshake with the API fails
 * inside that with an https:// proxy. It can be the certificate. */
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
