/* The binding on a Lua 5.4 that runs out of memory: its allocator fails at the
 * n-th request, for every n until all goes well, and so does the C core's. */
#include "spec/core/memory_support.h"
#include "spec/core/test.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdint.h>
#include <string.h>

int luaopen_connectly_native(lua_State *L);

enum { ENOUGH = 20000 };

/* The largest block that Lua gets. */
static size_t largest_block = SIZE_MAX;

/* Lua's own memory is counted and starved together with ours. */
static void *allocate(void *data, void *block, size_t old_size, size_t new_size) {
    (void)data;
    /* Lua relies on shrinking: it must not fail. */
    if (block && new_size > 0 && new_size <= old_size) return block;
    if (new_size > largest_block) return NULL;
    return memory_resize(block, new_size);
}

static lua_State *open_lua(void) {
    lua_State *L = lua_newstate(allocate, NULL);
    assert_non_null(L);
    luaL_openlibs(L);
    luaL_requiref(L, "connectly.native", luaopen_connectly_native, 0);
    lua_setglobal(L, "native");
    assert_int_equal(luaL_dostring(L, "function encode(value) return type(value) == 'table' and '{}' or "
                                      "'\"' .. tostring(value) .. '\"' end"),
                     LUA_OK);
    return L;
}

static void load(lua_State *L, const char *chunk) {
    if (luaL_loadstring(L, chunk) != LUA_OK) fail_msg("%s", lua_tostring(L, -1));
}

/* Lua is out of memory, or the core is and says so. Without memory even that
 * may be all there is to say. */
static void check_failure(lua_State *L, int status) {
    const char *message = lua_tostring(L, -1);
    if (status == LUA_ERRMEM) return;
    if (status == LUA_OK || message == NULL) fail_msg("status %d without a message", status);
    if (strstr(message, "not enough memory") == NULL && strstr(message, "overloaded") == NULL)
        fail_msg("%s", message);
}

static void run_once(const char *setup, const char *chunk, long n, memory_manner manner, bool *had_enough) {
    lua_State *L = open_lua();
    int status;
    assert_int_equal(luaL_dostring(L, setup), LUA_OK);
    load(L, chunk);
    memory_fail(n, manner);
    status = lua_pcall(L, 0, 0, 0);
    *had_enough = !memory_restore();
    /* Lua collects garbage and asks again when it was refused: a failure need not be an error. */
    if (status != LUA_OK) check_failure(L, status);
    if (*had_enough) assert_int_equal(status, LUA_OK);
    lua_settop(L, 0);
    load(L, chunk);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) fail_msg("afterwards: %s", lua_tostring(L, -1));
    lua_close(L);
}

static void starve(const char *setup, const char *chunk, memory_manner manner) {
    long live = memory_live();
    bool had_enough = false;
    for (long n = 0; !had_enough; n++) {
        assert_true(n < ENOUGH);
        run_once(setup, chunk, n, manner, &had_enough);
        assert_int_equal(memory_live(), live);
    }
}

static void starve_both(const char *setup, const char *chunk) {
    starve(setup, chunk, MEMORY_FAILS_ONCE);
    starve(setup, chunk, MEMORY_FAILS_FROM_THEN_ON);
}

#define SETUP                                                                                              \
    "client = native.new({ api_key = 'k', business_id = 'b', base_url = 'http://localhost:1' }, encode)\n" \
    "function try(operation, message, expected)\n"                                                         \
    "  local body, err = client:encode(operation, message)\n"                                              \
    "  if not body then error(err.kind .. ': ' .. err.message, 0) end\n"                                   \
    "  assert(body == expected, body)\n"                                                                   \
    "end\n"

static void a_template_survives(void **state) {
    (void)state;
    starve_both(
        SETUP
        "message = { number = '+14155550123', template_name = 't', language = 'en',\n"
        "  header = { document = 'https://x/i', filename = 'i' }, body = { 'a', 2 }, buttons = { false, 's' "
        "},\n"
        "  cards = { { header = { image = 'https://x/c' }, body = { 'c' }, buttons = { 'd' } } },\n"
        "  parameters = { body_3 = 'z', var = { value = 'v', raw = true } },\n"
        "  callback_data = { 1 }, campaign_name = 'n' }\n"
        "expected = "
        "'{\"number\":\"+14155550123\",\"templateName\":\"t\",\"language\":\"en\",\"parameters\":['\n"
        ".. '{\"name\":\"header_document\",\"value\":\"https://x/i\",\"filename\":\"i\"},'\n"
        ".. '{\"name\":\"body_1\",\"value\":\"a\"},{\"name\":\"body_2\",\"value\":\"2\"},'\n"
        ".. '{\"name\":\"body_3\",\"value\":\"z\"},{\"name\":\"button_2_url_suffix\",\"value\":\"s\"},'\n"
        ".. "
        "'{\"name\":\"card.0.header.image\",\"value\":\"https://x/"
        "c\"},{\"name\":\"card.0.body.0\",\"value\":\"c\"},'\n"
        ".. '{\"name\":\"card.0.button.0.urlSuffix\",\"value\":\"d\"},{\"name\":\"var\",\"value\":\"v\"}],'\n"
        ".. '\"callbackData\":{},\"campaignName\":\"n\"}'\n",
        "try('send_template', message, expected)");
}

static void a_session_message_survives(void **state) {
    (void)state;
    starve_both(SETUP "message = setmetatable({ text = 'x', list = { button = 'b', header = 'h',\n"
                      "  sections = { { title = 's', rows = { { id = 1, text = 't' } } } } } },\n"
                      "  { __index = { number = '+14155550123' } })\n"
                      "expected = "
                      "'{\"recipient\":{\"id\":\"+14155550123\",\"channelType\":\"whatsapp\"},\"message\":{"
                      "\"text\":\"x\",'\n"
                      ".. "
                      "'\"listMessage\":{\"header\":{\"text\":\"h\"},\"button\":{\"text\":\"b\"},"
                      "\"sections\":[{\"title\":\"s\",'\n"
                      ".. '\"rows\":[{\"id\":\"1\",\"text\":\"t\"}]}]}}}'\n",
                "try('send_session', message, expected)");
}

static void a_bad_message_survives(void **state) {
    (void)state;
    starve_both(SETUP "message = { numebr = 1, text = true, list = { {} }, header = print, colour = 1 }",
                "local body, err = client:encode('send_session', message)\n"
                "assert(body == nil)\n"
                "if err.kind == 'overloaded' then error('overloaded', 0) end\n"
                "assert(err.kind == 'argument' and err.outcome == 'not_sent' and err.problems[1].param)");
}

static void a_client_survives(void **state) {
    (void)state;
    starve_both("",
                "local client, err = native.new({ api_key = 'key', business_id = 'business', timeout = 3,\n"
                "  base_url = 'https://localhost', sender = '+14155550100' }, encode)\n"
                "if not client then error(err.kind .. ': ' .. err.message, 0) end\n"
                "client:close()");
}

static void the_module_survives(void **state) {
    (void)state;
    starve_both("",
                "native.operations() native.shapes() native.taxonomy() native.versions() native.ca_paths()\n"
                "assert(native.message_time('01ARZ3NDEKTSV4RRFFQ69G5FAV'))");
}

/* A signature that is good never becomes another answer than yes, or an error. */
static void a_webhook_survives(void **state) {
    (void)state;
    starve_both(
        "body = "
        "'{\"id\":15555555555555555555,\"statusUpdate\":{\"error\":{\"message\":\"m\",\"details\":{"
        "\"a\":1}}}}'\n",
        "assert(not native.verify_webhook({ 'a', 'b' }, body, ('x'):rep(44)))\n"
        "local err = native.webhook_error(body)\n"
        "if err.details ~= '{\"a\":1}' then error('overloaded', 0) end\n"
        "assert(err.kind == 'rejected' and native.webhook_error('{}') == nil)\n"
        "assert(native.exact_json(body):find('\"15555555555555555555\"', 1, true))\n"
        "assert(native.exact_json('[1]') == '[1]' and not native.exact_json('[1'))\n"
        "assert(native.json_member('{\"a\": [ 1 ]}', 'a') == '[ 1 ]')\n"
        "assert(not native.json_member('{\"a\":1,\"a\":2}', 'a') and not native.json_member('[1]', 'a'))\n"
        "assert(native.compact_json('[ 1, 2 ]') == '[1,2]' and not native.compact_json('[ 1'))");
}

static void opening_survives(void **state) {
    long live = memory_live();
    bool had_enough = false;
    (void)state;
    for (long n = 0; !had_enough; n++) {
        lua_State *L = lua_newstate(allocate, NULL);
        int status;
        assert_non_null(L);
        lua_pushcfunction(L, luaopen_connectly_native);
        memory_fail(n, MEMORY_FAILS_FROM_THEN_ON);
        status = lua_pcall(L, 0, 1, 0);
        had_enough = !memory_restore();
        assert_true(status == (had_enough ? LUA_OK : LUA_ERRMEM));
        lua_close(L);
        assert_int_equal(memory_live(), live);
    }
}

/* There is memory for a message that says so, and none for a larger Lua stack. */
static void a_stack_that_cannot_grow_is_lack_of_memory(void **state) {
    lua_State *L = open_lua(), *thread;
    (void)state;
    assert_int_equal(luaL_dostring(L, SETUP "message = { number = '+14155550123', text = 'x' }"), LUA_OK);
    thread = lua_newthread(L); /* its stack is still small */
    load(thread, "client:encode('send_session', message)");
    largest_block = 1024;
    assert_int_equal(lua_pcall(thread, 0, 0, 0), LUA_ERRRUN);
    assert_non_null(strstr(lua_tostring(thread, -1), "not enough memory"));
    largest_block = SIZE_MAX;
    lua_close(L);
}

/* ---- a host that comes back in the middle ---- */

static void run(const char *chunk) {
    lua_State *L = open_lua();
    load(L, chunk);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) fail_msg("%s", lua_tostring(L, -1));
    lua_close(L);
}

#define AGAIN                                                                                \
    "local options = { api_key = 'k', business_id = 'b', base_url = 'http://localhost:1',\n" \
    "  sender = '+14155550100' }\n"                                                          \
    "local client\n"                                                                         \
    "local message = { number = '+14155550123', text = 'x' }\n"                              \
    "local template = { number = '+14155550123', template_name = 't', language = 'en' }\n"

static void a_key_with_a_zero_byte_is_unknown(void **state) {
    (void)state;
    run(AGAIN "client = native.new(options, encode)\n"
              "for length = 1, 40 do\n"
              "  message['text' .. ('\\0'):rep(length)] = 'x'\n"
              "  local body, err = client:encode('send_session', message)\n"
              "  assert(body == nil and err.kind == 'argument' and #err.problems == 1, body)\n"
              "  message['text' .. ('\\0'):rep(length)] = nil\n"
              "end");
}

static void an_encoder_may_encode(void **state) {
    (void)state;
    run(AGAIN "client = native.new(options, function()\n"
              "  client:encode('request', { method = 'GET', path = '/x' })\n"
              "  return '{}'\n"
              "end)\n"
              "for _, field in ipairs { 'callback_data', 'products' } do\n"
              "  message[field] = {}\n"
              "  local body, err = client:encode('send_session', message)\n"
              "  assert(body == nil and err.kind == 'argument', body)\n"
              "end");
}

static void an_encoder_may_close_the_client(void **state) {
    (void)state;
    run(AGAIN "for _, field in ipairs { 'callback_data', 'products' } do\n"
              "  client = native.new(options, function() client:close() return '{}' end)\n"
              "  message[field] = {}\n"
              "  assert(client:encode('send_session', message) == nil)\n"
              "  message[field] = nil\n"
              "end");
}

/* The client's own sender is read after the message's fields. */
static void a_metamethod_may_close_the_client(void **state) {
    (void)state;
    run(AGAIN "for operation, of in pairs { send_template = template, send_session = message } do\n"
              "  client = native.new(options, encode)\n"
              "  setmetatable(of, { __index = function() client:close() end })\n"
              "  assert(client:encode(operation, of) == nil)\n"
              "  assert(client:submit(operation, of) == nil)\n"
              "end");
}

static void an_item_may_close_the_client(void **state) {
    (void)state;
    run(AGAIN "client = native.new(options, encode)\n"
              "template.parameters = { { name = 'body_1', value = 'x' } }\n"
              "template.body = setmetatable({}, { __index = function(_, index)\n"
              "  client:close()\n"
              "  return index < 4 and 'x' or nil\n"
              "end })\n"
              "assert(client:encode('send_template', template) == nil)");
}

static void an_error_in_the_middle_leaves_the_client_usable(void **state) {
    (void)state;
    run(AGAIN "local fails = true\n"
              "client = native.new(options, function() if fails then error('no') end return '1' end)\n"
              "message.callback_data = 1\n"
              "assert(not pcall(client.encode, client, 'send_session', message))\n"
              "fails = false\n"
              "assert(client:encode('send_session', message):find('\"callbackData\":1}', 1, true))");
}

/* Any allocation may run a finalizer, and that may close the client whose result
 * is being pushed. */
static void a_finalizer_may_close_the_client(void **state) {
    (void)state;
    run(AGAIN "collectgarbage('generational', 1)\n"
              "for turn = 1, 40 do\n"
              "  client = native.new(options, encode)\n"
              "  local ticket = client:submit('send_session', message)\n"
              "  repeat client:step(0.1) until client:is_done(ticket)\n"
              "  local closing = client\n"
              "  setmetatable({}, { __gc = function() closing:close() end })\n"
              "  local ballast = ('x'):rep(turn * 40)\n"
              "  local id, err = client:result(ticket)\n"
              "  assert(id == nil and (err.kind == 'network' or err.kind == 'closed'), err.kind)\n"
              "end");
}

static int begin(void **state) {
    (void)state;
    memory_take_jansson();
    return 0;
}

static int end(void **state) {
    (void)state;
    memory_restore();
    largest_block = SIZE_MAX;
    return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_template_survives),
        TEST(a_session_message_survives),
        TEST(a_bad_message_survives),
        TEST(a_client_survives),
        TEST(the_module_survives),
        TEST(a_webhook_survives),
        TEST(opening_survives),
        TEST(a_stack_that_cannot_grow_is_lack_of_memory),
        TEST(a_key_with_a_zero_byte_is_unknown),
        TEST(an_encoder_may_encode),
        TEST(an_encoder_may_close_the_client),
        TEST(a_metamethod_may_close_the_client),
        TEST(an_item_may_close_the_client),
        TEST(an_error_in_the_middle_leaves_the_client_usable),
        TEST(a_finalizer_may_close_the_client),
    };
    return cmocka_run_group_tests_name("binding/memory", tests, begin, NULL);
}
