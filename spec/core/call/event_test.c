#include "core/call/event.h"

#include "spec/core/memory_support.h"
#include "spec/core/test.h"
#include <string.h>

static cly_event_queue queue;

static int begin(void **state) {
    (void)state;
    memset(&queue, 0, sizeof queue);
    queue.is_wanted = true;
    return 0;
}

static int end(void **state) {
    (void)state;
    memory_restore();
    cly_event_queue_clear(&queue);
    return 0;
}

static void put(int from, int to) {
    for (int i = from; i <= to; i++) {
        cly_event event = {0};
        event.call = (uint64_t)i;
        cly_event_put(&queue, &event);
    }
}

static void take(int from, int to) {
    for (int i = from; i <= to; i++) {
        cly_event event;
        assert_true(cly_event_take(&queue, &event));
        assert_true(event.call == (uint64_t)i);
    }
}

static void events_come_in_the_order_they_were_put(void **state) {
    cly_event event;
    (void)state;
    assert_false(cly_event_take(&queue, &event));
    put(1, 3);
    take(1, 2);
    put(4, 5);
    take(3, 5);
    assert_false(cly_event_take(&queue, &event));
    assert_int_equal(queue.lost, 0);
}

static void an_event_keeps_all_that_it_says(void **state) {
    cly_event given = {0}, taken;
    (void)state;
    given.type = CLY_EVENT_DONE;
    given.operation = "send_template";
    given.phases.total = 1.5;
    memset(given.id, 'x', sizeof given.id - 1);
    memset(given.code, 'y', sizeof given.code - 1);
    cly_event_put(&queue, &given);
    assert_true(cly_event_take(&queue, &taken));
    assert_memory_equal(&given, &taken, sizeof given);
}

/* The API gives an id that is none, with a customer's number in it. */
static void an_event_keeps_no_number(void **state) {
    cly_event given = {0}, taken;
    (void)state;
    strcpy(given.id, "to +16045550199");
    cly_event_put(&queue, &given);
    assert_true(cly_event_take(&queue, &taken));
    assert_string_equal(taken.id, "to +#");
}

static void the_oldest_makes_room_and_is_counted(void **state) {
    (void)state;
    put(1, CLY_EVENT_MAX);
    assert_int_equal(queue.lost, 0);
    put(CLY_EVENT_MAX + 1, CLY_EVENT_MAX + 10);
    assert_int_equal(queue.lost, 10);
    take(11, CLY_EVENT_MAX + 10);
    assert_int_equal(queue.count, 0);
}

static void it_goes_round_as_often_as_one_likes(void **state) {
    (void)state;
    put(1, 700);
    for (int i = 0; i < 20; i++) {
        take(i * 500 + 1, i * 500 + 500);
        put(i * 500 + 701, i * 500 + 1200);
    }
    assert_int_equal(queue.count, 700);
    assert_int_equal(queue.lost, 0);
}

static void nobody_who_watches_costs_nothing(void **state) {
    long live = memory_live();
    cly_event event;
    (void)state;
    queue.is_wanted = false;
    put(1, 2000);
    assert_int_equal(memory_live(), live);
    assert_int_equal(queue.lost, 0);
    assert_false(cly_event_take(&queue, &event));
}

static void without_memory_they_are_counted_as_lost(void **state) {
    cly_event event;
    (void)state;
    memory_fail(0, MEMORY_FAILS_FROM_THEN_ON);
    put(1, 3);
    assert_true(memory_restore());
    assert_int_equal(queue.lost, 3);
    assert_false(cly_event_take(&queue, &event));
    put(4, 5); /* there is memory again */
    take(4, 5);
    assert_int_equal(queue.lost, 3);
}

static void a_cleared_queue_may_be_used_again(void **state) {
    long live = memory_live();
    cly_event event;
    (void)state;
    put(1, 5);
    cly_event_queue_clear(&queue);
    assert_int_equal(memory_live(), live);
    assert_false(cly_event_take(&queue, &event));
    put(6, 7);
    take(6, 7);
}

static void every_type_has_a_name(void **state) {
    (void)state;
    assert_string_equal(cly_event_name(CLY_EVENT_ATTEMPT), "attempt");
    assert_string_equal(cly_event_name(CLY_EVENT_RETRY), "retry");
    assert_string_equal(cly_event_name(CLY_EVENT_THROTTLED), "throttled");
    assert_string_equal(cly_event_name(CLY_EVENT_DONE), "done");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_event_keeps_no_number),
        TEST(events_come_in_the_order_they_were_put),
        TEST(an_event_keeps_all_that_it_says),
        TEST(the_oldest_makes_room_and_is_counted),
        TEST(it_goes_round_as_often_as_one_likes),
        TEST(nobody_who_watches_costs_nothing),
        TEST(without_memory_they_are_counted_as_lost),
        TEST(a_cleared_queue_may_be_used_again),
        TEST(every_type_has_a_name),
    };
    return cmocka_run_group_tests_name("core/call/event", tests, NULL, NULL);
}
