/*
 * minimal.c - the least that libcurl needs to send one message: POSTs the body
 * to the URL, with the certificates of a hashed directory, and prints the reply.
 *
 *   minimal URL BODY DIRECTORY
 */
#include <curl/curl.h>
#include <stdio.h>

static struct curl_slist *headers_of(void) {
    struct curl_slist *headers = curl_slist_append(NULL, "X-API-Key: key");
    headers = curl_slist_append(headers, "Content-Type: application/json");
    return curl_slist_append(headers, "Expect:");
}

static int post(CURL *easy, char **argv, struct curl_slist *headers) {
    long status = 0;
    curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, argv[2]);
    curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(easy, CURLOPT_CAPATH, argv[3]);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    if (curl_easy_perform(easy) != CURLE_OK) return 1;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return status != 200;
}

int main(int argc, char **argv) {
    struct curl_slist *headers = headers_of();
    CURL *easy;
    int failed = 1;
    if (argc != 4 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return 2;
    easy = curl_easy_init();
    if (easy && headers) failed = post(easy, argv, headers);
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    curl_global_cleanup();
    return failed;
}
