#include "core/call/event.h"

#include "core/base/text.h"
#include <stdlib.h>

void cly_event_queue_clear(cly_event_queue *queue) {
    free(queue->events);
    queue->events = NULL;
    queue->count = queue->first = 0;
}

void cly_event_put(cly_event_queue *queue, const cly_event *event) {
    cly_event *kept;
    if (!queue->is_wanted) return;
    if (queue->events == NULL) queue->events = malloc(CLY_EVENT_MAX * sizeof *queue->events);
    if (queue->events == NULL || queue->count == CLY_EVENT_MAX) queue->lost++;
    if (queue->events == NULL) return;
    if (queue->count == CLY_EVENT_MAX) {
        queue->first = (queue->first + 1) % CLY_EVENT_MAX;
        queue->count--;
    }
    kept = &queue->events[(queue->first + queue->count++) % CLY_EVENT_MAX];
    *kept = *event;
    cly_text_hide_numbers(kept->id, 0); /* may be any text; the caller gets it unmodified */
}

bool cly_event_take(cly_event_queue *queue, cly_event *event) {
    if (queue->count == 0) return false;
    *event = queue->events[queue->first];
    queue->first = (queue->first + 1) % CLY_EVENT_MAX;
    queue->count--;
    return true;
}

const char *cly_event_name(cly_event_type type) {
    switch (type) {
    case CLY_EVENT_ATTEMPT: return "attempt";
    case CLY_EVENT_RETRY: return "retry";
    case CLY_EVENT_THROTTLED: return "throttled";
    default: return "done";
    }
}
