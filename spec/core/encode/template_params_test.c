#include "core/encode/template_params.h"

#include "spec/core/edge_support.h"
#include "spec/core/message_support.h"
#include "spec/core/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERED "'number':'+14155550123','template_name':'t','language':'en'"
#define SENT "\"number\":\"+14155550123\",\"templateName\":\"t\",\"language\":\"en\",\"parameters\":"

static const struct {
    const char *name;
    cly_param param;
    unsigned first, second;
} names[] = {
    {"header_text", CLY_PARAM_HEADER_TEXT, 0, 0},
    {"header_image", CLY_PARAM_HEADER_IMAGE, 0, 0},
    {"header_document", CLY_PARAM_HEADER_DOCUMENT, 0, 0},
    {"header_video", CLY_PARAM_HEADER_VIDEO, 0, 0},
    {"body_1", CLY_PARAM_BODY, 1, 0},
    {"body_15", CLY_PARAM_BODY, 15, 0},
    {"button_1_url_suffix", CLY_PARAM_BUTTON_URL_SUFFIX, 1, 0},
    {"button_3_url_suffix", CLY_PARAM_BUTTON_URL_SUFFIX, 3, 0},
    {"button_2_url", CLY_PARAM_BUTTON_URL, 2, 0},
    {"card.0.header.image", CLY_PARAM_CARD_HEADER_IMAGE, 0, 0},
    {"card.9.body.12", CLY_PARAM_CARD_BODY, 9, 12},
    {"card.999.button.999.urlSuffix", CLY_PARAM_CARD_BUTTON_URL_SUFFIX, 999, 999},
};

static void a_name_is_taken_apart_and_put_together(void **state) {
    char text[CLY_PARAM_NAME_SIZE];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        size_t length = strlen(names[i].name);
        cly_param_name parsed;
        check_case(cly_param_parse(&parsed, edge_copy(names[i].name, length), length), names[i].name);
        check_case(parsed.param == names[i].param, names[i].name);
        check_case(parsed.numbers[0] == names[i].first && parsed.numbers[1] == names[i].second,
                   names[i].name);
        cly_param_format(text, &parsed);
        check_case_text(text, names[i].name, names[i].name);
    }
}

static void other_names_are_none(void **state) {
    static const char *const others[] = {
        "",
        "b",
        "body",
        "body_",
        "body_0",
        "body_01",
        "body_1 ",
        "body_-1",
        "body_1000",
        "Body_1",
        "body.1",
        "body_1_",
        "header",
        "header_texts",
        "button_0_url_suffix",
        "button_4_url_suffix",
        "button_3_url",
        "button_1_url_",
        "button_1_urlSuffix",
        "card.0",
        "card.00.body.0",
        "card.0.body.01",
        "card.1000.body.0",
        "card.0.button.0.url_suffix",
        "card.0.header.video",
        "card..body.0",
        "cards.0.body.0",
        "var1",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        cly_param_name parsed;
        size_t length = strlen(others[i]);
        check_case(!cly_param_parse(&parsed, edge_copy(others[i], length), length), others[i]);
    }
}

static void every_beginning_of_a_name_is_read_safely(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        for (size_t length = 0; length < strlen(names[i].name); length++) {
            cly_param_name parsed;
            bool is_name = cly_param_parse(&parsed, edge_copy(names[i].name, length), length);
            /* body_1 begins body_15, button_2_url begins nothing else here. */
            check_case(!is_name || names[i].name[length - 1] == '1' ||
                           names[i].param == CLY_PARAM_BUTTON_URL_SUFFIX,
                       names[i].name);
        }
}

/* `parameters`, and what goes on the wire. */
static const struct {
    const char *description, *fields, *wire;
} orders[] = {
    {"a map has the order of the wire, not its own",
     "'parameters':{'card.0.body.0':'c','body_10':'x','body_2':'b','header_text':'h','button_1_url_suffix':'"
     "s'}",
     "[{'name':'header_text','value':'h'},{'name':'body_2','value':'b'},{'name':'body_10','value':'x'},"
     "{'name':'button_1_url_suffix','value':'s'},{'name':'card.0.body.0','value':'c'}]"},
    {"cards go card by card, the header first",
     "'parameters':{'card.1.header.image':'https://x/1','card.0.button.0.urlSuffix':'s','card.0.body.1':'d',"
     "'card.0.body.0':'c','card.0.header.image':'https://x/0','card.10.body.0':'z','card.2.body.0':'y'}",
     "[{'name':'card.0.header.image','value':'https://x/0'},{'name':'card.0.body.0','value':'c'},"
     "{'name':'card.0.body.1','value':'d'},{'name':'card.0.button.0.urlSuffix','value':'s'},"
     "{'name':'card.1.header.image','value':'https://x/1'},{'name':'card.2.body.0','value':'y'},"
     "{'name':'card.10.body.0','value':'z'}]"},
    {"our form and wire names are one list", "'body':['a','b'],'parameters':{'body_3':'c','header_text':'h'}",
     "[{'name':'header_text','value':'h'},{'name':'body_1','value':'a'},{'name':'body_2','value':'b'},"
     "{'name':'body_3','value':'c'}]"},
    {"raw names come last, by their bytes, a shorter one first",
     "'parameters':{'varb':{'value':'1','raw':true},'var':{'value':'2','raw':true},'body_1':'a',"
     "'vara':{'value':'3','raw':true}}",
     "[{'name':'body_1','value':'a'},{'name':'var','value':'2'},{'name':'vara','value':'3'},"
     "{'name':'varb','value':'1'}]"},
    {"a raw mark beside a known name changes nothing",
     "'parameters':{'body_2':{'value':'b','raw':true},'body_1':'a'}",
     "[{'name':'body_1','value':'a'},{'name':'body_2','value':'b'}]"},
    {"an empty list of parameters is sent as one", "'parameters':[]", "[]"},
    {"an empty body is an empty list", "'body':[]", "[]"},
    {"holes in the buttons", "'buttons':[false,'b',false]", "[{'name':'button_2_url_suffix','value':'b'}]"},
    {"a null value in a map counts as absent", "'parameters':{'body_1':null,'body_2':'b'}",
     "[{'name':'body_2','value':'b'}]"},
    {"a file name goes with its document",
     "'parameters':{'header_document':{'value':'https://x/i.pdf','filename':'i.pdf'}}",
     "[{'name':'header_document','value':'https://x/i.pdf','filename':'i.pdf'}]"},
    {"names and values are escaped",
     "'parameters':[{'name':'v\\\\\\'x','value':'a\\'b','raw':true},{'name':'body_1','value':'n'}]", NULL},
    {"numbers become text", "'body':[98765,98765.0,0.5,-1]",
     "[{'name':'body_1','value':'98765'},{'name':'body_2','value':'98765'},{'name':'body_3','value':'0.5'},"
     "{'name':'body_4','value':'-1'}]"},
};

static const char *with_quotes(const char *quoted) {
    static char text[4096];
    snprintf(text, sizeof text, "{" SENT "%s}", quoted);
    for (char *at = text; *at; at++)
        if (*at == '\'') *at = '"';
    return text;
}

static void parameters_go_in_one_order(void **state) {
    char message[4096];
    message_stage stage;
    (void)state;
    message_begin(&stage);
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        snprintf(message, sizeof message, "{" NUMBERED ",%s}", orders[i].fields);
        if (message_encode_text(&stage, "send_template", message) != CLY_OK)
            fail_msg("%s: %s", orders[i].description, stage.error.message);
        if (orders[i].wire)
            check_case_text(message_body(&stage), with_quotes(orders[i].wire), orders[i].description);
        json_decref(source_parse(message_body(&stage)));
    }
    message_end(&stage);
}

static const struct {
    const char *description, *fields, *param, *message;
} refusals[] = {
    {"an unknown one names the nearest", "'parameters':{'bdy_3':'x'}", "parameters.bdy_3",
     "did you mean `body_3`?"},
    {"numbers of cards are kept in the guess", "'parameters':{'card.4.boddy.2':'x'}",
     "parameters.card.4.boddy.2", "did you mean `card.4.body.2`?"},
    {"a number out of bounds says them", "'parameters':{'button_4_url_suffix':'x'}",
     "parameters.button_4_url_suffix", "from 1 to 3 only"},
    {"a guess that would be refused helps nobody", "'parameters':{'bdy_99':'x'}", "parameters.bdy_99",
     "unknown parameter"},
    {"nothing near", "'parameters':{'colour':'x'}", "parameters.colour", "unknown parameter (raw = true"},
    {"raw must be a boolean", "'parameters':{'colour':{'value':'x','raw':1}}", "parameters.colour.raw",
     "boolean expected, got number"},
    {"a list item without a name", "'parameters':[{'value':'x'}]", "parameters[1].name", "missing"},
    {"a list item without a value", "'parameters':[{'name':'body_1'}]", "parameters[1].value", "missing"},
    {"a list item that is none", "'parameters':['x']", "parameters[1]", "table expected, got string"},
    {"a name in a map's value", "'parameters':{'body_1':{'name':'body_2','value':'x'}}",
     "parameters.body_1.name", "the key is the name already"},
    {"a map's value without one", "'parameters':{'body_1':{}}", "parameters.body_1.value", "missing"},
    {"an unknown field of a parameter", "'parameters':[{'name':'body_1','value':'x','typ':'y'}]",
     "parameters[1].typ", "unknown field"},
    {"a boolean value", "'parameters':{'body_1':true}", "parameters.body_1",
     "string or number expected, got boolean"},
    {"an URL that is none", "'parameters':{'header_image':'x.jpg'}", "parameters.header_image",
     "public URL expected"},
    {"a true in the buttons is no hole", "'buttons':[true]", "buttons[1]",
     "string or number expected, got boolean"},
    {"a hole in the body", "'body':[false]", "body[1]", "string or number expected, got boolean"},
    {"a null in the body", "'body':['a',null]", "body[2]", "string or number expected, got null"},
    {"parameters that are no table", "'parameters':'x'", "parameters", "table expected, got string"},
    {"one parameter in both forms", "'body':['a'],'parameters':{'body_1':'b'}", "parameters.body_1",
     "given twice"},
};

static void a_refusal_names_the_parameter(void **state) {
    char message[1024];
    message_stage stage;
    (void)state;
    message_begin(&stage);
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        const char *said;
        snprintf(message, sizeof message, "{" NUMBERED ",%s}", refusals[i].fields);
        check_case(message_encode_text(&stage, "send_template", message) == CLY_ARGUMENT,
                   refusals[i].description);
        said = message_problem(&stage, refusals[i].param);
        if (said == NULL || strstr(said, refusals[i].message) == NULL)
            fail_msg("%s: %s: %s", refusals[i].description, refusals[i].param,
                     said ? said : stage.error.message);
    }
    message_end(&stage);
}

/* A guess among the known names must itself be taken. */
static void a_guess_is_a_name_that_is_taken(void **state) {
    message_stage stage;
    const char *said, *guess;
    cly_param_name parsed;
    (void)state;
    message_begin(&stage);
    assert_int_equal(
        message_encode_text(&stage, "send_template", "{" NUMBERED ",'parameters':{'bdy_99':'x'}}"),
        CLY_ARGUMENT);
    said = message_problem(&stage, "parameters.bdy_99");
    assert_non_null(said);
    guess = strchr(said, '`');
    if (guess) assert_true(cly_param_parse(&parsed, guess + 1, strcspn(guess + 1, "`")));
    message_end(&stage);
}

/* The list was out of order, so its objects have moved when the path is made. */
static void a_parameter_given_twice_is_named_after_sorting(void **state) {
    message_stage stage;
    (void)state;
    message_begin(&stage);
    assert_int_equal(message_encode_text(&stage, "send_template",
                                         "{" NUMBERED ",'body':['a','a longer value','x'],"
                                         "'parameters':{'body_1':'b','header_text':'h'}}"),
                     CLY_ARGUMENT);
    assert_non_null(message_problem(&stage, "parameters.body_1"));
    message_end(&stage);
}

static void a_thousand_backwards_are_put_right(void **state) {
    json_t *message = message_parse("{" NUMBERED "}"), *list = json_array();
    message_stage stage;
    (void)state;
    for (int i = 999; i >= 0; i--) {
        char name[32];
        snprintf(name, sizeof name, "card.%d.body.0", i);
        json_array_append_new(list, json_pack("{s:s,s:i}", "name", name, "value", i));
    }
    json_object_set_new(message, "parameters", list);
    message_begin(&stage);
    assert_int_equal(message_encode(&stage, "send_template", message), CLY_OK);
    json_decref(message);
    message = source_parse(message_body(&stage));
    list = json_object_get(message, "parameters");
    assert_int_equal(json_array_size(list), 1000);
    for (size_t i = 0; i < 1000; i += 333)
        assert_int_equal(atoi(json_string_value(json_object_get(json_array_get(list, i), "value"))), i);
    json_decref(message);
    message_end(&stage);
}

static void too_many_are_refused(void **state) {
    json_t *message = message_parse("{" NUMBERED ",'parameters':[]}");
    json_t *list = json_object_get(message, "parameters");
    message_stage stage;
    (void)state;
    message_begin(&stage);
    for (int i = 0; i <= CLY_LIST_MAX; i++)
        json_array_append_new(list, json_pack("{s:s,s:s}", "name", "body_1", "value", "x"));
    assert_int_equal(message_encode(&stage, "send_template", message), CLY_ARGUMENT);
    assert_non_null(message_problem(&stage, "parameters"));
    json_decref(message);
    message_end(&stage);
}

/* Otherwise a field of the tables is documented and cannot be sent. */
static void each_field_of_a_header_is_a_parameter(void **state) {
    const cly_shape *shape = &cly_shape_template_header;
    (void)state;
    for (size_t i = 0; i < shape->count; i++) {
        char name[CLY_PARAM_NAME_SIZE];
        cly_param_name parsed;
        int length = snprintf(name, sizeof name, "header_%s", shape->fields[i].name);
        bool is_param = cly_param_parse(&parsed, name, (size_t)length);
        check_case(is_param || i == CLY_AT(template_header, filename), name);
    }
}

/* fields.def has the length of the list, params.def the last number. */
static void a_list_is_as_long_as_its_names_are_known(void **state) {
    static const struct {
        const char *format;
        size_t at;
    } lists[] = {
        {"body_%d", CLY_AT(template, body)},
        {"button_%d_url_suffix", CLY_AT(template, buttons)},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        for (int beyond = 0; beyond <= 1; beyond++) {
            char name[CLY_PARAM_NAME_SIZE];
            cly_param_name parsed;
            int last = (int)cly_shape_template.fields[lists[i].at].high;
            int length = snprintf(name, sizeof name, lists[i].format, last + beyond);
            check_case(cly_param_parse(&parsed, name, (size_t)length) == !beyond, name);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_taken_apart_and_put_together),
        cmocka_unit_test(other_names_are_none),
        cmocka_unit_test(every_beginning_of_a_name_is_read_safely),
        cmocka_unit_test(parameters_go_in_one_order),
        cmocka_unit_test(a_refusal_names_the_parameter),
        cmocka_unit_test(a_guess_is_a_name_that_is_taken),
        cmocka_unit_test(a_parameter_given_twice_is_named_after_sorting),
        cmocka_unit_test(a_thousand_backwards_are_put_right),
        cmocka_unit_test(too_many_are_refused),
        cmocka_unit_test(each_field_of_a_header_is_a_parameter),
        cmocka_unit_test(a_list_is_as_long_as_its_names_are_known),
    };
    return cmocka_run_group_tests_name("core/encode/template_params", tests, NULL, NULL);
}
