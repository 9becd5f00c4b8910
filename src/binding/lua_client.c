#include "binding/lua_client.h"

#include "binding/lua_class.h"
#include "binding/lua_error.h"
#include "binding/lua_source.h"
#include "io/client.h"
#include "io/clock.h"

#define CLASS "connectly.native.client"

typedef struct lua_client {
    cly_client client;
    int encode; /* registry reference */
    /* While results are pushed a finalizer of the program may run and close the
     * client: that then happens when the pushing is over. Should an error leave
     * `is_read` set, the close waits for the collector. */
    bool is_read, is_close_due;
} lua_client;

static lua_client *check_client(lua_State *L) {
    return luaL_checkudata(L, 1, CLASS);
}

static void close_now(lua_State *L, lua_client *self) {
    cly_client_close(&self->client);
    luaL_unref(L, LUA_REGISTRYINDEX, self->encode);
    self->encode = LUA_NOREF;
    self->is_close_due = false;
}

static void begin_read(lua_client *self) {
    self->is_read = true;
}

static void end_read(lua_State *L, lua_client *self) {
    self->is_read = false;
    if (self->is_close_due) close_now(L, self);
}

static bool is_closed(const lua_client *self) {
    return self->client.is_closed || self->is_close_due;
}

static int fail_closed(lua_State *L) {
    cly_error error;
    cly_error_clear(&error);
    cly_error_set(&error, CLY_CLOSED, CLY_NOT_SENT, "the client is closed");
    error.hint = cly_kind_hint(CLY_CLOSED, CLY_NOT_SENT);
    return clyL_fail(L, &error, NULL, NULL);
}

static const cly_operation *check_operation(lua_State *L, int argument) {
    size_t length;
    const char *name = luaL_checklstring(L, argument, &length);
    const cly_operation *operation = cly_operation_find(name, length);
    if (operation == NULL) luaL_argerror(L, argument, lua_pushfstring(L, "no operation `%s`", name));
    return operation;
}

static cly_ticket check_ticket(lua_State *L, int argument) {
    double number = (double)luaL_checknumber(L, argument);
    luaL_argcheck(L, number >= 0 && number < 9007199254740992.0, argument, "ticket expected");
    return (cly_ticket)number;
}

static double check_seconds(lua_State *L, int argument) {
    double seconds = (double)luaL_checknumber(L, argument);
    luaL_argcheck(L, seconds >= 0 && seconds <= 86400, argument, "seconds from 0 to 86400 expected");
    return seconds;
}

static int fail_with_problems(lua_State *L, lua_client *self, const cly_error *error) {
    int count;
    begin_read(self);
    count = clyL_fail(L, error, &self->client.encoder.problems, NULL);
    end_read(L, self);
    return count;
}

int clyL_client_new(lua_State *L) {
    clyL_host host;
    cly_source source = clyL_source(&host);
    lua_client *made;
    cly_value options;
    cly_error error;
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    /* Empty and anchored first: from here on any error finds it ready to clear. */
    made = lua_newuserdata(L, sizeof *made);
    cly_client_init(&made->client);
    made->encode = LUA_NOREF;
    made->is_read = made->is_close_due = false;
    luaL_setmetatable(L, CLASS);
    lua_pushvalue(L, 2);
    made->encode = luaL_ref(L, LUA_REGISTRYINDEX);
    clyL_host_init(&host, L, made->encode);
    options = clyL_value(L, 1);
    cly_error_clear(&error);
    if (cly_client_read(&made->client, &source, options, &error) == CLY_OK) return 1;
    return fail_with_problems(L, made, &error);
}

/* Fills the encoder from the message at index 3. */
static cly_kind encode(lua_State *L, lua_client *self, const cly_operation *operation, cly_error *error) {
    clyL_host host;
    cly_source source = clyL_source(&host);
    cly_value message;
    lua_settop(L, 3);
    clyL_host_init(&host, L, self->encode);
    message = clyL_value(L, 3);
    return cly_message_encode(&self->client.encoder, operation, self->client.config.sender, &source, message,
                              error);
}

/* client:encode(operation, message) -> body, method, path */
static int client_encode(lua_State *L) {
    lua_client *self = check_client(L);
    const cly_operation *operation = check_operation(L, 2);
    const cly_encoder *encoder = &self->client.encoder;
    cly_error error;
    cly_error_clear(&error);
    if (is_closed(self)) return fail_closed(L);
    if (encode(L, self, operation, &error) != CLY_OK) return fail_with_problems(L, self, &error);
    begin_read(self);
    lua_pushlstring(L, encoder->body.data ? encoder->body.data : "", encoder->body.length);
    lua_pushstring(L, encoder->method);
    lua_pushstring(L, encoder->path.data);
    end_read(L, self);
    return 3;
}

/* client:submit(operation, message) -> ticket */
static int client_submit(lua_State *L) {
    lua_client *self = check_client(L);
    const cly_operation *operation = check_operation(L, 2);
    cly_ticket ticket;
    cly_error error;
    cly_error_clear(&error);
    if (is_closed(self)) return fail_closed(L);
    if (encode(L, self, operation, &error) != CLY_OK) return fail_with_problems(L, self, &error);
    /* A metamethod of the message may have closed it. */
    if (is_closed(self)) return fail_closed(L);
    if (cly_client_submit(&self->client, operation, &ticket, &error) != CLY_OK)
        return clyL_fail(L, &error, NULL, NULL);
    lua_pushnumber(L, (lua_Number)ticket);
    return 1;
}

/* client:step(seconds): what can be done, after waiting for it at most so long */
static int client_step(lua_State *L) {
    lua_client *self = check_client(L);
    double seconds = check_seconds(L, 2);
    cly_engine *engine = cly_client_engine(&self->client);
    if (engine) cly_engine_step(engine, seconds);
    return 0;
}

/* client:is_done(ticket): also true of a ticket that is not (or no longer) known */
static int client_is_done(lua_State *L) {
    lua_client *self = check_client(L);
    cly_ticket ticket = check_ticket(L, 2);
    cly_engine *engine = cly_client_engine(&self->client);
    bool is_known = engine && cly_engine_call(engine, ticket);
    lua_pushboolean(L, !is_known || cly_engine_is_done(engine, ticket));
    return 1;
}

static void push_info(lua_State *L, const cly_call *call, const cly_transfer *transfer) {
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, call->attempts);
    lua_setfield(L, -2, "attempts");
    lua_pushnumber(L, (lua_Number)(call->ended_at - call->started_at));
    lua_setfield(L, -2, "elapsed");
    lua_pushstring(L, cly_transfer_http_version(transfer));
    lua_setfield(L, -2, "http_version");
    lua_pushinteger(L, call->status);
    lua_setfield(L, -2, "status");
}

static int push_success(lua_State *L, const cly_call *call, const cly_transfer *transfer) {
    if (call->operation->reply == CLY_REPLY_ID)
        lua_pushstring(L, cly_response_text(&call->response, CLY_TEXT_ID));
    else
        lua_pushlstring(L, transfer->reply.data ? transfer->reply.data : "", transfer->reply.length);
    push_info(L, call, transfer);
    return 2;
}

static int push_result(lua_State *L, const cly_call *call, const cly_transfer *transfer) {
    if (call->error.kind == CLY_OK) return push_success(L, call, transfer);
    clyL_fail(L, &call->error, NULL, &call->response);
    push_info(L, call, transfer);
    return 3;
}

/* client:result(ticket) -> id or body, info; or nil, error, info. Once a ticket. */
static int client_result(lua_State *L) {
    lua_client *self = check_client(L);
    cly_ticket ticket = check_ticket(L, 2);
    cly_engine *engine = cly_client_engine(&self->client);
    int count;
    if (is_closed(self)) return fail_closed(L);
    if (engine == NULL || !cly_engine_is_done(engine, ticket))
        return luaL_argerror(L, 2, "no result for this ticket");
    begin_read(self);
    count = push_result(L, cly_engine_call(engine, ticket), cly_engine_transfer(engine, ticket));
    cly_engine_release(engine, ticket);
    end_read(L, self);
    return count;
}

/* client:cancel(ticket): ends the call; its result says what is known of it */
static int client_cancel(lua_State *L) {
    lua_client *self = check_client(L);
    cly_ticket ticket = check_ticket(L, 2);
    cly_engine *engine = cly_client_engine(&self->client);
    if (engine) cly_engine_cancel(engine, ticket, cly_clock_now());
    return 0;
}

/* client:forget(ticket): ends the call; nobody wants its result */
static int client_forget(lua_State *L) {
    lua_client *self = check_client(L);
    cly_ticket ticket = check_ticket(L, 2);
    cly_engine *engine = cly_client_engine(&self->client);
    if (engine) cly_engine_release(engine, ticket);
    return 0;
}

static int client_close(lua_State *L) {
    lua_client *self = check_client(L);
    self->is_close_due = true;
    if (!self->is_read) close_now(L, self);
    return 0;
}

/* Nobody can be reading: the one who reads has it on the stack. */
static int client_gc(lua_State *L) {
    close_now(L, check_client(L));
    return 0;
}

static int client_is_closed(lua_State *L) {
    lua_pushboolean(L, is_closed(check_client(L)));
    return 1;
}

static int client_tostring(lua_State *L) {
    lua_pushfstring(L, CLASS " (%s)", is_closed(check_client(L)) ? "closed" : "open");
    return 1;
}

static const luaL_Reg methods[] = {
    {"encode", client_encode},       {"submit", client_submit},
    {"step", client_step},           {"is_done", client_is_done},
    {"result", client_result},       {"cancel", client_cancel},
    {"forget", client_forget},       {"close", client_close},
    {"is_closed", client_is_closed}, {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__gc", client_gc},
    {"__tostring", client_tostring},
#if CLY_HAS_CLOSE
    {"__close", client_close},
#endif
    {NULL, NULL},
};

void clyL_open_client(lua_State *L) {
    clyL_class(L, CLASS, methods, metamethods);
}
