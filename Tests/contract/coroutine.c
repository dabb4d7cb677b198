/* coroutine.c - driving coroutines by hand: send, throw, close, inline awaits, who drops what. */
#include "coro.h"

#include <errno.h>

struct outcome {
    rondo_status status;
    rondo_step step;
    void *value;
    rondo_error *error;
};

static struct outcome sent_in(rondo_coroutine *coroutine, void *value)
{
    struct outcome out = { .step = 77 };
    out.status = rondo_coroutine_send(coroutine, value, &out.step, &out.value, &out.error);
    return out;
}

static struct outcome thrown_in(rondo_coroutine *coroutine, rondo_error *error)
{
    struct outcome out = { .step = 77 };
    out.status = rondo_coroutine_throw(coroutine, error, &out.step, &out.value, &out.error);
    return out;
}

static void expect_step(struct outcome out, rondo_step step, const void *value)
{
    CHECK_OK(out.status);
    CHECK_EQ_INT(out.step, step);
    CHECK_EQ_PTR(out.value, value);
    CHECK_EQ_PTR(out.error, NULL);
}

static void expect_raise(struct outcome out, int32_t code, const char *message)
{
    CHECK_OK(out.status);
    CHECK_EQ_INT(out.step, RONDO_STEP_RAISE);
    expect_thrown(out.error, code, message);
    CHECK_OK(rondo_error_release(out.error));
}

static void expect_refused(struct outcome out, rondo_status status)
{
    CHECK_STATUS(out.status, status);
    CHECK_EQ_INT(out.step, 77); /* outputs are written on success only */
    CHECK_EQ_PTR(out.value, NULL);
    CHECK_EQ_PTR(out.error, NULL);
}

/* ---- send ----------------------------------------------------------------------------------- */

/* Yields value, logs what is sent, yields that once more and returns "end". */
RONDO_STEP(echo_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    self->started++;
    CHECK_EQ_PTR(sent, NULL);
    RONDO_DO(self, rondo_coroutine_yield(co, self->value));
    kit_log("%s", sent != NULL ? (const char *)sent : "nothing");
    RONDO_DO(self, rondo_coroutine_yield(co, sent));
    return rondo_coroutine_return(co, "end", NULL);
    RONDO_END(self);
}

KIT_TEST(K01_nothing_until_driven)
{
    struct frame frame = { .value = "hello" };
    rondo_coroutine *coroutine = coroutine_of(echo_step, &frame);
    CHECK_EQ_INT(frame.started, 0);
    expect_step(sent_in(coroutine, NULL), RONDO_STEP_YIELD, frame.value);
    CHECK_EQ_INT(frame.started, 1);
    struct outcome out = sent_in(coroutine, "ping");
    CHECK_EQ_INT(out.step, RONDO_STEP_YIELD);
    CHECK_EQ_STR(out.value, "ping");
    CHECK_EQ_INT(frame.drops, 0);
    out = sent_in(coroutine, NULL);
    CHECK_EQ_INT(out.step, RONDO_STEP_RETURN);
    CHECK_EQ_STR(out.value, "end");
    kit_expect_log("ping");
    CHECK_EQ_INT(frame.drops, 1);
    expect_refused(sent_in(coroutine, NULL), RONDO_E_ALREADY_AWAITED);
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_EQ_INT(frame.drops, 1);
}

/* TypeError("can't send non-None value to a just-started coroutine"); it can still be started. */
KIT_TEST(send_value_to_a_just_started_coroutine)
{
    struct frame frame = { .value = "hello" };
    rondo_coroutine *coroutine = coroutine_of(echo_step, &frame);
    expect_refused(sent_in(coroutine, "early"), RONDO_E_TYPE);
    CHECK_EQ_INT(frame.started, 0);
    expect_step(sent_in(coroutine, NULL), RONDO_STEP_YIELD, frame.value);
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_EQ_INT(frame.drops, 1);
}

KIT_TEST(send_without_outputs)
{
    struct frame frame = { .value = "hello" };
    rondo_coroutine *coroutine = coroutine_of(echo_step, &frame);
    rondo_step step = 77;
    CHECK_STATUS(rondo_coroutine_send(coroutine, NULL, NULL, NULL, NULL), -EINVAL);
    CHECK_EQ_INT(frame.started, 0);
    CHECK_OK(rondo_coroutine_send(coroutine, NULL, &step, NULL, NULL));
    CHECK_EQ_INT(step, RONDO_STEP_YIELD);
    CHECK_OK(rondo_coroutine_release(coroutine));
}

static rondo_step bare_step(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct frame *self = frame;
    (void)co;
    (void)sent;
    (void)thrown;
    return self->i++ == 0 ? RONDO_STEP_YIELD : RONDO_STEP_RETURN;
}

/* The two answers that need no action function. */
KIT_TEST(bare_yield_and_return)
{
    struct frame frame = { 0 };
    rondo_coroutine *coroutine = coroutine_of(bare_step, &frame);
    expect_step(sent_in(coroutine, NULL), RONDO_STEP_YIELD, NULL);
    expect_step(sent_in(coroutine, "ignored"), RONDO_STEP_RETURN, NULL);
    CHECK_EQ_INT(frame.drops, 1);
    CHECK_OK(rondo_coroutine_release(coroutine));
}

KIT_TEST(raise_ends_it)
{
    struct frame frame = { .error = kit_error(5, "five") };
    rondo_coroutine *coroutine = coroutine_of(raises_step, &frame);
    struct outcome out = sent_in(coroutine, NULL);
    CHECK_EQ_PTR(out.error, frame.error);
    expect_raise(out, 5, "five");
    CHECK_EQ_INT(frame.drops, 1);
    expect_refused(sent_in(coroutine, NULL), RONDO_E_ALREADY_AWAITED);
    expect_refused(thrown_in(coroutine, frame.error), RONDO_E_ALREADY_AWAITED);
    CHECK_OK(rondo_coroutine_close(coroutine, NULL)); /* close() of an ended one is a no-op */
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_OK(rondo_error_release(frame.error));
}

static rondo_step raises_kinds(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct frame *self = frame;
    (void)sent;
    (void)thrown;
    if (self->n == 0)
        return rondo_coroutine_raise_new(co, RONDO_DOMAIN_USER, 8, "eight");
    if (self->n == 1)
        return rondo_coroutine_raise_status(co, -ECONNRESET, "recv");
    return rondo_coroutine_raise_status(co, RONDO_E_TIMEOUT, NULL);
}

KIT_TEST(raise_new_and_raise_status)
{
    for (int n = 0; n < 3; n++) {
        static const int32_t codes[] = { 8, ECONNRESET, RONDO_E_TIMEOUT };
        static const int32_t domains[] = { RONDO_DOMAIN_USER, RONDO_DOMAIN_POSIX, RONDO_DOMAIN_RONDO };
        struct frame frame = { .n = n };
        rondo_coroutine *coroutine = coroutine_of(raises_kinds, &frame);
        struct outcome out = sent_in(coroutine, NULL);
        CHECK_EQ_INT(out.step, RONDO_STEP_RAISE);
        CHECK_EQ_INT(rondo_error_get_domain(out.error), domains[n]);
        CHECK_EQ_STR(rondo_error_get_operation(out.error), n == 1 ? "recv" : NULL);
        expect_raise(out, codes[n], NULL);
        CHECK_OK(rondo_coroutine_release(coroutine));
    }
}

/* StopIteration raised in a coroutine: RuntimeError("coroutine raised StopIteration"), PEP 479. */
KIT_TEST(X13_stop_iteration_raised_in_a_coroutine)
{
    struct frame frame = { .error = kit_rondo_error(RONDO_E_STOP_ITERATION, NULL) };
    rondo_coroutine *coroutine = coroutine_of(raises_step, &frame);
    struct outcome out = sent_in(coroutine, NULL);
    CHECK_EQ_INT(out.step, RONDO_STEP_RAISE);
    CHECK_EQ_PTR(rondo_error_get_cause(out.error), frame.error);
    expect_raise(out, RONDO_E_RUNTIME, "coroutine raised StopIteration");
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_OK(rondo_error_release(frame.error));
}

/* ---- throw ---------------------------------------------------------------------------------- */

/* Thrown into a coroutine that has not started, the error ends it and its body never runs. */
KIT_TEST(throw_into_an_unstarted_coroutine)
{
    struct frame frame = { 0 };
    rondo_error *error = kit_error(6, "six");
    rondo_coroutine *coroutine = coroutine_of(no_step, &frame);
    struct outcome out = thrown_in(coroutine, error);
    CHECK_EQ_PTR(out.error, error);
    expect_raise(out, 6, "six");
    CHECK_EQ_INT(frame.drops, 1);
    expect_refused(sent_in(coroutine, NULL), RONDO_E_ALREADY_AWAITED);
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_OK(rondo_error_release(error));
}

/* Yields; n: 0 lets what is thrown pass, 1 swallows it and yields "caught", 2 raises another,
 * 3 returns "returned". */
RONDO_STEP(catches_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY(self, rondo_coroutine_yield(co, NULL));
    if (thrown != NULL)
        kit_log("%s:%s", self->name, rondo_status_name(rondo_error_get_status(thrown)));
    if (self->n == 0)
        return rondo_coroutine_raise(co, thrown);
    if (self->n == 2)
        return rondo_coroutine_raise(co, self->error);
    if (self->n == 3)
        return rondo_coroutine_return(co, "returned", NULL);
    RONDO_DO(self, rondo_coroutine_yield(co, "caught"));
    return rondo_coroutine_return(co, "went on", NULL);
    RONDO_END(self);
}

KIT_TEST(throw_where_it_waits)
{
    for (int n = 0; n < 4; n++) {
        rondo_error *error = kit_error(6, "six");
        struct frame frame = { .name = "c", .n = n, .error = kit_error(7, "seven") };
        rondo_coroutine *coroutine = coroutine_of(catches_step, &frame);
        expect_step(sent_in(coroutine, NULL), RONDO_STEP_YIELD, NULL);
        struct outcome out = thrown_in(coroutine, error);
        kit_expect_log("c:RONDO_E_USER");
        if (n == 0) {
            CHECK_EQ_PTR(out.error, error);
            expect_raise(out, 6, "six");
        } else if (n == 1) {
            CHECK_EQ_INT(out.step, RONDO_STEP_YIELD);
            CHECK_EQ_STR(out.value, "caught");
            CHECK_EQ_INT(frame.drops, 0);
            CHECK_EQ_STR(sent_in(coroutine, NULL).value, "went on");
        } else if (n == 2) {
            /* raised while the six was handled: __context__ */
            CHECK_EQ_PTR(rondo_error_get_context(out.error), error);
            CHECK_EQ_PTR(rondo_error_get_cause(out.error), NULL);
            expect_raise(out, 7, "seven");
        } else {
            CHECK_EQ_INT(out.step, RONDO_STEP_RETURN);
            CHECK_EQ_STR(out.value, "returned");
        }
        CHECK_EQ_INT(frame.drops, 1);
        CHECK_OK(rondo_coroutine_release(coroutine));
        CHECK_OK(rondo_error_release(frame.error));
        CHECK_OK(rondo_error_release(error));
    }
}

/* ---- close ---------------------------------------------------------------------------------- */

KIT_TEST(close_an_unstarted_coroutine)
{
    struct frame frame = { 0 };
    rondo_coroutine *coroutine = coroutine_of(no_step, &frame);
    kit_catch_log();
    CHECK_OK(rondo_coroutine_close(coroutine, NULL));
    CHECK_EQ_INT(frame.drops, 1);
    CHECK_OK(rondo_coroutine_close(coroutine, NULL));
    expect_refused(sent_in(coroutine, NULL), RONDO_E_ALREADY_AWAITED);
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_EQ_INT(kit_logged(), 0); /* as in CPython: closed is not "never awaited" */
}

static rondo_status close_waiting(struct frame *frame, rondo_error **out_error)
{
    rondo_coroutine *coroutine = coroutine_of(catches_step, frame);
    expect_step(sent_in(coroutine, NULL), RONDO_STEP_YIELD, NULL);
    rondo_status status = rondo_coroutine_close(coroutine, out_error);
    kit_expect_log("c:RONDO_E_GENERATOR_EXIT");
    if (status != RONDO_E_RUNTIME)
        CHECK_EQ_INT(frame->drops, 1);
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_EQ_INT(frame->drops, 1);
    return status;
}

KIT_TEST(close_where_it_waits)
{
    struct frame passes = { .name = "c", .n = 0 }, returns = { .name = "c", .n = 3 };
    CHECK_OK(close_waiting(&passes, NULL));
    CHECK_OK(close_waiting(&returns, NULL));
}

KIT_TEST(close_raises_something_else)
{
    struct frame frame = { .name = "c", .n = 2, .error = kit_error(7, "seven") };
    rondo_error *error = NULL;
    CHECK_STATUS(close_waiting(&frame, &error), RONDO_E_RAISED);
    CHECK_EQ_PTR(error, frame.error);
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_error_release(frame.error));
}

/* RuntimeError("coroutine ignored GeneratorExit"): it yielded instead of ending. In CPython it
 * stays suspended, and its second close (at the latest when it is deallocated) goes on. */
RONDO_STEP(ignores_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY(self, rondo_coroutine_yield(co, NULL));
    RONDO_TRY(self, rondo_coroutine_yield(co, NULL));
    kit_log("%s", thrown != NULL ? "thrown" : "sent");
    RONDO_END(self);
}

KIT_TEST(close_is_ignored)
{
    struct frame frame = { 0 };
    rondo_coroutine *coroutine = coroutine_of(ignores_step, &frame);
    expect_step(sent_in(coroutine, NULL), RONDO_STEP_YIELD, NULL);
    CHECK_STATUS(rondo_coroutine_close(coroutine, NULL), RONDO_E_RUNTIME);
    CHECK_EQ_INT(frame.drops, 0);
    CHECK_OK(rondo_coroutine_close(coroutine, NULL));
    kit_expect_log("thrown");
    CHECK_EQ_INT(frame.drops, 1);
    CHECK_OK(rondo_coroutine_release(coroutine));
}

/* The last release closes a suspended coroutine. */
KIT_TEST(release_closes)
{
    struct frame frame = { .name = "c", .n = 0 };
    rondo_coroutine *coroutine = coroutine_of(catches_step, &frame);
    CHECK_OK(rondo_coroutine_retain(coroutine));
    expect_step(sent_in(coroutine, NULL), RONDO_STEP_YIELD, NULL);
    CHECK_OK(rondo_coroutine_release(coroutine));
    kit_expect_log("");
    CHECK_OK(rondo_coroutine_release(coroutine));
    kit_expect_log("c:RONDO_E_GENERATOR_EXIT");
    CHECK_EQ_INT(frame.drops, 1);
    CHECK_STATUS(rondo_coroutine_release(coroutine), RONDO_E_STALE_HANDLE);
}

/* ---- running -------------------------------------------------------------------------------- */

/* "coroutine already executing" from inside its own step; the step goes on unharmed. */
static rondo_step recursive_step(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct frame *self = frame;
    (void)sent;
    (void)thrown;
    expect_refused(sent_in(self->child, NULL), RONDO_E_ALREADY_RUNNING);
    expect_refused(thrown_in(self->child, self->error), RONDO_E_ALREADY_RUNNING);
    CHECK_STATUS(rondo_coroutine_close(self->child, NULL), RONDO_E_ALREADY_RUNNING);
    return rondo_coroutine_return(co, "fine", NULL);
}

KIT_TEST(already_executing)
{
    struct frame frame = { .error = kit_error(1, "one") };
    rondo_coroutine *coroutine = coroutine_of(recursive_step, &frame);
    frame.child = coroutine;
    CHECK_EQ_STR(sent_in(coroutine, NULL).value, "fine");
    CHECK_EQ_INT(frame.drops, 1);
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_OK(rondo_error_release(frame.error));
}

static rondo_step releases_itself(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct frame *self = frame;
    (void)sent;
    (void)thrown;
    if (self->i++ == 0) {
        CHECK_OK(rondo_coroutine_release(self->child)); /* the last reference of ours */
        CHECK_EQ_INT(self->drops, 0);
    }
    return rondo_coroutine_return(co, NULL, NULL);
}

/* F42: the last reference goes while its step runs: it goes when the step ends. */
KIT_TEST(F42_released_inside_its_step)
{
    struct frame frame = { 0 };
    frame.child = coroutine_of(releases_itself, &frame);
    rondo_step step = 77;
    CHECK_OK(rondo_coroutine_send(frame.child, NULL, &step, NULL, NULL));
    CHECK_EQ_INT(step, RONDO_STEP_RETURN);
    CHECK_EQ_INT(frame.drops, 1);
}

static rondo_step unknown_step(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)co;
    (void)frame;
    (void)sent;
    (void)thrown;
    return 4711;
}

static rondo_step bare_await_step(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)co;
    (void)sent;
    (void)thrown;
    return ((struct frame *)frame)->i == 0 ? RONDO_STEP_AWAIT : RONDO_STEP_RAISE;
}

/* A body that answers a number that is no answer has ended with RuntimeError. */
KIT_TEST(unknown_answer)
{
    struct frame frames[] = { { 0 }, { .i = 0 }, { .i = 1 } };
    for (int i = 0; i < 3; i++) {
        rondo_coroutine *coroutine = coroutine_of(i == 0 ? unknown_step : bare_await_step, &frames[i]);
        expect_raise(sent_in(coroutine, NULL), RONDO_E_RUNTIME, NULL);
        CHECK_EQ_INT(frames[i].drops, 1);
        CHECK_OK(rondo_coroutine_release(coroutine));
    }
}

static rondo_step foreign_step(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct frame *self = frame;
    (void)co;
    (void)sent;
    (void)thrown;
    rondo_coroutine *who = self->n == 0 ? self->child : self->n == 1 ? NULL : (void *)self->future;
    return rondo_coroutine_return(who, self->value, self->drop);
}

/* An action of a coroutine that is not running is no answer; the value is dropped all the same. */
KIT_TEST(action_of_another_coroutine)
{
    rondo_loop *loop = kit_loop();
    kit_catch_log();
    for (int n = 0; n < 3; n++) {
        struct kit_arg value = { 0 };
        struct frame other = { 0 };
        struct frame frame = { .n = n, .value = &value, .drop = kit_arg_drop };
        frame.future = future_of(loop);
        frame.child = coroutine_of(no_step, &other);
        rondo_coroutine *coroutine = coroutine_of(foreign_step, &frame);
        expect_raise(sent_in(coroutine, NULL), RONDO_E_RUNTIME, NULL);
        CHECK_EQ_INT(value.drops, 1);
        CHECK_OK(rondo_coroutine_release(coroutine));
        CHECK_OK(rondo_coroutine_release(frame.child));
        CHECK_EQ_INT(frame.drops + other.drops, 2);
        end_future(frame.future);
    }
    kit_loop_end(loop);
}

static rondo_step two_actions(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct frame *self = frame;
    struct kit_arg *values = self->value;
    (void)sent;
    if (thrown != NULL)
        return rondo_coroutine_raise(co, thrown);
    if (self->n == 3)
        (void)rondo_coroutine_await(co, self->child);
    else
        (void)rondo_coroutine_return(co, &values[0], kit_arg_drop);
    if (self->n == 0)
        return rondo_coroutine_return(co, &values[1], kit_arg_drop);
    if (self->n == 1)
        return rondo_coroutine_raise(co, self->error);
    return self->n == 2 ? 4711 : RONDO_STEP_RETURN;
}

/* More than one action in a step: which counts is open, but what moved is dropped once. */
KIT_TEST(more_than_one_action)
{
    kit_catch_log();
    for (int n = 0; n < 4; n++) {
        struct kit_arg values[2] = { { 0 } };
        struct frame frame = { .n = n, .value = values, .error = kit_error(5, "five") }, child = { 0 };
        if (n == 3)
            frame.child = coroutine_of(no_step, &child);
        rondo_coroutine *coroutine = coroutine_of(two_actions, &frame);
        rondo_step step = 77;
        CHECK_OK(rondo_coroutine_send(coroutine, NULL, &step, NULL, NULL));
        CHECK(step == RONDO_STEP_RETURN || step == RONDO_STEP_RAISE);
        CHECK_OK(rondo_coroutine_release(coroutine));
        CHECK_EQ_INT(frame.drops, 1);
        CHECK_EQ_INT(values[0].drops, n != 3);
        CHECK_EQ_INT(values[1].drops, n == 0);
        CHECK_EQ_INT(child.drops, n == 3);
        CHECK_OK(rondo_error_release(frame.error));
    }
}

/* ---- values --------------------------------------------------------------------------------- */

KIT_TEST(returned_value_is_the_callers)
{
    struct kit_arg value = { 0 };
    struct frame frame = { .value = &value, .drop = kit_arg_drop };
    rondo_coroutine *coroutine = coroutine_of(returns_step, &frame);
    expect_step(sent_in(coroutine, NULL), RONDO_STEP_RETURN, &value);
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_EQ_INT(value.drops, 0);
}

KIT_TEST(returned_value_that_nobody_takes)
{
    struct kit_arg value = { 0 };
    struct frame frame = { .value = &value, .drop = kit_arg_drop };
    rondo_coroutine *coroutine = coroutine_of(returns_step, &frame);
    rondo_step step = 77;
    CHECK_OK(rondo_coroutine_send(coroutine, NULL, &step, NULL, NULL));
    CHECK_EQ_INT(step, RONDO_STEP_RETURN);
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_EQ_INT(value.drops, 1);
}

struct own_frame {
    char zeros[100];
    int *drops;
};

static void own_frame_drop(void *frame)
{
    ++*((struct own_frame *)frame)->drops; /* the memory is still there */
}

static rondo_step own_frame_step(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct own_frame *self = frame;
    (void)sent;
    (void)thrown;
    CHECK_EQ_INT(*self->drops, 0);
    return rondo_coroutine_return(co, self->drops, NULL);
}

KIT_TEST(frame_from_the_library)
{
    struct own_frame *frame = NULL;
    rondo_coroutine *coroutine = NULL;
    int drops = 0;
    CHECK_OK(rondo_coroutine_new_with_frame("own", own_frame_step, sizeof *frame, own_frame_drop,
                                            (void **)&frame, &coroutine));
    for (size_t i = 0; i < sizeof *frame; i++)
        CHECK_EQ_INT(((char *)frame)[i], 0);
    CHECK_EQ_INT((uintptr_t)frame % _Alignof(max_align_t), 0);
    frame->drops = &drops;
    expect_step(sent_in(coroutine, NULL), RONDO_STEP_RETURN, &drops);
    CHECK_EQ_INT(drops, 1);
    CHECK_OK(rondo_coroutine_release(coroutine));
}

KIT_TEST(without_a_body)
{
    struct frame frame = { 0 };
    rondo_coroutine *coroutine = (rondo_coroutine *)&frame;
    CHECK_STATUS(rondo_coroutine_new("x", NULL, &frame, frame_drop, &coroutine), -EINVAL);
    CHECK_EQ_INT(frame.drops, 1);
    CHECK_EQ_PTR(coroutine, &frame);
}

/* ---- awaiting futures by hand --------------------------------------------------------------- */

KIT_TEST(await_a_future_by_hand)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .future = future_of(loop) };
    rondo_coroutine *coroutine = coroutine_of(awaits_step, &frame);
    expect_step(sent_in(coroutine, NULL), RONDO_STEP_AWAIT, frame.future);
    CHECK_OK(rondo_future_set_result(frame.future, loop, NULL));
    expect_step(sent_in(coroutine, NULL), RONDO_STEP_RETURN, loop);
    CHECK_OK(rondo_coroutine_release(coroutine));
    end_future(frame.future);
    kit_loop_end(loop);
}

/* A done future does not suspend: the next step comes at once. */
KIT_TEST(await_a_done_future_by_hand)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .future = future_of(loop) };
    CHECK_OK(rondo_future_set_result(frame.future, loop, NULL));
    rondo_coroutine *coroutine = coroutine_of(awaits_step, &frame);
    expect_step(sent_in(coroutine, NULL), RONDO_STEP_RETURN, loop);
    CHECK_OK(rondo_coroutine_release(coroutine));
    end_future(frame.future);
    kit_loop_end(loop);
}

/* Resumed before the future is done: RuntimeError("await wasn't used with future"). */
KIT_TEST(resumed_too_early)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .name = "c", .future = future_of(loop) };
    rondo_coroutine *coroutine = coroutine_of(tells_step, &frame);
    expect_step(sent_in(coroutine, NULL), RONDO_STEP_AWAIT, frame.future);
    expect_raise(sent_in(coroutine, NULL), RONDO_E_RUNTIME, "await wasn't used with future");
    CHECK_OK(rondo_coroutine_release(coroutine));
    expect_pending(frame.future);
    end_future(frame.future);
    kit_loop_end(loop);
}

KIT_TEST(throw_at_an_awaited_future)
{
    rondo_loop *loop = kit_loop();
    rondo_error *error = kit_error(6, "six");
    struct frame frame = { .name = "c", .future = future_of(loop) };
    rondo_coroutine *coroutine = coroutine_of(tells_step, &frame);
    expect_step(sent_in(coroutine, NULL), RONDO_STEP_AWAIT, frame.future);
    expect_raise(thrown_in(coroutine, error), 6, "six");
    kit_expect_log("c:6");
    expect_pending(frame.future); /* left alone */
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_OK(rondo_error_release(error));
    end_future(frame.future);
    kit_loop_end(loop);
}

static rondo_step sleeps_by_hand(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct frame *self = frame;
    (void)sent;
    if (thrown != NULL)
        return rondo_coroutine_raise(co, thrown);
    if (self->i++ == 0)
        return rondo_coroutine_sleep(co, self->n);
    return RONDO_STEP_RETURN;
}

/* sleep(0) is a bare yield and needs no loop; sleep(1) does: "no running event loop". */
KIT_TEST(T12_sleep_by_hand)
{
    struct frame zero = { .n = 0 }, negative = { .n = -1 }, later = { .n = 1 };
    rondo_coroutine *coroutine = coroutine_of(sleeps_by_hand, &zero);
    expect_step(sent_in(coroutine, NULL), RONDO_STEP_YIELD, NULL);
    expect_step(sent_in(coroutine, NULL), RONDO_STEP_RETURN, NULL);
    CHECK_OK(rondo_coroutine_release(coroutine));
    coroutine = coroutine_of(sleeps_by_hand, &negative);
    expect_step(sent_in(coroutine, NULL), RONDO_STEP_YIELD, NULL);
    CHECK_OK(rondo_coroutine_release(coroutine));
    coroutine = coroutine_of(sleeps_by_hand, &later);
    expect_raise(sent_in(coroutine, NULL), RONDO_E_NO_LOOP, NULL);
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_EQ_INT(zero.drops + negative.drops + later.drops, 3);
}

KIT_TEST(T12_sleep_coroutine_by_hand)
{
    struct kit_arg value = { 0 }, other = { 0 };
    rondo_coroutine *coroutine = NULL;
    CHECK_OK(rondo_sleep(0, &value, kit_arg_drop, &coroutine));
    expect_step(sent_in(coroutine, NULL), RONDO_STEP_YIELD, NULL);
    expect_step(sent_in(coroutine, NULL), RONDO_STEP_RETURN, &value);
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_EQ_INT(value.drops, 0);
    CHECK_OK(rondo_sleep(0, &other, kit_arg_drop, &coroutine));
    expect_step(sent_in(coroutine, NULL), RONDO_STEP_YIELD, NULL);
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_EQ_INT(other.drops, 1);
}

/* ---- awaiting coroutines inline ------------------------------------------------------------- */

/* A chain: levels above 0 await the next; level 0 yields its name, then returns what is sent. */
RONDO_STEP(nest_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    self->started++;
    if (self->n == 0) {
        RONDO_TRY(self, rondo_coroutine_yield(co, (void *)(uintptr_t)self->name));
    } else {
        RONDO_TRY(self, rondo_coroutine_await(co, coroutine_of(nest_step, self + 1)));
    }
    if (thrown != NULL) {
        kit_log("%s!", self->name);
        return rondo_coroutine_raise(co, thrown);
    }
    kit_log("%s", self->name);
    return rondo_coroutine_return(co, sent, NULL);
    RONDO_END(self);
}

#define NEST3 { { .name = "outer", .n = 2 }, { .name = "middle", .n = 1 }, { .name = "inner" } }

KIT_TEST(K01_inline_three_deep)
{
    struct frame frames[3] = NEST3;
    rondo_coroutine *coroutine = coroutine_of(nest_step, frames);
    CHECK_EQ_STR(sent_in(coroutine, NULL).value, "inner"); /* yields pass up */
    struct outcome out = sent_in(coroutine, "sent");       /* sends go down */
    CHECK_EQ_INT(out.step, RONDO_STEP_RETURN);
    CHECK_EQ_STR(out.value, "sent");
    kit_expect_log("inner middle outer");
    CHECK_OK(rondo_coroutine_release(coroutine));
    for (int i = 0; i < 3; i++)
        CHECK_EQ_INT(frames[i].drops, 1);
}

KIT_TEST(throw_goes_to_the_innermost)
{
    struct frame frames[3] = NEST3;
    rondo_error *error = kit_error(6, "six");
    rondo_coroutine *coroutine = coroutine_of(nest_step, frames);
    CHECK_EQ_STR(sent_in(coroutine, NULL).value, "inner");
    struct outcome out = thrown_in(coroutine, error);
    kit_expect_log("inner! middle! outer!");
    CHECK_EQ_PTR(out.error, error); /* the same instance travels */
    expect_raise(out, 6, "six");
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_OK(rondo_error_release(error));
    for (int i = 0; i < 3; i++)
        CHECK_EQ_INT(frames[i].drops, 1);
}

KIT_TEST(close_goes_to_the_innermost)
{
    struct frame frames[3] = NEST3;
    rondo_coroutine *coroutine = coroutine_of(nest_step, frames);
    CHECK_EQ_STR(sent_in(coroutine, NULL).value, "inner");
    CHECK_OK(rondo_coroutine_close(coroutine, NULL));
    kit_expect_log("inner! middle! outer!");
    CHECK_OK(rondo_coroutine_release(coroutine));
    for (int i = 0; i < 3; i++)
        CHECK_EQ_INT(frames[i].drops, 1);
}

/* One frame that all levels share: n counts down on the way in, i up on the way out. */
struct deep {
    int left, up, mode;
    rondo_step_fn step;
};

struct deep_frame {
    RONDO_FRAME;
    struct deep *deep;
};

static rondo_coroutine *deep_coroutine(struct deep *deep)
{
    struct deep_frame *frame = NULL;
    rondo_coroutine *coroutine = NULL;
    CHECK_OK(rondo_coroutine_new_with_frame("deep", deep->step, sizeof *frame, NULL, (void **)&frame,
                                            &coroutine));
    frame->deep = deep;
    return coroutine;
}

RONDO_STEP(deep_step)
{
    struct deep_frame *self = frame;
    RONDO_BEGIN(self);
    if (--self->deep->left > 0) {
        RONDO_TRY(self, rondo_coroutine_await(co, deep_coroutine(self->deep)));
    } else if (self->deep->mode == 1) {
        return rondo_coroutine_raise_new(co, RONDO_DOMAIN_USER, 9, "deep");
    } else {
        RONDO_TRY(self, rondo_coroutine_yield(co, NULL));
    }
    self->deep->up++;
    if (thrown != NULL)
        return rondo_coroutine_raise(co, thrown);
    return rondo_coroutine_return(co, sent, NULL);
    RONDO_END(self);
}

#define DEPTH 100000

/* F84: 100,000 coroutines inside each other: no recursion, so no stack overflow. */
KIT_TEST_WITHIN(F84_inline_a_hundred_thousand_deep, 30)
{
    struct deep deep = { .left = DEPTH, .step = deep_step };
    rondo_coroutine *coroutine = deep_coroutine(&deep);
    expect_step(sent_in(coroutine, NULL), RONDO_STEP_YIELD, NULL);
    CHECK_EQ_INT(deep.left, 0);
    expect_step(sent_in(coroutine, &deep), RONDO_STEP_RETURN, &deep);
    CHECK_EQ_INT(deep.up, DEPTH);
    CHECK_OK(rondo_coroutine_release(coroutine));
}

KIT_TEST_WITHIN(F84_raise_through_a_hundred_thousand, 30)
{
    struct deep deep = { .left = DEPTH, .mode = 1, .step = deep_step };
    rondo_coroutine *coroutine = deep_coroutine(&deep);
    expect_raise(sent_in(coroutine, NULL), 9, "deep");
    CHECK_EQ_INT(deep.up, DEPTH - 1);
    CHECK_OK(rondo_coroutine_release(coroutine));
}

KIT_TEST_WITHIN(F84_close_a_hundred_thousand, 30)
{
    struct deep deep = { .left = DEPTH, .step = deep_step };
    rondo_coroutine *coroutine = deep_coroutine(&deep);
    expect_step(sent_in(coroutine, NULL), RONDO_STEP_YIELD, NULL);
    CHECK_OK(rondo_coroutine_release(coroutine)); /* closes all of them, the innermost first */
    CHECK_EQ_INT(deep.up, DEPTH);
}

/* Awaits child; tells the code of what is thrown, or "ok". */
RONDO_STEP(awaits_child_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_AWAIT(self, self->child);
    kit_log("%s", thrown == NULL ? "ok" : rondo_status_name(rondo_error_get_status(thrown)));
    return rondo_coroutine_return(co, sent, NULL);
    RONDO_END(self);
}

/* "cannot reuse already awaited coroutine", and the await of one that somebody else awaits. */
KIT_TEST(K03_await_the_same_coroutine_twice)
{
    struct frame child = { .value = "v" }, first = { 0 }, second = { 0 };
    first.child = second.child = coroutine_of(returns_step, &child);
    CHECK_OK(rondo_coroutine_retain(first.child));
    rondo_coroutine *a = coroutine_of(awaits_child_step, &first);
    rondo_coroutine *b = coroutine_of(awaits_child_step, &second);
    CHECK_EQ_STR(sent_in(a, NULL).value, "v");
    expect_step(sent_in(b, NULL), RONDO_STEP_RETURN, NULL);
    kit_expect_log("ok RONDO_E_ALREADY_AWAITED");
    CHECK_EQ_INT(child.started, 1);
    CHECK_EQ_INT(child.drops, 1);
    CHECK_OK(rondo_coroutine_release(a));
    CHECK_OK(rondo_coroutine_release(b));
}

KIT_TEST(K03_await_a_coroutine_that_is_being_awaited)
{
    struct frame child = { .n = 1 }, first = { 0 }, second = { 0 };
    first.child = second.child = coroutine_of(passes_step, &child);
    CHECK_OK(rondo_coroutine_retain(first.child));
    rondo_coroutine *a = coroutine_of(awaits_child_step, &first);
    rondo_coroutine *b = coroutine_of(awaits_child_step, &second);
    expect_step(sent_in(a, NULL), RONDO_STEP_YIELD, NULL);
    expect_refused(sent_in(first.child, NULL), RONDO_E_ALREADY_AWAITED);
    expect_step(sent_in(b, NULL), RONDO_STEP_RETURN, NULL);
    kit_expect_log("RONDO_E_ALREADY_AWAITED");
    expect_step(sent_in(a, NULL), RONDO_STEP_RETURN, NULL);
    kit_expect_log("ok");
    CHECK_OK(rondo_coroutine_release(a));
    CHECK_OK(rondo_coroutine_release(b));
}

static rondo_step awaits_itself(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct frame *self = frame;
    (void)sent;
    if (thrown != NULL)
        return rondo_coroutine_raise(co, thrown);
    CHECK_OK(rondo_coroutine_retain(self->child)); /* it moves */
    return rondo_coroutine_await(co, self->child);
}

/* A coroutine that awaits itself is told so; CPython: "coroutine is being awaited already". */
KIT_TEST(coroutine_awaits_itself)
{
    struct frame frame = { 0 };
    frame.child = coroutine_of(awaits_itself, &frame);
    struct outcome out = sent_in(frame.child, NULL);
    CHECK_EQ_INT(out.step, RONDO_STEP_RAISE);
    rondo_status status = rondo_error_get_status(out.error);
    CHECK(status == RONDO_E_ALREADY_RUNNING || status == RONDO_E_ALREADY_AWAITED);
    CHECK_OK(rondo_error_release(out.error));
    CHECK_EQ_INT(frame.drops, 1);
    CHECK_OK(rondo_coroutine_release(frame.child));
}

/* A task has it: it can no longer be driven, closed or awaited, and becomes no second task. */
KIT_TEST(K03_a_task_has_it)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .n = 1 };
    rondo_error *error = kit_error(1, "one");
    rondo_coroutine *coroutine = coroutine_of(passes_step, &frame);
    rondo_task *task = NULL;
    CHECK_OK(rondo_coroutine_retain(coroutine));
    CHECK_OK(rondo_loop_create_task(loop, coroutine, NULL, &task));
    expect_refused(sent_in(coroutine, NULL), RONDO_E_ALREADY_AWAITED);
    expect_refused(thrown_in(coroutine, error), RONDO_E_ALREADY_AWAITED);
    CHECK_STATUS(rondo_coroutine_close(coroutine, NULL), RONDO_E_ALREADY_AWAITED);
    CHECK_OK(rondo_coroutine_retain(coroutine));
    CHECK_STATUS(rondo_loop_create_task(loop, coroutine, NULL, NULL), RONDO_E_ALREADY_AWAITED);
    run_until_done(loop, task);
    CHECK_EQ_INT(frame.drops, 1);
    expect_refused(sent_in(coroutine, NULL), RONDO_E_ALREADY_AWAITED);
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_OK(rondo_error_release(error));
    end_task(task);
    kit_loop_end(loop);
}

/* ---- what was sent, and taking it ----------------------------------------------------------- */

RONDO_STEP(takes_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    CHECK_STATUS(rondo_coroutine_take_sent(co, &self->value), RONDO_E_INVALID_STATE);
    RONDO_AWAIT(self, self->child);
    CHECK_EQ_INT(((struct kit_arg *)sent)->drops, 0);
    self->value = sent;
    if (self->n == 1) {
        void *taken = NULL;
        CHECK_OK(rondo_coroutine_take_sent(co, &taken));
        CHECK_EQ_PTR(taken, sent);
        CHECK_STATUS(rondo_coroutine_take_sent(co, &taken), RONDO_E_INVALID_STATE);
    }
    RONDO_YIELD(self);
    RONDO_END(self);
}

/* What came in is borrowed until the next suspension, unless it is taken. */
KIT_TEST(take_sent_of_an_inline_coroutine)
{
    for (int take = 0; take < 2; take++) {
        struct kit_arg value = { 0 };
        struct frame child = { .value = &value, .drop = kit_arg_drop }, frame = { .n = take };
        frame.child = coroutine_of(returns_step, &child);
        rondo_coroutine *coroutine = coroutine_of(takes_step, &frame);
        expect_step(sent_in(coroutine, NULL), RONDO_STEP_YIELD, NULL);
        CHECK_EQ_PTR(frame.value, &value);
        expect_step(sent_in(coroutine, NULL), RONDO_STEP_RETURN, NULL);
        CHECK_OK(rondo_coroutine_release(coroutine));
        CHECK_EQ_INT(value.drops, take ? 0 : 1);
    }
}

RONDO_STEP(takes_future_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_AWAIT(self, self->future);
    CHECK_OK(rondo_coroutine_take_sent(co, &self->value));
    CHECK_EQ_PTR(self->value, sent);
    RONDO_END(self);
}

/* take_sent of a future's result is the future's take_result. */
KIT_TEST(take_sent_of_a_future)
{
    rondo_loop *loop = kit_loop();
    for (int done_before = 0; done_before < 2; done_before++) {
        struct kit_arg value = { 0 };
        struct frame frame = { .future = future_of(loop) };
        rondo_task *task = task_of(loop, takes_future_step, &frame);
        if (!done_before)
            kit_pass(loop);
        CHECK_OK(rondo_future_set_result(frame.future, &value, kit_arg_drop));
        run_until_done(loop, task);
        CHECK_EQ_PTR(frame.value, &value);
        CHECK_STATUS(rondo_future_take_result(frame.future, NULL), RONDO_E_INVALID_STATE);
        end_task(task);
        end_future(frame.future);
        CHECK_EQ_INT(value.drops, 0);
    }
    kit_loop_end(loop);
}

RONDO_STEP(awaits_moved_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_AWAIT_MOVED(self, self->future);
    if (thrown != NULL)
        return rondo_coroutine_raise(co, thrown);
    CHECK_EQ_INT(((struct kit_arg *)sent)->drops, 0); /* alive until it suspends */
    RONDO_YIELD(self);
    RONDO_END(self);
}

/* await_moved lets go of the reference afterwards; of the future of a task and of a plain one. */
KIT_TEST(await_moved)
{
    rondo_loop *loop = kit_loop();
    struct kit_arg value = { 0 };
    struct frame child = { .n = 2, .value = &value, .drop = kit_arg_drop };
    struct frame frame = { .future = as_future(task_of(loop, passes_step, &child)) };
    rondo_future *done = run_frame(loop, awaits_moved_step, &frame);
    expect_result(done, NULL);
    CHECK_EQ_INT(value.drops, 1);
    end_future(done);
    kit_loop_end(loop);
}

/* What cannot be awaited is thrown in at the await. */
RONDO_STEP(awaits_odd_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY(self, rondo_coroutine_await(co, self->value));
    CHECK(thrown != NULL);
    kit_log("%s", rondo_status_name(rondo_error_get_status(thrown)));
    RONDO_END(self);
}

KIT_TEST(await_what_cannot_be_awaited)
{
    rondo_loop *loop = kit_loop();
    rondo_error *error = kit_error(1, "one");
    rondo_future *stale = future_of(loop);
    end_future(stale);
    struct frame frames[] = { { .value = error }, { .value = stale }, { .value = loop } };
    for (int i = 0; i < 3; i++) {
        rondo_coroutine *coroutine = coroutine_of(awaits_odd_step, &frames[i]);
        expect_step(sent_in(coroutine, NULL), RONDO_STEP_RETURN, NULL);
        CHECK_OK(rondo_coroutine_release(coroutine));
    }
    kit_expect_log("RONDO_E_TYPE RONDO_E_STALE_HANDLE RONDO_E_TYPE");
    struct frame nothing = { .value = NULL }; /* thrown in, too; whether -EINVAL or TypeError is open */
    rondo_coroutine *coroutine = coroutine_of(awaits_odd_step, &nothing);
    expect_step(sent_in(coroutine, NULL), RONDO_STEP_RETURN, NULL);
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_OK(rondo_error_release(error));
    kit_loop_end(loop);
}
