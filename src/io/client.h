/*
 * client.h - one client: its options, its encoder, and its engine.
 *
 * cly_client_init and cly_client_read open nothing. The engine is made at the first call, and again in
 * a child after a fork, because two processes cannot share libcurl's handles. The encoder works without
 * an engine (dry runs).
 *
 * The caller's thread makes the engine's steps until the first call is started in the background; from
 * then on a worker makes them. In both cases callers read and end calls through the same table
 * (call_table.h).
 */
#ifndef CLY_IO_CLIENT_H
#define CLY_IO_CLIENT_H

#include "core/encode/encoder.h"
#include "io/settings.h"
#include "io/worker.h"

CLY_PRIVATE_BEGIN

typedef struct cly_client {
    cly_settings *settings; /* NULL before cly_client_read and after closing */
    cly_encoder encoder;
    cly_buffer url;
    cly_engine *engine;         /* NULL until the first call; owned by the worker if there is one */
    cly_worker *worker;         /* NULL until a call is started in the background */
    long process;               /* generation of the process that made engine and worker */
    uint32_t ticket_generation; /* highest of all tickets; after a fork the child starts above it */
    uint64_t calls;             /* submitted so far; the number of a call in events */
    bool wants_events;          /* set before the first call */
    bool is_limiter_shared;     /* likewise */
    bool is_closed;
} cly_client;

/* init makes the client empty and safe to clear; read then fills it from options. */
void cly_client_init(cly_client *client);
cly_kind cly_client_read(cly_client *client, const cly_source *source, cly_value options,
                         cly_error *error) CLY_MUST_CHECK;

/* NULL before cly_client_read and after closing. */
const cly_config *cly_client_config(const cly_client *client);

/* Waits up to `seconds` until no call is under way; returns how many still are. */
int cly_client_drain(cly_client *client, double seconds);

/* Accepts no more calls, waits up to `drain` seconds for those under way, ends the rest and wipes our
 * copies of the API key. Results can still be read. Returns how many calls it had to end. A second call
 * does nothing. */
int cly_client_close(cly_client *client, double drain);

/* Closes without draining and frees everything. */
void cly_client_clear(cly_client *client);

/* For the garbage collector: closes and frees everything, but gives the calls under way up to `seconds`,
 * at most the timeout of one call, and reports on stderr how many it then had to end. With a worker this
 * returns at once and the worker runs on; without one it waits. With a shared limiter no more permits
 * are reserved: calls without a permit end as not_sent. */
void cly_client_leave(cly_client *client, double seconds);

/* Makes the engine if there is none yet; no libcurl handle exists before. Fails with kind overloaded
 * without memory or a free file descriptor; the next call tries again. */
cly_kind cly_client_open(cly_client *client, cly_error *error) CLY_MUST_CHECK;

/* From now on a worker makes the steps, also for the calls under way. */
cly_kind cly_client_start_worker(cly_client *client, cly_error *error) CLY_MUST_CHECK;

/* Submits a call with the contents of the encoder. */
cly_kind cly_client_submit(cly_client *client, const cly_operation *operation, unsigned group,
                           cly_ticket *ticket, cly_error *error) CLY_MUST_CHECK;

/* Lets calls make progress for up to `seconds`. Returns early when a call of the group has
 * ended. */
void cly_client_step(cly_client *client, unsigned group, double seconds);

/* The same; returns early when this call has ended. */
void cly_client_step_for(cly_client *client, cly_ticket ticket, double seconds);

/* Ends a call: at once, or soon if a worker makes the steps. */
void cly_client_cancel(cly_client *client, cly_ticket ticket);

/* Ends a call if it has not ended yet, and frees its record. */
void cly_client_release(cly_client *client, cly_ticket ticket);

/* The objects of this process, each NULL if there is none. The functions of call_table.h accept a NULL
 * table. */
cly_call_table *cly_client_calls(cly_client *client);
cly_engine *cly_client_engine(cly_client *client);
cly_worker *cly_client_worker(cly_client *client);

CLY_PRIVATE_END

#endif
