/*
 * schema.h - fields.def as data: which fields a table may have.
 */
#ifndef CLY_CORE_API_SCHEMA_H
#define CLY_CORE_API_SCHEMA_H

#include "core/base/visibility.h"
#include <stddef.h>

CLY_PRIVATE_BEGIN

typedef enum cly_field_type {
    CLY_FIELD_TEXT,   /* a string, or a number that becomes one */
    CLY_FIELD_NUMBER, /* a finite number within low and high */
    CLY_FIELD_BOOLEAN,
    CLY_FIELD_URL,             /* http:// or https://, no blanks */
    CLY_FIELD_LANGUAGE,        /* en, pt_BR */
    CLY_FIELD_PHONE,           /* E.164, or a table with such an id; goes as a string */
    CLY_FIELD_RECIPIENT,       /* E.164, or bsuid: and a BSUID */
    CLY_FIELD_IDENTITY,        /* E.164 or a BSUID, with or without bsuid: */
    CLY_FIELD_PARTY,           /* the same or a table; goes as an object */
    CLY_FIELD_LABEL,           /* a text or { text = }; goes as an object */
    CLY_FIELD_HEADER,          /* a text or one content; goes as an object */
    CLY_FIELD_MEDIA,           /* an URL or { url =, caption =, filename = } */
    CLY_FIELD_TRACEPARENT,     /* a header, not in the body */
    CLY_FIELD_ATTACHMENT_TYPE, /* image, video, audio, document */
    CLY_FIELD_PRODUCT,
    CLY_FIELD_OBJECT,          /* a table of the nested shape */
    CLY_FIELD_LIST,            /* a list of low to high items of the nested shape */
    CLY_FIELD_JSON,            /* any JSON value, by the host's encoder; at most `high` bytes */
    CLY_FIELD_JSON_OBJECT,     /* the same, and a table it must be */
    CLY_FIELD_TEXTS,           /* a list of low to high texts */
    CLY_FIELD_VARIABLES,       /* names and values; numbers become texts, other values JSON */
    CLY_FIELD_LANGUAGE_OBJECT, /* a language or { code = }; goes as an object */
    CLY_FIELD_CATEGORY,        /* of a template: marketing, or the API's long word for it */
    CLY_FIELD_ACCESS,          /* of an asset: public, or the API's long word for it */
    CLY_FIELD_DATETIME         /* a date and time in ISO 8601, or Unix seconds; goes as a text */
} cly_field_type;

enum {
    CLY_REQUIRED = 1,
    CLY_MAY_BE_EMPTY = 2,
    CLY_IN_PATH = 4, /* not in the body; percent-encoded */
    CLY_IN_QUERY = 8 /* likewise */
};

enum {
    CLY_SLOT_MAX = 24,            /* no shape has more fields */
    CLY_LIST_MAX = 1000,          /* items in one list */
    CLY_CALLBACK_DATA_MAX = 1024, /* bytes of JSON; API: callbackData */
    CLY_CALLBACK_DEPTH_MAX = 32   /* brackets in each other: webhooks bring it back, and are read */
};

struct cly_shape;

typedef struct cly_field {
    const char *name; /* ours */
    const char *wire; /* the API's */
    size_t name_length, wire_length;
    cly_field_type type;
    unsigned flags;
    double low, high;
    const struct cly_shape *shape; /* of what is nested, or NULL */
} cly_field;

typedef struct cly_shape {
    const char *name;
    const cly_field *fields;
    size_t count;
} cly_shape;

/* "text", "number", ...: for what is written about the fields. Static. */
const char *cly_field_type_name(cly_field_type type);

/* The shapes, cly_shape_template and so on. */
#define CLY_SHAPE(shape) extern const cly_shape cly_shape_##shape;
#define CLY_FIELD(shape, name, wire, type, flags, low, high, nested)
#define CLY_SHAPE_END(shape)
#include "core/api/fields.def"
#undef CLY_SHAPE
#undef CLY_FIELD
#undef CLY_SHAPE_END

/* The place of each field in its shape: CLY_AT(template, number). */
#define CLY_AT(shape, name) cly_at_##shape##_##name
#define CLY_SHAPE(shape) enum {
#define CLY_FIELD(shape, name, wire, type, flags, low, high, nested) CLY_AT(shape, name),
#define CLY_SHAPE_END(shape) \
    cly_count_##shape        \
    }                        \
    ;
#include "core/api/fields.def"
#undef CLY_SHAPE
#undef CLY_FIELD
#undef CLY_SHAPE_END

CLY_PRIVATE_END

#endif
