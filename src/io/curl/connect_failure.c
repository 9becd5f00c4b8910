#define _POSIX_C_SOURCE 200809L
#include "io/curl/connect_failure.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* libcurl has closed its connection by now, which freed one descriptor, so this tries to open two. */
bool cly_connect_failure_lacks_descriptors(void) {
    int first = open("/", O_RDONLY | O_CLOEXEC), second = open("/", O_RDONLY | O_CLOEXEC);
    bool lacks = second < 0 && (errno == EMFILE || errno == ENFILE);
    if (first >= 0) close(first);
    if (second >= 0) close(second);
    return lacks;
}

/* libcurl makes the TLS handshake with the proxy before the one with the API. So 0 (verified, or no
 * handshake with a proxy) means that the proxy's handshake did not fail. */
bool cly_connect_failure_is_proxys(CURL *easy) {
    long result = 0;
    curl_easy_getinfo(easy, CURLINFO_PROXY_SSL_VERIFYRESULT, &result);
    return result != 0;
}

/* libcurl also returns these codes if the proxy did not answer; the status is then 0. */
static bool has_refused_connect(CURL *easy, CURLcode code) {
    long status = 0;
    if (code != CURLE_RECV_ERROR && code != CURLE_COULDNT_CONNECT) return false;
    curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
    return cly_outcome_refuses_connect(status);
}

static bool has_refused_socks(CURL *easy, CURLcode code) {
    long reason = 0;
    if (code != CURLE_PROXY) return false;
    curl_easy_getinfo(easy, CURLINFO_PROXY_ERROR, &reason);
    return reason == CURLPX_NO_AUTH || reason == CURLPX_USER_REJECTED || reason == CURLPX_REPLY_NOT_ALLOWED;
}

static cly_end end_of_verification(CURL *easy) {
    if (cly_connect_failure_lacks_descriptors()) return CLY_END_UNREACHED;
    return cly_connect_failure_is_proxys(easy) ? CLY_END_PROXY_UNTRUSTED : CLY_END_UNTRUSTED;
}

cly_end cly_connect_failure(CURL *easy, CURLcode code) {
    /* The certificate was not verified, or the file of trusted certificates cannot be read. */
    if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
        return end_of_verification(easy);
    if (has_refused_connect(easy, code) || has_refused_socks(easy, code)) return CLY_END_PROXY_REFUSED;
    return CLY_END_UNREACHED;
}
