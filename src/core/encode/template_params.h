/*
 * template_params.h - writes a template's parameters by their wire names.
 *
 * Every parameter becomes {"name":...,"value":...}, in the order header, body, buttons, cards,
 * regardless of the form and order in which it was given. Each is written directly into the message and
 * recorded as a slice of it. Only if the slices are out of order, one copy reorders them.
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

/* A parsed wire name: body_3 is BODY and {3, 0}. */
typedef struct cly_param_name {
    cly_param param;
    unsigned numbers[2];
} cly_param_name;

/* Returns false if the name is not in params.def or a number is out of range. */
bool cly_param_parse(cly_param_name *out, const char *name, size_t length);

/* Writes the wire name, such as "card.0.body.1", and returns its length. */
size_t cly_param_format(char out[CLY_PARAM_NAME_SIZE], const cly_param_name *name);

typedef struct cly_param_slice {
    uint64_t rank;
    size_t start, length; /* of the object in the message */
    size_t name_length;   /* the name begins at CLY_PARAM_NAME_AT */
    bool is_wire;         /* given by its wire name, not in header, body, ... */
} cly_param_slice;

/* length of {"name":", which precedes the name */
enum { CLY_PARAM_NAME_AT = 9 };

typedef struct cly_param_list {
    cly_buffer *slices;  /* of cly_param_slice; borrowed from the encoder */
    cly_buffer *scratch; /* borrowed likewise */
} cly_param_list;

/* Open writes "parameters":[ and close writes ] with the parameters in order. */
void cly_template_params_open(cly_reader *reader, cly_param_list *list);
void cly_template_params_close(cly_reader *reader, cly_param_list *list);

/* Adds a parameter given in our form; `filename` may be NULL. */
void cly_template_params_add(cly_reader *reader, cly_param_list *list, const cly_param_name *name,
                             const cly_value *value, const cly_value *filename, const cly_path *path);

/* Adds the field `parameters`: a map by wire names, or the API's own list. */
void cly_template_params_add_wire(cly_reader *reader, cly_param_list *list, cly_value value,
                                  const cly_path *path);

CLY_PRIVATE_END

#endif
