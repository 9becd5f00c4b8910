#include "binding/client/lua_event.h"

#include "binding/lua_error.h"
#include <stdint.h>

static void set_phase(lua_State *L, const char *name, double seconds) {
    if (seconds <= 0) return;
    lua_pushnumber(L, (lua_Number)seconds);
    lua_setfield(L, -2, name);
}

static void push_end(lua_State *L, const cly_event *event) {
    if (event->kind != CLY_OK) {
        clyL_set_text(L, "kind", cly_kind_name(event->kind));
        clyL_set_text(L, "outcome", cly_outcome_name(event->outcome));
    }
    if (event->status) {
        lua_pushinteger(L, event->status);
        lua_setfield(L, -2, "status");
    }
    clyL_set_text(L, "http_version", event->http_version);
}

static void push_timings(lua_State *L, const cly_event *event) {
    lua_createtable(L, 0, 5);
    set_phase(L, "dns", event->phases.dns);
    set_phase(L, "connect", event->phases.connect);
    set_phase(L, "tls", event->phases.tls);
    set_phase(L, "first_byte", event->phases.first_byte);
    set_phase(L, "total", event->phases.total);
    lua_setfield(L, -2, "timings");
}

void clyL_push_event(lua_State *L, const cly_event *event) {
    lua_createtable(L, 0, 8);
    clyL_set_text(L, "name", cly_event_name(event->type));
    clyL_set_text(L, "operation", event->operation);
    lua_pushinteger(L, (lua_Integer)event->call);
    lua_setfield(L, -2, "call");
    lua_pushinteger(L, event->attempt);
    lua_setfield(L, -2, event->type == CLY_EVENT_DONE ? "attempts" : "attempt");
    if (event->type == CLY_EVENT_ATTEMPT || event->type == CLY_EVENT_DONE) push_end(L, event);
    if (event->type == CLY_EVENT_ATTEMPT) {
        push_timings(L, event);
        return;
    }
    lua_pushnumber(L, (lua_Number)event->delay);
    lua_setfield(L, -2, event->type == CLY_EVENT_DONE ? "elapsed" : "delay");
    clyL_set_text(L, "reason", event->reason);
    clyL_set_text(L, "id", event->id[0] ? event->id : NULL);
    clyL_set_text(L, "code", event->code[0] ? event->code : NULL);
}

void clyL_push_stats(lua_State *L, const cly_stats *stats) {
    const struct {
        const char *name;
        uint64_t count;
    } counters[] = {
        {"calls", stats->calls},
        {"succeeded", stats->succeeded},
        {"not_sent", stats->not_sent},
        {"rejected", stats->rejected},
        {"unknown", stats->unknown},
        {"attempts", stats->attempts},
        {"retries", stats->retries},
        {"throttled", stats->throttled},
        {"events_lost", stats->events_lost},
        {"in_flight", (uint64_t)stats->in_flight},
    };
    lua_newtable(L);
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        lua_pushinteger(L, (lua_Integer)counters[i].count);
        lua_setfield(L, -2, counters[i].name);
    }
}
