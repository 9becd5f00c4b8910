#include "io/libcurl.h"

#include <curl/curl.h>

cly_libcurl cly_libcurl_running(void) {
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    cly_libcurl running = {info->version, info->ssl_version, info->cainfo, false};
    running.has_http2 = (info->features & CURL_VERSION_HTTP2) != 0;
    return running;
}
