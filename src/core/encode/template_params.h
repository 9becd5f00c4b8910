/*
 * template_params.h - a template's parameters by their wire names.
 *
 * Every parameter becomes {"name":...,"value":...} in the order header, body,
 * buttons, cards, whatever form and order it was given in. Each is written
 * straight into the message and remembered as a slice of it; only when the
 * slices are out of order are they put right, by one copy.
 */
#ifndef CLY_CORE_ENCODE_TEMPLATE_PARAMS_H
#define CLY_CORE_ENCODE_TEMPLATE_PARAMS_H

#include "core/encode/table_reader.h"

CLY_PRIVATE_BEGIN

typedef enum cly_param {
#define CLY_PARAM(constant, start, rest, first, last, type, group, part) CLY_PARAM_##constant,
#include "core/api/params.def"
#undef CLY_PARAM
    CLY_PARAM_COUNT
} cly_param;

enum { CLY_PARAM_NAME_SIZE = 64 };

/* A parameter's wire name taken apart: body_3 is BODY and {3, 0}. */
typedef struct cly_param_name {
    cly_param param;
    unsigned numbers[2];
} cly_param_name;

/* False when the name is none of params.def, or a number is out of bounds. */
bool cly_param_parse(cly_param_name *out, const char *name, size_t length);

/* Writes the wire name, as "card.0.body.1", and returns its length. */
size_t cly_param_format(char out[CLY_PARAM_NAME_SIZE], const cly_param_name *name);

typedef struct cly_param_slice {
    uint64_t rank;
    size_t start, length; /* of the object in the message */
    size_t name_length;   /* the name begins at CLY_PARAM_NAME_AT */
    bool is_wire;         /* given by its wire name, not by header, body, ... */
} cly_param_slice;

/* {"name":" stands before the name. */
enum { CLY_PARAM_NAME_AT = 9 };

typedef struct cly_param_list {
    cly_buffer *slices;  /* of cly_param_slice; borrowed from the encoder */
    cly_buffer *scratch; /* borrowed likewise */
} cly_param_list;

/* Opens "parameters":[ and closes it, in order. */
void cly_template_params_open(cly_reader *reader, cly_param_list *list);
void cly_template_params_close(cly_reader *reader, cly_param_list *list);

/* One parameter of our own form; `filename` is NULL for none. */
void cly_template_params_add(cly_reader *reader, cly_param_list *list, const cly_param_name *name,
                             const cly_value *value, const cly_value *filename, const cly_path *path);

/* The field `parameters`: a map of wire names, or the API's own list. */
void cly_template_params_add_wire(cly_reader *reader, cly_param_list *list, cly_value value,
                                  const cly_path *path);

CLY_PRIVATE_END

#endif
