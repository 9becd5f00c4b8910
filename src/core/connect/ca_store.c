#include "core/connect/ca_store.h"

void cly_ca_store_init(cly_ca_store *store, const cly_ca_paths *paths) {
    store->paths = paths;
    store->api = paths->api;
    store->proxy = paths->proxy.is_alone ? paths->proxy : paths->api;
    store->has_bundle = false;
    store->generation = 0;
}

/* The sample file of the directory is gone, or there was none. */
static bool take_another_sample(cly_ca_pair *pair, bool by_hash, const cly_ca_files *files) {
    bool is_one = strcmp(pair->file, pair->directory) != 0 && files->is_readable(pair->file);
    if (!pair->is_sample || is_one) return false;
    return cly_ca_paths_sample(pair, by_hash, files);
}

static bool renew_samples(cly_ca_store *store, const cly_ca_files *files) {
    bool is_renewed = take_another_sample(&store->api, store->paths->reads_hashes, files);
    return take_another_sample(&store->proxy, store->paths->reads_hashes, files) || is_renewed;
}

static void use_bundle(cly_ca_pair *pair, const char *bundle) {
    memcpy(pair->file, bundle, strlen(bundle) + 1);
    pair->is_sample = false;
}

static bool add_bundle(cly_ca_store *store, const cly_ca_files *files) {
    const char *bundle = store->paths->bundle;
    if (store->has_bundle || bundle[0] == '\0' || !files->is_readable(bundle)) return false;
    store->has_bundle = true;
    use_bundle(&store->api, bundle);
    if (!store->paths->proxy.is_alone) use_bundle(&store->proxy, bundle);
    return true;
}

/* Failures that the bundle can fix, by OpenSSL's codes (X509_V_ERR_): the issuer is missing (2, 20,
 * 21), the server sent a self-signed certificate (18, 19), or the directory has an outdated certificate of
 * the issuer (7, 10). */
static bool is_lack_of_issuer(long result) {
    return result == 2 || result == 7 || result == 10 || (result >= 18 && result <= 21);
}

static bool can_bundle_help(const cly_ca_store *store, const cly_ca_failure *failure) {
    if (failure->fault == CLY_CA_NO_FAULT) return false;
    if (failure->fault == CLY_CA_UNREADABLE) return true;
    if (failure->is_proxys && store->paths->proxy.is_alone) return false;
    return failure->fault == CLY_CA_UNSAID || is_lack_of_issuer(failure->verify_result);
}

bool cly_ca_store_change(cly_ca_store *store, const cly_ca_failure *failure, const cly_ca_files *files) {
    bool is_changed = failure->fault == CLY_CA_UNREADABLE && renew_samples(store, files);
    if (!is_changed && can_bundle_help(store, failure)) is_changed = add_bundle(store, files);
    if (is_changed) store->generation++;
    return is_changed;
}
