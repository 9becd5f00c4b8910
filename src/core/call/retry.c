#include "core/call/retry.h"

static const double first_delay = 0.5, longest_delay = 20; /* seconds */

cly_retry_quota cly_retry_quota_make(void) {
    cly_retry_quota quota = {CLY_RETRY_QUOTA};
    return quota;
}

void cly_retry_succeeded(cly_retry_quota *quota, int attempts) {
    quota->tokens += 1 + (attempts - 1) * (double)CLY_RETRY_COST;
    if (quota->tokens > CLY_RETRY_QUOTA) quota->tokens = CLY_RETRY_QUOTA;
}

/* Full jitter: a random delay up to a ceiling that doubles. */
static double backoff(int attempts, double chance) {
    double ceiling = first_delay;
    for (int i = 1; i < attempts && ceiling < longest_delay; i++) ceiling *= 2;
    return chance * (ceiling < longest_delay ? ceiling : longest_delay);
}

static bool is_proved_unsent(const cly_error *error) {
    if (error->outcome != CLY_NOT_SENT || error->is_permanent) return false;
    return error->kind == CLY_NETWORK || error->kind == CLY_RATE_LIMITED;
}

/* True if the connection was lost after bytes left, also in the middle of the reply, or if a server
 * failed on the way. A complete 2xx without an id is neither: if anything, it was accepted, and a retry
 * would get the same reply. */
static bool is_in_doubt(const cly_error *error) {
    if (error->outcome != CLY_UNKNOWN) return false;
    if (error->kind == CLY_NETWORK) return true;
    return error->kind == CLY_SERVER &&
           (error->status == 500 || (error->status >= 502 && error->status <= 504));
}

static cly_retry_answer no(const char *reason) {
    cly_retry_answer answer = {false, 0, reason, false};
    return answer;
}

cly_retry_answer cly_retry_decide(const cly_retry_policy *policy, cly_retry_quota *quota,
                                  const cly_retry_question *question) {
    const cly_error *error = question->error;
    cly_retry_answer answer = {true, 0, "proved not sent", false};
    if (question->is_outage && is_proved_unsent(error) && error->kind == CLY_NETWORK) {
        answer.reason = "the API cannot be reached";
        answer.is_free = true;
        return answer;
    }
    if (!is_proved_unsent(error)) {
        if (!is_in_doubt(error)) return no("no repetition helps");
        if (!policy->retry_unknown && !question->is_idempotent) return no("it may have arrived");
        answer.reason = question->is_idempotent ? "idempotent" : "at least once was asked for";
    }
    if (question->attempts >= policy->max_attempts) return no("max_attempts");
    answer.delay =
        error->retry_after >= 0 ? error->retry_after : backoff(question->attempts, question->chance);
    if (answer.delay >= question->time_left) return no("no time left");
    if (quota->tokens < CLY_RETRY_COST) return no("retry quota used up");
    quota->tokens -= CLY_RETRY_COST;
    return answer;
}
