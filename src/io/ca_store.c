#define _POSIX_C_SOURCE 200809L
#include "io/ca_store.h"

#include "io/connect_failure.h"
#include <unistd.h>

void cly_ca_store_init(cly_ca_store *store, const cly_ca_paths *paths) {
    store->paths = paths;
    store->api = paths->api;
    store->proxy = paths->proxy.is_alone ? paths->proxy : paths->api;
    store->has_bundle = false;
    store->generation = 0;
}

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

/* The faults that more certificates can mend, by OpenSSL's numbers (X509_V_ERR_): an issuer
 * that is not there (2, 20, 21), that the server sent itself (18, 19), or of which
 * the directory has an earlier certificate (7, 10). */
static bool is_lack_of_issuer(CURL *easy, bool is_proxys) {
    long result = 0;
    curl_easy_getinfo(easy, is_proxys ? CURLINFO_PROXY_SSL_VERIFYRESULT : CURLINFO_SSL_VERIFYRESULT, &result);
    return result == 2 || result == 7 || result == 10 || (result >= 18 && result <= 21);
}

/* The file that stands for the directory is gone, or there was none. */
static bool take_another_sample(cly_ca_pair *pair, bool by_hash) {
    bool is_one = strcmp(pair->file, pair->directory) != 0 && access(pair->file, R_OK) == 0;
    if (!pair->is_sample || is_one) return false;
    return cly_ca_paths_sample(pair, by_hash);
}

static bool renew_samples(cly_ca_store *store) {
    bool is_renewed = take_another_sample(&store->api, store->paths->reads_hashes);
    return take_another_sample(&store->proxy, store->paths->reads_hashes) || is_renewed;
}

static void use_bundle(cly_ca_pair *pair, const char *bundle) {
    memcpy(pair->file, bundle, strlen(bundle) + 1);
    pair->is_sample = false;
}

static bool add_bundle(cly_ca_store *store) {
    const char *bundle = store->paths->bundle;
    if (store->has_bundle || bundle[0] == '\0' || access(bundle, R_OK) != 0) return false;
    store->has_bundle = true;
    use_bundle(&store->api, bundle);
    if (!store->paths->proxy.is_alone) use_bundle(&store->proxy, bundle);
    return true;
}

/* Before 8.21 or so libcurl loses the reason when the handshake with the API fails
 * inside that with an https:// proxy. It can be the certificate. */
static bool has_lost_reason(const cly_ca_store *store, CURL *easy, CURLcode code) {
    return code == CURLE_SSL_CONNECT_ERROR && store->paths->has_tls_proxy &&
           !cly_connect_failure_is_proxys(easy);
}

static bool change(cly_ca_store *store, CURL *easy, CURLcode code) {
    bool is_proxys = cly_connect_failure_is_proxys(easy);
    if (code == CURLE_SSL_CACERT_BADFILE) return renew_samples(store) || add_bundle(store);
    if (is_proxys && store->paths->proxy.is_alone) return false;
    if (code == CURLE_PEER_FAILED_VERIFICATION && !is_lack_of_issuer(easy, is_proxys)) return false;
    return add_bundle(store);
}

bool cly_ca_store_wants_again(cly_ca_store *store, unsigned generation, CURL *easy, CURLcode code) {
    if (code != CURLE_PEER_FAILED_VERIFICATION && code != CURLE_SSL_CACERT_BADFILE &&
        !has_lost_reason(store, easy, code))
        return false;
    if (generation != store->generation) return true;
    if (cly_connect_failure_lacks_descriptors()) return false;
    if (!change(store, easy, code)) return false;
    store->generation++;
    return true;
}
