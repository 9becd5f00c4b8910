/* core/encode/encoder: a host whose callbacks use the encoder again, as a metamethod or a
 * finalizer does that sends on the same client. */
#include "core/encode/encoder.h"

#include "spec/core/message_support.h"
#include "spec/core/test.h"
#include <stdlib.h>
#include <string.h>

static message_stage stage;
static cly_source plain; /* the source that the callbacks below wrap */

/* The use made of the encoder, and at which call of the source. */
static void (*reuse)(void);
static long countdown, calls_after;
static bool is_inside;

static void call(void) {
    if (is_inside) return;
    if (countdown < 0) calls_after++;
    if (--countdown != -1) return;
    is_inside = true;
    reuse();
    is_inside = false;
}

static void next(void *host, cly_value table, cly_entries *entries) {
    call();
    plain.next(host, table, entries);
}

static bool has_defaults(void *host, cly_value table) {
    call();
    return plain.has_defaults(host, table);
}

static cly_value field(void *host, cly_value table, const char *name) {
    call();
    return plain.field(host, table, name);
}

static int items(void *host, cly_value table, cly_value *out, int room) {
    call();
    return plain.items(host, table, out, room);
}

static cly_list_shape list(void *host, cly_value table) {
    call();
    return plain.list(host, table);
}

static cly_value item(void *host, cly_value table, size_t index) {
    call();
    return plain.item(host, table, index);
}

static const char *json(void *host, cly_value value, cly_buffer *out) {
    call();
    return plain.json(host, value, out);
}

static int begin(void **state) {
    (void)state;
    message_begin(&stage);
    plain = stage.source;
    stage.source.next = next;
    stage.source.has_defaults = has_defaults;
    stage.source.field = field;
    stage.source.items = items;
    stage.source.list = list;
    stage.source.item = item;
    stage.source.json = json;
    return 0;
}

static int end(void **state) {
    (void)state;
    message_end(&stage);
    return 0;
}

/* ---- uses ---- */

/* So long that its places are outside of any buffer that was put under it. */
#define LONG_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LONG LONG_64 LONG_64 LONG_64 LONG_64 LONG_64 LONG_64 LONG_64 LONG_64
#define NUMBERED "'number':'+14155550123','template_name':'t','language':'en'"

/* Sent: the client takes the body away and leaves a smaller buffer in its place. */
static void take_body(size_t capacity) {
    cly_buffer other;
    cly_buffer_init(&other, CLY_BODY_MAX);
    other.data = malloc(capacity);
    other.capacity = capacity;
    assert_non_null(other.data);
    cly_buffer_swap(&stage.encoder.body, &other);
    cly_buffer_clear(&other);
}

static cly_kind encode_inside(const char *operation, const char *quoted) {
    const cly_operation *found = cly_operation_find(operation, strlen(operation));
    json_t *message = message_parse(quoted);
    cly_error error;
    cly_kind kind;
    cly_error_clear(&error);
    kind = cly_encoder_encode(&stage.encoder, found, NULL, &stage.source, source_value(message), &error);
    json_decref(message);
    return kind;
}

static void send_short(void) {
    assert_int_equal(encode_inside("send_session", "{'number':'+14155550123','text':'x'}"), CLY_OK);
    take_body(1);
}

/* Its parameters stay behind in the encoder, its body does not. */
static void send_long(void) {
    assert_int_equal(encode_inside("send_template", "{" NUMBERED ",'parameters':{'body_2':'" LONG
                                                    "','body_1':'" LONG "','var_b':{'value':'" LONG
                                                    "','raw':true},'var_a':{'value':'b','raw':true}}}"),
                     CLY_OK);
    take_body(16);
}

static void send_wrong(void) {
    assert_int_equal(encode_inside("send_session", "{'unknown':1,'other':2,'text':false}"), CLY_ARGUMENT);
}

static void close_client(void) {
    cly_encoder_clear(&stage.encoder);
}

static void repeat_batch(void) {
    const cly_operation *operation = cly_operation_find("send_campaigns", 14);
    cly_error error;
    cly_error_clear(&error);
    assert_int_equal(cly_encoder_repeat(&stage.encoder, operation, "{}", 2, (cly_batch){1, 1}, "", &error),
                     CLY_OK);
    take_body(1);
}

static void (*const uses[])(void) = {send_short, send_long, send_wrong, close_client, repeat_batch};

/* ---- messages ---- */

#define TO "'number':'+14155550123'"
#define ENTRY(digit) "{'number':'+1415555012" digit "','campaign_name':'c','variables':{'a':1,'b':{'c':2}}}"

static const struct {
    const char *operation, *message;
} messages[] = {
    {"send_template", "{" NUMBERED ",'callback_data':{'a':[1,2]},'parameters':["
                      "{'name':'body_2','value':'" LONG "'},{'name':'body_1','value':1},"
                      "{'name':'var_b','value':1,'raw':true},{'name':'var_a','value':2,'raw':true}]}"},
    {"send_template", "{" NUMBERED ",'header':{'document':'https://x/a','filename':'f'},'body':['b','a'],"
                      "'buttons':['x'],'cards':[{'header':{'image':'https://x/'},'body':['c']}],"
                      "'parameters':{'body_9':'z','body_4':'y','body_3':{'value':'x'}}}"},
    {"send_session",
     "{" TO ",'list':{'button':'b','sections':[{'title':'t','rows':[{'id':'1','text':'a'}]}]},"
     "'header':'h','callback_data':'c'}"},
    {"send_session", "{" TO ",'text':'t','buttons':[{'id':'1','text':'a'},{'id':'2','text':'b'}]}"},
    {"send_campaigns", "{'entries':[" ENTRY("1") "," ENTRY("2") "," ENTRY("3") "]}"},
    {"request", "{'method':'POST','path':'/x','body':{'a':[1,2,{'b':3}]}}"},
    {"create_webhook", "{'topic':'messages','address':'https://x/','secret':'s'}"},
};

/* Encodes with one use at the source's call `at`; false when there is none such. */
static bool encode_with_use_at(size_t index, long at) {
    json_t *message = message_parse(messages[index].message);
    cly_kind kind;
    countdown = at;
    calls_after = 0;
    kind = message_encode(&stage, messages[index].operation, message);
    json_decref(message);
    if (countdown >= 0) return false;
    check_case(kind == CLY_ARGUMENT && stage.error.outcome == CLY_NOT_SENT, messages[index].message);
    check_case(strstr(stage.error.message, "used the client") != NULL, messages[index].message);
    check_case(stage.encoder.problems.count == 0, messages[index].message);
    check_case(calls_after == 0, messages[index].message);
    return true;
}

static void a_message_ends_where_its_encoder_is_used_for_another(void **state) {
    (void)state;
    for (size_t use = 0; use < COUNT_OF(uses); use++) {
        reuse = uses[use];
        for (size_t index = 0; index < COUNT_OF(messages); index++) {
            long at = 0;
            while (encode_with_use_at(index, at)) at++;
            check_case(at > 1, messages[index].message);
        }
    }
}

/* The other message is what it is, and so is the next. */
static void the_other_message_is_whole(void **state) {
    static const char sent[] = "{\"recipient\":{\"id\":\"+14155550123\",\"channelType\":\"whatsapp\"},"
                               "\"message\":{\"text\":\"x\"}}";
    (void)state;
    reuse = send_short;
    assert_true(encode_with_use_at(0, 1));
    countdown = 1000000;
    assert_int_equal(message_encode_text(&stage, "send_session", "{" TO ",'text':'x'}"), CLY_OK);
    assert_string_equal(message_body(&stage), sent);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_message_ends_where_its_encoder_is_used_for_another),
        TEST(the_other_message_is_whole),
    };
    return cmocka_run_group_tests_name("core/reentry", tests, NULL, NULL);
}
