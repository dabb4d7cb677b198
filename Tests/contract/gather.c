/* gather.c - waiting for all: order, failures, duplicates, cancelling, what moves. */
#include "coro.h"

#include <errno.h>

#define NUMBER(n) ((void *)(intptr_t)(n))

static rondo_future *gather_of(rondo_loop *loop, rondo_awaitable *const *awaitables, size_t count, uint32_t flags)
{
    rondo_future *future = NULL;
    CHECK_OK(rondo_gather(loop, awaitables, count, flags, &future));
    return future;
}

static void run_gather(rondo_loop *loop, rondo_future *gather)
{
    CHECK_OK(rondo_loop_run_until_complete(loop, gather, NULL));
}

/* What child index came to: its value, or the negated status of its error. */
static intptr_t outcome(rondo_future *gather, size_t index)
{
    void *value = NULL;
    rondo_error *error = NULL;
    rondo_status status = rondo_gather_get_result(gather, index, &value);
    if (status == RONDO_OK)
        return (intptr_t)value;
    CHECK(status == RONDO_E_RAISED || status == RONDO_E_CANCELLED);
    CHECK_OK(rondo_gather_get_exception(gather, index, &error));
    if (status == RONDO_E_CANCELLED)
        CHECK_EQ_INT(rondo_error_get_status(error), RONDO_E_CANCELLED);
    status = rondo_error_get_status(error);
    CHECK_OK(rondo_error_release(error));
    return status;
}

/* G-01: results come b, a, c; the list is in the order of the arguments; done at the last. */
KIT_TEST(G01_order_of_the_arguments)
{
    rondo_loop *loop = kit_loop();
    rondo_future *f[] = { future_of(loop), future_of(loop), future_of(loop) };
    rondo_awaitable *awaitables[] = { f[0], f[1], f[2] };
    rondo_future *gather = gather_of(loop, awaitables, 3, 0);
    size_t count = 0;
    void *value = NULL;
    CHECK_OK(rondo_gather_get_count(gather, &count));
    CHECK_EQ_INT(count, 3);
    CHECK_OK(rondo_future_set_result(f[1], NUMBER(1), NULL));
    kit_pass(loop);
    CHECK_OK(rondo_future_set_result(f[0], NUMBER(2), NULL));
    kit_pass(loop);
    expect_pending(gather);
    CHECK_OK(rondo_future_set_result(f[2], NUMBER(3), NULL));
    expect_pending(gather);
    run_gather(loop, gather);
    CHECK_OK(rondo_future_result(gather, &value));
    for (int i = 0; i < 3; i++) {
        CHECK_EQ_INT(outcome(gather, i), i == 0 ? 2 : i == 1 ? 1 : 3);
        CHECK_EQ_PTR(((void *const *)value)[i], NUMBER(outcome(gather, i)));
        end_future(f[i]);
    }
    CHECK_STATUS(rondo_gather_get_result(gather, 3, &value), -ERANGE);
    CHECK_STATUS(rondo_gather_get_exception(gather, 3, NULL), -ERANGE);
    end_future(gather);
    kit_loop_end(loop);
}

KIT_TEST(G02_coroutines_run_at_the_same_time)
{
    rondo_loop *loop = kit_loop();
    struct kit_arg values[3] = { { 0 } };
    struct frame frames[] = { { .name = "a", .n = 3 }, { .name = "b", .n = 1 }, { .name = "c", .n = 2 } };
    rondo_awaitable *awaitables[3];
    for (int i = 0; i < 3; i++) {
        frames[i].value = &values[i];
        frames[i].drop = kit_arg_drop;
        awaitables[i] = coroutine_of(passes_step, &frames[i]);
    }
    rondo_future *gather = gather_of(loop, awaitables, 3, 0);
    run_gather(loop, gather);
    kit_expect_log("b c a");
    for (int i = 0; i < 3; i++) {
        CHECK_EQ_PTR(NUMBER(outcome(gather, i)), &values[i]);
        CHECK_EQ_INT(values[i].drops, 0); /* borrowed from the gather */
    }
    end_future(gather);
    for (int i = 0; i < 3; i++)
        CHECK_EQ_INT(values[i].drops, 1);
    kit_loop_end(loop);
}

KIT_TEST(G03_empty)
{
    rondo_loop *loop = kit_loop();
    rondo_future *gather = gather_of(loop, NULL, 0, 0);
    size_t count = 77;
    CHECK_EQ_INT(rondo_future_is_done(gather), 1);
    CHECK_OK(rondo_future_result(gather, NULL));
    CHECK_OK(rondo_gather_get_count(gather, &count));
    CHECK_EQ_INT(count, 0);
    end_future(gather);
    kit_loop_end(loop);
}

/* The first failure is raised by the gather at once; the others run on. */
KIT_TEST(G04_first_failure)
{
    rondo_loop *loop = kit_loop();
    struct frame bad = { .n = 1, .error = kit_error(5, "five") }, worse = { .n = 2, .error = kit_error(6, "six") };
    struct frame good = { .name = "good", .n = 4, .value = loop };
    rondo_task *task = task_of(loop, passes_step, &good);
    rondo_awaitable *awaitables[] = { coroutine_of(raises_step, &bad), task, coroutine_of(raises_step, &worse) };
    rondo_future *gather = gather_of(loop, awaitables, 3, 0);
    kit_record_reports(loop);
    run_gather(loop, gather);
    expect_failed(gather, 5, "five");
    expect_pending(as_future(task));
    run_until_done(loop, task);
    kit_expect_log("good");
    expect_result(as_future(task), loop);
    end_task(task);
    end_future(gather);
    kit_pass(loop);
    CHECK_EQ_INT(kit_reports(), 0); /* CPython's gather reads the later failures, too */
    CHECK_OK(rondo_error_release(bad.error));
    CHECK_OK(rondo_error_release(worse.error));
    kit_loop_end(loop);
}

KIT_TEST(G04_return_exceptions)
{
    rondo_loop *loop = kit_loop();
    struct frame bad = { .n = 1, .error = kit_error(5, "five") }, good = { .n = 2, .value = NUMBER(3) };
    struct frame cancelled = { 0 };
    rondo_task *task = task_of(loop, passes_step, &cancelled);
    CHECK_OK(rondo_task_cancel(task, "c", NULL));
    rondo_awaitable *awaitables[] = { coroutine_of(raises_step, &bad), coroutine_of(passes_step, &good), task };
    rondo_future *gather = gather_of(loop, awaitables, 3, RONDO_GATHER_RETURN_EXCEPTIONS);
    rondo_error *error = NULL;
    kit_record_reports(loop);
    run_gather(loop, gather);
    CHECK_OK(rondo_future_result(gather, NULL));
    CHECK_EQ_INT(outcome(gather, 0), RONDO_E_USER);
    CHECK_EQ_INT(outcome(gather, 1), 3);
    CHECK_EQ_INT(outcome(gather, 2), RONDO_E_CANCELLED);
    CHECK_OK(rondo_gather_get_exception(gather, 1, &error));
    CHECK_EQ_PTR(error, NULL);
    end_task(task);
    end_future(gather);
    CHECK_EQ_INT(kit_reports(), 0);
    CHECK_OK(rondo_error_release(bad.error));
    kit_loop_end(loop);
}

KIT_TEST(G04_outcomes_while_pending)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    rondo_awaitable *awaitables[] = { future };
    rondo_future *gather = gather_of(loop, awaitables, 1, 0);
    void *value = NULL;
    rondo_error *error = NULL;
    size_t count = 0;
    CHECK_STATUS(rondo_gather_get_result(gather, 0, &value), RONDO_E_INVALID_STATE);
    CHECK_STATUS(rondo_gather_get_exception(gather, 0, &error), RONDO_E_INVALID_STATE);
    CHECK_STATUS(rondo_gather_get_count(future, &count), RONDO_E_TYPE);
    CHECK_STATUS(rondo_gather_get_result(future, 0, &value), RONDO_E_TYPE);
    CHECK_STATUS(rondo_gather_get_exception(future, 0, &error), RONDO_E_TYPE);
    CHECK_STATUS(rondo_future_set_result(gather, NULL, NULL), RONDO_E_RUNTIME); /* the library's */
    CHECK_OK(rondo_future_set_result(future, loop, NULL));
    run_gather(loop, gather);
    CHECK_EQ_PTR(NUMBER(outcome(gather, 0)), loop);
    end_future(gather);
    end_future(future);
    kit_loop_end(loop);
}

/* G-05: children are cancelled, the gather is done later, with CancelledError as its exception,
 * even with return_exceptions. */
KIT_TEST(G05_cancel_the_gather)
{
    rondo_loop *loop = kit_loop();
    for (uint32_t flags = 0; flags <= RONDO_GATHER_RETURN_EXCEPTIONS; flags++) {
        struct frame a = { .name = "a", .future = future_of(loop) }, b = { .name = "b", .future = future_of(loop) };
        rondo_awaitable *awaitables[] = { coroutine_of(tells_step, &a), coroutine_of(tells_step, &b) };
        rondo_future *gather = gather_of(loop, awaitables, 2, flags);
        kit_pass(loop);
        CHECK_OK(rondo_future_cancel(gather, "gmsg", NULL));
        expect_pending(gather);
        expect_cancelled(a.future, "gmsg");
        run_gather(loop, gather);
        kit_expect_log("a:cancelled b:cancelled");
        CHECK_EQ_INT(rondo_future_is_cancelled(gather), 0);
        expect_failed(gather, RONDO_E_CANCELLED, NULL);
        end_future(a.future);
        end_future(b.future);
        end_future(gather);
    }
    kit_loop_end(loop);
}

RONDO_STEP(stubborn_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_AWAIT(self, self->future);
    return rondo_coroutine_return(co, self->value, NULL);
    RONDO_END(self);
}

/* CPython: also when every child swallows its cancellation. */
KIT_TEST(G05_children_swallow_it)
{
    rondo_loop *loop = kit_loop();
    struct frame a = { .future = future_of(loop), .value = loop };
    rondo_awaitable *awaitables[] = { coroutine_of(stubborn_step, &a) };
    rondo_future *gather = gather_of(loop, awaitables, 1, 0);
    kit_pass(loop);
    CHECK_OK(rondo_future_cancel(gather, NULL, NULL));
    run_gather(loop, gather);
    expect_failed(gather, RONDO_E_CANCELLED, NULL);
    end_future(a.future);
    end_future(gather);
    kit_loop_end(loop);
}

/* A child that somebody else cancels: its CancelledError is the gather's exception. */
KIT_TEST(G05_child_is_cancelled)
{
    rondo_loop *loop = kit_loop();
    rondo_future *a = future_of(loop), *b = future_of(loop);
    rondo_awaitable *awaitables[] = { a, b };
    rondo_future *gather = gather_of(loop, awaitables, 2, 0);
    CHECK_OK(rondo_future_cancel(a, "c", NULL));
    run_gather(loop, gather);
    CHECK_EQ_INT(rondo_future_is_cancelled(gather), 0);
    expect_failed(gather, RONDO_E_CANCELLED, "c");
    expect_pending(b);
    end_future(a);
    end_future(b); /* a child that never ends and the gather hold each other up for nobody */
    end_future(gather);
    kit_pass(loop);
    kit_loop_end(loop);
}

RONDO_STEP(awaits_gather_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_AWAIT(self, self->future);
    kit_log("%s", thrown == NULL ? "ok" : rondo_status_name(rondo_error_get_status(thrown)));
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

/* G-05: cancelling the task that awaits a gather cancels the children and ends it cancelled. */
KIT_TEST(G05_cancel_the_awaiter)
{
    rondo_loop *loop = kit_loop();
    rondo_future *a = future_of(loop), *b = future_of(loop);
    rondo_awaitable *awaitables[] = { a, b };
    struct frame frame = { .future = gather_of(loop, awaitables, 2, RONDO_GATHER_RETURN_EXCEPTIONS) };
    rondo_task *task = task_of(loop, awaits_gather_step, &frame);
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    run_until_done(loop, task);
    kit_expect_log("RONDO_E_CANCELLED");
    expect_cancelled(as_future(task), NULL);
    expect_cancelled(a, NULL);
    expect_cancelled(b, NULL);
    end_task(task);
    end_future(frame.future);
    end_future(a);
    end_future(b);
    kit_loop_end(loop);
}

/* G-06: cancel() of a gather that is done is False; children are left alone. */
KIT_TEST(G06_cancel_when_done)
{
    rondo_loop *loop = kit_loop();
    rondo_future *a = future_of(loop), *b = future_of(loop);
    rondo_awaitable *awaitables[] = { a, b };
    rondo_error *error = kit_error(5, "five");
    rondo_future *gather = gather_of(loop, awaitables, 2, 0);
    CHECK_OK(rondo_future_set_exception(a, error));
    run_gather(loop, gather);
    CHECK_STATUS(rondo_future_cancel(gather, NULL, NULL), RONDO_E_INVALID_STATE);
    expect_pending(b);
    expect_failed(gather, 5, "five");
    CHECK_OK(rondo_error_release(error));
    end_future(gather);
    end_future(a);
    end_future(b);
    kit_pass(loop);
    kit_loop_end(loop);
}

/* G-07: the same coroutine three times is one task, its result repeated. */
KIT_TEST(G07_duplicates)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .n = 1, .value = NUMBER(7) };
    rondo_coroutine *same = coroutine_of(passes_step, &frame);
    rondo_future *future = future_of(loop);
    rondo_awaitable *awaitables[] = { same, future, same, same, future };
    rondo_future *gather = gather_of(loop, awaitables, 5, 0);
    CHECK_OK(rondo_future_set_result(future, NUMBER(8), NULL));
    run_gather(loop, gather);
    for (int i = 0; i < 5; i++)
        CHECK_EQ_INT(outcome(gather, i), i == 1 || i == 4 ? 8 : 7);
    CHECK_EQ_INT(frame.started, 1);
    CHECK_EQ_INT(frame.drops, 1);
    end_future(future);
    end_future(gather);
    kit_loop_end(loop);
}

/* G-09: futures of different loops. */
KIT_TEST(G09_different_loops)
{
    rondo_loop *loop = kit_loop(), *other = kit_loop();
    rondo_future *a = future_of(loop), *b = future_of(other), *gather = NULL;
    rondo_awaitable *awaitables[] = { a, b };
    CHECK_STATUS(rondo_gather(loop, awaitables, 2, 0, &gather), RONDO_E_WRONG_LOOP);
    CHECK_EQ_PTR(gather, NULL);
    expect_pending(a);
    end_future(a);
    end_future(b);
    kit_loop_end(other);
    kit_loop_end(loop);
}

/* G-10: an invalid argument after a valid coroutine: TypeError, the coroutine moved, no crash. */
KIT_TEST(G10_invalid_argument)
{
    rondo_loop *loop = kit_loop();
    struct frame first = { 0 }, last = { 0 };
    rondo_error *error = kit_error(1, "one");
    rondo_future *gather = NULL;
    rondo_awaitable *awaitables[] = { coroutine_of(returns_step, &first), error, coroutine_of(returns_step, &last) };
    kit_catch_log();
    CHECK_STATUS(rondo_gather(loop, awaitables, 3, 0, &gather), RONDO_E_TYPE);
    CHECK_EQ_PTR(gather, NULL);
    kit_pass(loop);
    kit_pass(loop);
    CHECK_EQ_INT(first.drops, 1);
    CHECK_EQ_INT(last.drops, 1);
    CHECK_OK(rondo_error_release(error));
    kit_loop_end(loop);
}

KIT_TEST(gather_refuses)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop), *gather = NULL;
    rondo_awaitable *awaitables[] = { future };
    CHECK_STATUS(rondo_gather(loop, NULL, 1, 0, &gather), -EINVAL);
    CHECK_STATUS(rondo_gather(loop, awaitables, 1, 0x80, &gather), -EINVAL);
    CHECK_STATUS(rondo_gather(loop, awaitables, SIZE_MAX, 0, &gather), -EINVAL);
    CHECK_EQ_PTR(gather, NULL);
    end_future(future);
    kit_loop_end(loop);
}

/* Children that are done before: the gather still takes its two passes. */
KIT_TEST(gather_of_what_is_done)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    rondo_awaitable *awaitables[] = { future };
    CHECK_OK(rondo_future_set_result(future, NUMBER(4), NULL));
    rondo_future *gather = gather_of(loop, awaitables, 1, 0);
    /* Since CPython 3.12 what is done already costs no pass. */
    CHECK_EQ_INT(rondo_future_is_done(gather), 1);
    CHECK_EQ_INT(outcome(gather, 0), 4);
    end_future(gather);
    end_future(future);
    kit_loop_end(loop);
}

/* The gather goes before its children are done: they run on. */
KIT_TEST(gather_is_released_early)
{
    rondo_loop *loop = kit_loop();
    struct frame a = { .name = "a", .n = 2 }, b = { .name = "b", .n = 3 };
    rondo_awaitable *awaitables[] = { coroutine_of(passes_step, &a), coroutine_of(passes_step, &b) };
    end_future(gather_of(loop, awaitables, 2, 0));
    for (int i = 0; i < 8; i++)
        kit_pass(loop);
    kit_expect_log("a b");
    CHECK_EQ_INT(a.drops + b.drops, 2);
    kit_loop_end(loop);
}

/* A child that everybody let go of: its promise is broken to the gather. */
KIT_TEST(broken_promise_of_a_child)
{
    rondo_loop *loop = kit_loop();
    rondo_future *a = future_of(loop);
    rondo_awaitable *awaitables[] = { a };
    rondo_future *gather = gather_of(loop, awaitables, 1, 0);
    end_future(a);
    run_gather(loop, gather);
    expect_failed(gather, RONDO_E_BROKEN_PROMISE, NULL);
    end_future(gather);
    kit_loop_end(loop);
}

/* F84: many children. */
KIT_TEST_WITHIN(F84_gather_of_many, 30)
{
    enum { COUNT = 50000 };
    static rondo_awaitable *awaitables[COUNT];
    static struct frame frames[COUNT];
    rondo_loop *loop = kit_loop();
    for (intptr_t i = 0; i < COUNT; i++) {
        frames[i] = (struct frame){ .n = (int)(i % 3), .value = NUMBER(i) };
        awaitables[i] = coroutine_of(passes_step, &frames[i]);
    }
    rondo_future *gather = gather_of(loop, awaitables, COUNT, 0);
    run_gather(loop, gather);
    for (intptr_t i = 0; i < COUNT; i++)
        CHECK_EQ_INT(outcome(gather, (size_t)i), i);
    end_future(gather);
    kit_loop_end(loop);
}

/* Gathers inside gathers. */
KIT_TEST(gather_of_gathers)
{
    rondo_loop *loop = kit_loop();
    struct frame a = { .value = NUMBER(1) }, b = { .value = NUMBER(2) };
    rondo_awaitable *inner_children[] = { coroutine_of(returns_step, &a), coroutine_of(returns_step, &b) };
    rondo_future *inner = gather_of(loop, inner_children, 2, 0);
    rondo_awaitable *outer_children[] = { inner };
    rondo_future *outer = gather_of(loop, outer_children, 1, 0);
    end_future(inner);
    run_gather(loop, outer);
    void *const *values = NUMBER(outcome(outer, 0));
    CHECK_EQ_PTR(values[0], NUMBER(1));
    CHECK_EQ_PTR(values[1], NUMBER(2));
    end_future(outer);
    kit_loop_end(loop);
}
