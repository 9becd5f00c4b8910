#include "core/reply/outcome.h"

#include "core/base/text.h"
#include <stdio.h>

static cly_outcome left_or_not(const cly_report *report) {
    return report->bytes_left ? CLY_UNKNOWN : CLY_NOT_SENT;
}

static const char *reason_of(const cly_report *report) {
    return report->reason && *report->reason ? report->reason : "no reason was given";
}

static cly_kind set_permanent(cly_error *error, cly_outcome outcome, const char *hint, const char *what,
                              const cly_report *report) {
    cly_kind kind = cly_error_set(error, CLY_NETWORK, outcome, "%s: %s", what, reason_of(report));
    if (error == NULL) return kind;
    error->hint = hint;
    error->is_permanent = true;
    return kind;
}

/* Certificate errors and a proxy's refusal: the next attempt would end the same way. */
static cly_kind judge_refused_connection(const cly_report *report, cly_error *error) {
    cly_outcome outcome = left_or_not(report);
    switch (report->end) {
    case CLY_END_UNTRUSTED:
        return set_permanent(error, outcome,
                             "run `connectly doctor --connect`; an authority that the system does not have "
                             "goes into ca_file",
                             "cannot verify the API's certificate", report);
    case CLY_END_PROXY_UNTRUSTED:
        return set_permanent(error, outcome,
                             "run `connectly doctor --connect`; an authority that the system does not have "
                             "goes into proxy_ca_file",
                             "cannot verify the proxy's certificate", report);
    default:
        return set_permanent(error, outcome,
                             "check the proxy (option proxy, or https_proxy), its user and password, and "
                             "whether it allows connections to the API",
                             "the proxy refused to connect to the API", report);
    }
}

/* No final status line came. */
static cly_kind judge_silence(const cly_report *report, cly_error *error) {
    cly_outcome outcome = left_or_not(report);
    const char *when =
        report->bytes_left ? "after the request had begun to leave" : "before anything was sent";
    switch (report->end) {
    case CLY_END_UNREACHED:
        return cly_error_set(error, CLY_NETWORK, outcome, "cannot reach the API: %s", reason_of(report));
    case CLY_END_UNTRUSTED:
    case CLY_END_PROXY_UNTRUSTED:
    case CLY_END_PROXY_REFUSED: return judge_refused_connection(report, error);
    case CLY_END_TIMEOUT: return cly_error_set(error, CLY_TIMEOUT, outcome, "time ran out %s", when);
    case CLY_END_CANCELED: return cly_error_set(error, CLY_CANCELED, outcome, "canceled %s", when);
    case CLY_END_NO_MEMORY: return cly_error_no_memory(error);
    case CLY_END_NO_DESCRIPTOR:
        return cly_error_set(error, CLY_OVERLOADED, outcome, "no file descriptor is free for a connection");
    case CLY_END_TOO_BIG:
        return cly_error_set(error, CLY_PROTOCOL, outcome, "the reply's headers are too large");
    default:
        return cly_error_set(error, CLY_NETWORK, outcome, "the connection was lost %s: %s", when,
                             reason_of(report));
    }
}

/* An incomplete 2xx reply: the request may have succeeded. */
static cly_kind judge_half_success(const cly_report *report, cly_error *error) {
    switch (report->end) {
    case CLY_END_TIMEOUT:
        return cly_error_set(error, CLY_TIMEOUT, CLY_UNKNOWN, "time ran out in the middle of the reply");
    case CLY_END_CANCELED:
        return cly_error_set(error, CLY_CANCELED, CLY_UNKNOWN, "canceled in the middle of the reply");
    case CLY_END_TOO_BIG:
        return cly_error_set(error, CLY_PROTOCOL, CLY_UNKNOWN, "the reply is larger than %d bytes",
                             (int)CLY_REPLY_MAX);
    default:
        return cly_error_set(error, CLY_NETWORK, CLY_UNKNOWN,
                             "the connection was lost in the middle of the reply: %s", reason_of(report));
    }
}

static cly_kind judge_id(const cly_report *report, const cly_response *response, cly_error *error) {
    const char *id = cly_response_text(response, CLY_TEXT_ID);
    if (id && *id) return CLY_OK;
    if (id == NULL && response->lacks_memory)
        return cly_error_set(error, CLY_NETWORK, CLY_UNKNOWN, "not enough memory to read the reply");
    return cly_error_set(error, CLY_PROTOCOL, CLY_UNKNOWN, "the reply with status %d holds no id%s",
                         report->status, response->is_json ? "" : ": it is not JSON");
}

static cly_kind judge_success(const cly_report *report, const cly_operation *operation, cly_batch batch,
                              const cly_response *response, cly_error *error) {
    if (report->end != CLY_END_REPLY) return judge_half_success(report, error);
    if (operation->reply == CLY_REPLY_ID) return judge_id(report, response, error);
    if (!response->is_json && report->length > 0)
        return cly_error_set(error, CLY_PROTOCOL, CLY_UNKNOWN, "the reply with status %d is not JSON",
                             report->status);
    if (operation->reply == CLY_REPLY_BODY) return CLY_OK;
    return cly_sendouts_judge(&response->sendouts, batch, error);
}

/* Uses the API's own message, with digits hidden that may be a telephone number, or else `otherwise`. */
static void describe(char *out, size_t room, const cly_response *response, const char *otherwise) {
    const char *message = cly_response_text(response, CLY_TEXT_MESSAGE);
    if (message && *message)
        cly_text_show(out, room, message, strlen(message));
    else
        snprintf(out, room, "%s", otherwise);
}

static cly_kind judge_refusal(const cly_report *report, const cly_response *response, cly_error *error) {
    char text[256];
    int status = report->status;
    describe(text, sizeof text, response, "the API refused the request");
    if (status == 401 || status == 403) return cly_error_set(error, CLY_AUTH, CLY_REFUSED, "%s", text);
    if (status == 429) return cly_error_set(error, CLY_RATE_LIMITED, CLY_NOT_SENT, "%s", text);
    return cly_error_set(error, CLY_REJECTED, CLY_REFUSED, "%s", text);
}

static cly_kind judge_status(const cly_report *report, const cly_operation *operation, cly_batch batch,
                             const cly_response *response, cly_error *error) {
    char text[256];
    if (report->status >= 200 && report->status < 300)
        return judge_success(report, operation, batch, response, error);
    if (report->status >= 300 && report->status < 400)
        return cly_error_set(
            error, CLY_PROTOCOL, CLY_REFUSED,
            "the server redirected the request, which is not followed: the key must not travel");
    if (report->status >= 400 && report->status < 500) return judge_refusal(report, response, error);
    describe(text, sizeof text, response, "the server failed");
    return cly_error_set(error, report->status < 600 ? CLY_SERVER : CLY_PROTOCOL, CLY_UNKNOWN, "%s", text);
}

static void add_hint(const cly_response *response, cly_error *error) {
    const char *code = cly_response_text(response, CLY_TEXT_CODE);
    const char *type = cly_response_text(response, CLY_TEXT_TYPE);
    error->hint = cly_code_hint(code, type);
    if (error->hint == NULL) error->hint = cly_kind_hint(error->kind, error->outcome);
}

void cly_outcome_read(const cly_report *report, const cly_operation *operation, cly_response *response,
                      const char *secret) {
    if (operation->reply == CLY_REPLY_CAMPAIGNS && cly_report_is_success(report))
        cly_response_read_sendouts(response, report->body, report->length, secret);
    else
        cly_response_read(response, report->body, report->length, secret);
}

cly_kind cly_outcome_judge(const cly_report *report, const cly_operation *operation, cly_batch batch,
                           const cly_response *response, cly_error *error) {
    cly_kind kind = report->status == 0 ? judge_silence(report, error)
                                        : judge_status(report, operation, batch, response, error);
    if (kind == CLY_OK || error == NULL) return kind;
    error->status = report->status;
    error->retry_after = report->retry_after;
    if (error->hint == NULL) add_hint(response, error);
    return kind;
}

/* Some 4xx statuses mean that the proxy or the network behind it is busy. */
bool cly_outcome_refuses_connect(long status) {
    if (status == 408 || status == 425 || status == 429) return false;
    return status >= 300 && status < 500;
}

void cly_outcome_delivery(const cly_response *response, cly_error *error) {
    char text[256];
    describe(text, sizeof text, response, "the message was not delivered");
    cly_error_set(error, CLY_REJECTED, CLY_REFUSED, "%s", text);
    add_hint(response, error);
}
