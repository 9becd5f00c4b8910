/*
 * throughput_floor.c - the yardstick of throughput.lua and instructions.lua: a plain loop
 * that sends messages at full speed through libcurl's multi interface. It sets those
 * options of the library's transfers (src/io/curl/transfer.c) that change the request, the
 * connections or the certificates. It has no limits, and neither writes nor reads JSON. It
 * does not save work as the library does (URLs parsed once, small writes combined). libcurl
 * repeats the requests that the server refuses when a connection has carried its number.
 *
 *   throughput_floor URL COUNT WARM_UP IN_FLIGHT CONNECTIONS HTTP_VERSION DIRECTORY
 *
 * Prints CPU and wall time per message, in microseconds, of the COUNT messages that follow
 * the WARM_UP. HTTP_VERSION is 1 or 2; DIRECTORY holds hashed certificates.
 */
#define _DEFAULT_SOURCE
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FLIGHT_MAX = 256, BODY_SIZE = 600, REPLY_SIZE = 4096, NUMBER_AT = 120, STREAMS_MAX = 100 };

typedef struct slot {
    CURL *easy;
    char body[BODY_SIZE + 1], reply[REPLY_SIZE], error_text[CURL_ERROR_SIZE];
    size_t reply_length;
} slot;

static slot slots[FLIGHT_MAX];
static const char *url, *directory;
static long sent, failed, is_http2;

/* Not inlined: instructions.lua cuts callgrind's profile where it is called. */
__attribute__((noinline)) static double seconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data) {
    slot *of = data;
    if (of->reply_length + size * count > REPLY_SIZE) return 0;
    memcpy(of->reply + of->reply_length, bytes, size * count);
    of->reply_length += size * count;
    return size * count;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *data) {
    (void)bytes, (void)data;
    return size * count;
}

static int on_issue(void *data, char *address, char *local_address, int port, int local_port) {
    (void)data, (void)address, (void)local_address, (void)port, (void)local_port;
    return CURL_PREREQFUNC_OK;
}

static struct curl_slist *headers_of(void) {
    struct curl_slist *headers = curl_slist_append(NULL, "X-API-Key: key");
    headers = curl_slist_append(headers, "Content-Type: application/json");
    return curl_slist_append(headers, "Accept: application/json");
}

static void set_network(CURL *easy) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(easy, CURLOPT_CAPATH, directory);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                     is_http2 ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, is_http2);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, 45L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 30000L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 30000L);
}

static void make(slot *fresh, struct curl_slist *headers) {
    CURL *easy = fresh->easy = curl_easy_init();
    if (easy == NULL) exit(2);
    memset(fresh->body, 'x', BODY_SIZE);
    set_network(easy);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, fresh);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "throughput_floor");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, fresh);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_issue);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, fresh);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, fresh->error_text);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
}

static void start(CURLM *multi, slot *of) {
    char number[24];
    int length = snprintf(number, sizeof number, "+1604%012ld", sent++);
    memcpy(of->body + NUMBER_AT, number, (size_t)length);
    of->reply_length = 0;
    curl_easy_setopt(of->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)BODY_SIZE);
    curl_easy_setopt(of->easy, CURLOPT_POSTFIELDS, of->body);
    curl_multi_add_handle(multi, of->easy);
}

/* Returns how many have ended; each makes room for the next of `total`. */
static long collect(CURLM *multi, long total) {
    CURLMsg *message;
    long ended = 0;
    int left;
    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
        slot *of = NULL;
        long status = 0;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&of);
        curl_easy_getinfo(of->easy, CURLINFO_RESPONSE_CODE, &status);
        curl_multi_remove_handle(multi, of->easy);
        if (code != CURLE_OK || status != 200) failed++;
        if (sent < total) start(multi, of);
        ended++;
    }
    return ended;
}

static void run(CURLM *multi, long warm_up, long total) {
    double cpu = 0, wall = 0;
    long ended = 0, begun = 0;
    int running;
    while (ended < total) {
        curl_multi_perform(multi, &running);
        ended += collect(multi, total);
        if (wall <= 0 && ended >= warm_up) {
            begun = ended;
            cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
            wall = seconds_of(CLOCK_MONOTONIC);
        }
        if (ended < total) curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    cpu = (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu) / (double)(total - begun);
    wall = (seconds_of(CLOCK_MONOTONIC) - wall) / (double)(total - begun);
    printf("%.2f %.2f\n", cpu * 1e6, wall * 1e6);
}

int main(int argc, char **argv) {
    struct curl_slist *headers;
    CURLM *multi;
    long in_flight, connections;
    if (argc != 8 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return 2;
    url = argv[1];
    in_flight = atol(argv[4]);
    connections = atol(argv[5]);
    is_http2 = argv[6][0] == '2';
    directory = argv[7];
    headers = headers_of();
    multi = curl_multi_init();
    if (headers == NULL || multi == NULL || in_flight > FLIGHT_MAX) return 2;
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections);
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, connections);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, connections);
    curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)STREAMS_MAX);
    for (long i = 0; i < in_flight; i++) {
        make(&slots[i], headers);
        start(multi, &slots[i]);
    }
    run(multi, atol(argv[3]), atol(argv[3]) + atol(argv[2]));
    for (long i = 0; i < in_flight; i++) {
        curl_multi_remove_handle(multi, slots[i].easy);
        curl_easy_cleanup(slots[i].easy);
    }
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
    curl_global_cleanup();
    return failed > 0;
}
