/* generator.c - asynchronous generators, as CPython 3.13. */
#define _GNU_SOURCE
#include "coro.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LONG INT64_C(3600000000000)

/* ---- a body ----------------------------------------------------------------------------------- */

/* Yields 1 to n. Told to end, it says "NAME:fin", cleans up for so many passes and says "NAME:done". */
struct rows {
    RONDO_FRAME;
    const char *name;
    rondo_error *left;    /* what leaves the part */
    rondo_future *future; /* awaited before each yield, if it is not NULL */
    int i, n;
    int passes;  /* of cleaning up */
    int ignores; /* so many times it yields 100 instead of ending */
    int fails;   /* what the cleaning up raises, 0 for nothing */
    int starts, drops;
};

static void rows_drop(void *frame)
{
    struct rows *self = frame;
    CHECK_EQ_INT(self->drops, 0);
    self->drops++;
    if (self->left != NULL)
        CHECK_OK(rondo_error_release(self->left));
}

RONDO_STEP(rows_step)
{
    struct rows *self = frame;
    RONDO_BEGIN(self);
    self->starts++;
    for (self->i = 1; self->i <= self->n; self->i++) {
        if (self->future != NULL)
            RONDO_AWAIT_IN(self, rows, self->future);
        RONDO_YIELD_VALUE_IN(self, rows, (void *)(intptr_t)self->i, kit_drop);
        if (sent != NULL)
            kit_log("%s<%d", self->name, (int)(intptr_t)sent);
    }
    RONDO_FINALLY(self, rows, self->left);
    kit_log("%s:fin", self->name);
    while (self->ignores > 0) {
        self->ignores--;
        RONDO_TRY_YIELD_VALUE(self, (void *)100, kit_drop);
    }
    for (self->i = 0; self->i < self->passes; self->i++)
        RONDO_YIELD(self);
    if (self->fails != 0)
        return rondo_coroutine_raise_new(co, RONDO_DOMAIN_USER, self->fails, "cleaning up");
    kit_log("%s:done", self->name);
    RONDO_END_FINALLY(self, self->left);
    RONDO_END(self);
}

static rondo_async_generator *rows_of(struct rows *rows, const char *name, int n)
{
    rondo_async_generator *generator = NULL;
    rows->name = name;
    rows->n = n;
    CHECK_OK(rondo_async_generator_new(name, rows_step, rows, rows_drop, &generator));
    return generator;
}

static int state_of_generator(rondo_async_generator *generator)
{
    int32_t state = -1;
    CHECK_OK(rondo_async_generator_get_state(generator, &state));
    return state;
}

/* ---- asking it from a task -------------------------------------------------------------------- */

enum { ANEXT, ASEND, ATHROW, ACLOSE };

struct asks {
    RONDO_FRAME;
    rondo_async_generator *generator;
    int what;
    void *value;
    rondo_error *error;
};

static rondo_coroutine *asking(rondo_async_generator *generator, int what, void *value,
                               rondo_error *error)
{
    rondo_coroutine *made = NULL;
    switch (what) {
    case ANEXT: CHECK_OK(rondo_async_generator_anext(generator, &made)); break;
    case ASEND: CHECK_OK(rondo_async_generator_asend(generator, value, NULL, &made)); break;
    case ATHROW: CHECK_OK(rondo_async_generator_athrow(generator, error, &made)); break;
    default: CHECK_OK(rondo_async_generator_aclose(generator, &made));
    }
    return made;
}

RONDO_STEP(asks_step)
{
    struct asks *self = frame;
    RONDO_BEGIN(self);
    RONDO_AWAIT(self, asking(self->generator, self->what, self->value, self->error));
    RONDO_RETURN(sent);
    RONDO_END(self);
}

/* Ask inside of the running loop; the task's future, owned and done. */
static rondo_future *ask(rondo_loop *loop, rondo_async_generator *generator, int what, void *value,
                         rondo_error *error)
{
    struct asks frame = { .generator = generator, .what = what, .value = value, .error = error };
    rondo_coroutine *coroutine = NULL;
    rondo_future *future = NULL;
    CHECK_OK(rondo_coroutine_new("asks", asks_step, &frame, NULL, &coroutine));
    CHECK_OK(rondo_loop_run_until_complete(loop, coroutine, &future));
    return future;
}

static void expect_value(rondo_loop *loop, rondo_async_generator *generator, int what, int value)
{
    rondo_future *future = ask(loop, generator, what, NULL, NULL);
    expect_result(future, (void *)(intptr_t)value);
    end_future(future);
}

static void expect_error(rondo_loop *loop, rondo_async_generator *generator, int what, int32_t code,
                         const char *message)
{
    rondo_future *future = ask(loop, generator, what, NULL, NULL);
    expect_failed(future, code, message);
    end_future(future);
}

#define STOP RONDO_E_STOP_ASYNC_ITERATION

/* A task that awaits something of a generator by itself. */
static rondo_task *task_asking(rondo_loop *loop, rondo_async_generator *generator, int what,
                               void *value)
{
    rondo_task *task = NULL;
    CHECK_OK(rondo_loop_create_task(loop, asking(generator, what, value, NULL), NULL, &task));
    return task;
}

/* ---- values ----------------------------------------------------------------------------------- */

/* Each value, then StopAsyncIteration for ever; each value is dropped once. */
KIT_TEST(anext_gives_each_value)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { 0 };
    rondo_async_generator *generator = rows_of(&rows, "rows", 2);
    CHECK_EQ_STR(rondo_async_generator_get_name(generator), "rows");
    CHECK_EQ_INT(state_of_generator(generator), RONDO_GENERATOR_CREATED);
    CHECK_EQ_INT(rows.starts, 0);
    expect_value(loop, generator, ANEXT, 1);
    CHECK_EQ_INT(state_of_generator(generator), RONDO_GENERATOR_SUSPENDED);
    CHECK_EQ_INT(kit_drops, 1);
    expect_value(loop, generator, ANEXT, 2);
    expect_error(loop, generator, ANEXT, STOP, "stop asynchronous iteration");
    CHECK_EQ_INT(state_of_generator(generator), RONDO_GENERATOR_CLOSED);
    CHECK_EQ_INT(rows.drops, 1);
    kit_expect_log("rows:fin rows:done");
    expect_error(loop, generator, ANEXT, STOP, NULL);
    expect_value(loop, generator, ACLOSE, 0);
    CHECK_EQ_INT(kit_drops, 2);
    CHECK_OK(rondo_async_generator_release(generator));
    kit_loop_end(loop);
}

/* anext() with a default: what it has to give, and then the default, of which each is the awaiter's. */
static rondo_future *ask_or(rondo_loop *loop, rondo_async_generator *generator, const char *value)
{
    rondo_coroutine *coroutine = NULL;
    rondo_future *future = NULL;
    CHECK_OK(rondo_async_generator_anext_default(generator, (void *)value, kit_drop, &coroutine));
    CHECK_OK(rondo_loop_run_until_complete(loop, coroutine, &future));
    return future;
}

KIT_TEST(anext_with_a_default)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { 0 };
    rondo_async_generator *generator = rows_of(&rows, "rows", 1);
    rondo_future *future = ask_or(loop, generator, "none");
    expect_result(future, (void *)1);
    CHECK_EQ_INT(kit_drops, 1); /* the default, which nobody needed */
    end_future(future);
    CHECK_EQ_INT(kit_drops, 2);
    for (int i = 0; i < 2; i++) { /* at the end, and after it */
        void *value = NULL;
        future = ask_or(loop, generator, "none");
        CHECK_EQ_INT(kit_drops, 2 + i);
        CHECK_OK(rondo_future_result(future, &value));
        CHECK_EQ_STR(value, "none");
        end_future(future);
        CHECK_EQ_INT(kit_drops, 3 + i);
    }
    CHECK_OK(rondo_async_generator_release(generator));
    kit_expect_log("rows:fin rows:done");
    kit_loop_end(loop);
}

/* Only the end is answered with the default: what the body raises is raised, and one at a time may ask. */
KIT_TEST(anext_with_a_default_raises)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { .fails = 42 };
    rondo_async_generator *generator = rows_of(&rows, "rows", 0);
    rondo_future *future = ask_or(loop, generator, "none");
    expect_failed(future, 42, "cleaning up");
    end_future(future);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_async_generator_release(generator));

    struct rows waiting = { .future = NULL };
    rondo_coroutine *coroutine = NULL;
    CHECK_OK(rondo_future_new(loop, &waiting.future));
    generator = rows_of(&waiting, "rows", 1);
    rondo_task *first = task_asking(loop, generator, ANEXT, NULL);
    kit_pass(loop);
    future = ask_or(loop, generator, "none");
    expect_failed(future, RONDO_E_GENERATOR_RUNNING, "anext(): asynchronous generator is already running");
    end_future(future);
    CHECK_EQ_INT(kit_drops, 2);
    CHECK_OK(rondo_future_set_result(waiting.future, NULL, NULL));
    CHECK_OK(rondo_loop_run_until_complete(loop, first, NULL));
    CHECK_OK(rondo_task_release(first));
    CHECK_OK(rondo_async_generator_anext_default(generator, "none", kit_drop, &coroutine));
    CHECK_OK(rondo_coroutine_close(coroutine, NULL)); /* never awaited, and let go of */
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_OK(rondo_async_generator_release(generator));
    kit_pass(loop);
    kit_pass(loop);
    CHECK_OK(rondo_future_release(waiting.future));
    CHECK_EQ_INT(kit_drops, 4); /* its value and the last default */
    kit_log("end");
    kit_loop_drop(loop);
    CHECK_STATUS(rondo_async_generator_anext_default(NULL, "none", kit_drop, &coroutine), -EINVAL);
    CHECK_EQ_INT(kit_drops, 5);
}

/* what is sent is what the yield answers; the first must be nothing. */
KIT_TEST(asend_answers_the_yield)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { 0 };
    rondo_async_generator *generator = rows_of(&rows, "rows", 2);
    rondo_future *future = ask(loop, generator, ASEND, (void *)7, NULL);
    expect_failed(future, RONDO_E_TYPE, "can't send non-None value to a just-started async generator");
    end_future(future);
    CHECK_EQ_INT(rows.starts, 0);
    expect_value(loop, generator, ASEND, 1);
    future = ask(loop, generator, ASEND, (void *)7, NULL);
    expect_result(future, (void *)2);
    end_future(future);
    kit_expect_log("rows<7");
    future = ask(loop, generator, ASEND, (void *)8, NULL);
    expect_failed(future, STOP, NULL);
    end_future(future);
    kit_expect_log("rows<8 rows:fin rows:done");
    CHECK_OK(rondo_async_generator_release(generator));
    kit_loop_end(loop);
}

/* A value that is sent is dropped once, whether or not it arrives. */
KIT_TEST(sent_values_are_dropped_once)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { 0 };
    rondo_async_generator *generator = rows_of(&rows, "rows", 5);
    rondo_coroutine *coroutine = NULL;
    kit_catch_log();
    CHECK_OK(rondo_async_generator_asend(generator, (void *)1, kit_drop, &coroutine));
    CHECK_OK(rondo_coroutine_release(coroutine)); /* never awaited */
    CHECK_EQ_INT(kit_drops, 1);
    CHECK(kit_logged_containing("coroutine method 'asend' of 'rows' was never awaited"));
    CHECK_OK(rondo_async_generator_asend(generator, (void *)1, kit_drop, &coroutine));
    CHECK_OK(rondo_loop_run_until_complete(loop, coroutine, NULL)); /* TypeError */
    CHECK_EQ_INT(kit_drops, 2);
    expect_value(loop, generator, ANEXT, 1); /* drops the item, too */
    CHECK_EQ_INT(kit_drops, 3);
    CHECK_OK(rondo_async_generator_asend(generator, (void *)9, kit_drop, &coroutine));
    rondo_future *future = NULL;
    CHECK_OK(rondo_loop_run_until_complete(loop, coroutine, &future));
    kit_expect_log("rows<9");
    CHECK_EQ_INT(kit_drops, 4); /* what was sent; the item is the future's */
    expect_result(future, (void *)2);
    end_future(future);
    CHECK_EQ_INT(kit_drops, 5);
    CHECK_STATUS(rondo_async_generator_asend(generator, (void *)9, kit_drop, NULL), -EINVAL);
    CHECK_STATUS(rondo_async_generator_asend(NULL, (void *)9, kit_drop, &coroutine), -EINVAL);
    CHECK_EQ_INT(kit_drops, 7);
    CHECK_OK(rondo_async_generator_release(generator));
    kit_expect_log("rows:fin rows:done");
    kit_loop_end(loop);
}

/* ---- one at a time (A-01, A-02) --------------------------------------------------------------- */

static void expect_running(int what, const char *sentence)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { .future = future_of(loop) };
    rondo_async_generator *generator = rows_of(&rows, "rows", 1);
    rondo_task *first = task_asking(loop, generator, ANEXT, NULL);
    kit_pass(loop);
    CHECK_EQ_INT(state_of_generator(generator), RONDO_GENERATOR_RUNNING);
    rondo_error *error = kit_error(5, "five");
    rondo_future *second = ask(loop, generator, what, NULL, error);
    expect_failed(second, RONDO_E_GENERATOR_RUNNING, sentence);
    end_future(second);
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_future_set_result(rows.future, NULL, NULL));
    run_until_done(loop, first);
    expect_result(as_future(first), (void *)1); /* the first one is not disturbed */
    end_task(first);
    expect_value(loop, generator, ACLOSE, 0);
    kit_expect_log("rows:fin rows:done");
    CHECK_OK(rondo_async_generator_release(generator));
    end_future(rows.future);
    kit_loop_end(loop);
}

KIT_TEST(anext_while_running)
{
    expect_running(ANEXT, "anext(): asynchronous generator is already running");
}

KIT_TEST(asend_while_running)
{
    expect_running(ASEND, "anext(): asynchronous generator is already running");
}

KIT_TEST(athrow_while_running)
{
    expect_running(ATHROW, "athrow(): asynchronous generator is already running");
}

KIT_TEST(aclose_while_running)
{
    expect_running(ACLOSE, "aclose(): asynchronous generator is already running");
}

struct reenters {
    RONDO_FRAME;
    rondo_async_generator *generator;
    int code;
};

RONDO_STEP(reenters_step)
{
    struct reenters *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY(self, rondo_coroutine_anext(co, self->generator));
    self->code = thrown != NULL ? rondo_error_get_status(thrown) : 0;
    RONDO_YIELD_VALUE(self, (void *)1, NULL);
    RONDO_END(self);
}

/* A body that asks for its own next value. */
KIT_TEST(body_asks_itself)
{
    rondo_loop *loop = kit_loop();
    struct reenters frame = { 0 };
    CHECK_OK(rondo_async_generator_new("own", reenters_step, &frame, NULL, &frame.generator));
    expect_value(loop, frame.generator, ANEXT, 1);
    CHECK_EQ_INT(frame.code, RONDO_E_GENERATOR_RUNNING);
    expect_error(loop, frame.generator, ANEXT, STOP, NULL);
    CHECK_OK(rondo_async_generator_release(frame.generator));
    kit_loop_end(loop);
}

/* ---- closing (A-03, A-04) --------------------------------------------------------------------- */

KIT_TEST(aclose_awaits_the_cleaning_up)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { .passes = 3 };
    rondo_async_generator *generator = rows_of(&rows, "rows", 5);
    expect_value(loop, generator, ANEXT, 1);
    expect_value(loop, generator, ACLOSE, 0);
    kit_expect_log("rows:fin rows:done");
    CHECK_EQ_INT(rows.drops, 1);
    CHECK_EQ_INT(state_of_generator(generator), RONDO_GENERATOR_CLOSED);
    expect_value(loop, generator, ACLOSE, 0);
    expect_error(loop, generator, ANEXT, STOP, NULL);
    kit_expect_log("");
    CHECK_OK(rondo_async_generator_release(generator));
    kit_loop_end(loop);
}

KIT_TEST(aclose_before_the_start)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { 0 };
    rondo_async_generator *generator = rows_of(&rows, "rows", 5);
    expect_value(loop, generator, ACLOSE, 0);
    CHECK_EQ_INT(rows.starts, 0);
    CHECK_EQ_INT(rows.drops, 1);
    expect_error(loop, generator, ANEXT, STOP, NULL);
    CHECK_OK(rondo_async_generator_release(generator));
    kit_loop_end(loop);
}

KIT_TEST(aclose_ignored)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { .ignores = 1 };
    rondo_async_generator *generator = rows_of(&rows, "rows", 5);
    expect_value(loop, generator, ANEXT, 1);
    expect_error(loop, generator, ACLOSE, RONDO_E_RUNTIME, "async generator ignored GeneratorExit");
    CHECK_EQ_INT(kit_drops, 2); /* the value that it yielded, too */
    CHECK_EQ_INT(state_of_generator(generator), RONDO_GENERATOR_SUSPENDED);
    /* CPython: closed once, it is not told so again, but it can be asked for more. */
    expect_error(loop, generator, ACLOSE, STOP, NULL);
    rondo_error *error = kit_error(3, "three");
    rondo_future *future = ask(loop, generator, ATHROW, NULL, error);
    expect_failed(future, STOP, NULL);
    end_future(future);
    CHECK_OK(rondo_error_release(error));
    expect_error(loop, generator, ANEXT, RONDO_E_GENERATOR_EXIT, NULL);
    kit_expect_log("rows:fin rows:done");
    CHECK_EQ_INT(rows.drops, 1);
    CHECK_OK(rondo_async_generator_release(generator));
    kit_loop_end(loop);
}

KIT_TEST(aclose_that_fails)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { .fails = 9, .passes = 1 };
    rondo_async_generator *generator = rows_of(&rows, "rows", 5);
    expect_value(loop, generator, ANEXT, 1);
    expect_error(loop, generator, ACLOSE, 9, "cleaning up");
    kit_expect_log("rows:fin");
    CHECK_EQ_INT(rows.drops, 1);
    expect_value(loop, generator, ACLOSE, 0);
    CHECK_OK(rondo_async_generator_release(generator));
    kit_loop_end(loop);
}

/* ---- athrow ----------------------------------------------------------------------------------- */

struct catches {
    RONDO_FRAME;
    int count;
    int32_t code;
};

/* Yields what it catches as one more value. */
RONDO_STEP(catches_step)
{
    struct catches *self = frame;
    RONDO_BEGIN(self);
    for (;;) {
        RONDO_TRY_YIELD_VALUE(self, (void *)(intptr_t)++self->count, NULL);
        if (thrown == NULL)
            continue;
        self->code = rondo_error_get_code(thrown);
        if (self->code == 7)
            return rondo_coroutine_return(co, NULL, NULL);
        if (self->code == RONDO_E_GENERATOR_EXIT || self->code == 8)
            return rondo_coroutine_raise(co, thrown);
        if (self->code == RONDO_E_CANCELLED)
            self->count = 50;
    }
    RONDO_END(self);
}

static rondo_future *throw_in(rondo_loop *loop, rondo_async_generator *generator, int32_t code)
{
    rondo_error *error = code < 0 ? kit_rondo_error(code, "x") : kit_error(code, "x");
    rondo_future *future = ask(loop, generator, ATHROW, NULL, error);
    CHECK_OK(rondo_error_release(error));
    return future;
}

KIT_TEST(athrow_gives_the_next_value)
{
    rondo_loop *loop = kit_loop();
    struct catches frame = { 0 };
    rondo_async_generator *generator = NULL;
    CHECK_OK(rondo_async_generator_new("g", catches_step, &frame, NULL, &generator));
    expect_value(loop, generator, ANEXT, 1);
    rondo_future *future = throw_in(loop, generator, 3);
    expect_result(future, (void *)2);
    CHECK_EQ_INT(frame.code, 3);
    end_future(future);
    future = throw_in(loop, generator, 8); /* not caught */
    expect_failed(future, 8, "x");
    end_future(future);
    future = throw_in(loop, generator, 3); /* ended: CPython returns None */
    expect_result(future, NULL);
    end_future(future);
    CHECK_OK(rondo_async_generator_release(generator));

    frame = (struct catches){ 0 };
    CHECK_OK(rondo_async_generator_new("g", catches_step, &frame, NULL, &generator));
    expect_value(loop, generator, ANEXT, 1);
    future = throw_in(loop, generator, 7); /* caught, and it returns */
    expect_failed(future, STOP, NULL);
    end_future(future);
    CHECK_OK(rondo_async_generator_release(generator));
    kit_loop_end(loop);
}

KIT_TEST(athrow_before_the_start)
{
    rondo_loop *loop = kit_loop();
    struct catches frame = { 0 };
    rondo_async_generator *generator = NULL;
    CHECK_OK(rondo_async_generator_new("g", catches_step, &frame, NULL, &generator));
    rondo_future *future = throw_in(loop, generator, 3);
    expect_failed(future, 3, "x");
    end_future(future);
    CHECK_EQ_INT(frame.count, 0);
    expect_error(loop, generator, ANEXT, STOP, NULL);
    CHECK_OK(rondo_async_generator_release(generator));
    kit_loop_end(loop);
}

/* ---- what may not leave a body ---------------------------------------------------------------- */

static rondo_step raises_code(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)sent;
    (void)thrown;
    return rondo_coroutine_raise_status(co, (rondo_status)(intptr_t)frame, NULL);
}

static void expect_wrapped(rondo_status raised, const char *sentence)
{
    rondo_loop *loop = kit_loop();
    rondo_async_generator *generator = NULL;
    rondo_error *error = NULL;
    CHECK_OK(rondo_async_generator_new("g", raises_code, (void *)(intptr_t)raised, NULL, &generator));
    rondo_future *future = ask(loop, generator, ANEXT, NULL, NULL);
    expect_failed(future, RONDO_E_RUNTIME, sentence);
    CHECK_OK(rondo_future_exception(future, &error));
    CHECK_EQ_INT(rondo_error_get_status(rondo_error_get_cause(error)), raised);
    CHECK_OK(rondo_error_release(error));
    end_future(future);
    CHECK_OK(rondo_async_generator_release(generator));
    kit_loop_end(loop);
}

KIT_TEST(stop_async_iteration_inside)
{
    expect_wrapped(RONDO_E_STOP_ASYNC_ITERATION, "async generator raised StopAsyncIteration");
}

KIT_TEST(stop_iteration_inside)
{
    expect_wrapped(RONDO_E_STOP_ITERATION, "async generator raised StopIteration");
}

/* A coroutine may raise it, as in Python. */
KIT_TEST(stop_async_iteration_in_a_coroutine)
{
    rondo_loop *loop = kit_loop();
    rondo_coroutine *coroutine = NULL;
    rondo_future *future = NULL;
    CHECK_OK(rondo_coroutine_new("c", raises_code, (void *)(intptr_t)STOP, NULL, &coroutine));
    CHECK_OK(rondo_loop_run_until_complete(loop, coroutine, &future));
    expect_failed(future, STOP, NULL);
    end_future(future);
    kit_loop_end(loop);
}

static rondo_step yields_outside(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)frame;
    (void)sent;
    (void)thrown;
    return rondo_coroutine_yield_value(co, (void *)1, kit_drop);
}

KIT_TEST(yield_value_outside_of_a_generator)
{
    rondo_loop *loop = kit_loop();
    rondo_coroutine *coroutine = NULL;
    rondo_future *future = NULL;
    CHECK_OK(rondo_coroutine_new("c", yields_outside, NULL, NULL, &coroutine));
    CHECK_OK(rondo_loop_run_until_complete(loop, coroutine, &future));
    expect_failed(future, RONDO_E_RUNTIME, "a value was yielded outside of an asynchronous generator");
    CHECK_EQ_INT(kit_drops, 1);
    end_future(future);
    CHECK_EQ_INT(rondo_coroutine_yield_value(NULL, NULL, kit_drop), -1);
    CHECK_EQ_INT(kit_drops, 2);
    CHECK_EQ_INT(rondo_coroutine_anext(NULL, NULL), -1);
    kit_loop_end(loop);
}

static rondo_step returns_value(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)frame;
    (void)sent;
    (void)thrown;
    return rondo_coroutine_return(co, (void *)1, kit_drop);
}

/* A generator returns nothing; in Python that is a syntax error. */
KIT_TEST(returned_values_are_dropped)
{
    rondo_loop *loop = kit_loop();
    rondo_async_generator *generator = NULL;
    CHECK_OK(rondo_async_generator_new(NULL, returns_value, NULL, NULL, &generator));
    CHECK_EQ_STR(rondo_async_generator_get_name(generator), "generator");
    expect_error(loop, generator, ANEXT, STOP, NULL);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_async_generator_release(generator));
    kit_loop_end(loop);
}

/* ---- the coroutines that ask ------------------------------------------------------------------ */

struct reuses {
    RONDO_FRAME;
    rondo_coroutine *asking;
    int code;
    char message[80];
};

RONDO_STEP(reuses_step)
{
    struct reuses *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_coroutine_retain(self->asking));
    RONDO_AWAIT(self, self->asking);
    RONDO_TRY_AWAIT(self, self->asking);
    CHECK(thrown != NULL);
    self->code = rondo_error_get_code(thrown);
    strcpy(self->message, rondo_error_get_message(thrown));
    RONDO_END(self);
}

static void expect_reused(int what, const char *sentence)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { 0 };
    rondo_async_generator *generator = rows_of(&rows, "rows", 5);
    struct reuses frame = { .asking = asking(generator, what, NULL, NULL) };
    rondo_coroutine *main = NULL;
    CHECK_OK(rondo_coroutine_new("main", reuses_step, &frame, NULL, &main));
    CHECK_OK(rondo_loop_run_until_complete(loop, main, NULL));
    CHECK_EQ_INT(frame.code, RONDO_E_ALREADY_AWAITED);
    CHECK_EQ_STR(frame.message, sentence);
    CHECK_OK(rondo_async_generator_release(generator));
    kit_loop_end(loop);
}

KIT_TEST(asking_coroutines_are_used_once)
{
    expect_reused(ANEXT, "cannot reuse already awaited __anext__()/asend()");
    expect_reused(ASEND, "cannot reuse already awaited __anext__()/asend()");
    expect_reused(ACLOSE, "cannot reuse already awaited aclose()/athrow()");
    kit_expect_log("rows:fin rows:done rows:fin rows:done");
}

KIT_TEST(never_awaited)
{
    struct rows rows = { 0 };
    rondo_async_generator *generator = rows_of(&rows, "rows", 5);
    rondo_error *error = kit_error(1, "x");
    kit_catch_log();
    CHECK_OK(rondo_coroutine_release(asking(generator, ANEXT, NULL, NULL)));
    CHECK_OK(rondo_coroutine_release(asking(generator, ATHROW, NULL, error)));
    CHECK_OK(rondo_coroutine_release(asking(generator, ACLOSE, NULL, NULL)));
    CHECK_EQ_INT(kit_logged(), 3);
    CHECK_EQ_STR(kit_logged_message(0), "coroutine method 'asend' of 'rows' was never awaited");
    CHECK_EQ_STR(kit_logged_message(1), "coroutine method 'athrow' of 'rows' was never awaited");
    CHECK_EQ_STR(kit_logged_message(2), "coroutine method 'aclose' of 'rows' was never awaited");
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_async_generator_release(generator));
    CHECK_EQ_INT(rows.starts, 0);
    CHECK_EQ_INT(rows.drops, 1);
}

/* Driven by hand there is no loop at all. */
KIT_TEST(driven_by_hand)
{
    struct rows rows = { 0 };
    rondo_async_generator *generator = rows_of(&rows, "rows", 2);
    rondo_step step = -1;
    void *value = NULL;
    rondo_error *error = NULL;
    for (int i = 1; i <= 2; i++) {
        rondo_coroutine *next = asking(generator, ANEXT, NULL, NULL);
        CHECK_OK(rondo_coroutine_send(next, NULL, &step, &value, &error));
        CHECK_EQ_INT(step, RONDO_STEP_RETURN);
        CHECK_EQ_PTR(value, (void *)(intptr_t)i);
        CHECK_OK(rondo_coroutine_release(next));
    }
    CHECK_EQ_INT(kit_drops, 0); /* they are the caller's */
    rondo_coroutine *close = asking(generator, ACLOSE, NULL, NULL);
    CHECK_OK(rondo_coroutine_send(close, NULL, &step, &value, &error));
    CHECK_EQ_INT(step, RONDO_STEP_RETURN);
    CHECK_EQ_PTR(value, NULL);
    CHECK_OK(rondo_coroutine_release(close));
    kit_expect_log("rows:fin rows:done");
    rondo_coroutine *next = asking(generator, ANEXT, NULL, NULL);
    CHECK_OK(rondo_coroutine_send(next, NULL, &step, &value, &error));
    CHECK_EQ_INT(step, RONDO_STEP_RAISE);
    CHECK_EQ_INT(rondo_error_get_status(error), STOP);
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_coroutine_release(next));
    CHECK_OK(rondo_async_generator_release(generator));
}

/* CPython 3.13: closing what asks before it began throws into the generator. */
KIT_TEST(closing_an_asking_coroutine)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { 0 }, waits = { .future = future_of(loop) };
    rondo_async_generator *generator = rows_of(&rows, "rows", 5);
    expect_value(loop, generator, ANEXT, 1);
    rondo_coroutine *next = asking(generator, ANEXT, NULL, NULL);
    CHECK_OK(rondo_coroutine_close(next, NULL));
    kit_expect_log("rows:fin rows:done");
    CHECK_OK(rondo_coroutine_release(next));
    expect_error(loop, generator, ANEXT, STOP, NULL);
    CHECK_OK(rondo_async_generator_release(generator));
    /* And while the body awaits something. */
    generator = rows_of(&waits, "waits", 5);
    next = asking(generator, ANEXT, NULL, NULL);
    rondo_step step = -1;
    CHECK_OK(rondo_coroutine_send(next, NULL, &step, NULL, NULL));
    CHECK_EQ_INT(step, RONDO_STEP_AWAIT);
    CHECK_EQ_INT(state_of_generator(generator), RONDO_GENERATOR_RUNNING);
    CHECK_OK(rondo_coroutine_close(next, NULL));
    kit_expect_log("waits:fin waits:done");
    CHECK_EQ_INT(state_of_generator(generator), RONDO_GENERATOR_CLOSED);
    CHECK_OK(rondo_coroutine_release(next));
    CHECK_OK(rondo_async_generator_release(generator));
    end_future(waits.future);
    kit_loop_end(loop);
}

/* ---- cancellation ----------------------------------------------------------------------------- */

KIT_TEST(cancelled_while_the_body_awaits)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { .future = future_of(loop), .passes = 1 };
    rondo_async_generator *generator = rows_of(&rows, "rows", 5);
    rondo_task *task = task_asking(loop, generator, ANEXT, NULL);
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(task, "why", NULL));
    run_until_done(loop, task);
    expect_cancelled(as_future(task), "why");
    kit_expect_log("rows:fin rows:done");
    end_task(task);
    expect_error(loop, generator, ANEXT, STOP, NULL);
    CHECK_OK(rondo_async_generator_release(generator));
    end_future(rows.future);
    kit_loop_end(loop);
}

/* Before its first step: the cancellation goes into the body, which may make a value of it. */
KIT_TEST(cancelled_before_it_began)
{
    rondo_loop *loop = kit_loop();
    struct catches frame = { 0 };
    rondo_async_generator *generator = NULL;
    CHECK_OK(rondo_async_generator_new("g", catches_step, &frame, NULL, &generator));
    expect_value(loop, generator, ANEXT, 1);
    rondo_task *task = task_asking(loop, generator, ANEXT, NULL);
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    run_until_done(loop, task);
    CHECK_EQ_INT(frame.code, RONDO_E_CANCELLED);
    expect_result(as_future(task), (void *)51);
    end_task(task);
    /* aclose() as well: the body gets the cancellation, not GeneratorExit. */
    task = task_asking(loop, generator, ACLOSE, NULL);
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    run_until_done(loop, task);
    expect_failed(as_future(task), RONDO_E_RUNTIME, "async generator ignored GeneratorExit");
    end_task(task);
    expect_value(loop, generator, ACLOSE, 0);
    CHECK_EQ_INT(frame.code, RONDO_E_GENERATOR_EXIT);
    CHECK_OK(rondo_async_generator_release(generator));
    kit_loop_end(loop);
}

/* ---- dropped half-way (A-07, F87) ------------------------------------------------------------- */

struct drops {
    RONDO_FRAME;
    rondo_loop *loop;
    rondo_async_generator *generator;
    struct rows *rows;
    int in_thread;
};

static void release_generator(void *arg)
{
    CHECK_OK(rondo_async_generator_release(arg));
}

RONDO_STEP(drops_step)
{
    struct drops *self = frame;
    RONDO_BEGIN(self);
    self->generator = rows_of(self->rows, "rows", 5);
    RONDO_TRY(self, rondo_coroutine_anext(co, self->generator));
    CHECK(thrown == NULL);
    CHECK_EQ_PTR(sent, (void *)1);
    if (self->in_thread)
        kit_in_thread(release_generator, self->generator);
    else
        release_generator(self->generator);
    kit_log("dropped");
    CHECK_STATUS(rondo_async_generator_release(self->generator), RONDO_E_STALE_HANDLE);
    RONDO_YIELD(self); /* the call that makes the task */
    kit_log("pass");
    RONDO_YIELD(self); /* its first step */
    kit_log("pass");
    RONDO_END(self);
}

static void drop_half_way(int in_thread, bool debug)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { .passes = 1 };
    struct drops frame = { .loop = loop, .rows = &rows, .in_thread = in_thread };
    rondo_coroutine *main = NULL;
    CHECK_OK(rondo_loop_set_debug(loop, debug));
    CHECK_OK(rondo_coroutine_new("main", drops_step, &frame, NULL, &main));
    CHECK_OK(rondo_loop_run_until_complete(loop, main, NULL));
    kit_expect_log("dropped pass rows:fin pass rows:done");
    CHECK_EQ_INT(rows.drops, 1);
    kit_pass(loop);
    kit_loop_end(loop);
}

KIT_TEST(dropped_half_way) { drop_half_way(0, false); }
KIT_TEST(dropped_half_way_in_another_thread) { drop_half_way(1, false); }
KIT_TEST(dropped_half_way_in_debug_mode) { drop_half_way(1, true); }

/* The loop sleeps: dropping wakes it. */
static void *drop_and_stop(void *arg)
{
    void **both = arg;
    kit_wait_asleep((int32_t)(intptr_t)both[1]);
    CHECK_OK(rondo_async_generator_release(both[0]));
    return NULL;
}

RONDO_STEP(stops_at_the_end_step)
{
    struct rows *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_YIELD_VALUE(self, (void *)1, NULL);
    CHECK_OK(rondo_loop_stop(rondo_running_loop()));
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

KIT_TEST(dropping_wakes_the_loop)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { 0 };
    rondo_async_generator *generator = NULL;
    CHECK_OK(rondo_async_generator_new("g", stops_at_the_end_step, &rows, rows_drop, &generator));
    expect_value(loop, generator, ANEXT, 1);
    void *both[2] = { generator, (void *)(intptr_t)kit_tid() };
    pthread_t thread = kit_thread_start(drop_and_stop, both);
    CHECK_OK(rondo_loop_run_forever(loop));
    kit_thread_join(thread);
    CHECK_EQ_INT(rows.drops, 1);
    kit_loop_drop(loop);
}

/* A failing cleaning up is a task's exception that nobody retrieved. */
KIT_TEST(dropped_and_failing)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { .fails = 9 };
    rondo_async_generator *generator = rows_of(&rows, "rows", 5);
    kit_record_reports(loop);
    expect_value(loop, generator, ANEXT, 1);
    CHECK_OK(rondo_async_generator_release(generator));
    for (int i = 0; i < 4; i++)
        kit_pass(loop);
    kit_expect_log("rows:fin");
    CHECK_EQ_INT(kit_reports(), 1);
    CHECK_EQ_STR(kit_report_message(0), "Task exception was never retrieved");
    CHECK_EQ_INT(kit_report_code(0), 9);
    kit_loop_end(loop);
}

/* Ended, or not begun, there is nothing to close. */
KIT_TEST(dropped_when_there_is_nothing_to_do)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { 0 }, other = { 0 };
    rondo_async_generator *generator = rows_of(&rows, "rows", 0);
    expect_error(loop, generator, ANEXT, STOP, NULL);
    CHECK_OK(rondo_async_generator_release(generator));
    CHECK_OK(rondo_async_generator_release(rows_of(&other, "other", 5)));
    CHECK_EQ_INT(other.drops, 1);
    CHECK_EQ_INT(other.starts, 0);
    kit_expect_log("rows:fin rows:done");
    kit_loop_end(loop);
}

/* Iteration began without a loop: no one can await the cleaning up. */
KIT_TEST(dropped_without_a_loop)
{
    rondo_loop *loop = kit_loop();
    struct rows quick = { 0 }, slow = { .passes = 1 }, yields = { .ignores = 1 }, fails = { .fails = 4 };
    struct rows *all[] = { &quick, &slow, &yields, &fails };
    kit_catch_log();
    for (int i = 0; i < 4; i++) {
        rondo_async_generator *generator = rows_of(all[i], "rows", 5);
        rondo_future *future = NULL;
        CHECK_OK(rondo_loop_run_until_complete(loop, asking(generator, ANEXT, NULL, NULL), &future));
        expect_result(future, (void *)1);
        end_future(future);
        CHECK_OK(rondo_async_generator_release(generator));
        CHECK_EQ_INT(all[i]->drops, 1);
    }
    kit_expect_log("rows:fin rows:done rows:fin rows:fin rows:fin");
    CHECK_EQ_INT(kit_logged(), 3);
    CHECK(strncmp(kit_logged_message(0), "Exception ignored while closing generator <async_generator object rows at 0x", 70) == 0);
    CHECK(strstr(kit_logged_message(0), "RuntimeError('async generator ignored GeneratorExit')") != NULL);
    CHECK(strstr(kit_logged_message(1), "RuntimeError('async generator ignored GeneratorExit')") != NULL);
    CHECK(strstr(kit_logged_message(2), "Exception('cleaning up')") != NULL);
    CHECK_EQ_INT(kit_drops, 5); /* four values and the one that it yielded while closing */
    kit_loop_end(loop);
}

/* F87: the loop is closed with open generators. */
KIT_TEST(dropped_after_the_loop)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { 0 };
    rondo_async_generator *generator = rows_of(&rows, "rows", 5);
    kit_catch_log();
    expect_value(loop, generator, ANEXT, 1);
    kit_loop_end(loop);
    CHECK_OK(rondo_async_generator_release(generator));
    kit_expect_log("rows:fin rows:done");
    CHECK_EQ_INT(rows.drops, 1);
    CHECK_EQ_INT(kit_logged(), 1);
    CHECK(kit_logged_containing("was dropped half-way, and its event loop could not be asked"));
}

/* The loop is closed before it came to the call. */
KIT_TEST(dropped_just_before_the_close)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { 0 };
    rondo_async_generator *generator = rows_of(&rows, "rows", 5);
    kit_catch_log();
    expect_value(loop, generator, ANEXT, 1);
    CHECK_OK(rondo_async_generator_release(generator));
    CHECK_EQ_INT(rows.drops, 0);
    kit_loop_drop(loop);
    kit_expect_log("rows:fin rows:done");
    CHECK_EQ_INT(rows.drops, 1);
}

/* The loop is closed while the body awaits something. */
KIT_TEST(closed_in_the_middle)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { .future = future_of(loop) };
    rondo_async_generator *generator = rows_of(&rows, "rows", 5);
    kit_catch_log();
    rondo_task *task = task_asking(loop, generator, ANEXT, NULL);
    kit_pass(loop);
    CHECK_OK(rondo_loop_close(loop, NULL));
    kit_expect_log("rows:fin rows:done");
    CHECK_EQ_INT(rows.drops, 1);
    CHECK_EQ_INT(state_of_generator(generator), RONDO_GENERATOR_CLOSED);
    CHECK_OK(rondo_async_generator_release(generator));
    end_task(task);
    end_future(rows.future);
    CHECK_OK(rondo_loop_release(loop));
}

/* In the child of a fork the loop is nobody's: closed there and then, and the parent's is untouched. */
KIT_TEST(dropped_in_a_child)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { 0 };
    rondo_async_generator *generator = rows_of(&rows, "rows", 5);
    kit_catch_log();
    expect_value(loop, generator, ANEXT, 1);
    int pid = kit_fork();
    if (pid == 0) {
        CHECK_OK(rondo_async_generator_release(generator));
        CHECK_EQ_INT(rows.drops, 1);
        CHECK(kit_logged_containing("its event loop could not be asked to close it"));
        _exit(0);
    }
    CHECK_EQ_INT(kit_wait_child(pid), 0);
    expect_value(loop, generator, ANEXT, 2);
    expect_value(loop, generator, ACLOSE, 0);
    kit_expect_log("rows:fin rows:done");
    CHECK_OK(rondo_async_generator_release(generator));
    kit_loop_end(loop);
}

/* What asks may be the only one who holds it. */
KIT_TEST(asking_holds_the_generator)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { 0 };
    rondo_async_generator *generator = rows_of(&rows, "rows", 5);
    rondo_task *task = task_asking(loop, generator, ANEXT, NULL);
    CHECK_OK(rondo_async_generator_release(generator));
    run_until_done(loop, task);
    expect_result(as_future(task), (void *)1);
    end_task(task);
    /* anext() was called outside of the loop, so it was closed there and then. */
    kit_expect_log("rows:fin rows:done");
    CHECK_EQ_INT(rows.drops, 1);
    kit_loop_end(loop);
}

/* ---- shutdown (A-08) -------------------------------------------------------------------------- */

static rondo_coroutine *shutdown_of(rondo_loop *loop)
{
    rondo_coroutine *coroutine = NULL;
    CHECK_OK(rondo_loop_shutdown_asyncgens(loop, &coroutine));
    return coroutine;
}

static rondo_async_generator *reported;
static char reported_message[200];

static void record_generator(rondo_loop *loop, rondo_exception_context *context, void *arg)
{
    reported = rondo_exception_context_get_asyncgen(context);
    snprintf(reported_message, sizeof reported_message, "%s", rondo_exception_context_get_message(context));
    kit_record_report(loop, context, arg);
}

KIT_TEST(shutdown_closes_all_at_once)
{
    rondo_loop *loop = kit_loop();
    struct rows rows[3] = { { .passes = 2 }, { .passes = 2, .fails = 9 }, { .passes = 2 } };
    const char *names[] = { "a", "b", "c" };
    rondo_async_generator *generators[3];
    CHECK_OK(rondo_loop_set_exception_handler(loop, record_generator, NULL, NULL));
    for (int i = 0; i < 3; i++) {
        generators[i] = rows_of(&rows[i], names[i], 5);
        expect_value(loop, generators[i], ANEXT, 1);
    }
    rondo_future *future = NULL;
    CHECK_OK(rondo_loop_run_until_complete(loop, shutdown_of(loop), &future));
    expect_result(future, NULL);
    end_future(future);
    kit_expect_log("a:fin b:fin c:fin a:done c:done");
    CHECK_EQ_INT(kit_reports(), 1);
    CHECK_EQ_INT(kit_report_code(0), 9);
    CHECK_EQ_PTR(reported, generators[1]);
    CHECK(strncmp(reported_message,
                  "an error occurred during closing of asynchronous generator <async_generator object b at 0x",
                  90) == 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ_INT(state_of_generator(generators[i]), RONDO_GENERATOR_CLOSED);
        CHECK_OK(rondo_async_generator_release(generators[i]));
        CHECK_EQ_INT(rows[i].drops, 1);
    }
    CHECK_OK(rondo_loop_run_until_complete(loop, shutdown_of(loop), NULL)); /* nothing is left */
    kit_loop_end(loop);
}

KIT_TEST(shutdown_and_one_that_runs)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { .future = future_of(loop) };
    rondo_async_generator *generator = rows_of(&rows, "rows", 1);
    struct asks frame = { .generator = generator };
    rondo_task *task = NULL;
    kit_record_reports(loop);
    CHECK_OK(rondo_loop_spawn(loop, asks_step, &frame, NULL, NULL, &task));
    kit_pass(loop);
    CHECK_OK(rondo_loop_run_until_complete(loop, shutdown_of(loop), NULL));
    CHECK_EQ_INT(kit_reports(), 1);
    CHECK_EQ_INT(kit_report_code(0), RONDO_E_GENERATOR_RUNNING);
    CHECK_OK(rondo_future_set_result(rows.future, NULL, NULL));
    run_until_done(loop, task);
    end_task(task);
    expect_value(loop, generator, ACLOSE, 0);
    kit_expect_log("rows:fin rows:done");
    CHECK_OK(rondo_async_generator_release(generator));
    end_future(rows.future);
    kit_loop_end(loop);
}

KIT_TEST(first_asked_after_the_shutdown)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { 0 };
    kit_catch_log();
    CHECK_OK(rondo_loop_run_until_complete(loop, shutdown_of(loop), NULL));
    rondo_async_generator *generator = rows_of(&rows, "rows", 5);
    expect_value(loop, generator, ANEXT, 1);
    CHECK_EQ_INT(kit_logged(), 1);
    CHECK(strncmp(kit_logged_message(0), "asynchronous generator <async_generator object rows at 0x", 57) == 0);
    CHECK(strstr(kit_logged_message(0), "> was scheduled after loop.shutdown_asyncgens() call") != NULL);
    /* It is listed all the same. */
    CHECK_OK(rondo_loop_run_until_complete(loop, shutdown_of(loop), NULL));
    kit_expect_log("rows:fin rows:done");
    CHECK_OK(rondo_async_generator_release(generator));
    kit_loop_end(loop);
}

KIT_TEST(shutdown_cancelled)
{
    rondo_loop *loop = kit_loop();
    struct rows rows = { .passes = 1000 };
    rondo_async_generator *generator = rows_of(&rows, "rows", 5);
    rondo_task *task = NULL;
    expect_value(loop, generator, ANEXT, 1);
    CHECK_OK(rondo_loop_create_task(loop, shutdown_of(loop), NULL, &task));
    for (int i = 0; i < 4; i++)
        kit_pass(loop);
    kit_expect_log("rows:fin");
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    run_until_done(loop, task);
    CHECK_EQ_INT(state_of(as_future(task)), RONDO_FUTURE_CANCELLED);
    end_task(task);
    CHECK_EQ_INT(rows.drops, 1);
    CHECK_OK(rondo_async_generator_release(generator));
    kit_loop_end(loop);
}

/* rondo_run() closes what is left, after the tasks that are left. */
struct main_frame {
    RONDO_FRAME;
    rondo_async_generator *generator;
    struct rows rows;
};

static rondo_step says_when_cancelled(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)frame;
    (void)sent;
    if (thrown == NULL)
        return rondo_coroutine_sleep(co, LONG);
    kit_log("task");
    return rondo_coroutine_raise(co, thrown);
}

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_loop_spawn(rondo_running_loop(), says_when_cancelled, NULL, NULL, NULL, NULL));
    self->generator = rows_of(&self->rows, "rows", 5);
    RONDO_DO(self, rondo_coroutine_anext(co, self->generator));
    RONDO_YIELD(self);
    kit_log("main");
    RONDO_END(self);
}

KIT_TEST(run_closes_what_is_left)
{
    struct main_frame frame = { .rows = { .passes = 2 } };
    rondo_coroutine *main = NULL;
    CHECK_OK(rondo_coroutine_new("main", main_step, &frame, NULL, &main));
    CHECK_OK(rondo_run(main, NULL, NULL, NULL));
    kit_expect_log("main task rows:fin rows:done");
    CHECK_EQ_INT(frame.rows.drops, 1);
    CHECK_OK(rondo_async_generator_release(frame.generator));
}

/* ---- hooks ------------------------------------------------------------------------------------ */

static rondo_async_generator *kept;

static void first_hook(rondo_loop *loop, rondo_async_generator *generator, void *arg)
{
    (void)loop;
    (void)arg;
    kit_log("first:%s", rondo_async_generator_get_name(generator));
}

static void final_hook(rondo_loop *loop, rondo_async_generator *generator, void *arg)
{
    (void)loop;
    (void)arg;
    kit_log("final:%s", rondo_async_generator_get_name(generator));
}

static void keeping_hook(rondo_loop *loop, rondo_async_generator *generator, void *arg)
{
    final_hook(loop, generator, arg);
    CHECK_OK(rondo_async_generator_retain(generator));
    kept = generator;
}

KIT_TEST(hooks_replace_the_loops_own)
{
    rondo_loop *loop = kit_loop();
    struct rows rows[3] = { { 0 } };
    rondo_async_generator_fn first = NULL, last = NULL;
    void *arg = NULL;
    CHECK_OK(rondo_loop_set_asyncgen_hooks(loop, first_hook, final_hook, (void *)5, kit_drop));
    CHECK_OK(rondo_loop_get_asyncgen_hooks(loop, &first, &last, &arg));
    CHECK(first == first_hook && last == final_hook && arg == (void *)5);
    rondo_async_generator *generator = rows_of(&rows[0], "a", 5);
    expect_value(loop, generator, ANEXT, 1);
    expect_value(loop, generator, ANEXT, 2);
    kit_expect_log("first:a"); /* once */
    CHECK_OK(rondo_loop_run_until_complete(loop, shutdown_of(loop), NULL));
    kit_expect_log(""); /* it is not listed */
    CHECK_OK(rondo_async_generator_release(generator));
    kit_expect_log(""); /* not inside of the call */
    kit_pass(loop);
    kit_expect_log("final:a"); /* and goes without its cleaning up */
    CHECK_EQ_INT(rows[0].drops, 1);

    CHECK_OK(rondo_loop_set_asyncgen_hooks(loop, NULL, keeping_hook, NULL, NULL));
    CHECK_EQ_INT(kit_drops, 3); /* two values, and the arg */
    generator = rows_of(&rows[1], "b", 5);
    kit_catch_log();
    expect_value(loop, generator, ANEXT, 1); /* listed: a warning, as the loop was shut down */
    CHECK_EQ_INT(kit_logged(), 1);
    CHECK_OK(rondo_async_generator_release(generator));
    kit_pass(loop);
    kit_expect_log("final:b");
    CHECK_EQ_PTR(kept, generator); /* alive again */
    expect_value(loop, kept, ANEXT, 2);
    expect_value(loop, kept, ACLOSE, 0);
    kit_expect_log("b:fin b:done");
    CHECK_OK(rondo_async_generator_release(kept));

    CHECK_OK(rondo_loop_set_asyncgen_hooks(loop, NULL, NULL, NULL, kit_drop));
    CHECK_EQ_INT(kit_drops, 6); /* two more values, and what nobody needs */
    CHECK_OK(rondo_loop_get_asyncgen_hooks(loop, &first, &last, NULL));
    CHECK(first == NULL && last == NULL);
    CHECK_OK(rondo_loop_set_asyncgen_hooks(loop, first_hook, NULL, NULL, kit_drop));
    kit_loop_end(loop);
    CHECK_EQ_INT(kit_drops, 7);
}

/* ---- async for, aclosing ---------------------------------------------------------------------- */

struct loops {
    RONDO_FRAME;
    rondo_async_generator *outer, *inner;
    void *a, *b;
    int stop_at, raises;
    rondo_loop *loop;
};

RONDO_STEP(for_step)
{
    struct loops *self = frame;
    RONDO_BEGIN(self);
    RONDO_ASYNC_FOR(self, self->outer, self->a) {
        if ((intptr_t)self->a == 2)
            continue;
        if ((intptr_t)self->a == self->stop_at)
            break;
        kit_log("%d", (int)(intptr_t)self->a);
        RONDO_YIELD(self);
    }
    kit_log("after");
    RONDO_END(self);
}

static void run_loops(struct loops *frame, rondo_step_fn step, rondo_status expected)
{
    rondo_coroutine *main = NULL;
    rondo_future *future = NULL;
    CHECK_OK(rondo_coroutine_new("main", step, frame, NULL, &main));
    CHECK_OK(rondo_loop_run_until_complete(frame->loop, main, &future));
    CHECK_STATUS(rondo_future_result(future, NULL), expected);
    end_future(future);
}

KIT_TEST(async_for)
{
    struct loops frame = { .loop = kit_loop() };
    struct rows rows[3] = { { 0 }, { 0 }, { .fails = 3 } };
    frame.outer = rows_of(&rows[0], "a", 4);
    run_loops(&frame, for_step, RONDO_OK);
    kit_expect_log("1 3 4 a:fin a:done after");
    CHECK_EQ_INT(kit_drops, 4);
    CHECK_OK(rondo_async_generator_release(frame.outer));

    frame = (struct loops){ .loop = frame.loop, .stop_at = 3, .outer = rows_of(&rows[1], "b", 9) };
    run_loops(&frame, for_step, RONDO_OK);
    kit_expect_log("1 after"); /* break does not close it */
    CHECK_EQ_INT(state_of_generator(frame.outer), RONDO_GENERATOR_SUSPENDED);
    expect_value(frame.loop, frame.outer, ACLOSE, 0);
    kit_expect_log("b:fin b:done");
    CHECK_OK(rondo_async_generator_release(frame.outer));

    frame = (struct loops){ .loop = frame.loop, .outer = rows_of(&rows[2], "c", 1) };
    run_loops(&frame, for_step, RONDO_E_RAISED);
    kit_expect_log("1 c:fin"); /* what it raises leaves the loop and the coroutine */
    CHECK_OK(rondo_async_generator_release(frame.outer));

    frame = (struct loops){ .loop = frame.loop, .outer = NULL };
    run_loops(&frame, for_step, RONDO_E_RAISED);
    kit_expect_log("");
    kit_loop_end(frame.loop);
}

RONDO_STEP(aclosing_step)
{
    struct loops *self = frame;
    RONDO_BEGIN(self);
    RONDO_ASYNC_FOR_IN(self, outer, self->outer, self->a) {
        kit_log("%d", (int)(intptr_t)self->a);
        RONDO_ASYNC_FOR_IN(self, inner, self->inner, self->b) {
            kit_log("%d", (int)(intptr_t)self->b);
            if (self->raises)
                RONDO_DO_IN(self, inner, rondo_coroutine_raise_new(co, RONDO_DOMAIN_USER, 6, "six"));
            RONDO_LEAVE(inner);
        }
        RONDO_TRY_ACLOSING_EXIT(self, inner, self->inner);
        if (thrown != NULL)
            goto rondo_exit_outer;
        RONDO_LEAVE(outer);
    }
    RONDO_ACLOSING_EXIT(self, outer, self->outer);
    kit_log("after");
    RONDO_END(self);
}

KIT_TEST(aclosing)
{
    struct loops frame = { .loop = kit_loop() };
    struct rows a = { .passes = 1 }, b = { .passes = 2 };
    frame.outer = rows_of(&a, "a", 4);
    frame.inner = rows_of(&b, "b", 4);
    run_loops(&frame, aclosing_step, RONDO_OK);
    kit_expect_log("1 1 b:fin b:done a:fin a:done after");
    CHECK(frame.outer == NULL && frame.inner == NULL);
    CHECK_EQ_INT(a.drops + b.drops, 2);
    kit_loop_end(frame.loop);
}

/* What aclose() raises has what left the part as its context, as Python's. */
KIT_TEST(exit_raises_what_left_the_part)
{
    rondo_loop *loop = kit_loop();
    struct rows good = { 0 }, bad = { .fails = 9 };
    rondo_error *error = kit_error(6, "six"), *raised = NULL;
    rondo_coroutine *exit = NULL;
    rondo_future *future = NULL;
    rondo_async_generator *generator = rows_of(&good, "good", 3);
    expect_value(loop, generator, ANEXT, 1);
    CHECK_OK(rondo_async_generator_exit(generator, error, &exit));
    CHECK_OK(rondo_loop_run_until_complete(loop, exit, &future));
    expect_failed(future, 6, "six");
    kit_expect_log("good:fin good:done");
    end_future(future);
    CHECK_OK(rondo_async_generator_release(generator));
    generator = rows_of(&bad, "bad", 3);
    expect_value(loop, generator, ANEXT, 1);
    CHECK_OK(rondo_async_generator_exit(generator, error, &exit));
    CHECK_OK(rondo_loop_run_until_complete(loop, exit, &future));
    expect_failed(future, 9, NULL);
    CHECK_OK(rondo_future_exception(future, &raised));
    rondo_error *at = raised;
    while (at != NULL && rondo_error_get_code(at) != 6)
        at = rondo_error_get_context(at);
    CHECK_EQ_PTR(at, error);
    CHECK_OK(rondo_error_release(raised));
    end_future(future);
    CHECK_OK(rondo_async_generator_release(generator));
    CHECK_OK(rondo_error_release(error));
    kit_loop_end(loop);
}

/* ---- frames, references, threads -------------------------------------------------------------- */

KIT_TEST(own_frames)
{
    rondo_loop *loop = kit_loop();
    struct rows *rows = NULL;
    rondo_async_generator *generator = NULL;
    CHECK_OK(rondo_async_generator_new_with_frame("rows", rows_step, sizeof *rows, rows_drop,
                                                  (void **)&rows, &generator));
    rows->name = "rows";
    rows->n = 1;
    expect_value(loop, generator, ANEXT, 1);
    CHECK_OK(rondo_async_generator_retain(generator));
    CHECK_OK(rondo_async_generator_release(generator));
    expect_error(loop, generator, ANEXT, STOP, NULL);
    kit_expect_log("rows:fin rows:done");
    CHECK_OK(rondo_async_generator_release(generator));
    CHECK_STATUS(rondo_async_generator_release(generator), RONDO_E_STALE_HANDLE);
    CHECK_STATUS(rondo_async_generator_retain(generator), RONDO_E_STALE_HANDLE);
    CHECK_OK(rondo_async_generator_release(NULL));
    CHECK_EQ_PTR(rondo_async_generator_get_name(generator), NULL);
    kit_loop_end(loop);
}

struct crowd {
    rondo_loop *loop;
    rondo_async_generator *generators[64];
    atomic_int next;
    int tid;
};

static void *drop_some(void *arg)
{
    struct crowd *crowd = arg;
    for (;;) {
        int i = atomic_fetch_add(&crowd->next, 1);
        if (i >= 64)
            return NULL;
        CHECK_OK(rondo_async_generator_release(crowd->generators[i]));
    }
}

/* Many threads let go while the loop closes all of them together: each is closed once. */
KIT_TEST(dropped_by_threads_during_the_shutdown)
{
    int rounds = kit_rounds(40);
    for (int round = 0; round < rounds; round++) {
        struct crowd crowd = { .loop = kit_loop() };
        struct rows rows[64] = { { 0 } };
        pthread_t threads[3];
        for (int i = 0; i < 64; i++) {
            crowd.generators[i] = rows_of(&rows[i], "g", 3);
            rows[i].passes = i % 3;
            expect_value(crowd.loop, crowd.generators[i], ANEXT, 1);
        }
        for (int i = 0; i < 3; i++)
            threads[i] = kit_thread_start(drop_some, &crowd);
        CHECK_OK(rondo_loop_run_until_complete(crowd.loop, shutdown_of(crowd.loop), NULL));
        for (int i = 0; i < 3; i++)
            kit_thread_join(threads[i]);
        for (int i = 0; i < 10; i++)
            kit_pass(crowd.loop);
        int drops = 0;
        for (int i = 0; i < 64; i++)
            drops += rows[i].drops;
        CHECK_EQ_INT(drops, 64);
        kit_loop_end(crowd.loop);
    }
}

/* Two threads ask at the same time: one of them is told so, and nothing else happens. */
struct race {
    rondo_async_generator *generator;
    atomic_int values, refused;
};

static void *ask_often(void *arg)
{
    struct race *race = arg;
    for (int i = 0; i < 200; i++) {
        rondo_coroutine *next = NULL;
        rondo_step step = -1;
        void *value = NULL;
        rondo_error *error = NULL;
        CHECK_OK(rondo_async_generator_anext(race->generator, &next));
        CHECK_OK(rondo_coroutine_send(next, NULL, &step, &value, &error));
        if (step == RONDO_STEP_RETURN) {
            atomic_fetch_add(&race->values, 1);
        } else {
            CHECK_EQ_INT(step, RONDO_STEP_RAISE);
            CHECK_EQ_INT(rondo_error_get_status(error), RONDO_E_GENERATOR_RUNNING);
            CHECK_OK(rondo_error_release(error));
            atomic_fetch_add(&race->refused, 1);
        }
        CHECK_OK(rondo_coroutine_release(next));
    }
    return NULL;
}

KIT_TEST(asked_by_two_threads)
{
    struct rows rows = { 0 };
    struct race race = { .generator = rows_of(&rows, "g", 100000) };
    pthread_t a = kit_thread_start(ask_often, &race), b = kit_thread_start(ask_often, &race);
    kit_thread_join(a);
    kit_thread_join(b);
    CHECK_EQ_INT(race.values + race.refused, 400);
    CHECK_EQ_INT(rows.i, race.values);
    CHECK_OK(rondo_async_generator_release(race.generator));
    kit_expect_log("g:fin g:done");
}

/* A thousand generators that each ask the next one cost no stack. */
struct deep {
    RONDO_FRAME;
    rondo_async_generator *next;
};

RONDO_STEP(deep_step)
{
    struct deep *self = frame;
    RONDO_BEGIN(self);
    if (self->next == NULL)
        RONDO_YIELD_VALUE(self, (void *)1, NULL);
    while (self->next != NULL) {
        RONDO_DO(self, rondo_coroutine_anext(co, self->next));
        RONDO_YIELD_VALUE(self, (void *)((intptr_t)sent + 1), NULL);
    }
    RONDO_END(self);
}

KIT_TEST(deep_chains)
{
    enum { DEPTH = 10000 };
    rondo_loop *loop = kit_loop();
    struct deep *frames = calloc(DEPTH, sizeof *frames);
    rondo_async_generator *top = NULL, **all = calloc(DEPTH, sizeof *all);
    for (int i = 0; i < DEPTH; i++) {
        frames[i].next = top;
        CHECK_OK(rondo_async_generator_new("deep", deep_step, &frames[i], NULL, &top));
        all[i] = top;
    }
    expect_value(loop, top, ANEXT, DEPTH);
    for (int i = DEPTH - 1; i >= 0; i--) {
        expect_value(loop, all[i], ACLOSE, 0);
        CHECK_OK(rondo_async_generator_release(all[i]));
    }
    free(frames);
    free(all);
    kit_loop_end(loop);
}
