/* operations.def and fields.def: what holds of every line. */
#include "core/api/operation.h"

#include "spec/core/test.h"
#include <stdio.h>
#include <string.h>

static void an_operation_is_found_by_its_name(void **state) {
    const cly_operation *found = cly_operation_find("send_template", 13);
    (void)state;
    assert_non_null(found);
    assert_int_equal(found->id, CLY_OPERATION_SEND_TEMPLATE);
    assert_string_equal(found->method, "POST");
    assert_string_equal(found->path, "/send/whatsapp_templated_messages");
    assert_ptr_equal(found->shape, &cly_shape_template);
    assert_string_equal(cly_operation_find("send_session", 12)->path, "/send/messages");
}

static void other_names_are_none(void **state) {
    static const char *const names[] = {"", "send", "send_templates", "Send_template", "send template"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) assert_null(cly_operation_find(names[i], strlen(names[i])));
    assert_null(cly_operation_find("send_template\0", 14));
    assert_null(cly_operation_find("send_templatex", 12));
}

static void ids_are_places_and_names_are_unique(void **state) {
    size_t count;
    const cly_operation *operations = cly_operations(&count);
    (void)state;
    assert_int_equal(count, CLY_OPERATION_COUNT);
    for (size_t i = 0; i < count; i++) {
        check_case((size_t)operations[i].id == i, operations[i].name);
        check_case(cly_operation_find(operations[i].name, strlen(operations[i].name)) == &operations[i],
                   operations[i].name);
        check_case((operations[i].path == NULL) == (operations[i].method == NULL), operations[i].name);
    }
}

/* Sending is the one thing that must not be done twice. */
static void no_sending_is_idempotent(void **state) {
    size_t count;
    const cly_operation *operations = cly_operations(&count);
    (void)state;
    for (size_t i = 0; i < count; i++)
        if (strncmp(operations[i].name, "send", 4) == 0)
            check_case(!operations[i].is_idempotent, operations[i].name);
}

/* An id says that a message was taken, sendouts of how many entries; of the rest, and
 * of the way out, also to the path of campaigns, nothing is asked. */
static void sends_have_a_reply_that_proves_them(void **state) {
    const cly_operation *request = cly_operation_find("request", 7);
    size_t count;
    const cly_operation *operations = cly_operations(&count);
    (void)state;
    assert_int_equal(cly_operation_find("send_template", 13)->reply, CLY_REPLY_ID);
    assert_int_equal(cly_operation_find("send_session", 12)->reply, CLY_REPLY_ID);
    assert_int_equal(cly_operation_by_request(request, "POST", "/send/campaigns")->reply, CLY_REPLY_BODY);
    for (size_t i = 0; i < count; i++)
        check_case((operations[i].reply == CLY_REPLY_CAMPAIGNS) ==
                       (operations[i].id == CLY_OPERATION_SEND_CAMPAIGNS),
                   operations[i].name);
}

/* RFC 9110 section 9.2.2: what a method promises holds of the way out alone. */
static void the_way_out_is_idempotent_by_its_method(void **state) {
    const cly_operation *request = cly_operation_find("request", 7);
    const cly_operation *send = cly_operation_find("send_template", 13);
    (void)state;
    assert_true(cly_operation_by_request(request, "GET", "/webhooks")->is_idempotent);
    assert_true(cly_operation_by_request(request, "PUT", "/x")->is_idempotent);
    assert_true(cly_operation_by_request(request, "DELETE", "/x")->is_idempotent);
    assert_string_equal(cly_operation_by_request(request, "GET", "/webhooks")->name, "request");
    assert_int_equal(cly_operation_by_request(request, "GET", "/webhooks")->reply, CLY_REPLY_BODY);
    assert_false(cly_operation_by_request(request, "POST", "/x")->is_idempotent);
    assert_false(cly_operation_by_request(request, "PATCH", "/x")->is_idempotent);
    assert_ptr_equal(cly_operation_by_request(send, "GET", "/assets"), send);
    assert_int_equal(cly_operation_by_request(request, "GET", "/assets/x")->limit, CLY_LIMIT_ASSETS);
    assert_int_equal(cly_operation_by_request(request, "POST", "/assets")->limit, CLY_LIMIT_ASSETS);
    assert_int_equal(cly_operation_by_request(request, "POST", "/assets?x")->limit, CLY_LIMIT_ASSETS);
    assert_int_equal(cly_operation_by_request(request, "POST", "/assetsx")->limit, CLY_LIMIT_NONE);
    assert_int_equal(cly_operation_by_request(request, "POST", "/x/assets")->limit, CLY_LIMIT_NONE);
}

/* Each {name} in a path is a field that does not go in the body, and the other way
 * round. */
static void paths_and_fields_agree(void **state) {
    size_t count;
    const cly_operation *operations = cly_operations(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        const cly_shape *shape = operations[i].shape;
        for (size_t at = 0; operations[i].path && at < shape->count; at++) {
            char name[64];
            bool is_in_path = shape->fields[at].flags & CLY_IN_PATH;
            snprintf(name, sizeof name, "{%s}", shape->fields[at].name);
            check_case(is_in_path == (strstr(operations[i].path, name) != NULL), operations[i].name);
        }
    }
}

static const cly_shape *const shapes[] = {
#define CLY_SHAPE(shape) &cly_shape_##shape,
#define CLY_FIELD(shape, name, wire, type, flags, low, high, nested)
#define CLY_SHAPE_END(shape)
#include "core/api/fields.def"
#undef CLY_SHAPE
#undef CLY_FIELD
#undef CLY_SHAPE_END
};

static void check_unique(const cly_shape *shape, size_t at) {
    for (size_t i = 0; i < at; i++) {
        check_case(strcmp(shape->fields[i].name, shape->fields[at].name) != 0, shape->fields[at].name);
        check_case(strcmp(shape->fields[i].wire, shape->fields[at].wire) != 0, shape->fields[at].wire);
    }
}

/* Keys go on the wire unescaped, and a bound that is wrong refuses everything. */
static void every_field_is_in_order(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        check_case(shapes[i]->count > 0 && shapes[i]->count <= CLY_SLOT_MAX, shapes[i]->name);
        for (size_t at = 0; at < shapes[i]->count; at++) {
            const cly_field *field = &shapes[i]->fields[at];
            check_unique(shapes[i], at);
            check_case(cly_field_type_name(field->type) != NULL, field->name);
            check_case(strspn(field->name, "abcdefghijklmnopqrstuvwxyz_") == strlen(field->name),
                       field->name);
            check_case(strpbrk(field->wire, "\"\\") == NULL, field->wire);
            /* The API's one name with a line in it. API: contradictions, 21. */
            check_case(strchr(field->wire, '_') == NULL || strcmp(field->wire, "template_components") == 0,
                       field->wire);
            check_case(field->low <= field->high, field->name);
            check_case(field->type != CLY_FIELD_OBJECT || field->shape, field->name);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_operation_is_found_by_its_name),
        cmocka_unit_test(other_names_are_none),
        cmocka_unit_test(ids_are_places_and_names_are_unique),
        cmocka_unit_test(no_sending_is_idempotent),
        cmocka_unit_test(sends_have_a_reply_that_proves_them),
        cmocka_unit_test(the_way_out_is_idempotent_by_its_method),
        cmocka_unit_test(paths_and_fields_agree),
        cmocka_unit_test(every_field_is_in_order),
    };
    return cmocka_run_group_tests_name("core/api/operation", tests, NULL, NULL);
}
