#include "io/client.h"

#include "core/request.h"
#include "io/clock.h"
#include "io/pin.h"
#include "io/process.h"
#include <stdio.h>

void cly_client_init(cly_client *client) {
    memset(client, 0, sizeof *client);
    cly_encoder_init(&client->encoder);
    cly_buffer_init(&client->url, CLY_URL_MAX);
}

/* Of which no call is: a step for it returns for its time alone. */
enum { NO_GROUP = 0x7fffffff };

static bool is_ours(const cly_client *client) {
    return client->generation == cly_process_generation();
}

/* What another process made is let go, before anything of it is touched. */
static void leave_parents(cly_client *client) {
    if (is_ours(client)) return;
    cly_courier_abandon(client->courier);
    cly_engine_abandon(client->engine);
    client->courier = NULL;
    client->engine = NULL;
}

static void forget_secrets(cly_client *client) {
    cly_profile_free(client->profile);
    client->profile = NULL;
    cly_encoder_clear(&client->encoder);
    cly_buffer_clear(&client->url);
}

static int drain_engine(cly_engine *engine, double seconds) {
    double until = cly_clock_now() + seconds;
    while (cly_engine_in_flight(engine) > 0 && cly_clock_now() < until)
        cly_engine_step(engine, NO_GROUP, until - cly_clock_now(), NULL, 0);
    return cly_engine_in_flight(engine);
}

int cly_client_drain(cly_client *client, double seconds) {
    leave_parents(client);
    if (client->courier) return cly_courier_drain(client->courier, seconds);
    return client->engine ? drain_engine(client->engine, seconds) : 0;
}

int cly_client_close(cly_client *client, double drain) {
    int ended = 0;
    if (client->is_closed) return 0;
    client->is_closed = true;
    leave_parents(client);
    if (client->courier) ended = cly_courier_stop(client->courier, drain);
    /* In the caller's thread the calls only move while it waits for them. */
    if (client->engine) ended = drain_engine(client->engine, drain);
    if (client->engine) cly_engine_stop(client->engine);
    forget_secrets(client);
    return ended;
}

/* Nobody is left to whom it could be returned. */
static void tell_collected(int ended) {
    if (ended == 0) return;
    fprintf(stderr, "connectly: a client was collected with %d calls under way; they may have arrived\n",
            ended);
}

void cly_client_clear(cly_client *client) {
    cly_client_close(client, 0);
    forget_secrets(client); /* again: a message that was being read may have grown the encoder since */
    leave_parents(client);
    cly_courier_free(client->courier);
    cly_engine_free(client->engine);
    client->courier = NULL;
    client->engine = NULL;
}

/* From the courier's thread, when there is nothing left that borrows the profile. */
static void end_left(void *profile, int ended) {
    tell_collected(ended);
    cly_profile_free(profile);
}

static void leave_courier(cly_client *client, double seconds) {
    cly_courier *courier = client->courier;
    cly_profile *profile = client->profile;
    client->courier = NULL;
    client->profile = NULL;
    client->is_closed = true;
    cly_courier_leave(courier, seconds, end_left, profile);
}

void cly_client_leave(cly_client *client, double seconds) {
    leave_parents(client);
    if (client->profile && seconds > client->profile->config.timeout)
        seconds = client->profile->config.timeout;
    if (client->courier && !client->is_closed)
        leave_courier(client, seconds);
    else
        tell_collected(cly_client_close(client, seconds));
    cly_client_clear(client);
}

cly_kind cly_client_read(cly_client *client, const cly_source *source, cly_value options, cly_error *error) {
    client->profile = cly_profile_new();
    if (client->profile == NULL) return cly_error_no_memory(error);
    return cly_profile_read(client->profile, source, options, &client->encoder.problems, error);
}

const cly_config *cly_client_config(const cly_client *client) {
    return client->profile ? &client->profile->config : NULL;
}

static cly_kind open_engine(cly_client *client, cly_error *error) {
    cly_engine_options options;
    cly_kind kind = cly_profile_lend(client->profile, &options, error);
    if (kind != CLY_OK) return kind;
    options.wants_events = client->wants_events;
    options.is_shared = client->is_limiter_shared;
    options.first_turn = client->turns;
    client->generation = cly_process_generation();
    cly_pin_module();
    return cly_engine_new(&client->engine, &options, error);
}

/* The engine or courier that takes a call now. */
static cly_kind ready(cly_client *client, cly_error *error) {
    leave_parents(client);
    return client->courier || client->engine ? CLY_OK : open_engine(client, error);
}

enum { MAILBOX_BEYOND_FLIGHT = 1024 };

cly_kind cly_client_start_courier(cly_client *client, cly_error *error) {
    cly_kind kind = ready(client, error);
    if (kind != CLY_OK || client->courier) return kind;
    kind = cly_courier_new(&client->courier, client->engine,
                           client->profile->config.max_in_flight + MAILBOX_BEYOND_FLIGHT, error);
    if (kind == CLY_OK) client->engine = NULL;
    return kind;
}

cly_kind cly_client_submit(cly_client *client, const cly_operation *operation, unsigned group,
                           cly_ticket *ticket, cly_error *error) {
    cly_submission submission;
    const cly_config *config = &client->profile->config;
    cly_kind kind = ready(client, error);
    if (kind == CLY_OK)
        kind = cly_request_url(&client->url, config->base_url, config->business_id, client->encoder.path.data,
                               error);
    if (kind != CLY_OK) return kind;
    submission.operation =
        cly_operation_by_request(operation, client->encoder.method, client->encoder.path.data);
    submission.method = client->encoder.method;
    submission.url = client->url.data;
    submission.traceparent = client->encoder.traceparent;
    submission.body = &client->encoder.body;
    submission.batch = client->encoder.batch;
    submission.timeout = config->timeout;
    submission.submitted_at = cly_clock_now();
    submission.owner = NULL;
    submission.number = ++client->calls;
    submission.group = group;
    kind = client->courier ? cly_courier_submit(client->courier, ticket, &submission, error)
                           : cly_engine_submit(client->engine, ticket, &submission, error);
    if (kind == CLY_OK && cly_ticket_turn(*ticket) > client->turns) client->turns = cly_ticket_turn(*ticket);
    return kind;
}

void cly_client_step(cly_client *client, unsigned group, double seconds) {
    leave_parents(client);
    if (client->courier)
        cly_courier_wait(client->courier, group, seconds);
    else if (client->engine)
        cly_engine_step(client->engine, group, seconds, NULL, 0);
}

void cly_client_step_for(cly_client *client, cly_ticket ticket, double seconds) {
    leave_parents(client);
    if (client->courier)
        cly_courier_wait_for(client->courier, ticket, seconds);
    else if (client->engine && !cly_engine_is_done(client->engine, ticket))
        cly_engine_step(client->engine, 0, seconds, NULL, 0);
}

bool cly_client_is_known(cly_client *client, cly_ticket ticket) {
    leave_parents(client);
    if (client->courier) return cly_courier_is_known(client->courier, ticket);
    return client->engine && cly_engine_call(client->engine, ticket) != NULL;
}

bool cly_client_is_done(cly_client *client, cly_ticket ticket) {
    leave_parents(client);
    if (client->courier) return cly_courier_is_done(client->courier, ticket);
    return client->engine && cly_engine_is_done(client->engine, ticket);
}

cly_ticket cly_client_first_done(cly_client *client, unsigned group) {
    leave_parents(client);
    if (client->courier) return cly_courier_first_done(client->courier, group);
    return client->engine ? cly_engine_first_done(client->engine, group) : 0;
}

bool cly_client_result(cly_client *client, cly_ticket ticket, cly_result *result) {
    const cly_transfer *transfer;
    if (!cly_client_is_done(client, ticket)) return false;
    if (client->courier) return cly_courier_result(client->courier, ticket, result);
    transfer = cly_engine_transfer(client->engine, ticket);
    result->call = cly_engine_call(client->engine, ticket);
    result->reply = &transfer->reply;
    result->http_version = cly_engine_http_version(client->engine, ticket);
    return true;
}

void cly_client_cancel(cly_client *client, cly_ticket ticket) {
    leave_parents(client);
    if (client->courier)
        cly_courier_cancel(client->courier, ticket);
    else if (client->engine)
        cly_engine_cancel(client->engine, ticket);
}

void cly_client_release(cly_client *client, cly_ticket ticket) {
    leave_parents(client);
    if (client->courier)
        cly_courier_release(client->courier, ticket);
    else if (client->engine)
        cly_engine_release(client->engine, ticket);
}

void cly_client_detach(cly_client *client, cly_ticket ticket) {
    leave_parents(client);
    if (client->courier) cly_courier_detach(client->courier, ticket);
}

void cly_client_detach_group(cly_client *client, unsigned group) {
    leave_parents(client);
    if (client->courier)
        cly_courier_detach_group(client->courier, group);
    else if (client->engine)
        cly_engine_detach_group(client->engine, group);
}

bool cly_client_take_event(cly_client *client, cly_event *event) {
    leave_parents(client);
    if (client->courier) return cly_courier_take_event(client->courier, event);
    return client->engine && cly_event_take(cly_engine_events(client->engine), event);
}

cly_stats cly_client_stats(cly_client *client) {
    cly_stats none = {0};
    leave_parents(client);
    if (client->courier) return cly_courier_stats(client->courier);
    return client->engine ? cly_engine_stats(client->engine) : none;
}

int cly_client_in_flight(cly_client *client) {
    return cly_client_stats(client).in_flight;
}

cly_courier *cly_client_courier(cly_client *client) {
    leave_parents(client);
    return client->courier;
}

bool cly_client_has_room(cly_client *client) {
    leave_parents(client);
    if (client->courier) return cly_courier_has_room(client->courier);
    return client->engine == NULL || cly_engine_has_room(client->engine);
}

int cly_client_slots_wanted(cly_client *client) {
    leave_parents(client);
    if (client->courier) return cly_courier_slots_wanted(client->courier);
    return client->engine ? cly_engine_slots_wanted(client->engine) : 0;
}

void cly_client_give_slot(cly_client *client, double at) {
    leave_parents(client);
    if (client->courier)
        cly_courier_give_slot(client->courier, at);
    else if (client->engine)
        cly_engine_give_slot(client->engine, at);
}

double cly_client_take_pause(cly_client *client) {
    leave_parents(client);
    if (client->courier) return cly_courier_take_pause(client->courier);
    return client->engine ? cly_engine_take_pause(client->engine) : 0;
}
