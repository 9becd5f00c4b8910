#include "io/environment.h"

#include <stdlib.h>

static const char *first_of(const char *const names[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *value = getenv(names[i]);
        if (value && *value) return value;
    }
    return "";
}

cly_ca_variables cly_environment_ca(void) {
    return cly_ca_variables_make(getenv("CURL_CA_BUNDLE"), getenv("SSL_CERT_FILE"), getenv("SSL_CERT_DIR"));
}

cly_config_defaults cly_environment_defaults(void) {
    cly_config_defaults defaults = {getenv("CONNECTLY_API_KEY"), getenv("CONNECTLY_BUSINESS_ID"),
                                    getenv("CONNECTLY_BASE_URL")};
    return defaults;
}

void cly_environment_proxy(const char *base_url, const char **proxy, const char **no_proxy) {
    static const char *const proxies[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    static const char *const exceptions[] = {"no_proxy", "NO_PROXY"};
    *proxy = *no_proxy = "";
    /* Plain HTTP goes to loopback only: by a proxy the key would leave in the clear. */
    if (cly_base_url_is_plain(base_url)) return;
    *proxy = first_of(proxies, 4);
    *no_proxy = first_of(exceptions, 2);
}
