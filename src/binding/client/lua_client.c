#include "binding/client/lua_client.h"

#include "binding/client/lua_anchor.h"
#include "binding/lua_class.h"
#include "binding/lua_error.h"
#include "binding/client/lua_event.h"
#include "binding/client/lua_result.h"
#include "binding/lua_source.h"
#include "io/client.h"
#include "io/system/clock.h"
#include <stdint.h>

#define CLASS "connectly.native.client"

typedef struct lua_client {
    cly_client client;
    int encode; /* registry reference */
    /* While results are pushed, a finalizer of the program may close the client. The close is
     * then done after the push. If an error leaves `is_read` set, the collector closes. */
    bool is_read, is_close_due;
    /* The encoder is being read: nothing else may be encoded. */
    bool is_encoder_read;
    bool is_hurried; /* interrupted: the collector must not wait for calls */
} lua_client;

/* Seconds that calls get to end after their client was collected, at most. */
static const double collector_drain = 5;

static lua_client *check_client(lua_State *L) {
    return clyL_check_self(L, CLASS);
}

static void forget_encode(lua_State *L, lua_client *self) {
    luaL_unref(L, LUA_REGISTRYINDEX, self->encode);
    self->encode = LUA_NOREF;
}

static int close_now(lua_State *L, lua_client *self, double drain) {
    int ended = cly_client_close(&self->client, drain);
    forget_encode(L, self);
    self->is_close_due = false;
    return ended;
}

/* Reads nest: a finalizer may read during another read. Each restores the state that it
 * found, so the outer read also ends an inner one that an error left. */
typedef struct read_state {
    bool is_read, is_encoder_read;
} read_state;

static read_state begin_read(lua_client *self) {
    read_state before = {self->is_read, self->is_encoder_read};
    self->is_read = true;
    return before;
}

static read_state begin_encoder_read(lua_client *self) {
    read_state before = begin_read(self);
    self->is_encoder_read = true;
    return before;
}

static void end_read(lua_State *L, lua_client *self, read_state before) {
    self->is_read = before.is_read;
    self->is_encoder_read = before.is_encoder_read;
    if (self->is_close_due && !self->is_read) close_now(L, self, 0);
}

static bool is_closed(const lua_client *self) {
    return self->client.is_closed || self->is_close_due;
}

static int fail_closed(lua_State *L) {
    return clyL_fail_unsent(L, CLY_CLOSED, "the client is closed");
}

/* A finalizer called encode while the encoder was being read. */
static int fail_read(lua_State *L) {
    return clyL_fail_unsent(L, CLY_OVERLOADED, "a message of this client is being read");
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

typedef struct reading {
    lua_client *self;
    const cly_error *error;
} reading;

/* Registry keys of the functions that push. They are created once: LuaJIT allocates an object
 * for each C function that is pushed, and an allocation may run a finalizer. */
static const char problems_key, encoded_key;

static void keep_function(lua_State *L, const void *key, lua_CFunction function) {
    lua_pushlightuserdata(L, (void *)(uintptr_t)key);
    lua_pushcfunction(L, function);
    lua_rawset(L, LUA_REGISTRYINDEX);
}

/* Pushes the contents of the encoder in a protected call: an error for lack of memory must not
 * leave the encoder marked as being read. */
static int read_encoder(lua_State *L, lua_client *self, const void *key, const cly_error *error) {
    reading given = {self, error};
    read_state before;
    int top = lua_gettop(L), status;
    lua_pushlightuserdata(L, (void *)(uintptr_t)key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    lua_pushlightuserdata(L, &given);
    before = begin_encoder_read(self);
    status = lua_pcall(L, 1, LUA_MULTRET, 0);
    end_read(L, self, before);
    return status == 0 ? lua_gettop(L) - top : lua_error(L);
}

static int push_problems(lua_State *L) {
    const reading *given = lua_touserdata(L, 1);
    return clyL_fail(L, given->error, &given->self->client.encoder.problems, NULL);
}

static int fail_with_problems(lua_State *L, lua_client *self, cly_error *error) {
    const cly_config *config = cly_client_config(&self->client);
    cly_problems_mask(&self->client.encoder.problems, error, config ? config->api_key : NULL);
    return read_encoder(L, self, &problems_key, error);
}

int clyL_client_new(lua_State *L) {
    clyL_host host = {NULL, LUA_NOREF, 0, 0};
    cly_source source = clyL_source(&host);
    lua_client *made;
    cly_value options;
    cly_error error;
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 4);
    /* Empty and anchored first: from here on any error finds it ready to clear. */
    made = lua_newuserdata(L, sizeof *made);
    cly_client_init(&made->client);
    made->encode = LUA_NOREF;
    made->is_read = made->is_encoder_read = made->is_close_due = made->is_hurried = false;
    made->client.wants_events = lua_toboolean(L, 3);
    made->client.is_limiter_shared = lua_toboolean(L, 4);
    luaL_setmetatable(L, CLASS);
    lua_pushvalue(L, 2);
    made->encode = luaL_ref(L, LUA_REGISTRYINDEX);
    clyL_host_init(&host, L, made->encode);
    options = clyL_value(L, 1);
    cly_error_clear(&error);
    if (cly_client_read(&made->client, &source, options, &error) == CLY_OK) return 1;
    return fail_with_problems(L, made, &error);
}

/* Encodes the message at index 3. */
static cly_kind encode(lua_State *L, lua_client *self, const cly_operation *operation, cly_error *error) {
    clyL_host host = {NULL, LUA_NOREF, 0, 0};
    cly_source source = clyL_source(&host);
    cly_value message;
    clyL_host_init(&host, L, self->encode);
    message = clyL_value(L, 3);
    return cly_encoder_encode(&self->client.encoder, operation, cly_client_config(&self->client)->sender,
                              &source, message, error);
}

/* Of campaigns: { entries =, sendouts =, traceparent = } */
static void push_batch(lua_State *L, const cly_encoder *encoder) {
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, encoder->batch.entries);
    lua_setfield(L, -2, "entries");
    lua_pushinteger(L, encoder->batch.sendouts);
    lua_setfield(L, -2, "sendouts");
    clyL_set_text(L, "traceparent", encoder->traceparent);
}

static int push_encoded(lua_State *L) {
    const cly_encoder *encoder = &((const reading *)lua_touserdata(L, 1))->self->client.encoder;
    lua_pushlstring(L, encoder->body.data ? encoder->body.data : "", encoder->body.length);
    lua_pushstring(L, encoder->method);
    lua_pushstring(L, encoder->path.data);
    if (encoder->batch.entries == 0) return 3;
    push_batch(L, encoder);
    return 4;
}

/* client:encode(operation, message) -> body, method, path[, batch] */
static int client_encode(lua_State *L) {
    lua_client *self = check_client(L);
    const cly_operation *operation = check_operation(L, 2);
    cly_error error;
    lua_settop(L, 3);
    cly_error_clear(&error);
    if (is_closed(self)) return fail_closed(L);
    if (self->is_encoder_read) return fail_read(L);
    if (encode(L, self, operation, &error) != CLY_OK) return fail_with_problems(L, self, &error);
    return read_encoder(L, self, &encoded_key, NULL);
}

static unsigned check_group(lua_State *L, int argument) {
    double number = (double)luaL_optnumber(L, argument, 0);
    luaL_argcheck(L, number >= 0 && number < 2147483647.0, argument, "group expected");
    return (unsigned)number;
}

/* client:anchor() -> an anchor for a later call, kept for as long as its result is wanted */
static int client_anchor(lua_State *L) {
    return clyL_new_anchor(L, &check_client(L)->client);
}

/* Clients that the program dropped hold memory and descriptors until they are collected. LuaJIT
 * frees what a finalizer referenced in the second pass only. */
static void collect_garbage(lua_State *L) {
    lua_gc(L, LUA_GCCOLLECT, 0);
    lua_gc(L, LUA_GCCOLLECT, 0);
}

/* The worker of a collected client closes its descriptors within a few milliseconds. */
enum { OPEN_TRIES = 10 };
static const double open_pause = 0.005; /* seconds */

/* Called before a message is read, because a finalizer may use the encoder. */
static bool open_client(lua_State *L, lua_client *self, cly_error *error) {
    for (int i = 0; i < OPEN_TRIES; i++) {
        cly_error_clear(error);
        if (cly_client_open(&self->client, error) == CLY_OK) return true;
        if (error->kind != CLY_OVERLOADED || self->is_read) return false;
        if (i == 0)
            collect_garbage(L);
        else
            cly_clock_sleep(open_pause);
        if (is_closed(self)) return false;
    }
    return false;
}

static int submit_encoded(lua_State *L, lua_client *self, const cly_operation *operation, unsigned group,
                          clyL_anchor *anchor) {
    cly_ticket ticket;
    cly_error error;
    cly_error_clear(&error);
    if (cly_client_submit(&self->client, operation, group, &ticket, &error) != CLY_OK)
        return clyL_fail(L, &error, NULL, NULL);
    if (anchor) anchor->ticket = ticket;
    clyL_push_count(L, ticket);
    lua_pushinteger(L, (lua_Integer)self->client.calls);
    return 2;
}

/* client:submit(operation, message[, group[, anchor]]) -> ticket, number */
static int client_submit(lua_State *L) {
    lua_client *self = check_client(L);
    const cly_operation *operation = check_operation(L, 2);
    unsigned group = check_group(L, 4);
    clyL_anchor *anchor = clyL_check_anchor(L, 5);
    cly_error error;
    lua_settop(L, 5);
    cly_error_clear(&error);
    if (is_closed(self)) return fail_closed(L);
    if (self->is_encoder_read) return fail_read(L);
    if (!open_client(L, self, &error))
        return is_closed(self) ? fail_closed(L) : clyL_fail(L, &error, NULL, NULL);
    if (encode(L, self, operation, &error) != CLY_OK) return fail_with_problems(L, self, &error);
    /* A metamethod of the message may have closed it. */
    if (is_closed(self)) return fail_closed(L);
    return submit_encoded(L, self, operation, group, anchor);
}

static int check_count(lua_State *L, int table, const char *field) {
    int count;
    lua_getfield(L, table, field);
    count = (int)luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    return count;
}

/* client:submit_batch(operation, body, batch[, anchor]) -> ticket, number: sends the
 * body that encode returned, byte for byte. `operation` is one of campaigns. */
static int client_submit_batch(lua_State *L) {
    lua_client *self = check_client(L);
    const cly_operation *operation = check_operation(L, 2);
    cly_batch batch;
    cly_error error;
    clyL_anchor *anchor = clyL_check_anchor(L, 5);
    const char *body, *traceparent;
    size_t length;
    luaL_argcheck(L, operation->reply == CLY_REPLY_CAMPAIGNS, 2, "campaigns expected");
    body = luaL_checklstring(L, 3, &length);
    luaL_checktype(L, 4, LUA_TTABLE);
    lua_settop(L, 5);
    batch.entries = check_count(L, 4, "entries");
    batch.sendouts = check_count(L, 4, "sendouts");
    lua_getfield(L, 4, "traceparent");
    traceparent = luaL_optstring(L, -1, "");
    cly_error_clear(&error);
    if (is_closed(self)) return fail_closed(L);
    if (self->is_encoder_read) return fail_read(L);
    if (cly_encoder_repeat(&self->client.encoder, operation, body, length, batch, traceparent, &error) !=
        CLY_OK)
        return clyL_fail(L, &error, NULL, NULL);
    return submit_encoded(L, self, operation, 0, anchor);
}

/* client:background() -> true: the worker performs the calls from now on */
static int client_background(lua_State *L) {
    lua_client *self = check_client(L);
    cly_error error;
    cly_error_clear(&error);
    if (is_closed(self)) return fail_closed(L);
    if (self->is_read) { /* by a finalizer, while a result is pushed that would move */
        cly_error_set(&error, CLY_OVERLOADED, CLY_NOT_SENT, "a result of this client is being read");
        return clyL_fail(L, &error, NULL, NULL);
    }
    if (!open_client(L, self, &error))
        return is_closed(self) ? fail_closed(L) : clyL_fail(L, &error, NULL, NULL);
    if (cly_client_start_worker(&self->client, &error) != CLY_OK) return clyL_fail(L, &error, NULL, NULL);
    lua_pushboolean(L, 1);
    return 1;
}

/* client:has_room() -> whether the client takes another call, and whether a 429 pauses it */
static int client_has_room(lua_State *L) {
    lua_client *self = check_client(L);
    cly_engine *engine = is_closed(self) ? NULL : cly_client_engine(&self->client);
    bool is_paused = false;
    lua_pushboolean(L, engine == NULL || cly_engine_has_room(engine, &is_paused));
    lua_pushboolean(L, is_paused);
    return 2;
}

static void collect_when_short(lua_State *L, lua_client *self) {
    cly_engine *engine = cly_client_engine(&self->client);
    if (engine == NULL || self->is_read || !cly_engine_take_shortage(engine)) return;
    collect_garbage(L);
}

/* client:step(seconds, ticket) or (seconds, nil, group): makes progress
 * until this call, or one of the group, has ended, or the time is up */
static int client_step(lua_State *L) {
    lua_client *self = check_client(L);
    double seconds = check_seconds(L, 2);
    if (lua_isnoneornil(L, 3))
        cly_client_step(&self->client, check_group(L, 4), seconds);
    else
        cly_client_step_for(&self->client, check_ticket(L, 3), seconds);
    collect_when_short(L, self);
    return 0;
}

/* client:is_done(ticket): also true for an unknown or released ticket */
static int client_is_done(lua_State *L) {
    lua_client *self = check_client(L);
    cly_ticket ticket = check_ticket(L, 2);
    cly_call_table *calls = cly_client_calls(&self->client);
    bool is_over = cly_call_table_is_done(calls, ticket) || !cly_call_table_is_known(calls, ticket);
    if (!is_over) collect_when_short(L, self);
    lua_pushboolean(L, is_over);
    return 1;
}

/* Pushes the result and releases the call. */
static int take_result(lua_State *L, lua_client *self, cly_ticket ticket, const cly_result *result) {
    read_state before = begin_read(self);
    int count = clyL_push_result(L, result);
    cly_call_table_release(cly_client_calls(&self->client), ticket);
    end_read(L, self, before);
    return count;
}

/* client:result(ticket) -> id or body, info; or nil, error, info, and the body if it
 * reports on entries of campaigns. Each result can be read once. */
static int client_result(lua_State *L) {
    lua_client *self = check_client(L);
    cly_ticket ticket = check_ticket(L, 2);
    cly_call_table *calls = cly_client_calls(&self->client);
    cly_result result;
    if (cly_call_table_result(calls, ticket, &result)) return take_result(L, self, ticket, &result);
    luaL_argcheck(L, !cly_call_table_is_known(calls, ticket), 2, "the call has not ended");
    return clyL_fail_gone(L);
}

/* client:take_done([group]) -> the ticket of the call of the group that ended first, and its
 * result; nothing if none has ended */
static int client_take_done(lua_State *L) {
    lua_client *self = check_client(L);
    cly_result result;
    cly_ticket ticket =
        cly_call_table_first_done(cly_client_calls(&self->client), check_group(L, 2), &result);
    if (ticket == 0) return 0;
    clyL_push_count(L, ticket);
    return 1 + take_result(L, self, ticket, &result);
}

/* client:cancel(ticket): ends the call; its result says whether it may have arrived */
static int client_cancel(lua_State *L) {
    lua_client *self = check_client(L);
    cly_client_cancel(&self->client, check_ticket(L, 2));
    return 0;
}

/* client:forget(ticket): ends the call and discards its result */
static int client_forget(lua_State *L) {
    lua_client *self = check_client(L);
    cly_client_release(&self->client, check_ticket(L, 2));
    return 0;
}

/* client:detach(ticket): the call goes on, and its result is discarded when it ends */
static int client_detach(lua_State *L) {
    lua_client *self = check_client(L);
    cly_call_table_detach(cly_client_calls(&self->client), check_ticket(L, 2));
    return 0;
}

/* client:descriptor() -> a descriptor that is readable after calls have ended, until
 * client:acknowledge(); nil without a worker */
static int client_descriptor(lua_State *L) {
    cly_worker *worker = cly_client_worker(&check_client(L)->client);
    int descriptor = worker ? cly_worker_descriptor(worker) : -1;
    if (descriptor < 0) return 0;
    lua_pushinteger(L, descriptor);
    return 1;
}

/* client:detach_group(group): the same for all calls of a group */
static int client_detach_group(lua_State *L) {
    cly_call_table_detach_group(cly_client_calls(&check_client(L)->client), check_group(L, 2));
    return 0;
}

static int client_acknowledge(lua_State *L) {
    cly_worker *worker = cly_client_worker(&check_client(L)->client);
    if (worker) cly_worker_acknowledge(worker);
    return 0;
}

/* client:next_ended() -> the ticket of an ended call that was not returned before, or nil */
static int client_next_ended(lua_State *L) {
    cly_ticket ticket = cly_call_table_next_ended(cly_client_calls(&check_client(L)->client));
    if (ticket == 0) return 0;
    clyL_push_count(L, ticket);
    return 1;
}

/* client:permits_wanted() -> the number of permits to reserve, and the seconds of a pause that
 * a 429 demanded, or nil */
static int client_permits_wanted(lua_State *L) {
    cly_engine *engine = cly_client_engine(&check_client(L)->client);
    double pause = engine ? cly_engine_take_pause(engine) : 0;
    lua_pushinteger(L, engine ? cly_engine_permits_wanted(engine) : 0);
    if (pause > 0)
        lua_pushnumber(L, (lua_Number)pause);
    else
        lua_pushnil(L);
    return 2;
}

/* client:give_permit(at): a request may leave at that time of native.clock */
static int client_give_permit(lua_State *L) {
    cly_engine *engine = cly_client_engine(&check_client(L)->client);
    double at = (double)luaL_checknumber(L, 2);
    if (engine) cly_engine_give_permit(engine, at);
    return 0;
}

/* client:listen() -> the path of a unix socket that receives a line with the ticket of each ended call */
static int client_listen(lua_State *L) {
    cly_worker *worker = cly_client_worker(&check_client(L)->client);
    cly_error error;
    const char *path;
    cly_error_clear(&error);
    luaL_argcheck(L, worker != NULL, 1, "no call was started in the background yet");
    path = cly_worker_listen(worker, &error);
    if (path == NULL) return clyL_fail(L, &error, NULL, NULL);
    lua_pushstring(L, path);
    return 1;
}

/* client:next_event() -> an event, or nil */
static int client_next_event(lua_State *L) {
    lua_client *self = check_client(L);
    cly_event event;
    if (!cly_call_table_take_event(cly_client_calls(&self->client), &event)) return 0;
    clyL_push_event(L, &event);
    return 1;
}

/* client:stats() -> counters */
static int client_stats(lua_State *L) {
    cly_stats stats = cly_call_table_stats(cly_client_calls(&check_client(L)->client));
    clyL_push_stats(L, &stats);
    return 1;
}

/* client:drain(seconds) -> the number of calls still under way */
static int client_drain(lua_State *L) {
    cly_client *client = &check_client(L)->client;
    lua_pushinteger(L, cly_client_drain(client, check_seconds(L, 2)));
    return 1;
}

/* client:close([drain]) -> the number of calls that were ended by force */
static int client_close(lua_State *L) {
    lua_client *self = check_client(L);
    double drain = lua_isnoneornil(L, 2) ? 0 : check_seconds(L, 2);
    self->is_close_due = true;
    lua_pushinteger(L, self->is_read ? 0 : close_now(L, self, drain));
    return 1;
}

/* client:hurry(): the program was interrupted and wants to end */
static int client_hurry(lua_State *L) {
    check_client(L)->is_hurried = true;
    return 0;
}

/* No read can be under way, because a reader has the client on its stack. Background calls get
 * a short time to end without blocking, since a collector runs inside a host's loop. What has
 * not ended then is reported on stderr. */
static int client_gc(lua_State *L) {
    lua_client *self = check_client(L);
    cly_client_leave(&self->client, self->is_hurried ? 0 : collector_drain);
    forget_encode(L, self);
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
    {"encode", client_encode},
    {"submit", client_submit},
    {"submit_batch", client_submit_batch},
    {"background", client_background},
    {"has_room", client_has_room},
    {"step", client_step},
    {"is_done", client_is_done},
    {"take_done", client_take_done},
    {"result", client_result},
    {"cancel", client_cancel},
    {"forget", client_forget},
    {"detach_group", client_detach_group},
    {"anchor", client_anchor},
    {"detach", client_detach},
    {"descriptor", client_descriptor},
    {"acknowledge", client_acknowledge},
    {"next_ended", client_next_ended},
    {"permits_wanted", client_permits_wanted},
    {"give_permit", client_give_permit},
    {"listen", client_listen},
    {"next_event", client_next_event},
    {"stats", client_stats},
    {"hurry", client_hurry},
    {"drain", client_drain},
    {"close", client_close},
    {"is_closed", client_is_closed},
    {NULL, NULL},
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
    keep_function(L, &problems_key, push_problems);
    keep_function(L, &encoded_key, push_encoded);
    clyL_class(L, CLASS, methods, metamethods);
    clyL_open_anchor(L);
}
