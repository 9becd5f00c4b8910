/*
 * lua_anchor.h - ties a call in the background to a Lua object.
 */
#ifndef CLY_BINDING_CLIENT_LUA_ANCHOR_H
#define CLY_BINDING_CLIENT_LUA_ANCHOR_H

#include "binding/compat.h"
#include "io/client.h"

CLY_PRIVATE_BEGIN

/* Userdata that the owner of a call keeps. When it is collected the result of the call is
 * given up, and the call goes on. */
typedef struct clyL_anchor {
    cly_client *client; /* kept alive by the reference */
    int reference;
    cly_ticket ticket; /* 0 before a call was submitted with it */
} clyL_anchor;

/* Makes the class; leaves nothing on the stack. */
void clyL_open_anchor(lua_State *L);

/* Pushes an anchor of the client at index 1. It is made before the call, since nothing may
 * fail after a call is submitted. */
int clyL_new_anchor(lua_State *L, cly_client *client);

/* The anchor at `argument`, of the client at index 1 and without a call yet; NULL when none is
 * given. */
clyL_anchor *clyL_check_anchor(lua_State *L, int argument);

CLY_PRIVATE_END

#endif
