#include "io/curl/libcurl.h"

#include "io/system/process.h"
#include <pthread.h>

cly_libcurl cly_libcurl_running(void) {
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    cly_libcurl running = {info->version, info->ssl_version, info->cainfo, false};
    running.has_http2 = (info->features & CURL_VERSION_HTTP2) != 0;
    return running;
}

cly_ca_system cly_libcurl_ca_system(void) {
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    return cly_ca_system_make(info->capath, info->cainfo, info->ssl_version, info->version_num);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_started;

static void start(void) {
    is_started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

bool cly_libcurl_start(void) {
    cly_process_enter(); /* a fork now would leave libcurl's lock taken in the child for ever */
    pthread_once(&once, start);
    cly_process_leave();
    return is_started;
}

cly_libcurl_faults cly_libcurl_running_faults(void) {
    return cly_libcurl_faults_of(curl_version_info(CURLVERSION_NOW)->version_num);
}

enum { STREAMS_MAX = 100 /* per HTTP/2 connection */ };

CURLM *cly_libcurl_new_multi(long connections) {
    CURLM *multi = curl_multi_init();
    if (multi && curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections) == CURLM_OK &&
        curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, connections) == CURLM_OK &&
        curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, connections) == CURLM_OK &&
        curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)STREAMS_MAX) == CURLM_OK)
        return multi;
    curl_multi_cleanup(multi);
    return NULL;
}
