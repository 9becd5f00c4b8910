#include "core/api/environment.h"

static const char *first_of(cly_lookup *lookup, const char *const names[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *value = lookup(names[i]);
        if (value && *value) return value;
    }
    return "";
}

cly_ca_variables cly_environment_ca(cly_lookup *lookup) {
    return cly_ca_variables_make(lookup("CURL_CA_BUNDLE"), lookup("SSL_CERT_FILE"), lookup("SSL_CERT_DIR"));
}

cly_config_defaults cly_environment_defaults(cly_lookup *lookup) {
    cly_config_defaults defaults = {lookup("CONNECTLY_API_KEY"), lookup("CONNECTLY_BUSINESS_ID"),
                                    lookup("CONNECTLY_BASE_URL")};
    return defaults;
}

void cly_environment_proxy(cly_lookup *lookup, const char *base_url, const char *option, const char **proxy,
                           const char **no_proxy) {
    static const char *const proxies[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    static const char *const exceptions[] = {"no_proxy", "NO_PROXY"};
    *proxy = option ? option : "";
    *no_proxy = "";
    /* Plain HTTP is allowed to loopback only; a proxy would carry the key in the clear. */
    if (option || cly_base_url_is_plain(base_url)) return;
    *proxy = first_of(lookup, proxies, 4);
    *no_proxy = first_of(lookup, exceptions, 2);
}
