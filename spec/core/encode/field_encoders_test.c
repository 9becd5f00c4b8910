/* Each type of field, by a message that holds it; what JSON cannot hold, by a
 * source that says so. */
#include "core/encode/field_encoders.h"

#include "spec/core/message_support.h"
#include "spec/core/test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define TO "'number':'+14155550123'"

static message_stage stage;

static int begin(void **state) {
    (void)state;
    message_begin(&stage);
    return 0;
}

static int end(void **state) {
    (void)state;
    message_end(&stage);
    return 0;
}

/* A field that is taken, and how it stands in the body. */
static const struct {
    const char *description, *operation, *fields, *wire;
} taken[] = {
    {"a number as text", "send_session", TO ",'text':12.50", "{'text':'12.5'}"},
    {"a footer as text", "send_session", TO ",'buttons':[{'id':1,'text':'b'}],'footer':'f'",
     "'footer':{'text':'f'}"},
    {"a footer as a table", "send_session", TO ",'buttons':[{'id':1,'text':'b'}],'footer':{'text':'f'}",
     "'footer':{'text':'f'}"},
    {"an id that is a number", "send_session", TO ",'buttons':[{'id':1,'text':'b'}]",
     "{'id':'1','text':'b'}"},
    {"a header as text", "send_session", TO ",'buttons':[{'id':1,'text':'b'}],'header':'h'",
     "'header':{'text':'h'}"},
    {"a header with a document", "send_session",
     TO ",'buttons':[{'id':1,'text':'b'}],'header':{'document':'https://x/i','filename':'i'}",
     "'header':{'attachment':{'type':'document','url':'https://x/i','filename':'i'}}"},
    {"a header as the wire has it", "send_session",
     TO ",'buttons':[{'id':1,'text':'b'}],'header':{'attachment':{'type':'image','url':'https://x/i'}}",
     "'header':{'attachment':{'type':'image','url':'https://x/i'}}"},
    {"the bounds of a coordinate", "send_session", TO ",'location':{'latitude':90,'longitude':-180.0}",
     "{'latitude':90,'longitude':-180}"},
    {"a bare BSUID", "send_session", "'number':'US.1','text':'x'",
     "'recipient':{'id':'US.1','channelType':'whatsapp'}"},
    {"a BSUID with its prefix goes without", "send_session", "'number':'bsuid:US.1','text':'x'",
     "'recipient':{'id':'US.1','channelType':'whatsapp'}"},
    {"a party of one's own channel", "send_session",
     "'recipient':{'id':'+12','channelType':'sms'},'text':'x'",
     "'recipient':{'id':'+12','channelType':'sms'}"},
    {"a party by its user id alone", "send_session", "'recipient':{'user_id':'US.1','name':'A'},'text':'x'",
     "'recipient':{'channelType':'whatsapp','name':'A','userId':'US.1'}"},
    {"a template's sender as a table", "send_template",
     TO ",'template_name':'t','language':'en','sender':{'id':'+12'}", "'sender':'+12',"},
    {"a session's sender as text", "send_session", TO ",'text':'x','sender':'+12'",
     "'sender':{'id':'+12','channelType':'whatsapp'}"},
    {"an empty caption", "send_session", TO ",'image':{'url':'https://x/i','caption':''}", "'caption':''"},
    {"a product's id beside it", "send_session", TO ",'product':{'catalog_id':1,'product_retailer_id':'S'}",
     "{'catalogId':'1','productItem':{'productRetailerId':'S'}}"},
    {"callback data that is false", "send_session", TO ",'text':'x','callback_data':false",
     "'callbackData':false"},
    {"callback data that is null is none", "send_session", TO ",'text':'x','callback_data':null",
     "{'text':'x'}}"},
    {"products pass as they are", "send_session", TO ",'text':'x','products':{'any':[1,{'b':null}]}",
     "'multiProductMessage':{'any':[1,{'b':null}]}"},
};

static const char *unquoted(const char *quoted) {
    static char text[4096];
    snprintf(text, sizeof text, "%s", quoted);
    for (char *at = text; *at; at++)
        if (*at == '\'') *at = '"';
    return text;
}

static cly_kind encode(const char *operation, const char *fields) {
    char message[4096];
    snprintf(message, sizeof message, "{%s}", fields);
    return message_encode_text(&stage, operation, message);
}

static void fields_are_written(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(taken); i++) {
        if (encode(taken[i].operation, taken[i].fields) != CLY_OK)
            fail_msg("%s: %s", taken[i].description, stage.error.message);
        if (strstr(message_body(&stage), unquoted(taken[i].wire)) == NULL)
            fail_msg("%s:\n  %s\n  has no %s", taken[i].description, message_body(&stage), taken[i].wire);
    }
}

static const struct {
    const char *description, *operation, *fields, *param, *message;
} refused[] = {
    {"an empty text", "send_session", TO ",'text':''", "text", "must not be empty"},
    {"a boolean", "send_session", TO ",'text':true", "text", "string or number expected, got boolean"},
    {"a table", "send_session", TO ",'text':{}", "text", "string or number expected, got table"},
    {"a number that is none", "send_session", TO ",'location':{'latitude':'49','longitude':1}",
     "location.latitude", "number expected, got string"},
    {"too far north", "send_session", TO ",'location':{'latitude':90.0001,'longitude':1}",
     "location.latitude", "number from -90 to 90 expected"},
    {"an integer too far west", "send_session", TO ",'location':{'latitude':1,'longitude':-181}",
     "location.longitude", "number from -180 to 180 expected"},
    {"a coordinate is missing", "send_session", TO ",'location':{'latitude':1}", "location.longitude",
     "missing"},
    {"a telephone number that is a number", "send_session", "'number':14155550123,'text':'x'", "number",
     "string expected, got number"},
    {"a medium with a file name", "send_session", TO ",'image':{'url':'https://x/i','filename':'i'}",
     "image.filename", "only a document has a file name"},
    {"a header with two contents", "send_session",
     TO ",'buttons':[{'id':1,'text':'b'}],'header':{'text':'a','image':'https://x'}", "header",
     "exactly one of text, image, video, document, attachment expected"},
    {"a header with none", "send_session", TO ",'buttons':[{'id':1,'text':'b'}],'header':{}", "header",
     "exactly one of text, image, video, document, attachment expected"},
    {"a header's file name in both places", "send_session",
     TO ",'buttons':[{'id':1,'text':'b'}],'header':{'document':{'url':'https://"
        "x','filename':'a'},'filename':'b'}",
     "header.document.filename", "given twice"},
    {"a kind of attachment that is none", "send_session",
     TO ",'message':{'attachments':[{'type':'sticker','url':'https://x'}]}", "message.attachments[1].type",
     "image, video, audio or document expected"},
    {"a product by both names", "send_session",
     TO ",'product':{'catalog_id':1,'product_retailer_id':'S','product_item':{'product_retailer_id':'S'}}",
     "product.product_retailer_id", "given twice, also in product_item"},
    {"products that are no table", "send_session", TO ",'text':'x','products':'y'", "products",
     "table expected, got string"},
    {"a sender that is a BSUID", "send_template", TO ",'template_name':'t','language':'en','sender':'US.1'",
     "sender", "a number in E.164 expected"},
    {"a sender's table without a number", "send_template",
     TO ",'template_name':'t','language':'en','sender':{}", "sender.id", "missing"},
    {"a row of a section", "send_session",
     TO ",'text':'x','list':{'button':'b','sections':[{'rows':[{'id':1,'text':'a'},{'id':2}]}]}",
     "list.sections[1].rows[2].text", "missing"},
    {"a guess at a language", "send_template", TO ",'template_name':'t','language':'PT-br'", "language",
     "did you mean `pt_BR`?"},
    {"no guess at a language", "send_template", TO ",'template_name':'t','language':'english'", "language",
     "such as en or pt_BR"},
    {"no guess at nothing", "send_template", TO ",'template_name':'t','language':''", "language",
     "such as en or pt_BR"},
};

static void faults_are_named(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        const char *said;
        check_case(encode(refused[i].operation, refused[i].fields) == CLY_ARGUMENT, refused[i].description);
        said = message_problem(&stage, refused[i].param);
        if (said == NULL || strstr(said, refused[i].message) == NULL)
            fail_msg("%s: %s: %s", refused[i].description, refused[i].param,
                     said ? said : stage.error.message);
    }
}

/* Callback data of exactly so many bytes, quotes included. */
static cly_kind encode_callback(size_t bytes) {
    json_t *message = message_parse("{" TO ",'text':'x'}");
    char text[2048];
    cly_kind kind;
    memset(text, 'x', sizeof text);
    json_object_set_new(message, "callback_data", json_stringn(text, bytes - 2));
    kind = message_encode(&stage, "send_session", message);
    json_decref(message);
    return kind;
}

static void callback_data_ends_at_1024_bytes(void **state) {
    (void)state;
    assert_int_equal(encode_callback(1024), CLY_OK);
    assert_int_equal(encode_callback(1025), CLY_ARGUMENT);
    assert_string_equal(message_problem(&stage, "callback_data"), "at most 1024 bytes of JSON, got 1025");
}

static void a_message_of_more_than_a_mebibyte_is_refused(void **state) {
    json_t *message = message_parse("{" TO ",'text':'x'}");
    static char text[CLY_BODY_MAX];
    (void)state;
    memset(text, 'x', sizeof text);
    json_object_set_new(message, "text", json_stringn(text, sizeof text));
    assert_int_equal(message_encode(&stage, "send_session", message), CLY_ARGUMENT);
    assert_string_equal(stage.error.message, "message: larger than 1048576 bytes");
    json_decref(message);
}

static void invalid_utf8_is_named(void **state) {
    json_t *message = message_parse("{" TO "}");
    (void)state;
    json_object_set_new(message, "text", json_stringn_nocheck("a\xff", 2));
    assert_int_equal(message_encode(&stage, "send_session", message), CLY_ARGUMENT);
    assert_string_equal(message_problem(&stage, "text"), "not valid UTF-8");
    json_decref(message);
}

static double odd;

static cly_number odd_number(void *host, cly_value value) {
    cly_number number = {false, 0, 0};
    (void)host, (void)value;
    number.real = odd;
    return number;
}

static void only_finite_numbers_are_taken(void **state) {
    static const double odds[] = {NAN, INFINITY, -INFINITY};
    (void)state;
    stage.source.number = odd_number;
    for (size_t i = 0; i < COUNT_OF(odds); i++) {
        odd = odds[i];
        assert_int_equal(encode("send_session", TO ",'text':1"), CLY_ARGUMENT);
        assert_string_equal(message_problem(&stage, "text"), "finite number expected");
        assert_int_equal(encode("send_session", TO ",'location':{'latitude':1,'longitude':1}"), CLY_ARGUMENT);
        assert_string_equal(message_problem(&stage, "location.latitude"), "finite number expected");
    }
}

static const char *refuse_json(void *host, cly_value value, cly_buffer *out) {
    (void)host, (void)value, (void)out;
    return "cannot serialise function";
}

static const char *write_odd_json(void *host, cly_value value, cly_buffer *out) {
    (void)host, (void)value;
    cly_buffer_append(out, "\"\xff\"", 3);
    return NULL;
}

static void the_encoder_of_the_host_may_refuse(void **state) {
    (void)state;
    stage.source.json = refuse_json;
    assert_int_equal(encode("send_session", TO ",'text':'x','callback_data':1"), CLY_ARGUMENT);
    assert_string_equal(message_problem(&stage, "callback_data"), "cannot serialise function");
    stage.source.json = write_odd_json;
    assert_int_equal(encode("send_session", TO ",'text':'x','callback_data':1"), CLY_ARGUMENT);
    assert_string_equal(message_problem(&stage, "callback_data"), "not valid UTF-8");
}

/* A host's encoder may run a finalizer, and that may encode with the same client
 * or close it: what was written so far is gone then. */
static const char *encode_inside(void *host, cly_value value, cly_buffer *out) {
    (void)host, (void)value;
    cly_buffer_reset(out);
    stage.encoder.generation++;
    cly_buffer_append(out, "{}", 2);
    return NULL;
}

static const char *clear_inside(void *host, cly_value value, cly_buffer *out) {
    (void)host, (void)value, (void)out;
    cly_encoder_clear(&stage.encoder);
    stage.encoder.generation++;
    return NULL;
}

static void an_encode_inside_another_is_noticed(void **state) {
    (void)state;
    stage.source.json = encode_inside;
    assert_int_equal(encode("send_session", TO ",'text':'x','callback_data':1"), CLY_ARGUMENT);
    assert_non_null(strstr(stage.error.message, "used the client while"));
    assert_int_equal(encode("send_session", TO ",'text':'x','products':{}"), CLY_ARGUMENT);
    assert_non_null(strstr(stage.error.message, "used the client while"));
}

static void a_clear_inside_an_encode_is_noticed(void **state) {
    (void)state;
    stage.source.json = clear_inside;
    assert_int_equal(encode("send_session", TO ",'text':'x','callback_data':1"), CLY_ARGUMENT);
    assert_int_equal(encode("send_session", TO ",'text':'x','products':{}"), CLY_ARGUMENT);
    assert_non_null(strstr(stage.error.message, "used the client while"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(fields_are_written),
        TEST(faults_are_named),
        TEST(callback_data_ends_at_1024_bytes),
        TEST(a_message_of_more_than_a_mebibyte_is_refused),
        TEST(invalid_utf8_is_named),
        TEST(only_finite_numbers_are_taken),
        TEST(the_encoder_of_the_host_may_refuse),
        TEST(an_encode_inside_another_is_noticed),
        TEST(a_clear_inside_an_encode_is_noticed),
    };
    return cmocka_run_group_tests_name("core/encode/field_encoders", tests, NULL, NULL);
}
