#define _GNU_SOURCE /* POSIX, and glibc's adaptive locks */
#include "io/courier.h"

#include "core/request.h"
#include "io/bell.h"
#include "io/clock.h"
#include "io/process.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef enum letter_place {
    LETTER_FREE,
    LETTER_INBOX, /* handed over, the thread has not looked yet */
    LETTER_HELD,  /* the thread's: with the engine, or waiting for room there */
    LETTER_DONE,
    LETTER_PLACE_COUNT
} letter_place;

/* One call. While it is HELD its contents are the thread's alone, else they are
 * read and written under the lock or by the one who holds the ticket. */
typedef struct letter {
    letter_place place;
    struct letter *previous, *next;
    uint32_t turn;
    int index;                /* in the courier's array */
    bool is_canceled;         /* somebody asked for its end */
    bool is_forgotten;        /* nobody wants the result */
    cly_ticket engine_ticket; /* 0 while it waits for room */
    cly_submission submission;
    cly_buffer body, url;
    char traceparent[CLY_TRACEPARENT_SIZE];
    cly_call call;
    cly_buffer reply;
    const char *http_version;
} letter;

typedef struct letter_list {
    letter *first, *last;
} letter_list;

struct cly_courier {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended; /* some call has */
    cly_engine *engine;   /* the thread's; after the stop nobody's */
    letter **letters;     /* made as they are needed */
    int letter_count, mailbox_max;
    uint32_t first_turn; /* that letters begin with: the engine gave the lower ones out */
    letter_list lists[LETTER_PLACE_COUNT];
    letter *unnamed; /* the first DONE one that next_ended has not named */
    cly_event_queue events;
    cly_stats stats;      /* the engine's, when the thread last looked */
    uint64_t unsubmitted; /* ended before the engine had them; none was sent */
    cly_bell bell;
    bool has_cancels, is_stopping, is_stopped;
    bool is_left; /* the thread frees it; written under both locks, read under either */
    cly_courier_done *done;
    void *context;
    cly_courier *next_running; /* in the list of those that exit must stop */
    double stop_at;
    int canceled_at_stop;
    cly_slots slots_given; /* the thread has not looked yet */
    int slots_wanted;
    double pause_to_tell;
};

/* With the engine all letters are of one group: groups are for those who wait. */
enum { ENGINE_GROUP = 0 };

static const double idle_wait = 60;     /* seconds; the thread is woken for anything */
static const double memory_wait = 0.05; /* until a call that had no memory is tried again */

/* ---- letters; under the lock ---- */

static void move(cly_courier *courier, letter *of, letter_place to) {
    letter_list *from_list = &courier->lists[of->place], *to_list = &courier->lists[to];
    if (of == courier->unnamed) courier->unnamed = of->next;
    *(of->previous ? &of->previous->next : &from_list->first) = of->next;
    *(of->next ? &of->next->previous : &from_list->last) = of->previous;
    of->place = to;
    of->next = NULL;
    of->previous = to_list->last;
    *(to_list->last ? &to_list->last->next : &to_list->first) = of;
    to_list->last = of;
}

static letter *make_letter(cly_courier *courier) {
    letter_list *list = &courier->lists[LETTER_FREE];
    letter *made = calloc(1, sizeof *made);
    if (made == NULL) return NULL;
    cly_call_init(&made->call);
    cly_buffer_init(&made->body, CLY_BODY_MAX);
    cly_buffer_init(&made->url, CLY_URL_MAX);
    cly_buffer_init(&made->reply, CLY_REPLY_MAX);
    made->previous = list->last;
    *(list->last ? &list->last->next : &list->first) = made;
    list->last = made;
    made->turn = courier->first_turn;
    made->index = courier->letter_count++;
    courier->letters[made->index] = made;
    return made;
}

static void free_letter(letter *old) {
    cly_call_clear(&old->call);
    cly_buffer_clear(&old->body);
    cly_buffer_clear(&old->url);
    cly_buffer_clear(&old->reply);
    free(old);
}

static letter *take_free(cly_courier *courier) {
    letter *taken = courier->lists[LETTER_FREE].first;
    if (taken == NULL && courier->letter_count < courier->mailbox_max) taken = make_letter(courier);
    return taken;
}

static cly_ticket ticket_of(const letter *of) {
    return cly_ticket_make(of->turn, (size_t)of->index);
}

static letter *find(const cly_courier *courier, cly_ticket ticket) {
    size_t index = cly_ticket_index(ticket);
    letter *found = index < (size_t)courier->letter_count ? courier->letters[index] : NULL;
    if (found == NULL || found->place == LETTER_FREE || found->is_forgotten) return NULL;
    return found->turn == cly_ticket_turn(ticket) ? found : NULL;
}

static letter *find_done(const cly_courier *courier, cly_ticket ticket) {
    letter *found = find(courier, ticket);
    return found && found->place == LETTER_DONE ? found : NULL;
}

static void lock(cly_courier *courier) {
    pthread_mutex_lock(&courier->lock);
}

static void unlock(cly_courier *courier) {
    pthread_mutex_unlock(&courier->lock);
}

/* ---- the thread ---- */

static void hand_to_engine(cly_courier *courier, letter *of) {
    cly_submission submission = of->submission;
    submission.url = of->url.data;
    submission.body = &of->body;
    submission.traceparent = of->traceparent;
    submission.owner = of;
    submission.group = ENGINE_GROUP;
    /* It has room, so this can fail for memory only; then it is tried again. */
    if (cly_engine_submit(courier->engine, &of->engine_ticket, &submission, NULL) != CLY_OK)
        of->engine_ticket = 0;
}

/* Ends a call that the engine has not seen. */
static void end_unsubmitted(letter *of, bool is_canceled, double now) {
    cly_call_begin(&of->call, of->submission.operation, of->submission.batch, of->submission.timeout,
                   of->submission.submitted_at);
    if (is_canceled)
        cly_call_cancel(&of->call, now);
    else
        (void)cly_call_next(&of->call, now); /* its time is up, which it notices */
    of->http_version = "";
    cly_buffer_reset(&of->reply);
}

/* The engine neither counts it nor tells of it, and somebody must. */
static void tell_unsubmitted(cly_courier *courier, const letter *of) {
    cly_event event = {0};
    courier->unsubmitted++;
    event.type = CLY_EVENT_DONE;
    event.operation = of->submission.operation->name;
    event.call = of->submission.number;
    event.kind = of->call.error.kind;
    event.outcome = of->call.error.outcome;
    event.delay = of->call.ended_at - of->call.started_at;
    event.http_version = "";
    cly_event_put(&courier->events, &event);
}

/* Under the lock: nobody asks for it any more. */
static void free_place(cly_courier *courier, letter *of) {
    cly_buffer_trim(&of->body);
    cly_buffer_trim(&of->reply);
    cly_response_trim(&of->call.response);
    move(courier, of, LETTER_FREE);
}

/* Under the lock: the result is there, or nobody wants it. */
static void give_back(cly_courier *courier, letter *of) {
    if (of->is_forgotten || courier->is_left) {
        of->is_forgotten = false;
        free_place(courier, of);
        pthread_cond_broadcast(&courier->ended); /* for who waits until nothing is under way */
        return;
    }
    move(courier, of, LETTER_DONE);
    if (courier->unnamed == NULL) courier->unnamed = of;
    cly_bell_ring(&courier->bell);
    cly_bell_tell(&courier->bell, ticket_of(of));
}

/* Under the lock: the thread looks into the mailbox. */
static void read_mailbox(cly_courier *courier, double now) {
    letter *next;
    while (courier->lists[LETTER_INBOX].first) {
        letter *of = courier->lists[LETTER_INBOX].first;
        of->engine_ticket = 0;
        move(courier, of, LETTER_HELD);
    }
    for (letter *of = courier->lists[LETTER_HELD].first; of; of = next) {
        bool is_late = now >= of->submission.submitted_at + of->submission.timeout;
        next = of->next;
        if (of->engine_ticket == 0 && (of->is_canceled || is_late)) {
            end_unsubmitted(of, of->is_canceled, now);
            tell_unsubmitted(courier, of);
            give_back(courier, of);
        } else if (of->is_canceled) {
            cly_engine_cancel(courier->engine, of->engine_ticket);
        }
    }
    courier->has_cancels = false;
}

/* Under the lock, when all that ended has made room. */
static void fill_engine(cly_courier *courier) {
    letter *next;
    for (letter *of = courier->lists[LETTER_HELD].first; of; of = next) {
        next = of->next;
        if (!cly_engine_has_room(courier->engine)) return;
        if (of->engine_ticket == 0) hand_to_engine(courier, of);
    }
}

static void take_result(cly_courier *courier, letter *of, cly_ticket ticket) {
    cly_call *call = cly_engine_call(courier->engine, ticket);
    cly_transfer *transfer = cly_engine_transfer(courier->engine, ticket);
    cly_call keep = of->call;
    of->call = *call;
    *call = keep;
    cly_buffer_swap(&of->reply, &transfer->reply);
    of->http_version = cly_engine_http_version(courier->engine, ticket);
    cly_engine_release(courier->engine, ticket);
}

/* Under the lock: what the engine finished goes out. */
static void deliver(cly_courier *courier) {
    cly_ticket ticket;
    cly_event event;
    bool has_ended = courier->lists[LETTER_DONE].first != NULL;
    while ((ticket = cly_engine_first_done(courier->engine, ENGINE_GROUP)) != 0) {
        letter *of = cly_engine_owner(courier->engine, ticket);
        take_result(courier, of, ticket);
        give_back(courier, of);
        has_ended = true;
    }
    while (cly_event_take(cly_engine_events(courier->engine), &event))
        cly_event_put(&courier->events, &event);
    courier->stats = cly_engine_stats(courier->engine);
    if (has_ended) pthread_cond_broadcast(&courier->ended);
}

/* Under the lock. Everything still on its way is ended where it is. */
static void cancel_all(cly_courier *courier, double now) {
    letter *next;
    for (letter *of = courier->lists[LETTER_HELD].first; of; of = next) {
        next = of->next;
        of->is_canceled = true;
        courier->canceled_at_stop++;
    }
    read_mailbox(courier, now);
    deliver(courier);
}

/* Under the lock. Seconds until the thread has something to do by itself, or
 * negative when it has nothing to do any more. */
static double plan(cly_courier *courier, double now) {
    bool is_empty = courier->lists[LETTER_HELD].first == NULL;
    double wait = idle_wait;
    if (courier->is_stopping && !is_empty && now >= courier->stop_at) {
        cancel_all(courier, now);
        return -1;
    }
    if (courier->is_stopping && is_empty) return -1;
    if (courier->is_stopping) wait = courier->stop_at - now;
    for (const letter *of = courier->lists[LETTER_HELD].first; of; of = of->next) {
        double left = of->submission.submitted_at + of->submission.timeout - now;
        if (of->engine_ticket != 0) continue;
        if (left < wait) wait = left;
        if (cly_engine_has_room(courier->engine) && memory_wait < wait) wait = memory_wait;
    }
    if (cly_engine_first_done(courier->engine, ENGINE_GROUP)) wait = 0;
    return wait > 0 ? wait : 0;
}

/* Under the lock: slots come in, and more are asked for. */
static void trade_slots(cly_courier *courier) {
    int wanted;
    double pause = cly_engine_take_pause(courier->engine);
    if (pause > courier->pause_to_tell) courier->pause_to_tell = pause;
    for (; courier->slots_given.count > 0; cly_slots_take(&courier->slots_given))
        cly_engine_give_slot(courier->engine, courier->slots_given.at[courier->slots_given.first]);
    wanted = cly_engine_slots_wanted(courier->engine);
    if (wanted > courier->slots_wanted) {
        cly_bell_ring(&courier->bell);
        cly_bell_tell(&courier->bell, 0);
    }
    courier->slots_wanted = wanted;
}

static void step(cly_courier *courier, double wait, int watched, bool wants_write) {
    struct curl_waitfd extra = {0, 0, 0};
    extra.fd = watched;
    extra.events = (short)(wants_write ? CURL_WAIT_POLLIN | CURL_WAIT_POLLOUT : CURL_WAIT_POLLIN);
    cly_engine_step(courier->engine, ENGINE_GROUP, wait, &extra, watched >= 0);
}

/* Under the lock: all that is to be done under it. As plan. */
static double look(cly_courier *courier) {
    double now = cly_clock_now();
    if (courier->is_left) cly_bell_clear(&courier->bell); /* who listened has gone */
    read_mailbox(courier, now);
    deliver(courier);
    fill_engine(courier);
    trade_slots(courier);
    courier->stats = cly_engine_stats(courier->engine);
    cly_bell_serve(&courier->bell);
    return plan(courier, now);
}

static void end_left(cly_courier *courier);

static void *run(void *data) {
    cly_courier *courier = data;
    for (;;) {
        double wait;
        bool wants_write, is_left;
        int watched;
        lock(courier);
        wait = look(courier);
        watched = cly_bell_watch(&courier->bell);
        is_left = courier->is_left;
        unlock(courier);
        /* Whom it wakes wants the lock: under it, he would run into it at once, and
         * wait until this thread, whose processor he may have taken, runs again. */
        wants_write = cly_bell_send(&courier->bell);
        if (wait >= 0) {
            step(courier, wait, watched, wants_write);
            continue;
        }
        if (is_left) end_left(courier);
        return NULL;
    }
}

/* ---- those that run in this process, and its end ---- */

/* Exit lets OpenSSL and others clean up under the feet of a thread that still runs: so
 * exit is made to wait for each first. A thread that was left has nobody who joins it; the
 * next one that ends does, and exit the last: even what libraries do at a thread's end is
 * over then. The lock is held for moments, and taken before a courier's own. */
static struct {
    pthread_mutex_t lock;
    cly_courier *first;
    pthread_t ended; /* of a courier that was left, joined by nobody yet */
    bool has_ended;
    long generation; /* of the process that all this is of */
} running = {.lock = PTHREAD_MUTEX_INITIALIZER};
static pthread_once_t running_once = PTHREAD_ONCE_INIT;

static const double exit_drain = 5; /* seconds */

/* What a parent had is the parent's: in a child no thread of it is there. */
static void lock_running(void) {
    pthread_mutex_lock(&running.lock);
    if (running.generation == cly_process_generation()) return;
    running.generation = cly_process_generation();
    running.first = NULL;
    running.has_ended = false;
}

static void unlock_running(void) {
    pthread_mutex_unlock(&running.lock);
}

/* Under its lock. False when exit has taken it. */
static bool remove_running(const cly_courier *courier) {
    for (cly_courier **place = &running.first; *place; place = &(*place)->next_running) {
        if (*place != courier) continue;
        *place = courier->next_running;
        return true;
    }
    return false;
}

static bool is_running(const cly_courier *courier) {
    const cly_courier *at = running.first;
    while (at && at != courier) at = at->next_running;
    return at != NULL;
}

static cly_courier *take_running(bool *is_left) {
    cly_courier *first;
    lock_running();
    first = running.first;
    if (first) running.first = first->next_running;
    *is_left = first && first->is_left;
    unlock_running();
    return first;
}

/* Under its lock: the thread that is to be joined by the one who gets it. */
static bool take_ended(pthread_t *thread) {
    bool has_ended = running.has_ended;
    *thread = running.ended;
    running.has_ended = false;
    return has_ended;
}

static void free_courier(cly_courier *courier);

static int stop_one(cly_courier *courier, bool is_left, double until) {
    double left = until - cly_clock_now();
    if (!is_left) return cly_courier_stop(courier, left > 0 ? left : 0);
    pthread_join(courier->thread, NULL); /* it has its own few seconds, and tells itself */
    free_courier(courier);
    return 0;
}

static void join_ended(void) {
    pthread_t last;
    bool has_ended;
    lock_running();
    has_ended = take_ended(&last);
    unlock_running();
    if (has_ended) pthread_join(last, NULL);
}

/* All have the same few seconds, for all go on meanwhile. */
static void stop_running(void) {
    double until = cly_clock_now() + exit_drain;
    cly_courier *courier;
    bool is_left;
    int ended = 0;
    while ((courier = take_running(&is_left)) != NULL) ended += stop_one(courier, is_left, until);
    join_ended();
    if (ended > 0)
        fprintf(stderr, "connectly: the program ended with %d calls under way; they may have arrived\n",
                ended);
}

/* At exit: after libcurl was started, and so after what OpenSSL does there: the last
 * that is registered is the first that runs. At a fork: a thread that ends may hold
 * the lock just then, and in the child nobody would give it back. */
static void watch_process(void) {
    (void)atexit(stop_running);
    (void)pthread_atfork(lock_running, unlock_running, unlock_running);
}

static void add_running(cly_courier *courier) {
    pthread_once(&running_once, watch_process);
    lock_running();
    courier->next_running = running.first;
    running.first = courier;
    unlock_running();
}

/* ---- one that was left, from its own thread ---- */

static void free_contents(cly_courier *courier) {
    cly_engine_free(courier->engine);
    courier->engine = NULL;
    if (courier->done) courier->done(courier->context, courier->canceled_at_stop);
}

/* In the list until nothing of it is at work: exit must not come in between. Who takes it
 * out of there frees it. */
static void end_left(cly_courier *courier) {
    pthread_t before;
    bool is_ours, is_joinable = false;
    free_contents(courier);
    lock_running();
    is_ours = remove_running(courier);
    if (is_ours) {
        is_joinable = take_ended(&before);
        running.ended = pthread_self();
        running.has_ended = true;
    }
    unlock_running();
    if (!is_ours) return;
    if (is_joinable) pthread_join(before, NULL);
    free_courier(courier);
}

/* ---- making and ending ---- */

/* Signals are the program's: Ctrl-C must interrupt the script, not this. */
static int start_thread(cly_courier *courier) {
    sigset_t all, before;
    int status;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    status = pthread_create(&courier->thread, NULL, run, courier);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

/* Held for moments: who finds it taken does better to look again than to sleep. */
static bool init_lock(cly_courier *courier) {
    pthread_mutexattr_t attributes;
    bool is_made = pthread_mutexattr_init(&attributes) == 0;
    if (!is_made) return false;
#if defined(__GLIBC__)
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
#endif
    is_made = pthread_mutex_init(&courier->lock, &attributes) == 0;
    pthread_mutexattr_destroy(&attributes);
    return is_made;
}

static bool init_waiting(cly_courier *courier) {
    pthread_condattr_t attributes;
    bool is_made = pthread_condattr_init(&attributes) == 0;
    if (!is_made) return false;
#if !defined(__APPLE__)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
#endif
    is_made = pthread_cond_init(&courier->ended, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return is_made && init_lock(courier);
}

/* Letters up to that of the last slot in use: a call that is under way keeps its
 * ticket, so its letter has the slot's index. */
static bool make_letters(cly_courier *courier) {
    cly_handover unused;
    int last = cly_engine_slots(courier->engine) - 1;
    courier->first_turn = cly_engine_turns(courier->engine);
    courier->letters = calloc((size_t)courier->mailbox_max, sizeof *courier->letters);
    if (courier->letters == NULL) return false;
    while (last >= 0 && !cly_engine_look(courier->engine, last, &unused)) last--;
    while (courier->letter_count <= last)
        if (make_letter(courier) == NULL) return false;
    return true;
}

/* Under the lock: what was under way in the caller's thread goes on in ours. */
static void adopt_calls(cly_courier *courier) {
    cly_handover known;
    for (int i = 0; i < courier->letter_count; i++) {
        letter *of = courier->letters[i];
        if (!cly_engine_look(courier->engine, i, &known)) continue;
        of->turn = cly_ticket_turn(known.ticket);
        of->submission = known.submission;
        of->engine_ticket = known.ticket;
        of->is_forgotten = known.is_detached;
        move(courier, of, LETTER_HELD);
        cly_engine_assign(courier->engine, known.ticket, of, ENGINE_GROUP);
    }
}

static void free_memory(cly_courier *courier) {
    for (int i = 0; i < courier->letter_count; i++) free_letter(courier->letters[i]);
    free(courier->letters);
    cly_event_queue_clear(&courier->events);
    free(courier);
}

cly_kind cly_courier_new(cly_courier **out, cly_engine *engine, int mailbox_max, cly_error *error) {
    cly_courier *courier = calloc(1, sizeof *courier);
    int status;
    *out = NULL;
    if (courier == NULL) return cly_error_no_memory(error);
    courier->engine = engine;
    courier->mailbox_max = mailbox_max;
    if (mailbox_max < cly_engine_slots(engine)) courier->mailbox_max = cly_engine_slots(engine);
    courier->events.is_wanted = cly_engine_events(engine)->is_wanted;
    cly_bell_init(&courier->bell);
    if (!make_letters(courier) || !init_waiting(courier)) {
        free_memory(courier);
        return cly_error_no_memory(error);
    }
    /* The thread waits at the lock until the calls are its own. */
    lock(courier);
    status = start_thread(courier);
    if (status == 0) adopt_calls(courier);
    unlock(courier);
    if (status == 0) {
        add_running(courier);
        *out = courier;
        return CLY_OK;
    }
    pthread_cond_destroy(&courier->ended);
    pthread_mutex_destroy(&courier->lock);
    free_memory(courier);
    return cly_error_set(error, CLY_OVERLOADED, CLY_NOT_SENT, "no thread for the courier");
}

/* Under the lock. */
static int under_way(const cly_courier *courier) {
    int count = 0;
    for (const letter *of = courier->lists[LETTER_INBOX].first; of; of = of->next) count++;
    for (const letter *of = courier->lists[LETTER_HELD].first; of; of = of->next) count++;
    return count;
}

int cly_courier_stop(cly_courier *courier, double drain) {
    cly_engine *engine;
    if (courier->is_stopped) return 0;
    lock_running();
    remove_running(courier);
    unlock_running();
    lock(courier);
    courier->is_stopping = true;
    courier->stop_at = cly_clock_now() + drain;
    unlock(courier);
    cly_engine_wakeup(courier->engine);
    pthread_join(courier->thread, NULL);
    lock(courier);
    engine = courier->engine;
    courier->engine = NULL;
    courier->is_stopped = true;
    pthread_cond_broadcast(&courier->ended);
    unlock(courier);
    cly_engine_free(engine);
    return courier->canceled_at_stop;
}

/* After its thread. */
static void free_courier(cly_courier *courier) {
    pthread_cond_destroy(&courier->ended);
    pthread_mutex_destroy(&courier->lock);
    free_memory(courier);
}

void cly_courier_free(cly_courier *courier) {
    if (courier == NULL) return;
    cly_courier_stop(courier, 0);
    cly_bell_clear(&courier->bell);
    free_courier(courier);
}

/* Under both locks. The thread may end as soon as it sees it, but not free the courier:
 * for that it wants the other lock. */
static void leave(cly_courier *courier, double seconds, cly_courier_done *done, void *context) {
    lock(courier);
    courier->done = done;
    courier->context = context;
    courier->is_left = courier->is_stopping = true;
    courier->stop_at = cly_clock_now() + seconds;
    cly_engine_wakeup(courier->engine);
    unlock(courier);
}

void cly_courier_leave(cly_courier *courier, double seconds, cly_courier_done *done, void *context) {
    lock_running();
    if (is_running(courier)) leave(courier, seconds, done, context);
    unlock_running();
}

/* The lock may be held by a thread that does not exist here, and the buffers may
 * be half written: all of it is left where it is, but for the descriptors, which
 * this process has copies of. */
void cly_courier_abandon(cly_courier *courier) {
    if (courier == NULL) return;
    cly_bell_abandon(&courier->bell);
}

/* ---- the mailbox ---- */

static bool fill(letter *of, const cly_submission *submission) {
    of->submission = *submission;
    cly_buffer_reset(&of->url);
    cly_buffer_append(&of->url, submission->url, strlen(submission->url) + 1);
    memcpy(of->traceparent, submission->traceparent, strlen(submission->traceparent) + 1);
    if (of->url.state != CLY_BUFFER_FINE) return false;
    cly_buffer_swap(&of->body, submission->body);
    return true;
}

static cly_kind put(cly_courier *courier, cly_ticket *ticket, const cly_submission *submission,
                    cly_error *error) {
    letter *of = courier->is_stopping ? NULL : take_free(courier);
    if (courier->is_stopping) return cly_error_set(error, CLY_CLOSED, CLY_NOT_SENT, "the client is closed");
    if (of == NULL)
        return cly_error_set(error, CLY_OVERLOADED, CLY_NOT_SENT, "%d calls are under way or unread",
                             courier->mailbox_max);
    if (!fill(of, submission)) return cly_error_no_memory(error);
    of->turn++;
    of->is_canceled = of->is_forgotten = false;
    move(courier, of, LETTER_INBOX);
    *ticket = ticket_of(of);
    return CLY_OK;
}

cly_kind cly_courier_submit(cly_courier *courier, cly_ticket *ticket, const cly_submission *submission,
                            cly_error *error) {
    bool was_empty;
    cly_kind kind;
    lock(courier);
    was_empty = courier->lists[LETTER_INBOX].first == NULL;
    kind = put(courier, ticket, submission, error);
    /* One wake-up for all that gathers until the thread looks. */
    if (kind == CLY_OK && was_empty) cly_engine_wakeup(courier->engine);
    unlock(courier);
    return kind;
}

bool cly_courier_has_room(cly_courier *courier) {
    bool has_room;
    lock(courier);
    has_room = courier->lists[LETTER_FREE].first != NULL || courier->letter_count < courier->mailbox_max;
    unlock(courier);
    return has_room;
}

static struct timespec time_after(double seconds) {
    struct timespec at;
#if defined(__APPLE__)
    clock_gettime(CLOCK_REALTIME, &at);
#else
    clock_gettime(CLOCK_MONOTONIC, &at);
#endif
    at.tv_sec += (time_t)seconds;
    at.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000L;
    }
    return at;
}

static letter *first_done(const cly_courier *courier, unsigned group) {
    letter *of = courier->lists[LETTER_DONE].first;
    while (of && of->submission.group != group) of = of->next;
    return of;
}

void cly_courier_wait(cly_courier *courier, unsigned group, double seconds) {
    struct timespec until = time_after(seconds);
    int status = 0;
    lock(courier);
    while (status == 0 && first_done(courier, group) == NULL && !courier->is_stopped)
        status = pthread_cond_timedwait(&courier->ended, &courier->lock, &until);
    unlock(courier);
}

void cly_courier_wait_for(cly_courier *courier, cly_ticket ticket, double seconds) {
    struct timespec until = time_after(seconds);
    int status = 0;
    lock(courier);
    while (status == 0 && !courier->is_stopped) {
        const letter *of = find(courier, ticket);
        if (of == NULL || of->place == LETTER_DONE) break;
        status = pthread_cond_timedwait(&courier->ended, &courier->lock, &until);
    }
    unlock(courier);
}

int cly_courier_drain(cly_courier *courier, double seconds) {
    struct timespec until = time_after(seconds);
    int status = 0, count;
    lock(courier);
    while (status == 0 && under_way(courier) > 0 && !courier->is_stopped)
        status = pthread_cond_timedwait(&courier->ended, &courier->lock, &until);
    count = under_way(courier);
    unlock(courier);
    return count;
}

bool cly_courier_is_known(cly_courier *courier, cly_ticket ticket) {
    bool is_known;
    lock(courier);
    is_known = find(courier, ticket) != NULL;
    unlock(courier);
    return is_known;
}

bool cly_courier_is_done(cly_courier *courier, cly_ticket ticket) {
    bool is_done;
    lock(courier);
    is_done = find_done(courier, ticket) != NULL;
    unlock(courier);
    return is_done;
}

cly_ticket cly_courier_first_done(cly_courier *courier, unsigned group) {
    const letter *of;
    cly_ticket ticket;
    lock(courier);
    of = first_done(courier, group);
    ticket = of ? ticket_of(of) : 0;
    unlock(courier);
    return ticket;
}

/* Under the lock. */
static void detach(cly_courier *courier, letter *of) {
    if (of->place == LETTER_DONE)
        free_place(courier, of);
    else
        of->is_forgotten = true;
}

void cly_courier_detach(cly_courier *courier, cly_ticket ticket) {
    letter *of;
    lock(courier);
    of = find(courier, ticket);
    if (of) detach(courier, of);
    unlock(courier);
}

void cly_courier_detach_group(cly_courier *courier, unsigned group) {
    lock(courier);
    for (int i = 0; i < courier->letter_count; i++) {
        letter *of = courier->letters[i];
        if (of->place != LETTER_FREE && of->submission.group == group) detach(courier, of);
    }
    unlock(courier);
}

bool cly_courier_result(cly_courier *courier, cly_ticket ticket, cly_result *result) {
    const letter *of;
    lock(courier);
    of = find_done(courier, ticket);
    unlock(courier);
    if (of == NULL) return false;
    result->call = &of->call;
    result->reply = &of->reply;
    result->http_version = of->http_version;
    return true;
}

static void ask_for_end(cly_courier *courier, letter *of) {
    of->is_canceled = true;
    if (!courier->has_cancels && courier->engine) cly_engine_wakeup(courier->engine);
    courier->has_cancels = true;
}

void cly_courier_cancel(cly_courier *courier, cly_ticket ticket) {
    letter *of;
    lock(courier);
    of = find(courier, ticket);
    if (of && of->place != LETTER_DONE) ask_for_end(courier, of);
    unlock(courier);
}

void cly_courier_release(cly_courier *courier, cly_ticket ticket) {
    letter *of;
    lock(courier);
    of = find(courier, ticket);
    if (of && of->place == LETTER_DONE) {
        free_place(courier, of);
    } else if (of) {
        of->is_forgotten = true;
        ask_for_end(courier, of);
    }
    unlock(courier);
}

bool cly_courier_take_event(cly_courier *courier, cly_event *event) {
    bool is_taken;
    lock(courier);
    is_taken = cly_event_take(&courier->events, event);
    unlock(courier);
    return is_taken;
}

/* Under the lock: letters of which the engine does not know yet. */
static int not_with_engine(const cly_courier *courier) {
    int count = 0;
    for (const letter *of = courier->lists[LETTER_INBOX].first; of; of = of->next) count++;
    for (const letter *of = courier->lists[LETTER_HELD].first; of; of = of->next)
        count += of->engine_ticket == 0;
    return count;
}

cly_stats cly_courier_stats(cly_courier *courier) {
    cly_stats stats;
    int waiting;
    lock(courier);
    waiting = not_with_engine(courier);
    stats = courier->stats;
    stats.in_flight += waiting;
    stats.calls += courier->unsubmitted + (uint64_t)waiting;
    stats.not_sent += courier->unsubmitted;
    stats.events_lost += courier->events.lost;
    unlock(courier);
    return stats;
}

cly_ticket cly_courier_next_ended(cly_courier *courier) {
    cly_ticket ticket = 0;
    lock(courier);
    if (courier->unnamed) {
        ticket = ticket_of(courier->unnamed);
        courier->unnamed = courier->unnamed->next;
    }
    unlock(courier);
    return ticket;
}

int cly_courier_slots_wanted(cly_courier *courier) {
    int wanted;
    lock(courier);
    wanted = courier->slots_wanted;
    unlock(courier);
    return wanted;
}

void cly_courier_give_slot(cly_courier *courier, double at) {
    lock(courier);
    cly_slots_add(&courier->slots_given, at);
    if (courier->slots_wanted > 0) courier->slots_wanted--;
    if (courier->engine && courier->slots_given.count == 1) cly_engine_wakeup(courier->engine);
    unlock(courier);
}

double cly_courier_take_pause(cly_courier *courier) {
    double seconds;
    lock(courier);
    seconds = courier->pause_to_tell;
    courier->pause_to_tell = 0;
    unlock(courier);
    return seconds;
}

int cly_courier_descriptor(cly_courier *courier) {
    int descriptor;
    lock(courier);
    descriptor = cly_bell_descriptor(&courier->bell);
    if (courier->lists[LETTER_DONE].first) cly_bell_ring(&courier->bell);
    unlock(courier);
    return descriptor;
}

void cly_courier_acknowledge(cly_courier *courier) {
    lock(courier);
    cly_bell_quiet(&courier->bell);
    unlock(courier);
}

const char *cly_courier_listen(cly_courier *courier, cly_error *error) {
    const char *path;
    lock(courier);
    path = cly_bell_listen(&courier->bell);
    if (path == NULL)
        cly_error_set(error, CLY_OVERLOADED, CLY_NOT_SENT, "no unix socket: %s", strerror(errno));
    if (path && courier->engine) cly_engine_wakeup(courier->engine);
    unlock(courier);
    return path;
}
