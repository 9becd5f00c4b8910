#include "io/engine.h"

#include "io/clock.h"
#include <stdlib.h>

typedef enum slot_state { SLOT_FREE, SLOT_ACTIVE, SLOT_DONE } slot_state;

typedef struct slot {
    slot_state state;
    uint32_t turn;                /* counts uses, so that an old ticket is noticed */
    struct slot *previous, *next; /* in the list of those done, or free */
    cly_call call;
    cly_transfer transfer;
    cly_buffer body, url;
    const char *method;
} slot;

struct cly_engine {
    CURLM *multi;
    cly_engine_options options;
    slot *slots;
    slot *free;
    slot *first_done, *last_done;
    int in_flight;
};

enum { INDEX_BITS = 16, URL_MAX = 64 * 1024, BODY_MAX = 1024 * 1024, STREAMS_MAX = 100 };

/* ---- slots and tickets ---- */

static cly_ticket ticket_of(const cly_engine *engine, const slot *of) {
    return (cly_ticket)of->turn << INDEX_BITS | (cly_ticket)(of - engine->slots);
}

static slot *find(const cly_engine *engine, cly_ticket ticket) {
    size_t index = (size_t)(ticket & ((1u << INDEX_BITS) - 1));
    slot *found;
    if (index >= (size_t)engine->options.max_in_flight) return NULL;
    found = &engine->slots[index];
    return found->state != SLOT_FREE && ticket_of(engine, found) == ticket ? found : NULL;
}

static slot *take_free(cly_engine *engine) {
    slot *taken = engine->free;
    if (taken == NULL) return NULL;
    engine->free = taken->next;
    taken->next = NULL;
    taken->turn++;
    taken->state = SLOT_ACTIVE;
    engine->in_flight++;
    return taken;
}

static void append_done(cly_engine *engine, slot *done) {
    done->state = SLOT_DONE;
    done->next = NULL;
    done->previous = engine->last_done;
    if (engine->last_done)
        engine->last_done->next = done;
    else
        engine->first_done = done;
    engine->last_done = done;
    engine->in_flight--;
}

static void unlink_done(cly_engine *engine, slot *done) {
    if (done->previous)
        done->previous->next = done->next;
    else
        engine->first_done = done->next;
    if (done->next)
        done->next->previous = done->previous;
    else
        engine->last_done = done->previous;
}

static void init_slot(slot *fresh) {
    cly_call_init(&fresh->call);
    cly_transfer_init(&fresh->transfer);
    cly_buffer_init(&fresh->body, BODY_MAX);
    cly_buffer_init(&fresh->url, URL_MAX);
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
    for (int i = count - 1; i >= 0; i--) {
        init_slot(&engine->slots[i]);
        engine->slots[i].next = engine->free;
        engine->free = &engine->slots[i];
    }
    return true;
}

cly_kind cly_engine_new(cly_engine **out, const cly_engine_options *options, cly_error *error) {
    cly_engine *engine = calloc(1, sizeof *engine);
    *out = NULL;
    if (engine == NULL) return cly_error_no_memory(error);
    engine->options = *options;
    /* Counted by libcurl: each of ours is undone in cly_engine_free. */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(engine);
        return cly_error_no_memory(error);
    }
    engine->multi = curl_multi_init();
    if (engine->multi == NULL || !set_limits(engine->multi, options) || !make_slots(engine)) {
        cly_engine_free(engine);
        return cly_error_no_memory(error);
    }
    *out = engine;
    return CLY_OK;
}

void cly_engine_free(cly_engine *engine) {
    if (engine == NULL) return;
    for (int i = 0; engine->slots && i < engine->options.max_in_flight; i++) {
        slot *old = &engine->slots[i];
        if (old->state == SLOT_ACTIVE) curl_multi_remove_handle(engine->multi, old->transfer.easy);
        clear_slot(old);
    }
    if (engine->multi) curl_multi_cleanup(engine->multi);
    free(engine->slots);
    free(engine);
    curl_global_cleanup();
}

void cly_engine_abandon(cly_engine *engine) {
    if (engine == NULL) return;
    for (int i = 0; i < engine->options.max_in_flight; i++) {
        slot *old = &engine->slots[i];
        bool is_libcurls = old->state == SLOT_ACTIVE; /* it still reads body and reply */
        old->transfer.easy = NULL;
        if (!is_libcurls) clear_slot(old);
    }
}

/* ---- carrying ---- */

static void conclude(cly_engine *engine, slot *ended, const cly_report *report, double now) {
    cly_call_report(&ended->call, report, engine->options.secret, now);
    append_done(engine, ended);
}

static void fail_unsent(cly_engine *engine, slot *failed, double now) {
    cly_report report = {CLY_END_NO_MEMORY, false, 0, -1, NULL, NULL, 0};
    conclude(engine, failed, &report, now);
}

static void start_attempt(cly_engine *engine, slot *starting, double now) {
    cly_transfer_request request;
    request.method = starting->method;
    request.url = starting->url.data;
    request.body = starting->body.data;
    request.length = starting->body.length;
    request.may_repeat = starting->call.operation->is_idempotent;
    request.timeout = starting->call.deadline - now;
    if (!cly_transfer_prepare(&starting->transfer, &engine->options.settings, &request, starting, now) ||
        curl_multi_add_handle(engine->multi, starting->transfer.easy) != CURLM_OK)
        fail_unsent(engine, starting, now);
}

static void advance(cly_engine *engine, slot *active, double now) {
    switch (cly_call_next(&active->call, now)) {
    case CLY_STEP_SEND: start_attempt(engine, active, now); break;
    case CLY_STEP_DONE: append_done(engine, active); break;
    case CLY_STEP_WAIT: break;
    }
}

cly_kind cly_engine_submit(cly_engine *engine, cly_ticket *ticket, const cly_submission *submission,
                           double now, cly_error *error) {
    slot *taken = take_free(engine);
    if (taken == NULL)
        return cly_error_set(error, CLY_OVERLOADED, CLY_NOT_SENT, "%d calls are in flight (max_in_flight)",
                             engine->options.max_in_flight);
    cly_buffer_swap(&taken->body, submission->body);
    cly_buffer_reset(&taken->url);
    cly_buffer_append(&taken->url, submission->url, strlen(submission->url) + 1);
    taken->method = submission->method;
    cly_call_begin(&taken->call, submission->operation, submission->timeout, now);
    if (taken->url.state != CLY_BUFFER_FINE) {
        taken->call.state = CLY_CALL_SENT;
        fail_unsent(engine, taken, now);
    } else {
        advance(engine, taken, now);
    }
    *ticket = ticket_of(engine, taken);
    return CLY_OK;
}

static void collect_ended(cly_engine *engine) {
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(engine->multi, &left)) != NULL) {
        slot *ended = NULL;
        CURLcode code = message->data.result;
        CURL *easy = message->easy_handle;
        cly_report report;
        double now = cly_clock_now();
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&ended);
        report = cly_transfer_report(&ended->transfer, code, now);
        curl_multi_remove_handle(engine->multi, easy);
        conclude(engine, ended, &report, now);
    }
}

static void perform(cly_engine *engine) {
    int running = 0;
    curl_multi_perform(engine->multi, &running);
    collect_ended(engine);
}

void cly_engine_step(cly_engine *engine, double max_wait) {
    if (engine->in_flight > 0) perform(engine);
    if (engine->first_done || engine->in_flight == 0 || max_wait <= 0) return;
    curl_multi_poll(engine->multi, NULL, 0, (int)(max_wait * 1000), NULL);
    perform(engine);
}

int cly_engine_in_flight(const cly_engine *engine) {
    return engine->in_flight;
}

cly_ticket cly_engine_first_done(const cly_engine *engine) {
    return engine->first_done ? ticket_of(engine, engine->first_done) : 0;
}

bool cly_engine_is_done(const cly_engine *engine, cly_ticket ticket) {
    const slot *of = find(engine, ticket);
    return of && of->state == SLOT_DONE;
}

const cly_call *cly_engine_call(const cly_engine *engine, cly_ticket ticket) {
    const slot *of = find(engine, ticket);
    return of ? &of->call : NULL;
}

const cly_transfer *cly_engine_transfer(const cly_engine *engine, cly_ticket ticket) {
    const slot *of = find(engine, ticket);
    return of ? &of->transfer : NULL;
}

void cly_engine_cancel(cly_engine *engine, cly_ticket ticket, double now) {
    slot *of = find(engine, ticket);
    cly_report report;
    if (of == NULL || of->state != SLOT_ACTIVE) return;
    report = cly_transfer_cancel(&of->transfer);
    curl_multi_remove_handle(engine->multi, of->transfer.easy);
    conclude(engine, of, &report, now);
}

void cly_engine_release(cly_engine *engine, cly_ticket ticket) {
    slot *of = find(engine, ticket);
    if (of == NULL) return;
    cly_engine_cancel(engine, ticket, cly_clock_now());
    unlink_done(engine, of);
    of->state = SLOT_FREE;
    of->previous = NULL;
    of->next = engine->free;
    engine->free = of;
}
