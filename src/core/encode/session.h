/*
 * session.h - encodes a session (free-form) message. API: session message.
 */
#ifndef CLY_CORE_ENCODE_SESSION_H
#define CLY_CORE_ENCODE_SESSION_H

#include "core/encode/table_reader.h"

CLY_PRIVATE_BEGIN

/* Writes the body from the fields of a message, in our form (number, text, image, ...) or in the wire
 * form (recipient, message). `default_sender` is E.164 or NULL. */
void cly_write_session(cly_reader *reader, const cly_slots *slots, const char *default_sender);

CLY_PRIVATE_END

#endif
