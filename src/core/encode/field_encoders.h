/*
 * field_encoders.h - each type of field: checked, and written as JSON.
 *
 * Writing goes on after a problem, so that all faults of a message are found
 * in one pass; what was written is then thrown away.
 */
#ifndef CLY_CORE_ENCODE_FIELD_ENCODERS_H
#define CLY_CORE_ENCODE_FIELD_ENCODERS_H

#include "core/encode/table_reader.h"

CLY_PRIVATE_BEGIN

/* Writes the value of a field. */
void cly_write_value(cly_reader *reader, const cly_field *field, cly_value value, const cly_path *path);

/* Writes key and value of the slot when it is given; reports a required one
 * that is not. `path` is the table's. */
void cly_write_field(cly_reader *reader, const cly_slots *slots, size_t at, const cly_path *path);

/* Writes a table of this shape as an object, all its fields in their order. */
void cly_write_object(cly_reader *reader, const cly_shape *shape, cly_value value, const cly_path *path);

/* A string, or a number as text; checked as TEXT (or URL) is. */
void cly_write_text(cly_reader *reader, const cly_value *value, const cly_path *path, cly_field_type type,
                    unsigned flags);

/* The text of a value as cly_write_text would take it, or false with a problem.
 * `digits` holds a number's text; `*text` is borrowed. */
bool cly_read_text(cly_reader *reader, cly_value value, const cly_path *path, char digits[CLY_NUMBER_SIZE],
                   const char **text, size_t *length);

/* { "type": ..., "url": ... } from our form; `filename` may come from outside
 * the media table, else NULL. `type` is the wire's word. */
void cly_write_media(cly_reader *reader, const char *type, cly_value value, const cly_value *filename,
                     const cly_path *path);

/* { "id": ..., "channelType": "whatsapp" } from a plain number or BSUID. */
void cly_write_party(cly_reader *reader, cly_value value, const cly_path *path);

CLY_PRIVATE_END

#endif
