#include "io/engine.h"

#include "core/call/attempts.h"
#include "core/connect/hangs.h"
#include "io/system/clock.h"
#include "io/curl/cork.h"
#include "io/curl/connect_failure.h"
#include "io/curl/libcurl.h"
#include "io/system/process.h"
#include "io/system/sigpipe.h"
#include <math.h>
#include <stdlib.h>

/* The table's lock guards the attempts too. */
struct cly_engine {
    CURLM *multi;
    cly_engine_options options;
    cly_call_table *table;
    cly_records *records; /* of the table */
    cly_attempts attempts;
    int room; /* attempts that could start at once, at the last check */
    /* Only the thread that makes the steps uses the rest. */
    cly_transfer_host host;
    cly_pools pools;
    cly_connections connections;
    cly_ca_store ca_store;
    cly_cork cork;
    cly_hangs hangs;
    cly_transfer_list idle, starting, running, ended;
    double performed_at; /* end of libcurl's last turn */
    double overdue_at;   /* no attempt under way is overdue before this time */
    unsigned turn;       /* number of libcurl's next turn */
    int added;           /* handles added for that turn */
    bool has_issued;     /* a request was issued since the calls were last advanced */
    bool raises_sigpipe; /* the running libcurl does, in the thread that makes the steps */
    int idle_turns;      /* consecutive turns after a wait that ended at once and in which no attempt ended */
};

/* With a worker: how many calls beyond max_in_flight may be queued, or ended and not yet released. */
enum { CALLS_BEYOND_FLIGHT = 1024 };

/* If libcurl had a turn less than this ago, attempts start before its next turn: a turn without news
 * costs a system call for each call under way. */
static const double recently = 0.005;

/* The longest wait while attempts are under way: libcurl, at times with TLS, has read data that it has
 * not processed yet, and no descriptor reports those. */
static const double longest_wait = 0.5;

/* When attempts without a connection are checked for hangs: first and from then on, in seconds. */
static const double first_look = 1, next_look = 0.1;

/* ---- making and freeing ---- */

/* Up to 8.14 libcurl makes a multi even if no descriptor is free for waking it up. Its wait could then
 * not be interrupted. */
static cly_kind make_multi(cly_engine *engine, cly_error *error) {
    engine->multi = cly_libcurl_new_multi(engine->options.max_connections);
    if (engine->multi && curl_multi_wakeup(engine->multi) == CURLM_OK) return CLY_OK;
    if (engine->multi == NULL && !cly_connect_failure_lacks_descriptors()) return cly_error_no_memory(error);
    return cly_error_set(error, CLY_OVERLOADED, CLY_NOT_SENT, "no file descriptor is free");
}

static cly_kind make_table(cly_engine *engine, cly_error *error) {
    const cly_engine_options *options = &engine->options;
    engine->table =
        cly_call_table_new(options->max_in_flight, options->max_in_flight,
                           options->max_in_flight + CALLS_BEYOND_FLIGHT, options->first_generation);
    if (engine->table == NULL) return cly_error_no_memory(error);
    engine->records = &engine->table->records;
    engine->records->events.is_wanted = options->wants_events;
    engine->table->wake = cly_engine_wakeup;
    engine->table->engine = engine;
    engine->attempts.records = engine->records;
    engine->attempts.pools = &engine->pools;
    return CLY_OK;
}

/* libcurl issues the request. Called during its turn, without the lock. */
static void issued(void *context, cly_transfer *transfer, double now) {
    cly_engine *engine = context;
    engine->has_issued = true;
    if (transfer->is_opening) {
        cly_hangs_connected(&engine->hangs, transfer->start.began_at, now);
        engine->overdue_at = now; /* others may hang */
    }
    cly_call_table_lock(engine->table);
    cly_attempts_issued(&engine->attempts, transfer->record, &transfer->start, now);
    cly_call_table_unlock(engine->table);
}

static void set_parts(cly_engine *engine) {
    const cly_engine_options *options = &engine->options;
    const cly_pools_options pools = {options->max_connections,
                                     options->max_connection_age,
                                     options->settings.http2 && !options->settings.is_plain,
                                     {cly_connections_open_share, cly_connections_close_share,
                                      cly_connections_alive, &engine->connections}};
    const cly_transfer_host host = {&engine->pools,
                                    &engine->connections,
                                    &engine->ca_store,
                                    cly_libcurl_running_faults().needs_room,
                                    issued,
                                    engine};
    engine->attempts.rules.policy.max_attempts = options->max_attempts;
    engine->attempts.rules.policy.retry_unknown = options->retry_unknown;
    engine->attempts.rules.quota = cly_retry_quota_make();
    engine->attempts.rules.secret = options->secret;
    engine->attempts.random = cly_random_make(cly_clock_seed());
    engine->overdue_at = HUGE_VAL;
    engine->raises_sigpipe = cly_libcurl_running_faults().raises_sigpipe;
    engine->host = host;
    cly_connections_init(&engine->connections, options->settings.ca_paths->has_tls_proxy);
    cly_pools_init(&engine->pools, &pools);
    engine->room = cly_pools_room(&engine->pools);
    cly_ca_store_init(&engine->ca_store, options->settings.ca_paths);
    cly_cork_init(&engine->cork, &engine->connections);
}

cly_kind cly_engine_new(cly_engine **out, const cly_engine_options *options, cly_error *error) {
    cly_engine *engine = calloc(1, sizeof *engine);
    cly_kind kind;
    *out = NULL;
    if (engine == NULL) return cly_error_no_memory(error);
    engine->options = *options;
    set_parts(engine);
    kind = cly_libcurl_start() ? CLY_OK : cly_error_no_memory(error);
    if (kind == CLY_OK) kind = make_table(engine, error);
    if (kind == CLY_OK)
        kind = cly_departures_init(&engine->attempts.departures, options->rate, options->is_shared, error);
    if (kind == CLY_OK) kind = make_multi(engine, error);
    if (kind != CLY_OK) cly_engine_free(engine);
    *out = kind == CLY_OK ? engine : NULL;
    return kind;
}

cly_call_table *cly_engine_calls(cly_engine *engine) {
    return engine->table;
}

static cly_sigpipe enter_libcurl(const cly_engine *engine) {
    cly_process_enter();
    return cly_sigpipe_hold(engine->raises_sigpipe);
}

static void leave_libcurl(cly_sigpipe held) {
    cly_sigpipe_release(held);
    cly_process_leave();
}

static void close_all(cly_engine *engine) {
    cly_sigpipe held = enter_libcurl(engine);
    cly_transfer_free_all(&engine->idle);
    cly_pools_clear(&engine->pools); /* no handle uses a share any more */
    curl_multi_cleanup(engine->multi);
    engine->multi = NULL;
    leave_libcurl(held);
}

void cly_engine_stop(cly_engine *engine) {
    if (engine->multi == NULL) return;
    cly_call_table_lock(engine->table);
    engine->records->is_closed = true;
    cly_records_cancel_all(engine->records, cly_clock_now());
    engine->table->wake = NULL;
    cly_call_table_unlock(engine->table);
    cly_engine_end_canceled(engine);
    close_all(engine);
}

void cly_engine_free(cly_engine *engine) {
    if (engine == NULL) return;
    if (engine->table) cly_engine_stop(engine);
    if (engine->multi) close_all(engine);
    cly_departures_clear(&engine->attempts.departures);
    cly_call_table_free(engine->table);
    free(engine);
}

/* The caller holds the lock. */
static void conclude(cly_engine *engine, cly_transfer *transfer, double now) {
    cly_attempt attempt = {.record = transfer->record,
                           .start = transfer->start,
                           .report = &transfer->report,
                           .reply = &transfer->reply,
                           .http_version = cly_transfer_http_version(transfer),
                           .is_issued = transfer->is_issued,
                           .is_turned_away = transfer->is_turned_away};
    if (engine->records->events.is_wanted) attempt.phases = cly_transfer_phases(transfer);
    cly_attempts_ended(&engine->attempts, &attempt, now);
}

static void conclude_all(cly_engine *engine, double now) {
    while (engine->ended.first) {
        cly_transfer *transfer = cly_transfer_detach(&engine->ended, engine->ended.first);
        conclude(engine, transfer, now);
        cly_transfer_append(&engine->idle, transfer);
    }
}

/* ---- stopping attempts, without the lock ---- */

static void end_attempt(cly_engine *engine, cly_transfer *transfer, double now) {
    cly_pools_ended(&engine->pools, transfer->start.pool, transfer->is_issued, now);
    cly_transfer_append(&engine->ended, cly_transfer_detach(&engine->running, transfer));
}

static void stop(cly_engine *engine, cly_transfer *transfer, cly_end end, double now) {
    curl_multi_remove_handle(engine->multi, transfer->easy);
    cly_transfer_stop(transfer, end);
    end_attempt(engine, transfer, now);
}

static void note_silence(cly_engine *engine, const cly_transfer *transfer, double now) {
    double since = transfer->start.began_at;
    double silence = cly_connections_silence(cly_transfer_connection(transfer), since, now);
    cly_pools_timed_out(&engine->pools, transfer->start.pool, silence, now - since, now);
}

static void stop_late(cly_engine *engine, cly_transfer *transfer, double now) {
    bool has_time = now < transfer->request.deadline;
    if (transfer->is_issued) note_silence(engine, transfer, now);
    stop(engine, transfer, has_time ? CLY_END_UNREACHED : CLY_END_TIMEOUT, now);
}

static double deadline_of(const cly_transfer *transfer) {
    const cly_transfer_request *request = &transfer->request;
    return transfer->is_issued ? request->deadline : fmin(request->deadline, request->connect_deadline);
}

static void look_later(cly_engine *engine, const cly_transfer *transfer, double look_at) {
    double deadline = deadline_of(transfer);
    engine->overdue_at = fmin(engine->overdue_at, transfer->is_issued ? deadline : fmin(deadline, look_at));
}

static void add(cly_engine *engine, cly_transfer *transfer, bool is_ready, double now) {
    cly_transfer_append(&engine->running, transfer);
    look_later(engine, transfer, now + first_look);
    engine->added++;
    transfer->turn = engine->turn;
    if (is_ready && curl_multi_add_handle(engine->multi, transfer->easy) == CURLM_OK) return;
    engine->added--;
    cly_transfer_stop(transfer, CLY_END_NO_MEMORY);
    end_attempt(engine, transfer, now);
}

/* Nothing was sent: the attempt is made again at once, with the same permit. */
static void launch_again(cly_engine *engine, cly_transfer *transfer, bool is_fresh, double now) {
    add(engine, cly_transfer_detach(&engine->running, transfer),
        cly_transfer_prepare_again(transfer, is_fresh, now), now);
}

/* Its request was not issued: the same attempt continues on another connection. */
static void restart(cly_engine *engine, cly_transfer *transfer, double now) {
    curl_multi_remove_handle(engine->multi, transfer->easy);
    cly_hangs_restarted(&engine->hangs, now);
    launch_again(engine, transfer, false, now);
}

static double restart_at(const cly_engine *engine, const cly_transfer *transfer, bool is_oldest) {
    return cly_hangs_restart_at(&engine->hangs, transfer->start.began_at, transfer->request.connect_deadline,
                                is_oldest);
}

/* If an attempt may be overdue, which is rare, checks all of them, the oldest first. */
static void stop_overdue(cly_engine *engine, double now) {
    bool is_oldest = true; /* of the attempts whose connection is being opened */
    cly_transfer *next;
    if (now < engine->overdue_at) return;
    engine->overdue_at = HUGE_VAL;
    for (cly_transfer *transfer = engine->running.first; transfer; transfer = next) {
        bool is_opening = transfer->is_opening && !transfer->is_issued;
        next = transfer->next;
        if (deadline_of(transfer) <= now)
            stop_late(engine, transfer, now);
        else if (is_opening && restart_at(engine, transfer, is_oldest) <= now)
            restart(engine, transfer, now);
        else
            look_later(engine, transfer, now + next_look);
        if (is_opening) is_oldest = false;
    }
}

/* The caller holds the lock, because other threads cancel calls. */
static void mark_canceled(cly_engine *engine) {
    for (cly_transfer *transfer = engine->running.first; transfer; transfer = transfer->next)
        transfer->is_canceled = transfer->record->is_canceled;
}

/* A request that is canceled after this time counts as timed out for its pool. */
static const double long_wait = 1; /* seconds */

static void stop_canceled(cly_engine *engine, double now) {
    cly_transfer *next;
    for (cly_transfer *transfer = engine->running.first; transfer; transfer = next) {
        next = transfer->next;
        if (!transfer->is_canceled) continue;
        if (transfer->is_issued && now - transfer->start.began_at >= long_wait)
            note_silence(engine, transfer, now);
        stop(engine, transfer, CLY_END_CANCELED, now);
    }
}

/* ---- starting attempts ---- */

/* Hands the attempts that begin_ready chose to libcurl. */
static void start_all(cly_engine *engine, double now) {
    while (engine->starting.first) {
        cly_transfer *transfer = cly_transfer_detach(&engine->starting, engine->starting.first);
        add(engine, transfer, cly_transfer_prepare(transfer, &engine->options.settings, &engine->host), now);
    }
}

static void fill_request(const cly_engine *engine, cly_transfer *transfer, double now) {
    cly_record *record = transfer->record;
    cly_transfer_request *request = &transfer->request;
    request->method = record->method;
    request->url = record->url.data;
    request->body = record->body.data;
    request->length = record->body.length;
    request->trace_header = record->traceparent;
    request->deadline = record->call.deadline;
    request->connect_deadline = now + engine->options.settings.connect_timeout;
}

/* Chooses the attempts that may start; start_all then hands them to libcurl without the lock. Returns
 * the seconds until more may start. The caller holds the lock. */
static double begin_ready(cly_engine *engine, double now) {
    cly_ready ready = cly_attempts_ready(&engine->attempts);
    double wait;
    while (ready.next) {
        cly_transfer *transfer = cly_transfer_take(&engine->idle);
        if (transfer == NULL) return recently; /* out of memory: tries again soon */
        transfer->record = cly_attempts_next(&engine->attempts, &ready, now, &transfer->start, &wait);
        cly_transfer_append(transfer->record ? &engine->starting : &engine->idle, transfer);
        if (transfer->record == NULL) return wait;
        fill_request(engine, transfer, now);
    }
    return ready.assets_wait;
}

/* ---- for any thread ---- */

/* The caller holds the lock. */
static int permits_wanted(cly_engine *engine) {
    return cly_attempts_permits_wanted(&engine->attempts, engine->room, cly_clock_now());
}

int cly_engine_permits_wanted(cly_engine *engine) {
    int wanted;
    cly_call_table_lock(engine->table);
    wanted = engine->attempts.departures.asked = permits_wanted(engine);
    cly_call_table_unlock(engine->table);
    return wanted;
}

void cly_engine_give_permit(cly_engine *engine, double at) {
    cly_call_table_lock(engine->table);
    cly_departures_give(&engine->attempts.departures, at);
    engine->records->has_news = true;
    cly_call_table_unlock(engine->table);
}

double cly_engine_take_pause(cly_engine *engine) {
    double seconds;
    cly_call_table_lock(engine->table);
    seconds = cly_departures_take_pause(&engine->attempts.departures);
    cly_call_table_unlock(engine->table);
    return seconds;
}

bool cly_engine_has_room(cly_engine *engine, bool *is_paused) {
    bool has_room;
    double until;
    cly_call_table_lock(engine->table);
    has_room = cly_records_has_room(engine->records);
    until = cly_departures_paused_until(&engine->attempts.departures);
    cly_call_table_unlock(engine->table);
    *is_paused = until > 0 && cly_clock_now() <= until;
    return has_room;
}

bool cly_engine_take_shortage(cly_engine *engine) {
    bool is_short;
    cly_call_table_lock(engine->table);
    is_short = engine->attempts.is_short_of_descriptors;
    engine->attempts.is_short_of_descriptors = false;
    cly_call_table_unlock(engine->table);
    return is_short;
}

/* ---- steps ---- */

static void free_drained_pool(cly_engine *engine, cly_pool *pool) {
    for (cly_transfer *idle = engine->idle.first; idle && pool->named > 0; idle = idle->next)
        if (idle->named == pool) cly_transfer_leave_pool(idle);
    cly_pools_drop(&engine->pools, pool);
}

static double free_drained_pools(cly_engine *engine, double now) {
    cly_pool *pool;
    double wait;
    while ((pool = cly_pools_drained(&engine->pools, now, &wait)) != NULL) free_drained_pool(engine, pool);
    return wait;
}

static void take_cancels(cly_engine *engine, double now) {
    bool has_cancels;
    cly_call_table_lock(engine->table);
    has_cancels = engine->records->has_cancels;
    if (has_cancels) mark_canceled(engine);
    engine->records->has_cancels = engine->records->has_news = engine->table->is_waiting = false;
    cly_call_table_unlock(engine->table);
    if (has_cancels) stop_canceled(engine, now);
}

/* Makes all progress that needs no network. Returns the seconds until there is more of that
 * kind. */
static double advance(cly_engine *engine) {
    double now = cly_clock_now(), wait, until_free;
    engine->has_issued = false;
    take_cancels(engine, now);
    stop_overdue(engine, now);
    cly_call_table_lock(engine->table);
    conclude_all(engine, now);
    wait = cly_attempts_advance(&engine->attempts, now);
    wait = fmin(wait, begin_ready(engine, now));
    engine->room = cly_pools_room(&engine->pools);
    cly_call_table_unlock(engine->table);
    start_all(engine, now);
    /* Now every handle is idle or uses its own pool, except one that could not be started. */
    until_free = engine->ended.first ? 0 : free_drained_pools(engine, now);
    if (engine->running.first) wait = fmin(wait, fmin(longest_wait, engine->overdue_at - now));
    return fmax(0, fmin(wait, until_free));
}

/* A connection on which the server accepts no request at all may be a sign of an outage. */
static void note_refused(cly_engine *engine, cly_transfer *transfer, double now) {
    const cly_connection *used = cly_transfer_connection(transfer);
    transfer->is_turned_away =
        !cly_pools_refused(&engine->pools, transfer->start.pool, used ? &used->use : NULL, now);
}

/* The request ended without a reply. libcurl may have closed its connection by now. */
static void note_lost(cly_engine *engine, const cly_transfer *transfer, double now) {
    const cly_connection *used = cly_transfer_connection(transfer);
    if (used == NULL || cly_connections_has_ended(used))
        cly_pools_hung_up(&engine->pools, transfer->start.pool, used ? &used->use : NULL, now);
}

static void collect_ended(cly_engine *engine, double now) {
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(engine->multi, &left)) != NULL) {
        cly_transfer *ended = NULL;
        CURLcode code = message->data.result;
        CURL *easy = message->easy_handle;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&ended);
        ended->is_performed = true;
        cly_transfer_finish(ended, code);
        curl_multi_remove_handle(engine->multi, easy);
        engine->idle_turns = 0;
        if (ended->is_refused)
            note_refused(engine, ended, now);
        else if (ended->is_issued && ended->report.status == 0)
            note_lost(engine, ended, now);
        if (ended->is_held) cly_pools_hold(&engine->pools, now);
        /* After a failed write libcurl 7.88 keeps an HTTP/2 connection that no longer works. */
        if (code == CURLE_SEND_ERROR) cly_pools_retire(&engine->pools, ended->start.pool, now);
        if (cly_transfer_wants_fresh(ended))
            launch_again(engine, ended, true, now);
        else if (cly_transfer_wants_certificates(ended, code))
            launch_again(engine, ended, false, now);
        else
            end_attempt(engine, ended, now);
    }
}

/* The list is sorted by first turn; libcurl has not seen the attempts of a later turn yet. */
static void look_at_added(cly_engine *engine, unsigned turn, double now) {
    cly_transfer *previous;
    for (cly_transfer *transfer = engine->running.last; transfer; transfer = previous) {
        previous = transfer->previous;
        if (transfer->turn < turn) return;
        if (transfer->turn > turn) continue;
        transfer->is_performed = true;
        if (!cly_transfer_is_parked(transfer)) continue;
        cly_pools_parked(&engine->pools, transfer->start.pool, now);
        stop(engine, transfer, CLY_END_PARKED, now);
    }
}

static void perform(cly_engine *engine) {
    int running = 0, added = engine->added;
    unsigned turn = engine->turn++;
    engine->added = 0; /* even if the added ones have been stopped since */
    if (engine->running.first == NULL && engine->idle_turns == 0) return;
    cly_cork_hold(&engine->cork, added + cly_pools_opening(&engine->pools));
    if (engine->host.needs_room) cly_connections_next_turn(&engine->connections);
    curl_multi_perform(engine->multi, &running);
    cly_cork_release(&engine->cork);
    engine->performed_at = cly_clock_now();
    collect_ended(engine, engine->performed_at);
    look_at_added(engine, turn, engine->performed_at);
}

static bool has_come(const cly_records *records, unsigned group, cly_ticket ticket) {
    return ticket ? !cly_records_is_under_way(records, ticket)
                  : cly_records_first_done(records, group) != NULL;
}

/* A last check for news, under the lock: later news wakes the engine. */
static bool may_wait(cly_engine *engine, unsigned group, cly_ticket ticket) {
    bool is_news;
    cly_call_table_lock(engine->table);
    is_news = engine->records->has_cancels || engine->records->has_news || engine->table->ends_step ||
              (engine->records->is_closed && engine->records->stats.in_flight == 0) ||
              permits_wanted(engine) > engine->attempts.departures.asked ||
              has_come(engine->records, group, ticket);
    engine->table->is_waiting = !is_news;
    cly_call_table_unlock(engine->table);
    return !is_news;
}

enum { IDLE_TURNS = 200 };

/* Avoids busy waiting. Up to 8.14, libcurl's waits end at once while a server's lowered stream limit
 * holds a request back, as long as that request has time. With 8.12 to 8.14 they also end at once while
 * libcurl closes a TLS connection and the peer has already done its part, until libcurl's next
 * turn. */
static void rest_if_idle(cly_engine *engine, double waited) {
    engine->idle_turns = waited > 0.0002 ? 0 : engine->idle_turns + 1;
    if (engine->idle_turns > IDLE_TURNS) cly_clock_sleep(0.001);
}

static void wait_for_network(cly_engine *engine, double seconds, struct curl_waitfd *extra,
                             unsigned extra_count) {
    double before = cly_clock_now();
    int milliseconds = (int)ceil(fmin(seconds, 3600) * 1000); /* rounded up, so as not to wake early */
    cly_process_leave();
    curl_multi_poll(engine->multi, extra, extra_count, milliseconds, NULL);
    cly_process_enter();
    if (seconds > 0) rest_if_idle(engine, cly_clock_now() - before);
}

/* Handles the network first, because a reply may forbid new attempts. Advances the calls last, because
 * the end of an attempt can make its call wait for the next attempt, or let another call start. */
static double start_and_perform(cly_engine *engine) {
    bool is_recent = cly_clock_now() - engine->performed_at < recently;
    double wait;
    if (!is_recent) perform(engine);
    wait = advance(engine);
    if (is_recent) perform(engine);
    /* An issued request can let other attempts start too. */
    while (engine->added > 0 || engine->ended.first || engine->has_issued) {
        if (engine->added > 0) perform(engine);
        wait = advance(engine);
    }
    return wait;
}

/* Steps for the call of the ticket if it is not 0, else for a call of the group. */
static void step(cly_engine *engine, unsigned group, cly_ticket ticket, double max_wait,
                 struct curl_waitfd *extra, unsigned extra_count) {
    cly_sigpipe held;
    double wait;
    if (engine->multi == NULL) return;
    held = enter_libcurl(engine);
    wait = start_and_perform(engine);
    if (max_wait > 0 && may_wait(engine, group, ticket)) {
        wait_for_network(engine, fmin(wait, max_wait), extra, extra_count);
        start_and_perform(engine);
    }
    leave_libcurl(held);
}

void cly_engine_step(cly_engine *engine, unsigned group, double max_wait, struct curl_waitfd *extra,
                     unsigned extra_count) {
    step(engine, group, 0, max_wait, extra, extra_count);
}

void cly_engine_step_for(cly_engine *engine, cly_ticket ticket, double max_wait) {
    step(engine, CLY_NO_GROUP, ticket, max_wait, NULL, 0);
}

void cly_engine_end_canceled(cly_engine *engine) {
    double now = cly_clock_now();
    cly_sigpipe held;
    if (engine->multi == NULL) return;
    held = enter_libcurl(engine);
    take_cancels(engine, now);
    leave_libcurl(held);
    cly_call_table_lock(engine->table);
    conclude_all(engine, now);
    cly_call_table_unlock(engine->table);
}

void cly_engine_wakeup(cly_engine *engine) {
    if (engine->multi) curl_multi_wakeup(engine->multi);
}
