/* coro.h - frames, bodies and checks that the tests of futures, coroutines and tasks share. */
#ifndef CORO_H
#define CORO_H

#include "kit.h"

/* One frame for all: each body uses the fields it needs. Lives in the test, dropped once. */
struct frame {
    RONDO_FRAME;
    const char *name;
    rondo_loop *loop;
    rondo_future *future;
    rondo_future *other;
    rondo_task *task;
    rondo_coroutine *child;
    rondo_error *error;
    void *value;
    rondo_drop_fn drop; /* of value */
    struct frame *parent;
    int i, n;
    int started, drops;
};

static inline void frame_drop(void *frame)
{
    struct frame *self = frame;
    CHECK_EQ_INT(self->drops, 0);
    self->drops++;
}

static inline rondo_coroutine *coroutine_of(rondo_step_fn step, struct frame *frame)
{
    rondo_coroutine *coroutine = NULL;
    const char *name = frame->name != NULL ? frame->name : "test";
    CHECK_OK(rondo_coroutine_new(name, step, frame, frame_drop, &coroutine));
    return coroutine;
}

static inline rondo_task *task_of(rondo_loop *loop, rondo_step_fn step, struct frame *frame)
{
    rondo_task *task = NULL;
    frame->loop = loop;
    CHECK_OK(rondo_loop_create_task(loop, coroutine_of(step, frame), NULL, &task));
    return task;
}

static inline rondo_future *future_of(rondo_loop *loop)
{
    rondo_future *future = NULL;
    CHECK_OK(rondo_future_new(loop, &future));
    return future;
}

static inline rondo_future *as_future(rondo_task *task)
{
    rondo_future *future = rondo_task_as_future(task);
    CHECK(future != NULL);
    return future;
}

/* Make a task of it, run until it is done and give its future, owned. */
static inline rondo_future *run_frame(rondo_loop *loop, rondo_step_fn step, struct frame *frame)
{
    rondo_future *future = NULL;
    frame->loop = loop;
    CHECK_OK(rondo_loop_run_until_complete(loop, coroutine_of(step, frame), &future));
    return future;
}

static inline void run_until_done(rondo_loop *loop, rondo_task *task)
{
    CHECK_OK(rondo_loop_run_until_complete(loop, task, NULL));
}

/* ---- checks --------------------------------------------------------------------------------- */

static inline int32_t state_of(rondo_future *future)
{
    int32_t state = -1;
    CHECK_OK(rondo_future_get_state(future, &state));
    return state;
}

static inline void expect_pending(rondo_future *future)
{
    CHECK_EQ_INT(state_of(future), RONDO_FUTURE_PENDING);
    CHECK_EQ_INT(rondo_future_is_done(future), 0);
}

static inline void expect_result(rondo_future *future, const void *expected)
{
    void *value = &value;
    CHECK_EQ_INT(state_of(future), RONDO_FUTURE_RESULT);
    CHECK_OK(rondo_future_result(future, &value));
    CHECK_EQ_PTR(value, expected);
}

static inline void expect_failed(rondo_future *future, int32_t code, const char *message)
{
    rondo_error *error = NULL;
    CHECK_STATUS(rondo_future_result(future, NULL), RONDO_E_RAISED);
    CHECK_EQ_INT(state_of(future), RONDO_FUTURE_EXCEPTION);
    CHECK_OK(rondo_future_exception(future, &error));
    CHECK_EQ_INT(rondo_error_get_code(error), code);
    if (message != NULL)
        CHECK_EQ_STR(rondo_error_get_message(error), message);
    CHECK_OK(rondo_error_release(error));
}

/* message NULL: any. */
static inline void expect_cancelled(rondo_future *future, const char *message)
{
    rondo_error *error = NULL;
    CHECK_EQ_INT(state_of(future), RONDO_FUTURE_CANCELLED);
    CHECK_EQ_INT(rondo_future_is_cancelled(future), 1);
    CHECK_EQ_INT(rondo_future_is_done(future), 1);
    CHECK_STATUS(rondo_future_result(future, NULL), RONDO_E_CANCELLED);
    CHECK_STATUS(rondo_future_exception(future, &error), RONDO_E_CANCELLED);
    CHECK_OK(rondo_future_get_cancelled_error(future, &error));
    CHECK_EQ_INT(rondo_error_get_code(error), RONDO_E_CANCELLED);
    if (message != NULL)
        CHECK_EQ_STR(rondo_error_get_message(error), message);
    CHECK_OK(rondo_error_release(error));
}

static inline void expect_thrown(rondo_error *thrown, int32_t code, const char *message)
{
    CHECK(thrown != NULL);
    CHECK_EQ_INT(rondo_error_get_code(thrown), code);
    if (message != NULL)
        CHECK_EQ_STR(rondo_error_get_message(thrown), message);
}

static inline uint32_t cancelling(rondo_task *task)
{
    uint32_t count = 77;
    CHECK_OK(rondo_task_cancelling(task, &count));
    return count;
}

static inline uint32_t uncancel(rondo_task *task)
{
    uint32_t remaining = 77;
    CHECK_OK(rondo_task_uncancel(task, &remaining));
    return remaining;
}

/* The last reference goes: it must have been dropped by now or go with it. */
static inline void end_task(rondo_task *task)
{
    CHECK_OK(rondo_task_release(task));
}

static inline void end_future(rondo_future *future)
{
    CHECK_OK(rondo_future_release(future));
}

/* ---- bodies --------------------------------------------------------------------------------- */

#define NOT_USED __attribute__((unused))

/* Never to be run. */
NOT_USED static rondo_step no_step(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)co;
    (void)frame;
    (void)sent;
    (void)thrown;
    kit_fail(__FILE__, __LINE__, "a coroutine ran that must not run");
}

/* Logs its name, if any, and returns value. */
NOT_USED static rondo_step returns_step(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct frame *self = frame;
    (void)sent;
    (void)thrown;
    self->started++;
    if (self->name != NULL)
        kit_log("%s", self->name);
    return rondo_coroutine_return(co, self->value, self->drop);
}

/* Awaits future and returns what came. */
NOT_USED RONDO_STEP(awaits_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    self->started++;
    RONDO_AWAIT(self, self->future);
    if (self->name != NULL)
        kit_log("%s", self->name);
    return rondo_coroutine_return(co, sent, NULL);
    RONDO_END(self);
}

/* Awaits future; logs name:ok, name:cancelled or name:CODE; lets what was thrown pass. */
NOT_USED RONDO_STEP(tells_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    self->started++;
    RONDO_TRY_AWAIT(self, self->future);
    if (thrown == NULL) {
        kit_log("%s:ok", self->name);
        return rondo_coroutine_return(co, sent, NULL);
    }
    if (rondo_error_get_status(thrown) == RONDO_E_CANCELLED)
        kit_log("%s:cancelled", self->name);
    else
        kit_log("%s:%d", self->name, (int)rondo_error_get_code(thrown));
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

/* Gives the loop n passes, logs its name, if any, and returns value. */
NOT_USED RONDO_STEP(passes_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    self->started++;
    for (self->i = 0; self->i < self->n; self->i++)
        RONDO_YIELD(self);
    if (self->name != NULL)
        kit_log("%s", self->name);
    return rondo_coroutine_return(co, self->value, self->drop);
    RONDO_END(self);
}

/* Gives the loop n passes and raises error. */
NOT_USED RONDO_STEP(raises_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    self->started++;
    for (self->i = 0; self->i < self->n; self->i++)
        RONDO_YIELD(self);
    return rondo_coroutine_raise(co, self->error);
    RONDO_END(self);
}

#endif
