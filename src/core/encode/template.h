/*
 * template.h - encodes a template message. API: template message.
 */
#ifndef CLY_CORE_ENCODE_TEMPLATE_H
#define CLY_CORE_ENCODE_TEMPLATE_H

#include "core/encode/table_reader.h"

CLY_PRIVATE_BEGIN

/* Writes the body from the fields of a message. `default_sender` is E.164 or NULL; `slices` and
 * `scratch` are buffers of the encoder for the parameters. */
void cly_write_template(cly_reader *reader, const cly_slots *slots, const char *default_sender,
                        cly_buffer *slices, cly_buffer *scratch);

CLY_PRIVATE_END

#endif
