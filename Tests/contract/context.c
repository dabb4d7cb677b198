/* context.c - context variables: who sees what was set where, and when a value is dropped. */
#include "coro.h"

#include <errno.h>

#define NUMBER(n) ((void *)(intptr_t)(n))

static rondo_contextvar *variable;

static intptr_t get(void)
{
    void *value = NULL;
    CHECK_OK(rondo_contextvar_get(variable, &value));
    return (intptr_t)value;
}

static void set(intptr_t value)
{
    CHECK_OK(rondo_contextvar_set(variable, NUMBER(value), NULL));
}

static rondo_context *copy(void)
{
    rondo_context *context = NULL;
    CHECK_OK(rondo_context_copy_current(&context));
    return context;
}

/* Run a test in a context of its own, so that the thread's own stays as it was. */
static void in_new_context(rondo_call_fn fn, void *arg)
{
    rondo_context *context = NULL;
    CHECK_OK(rondo_contextvar_new("variable", NUMBER(-1), &variable));
    CHECK_OK(rondo_context_new(&context));
    CHECK_OK(rondo_context_run(context, fn, arg));
    CHECK_OK(rondo_context_release(context));
    CHECK_EQ_INT(get(), -1); /* nothing of it is left outside */
    CHECK_OK(rondo_contextvar_release(variable));
}

/* ---- without a loop ------------------------------------------------------------------------- */

static void set_to(void *arg)
{
    set((intptr_t)arg);
    CHECK_EQ_INT(get(), (intptr_t)arg);
}

static void basics(void *arg)
{
    (void)arg;
    CHECK_EQ_INT(get(), -1); /* its default */
    set(1);
    rondo_context *context = copy();
    set(2);
    CHECK_OK(rondo_context_run(context, set_to, NUMBER(3)));
    CHECK_EQ_INT(get(), 2);
    rondo_context *empty = NULL;
    CHECK_OK(rondo_context_new(&empty));
    CHECK_OK(rondo_context_run(empty, set_to, NUMBER(4)));
    CHECK_EQ_INT(get(), 2);
    CHECK_OK(rondo_context_release(empty));
    CHECK_OK(rondo_context_release(context));
    set(0);
    CHECK_EQ_INT(get(), 0); /* set to nothing is not unset */
}

KIT_TEST(set_get_copy_run)
{
    in_new_context(basics, NULL);
}

static void log_value(void *arg)
{
    (void)arg;
    kit_log("%d", (int)get());
}

static void run_again(void *arg)
{
    CHECK_STATUS(rondo_context_run(arg, log_value, NULL), RONDO_E_RUNTIME);
}

static void entered(void *arg)
{
    (void)arg;
    rondo_context *context = copy();
    CHECK_OK(rondo_context_run(context, run_again, context));
    kit_expect_log("");
    CHECK_OK(rondo_context_run(context, log_value, NULL)); /* left, it can be entered again */
    kit_expect_log("-1");
    CHECK_OK(rondo_context_release(context));
}

/* "cannot enter context: ... is already entered" */
KIT_TEST(entered_only_once)
{
    in_new_context(entered, NULL);
}

static void values_dropped(void *arg)
{
    struct kit_arg *values = arg;
    CHECK_OK(rondo_contextvar_set(variable, &values[0], kit_arg_drop));
    rondo_context *context = copy();
    CHECK_OK(rondo_contextvar_set(variable, &values[1], kit_arg_drop));
    CHECK_EQ_INT(values[0].drops, 0); /* the copy holds it */
    CHECK_OK(rondo_context_release(context));
    CHECK_EQ_INT(values[0].drops, 1);
    CHECK_OK(rondo_contextvar_set(variable, &values[2], kit_arg_drop));
    CHECK_EQ_INT(values[1].drops, 1);
    context = copy();
    CHECK_OK(rondo_context_retain(context));
    CHECK_OK(rondo_context_release(context));
    CHECK_OK(rondo_context_release(context));
    CHECK_STATUS(rondo_context_release(context), RONDO_E_STALE_HANDLE);
    CHECK_EQ_INT(values[2].drops, 0);
}

/* A value is dropped once, when no context holds it. */
KIT_TEST(values_are_dropped_once)
{
    struct kit_arg values[3] = { { 0 } };
    in_new_context(values_dropped, values);
    for (int i = 0; i < 3; i++)
        CHECK_EQ_INT(values[i].drops, 1);
}

static void many(void *arg)
{
    enum { COUNT = 300 };
    rondo_contextvar *variables[COUNT];
    (void)arg;
    for (intptr_t i = 0; i < COUNT; i++) {
        char name[16] = { 'v', (char)('0' + i % 10) };
        CHECK_OK(rondo_contextvar_new(name, NULL, &variables[i]));
        CHECK_OK(rondo_contextvar_set(variables[i], NUMBER(i), kit_drop));
    }
    for (intptr_t i = 0; i < COUNT; i += 2)
        CHECK_OK(rondo_contextvar_set(variables[i], NUMBER(-i), kit_drop));
    CHECK_EQ_INT(kit_drops, COUNT / 2);
    for (intptr_t i = 0; i < COUNT; i++) {
        void *value = NULL;
        CHECK_OK(rondo_contextvar_get(variables[i], &value));
        CHECK_EQ_INT((intptr_t)value, i % 2 ? i : -i);
        CHECK_OK(rondo_contextvar_release(variables[i]));
    }
    CHECK_EQ_INT(kit_drops, COUNT / 2); /* what contexts hold stays until those end */
}

KIT_TEST(many_variables)
{
    in_new_context(many, NULL);
    CHECK_EQ_INT(kit_drops, 450);
}

static void other_thread(void *arg)
{
    (void)arg;
    CHECK_EQ_INT(get(), -1); /* a thread starts with an empty context */
    rondo_context *context = copy();
    CHECK_OK(rondo_context_run(context, set_to, NUMBER(9)));
    CHECK_OK(rondo_context_release(context));
}

static void with_a_thread(void *arg)
{
    (void)arg;
    set(1);
    kit_in_thread(other_thread, NULL);
    CHECK_EQ_INT(get(), 1);
}

KIT_TEST(threads_have_contexts_of_their_own)
{
    in_new_context(with_a_thread, NULL);
}

/* ---- tokens --------------------------------------------------------------------------------- */

static rondo_context_token *set_with_token(intptr_t value, rondo_drop_fn drop)
{
    rondo_context_token *token = NULL;
    CHECK_OK(rondo_contextvar_set_with_token(variable, NUMBER(value), drop, &token));
    return token;
}

static void end_token(rondo_context_token *token)
{
    CHECK_OK(rondo_context_token_release(token));
}

static void reset_elsewhere(void *token)
{
    CHECK_STATUS(rondo_contextvar_reset(variable, token), -EINVAL);
}

static void tokens(void *arg)
{
    rondo_contextvar *other = NULL;
    rondo_context *context = NULL;
    void *old = arg;
    rondo_context_token *first = set_with_token(1, kit_drop);
    rondo_context_token *second = set_with_token(2, kit_drop);
    CHECK_STATUS(rondo_context_token_get_old_value(first, &old), -ENOENT);
    CHECK_OK(rondo_context_token_get_old_value(second, &old));
    CHECK_EQ_INT((intptr_t)old, 1);
    CHECK_OK(rondo_contextvar_reset(variable, second));
    CHECK_EQ_INT(get(), 1);
    CHECK_EQ_INT(kit_drops, 1); /* the 2 */
    CHECK_STATUS(rondo_contextvar_reset(variable, second), RONDO_E_INVALID_STATE);
    /* Another variable, another context, another thread: ValueError. */
    CHECK_OK(rondo_contextvar_new("other", NULL, &other));
    CHECK_STATUS(rondo_contextvar_reset(other, first), -EINVAL);
    CHECK_OK(rondo_contextvar_release(other));
    CHECK_OK(rondo_context_new(&context));
    CHECK_OK(rondo_context_run(context, reset_elsewhere, first));
    CHECK_OK(rondo_context_release(context));
    kit_in_thread(reset_elsewhere, first);
    CHECK_EQ_INT(get(), 1);
    CHECK_OK(rondo_contextvar_reset(variable, first));
    CHECK_EQ_INT(get(), -1); /* it was not set: its default */
    CHECK_EQ_INT(kit_drops, 1); /* the second token has the 1 */
    end_token(second);
    CHECK_EQ_INT(kit_drops, 2);
    end_token(first);
    CHECK_STATUS(rondo_contextvar_reset(variable, first), RONDO_E_STALE_HANDLE);
}

KIT_TEST(tokens_undo_a_set)
{
    in_new_context(tokens, NULL);
}

struct token_frame {
    RONDO_FRAME;
    rondo_context_token *token;
};

static rondo_context_token *of_another_task;

RONDO_STEP(token_step)
{
    struct token_frame *self = frame;
    RONDO_BEGIN(self);
    set(1);
    self->token = set_with_token(2, NULL);
    if (of_another_task != NULL)
        CHECK_STATUS(rondo_contextvar_reset(variable, of_another_task), -EINVAL);
    of_another_task = self->token;
    RONDO_YIELD(self);
    CHECK_EQ_INT(get(), 2);
    CHECK_OK(rondo_contextvar_reset(variable, self->token));
    CHECK_EQ_INT(get(), 1);
    end_token(self->token);
    RONDO_END(self);
}

/* In a task the context is the same from step to step, and another task's is another. */
KIT_TEST(tokens_of_tasks)
{
    rondo_loop *loop = kit_loop();
    struct token_frame frames[2] = { { 0 } };
    rondo_task *tasks[2];
    of_another_task = NULL;
    CHECK_OK(rondo_contextvar_new("variable", NUMBER(-1), &variable));
    for (int i = 0; i < 2; i++)
        CHECK_OK(rondo_loop_spawn(loop, token_step, &frames[i], NULL, NULL, &tasks[i]));
    for (int i = 0; i < 2; i++) {
        run_until_done(loop, tasks[i]);
        end_task(tasks[i]);
    }
    CHECK_OK(rondo_contextvar_release(variable));
    kit_loop_end(loop);
}

/* ---- callbacks ------------------------------------------------------------------------------ */

static void log_and_set(void *arg)
{
    kit_log("%d", (int)get());
    set((intptr_t)arg);
}

static void callbacks(void *arg)
{
    rondo_loop *loop = kit_loop();
    rondo_context *context = NULL;
    (void)arg;
    set(1);
    CHECK_OK(rondo_loop_call_soon(loop, log_and_set, NUMBER(7), NULL, NULL));
    CHECK_OK(rondo_context_new(&context));
    CHECK_OK(rondo_loop_call_soon_in_context(loop, context, log_and_set, NUMBER(8), NULL, NULL));
    CHECK_OK(rondo_loop_call_soon_in_context(loop, context, log_and_set, NUMBER(9), NULL, NULL));
    CHECK_OK(rondo_loop_call_later(loop, 0, log_and_set, NUMBER(6), NULL, NULL));
    set(2);
    kit_pass(loop);
    kit_pass(loop);
    /* K-19: the value of the time of call_soon; what a callback sets stays with its context */
    kit_expect_log("1 -1 8 1");
    CHECK_EQ_INT(get(), 2);
    CHECK_OK(rondo_context_release(context));
    kit_loop_end(loop);
}

static void post_in_context(void *arg)
{
    rondo_handle *handle = NULL;
    void **both = arg;
    CHECK_OK(rondo_loop_call_soon_threadsafe_in_context(both[0], both[1], log_and_set, NUMBER(5), NULL, NULL));
    CHECK_OK(rondo_loop_call_soon_threadsafe_in_context(both[0], both[1], log_and_set, NUMBER(6), NULL, &handle));
    CHECK_OK(rondo_loop_call_soon_threadsafe_in_context(both[0], NULL, log_and_set, NUMBER(7), NULL, NULL));
    CHECK_OK(rondo_handle_release(handle));
}

static void callbacks_later(void *arg)
{
    rondo_loop *loop = kit_loop();
    rondo_context *context = NULL;
    rondo_handle *handle = NULL;
    (void)arg;
    set(1);
    CHECK_OK(rondo_context_new(&context));
    CHECK_OK(rondo_loop_call_later_in_context(loop, context, 0, log_and_set, NUMBER(2), NULL, NULL));
    CHECK_OK(rondo_loop_call_at_in_context(loop, context, 0, log_and_set, NUMBER(3), NULL, &handle));
    CHECK_OK(rondo_loop_call_at_in_context(loop, NULL, 0, log_and_set, NUMBER(4), NULL, NULL));
    CHECK_OK(rondo_loop_call_later_in_context(loop, context, 3600 * INT64_C(1000000000), kit_no_call, NULL, kit_drop, NULL));
    kit_pass(loop);
    kit_pass(loop);
    /* The two at 0 are due before the one that was told from now. */
    kit_expect_log("-1 1 3");
    kit_in_thread(post_in_context, (void *[]){ loop, context });
    kit_pass(loop);
    kit_expect_log("2 5 -1");
    CHECK_OK(rondo_handle_release(handle));
    CHECK_OK(rondo_context_release(context));
    kit_loop_drop(loop);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_EQ_INT(get(), 1);
}

/* Handle.get_context(): the object that was given, else a copy of what the handle took along. */
static void contexts_of_handles(void *arg)
{
    rondo_loop *loop = kit_loop();
    rondo_context *given = NULL, *got = NULL;
    rondo_handle *handle = NULL;
    (void)arg;
    CHECK_OK(rondo_context_new(&given));
    CHECK_OK(rondo_loop_call_soon_in_context(loop, given, set_to, NUMBER(1), NULL, &handle));
    CHECK_OK(rondo_handle_get_context(handle, &got));
    CHECK(got == given);
    CHECK_OK(rondo_context_release(got));
    kit_pass(loop);
    CHECK_STATUS(rondo_handle_get_context(handle, &got), RONDO_E_INVALID_STATE);
    CHECK_OK(rondo_handle_release(handle));

    set(5);
    CHECK_OK(rondo_loop_call_later(loop, 3600 * INT64_C(1000000000), kit_no_call, NULL, NULL, &handle));
    set(6);
    CHECK_OK(rondo_handle_get_context(handle, &got));
    CHECK_OK(rondo_context_run(got, log_and_set, NUMBER(7)));
    kit_expect_log("5");
    CHECK_OK(rondo_context_release(got));
    CHECK_OK(rondo_handle_get_context(handle, &got)); /* it was a copy */
    CHECK_OK(rondo_context_run(got, log_and_set, NUMBER(8)));
    kit_expect_log("5");
    CHECK_OK(rondo_context_release(got));
    CHECK_STATUS(rondo_handle_get_context(handle, NULL), -EINVAL);
    CHECK_OK(rondo_handle_cancel(handle));
    CHECK_STATUS(rondo_handle_get_context(handle, &got), RONDO_E_INVALID_STATE);
    CHECK_OK(rondo_handle_release(handle));
    CHECK_OK(rondo_loop_call_soon_threadsafe(loop, kit_no_call, NULL, NULL, &handle));
    CHECK_STATUS(rondo_handle_get_context(handle, &got), RONDO_E_TYPE);
    CHECK_OK(rondo_handle_release(handle));
    CHECK_OK(rondo_context_release(given));
    kit_loop_drop(loop);
}

KIT_TEST(handles_tell_their_context)
{
    in_new_context(contexts_of_handles, NULL);
}

KIT_TEST(callbacks_later_in_a_context)
{
    in_new_context(callbacks_later, NULL);
}

KIT_TEST(K19_callbacks)
{
    in_new_context(callbacks, NULL);
}

/* ---- tasks ---------------------------------------------------------------------------------- */

/* Logs what it sees and sets n, then looks again after a pass. */
RONDO_STEP(sets_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    kit_log("%d", (int)get());
    set(self->n);
    RONDO_YIELD(self);
    CHECK_EQ_INT(get(), self->n);
    RONDO_END(self);
}

static void copies(void *arg)
{
    rondo_loop *loop = kit_loop();
    struct frame a = { .n = 10 }, b = { .n = 20 };
    (void)arg;
    set(1);
    rondo_task *first = task_of(loop, sets_step, &a);
    set(2);
    rondo_task *second = task_of(loop, sets_step, &b);
    set(3);
    run_until_done(loop, second);
    kit_expect_log("1 2");
    CHECK_EQ_INT(get(), 3);
    end_task(first);
    end_task(second);
    kit_loop_end(loop);
}

/* K-18: a task runs in a copy taken when it was made. */
KIT_TEST(K18_a_task_has_a_copy)
{
    in_new_context(copies, NULL);
}

static void shared_context(void *arg)
{
    rondo_loop *loop = kit_loop();
    struct frame frames[] = { { .n = 1 }, { .n = 2 }, { .n = 3 } };
    rondo_task_options options = { .size = sizeof options };
    rondo_context *got = NULL;
    (void)arg;
    CHECK_OK(rondo_context_new(&options.context));
    for (int i = 0; i < 3; i++) {
        rondo_task *task = NULL;
        CHECK_OK(rondo_loop_create_task(loop, coroutine_of(sets_step, &frames[i]), &options, &task));
        run_until_done(loop, task);
        CHECK_OK(rondo_task_get_context(task, &got));
        CHECK_EQ_PTR(got, options.context);
        CHECK_OK(rondo_context_release(got));
        end_task(task);
    }
    kit_expect_log("-1 1 2");
    CHECK_OK(rondo_context_run(options.context, log_value, NULL));
    kit_expect_log("3");
    CHECK_EQ_INT(get(), -1);
    CHECK_OK(rondo_context_release(options.context));
    kit_loop_end(loop);
}

/* K-18: with context= it runs in that context itself. */
KIT_TEST(K18_a_context_of_ones_own)
{
    in_new_context(shared_context, NULL);
}

static void task_context(void *arg)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .n = 5 };
    rondo_context *context = NULL;
    (void)arg;
    rondo_task *task = task_of(loop, sets_step, &frame);
    run_until_done(loop, task);
    CHECK_OK(rondo_task_get_context(task, &context));
    end_task(task);
    CHECK_OK(rondo_context_run(context, log_value, NULL));
    kit_expect_log("-1 5");
    CHECK_OK(rondo_context_release(context));
    kit_loop_end(loop);
}

KIT_TEST(context_of_a_task)
{
    in_new_context(task_context, NULL);
}

/* Awaits a coroutine (7 is seen) and a task (8 is not). */
RONDO_STEP(awaits_setters)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_AWAIT(self, coroutine_of(sets_step, &self->parent[0]));
    kit_log("seen:%d", (int)get());
    RONDO_AWAIT_MOVED(self, task_of(self->loop, sets_step, &self->parent[1]));
    kit_log("seen:%d", (int)get());
    RONDO_END(self);
}

/* K-20: what an awaited coroutine sets its awaiter sees; what a task sets, not. */
KIT_TEST(K20_coroutines_share_tasks_copy)
{
    rondo_loop *loop = kit_loop();
    struct frame children[] = { { .n = 7 }, { .n = 8 } }, main = { .parent = children };
    CHECK_OK(rondo_contextvar_new("variable", NUMBER(-1), &variable));
    end_future(run_frame(loop, awaits_setters, &main));
    kit_expect_log("-1 seen:7 7 seen:7");
    CHECK_EQ_INT(get(), -1);
    CHECK_OK(rondo_contextvar_release(variable));
    kit_loop_end(loop);
}

static void values_of_tasks(void *arg)
{
    CHECK_OK(rondo_contextvar_set(variable, arg, kit_arg_drop));
}

RONDO_STEP(holds_value_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    values_of_tasks(self->value);
    RONDO_YIELD(self);
    CHECK_EQ_INT(((struct kit_arg *)self->value)->drops, 0);
    RONDO_END(self);
}

/* A value set in a task goes with the task's context. */
KIT_TEST(values_go_with_their_task)
{
    rondo_loop *loop = kit_loop();
    struct kit_arg value = { 0 };
    struct frame frame = { .value = &value };
    CHECK_OK(rondo_contextvar_new("variable", NULL, &variable));
    end_future(run_frame(loop, holds_value_step, &frame));
    CHECK_EQ_INT(value.drops, 1);
    CHECK_OK(rondo_contextvar_release(variable));
    kit_loop_end(loop);
}
