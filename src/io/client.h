/*
 * client.h - one client: its options, its encoder, and its engine.
 *
 * Nothing is opened by make: libcurl is started at the first call, and again in
 * a child after a fork, because its handles cannot be shared by two processes.
 * The encoder may be used without either (dry runs).
 *
 * The engine makes its steps in the caller's thread, until the first call is started
 * in the background: from there on a worker makes them. Calls are read and ended through
 * their table (call_table.h), which is the same in both cases.
 */
#ifndef CLY_IO_CLIENT_H
#define CLY_IO_CLIENT_H

#include "core/encode/encoder.h"
#include "io/settings.h"
#include "io/worker.h"

CLY_PRIVATE_BEGIN

typedef struct cly_client {
    cly_settings *settings; /* NULL until it was read, and once it is closed */
    cly_encoder encoder;
    cly_buffer url;
    cly_engine *engine;         /* NULL until the first call; the worker's, when there is one */
    cly_worker *worker;         /* NULL until a call is started in the background */
    long process;               /* the generation of the process that made them */
    uint32_t ticket_generation; /* the highest of any ticket: a child of a fork begins above it */
    uint64_t calls;             /* submitted so far; numbers them for events */
    bool wants_events;          /* set it before the first call */
    bool is_limiter_shared;     /* likewise */
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
 * rest and wipes our copies of the key. Results can still be read.
 * Returns how many calls had to be ended. Harmless when done before. */
int cly_client_close(cly_client *client, double drain);

/* Closes without draining, and frees all. */
void cly_client_clear(cly_client *client);

/* For a collector: closes and frees all, but gives the calls under way up to `seconds`, no
 * more than the time of one call, and tells on stderr how many had to be ended then. A
 * worker goes on by itself, and this returns at once; without one it waits. With a shared
 * limiter no departures are reserved any more: calls without one end as not sent. */
void cly_client_leave(cly_client *client, double seconds);

/* Makes the engine, if there is none yet: nothing of libcurl is opened before. kind
 * overloaded without memory or a free file descriptor; the next call tries again. */
cly_kind cly_client_open(cly_client *client, cly_error *error) CLY_MUST_CHECK;

/* From here on a worker makes the steps, of the calls under way too. */
cly_kind cly_client_start_worker(cly_client *client, cly_error *error) CLY_MUST_CHECK;

/* Starts a call with the contents of the encoder. */
cly_kind cly_client_submit(cly_client *client, const cly_operation *operation, unsigned group,
                           cly_ticket *ticket, cly_error *error) CLY_MUST_CHECK;

/* Lets calls make progress, up to `seconds`, and returns when one of the group
 * has ended. */
void cly_client_step(cly_client *client, unsigned group, double seconds);

/* The same, returning when this one has ended. */
void cly_client_step_for(cly_client *client, cly_ticket ticket, double seconds);

/* Ends a call at once, or soon when a worker carries it. */
void cly_client_cancel(cly_client *client, cly_ticket ticket);

/* Ends a call, if it has not ended, and frees its record. */
void cly_client_release(cly_client *client, cly_ticket ticket);

/* Of this process; each NULL when there is none. The functions of call_table.h accept
 * that. */
cly_call_table *cly_client_calls(cly_client *client);
cly_engine *cly_client_engine(cly_client *client);
cly_worker *cly_client_worker(cly_client *client);

CLY_PRIVATE_END

#endif
