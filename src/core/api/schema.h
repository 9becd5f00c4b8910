/*
 * schema.h - fields.def as data: the fields of each table.
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
    CLY_FIELD_PHONE,           /* E.164, or a table with such an id; written as a string */
    CLY_FIELD_RECIPIENT,       /* E.164, or bsuid: and a BSUID */
    CLY_FIELD_IDENTITY,        /* E.164 or a BSUID, with or without bsuid: */
    CLY_FIELD_PARTY,           /* the same or a table; written as an object */
    CLY_FIELD_LABEL,           /* a text or { text = }; written as an object */
    CLY_FIELD_HEADER,          /* a text or one content; written as an object */
    CLY_FIELD_MEDIA,           /* a URL or { url =, caption =, filename = } */
    CLY_FIELD_TRACEPARENT,     /* sent as a header, not in the body */
    CLY_FIELD_ATTACHMENT_TYPE, /* image, video, audio, document */
    CLY_FIELD_PRODUCT,
    CLY_FIELD_OBJECT,          /* a table of the nested shape */
    CLY_FIELD_LIST,            /* a list of low to high items of the nested shape */
    CLY_FIELD_JSON,            /* any JSON value, encoded by the host; at most `high` bytes */
    CLY_FIELD_JSON_OBJECT,     /* the same, but must be a table */
    CLY_FIELD_TEXTS,           /* a list of low to high texts */
    CLY_FIELD_VARIABLES,       /* names and values; numbers become texts, other values JSON */
    CLY_FIELD_LANGUAGE_OBJECT, /* a language or { code = }; written as an object */
    CLY_FIELD_CATEGORY,        /* of a template: marketing, or the API's constant */
    CLY_FIELD_ACCESS,          /* of an asset: public, or the API's constant */
    CLY_FIELD_DATETIME         /* ISO 8601 date and time, or Unix seconds; written as a text */
} cly_field_type;

enum {
    CLY_REQUIRED = 1,
    CLY_MAY_BE_EMPTY = 2,
    CLY_IN_PATH = 4, /* not in the body; percent-encoded */
    CLY_IN_QUERY = 8 /* not in the body; percent-encoded */
};

enum {
    CLY_SLOT_MAX = 24,            /* maximum number of fields of a shape */
    CLY_LIST_MAX = 1000,          /* items in one list */
    CLY_CALLBACK_DATA_MAX = 1024, /* bytes of JSON; API: callbackData */
    CLY_CALLBACK_DEPTH_MAX = 32   /* nesting depth, because webhooks return the data and are parsed */
};

struct cly_shape;

typedef struct cly_field {
    const char *name; /* our name */
    const char *wire; /* the API's name */
    size_t name_length, wire_length;
    cly_field_type type;
    unsigned flags;
    double low, high;
    const struct cly_shape *shape; /* of nested tables, or NULL */
} cly_field;

typedef struct cly_shape {
    const char *name;
    const cly_field *fields;
    size_t count;
} cly_shape;

/* The name of a type ("text", "number", ...), for documentation. Static. */
const char *cly_field_type_name(cly_field_type type);

/* The shapes: cly_shape_template and so on. */
#define CLY_SHAPE(shape) extern const cly_shape cly_shape_##shape;
#define CLY_FIELD(shape, name, wire, type, flags, low, high, nested)
#define CLY_SHAPE_END(shape)
#include "core/api/fields.def"
#undef CLY_SHAPE
#undef CLY_FIELD
#undef CLY_SHAPE_END

/* The index of each field in its shape: CLY_AT(template, number). */
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
