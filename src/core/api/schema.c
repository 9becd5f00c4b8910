#include "core/api/schema.h"

#define CLY_SHAPE(shape) static const cly_field fields_of_##shape[] = {
#define CLY_FIELD(shape, name, wire, type, flags, low, high, nested) \
    {#name, wire, sizeof #name - 1, sizeof wire - 1, CLY_FIELD_##type, flags, low, high, nested},
#define CLY_SHAPE_END(shape)                                                            \
    }                                                                                   \
    ;                                                                                   \
    const cly_shape cly_shape_##shape = {#shape, fields_of_##shape, cly_count_##shape}; \
    _Static_assert((int)cly_count_##shape <= (int)CLY_SLOT_MAX, "raise CLY_SLOT_MAX");
#include "core/api/fields.def"

const char *cly_field_type_name(cly_field_type type) {
    static const char *const names[] = {
        [CLY_FIELD_TEXT] = "text",
        [CLY_FIELD_NUMBER] = "number",
        [CLY_FIELD_BOOLEAN] = "boolean",
        [CLY_FIELD_URL] = "url",
        [CLY_FIELD_LANGUAGE] = "language",
        [CLY_FIELD_PHONE] = "phone",
        [CLY_FIELD_RECIPIENT] = "recipient",
        [CLY_FIELD_IDENTITY] = "identity",
        [CLY_FIELD_PARTY] = "party",
        [CLY_FIELD_LABEL] = "label",
        [CLY_FIELD_HEADER] = "header",
        [CLY_FIELD_MEDIA] = "media",
        [CLY_FIELD_TRACEPARENT] = "traceparent",
        [CLY_FIELD_ATTACHMENT_TYPE] = "attachment_type",
        [CLY_FIELD_PRODUCT] = "product",
        [CLY_FIELD_OBJECT] = "object",
        [CLY_FIELD_LIST] = "list",
        [CLY_FIELD_JSON] = "json",
        [CLY_FIELD_JSON_OBJECT] = "json_object",
        [CLY_FIELD_TEXTS] = "texts",
        [CLY_FIELD_VARIABLES] = "variables",
        [CLY_FIELD_LANGUAGE_OBJECT] = "language_object",
        [CLY_FIELD_CATEGORY] = "category",
        [CLY_FIELD_ACCESS] = "access",
        [CLY_FIELD_DATETIME] = "datetime",
    };
    return names[type];
}
