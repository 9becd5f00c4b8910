/*
 * client.h - one client: its options, its encoder, its engine.
 *
 * Nothing is opened by make: libcurl is started at the first call, and again in
 * a child after a fork, because its handles cannot be shared by two processes.
 * The encoder may be used without the engine (dry runs).
 */
#ifndef CLY_IO_CLIENT_H
#define CLY_IO_CLIENT_H

#include "core/config.h"
#include "core/message.h"
#include "io/engine.h"

CLY_PRIVATE_BEGIN

typedef struct cly_client {
    cly_config config;
    cly_encoder encoder;
    cly_buffer url;
    cly_trust trust;
    char user_agent[96];
    char *proxy, *no_proxy; /* as the environment was at make */
    struct curl_slist *headers, *bare_headers;
    cly_engine *engine; /* NULL until the first call */
    long pid;           /* of the process that made the engine */
    bool is_closed;
} cly_client;

/* init makes it empty and safe to clear; read then fills it from options. */
void cly_client_init(cly_client *client);
cly_kind cly_client_read(cly_client *client, const cly_source *source, cly_value options,
                         cly_error *error) CLY_MUST_CHECK;

/* Closes all and wipes the key. Harmless when done before. */
void cly_client_close(cly_client *client);

/* Starts a call with what the encoder holds. */
cly_kind cly_client_submit(cly_client *client, const cly_operation *operation, cly_ticket *ticket,
                           cly_error *error) CLY_MUST_CHECK;

/* The engine of this process, or NULL when it has none. */
cly_engine *cly_client_engine(cly_client *client);

CLY_PRIVATE_END

#endif
