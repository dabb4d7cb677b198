/* staggered.c - rondo_staggered_race(): who starts when, who wins, what is left of the others. */
#include "coro.h"

#include <errno.h>
#include <stdlib.h>

#define LONG INT64_C(3600000000000)
#define SHORT INT64_C(1000000)
#define MOST 8

enum what { SUCCEEDS, FAILS, REFUSES, GIVES_NOTHING, WAITS, WAITS_AND_FAILS, SWALLOWS, INTERRUPTED, SHIELDED };

struct contestant {
    RONDO_FRAME;
    struct race *race;
    size_t index;
    rondo_cancel_scope *scope;
};

struct race {
    RONDO_FRAME;
    rondo_loop *loop;
    enum what whats[MOST];
    rondo_future *future; /* what those who wait wait for */
    size_t count;
    int64_t delay;
    rondo_coroutine *coroutine;
    rondo_task *task;
    rondo_cancel_scope *scope;
    int drops, frames, values;
    /* what came of it */
    int64_t winner;
    size_t started;
    rondo_status errors[MOST];
    void *value;
    rondo_status raised;
};

/* ---- contestants ----------------------------------------------------------------------------- */

static void drop_frame(void *frame)
{
    struct contestant *self = frame;
    self->race->frames--;
    CHECK_OK(rondo_cancel_scope_release(self->scope));
    free(self);
}

static void drop_value(void *value)
{
    ((struct race *)value)->values--;
}

RONDO_STEP(contend)
{
    struct contestant *self = frame;
    RONDO_BEGIN(self);
    kit_log("+%zu", self->index);
    switch (self->race->whats[self->index]) {
    case FAILS: return rondo_coroutine_raise_new(co, RONDO_DOMAIN_USER, (int32_t)self->index, NULL);
    case INTERRUPTED: return rondo_coroutine_raise_status(co, RONDO_E_EXIT, NULL);
    default: break;
    }
    RONDO_END(self);
}

/* Those who wait: no RONDO_ macro may stand in a switch. */
RONDO_STEP(wait_and_contend)
{
    struct contestant *self = frame;
    RONDO_BEGIN(self);
    kit_log("+%zu", self->index);
    if (self->race->whats[self->index] == SHIELDED) {
        rondo_cancel_scope_options options = { .size = sizeof options, .flags = RONDO_CANCEL_SCOPE_SHIELD };
        RONDO_CANCEL_SCOPE_ENTER(self, self->scope, self->race->loop, &options);
    }
    RONDO_TRY_AWAIT(self, self->race->future);
    if (self->race->whats[self->index] == SHIELDED)
        CHECK_OK(rondo_cancel_scope_exit(self->scope, thrown, NULL));
    kit_log("%s%zu", thrown == NULL ? "=" : "-", self->index);
    if (thrown != NULL && self->race->whats[self->index] != SWALLOWS)
        return rondo_coroutine_raise(co, thrown);
    if (self->race->whats[self->index] == WAITS_AND_FAILS)
        return rondo_coroutine_raise_new(co, RONDO_DOMAIN_USER, (int32_t)self->index, NULL);
    self->race->values++;
    return rondo_coroutine_return(co, self->race, drop_value);
    RONDO_END(self);
}

RONDO_STEP(succeed)
{
    struct contestant *self = frame;
    (void)sent, (void)thrown;
    kit_log("+%zu", self->index);
    self->race->values++;
    return rondo_coroutine_return(co, self->race, drop_value);
}

static rondo_status make_contestant(size_t index, void *arg, rondo_coroutine **out)
{
    struct race *race = arg;
    enum what what = race->whats[index];
    struct contestant *self;
    CHECK(index < race->count);
    if (what == REFUSES)
        return -EIO;
    if (what == GIVES_NOTHING)
        return RONDO_OK;
    self = calloc(1, sizeof *self);
    *self = (struct contestant){ .race = race, .index = index };
    race->frames++;
    return rondo_coroutine_new("contestant",
                               what == SUCCEEDS                     ? succeed
                               : what == FAILS || what == INTERRUPTED ? contend
                                                                     : wait_and_contend,
                               self, drop_frame, out);
}

static void drop_race(void *race)
{
    ((struct race *)race)->drops++;
}

/* ---- a race ---------------------------------------------------------------------------------- */

RONDO_STEP(hold_race)
{
    struct race *self = frame;
    const rondo_race_result *result;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_staggered_race(self->count, self->delay, make_contestant, self, drop_race, &self->coroutine));
    CHECK_EQ_INT(self->drops, 0);
    RONDO_TRY_AWAIT(self, self->coroutine);
    self->raised = thrown != NULL ? rondo_error_get_status(thrown) : RONDO_OK;
    if (thrown == NULL) {
        result = sent;
        CHECK(result != NULL);
        CHECK_STATUS(rondo_coroutine_take_sent(co, &self->value), RONDO_E_INVALID_STATE);
        self->winner = result->winner;
        self->started = result->started;
        self->value = result->value;
        for (size_t i = 0; i < result->started; i++)
            self->errors[i] = result->errors[i] == NULL ? RONDO_OK : rondo_error_get_status(result->errors[i]);
        CHECK_EQ_PTR(self->value, self->winner >= 0 ? self : NULL);
        CHECK_EQ_INT(self->values, self->winner >= 0 ? 1 : 0);
    }
    RONDO_END(self);
}

static void start_race(struct race *self)
{
    self->loop = kit_loop();
    self->future = future_of(self->loop);
    CHECK_OK(rondo_loop_spawn(self->loop, hold_race, self, NULL, NULL, &self->task));
}

static void end_race(struct race *self)
{
    run_until_done(self->loop, self->task);
    expect_result(as_future(self->task), NULL);
    end_task(self->task);
    CHECK_EQ_INT(self->drops, 1);
    CHECK_EQ_INT(self->frames, 0);
    CHECK_EQ_INT(self->values, 0);
    end_future(self->future);
    kit_loop_end(self->loop); /* finds no task and no timer */
}

static void expect_race(struct race *self, int64_t winner, size_t started, const char *log)
{
    CHECK_EQ_INT(self->raised, RONDO_OK);
    CHECK_EQ_INT(self->winner, winner);
    CHECK_EQ_INT(self->started, started);
    kit_expect_log(log);
    if (winner >= 0)
        CHECK_EQ_INT(self->errors[winner], RONDO_OK);
}

/* G-36: nobody runs. */
KIT_TEST(G36_empty)
{
    struct race self = { .delay = RONDO_NEVER };
    start_race(&self);
    end_race(&self);
    expect_race(&self, -1, 0, "");
}

KIT_TEST(the_first_succeeds)
{
    struct race self = { .count = 2, .delay = LONG };
    start_race(&self);
    end_race(&self);
    expect_race(&self, 0, 1, "+0");
}

/* A failure starts the next one, however long the delay is. */
KIT_TEST(failures_start_the_next)
{
    static const int64_t delays[] = { RONDO_NEVER, LONG };
    for (int i = 0; i < 2; i++) {
        struct race self = { .count = 5, .delay = delays[i], .whats = { FAILS, REFUSES, GIVES_NOTHING, SUCCEEDS } };
        start_race(&self);
        end_race(&self);
        expect_race(&self, 3, 4, "+0 +3");
        CHECK_EQ_INT(self.errors[0], RONDO_E_USER);
        CHECK_EQ_INT(self.errors[1], -EIO);
        CHECK_EQ_INT(self.errors[2], RONDO_E_TYPE);
    }
}

KIT_TEST(nobody_succeeds)
{
    struct race self = { .count = 3, .delay = RONDO_NEVER, .whats = { FAILS, FAILS, FAILS } };
    start_race(&self);
    end_race(&self);
    expect_race(&self, -1, 3, "+0 +1 +2");
    for (int i = 0; i < 3; i++)
        CHECK_EQ_INT(self.errors[i], RONDO_E_USER);
}

/* G-37: the first is too slow; it is cancelled, and waited for. */
KIT_TEST(G37_the_first_is_too_slow)
{
    static const int64_t delays[] = { SHORT, 0, -1 };
    for (int i = 0; i < 3; i++) {
        struct race self = { .count = 3, .delay = delays[i], .whats = { WAITS, SUCCEEDS } };
        start_race(&self);
        end_race(&self);
        expect_race(&self, 1, 2, "+0 +1 -0");
        CHECK_EQ_INT(self.errors[0], RONDO_E_CANCELLED);
    }
}

/* All are woken in one pass: the first one wins, though the others were as good. */
KIT_TEST(several_could_win)
{
    struct race self = { .count = 4, .delay = 0, .whats = { WAITS, WAITS, WAITS, WAITS } };
    start_race(&self);
    for (int i = 0; i < 20; i++)
        kit_pass(self.loop);
    CHECK_OK(rondo_future_set_result(self.future, NULL, NULL));
    end_race(&self);
    expect_race(&self, 0, 4, "+0 +1 +2 +3 =0 -1 -2 -3");
    for (int i = 1; i < 4; i++)
        CHECK_EQ_INT(self.errors[i], RONDO_E_CANCELLED);
}

/* One that returns though it was cancelled does not take the place of the winner. */
KIT_TEST(a_second_winner_is_none)
{
    struct race self = { .count = 2, .delay = 0, .whats = { SWALLOWS, SUCCEEDS } };
    start_race(&self);
    end_race(&self);
    expect_race(&self, 1, 2, "+0 +1 -0");
    CHECK_EQ_INT(self.errors[0], RONDO_E_CANCELLED);
}

/* Cancelled, the race cancels everybody, waits, and raises it. */
KIT_TEST(cancelled)
{
    struct race self = { .count = 3, .delay = 0, .whats = { WAITS, WAITS, WAITS } };
    start_race(&self);
    for (int i = 0; i < 20; i++)
        kit_pass(self.loop);
    CHECK_OK(rondo_task_cancel(self.task, "stop", NULL));
    end_race(&self);
    CHECK_EQ_INT(self.raised, RONDO_E_CANCELLED);
    kit_expect_log("+0 +1 +2 -0 -1 -2");
}

/* SystemExit is not one of the contestants' errors: it leaves the loop, and the race raises it. */
KIT_TEST(an_exit_leaves_the_loop)
{
    struct race self = { .count = 2, .delay = RONDO_NEVER, .whats = { INTERRUPTED, SUCCEEDS } };
    start_race(&self);
    CHECK_STATUS(rondo_loop_run_until_complete(self.loop, self.task, NULL), RONDO_E_EXIT);
    for (int i = 0; i < 4; i++)
        kit_pass(self.loop);
    /* The next one waits for the failure of the first, which there is none of: as in CPython. */
    CHECK_EQ_INT(rondo_future_is_done(as_future(self.task)), 0);
    CHECK_OK(rondo_task_cancel(self.task, NULL, NULL));
    end_race(&self);
    CHECK_EQ_INT(self.raised, RONDO_E_EXIT);
    kit_expect_log("+0");
}

/* In a cancel scope: everybody is in it, and a shield of a contestant's holds. */
RONDO_STEP(hold_race_in_scope)
{
    struct race *self = frame;
    RONDO_BEGIN(self);
    RONDO_CANCEL_SCOPE_ENTER(self, self->scope, self->loop, NULL);
    CHECK_OK(rondo_staggered_race(self->count, self->delay, make_contestant, self, drop_race, &self->coroutine));
    RONDO_AWAIT_IN(self, race, self->coroutine);
    RONDO_CANCEL_SCOPE_EXIT(self, race, self->scope);
    RONDO_END(self);
}

KIT_TEST(in_a_cancelled_scope)
{
    struct race self = { .count = 3, .delay = 0, .whats = { SHIELDED, SHIELDED, SHIELDED } };
    self.loop = kit_loop();
    self.future = future_of(self.loop);
    CHECK_OK(rondo_loop_spawn(self.loop, hold_race_in_scope, &self, NULL, NULL, &self.task));
    for (int i = 0; i < 20; i++)
        kit_pass(self.loop);
    CHECK_OK(rondo_cancel_scope_cancel(self.scope, NULL, NULL));
    for (int i = 0; i < 20; i++)
        kit_pass(self.loop);
    kit_expect_log("+0 +1 +2"); /* nobody is disturbed */
    CHECK_OK(rondo_future_set_result(self.future, NULL, NULL));
    end_race(&self);
    kit_expect_log("=0 -1 -2"); /* the winner cancels the others: that is no matter of scopes */
}

/* As a task of its own the result stays with the task; through wait_for it is passed on. */
KIT_TEST(the_result_stays)
{
    for (int i = 0; i < 2; i++) {
        struct race self = { .count = 1, .delay = RONDO_NEVER, .whats = { SUCCEEDS } };
        rondo_coroutine *limited = NULL;
        rondo_future *done = NULL;
        void *value = NULL;
        self.loop = kit_loop();
        CHECK_OK(rondo_staggered_race(1, 0, make_contestant, &self, drop_race, &self.coroutine));
        if (i == 0)
            limited = self.coroutine;
        else
            CHECK_OK(rondo_wait_for(self.coroutine, LONG, &limited));
        CHECK_OK(rondo_loop_run_until_complete(self.loop, limited, &done));
        CHECK_OK(rondo_future_result(done, &value));
        CHECK_EQ_INT(((const rondo_race_result *)value)->winner, 0);
        CHECK_EQ_PTR(((const rondo_race_result *)value)->value, &self);
        CHECK_STATUS(rondo_future_take_result(done, &value), RONDO_E_INVALID_STATE);
        CHECK_EQ_INT(self.values, 1);
        end_future(done);
        CHECK_EQ_INT(self.values, 0);
        CHECK_EQ_INT(self.drops, 1);
        kit_loop_end(self.loop);
        kit_expect_log("+0");
    }
}

/* ---- what goes wrong ------------------------------------------------------------------------- */

static rondo_status no_contestant(size_t index, void *arg, rondo_coroutine **out)
{
    (void)index, (void)arg, (void)out;
    kit_fail(__FILE__, __LINE__, "a contestant was asked for");
}

KIT_TEST(refused)
{
    rondo_coroutine *made = NULL;
    CHECK_STATUS(rondo_staggered_race(1, 0, NULL, &made, kit_drop, &made), -EINVAL);
    CHECK_STATUS(rondo_staggered_race(1, 0, no_contestant, &made, kit_drop, NULL), -EINVAL);
    CHECK_STATUS(rondo_staggered_race(SIZE_MAX, 0, no_contestant, &made, kit_drop, &made), -EINVAL);
    CHECK_STATUS(rondo_staggered_race(SIZE_MAX / 2, 0, no_contestant, &made, kit_drop, &made), -EINVAL);
    CHECK_EQ_INT(kit_drops, 4);
    CHECK_EQ_PTR(made, NULL);
    kit_catch_log();
    CHECK_OK(rondo_staggered_race(1, 0, no_contestant, &made, kit_drop, &made));
    CHECK_OK(rondo_coroutine_release(made)); /* never awaited */
    CHECK_EQ_INT(kit_drops, 5);
    CHECK(kit_logged_containing("staggered_race"));
}

/* The loop is closed in the middle of it. */
KIT_TEST(closed_loop)
{
    struct race self = { .count = 3, .delay = 0, .whats = { WAITS, WAITS, WAITS } };
    start_race(&self);
    kit_record_reports(self.loop);
    for (int i = 0; i < 20; i++)
        kit_pass(self.loop);
    CHECK_OK(rondo_loop_close(self.loop, NULL));
    CHECK_EQ_INT(self.drops, 1);
    CHECK_EQ_INT(self.frames, 0);
    end_task(self.task);
    end_future(self.future);
    CHECK_OK(rondo_loop_release(self.loop));
}
