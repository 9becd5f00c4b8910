#include "io/client.h"

#include "core/api/request.h"
#include "io/system/clock.h"
#include "io/system/process.h"
#include <stdio.h>

void cly_client_init(cly_client *client) {
    memset(client, 0, sizeof *client);
    cly_encoder_init(&client->encoder);
    cly_buffer_init(&client->url, CLY_URL_MAX);
}

static bool is_ours(const cly_client *client) {
    return client->process == cly_process_generation();
}

/* In a child after a fork: gives up the parent's engine without touching it, because closing its
 * connections would write to the parent's sockets. */
static void leave_parents(cly_client *client) {
    if (is_ours(client)) return;
    cly_worker_abandon(client->worker);
    client->worker = NULL;
    client->engine = NULL;
}

static void forget_secrets(cly_client *client) {
    cly_settings_free(client->settings);
    client->settings = NULL;
    cly_encoder_clear(&client->encoder);
    cly_buffer_clear(&client->url);
}

static int under_way(cly_engine *engine) {
    return cly_call_table_stats(cly_engine_calls(engine)).in_flight;
}

/* Without a worker, calls make progress only while the caller waits for them. */
static int drain_engine(cly_engine *engine, double seconds) {
    double until = cly_clock_now() + seconds;
    while (under_way(engine) > 0 && cly_clock_now() < until)
        cly_engine_step(engine, CLY_NO_GROUP, until - cly_clock_now(), NULL, 0);
    return under_way(engine);
}

int cly_client_drain(cly_client *client, double seconds) {
    leave_parents(client);
    if (client->worker) return cly_worker_drain(client->worker, seconds);
    return client->engine ? drain_engine(client->engine, seconds) : 0;
}

static int stop(cly_client *client, double drain) {
    int ended;
    if (client->worker) return cly_worker_stop(client->worker, drain);
    if (client->engine == NULL) return 0;
    ended = drain_engine(client->engine, drain);
    cly_engine_stop(client->engine);
    return ended;
}

int cly_client_close(cly_client *client, double drain) {
    int ended;
    if (client->is_closed) return 0;
    client->is_closed = true;
    leave_parents(client);
    ended = stop(client, drain);
    forget_secrets(client);
    return ended;
}

/* Reports on stderr, because there is no caller to return the number to. */
static void tell_collected(int ended) {
    if (ended == 0) return;
    fprintf(stderr, "connectly: a client was collected with %d calls under way; they may have arrived\n",
            ended);
}

void cly_client_clear(cly_client *client) {
    cly_client_close(client, 0);
    forget_secrets(client); /* again: reading a message may have filled the encoder since */
    leave_parents(client);
    if (client->worker)
        cly_worker_free(client->worker);
    else
        cly_engine_free(client->engine);
    client->worker = NULL;
    client->engine = NULL;
}

/* Called in the worker's thread when nothing borrows the settings any more. */
static void end_left(void *settings, int ended) {
    tell_collected(ended);
    cly_settings_free(settings);
}

static void leave_worker(cly_client *client, double seconds) {
    cly_worker *worker = client->worker;
    cly_settings *settings = client->settings;
    client->worker = NULL;
    client->engine = NULL;
    client->settings = NULL;
    client->is_closed = true;
    cly_worker_leave(worker, seconds, end_left, settings);
}

void cly_client_leave(cly_client *client, double seconds) {
    leave_parents(client);
    if (client->settings && seconds > client->settings->config.timeout)
        seconds = client->settings->config.timeout;
    if (client->worker && !client->is_closed)
        leave_worker(client, seconds);
    else
        tell_collected(cly_client_close(client, seconds));
    cly_client_clear(client);
}

cly_kind cly_client_read(cly_client *client, const cly_source *source, cly_value options, cly_error *error) {
    client->settings = cly_settings_new();
    if (client->settings == NULL) return cly_error_no_memory(error);
    return cly_settings_read(client->settings, source, options, &client->encoder.problems, error);
}

const cly_config *cly_client_config(const cly_client *client) {
    return client->settings ? &client->settings->config : NULL;
}

static cly_kind open_engine(cly_client *client, cly_error *error) {
    cly_engine_options options;
    cly_kind kind = cly_settings_lend(client->settings, &options, error);
    if (kind != CLY_OK) return kind;
    options.wants_events = client->wants_events;
    options.is_shared = client->is_limiter_shared;
    options.first_generation = client->ticket_generation;
    client->process = cly_process_generation();
    return cly_engine_new(&client->engine, &options, error);
}

cly_kind cly_client_open(cly_client *client, cly_error *error) {
    leave_parents(client);
    return client->engine ? CLY_OK : open_engine(client, error);
}

cly_kind cly_client_start_worker(cly_client *client, cly_error *error) {
    cly_kind kind = cly_client_open(client, error);
    if (kind != CLY_OK || client->worker) return kind;
    return cly_worker_new(&client->worker, client->engine, error);
}

static cly_submission submission_of(cly_client *client, const cly_operation *operation, unsigned group) {
    cly_submission submission;
    submission.operation =
        cly_operation_by_request(operation, client->encoder.method, client->encoder.path.data);
    submission.method = client->encoder.method;
    submission.url = client->url.data;
    submission.traceparent = client->encoder.traceparent;
    submission.body = &client->encoder.body;
    submission.batch = client->encoder.batch;
    submission.timeout = client->settings->config.timeout;
    submission.submitted_at = cly_clock_now();
    submission.number = ++client->calls;
    submission.group = group;
    return submission;
}

cly_kind cly_client_submit(cly_client *client, const cly_operation *operation, unsigned group,
                           cly_ticket *ticket, cly_error *error) {
    cly_submission submission;
    const cly_config *config = &client->settings->config;
    cly_kind kind = cly_client_open(client, error);
    if (kind == CLY_OK)
        kind = cly_request_url(&client->url, config->base_url, config->business_id, client->encoder.path.data,
                               error);
    if (kind != CLY_OK) return kind;
    submission = submission_of(client, operation, group);
    kind = cly_call_table_submit(cly_engine_calls(client->engine), ticket, &submission, error);
    if (kind == CLY_OK && cly_ticket_generation(*ticket) > client->ticket_generation)
        client->ticket_generation = cly_ticket_generation(*ticket);
    return kind;
}

void cly_client_step(cly_client *client, unsigned group, double seconds) {
    leave_parents(client);
    if (client->worker)
        cly_worker_wait(client->worker, group, seconds);
    else if (client->engine)
        cly_engine_step(client->engine, group, seconds, NULL, 0);
}

void cly_client_step_for(cly_client *client, cly_ticket ticket, double seconds) {
    leave_parents(client);
    if (client->worker)
        cly_worker_wait_for(client->worker, ticket, seconds);
    else if (client->engine && !cly_call_table_is_done(cly_engine_calls(client->engine), ticket))
        cly_engine_step_for(client->engine, ticket, seconds);
}

void cly_client_cancel(cly_client *client, cly_ticket ticket) {
    cly_call_table_cancel(cly_client_calls(client), ticket);
    if (client->engine && client->worker == NULL) cly_engine_end_canceled(client->engine);
}

void cly_client_release(cly_client *client, cly_ticket ticket) {
    cly_call_table_release(cly_client_calls(client), ticket);
    if (client->engine && client->worker == NULL) cly_engine_end_canceled(client->engine);
}

cly_call_table *cly_client_calls(cly_client *client) {
    leave_parents(client);
    return client->engine ? cly_engine_calls(client->engine) : NULL;
}

cly_engine *cly_client_engine(cly_client *client) {
    leave_parents(client);
    return client->engine;
}

cly_worker *cly_client_worker(cly_client *client) {
    leave_parents(client);
    return client->worker;
}
