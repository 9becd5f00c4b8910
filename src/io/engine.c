#include "io/engine.h"

#include "core/request.h"
#include "core/secret.h"
#include "io/chance.h"
#include "io/clock.h"
#include "io/cork.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef enum place {
    PLACE_FREE,
    PLACE_READY,   /* waits for the limiter, first come first served */
    PLACE_WAITING, /* waits for its next attempt */
    PLACE_FLYING,  /* with libcurl */
    PLACE_DONE,
    PLACE_COUNT
} place;

/* Every slot is in exactly one list, that of its place. */
typedef struct slot {
    place place;
    struct slot *previous, *next;
    uint32_t turn;   /* counts uses, so that an old ticket is noticed */
    double ready_at; /* since when it waits for the limiter */
    cly_call call;
    cly_transfer transfer;
    cly_buffer body, url;
    const char *method;
    void *owner;
    uint64_t number;
    unsigned group;
    bool is_throttled;                           /* the limiter made it wait */
    bool is_detached;                            /* nobody will ask for the result */
    const char *http_version;                    /* once it has ended; static */
    char traceparent[CLY_TRACEPARENT_SIZE + 16]; /* the header line, or "" */
} slot;

typedef struct slot_list {
    slot *first, *last;
} slot_list;

struct cly_engine {
    CURLM *multi;
    cly_engine_options options;
    cly_call_rules rules;
    cly_limiter limiter;
    cly_limiter asset_limiter; /* what it lets go the other one must let go too */
    cly_slots slots_given;
    int slots_asked; /* when somebody last asked how many are wanted */
    double pause_to_tell;
    cly_chance chance;
    cly_sockets sockets;
    cly_cork cork;
    cly_event_queue events;
    cly_stats stats;
    slot *slots;
    slot_list lists[PLACE_COUNT];
    int started;         /* attempts, since libcurl last had its turn */
    double performed_at; /* when that was */
    double overdue_at;   /* no attempt under way is overdue before */
};

enum { STREAMS_MAX = 100 };

/* Requests for assets in any second. API: rate limits. */
static const double asset_rate = 100;

/* A 429 that does not say how long stops everybody for a second, the unit of the
 * limit; one that says a year must not stop a client for good. */
static const double pause_unsaid = 1, pause_longest = 60;

/* For so long the network is not asked again before something starts: to ask in
 * vain is a system call for each call under way. */
static const double recently = 0.005;

/* By so much libcurl may end an attempt after its deadline: it knows more of it, and
 * is asked at most `recently` ago. One that waits for a connection it forgets. */
static const double overdue_after = 0.025;

/* ---- slots, lists and tickets ---- */

static void move(cly_engine *engine, slot *of, place to) {
    slot_list *from_list = &engine->lists[of->place], *to_list = &engine->lists[to];
    *(of->previous ? &of->previous->next : &from_list->first) = of->next;
    *(of->next ? &of->next->previous : &from_list->last) = of->previous;
    of->place = to;
    of->next = NULL;
    of->previous = to_list->last;
    *(to_list->last ? &to_list->last->next : &to_list->first) = of;
    to_list->last = of;
}

static cly_ticket ticket_of(const cly_engine *engine, const slot *of) {
    return cly_ticket_make(of->turn, (size_t)(of - engine->slots));
}

static slot *find(const cly_engine *engine, cly_ticket ticket) {
    size_t index = cly_ticket_index(ticket);
    slot *found;
    if (index >= (size_t)engine->options.max_in_flight) return NULL;
    found = &engine->slots[index];
    return found->place != PLACE_FREE && ticket_of(engine, found) == ticket ? found : NULL;
}

static void init_slot(slot *fresh) {
    cly_call_init(&fresh->call);
    cly_transfer_init(&fresh->transfer);
    cly_buffer_init(&fresh->body, CLY_BODY_MAX);
    cly_buffer_init(&fresh->url, CLY_URL_MAX);
}

static void clear_slot(slot *old) {
    cly_call_clear(&old->call);
    cly_transfer_clear(&old->transfer);
    cly_buffer_clear(&old->body);
    cly_buffer_clear(&old->url);
}

/* ---- making and freeing ---- */

static bool set_limits(CURLM *multi, const cly_engine_options *options) {
    long connections = options->max_connections;
    return curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, connections) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, connections) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)STREAMS_MAX) == CURLM_OK;
}

static bool make_slots(cly_engine *engine) {
    int count = engine->options.max_in_flight;
    engine->slots = calloc((size_t)count, sizeof *engine->slots);
    if (engine->slots == NULL) return false;
    for (int i = 0; i < count; i++) {
        init_slot(&engine->slots[i]);
        engine->slots[i].turn = engine->options.first_turn;
        engine->slots[i].previous = engine->lists[PLACE_FREE].last;
        if (i > 0) engine->slots[i - 1].next = &engine->slots[i];
        engine->lists[PLACE_FREE].last = &engine->slots[i];
    }
    engine->lists[PLACE_FREE].first = engine->slots;
    return true;
}

static void set_rules(cly_engine *engine) {
    engine->rules.policy.max_attempts = engine->options.max_attempts;
    engine->rules.policy.retry_unknown = engine->options.retry_unknown;
    engine->rules.quota = cly_retry_quota_make();
    engine->rules.secret = engine->options.secret;
    engine->options.settings.slots = engine->options.is_shared ? &engine->slots_given : NULL;
    engine->options.settings.sockets = &engine->sockets;
    engine->cork.sockets = &engine->sockets;
    engine->events.is_wanted = engine->options.wants_events;
    engine->chance = cly_chance_make();
}

/* libcurl makes a multi without a wake-up descriptor when none is free. Its wait could
 * not be ended then. */
static bool can_be_woken(CURLM *multi) {
    return curl_multi_wakeup(multi) == CURLM_OK;
}

cly_kind cly_engine_new(cly_engine **out, const cly_engine_options *options, cly_error *error) {
    cly_engine *engine = calloc(1, sizeof *engine);
    *out = NULL;
    if (engine == NULL) return cly_error_no_memory(error);
    engine->options = *options;
    set_rules(engine);
    /* Never undone: engines are freed by any thread, and before 7.84 libcurl wants
     * nobody at work then. What it keeps is the same for the thousandth engine. */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(engine);
        return cly_error_no_memory(error);
    }
    engine->multi = curl_multi_init();
    if (engine->multi && !can_be_woken(engine->multi)) {
        cly_engine_free(engine);
        return cly_error_set(error, CLY_OVERLOADED, CLY_NOT_SENT, "no file descriptor is free");
    }
    if (engine->multi == NULL || !set_limits(engine->multi, options) || !make_slots(engine) ||
        cly_limiter_init(&engine->limiter, options->rate, error) != CLY_OK ||
        cly_limiter_init(&engine->asset_limiter, asset_rate, error) != CLY_OK) {
        cly_engine_free(engine);
        return cly_error_no_memory(error);
    }
    engine->asset_limiter.within = &engine->limiter;
    *out = engine;
    return CLY_OK;
}

void cly_engine_stop(cly_engine *engine) {
    if (engine->multi == NULL) return;
    for (int i = 0; engine->slots && i < engine->options.max_in_flight; i++) {
        slot *of = &engine->slots[i];
        if (of->place != PLACE_FREE) cly_engine_cancel(engine, ticket_of(engine, of));
        cly_transfer_close(&of->transfer);
    }
    curl_multi_cleanup(engine->multi);
    engine->multi = NULL;
}

void cly_engine_free(cly_engine *engine) {
    if (engine == NULL) return;
    cly_engine_stop(engine);
    for (int i = 0; engine->slots && i < engine->options.max_in_flight; i++) clear_slot(&engine->slots[i]);
    cly_limiter_clear(&engine->limiter);
    cly_limiter_clear(&engine->asset_limiter);
    cly_event_queue_clear(&engine->events);
    free(engine->slots);
    free(engine);
}

void cly_engine_abandon(cly_engine *engine) {
    if (engine == NULL) return;
    cly_limiter_clear(&engine->limiter);
    cly_limiter_clear(&engine->asset_limiter);
    cly_event_queue_clear(&engine->events);
    for (int i = 0; i < engine->options.max_in_flight; i++) {
        slot *old = &engine->slots[i];
        bool is_libcurls = old->place == PLACE_FLYING; /* it still reads body and reply */
        old->transfer.easy = NULL;
        if (!is_libcurls) clear_slot(old);
    }
}

/* ---- what is told ---- */

static cly_event event_of(const slot *of, cly_event_type type, double delay) {
    cly_event event = {0};
    event.type = type;
    event.operation = of->call.operation->name;
    event.call = of->number;
    event.attempt = of->call.attempts;
    event.delay = delay;
    event.http_version = "";
    return event;
}

/* Until libcurl has had its turn, it knows of a handle's last exchange. */
static bool was_performed(const cly_engine *engine, const slot *of) {
    return engine->performed_at > of->transfer.started_at;
}

static void tell_attempt(cly_engine *engine, const slot *of, const cly_report *report) {
    cly_event event;
    engine->stats.attempts++;
    if (!engine->events.is_wanted) return;
    event = event_of(of, CLY_EVENT_ATTEMPT, 0);
    event.status = report->status;
    event.kind = of->call.error.kind;
    event.outcome = of->call.error.outcome;
    event.http_version = cly_transfer_http_version(&of->transfer);
    if (was_performed(engine, of)) event.phases = cly_transfer_phases(&of->transfer);
    cly_event_put(&engine->events, &event);
}

static void tell_retry(cly_engine *engine, const slot *of) {
    cly_event event = event_of(of, CLY_EVENT_RETRY, of->call.decision.delay);
    event.reason = of->call.decision.reason;
    engine->stats.retries++;
    cly_event_put(&engine->events, &event);
}

static void tell_throttled(cly_engine *engine, const slot *of, double delay) {
    cly_event event = event_of(of, CLY_EVENT_THROTTLED, delay);
    event.attempt++;
    engine->stats.throttled++;
    cly_event_put(&engine->events, &event);
}

static void tell_done(cly_engine *engine, const slot *of) {
    const char *id = cly_response_text(&of->call.response, CLY_TEXT_ID);
    const char *code = cly_response_text(&of->call.response, CLY_TEXT_CODE);
    cly_event event;
    if (!engine->events.is_wanted) return;
    event = event_of(of, CLY_EVENT_DONE, of->call.ended_at - of->call.started_at);
    event.status = of->call.status;
    event.kind = of->call.error.kind;
    event.outcome = of->call.error.outcome;
    event.http_version = of->http_version;
    if (event.kind == CLY_OK && id) snprintf(event.id, sizeof event.id, "%s", id);
    if (event.kind != CLY_OK && code) snprintf(event.code, sizeof event.code, "%s", code);
    cly_event_put(&engine->events, &event);
}

static void count_end(cly_stats *stats, const cly_error *error) {
    uint64_t *counters[] = {&stats->not_sent, &stats->rejected, &stats->unknown};
    if (error->kind == CLY_OK)
        stats->succeeded++;
    else
        ++*counters[error->outcome];
}

/* ---- carrying ---- */

static cly_limiter *limiter_of(cly_engine *engine, const slot *of) {
    return of->call.operation->limit == CLY_LIMIT_ASSETS ? &engine->asset_limiter : &engine->limiter;
}

/* Nobody asks for it any more. */
static void give_back(cly_engine *engine, slot *of) {
    cly_buffer_trim(&of->body);
    cly_buffer_trim(&of->transfer.reply);
    cly_response_trim(&of->call.response);
    move(engine, of, PLACE_FREE);
}

static void end_call(cly_engine *engine, slot *ended) {
    ended->http_version = ended->call.attempts > 0 ? cly_transfer_http_version(&ended->transfer) : "";
    count_end(&engine->stats, &ended->call.error);
    tell_done(engine, ended);
    engine->stats.in_flight--;
    move(engine, ended, PLACE_DONE);
    if (ended->is_detached) give_back(engine, ended);
}

static void pause_all(cly_engine *engine, const cly_report *report, double now) {
    double seconds = report->retry_after < 0 ? pause_unsaid : report->retry_after;
    if (seconds > pause_longest) seconds = pause_longest;
    cly_limiter_pause(&engine->limiter, seconds, now);
    if (seconds > engine->pause_to_tell) engine->pause_to_tell = seconds;
}

/* Shorter keys are in many words. */
enum { SECRET_MASKED_LEAST = 8 };

/* A whole reply is handed on: it may echo the key, as errors may. What is judged is
 * what will be read, should stars stand in its way. */
static void mask_reply(const cly_engine *engine, slot *of, const cly_report *report) {
    cly_buffer *reply = &of->transfer.reply;
    const char *secret = engine->rules.secret;
    if (of->call.operation->reply == CLY_REPLY_ID || !cly_report_is_success(report)) return;
    if (secret == NULL || strlen(secret) < SECRET_MASKED_LEAST || reply->length == 0) return;
    (void)cly_secret_mask(reply->data, reply->data, reply->length, reply->length, secret);
}

/* Of what was found to be deleted there is no reply: its error is none. */
static void drop_refusal(slot *of) {
    if (of->call.error.kind == CLY_OK && of->call.status >= 300) cly_buffer_reset(&of->transfer.reply);
}

/* An attempt ended: what comes next is the call's to say. */
static void conclude(cly_engine *engine, slot *of, const cly_report *report, double now) {
    if (!of->transfer.is_issued) cly_limiter_gave_up(limiter_of(engine, of));
    if (report->status == 429) pause_all(engine, report, now);
    mask_reply(engine, of, report);
    cly_call_report(&of->call, &engine->rules, report, cly_chance_next(&engine->chance), now);
    tell_attempt(engine, of, report);
    if (of->call.state == CLY_CALL_DONE) {
        drop_refusal(of);
        end_call(engine, of);
        return;
    }
    tell_retry(engine, of);
    move(engine, of, PLACE_WAITING);
}

static void launch(cly_engine *engine, slot *of, double slot_at, bool is_fresh, double now) {
    static const cly_report unsent = {CLY_END_NO_MEMORY, false, 0, -1, NULL, NULL, 0};
    cly_transfer_request request;
    request.method = of->method;
    request.url = of->url.data;
    request.body = of->body.data;
    request.length = of->body.length;
    request.trace_header = of->traceparent;
    request.is_fresh = is_fresh;
    request.timeout = of->call.deadline - now;
    request.slot_at = slot_at;
    request.limiter = limiter_of(engine, of);
    move(engine, of, PLACE_FLYING);
    if (cly_transfer_prepare(&of->transfer, &engine->options.settings, &request, of, now) &&
        curl_multi_add_handle(engine->multi, of->transfer.easy) == CURLM_OK) {
        engine->started++;
        return;
    }
    conclude(engine, of, &unsent, now);
}

static void start_attempt(cly_engine *engine, slot *of, double slot_at, double now) {
    double overdue_at = of->call.deadline + overdue_after;
    if (overdue_at < engine->overdue_at) engine->overdue_at = overdue_at;
    cly_call_sent(&of->call);
    launch(engine, of, slot_at, false, now);
}

/* A call that is between attempts: where it belongs now. */
static void settle(cly_engine *engine, slot *of, double now) {
    switch (cly_call_next(&of->call, now)) {
    case CLY_STEP_DONE: end_call(engine, of); break;
    case CLY_STEP_SEND:
        if (of->place == PLACE_READY) break;
        of->ready_at = now;
        of->is_throttled = false;
        move(engine, of, PLACE_READY);
        break;
    case CLY_STEP_WAIT: break;
    }
}

static void settle_all(cly_engine *engine, place where, double now) {
    slot *of = engine->lists[where].first;
    while (of) {
        slot *next = of->next;
        settle(engine, of, now);
        of = next;
    }
}

static void mark_throttled(cly_engine *engine) {
    for (slot *of = engine->lists[PLACE_READY].first; of; of = of->next) of->is_throttled = true;
}

/* Both limiters must agree: what all may send can be too much for this process. */
static double wait_to_leave(cly_engine *engine, cly_limiter *limiter, double now, double *slot_at) {
    /* Its own limiter first: it knows when, while a slot may not even be asked for. */
    double wait = limiter == &engine->asset_limiter ? cly_limiter_wait(limiter, now) : 0;
    if (wait <= 0 && engine->options.is_shared) wait = cly_slots_wait(&engine->slots_given, now);
    if (wait > 0) return wait;
    wait = cly_limiter_take(limiter, now);
    if (wait <= 0 && engine->options.is_shared) *slot_at = cly_slots_take(&engine->slots_given);
    return wait;
}

/* Lets go what its limiter lets go; returns the seconds until it lets the next. Those
 * that wait for the assets' limiter do not keep others waiting. */
static double release_ready(cly_engine *engine, double now) {
    double soonest = HUGE_VAL;
    slot *next;
    for (slot *of = engine->lists[PLACE_READY].first; of; of = next) {
        cly_limiter *limiter = limiter_of(engine, of);
        double slot_at = now, wait;
        next = of->next;
        if (limiter == &engine->asset_limiter && soonest < HUGE_VAL) {
            of->is_throttled = true;
            continue;
        }
        wait = wait_to_leave(engine, limiter, now, &slot_at);
        if (wait > 0 && limiter == &engine->limiter) {
            mark_throttled(engine);
            return fmin(wait, soonest);
        }
        if (wait > 0) {
            of->is_throttled = true;
            soonest = wait;
            continue;
        }
        if (of->is_throttled) tell_throttled(engine, of, now - of->ready_at);
        start_attempt(engine, of, slot_at, now);
    }
    return soonest;
}

/* Ends the attempt with what is known of it. */
static void stop(cly_engine *engine, slot *of, cly_end end, double now) {
    cly_report report = cly_transfer_cancel(&of->transfer);
    report.end = end;
    curl_multi_remove_handle(engine->multi, of->transfer.easy);
    conclude(engine, of, &report, now);
}

/* libcurl counts from its first turn. What is late by then, since nobody stepped for
 * so long, must not leave any more. */
static void stop_late(cly_engine *engine, double now) {
    slot *of = engine->lists[PLACE_FLYING].last;
    while (of && !was_performed(engine, of)) {
        slot *previous = of->previous;
        if (now >= of->call.deadline) stop(engine, of, CLY_END_TIMEOUT, now);
        of = previous;
    }
}

/* Looks at the calls under way when one of them may be overdue, which is seldom. */
static void stop_overdue(cly_engine *engine, double now) {
    slot *of = engine->lists[PLACE_FLYING].first;
    if (now < engine->overdue_at) return;
    engine->overdue_at = HUGE_VAL;
    while (of) {
        slot *next = of->next;
        double overdue_at = of->call.deadline + overdue_after;
        if (overdue_at <= now)
            stop(engine, of, CLY_END_TIMEOUT, now);
        else if (overdue_at < engine->overdue_at)
            engine->overdue_at = overdue_at;
        of = next;
    }
}

static double until_overdue(const cly_engine *engine, double now) {
    return engine->lists[PLACE_FLYING].first ? engine->overdue_at - now : HUGE_VAL;
}

/* Moves everything along that needs no network; returns the seconds until there
 * is something of that kind again. */
static double advance(cly_engine *engine) {
    double now = cly_clock_now(), wait;
    stop_overdue(engine, now);
    settle_all(engine, PLACE_WAITING, now);
    settle_all(engine, PLACE_READY, now);
    wait = release_ready(engine, now);
    for (const slot *of = engine->lists[PLACE_WAITING].first; of; of = of->next) {
        double until = of->call.wait_until < of->call.deadline ? of->call.wait_until : of->call.deadline;
        if (until - now < wait) wait = until - now;
    }
    for (const slot *of = engine->lists[PLACE_READY].first; of; of = of->next)
        if (of->call.deadline - now < wait) wait = of->call.deadline - now;
    wait = fmin(wait, until_overdue(engine, now));
    return wait > 0 ? wait : 0;
}

static void collect_ended(cly_engine *engine) {
    double now = engine->performed_at = cly_clock_now();
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(engine->multi, &left)) != NULL) {
        slot *ended = NULL;
        CURLcode code = message->data.result;
        CURL *easy = message->easy_handle;
        cly_report report;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&ended);
        report = cly_transfer_report(&ended->transfer, code, now);
        curl_multi_remove_handle(engine->multi, easy);
        if (cly_transfer_wants_fresh(&ended->transfer))
            launch(engine, ended, ended->transfer.slot_at, true, now);
        else
            conclude(engine, ended, &report, now);
    }
}

static void perform(cly_engine *engine) {
    int running = 0;
    if (engine->lists[PLACE_FLYING].first == NULL) return;
    cly_cork_hold(&engine->cork, engine->started);
    engine->started = 0;
    curl_multi_perform(engine->multi, &running);
    cly_cork_release(&engine->cork);
    collect_ended(engine);
}

/* Rounded up: waking a moment early would only mean waiting once more. */
static int milliseconds(double seconds) {
    return seconds > 3600 ? 3600 * 1000 : (int)ceil(seconds * 1000);
}

static slot *first_done(const cly_engine *engine, unsigned group) {
    slot *of = engine->lists[PLACE_DONE].first;
    while (of && of->group != group) of = of->next;
    return of;
}

/* Those that could leave if they had a slot, as far as their limiters go. */
static int count_ready(cly_engine *engine, double now) {
    int ready = 0, assets = 0, room = cly_limiter_room(&engine->asset_limiter, now);
    for (const slot *of = engine->lists[PLACE_READY].first; of; of = of->next)
        ++*(limiter_of(engine, of) == &engine->asset_limiter ? &assets : &ready);
    if (assets > room) assets = room > 0 ? room : 0;
    return ready + assets;
}

static int slots_wanted(cly_engine *engine) {
    double now = cly_clock_now();
    int ready, left;
    if (!engine->options.is_shared) return 0;
    left = cly_slots_left(&engine->slots_given, now); /* pays what is owed */
    ready = count_ready(engine, now) + engine->slots_given.owed - left;
    return ready > 0 ? ready : 0;
}

int cly_engine_slots_wanted(cly_engine *engine) {
    engine->slots_asked = slots_wanted(engine);
    return engine->slots_asked;
}

void cly_engine_give_slot(cly_engine *engine, double at) {
    cly_slots_add(&engine->slots_given, at);
    if (engine->slots_asked > 0) engine->slots_asked--; /* one less is awaited: the next is news */
}

double cly_engine_take_pause(cly_engine *engine) {
    double seconds = engine->pause_to_tell;
    engine->pause_to_tell = 0;
    return seconds;
}

/* First what the network says, which may be that nothing is to start now. */
static void start_and_perform(cly_engine *engine) {
    double now = cly_clock_now();
    bool is_recent = now - engine->performed_at < recently;
    stop_late(engine, now);
    if (!is_recent) perform(engine);
    advance(engine);
    if (is_recent || engine->started > 0) perform(engine);
}

void cly_engine_step(cly_engine *engine, unsigned group, double max_wait, struct curl_waitfd *extra,
                     unsigned extra_count) {
    double wait;
    if (engine->multi == NULL) return;
    start_and_perform(engine);
    /* After the network, whose ends can make a call wait for its next attempt. */
    wait = advance(engine);
    if (first_done(engine, group) || max_wait <= 0 || slots_wanted(engine) > engine->slots_asked) return;
    if (wait > max_wait) wait = max_wait;
    /* Returns at once when a transfer was just added. */
    curl_multi_poll(engine->multi, extra, extra_count, milliseconds(wait), NULL);
    perform(engine);
    advance(engine);
}

void cly_engine_wakeup(cly_engine *engine) {
    if (engine->multi) curl_multi_wakeup(engine->multi);
}

/* ---- the callers' side ---- */

static bool fill(slot *taken, const cly_submission *submission) {
    cly_buffer_reset(&taken->url);
    cly_buffer_append(&taken->url, submission->url, strlen(submission->url) + 1);
    if (taken->url.state != CLY_BUFFER_FINE) return false;
    cly_buffer_reset(&taken->transfer.reply);
    cly_buffer_swap(&taken->body, submission->body);
    taken->method = submission->method;
    taken->owner = submission->owner;
    taken->number = submission->number;
    taken->group = submission->group;
    taken->is_detached = false;
    taken->traceparent[0] = '\0';
    if (submission->traceparent[0])
        snprintf(taken->traceparent, sizeof taken->traceparent, "traceparent: %s", submission->traceparent);
    return taken->url.state == CLY_BUFFER_FINE;
}

cly_kind cly_engine_submit(cly_engine *engine, cly_ticket *ticket, const cly_submission *submission,
                           cly_error *error) {
    slot *taken = engine->lists[PLACE_FREE].first;
    if (engine->multi == NULL) return cly_error_set(error, CLY_CLOSED, CLY_NOT_SENT, "the client is closed");
    if (taken == NULL)
        return cly_error_set(error, CLY_OVERLOADED, CLY_NOT_SENT, "%d calls are in flight (max_in_flight)",
                             engine->options.max_in_flight);
    if (!fill(taken, submission)) return cly_error_no_memory(error);
    taken->turn++;
    taken->ready_at = cly_clock_now();
    taken->is_throttled = false;
    cly_call_begin(&taken->call, submission->operation, submission->batch, submission->timeout,
                   submission->submitted_at);
    engine->stats.calls++;
    engine->stats.in_flight++;
    move(engine, taken, PLACE_READY);
    *ticket = ticket_of(engine, taken);
    return CLY_OK;
}

int cly_engine_in_flight(const cly_engine *engine) {
    return engine->stats.in_flight;
}

cly_ticket cly_engine_first_done(const cly_engine *engine, unsigned group) {
    const slot *done = first_done(engine, group);
    return done ? ticket_of(engine, done) : 0;
}

void cly_engine_detach_group(cly_engine *engine, unsigned group) {
    for (int i = 0; i < engine->options.max_in_flight; i++) {
        slot *of = &engine->slots[i];
        if (of->place == PLACE_FREE || of->group != group) continue;
        of->is_detached = true;
        if (of->place == PLACE_DONE) give_back(engine, of);
    }
}

bool cly_engine_is_done(const cly_engine *engine, cly_ticket ticket) {
    const slot *of = find(engine, ticket);
    return of && of->place == PLACE_DONE;
}

cly_call *cly_engine_call(const cly_engine *engine, cly_ticket ticket) {
    slot *of = find(engine, ticket);
    return of ? &of->call : NULL;
}

cly_transfer *cly_engine_transfer(const cly_engine *engine, cly_ticket ticket) {
    slot *of = find(engine, ticket);
    return of ? &of->transfer : NULL;
}

const char *cly_engine_http_version(const cly_engine *engine, cly_ticket ticket) {
    const slot *of = find(engine, ticket);
    return of && of->place == PLACE_DONE ? of->http_version : "";
}

void *cly_engine_owner(const cly_engine *engine, cly_ticket ticket) {
    const slot *of = find(engine, ticket);
    return of ? of->owner : NULL;
}

int cly_engine_slots(const cly_engine *engine) {
    return engine->options.max_in_flight;
}

bool cly_engine_look(const cly_engine *engine, int index, cly_handover *out) {
    static const cly_handover nothing = {0};
    const slot *of = &engine->slots[index];
    *out = nothing;
    if (of->place == PLACE_FREE) return false;
    out->ticket = ticket_of(engine, of);
    out->is_detached = of->is_detached;
    out->submission.operation = of->call.operation;
    out->submission.batch = of->call.batch;
    out->submission.submitted_at = of->call.started_at;
    out->submission.timeout = of->call.deadline - of->call.started_at;
    out->submission.number = of->number;
    out->submission.group = of->group;
    return true;
}

uint32_t cly_engine_turns(const cly_engine *engine) {
    uint32_t most = 0;
    for (int i = 0; i < engine->options.max_in_flight; i++)
        if (engine->slots[i].turn > most) most = engine->slots[i].turn;
    return most;
}

void cly_engine_assign(cly_engine *engine, cly_ticket ticket, void *owner, unsigned group) {
    slot *of = find(engine, ticket);
    if (of == NULL) return;
    of->owner = owner;
    of->group = group;
    of->is_detached = false;
}

bool cly_engine_has_room(const cly_engine *engine) {
    return engine->lists[PLACE_FREE].first != NULL;
}

void cly_engine_cancel(cly_engine *engine, cly_ticket ticket) {
    slot *of = find(engine, ticket);
    double now = cly_clock_now();
    if (of == NULL || of->place == PLACE_DONE) return;
    if (of->place != PLACE_FLYING) {
        cly_call_cancel(&of->call, now);
        end_call(engine, of);
        return;
    }
    stop(engine, of, CLY_END_CANCELED, now);
}

void cly_engine_release(cly_engine *engine, cly_ticket ticket) {
    slot *of = find(engine, ticket);
    if (of == NULL) return;
    cly_engine_cancel(engine, ticket);
    if (of->place == PLACE_DONE) give_back(engine, of);
}

cly_event_queue *cly_engine_events(cly_engine *engine) {
    return &engine->events;
}

cly_stats cly_engine_stats(const cly_engine *engine) {
    cly_stats stats = engine->stats;
    stats.events_lost = engine->events.lost;
    return stats;
}
