/* timers.c - call_later, call_at, rearm: never early, first in first out, never forgotten, never twice. */
#include "kit.h"

#include <errno.h>
#include <stdlib.h>

#define MS 1000000

/* ---- order ----------------------------------------------------------------------------------- */

/* T-01: a timer that is due joins the batch after what was ready. */
KIT_TEST(due_timer_runs_after_what_is_ready)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_call_later(loop, 0, kit_log_call, "t", NULL, NULL));
    CHECK_OK(rondo_loop_call_soon(loop, kit_log_call, "s", NULL, NULL));
    kit_pass(loop);
    kit_expect_log("s t");
    kit_loop_end(loop);
}

/* F32: what is not in the future is the next pass, in the order of the deadlines. */
KIT_TEST(past_deadlines_are_the_next_pass)
{
    rondo_loop *loop = kit_loop();
    int64_t now = 0;
    CHECK_OK(rondo_loop_time(loop, &now));
    CHECK_OK(rondo_loop_call_at(loop, now, kit_log_call, "now", NULL, NULL));
    CHECK_OK(rondo_loop_call_at(loop, now - 5, kit_log_call, "before", NULL, NULL));
    CHECK_OK(rondo_loop_call_at(loop, 0, kit_log_call, "zero", NULL, NULL));
    CHECK_OK(rondo_loop_call_at(loop, -1, kit_log_call, "minus", NULL, NULL));
    CHECK_OK(rondo_loop_call_at(loop, INT64_MIN, kit_log_call, "first", NULL, NULL));
    kit_pass(loop);
    kit_expect_log("first minus zero before now");
    kit_loop_end(loop);
}

KIT_TEST(negative_delays_are_the_next_pass)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_call_later(loop, -1, kit_arg_call, NULL, kit_drop, NULL));
    CHECK_OK(rondo_loop_call_later(loop, -1000000000000, kit_arg_call, NULL, kit_drop, NULL));
    CHECK_OK(rondo_loop_call_later(loop, INT64_MIN, kit_arg_call, NULL, kit_drop, NULL));
    kit_pass(loop);
    CHECK_EQ_INT(kit_drops, 3);
    kit_loop_end(loop);
}

/* F32: delays beyond what the clock can tell never come, and never wrap to now. */
KIT_TEST(huge_delays_never_come)
{
    rondo_loop *loop = kit_loop();
    static const int64_t delays[] = { RONDO_NEVER, RONDO_NEVER - 1, RONDO_NEVER / 2 + 1,
                                      INT64_C(1) << 62 };
    rondo_handle *handle = NULL;
    int64_t when = 0;
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++)
        CHECK_OK(rondo_loop_call_later(loop, delays[i], kit_no_call, NULL, kit_drop, NULL));
    CHECK_OK(rondo_loop_call_at(loop, RONDO_NEVER, kit_no_call, NULL, kit_drop, &handle));
    CHECK_OK(rondo_handle_get_when(handle, &when));
    CHECK_EQ_INT(when, RONDO_NEVER);
    CHECK_OK(rondo_handle_release(handle));
    CHECK_OK(rondo_loop_call_later(loop, RONDO_NEVER - 1, kit_no_call, NULL, kit_drop, &handle));
    CHECK_OK(rondo_handle_get_when(handle, &when));
    CHECK_EQ_INT(when, RONDO_NEVER);
    CHECK_OK(rondo_handle_release(handle));
    CHECK_OK(rondo_loop_call_later(loop, MS, kit_stop_call, loop, NULL, NULL));
    CHECK_OK(rondo_loop_run_forever(loop)); /* the short one is not held up either */
    CHECK_EQ_INT(kit_drops, 0);
    kit_loop_drop(loop);
    CHECK_EQ_INT(kit_drops, 6);
}

static int next_expected;

static void expect_in_order(void *arg)
{
    CHECK_EQ_INT((intptr_t)arg, next_expected);
    next_expected++;
}

/* Equal deadlines run in the order of the calls, however many there are. */
KIT_TEST(equal_deadlines_are_fifo)
{
    rondo_loop *loop = kit_loop();
    int64_t now = 0;
    next_expected = 0;
    CHECK_OK(rondo_loop_time(loop, &now));
    for (intptr_t i = 0; i < 20000; i++)
        CHECK_OK(rondo_loop_call_at(loop, now, expect_in_order, (void *)i, NULL, NULL));
    kit_pass(loop);
    CHECK_EQ_INT(next_expected, 20000);
    kit_loop_end(loop);
}

/* ... also when others come and go in between. */
KIT_TEST(equal_deadlines_are_fifo_after_cancels)
{
    rondo_loop *loop = kit_loop();
    rondo_handle *gone[1000];
    int64_t now = 0;
    next_expected = 0;
    CHECK_OK(rondo_loop_time(loop, &now));
    for (intptr_t i = 0; i < 1000; i++) {
        CHECK_OK(rondo_loop_call_at(loop, now - i % 7, kit_no_call, NULL, kit_drop, &gone[i]));
        CHECK_OK(rondo_loop_call_at(loop, now, expect_in_order, (void *)i, NULL, NULL));
    }
    for (int i = 0; i < 1000; i++) {
        CHECK_OK(rondo_handle_cancel(gone[(i * 7) % 1000]));
        CHECK_OK(rondo_handle_release(gone[(i * 7) % 1000]));
    }
    CHECK_EQ_INT(kit_drops, 1000);
    kit_pass(loop);
    CHECK_EQ_INT(next_expected, 1000);
    kit_loop_end(loop);
}

struct due {
    int64_t when;
    int order;
    int *next;
    struct due *all;
};

static void check_due(void *arg)
{
    struct due *due = arg;
    CHECK_EQ_INT(due->order, (*due->next)++);
}

static int by_deadline(const void *left, const void *right)
{
    const struct due *const *a = left, *const *b = right;
    if ((*a)->when != (*b)->when)
        return (*a)->when < (*b)->when ? -1 : 1;
    return *a < *b ? -1 : 1; /* the order of insertion */
}

/* F35: many due at once run once each, in the order of their deadlines; against a sort. */
KIT_TEST(random_deadlines_against_a_sort)
{
    enum { COUNT = 5000 };
    static struct due dues[COUNT], *sorted[COUNT];
    rondo_loop *loop = kit_loop();
    uint32_t seed = 12345;
    int next = 0;
    int64_t now = 0;
    CHECK_OK(rondo_loop_time(loop, &now));
    for (int i = 0; i < COUNT; i++) {
        seed = seed * 1664525 + 1013904223;
        dues[i] = (struct due){ .when = now - (seed >> 16) % 1000, .next = &next };
        sorted[i] = &dues[i];
    }
    qsort(sorted, COUNT, sizeof *sorted, by_deadline);
    for (int i = 0; i < COUNT; i++)
        sorted[i]->order = i;
    for (int i = 0; i < COUNT; i++)
        CHECK_OK(rondo_loop_call_at(loop, dues[i].when, check_due, &dues[i], NULL, NULL));
    kit_pass(loop);
    CHECK_EQ_INT(next, COUNT);
    kit_loop_end(loop);
}

/* ---- time ------------------------------------------------------------------------------------ */

struct early {
    rondo_loop *loop;
    int64_t when;
    int left;
};

static void check_not_early(void *arg)
{
    struct early *early = arg;
    CHECK(kit_now() >= early->when);
    if (--early->left == 0) {
        CHECK_OK(rondo_loop_stop(early->loop));
        return;
    }
    early->when = kit_now() + 10000 + early->left * 7919;
    CHECK_OK(rondo_loop_call_at(early->loop, early->when, check_not_early, early, NULL, NULL));
}

/* Never early, with deadlines that are no whole millisecond or microsecond. */
KIT_TEST(never_early)
{
    struct early early = { .loop = kit_loop(), .left = 200 };
    early.when = kit_now() + 1;
    CHECK_OK(rondo_loop_call_at(early.loop, early.when, check_not_early, &early, NULL, NULL));
    CHECK_OK(rondo_loop_run_forever(early.loop));
    CHECK_EQ_INT(early.left, 0);
    kit_loop_end(early.loop);
}

KIT_TEST(call_later_counts_from_the_call)
{
    rondo_loop *loop = kit_loop();
    rondo_handle *handle = NULL;
    int64_t when = 0, before = kit_now();
    CHECK_OK(rondo_loop_call_later(loop, 5 * MS, kit_arg_call, NULL, NULL, &handle));
    int64_t after = kit_now();
    CHECK_OK(rondo_handle_get_when(handle, &when));
    CHECK(when >= before + 5 * MS && when <= after + 5 * MS);
    CHECK_OK(rondo_handle_cancel(handle));
    CHECK_OK(rondo_handle_release(handle));
    kit_loop_end(loop);
}

KIT_TEST(get_when_of_what_is_no_timer)
{
    rondo_loop *loop = kit_loop();
    rondo_handle *handle = NULL;
    int64_t when = 42;
    CHECK_OK(rondo_loop_call_soon(loop, kit_arg_call, NULL, NULL, &handle));
    CHECK_STATUS(rondo_handle_get_when(handle, &when), RONDO_E_TYPE);
    CHECK_STATUS(rondo_handle_rearm(handle, 1), RONDO_E_TYPE);
    CHECK_EQ_INT(when, 42);
    CHECK_OK(rondo_handle_release(handle));
    CHECK_OK(rondo_loop_call_soon_threadsafe(loop, kit_arg_call, NULL, NULL, &handle));
    CHECK_STATUS(rondo_handle_get_when(handle, &when), RONDO_E_TYPE);
    CHECK_STATUS(rondo_handle_rearm(handle, 1), RONDO_E_TYPE);
    CHECK_OK(rondo_handle_release(handle));
    kit_pass(loop);
    kit_loop_end(loop);
}

static void count_poll(rondo_loop *loop, void *arg)
{
    (void)loop;
    ++*(int *)arg;
}

/* T-07: a cancelled timer at the head does not wake the loop. */
KIT_TEST(cancelled_head_does_not_wake)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_handle *handle = NULL;
    int polls = 0;
    CHECK_OK(rondo_loop_set_poll_hooks(loop, count_poll, NULL, &polls, NULL));
    CHECK_OK(rondo_loop_call_later(loop, 5 * MS, kit_no_call, NULL, kit_drop, &handle));
    CHECK_OK(rondo_loop_call_later(loop, 10 * MS, kit_stop_call, loop, NULL, NULL));
    CHECK_OK(rondo_handle_cancel(handle));
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_loop_run_forever(loop));
    CHECK(polls >= 1);
    CHECK(polls <= 3);
    CHECK_OK(rondo_handle_release(handle));
    kit_loop_end(loop);
}

/* ---- cancel ---------------------------------------------------------------------------------- */

static void cancel_arg(void *arg)
{
    CHECK_OK(rondo_handle_cancel(*(rondo_handle **)arg));
    kit_log("cancel");
}

/* F39: due in this very pass, but an earlier callback cancels it. */
KIT_TEST(cancelled_in_the_pass_it_became_due)
{
    rondo_loop *loop = kit_loop();
    rondo_handle *handle = NULL;
    int64_t now = 0;
    CHECK_OK(rondo_loop_time(loop, &now));
    CHECK_OK(rondo_loop_call_at(loop, now - 1, cancel_arg, &handle, NULL, NULL));
    CHECK_OK(rondo_loop_call_at(loop, now, kit_no_call, NULL, kit_drop, &handle));
    kit_pass(loop);
    kit_expect_log("cancel");
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_EQ_INT(rondo_handle_is_cancelled(handle), 1);
    CHECK_OK(rondo_handle_release(handle));
    kit_loop_end(loop);
}

KIT_TEST(cancel_after_firing)
{
    rondo_loop *loop = kit_loop();
    rondo_handle *handle = NULL;
    CHECK_OK(rondo_loop_call_later(loop, 0, kit_log_call, "t", kit_drop, &handle));
    kit_pass(loop);
    kit_expect_log("t");
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_handle_cancel(handle));
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_handle_release(handle));
    kit_loop_end(loop);
}

KIT_TEST(released_timer_still_fires)
{
    rondo_loop *loop = kit_loop();
    rondo_handle *handle = NULL;
    CHECK_OK(rondo_loop_call_later(loop, 0, kit_log_call, "t", kit_drop, &handle));
    CHECK_OK(rondo_handle_release(handle));
    kit_pass(loop);
    kit_expect_log("t");
    CHECK_EQ_INT(kit_drops, 1);
    kit_loop_end(loop);
}

/* F37, T-08: cancelled timers are reclaimed: a million come and go and memory stays what it was. */
KIT_TEST_WITHIN(cancelled_timers_are_reclaimed, 30)
{
    rondo_loop *loop = kit_loop();
    rondo_handle *kept[16], *handle = NULL;
    size_t after_warm_up = 0;
    int rounds = kit_rounds(100);
    for (int i = 0; i < 16; i++)
        CHECK_OK(rondo_loop_call_later(loop, RONDO_NEVER / 4, kit_no_call, NULL, kit_drop, &kept[i]));
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < 10000; i++) {
            CHECK_OK(rondo_loop_call_later(loop, 1000000 * (int64_t)MS + i, kit_no_call, NULL, kit_drop,
                                           &handle));
            CHECK_OK(rondo_handle_cancel(handle));
            CHECK_OK(rondo_handle_release(handle));
        }
        kit_pass(loop);
        if (round == 0)
            after_warm_up = kit_alloc_bytes();
    }
    CHECK_EQ_INT(kit_drops, rounds * 10000);
    CHECK_EQ_INT(kit_alloc_bytes(), after_warm_up);
    for (int i = 0; i < 16; i++) {
        CHECK_OK(rondo_handle_cancel(kept[i]));
        CHECK_OK(rondo_handle_release(kept[i]));
    }
    kit_loop_end(loop);
}

/* F37: 90 % of many timers are cancelled in a random order; the rest fire in theirs. */
KIT_TEST_WITHIN(most_of_many_are_cancelled, 30)
{
    enum { MOST = 100000 };
    int count = kit_rounds(MOST);
    static rondo_handle *handles[MOST];
    rondo_loop *loop = kit_loop();
    int64_t now = 0;
    next_expected = 0;
    CHECK_OK(rondo_loop_time(loop, &now));
    for (int i = 0; i < count; i++) {
        int kept = i % 10 == 0;
        CHECK_OK(rondo_loop_call_at(loop, now - count + i, kept ? expect_in_order : kit_no_call,
                                    (void *)(intptr_t)(i / 10), kit_drop, &handles[i]));
    }
    for (int i = 0; i < count; i++) {
        int index = (int)((i * INT64_C(7919)) % count);
        if (index % 10 != 0)
            CHECK_OK(rondo_handle_cancel(handles[index]));
    }
    CHECK_EQ_INT(kit_drops, count - count / 10);
    kit_pass(loop);
    CHECK_EQ_INT(next_expected, count / 10);
    CHECK_EQ_INT(kit_drops, count);
    for (int i = 0; i < count; i++)
        CHECK_OK(rondo_handle_release(handles[i]));
    kit_loop_end(loop);
}

/* ---- rearm ----------------------------------------------------------------------------------- */

struct repeat {
    rondo_loop *loop;
    rondo_handle *handle;
    int64_t when;
    int left;
};

static void repeat(void *arg)
{
    struct repeat *self = arg;
    CHECK_EQ_INT(kit_drops, 0);
    int64_t now = -1;
    CHECK_OK(rondo_loop_time(self->loop, &now));
    CHECK_EQ_INT(now, self->when);
    if (--self->left == 0)
        return;
    CHECK_OK(rondo_handle_rearm(self->handle, 50000));
    CHECK_OK(rondo_handle_get_when(self->handle, &self->when));
    CHECK_EQ_INT(self->when, now + 50000);
    if (self->left == 1)
        CHECK_OK(rondo_loop_call_at(self->loop, self->when, kit_stop_call, self->loop, NULL, NULL));
}

/* Re-armed inside its own callback a timer repeats, and arg is dropped after the last time. */
KIT_TEST(rearm_inside_its_own_callback)
{
    struct repeat self = { .loop = kit_virtual_loop(), .left = 50 };
    CHECK_OK(rondo_loop_call_later(self.loop, 0, repeat, &self, kit_drop, &self.handle));
    CHECK_OK(rondo_loop_run_forever(self.loop));
    CHECK_EQ_INT(self.left, 0);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_STATUS(rondo_handle_rearm(self.handle, 1), RONDO_E_INVALID_STATE);
    CHECK_OK(rondo_handle_release(self.handle));
    kit_loop_end(self.loop);
}

KIT_TEST(rearm_moves_a_timer_both_ways)
{
    rondo_loop *loop = kit_loop();
    rondo_handle *first = NULL, *second = NULL;
    int64_t when = 0, now = kit_now();
    CHECK_OK(rondo_loop_call_later(loop, 3600 * (int64_t)1000000000, kit_log_call, "a", kit_drop, &first));
    CHECK_OK(rondo_loop_call_later(loop, 0, kit_log_call, "b", kit_drop, &second));
    CHECK_OK(rondo_handle_rearm(second, 3600 * (int64_t)1000000000));
    CHECK_OK(rondo_handle_rearm(first, 0));
    CHECK_OK(rondo_handle_get_when(second, &when));
    CHECK(when >= now + 3600 * (int64_t)1000000000);
    kit_pass(loop);
    kit_expect_log("a");
    CHECK_OK(rondo_handle_rearm(second, -5));
    kit_pass(loop);
    kit_expect_log("b");
    CHECK_EQ_INT(kit_drops, 2);
    CHECK_OK(rondo_handle_release(first));
    CHECK_OK(rondo_handle_release(second));
    kit_loop_end(loop);
}

/* With a deadline instead of a delay: equal ones in the order of arming, what is past comes at once. */
KIT_TEST(rearm_at_a_deadline)
{
    rondo_loop *loop = kit_loop();
    rondo_handle *first = NULL, *second = NULL, *soon = NULL;
    int64_t now = 0, when = 0;
    CHECK_OK(rondo_loop_time(loop, &now));
    CHECK_OK(rondo_loop_call_at(loop, INT64_MAX, kit_log_call, "a", kit_drop, &first));
    CHECK_OK(rondo_loop_call_at(loop, now, kit_log_call, "b", kit_drop, &second));
    CHECK_OK(rondo_handle_rearm_at(second, now + 1));
    CHECK_OK(rondo_handle_rearm_at(first, now + 1));
    CHECK_OK(rondo_handle_get_when(first, &when));
    CHECK_EQ_INT(when, now + 1);
    kit_pass(loop);
    kit_expect_log("b a");
    CHECK_STATUS(rondo_handle_rearm_at(first, now), RONDO_E_INVALID_STATE);
    CHECK_OK(rondo_loop_call_at(loop, INT64_MAX, kit_log_call, "c", kit_drop, &soon));
    CHECK_OK(rondo_handle_rearm_at(soon, -1));
    kit_pass(loop);
    kit_expect_log("c");
    CHECK_EQ_INT(kit_drops, 3);
    CHECK_OK(rondo_handle_release(first));
    CHECK_OK(rondo_handle_release(second));
    CHECK_OK(rondo_handle_release(soon));
    kit_loop_end(loop);
}

/* Re-armed, it counts as made now: it runs after what already has this deadline. */
KIT_TEST(rearm_to_never_and_back)
{
    rondo_loop *loop = kit_loop();
    rondo_handle *handle = NULL;
    int64_t when = 0;
    CHECK_OK(rondo_loop_call_later(loop, 0, kit_log_call, "t", kit_drop, &handle));
    CHECK_OK(rondo_handle_rearm(handle, RONDO_NEVER));
    CHECK_OK(rondo_handle_get_when(handle, &when));
    CHECK_EQ_INT(when, RONDO_NEVER);
    kit_pass(loop);
    kit_expect_log("");
    CHECK_OK(rondo_handle_rearm(handle, 0));
    kit_pass(loop);
    kit_expect_log("t");
    CHECK_OK(rondo_handle_release(handle));
    kit_loop_end(loop);
}

KIT_TEST(rearm_of_what_is_over)
{
    rondo_loop *loop = kit_loop();
    rondo_handle *handle = NULL;
    CHECK_OK(rondo_loop_call_later(loop, 0, kit_no_call, NULL, kit_drop, &handle));
    CHECK_OK(rondo_handle_cancel(handle));
    CHECK_STATUS(rondo_handle_rearm(handle, 1), RONDO_E_INVALID_STATE);
    CHECK_OK(rondo_handle_release(handle));
    CHECK_OK(rondo_loop_call_later(loop, 0, kit_log_call, "t", kit_drop, &handle));
    kit_pass(loop);
    kit_expect_log("t");
    CHECK_STATUS(rondo_handle_rearm(handle, 1), RONDO_E_INVALID_STATE);
    CHECK_EQ_INT(kit_drops, 2);
    CHECK_OK(rondo_handle_release(handle));
    CHECK_OK(rondo_loop_call_later(loop, MS, kit_no_call, NULL, kit_drop, &handle));
    CHECK_OK(rondo_loop_close(loop, NULL));
    rondo_status status = rondo_handle_rearm(handle, 1);
    CHECK(status == RONDO_E_LOOP_CLOSED || status == RONDO_E_INVALID_STATE);
    CHECK_EQ_INT(kit_drops, 3);
    CHECK_OK(rondo_handle_release(handle));
    CHECK_OK(rondo_loop_release(loop));
}

static void rearm_and_cancel(void *arg)
{
    struct repeat *self = arg;
    self->left--;
    CHECK_OK(rondo_handle_rearm(self->handle, 0));
    CHECK_OK(rondo_handle_cancel(self->handle));
    CHECK_STATUS(rondo_handle_rearm(self->handle, 0), RONDO_E_INVALID_STATE);
    CHECK_OK(rondo_handle_release(self->handle));
    CHECK_EQ_INT(kit_drops, 0);
}

/* F42: re-armed, cancelled and released, all inside its own callback. */
KIT_TEST(rearm_then_cancel_inside_its_own_callback)
{
    struct repeat self = { .loop = kit_loop(), .left = 1 };
    CHECK_OK(rondo_loop_call_later(self.loop, 0, rearm_and_cancel, &self, kit_drop, &self.handle));
    kit_pass(self.loop);
    kit_pass(self.loop);
    CHECK_EQ_INT(self.left, 0);
    CHECK_EQ_INT(kit_drops, 1);
    kit_loop_end(self.loop);
}

static void rearm_and_release(void *arg)
{
    struct repeat *self = arg;
    if (--self->left > 0) {
        CHECK_OK(rondo_handle_rearm(self->handle, 0));
        return;
    }
    CHECK_OK(rondo_handle_release(self->handle));
}

KIT_TEST(rearm_now_repeats_once_a_pass)
{
    struct repeat self = { .loop = kit_loop(), .left = 3 };
    CHECK_OK(rondo_loop_call_later(self.loop, 0, rearm_and_release, &self, kit_drop, &self.handle));
    for (int left = 2; left >= 0; left--) {
        kit_pass(self.loop);
        CHECK_EQ_INT(self.left, left);
    }
    CHECK_EQ_INT(kit_drops, 1);
    kit_loop_end(self.loop);
}

/* A hundred thousand moves of one timer among others. */
KIT_TEST(rearm_many_times_among_others)
{
    rondo_loop *loop = kit_loop();
    rondo_handle *handle = NULL;
    int64_t now = 0;
    next_expected = 0;
    CHECK_OK(rondo_loop_time(loop, &now));
    CHECK_OK(rondo_loop_call_later(loop, MS, kit_log_call, "moved", kit_drop, &handle));
    for (intptr_t i = 0; i < 1000; i++)
        CHECK_OK(rondo_loop_call_at(loop, now - 1000 + i, expect_in_order, (void *)i, NULL, NULL));
    for (int i = 0; i < kit_rounds(100000); i++)
        CHECK_OK(rondo_handle_rearm(handle, (i * INT64_C(7919)) % 100000000 + 1000000000));
    kit_pass(loop);
    CHECK_EQ_INT(next_expected, 1000);
    kit_expect_log("");
    CHECK_OK(rondo_handle_rearm(handle, 0));
    kit_pass(loop);
    kit_expect_log("moved");
    CHECK_OK(rondo_handle_release(handle));
    kit_loop_end(loop);
}

/* ---- a timer made in a timer ----------------------------------------------------------------- */

static void due_again(void *arg)
{
    kit_log("a");
    CHECK_OK(rondo_loop_call_later(arg, 0, kit_log_call, "b", NULL, NULL));
    CHECK_OK(rondo_loop_call_at(arg, 0, kit_log_call, "c", NULL, NULL));
}

/* A timer that is due at once still waits for the next pass. */
KIT_TEST(due_timer_made_in_a_callback_waits_a_pass)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_call_later(loop, 0, due_again, loop, NULL, NULL));
    kit_pass(loop);
    kit_expect_log("a");
    kit_pass(loop);
    kit_expect_log("c b");
    kit_loop_end(loop);
}

static void call_from_timer(void *arg)
{
    kit_log("timer");
    CHECK_OK(rondo_loop_call_soon(arg, kit_log_call, "soon", NULL, NULL));
}

/* T-06: what a timer's callback schedules is the next pass. */
KIT_TEST(call_soon_in_a_timer_waits_a_pass)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_call_later(loop, 0, call_from_timer, loop, NULL, NULL));
    kit_pass(loop);
    kit_expect_log("timer");
    kit_pass(loop);
    kit_expect_log("soon");
    kit_loop_end(loop);
}
