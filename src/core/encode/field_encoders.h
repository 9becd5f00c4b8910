/*
 * field_encoders.h - checks the value of each field type and writes it as JSON.
 *
 * Writing continues after a problem, so that one pass finds all problems of a message; the output is
 * then discarded.
 */
#ifndef CLY_CORE_ENCODE_FIELD_ENCODERS_H
#define CLY_CORE_ENCODE_FIELD_ENCODERS_H

#include "core/encode/table_reader.h"

CLY_PRIVATE_BEGIN

/* Writes the value of a field. */
void cly_write_value(cly_reader *reader, const cly_field *field, cly_value value, const cly_path *path);

/* Writes key and value of a slot if it is given, and reports a required field that is missing. `path`
 * is the path of the table. */
void cly_write_field(cly_reader *reader, const cly_slots *slots, size_t at, const cly_path *path);

/* Writes a table of this shape as an object, with the fields in the order of the shape. */
void cly_write_object(cly_reader *reader, const cly_shape *shape, cly_value value, const cly_path *path);

/* Writes a string, or a number as text, with the checks of TEXT (or URL). */
void cly_write_text(cly_reader *reader, const cly_value *value, const cly_path *path, cly_field_type type,
                    unsigned flags);

/* Reads the text of a value as cly_write_text would, or returns false with a problem. `digits` is
 * storage for a number's text; `*text` is borrowed. */
bool cly_read_text(cly_reader *reader, cly_value value, const cly_path *path, char digits[CLY_NUMBER_SIZE],
                   const char **text, size_t *length);

/* Writes { "type": ..., "url": ... } from our form. `filename` is one given outside the media table, or
 * NULL. `type` is the wire name. */
void cly_write_media(cly_reader *reader, const char *type, cly_value value, const cly_value *filename,
                     const cly_path *path);

/* Writes { "id": ..., "channelType": "whatsapp" } from a plain number or BSUID, or a party from a table. */
void cly_write_party(cly_reader *reader, cly_value value, const cly_path *path);

CLY_PRIVATE_END

#endif
