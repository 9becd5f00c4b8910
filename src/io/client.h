/*
 * client.h - one client: its options, its encoder, and what carries its calls.
 *
 * Nothing is opened by make: libcurl is started at the first call, and again in
 * a child after a fork, because its handles cannot be shared by two processes.
 * The encoder may be used without either (dry runs).
 *
 * Calls are carried by the engine in the caller's thread, until the first one is
 * started in the background: then a courier takes the engine over, with its
 * connections and its limiter, and carries all of them from there on.
 */
#ifndef CLY_IO_CLIENT_H
#define CLY_IO_CLIENT_H

#include "core/message.h"
#include "io/courier.h"
#include "io/profile.h"

CLY_PRIVATE_BEGIN

typedef struct cly_client {
    cly_profile *profile; /* NULL until it was read, and once it is closed */
    cly_encoder encoder;
    cly_buffer url;
    cly_engine *engine;     /* NULL until the first call, and once the courier has it */
    cly_courier *courier;   /* NULL until a call is started in the background */
    long generation;        /* of the process that made them */
    uint32_t turns;         /* the highest of any ticket: a child of a fork begins above it */
    uint64_t calls;         /* submitted so far; numbers them for events */
    bool wants_events;      /* set it before the first call */
    bool is_limiter_shared; /* likewise */
    bool is_closed;
} cly_client;

/* init makes it empty and safe to clear; read then fills it from options. */
void cly_client_init(cly_client *client);
cly_kind cly_client_read(cly_client *client, const cly_source *source, cly_value options,
                         cly_error *error) CLY_MUST_CHECK;

/* NULL before they were read, and once it is closed. */
const cly_config *cly_client_config(const cly_client *client);

/* Waits up to `seconds` until no call is under way; returns how many are. */
int cly_client_drain(cly_client *client, double seconds);

/* Takes no more calls, waits up to `drain` seconds for those under way, ends the
 * rest and wipes the key. Results can still be read.
 * Returns how many calls had to be ended. Harmless when done before. */
int cly_client_close(cly_client *client, double drain);

/* Closes without draining, and frees all. */
void cly_client_clear(cly_client *client);

/* For a collector, to which nobody listens: closes and frees all, but gives what is under
 * way up to `seconds`, no more than the time of one call, and says on stderr how many
 * calls had to be ended then. A courier goes on by itself, and this returns at once;
 * calls in the caller's thread nobody else would move, so for them it waits. With a
 * shared limiter nobody reserves departures any more: calls without one end as not sent. */
void cly_client_leave(cly_client *client, double seconds);

/* Calls that have been submitted and have not ended. */
int cly_client_in_flight(cly_client *client);

/* Whether one more call would be taken. */
bool cly_client_has_room(cly_client *client);

/* Hands all calls to a courier from here on, those under way included. What
 * cly_client_result lent before is not to be read any more. */
cly_kind cly_client_start_courier(cly_client *client, cly_error *error) CLY_MUST_CHECK;

/* Starts a call with what the encoder holds. */
cly_kind cly_client_submit(cly_client *client, const cly_operation *operation, unsigned group,
                           cly_ticket *ticket, cly_error *error) CLY_MUST_CHECK;

/* Lets calls make progress, up to `seconds`, and returns when one of the group
 * has ended. */
void cly_client_step(cly_client *client, unsigned group, double seconds);

/* The same, returning when this one has ended. */
void cly_client_step_for(cly_client *client, cly_ticket ticket, double seconds);

bool cly_client_is_known(cly_client *client, cly_ticket ticket);
bool cly_client_is_done(cly_client *client, cly_ticket ticket);
cly_ticket cly_client_first_done(cly_client *client, unsigned group);

/* False unless the call is done. Borrowed until it is released. */
bool cly_client_result(cly_client *client, cly_ticket ticket, cly_result *result);
void cly_client_cancel(cly_client *client, cly_ticket ticket);
void cly_client_release(cly_client *client, cly_ticket ticket);

/* Nobody will ask for the result, and the call goes on. */
void cly_client_detach(cly_client *client, cly_ticket ticket);
void cly_client_detach_group(cly_client *client, unsigned group);

bool cly_client_take_event(cly_client *client, cly_event *event);
cly_stats cly_client_stats(cly_client *client);

/* See engine.h. */
int cly_client_slots_wanted(cly_client *client);
void cly_client_give_slot(cly_client *client, double at);
double cly_client_take_pause(cly_client *client);

/* The courier of this process, or NULL. */
cly_courier *cly_client_courier(cly_client *client);

CLY_PRIVATE_END

#endif
