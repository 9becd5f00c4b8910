/*
 * campaigns.h - encodes the entries of send_campaigns.
 */
#ifndef CLY_CORE_ENCODE_CAMPAIGNS_H
#define CLY_CORE_ENCODE_CAMPAIGNS_H

#include "core/api/operation.h"
#include "core/reply/sendouts.h"
#include "core/encode/table_reader.h"

CLY_PRIVATE_BEGIN

/* Writes the body of send_campaigns and returns its numbers of entries and sendouts. The same number
 * twice for one campaign and version is a problem; `spans` is a buffer of the encoder for that
 * comparison. `default_sender` is E.164 or NULL. API: campaigns, rules. */
cly_batch cly_write_campaigns(cly_reader *reader, const cly_slots *slots, const char *default_sender,
                              cly_buffer *spans);

CLY_PRIVATE_END

#endif
