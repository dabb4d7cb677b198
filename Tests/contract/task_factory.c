/* task_factory.c - the loop's task factory, the eager one, and the context of the exception handler. */
#define _GNU_SOURCE
#include "coro.h"

#include <errno.h>
#include <stdlib.h>

struct factory {
    const char *name;
    rondo_status fails; /* what it fails with */
    rondo_status fails_after; /* the same, after it made the task */
    void *gives;        /* instead of a task */
    bool forgets;       /* gives nothing */
    int calls, drops;
    rondo_task_options seen;
    char seen_name[32];
};

static void factory_drop(void *arg)
{
    struct factory *factory = arg;
    factory->drops++;
}

static rondo_status make_task(rondo_loop *loop, rondo_coroutine *coroutine,
                              const rondo_task_options *options, void *arg, rondo_task **out_task)
{
    struct factory *factory = arg;
    factory->calls++;
    factory->seen = *options;
    strncpy(factory->seen_name, options->name != NULL ? options->name : "", sizeof factory->seen_name - 1);
    if (factory->name != NULL)
        kit_log("%s", factory->name);
    if (factory->fails != RONDO_OK)
        return factory->fails;
    if (factory->gives != NULL)
        *out_task = factory->gives;
    if (factory->gives != NULL || factory->forgets)
        return RONDO_OK;
    rondo_status status = rondo_task_new(loop, coroutine, options, out_task);
    if (status == RONDO_OK && factory->fails_after != RONDO_OK) {
        CHECK_OK(rondo_task_release(*out_task));
        return factory->fails_after;
    }
    return status;
}

static void use_factory(rondo_loop *loop, struct factory *factory)
{
    CHECK_OK(rondo_loop_set_task_factory(loop, make_task, factory, factory_drop));
}

KIT_TEST(makes_the_task)
{
    rondo_loop *loop = kit_loop();
    struct factory factory = { 0 };
    struct frame frame = { .value = &factory };
    rondo_task_options options = { .size = sizeof options, .name = "named", .eager_start = RONDO_EAGER_NO };
    rondo_task *task = NULL;
    char name[16];
    use_factory(loop, &factory);
    CHECK_OK(rondo_loop_create_task(loop, coroutine_of(returns_step, &frame), &options, &task));
    CHECK_EQ_INT(factory.calls, 1);
    CHECK_EQ_INT(factory.seen.size, sizeof options);
    CHECK_EQ_STR(factory.seen_name, "named");
    CHECK_EQ_INT(factory.seen.eager_start, RONDO_EAGER_NO);
    CHECK_EQ_PTR(factory.seen.context, NULL);
    CHECK_OK(rondo_task_get_name(task, name, sizeof name, NULL));
    CHECK_EQ_STR(name, "named");
    run_until_done(loop, task);
    expect_result(as_future(task), &factory);
    end_task(task);
    kit_loop_end(loop);
    CHECK_EQ_INT(factory.drops, 1); /* the loop is closed */
}

/* Everything that makes a task of a coroutine asks it. */
KIT_TEST(asked_by_everything)
{
    rondo_loop *loop = kit_loop();
    struct factory factory = { 0 };
    struct frame frames[6] = { { .name = "create" }, { .name = "spawn" }, { .name = "a" }, { .name = "b" },
                               { .name = "ensure" }, { .name = "until" } };
    rondo_future *future = NULL;
    rondo_awaitable *both[2];
    use_factory(loop, &factory);
    CHECK_OK(rondo_loop_create_task(loop, coroutine_of(returns_step, &frames[0]), NULL, NULL));
    CHECK_EQ_INT(factory.calls, 1);
    CHECK_OK(rondo_loop_spawn(loop, returns_step, &frames[1], frame_drop, NULL, NULL));
    CHECK_EQ_INT(factory.calls, 2);
    both[0] = coroutine_of(returns_step, &frames[2]);
    both[1] = coroutine_of(returns_step, &frames[3]);
    CHECK_OK(rondo_gather(loop, both, 2, 0, &future));
    CHECK_EQ_INT(factory.calls, 4);
    CHECK_OK(rondo_loop_run_until_complete(loop, future, NULL));
    end_future(future);
    CHECK_OK(rondo_ensure_future(loop, coroutine_of(returns_step, &frames[4]), &future));
    CHECK_EQ_INT(factory.calls, 5);
    CHECK_OK(rondo_loop_run_until_complete(loop, future, NULL));
    end_future(future);
    CHECK_OK(rondo_loop_run_until_complete(loop, coroutine_of(returns_step, &frames[5]), NULL));
    CHECK_EQ_INT(factory.calls, 6);
    kit_expect_log("create spawn a b ensure until");
    for (int i = 0; i < 6; i++)
        CHECK_EQ_INT(frames[i].drops, 1);
    kit_loop_end(loop);
}

static rondo_coroutine *for_elsewhere;

static void give_coroutine(void *arg)
{
    rondo_thread_future *future = NULL;
    CHECK_OK(rondo_loop_run_coroutine_threadsafe(arg, for_elsewhere, &future));
    CHECK_OK(rondo_thread_future_release(future));
}

KIT_TEST(asked_for_coroutines_of_other_threads)
{
    rondo_loop *loop = kit_loop();
    struct factory factory = { 0 };
    struct frame frame = { .name = "ran" };
    use_factory(loop, &factory);
    for_elsewhere = coroutine_of(returns_step, &frame);
    kit_in_thread(give_coroutine, loop);
    CHECK_EQ_INT(factory.calls, 0); /* the loop's thread asks */
    kit_pass(loop);
    CHECK_EQ_INT(factory.calls, 1);
    kit_pass(loop);
    kit_pass(loop);
    kit_expect_log("ran");
    kit_loop_end(loop);
}

RONDO_STEP(group_step)
{
    struct frame *self = frame;
    rondo_task_group *group;
    rondo_coroutine *exit = NULL;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_task_group_new(self->loop, &group));
    self->value = group;
    CHECK_OK(rondo_task_group_enter(group));
    CHECK_OK(rondo_task_group_create_task(group, coroutine_of(returns_step, &self[1]), NULL, NULL));
    CHECK_OK(rondo_task_group_spawn(group, returns_step, &self[2], frame_drop, NULL, NULL));
    CHECK_OK(rondo_task_group_exit(group, NULL, &exit));
    RONDO_AWAIT_MOVED(self, exit);
    CHECK_OK(rondo_task_group_release(self->value));
    RONDO_END(self);
}

KIT_TEST(asked_by_groups)
{
    rondo_loop *loop = kit_loop();
    struct factory factory = { 0 };
    struct frame frames[3] = { { 0 }, { .name = "a" }, { .name = "b" } };
    use_factory(loop, &factory);
    end_future(run_frame(loop, group_step, frames));
    CHECK_EQ_INT(factory.calls, 3);
    kit_expect_log("a b");
    kit_loop_end(loop);
}

/* The default again, and what is told. */
KIT_TEST(set_and_get)
{
    rondo_loop *loop = kit_loop();
    struct factory first = { 0 }, second = { 0 };
    rondo_task_factory_fn fn = make_task;
    void *arg = &fn;
    CHECK_OK(rondo_loop_get_task_factory(loop, &fn, &arg));
    CHECK(fn == NULL && arg == NULL);
    use_factory(loop, &first);
    CHECK_OK(rondo_loop_get_task_factory(loop, &fn, &arg));
    CHECK(fn == make_task);
    CHECK_EQ_PTR(arg, &first);
    use_factory(loop, &second);
    CHECK_EQ_INT(first.drops, 1);
    CHECK_OK(rondo_loop_set_task_factory(loop, NULL, &first, factory_drop)); /* arg moves all the same */
    CHECK_EQ_INT(first.drops, 2);
    CHECK_EQ_INT(second.drops, 1);
    struct frame frame = { .name = "plain" };
    end_future(run_frame(loop, returns_step, &frame));
    kit_expect_log("plain");
    CHECK_EQ_INT(first.calls + second.calls, 0);
    kit_loop_end(loop);
}

/* ---- factories that fail -------------------------------------------------------------------- */

static void expect_no_task(rondo_loop *loop, rondo_status status)
{
    struct frame frames[4] = { { 0 } };
    rondo_task *task = NULL;
    rondo_future *future = NULL;
    rondo_coroutine *coroutine = coroutine_of(no_step, &frames[0]);
    CHECK_STATUS(rondo_loop_create_task(loop, coroutine, NULL, &task), status);
    CHECK_STATUS(rondo_coroutine_release(coroutine), RONDO_E_STALE_HANDLE); /* closed and gone */
    CHECK_STATUS(rondo_loop_create_task(loop, coroutine_of(no_step, &frames[1]), NULL, NULL), status);
    CHECK_STATUS(rondo_loop_spawn(loop, no_step, &frames[2], frame_drop, NULL, &task), status);
    CHECK_STATUS(rondo_ensure_future(loop, coroutine_of(no_step, &frames[3]), &future), status);
    for (int i = 0; i < 4; i++)
        CHECK_EQ_INT(frames[i].drops, 1);
    CHECK_EQ_PTR(task, NULL);
    CHECK_EQ_PTR(future, NULL);
}

KIT_TEST(fails)
{
    rondo_loop *loop = kit_loop();
    struct factory factory = { .fails = -EPERM };
    use_factory(loop, &factory);
    expect_no_task(loop, -EPERM);
    factory.fails = 17; /* no status at all is no success either */
    expect_no_task(loop, 17);
    kit_loop_end(loop);
}

KIT_TEST(gives_something_else)
{
    rondo_loop *loop = kit_loop(), *other = kit_loop();
    struct factory factory = { .forgets = true };
    struct frame frame = { 0 }, own = { 0 };
    kit_record_reports(other);
    use_factory(loop, &factory);
    expect_no_task(loop, RONDO_E_TYPE);
    factory.gives = (void *)0x1234;
    expect_no_task(loop, RONDO_E_TYPE);
    factory.gives = loop;
    expect_no_task(loop, RONDO_E_TYPE);
    rondo_future *future = future_of(loop);
    for (int i = 0; i < 4; i++)
        CHECK_OK(rondo_future_retain(future)); /* each call takes the one that it was given */
    factory.gives = future;
    expect_no_task(loop, RONDO_E_TYPE);
    end_future(future);
    rondo_task *task = task_of(other, no_step, &frame);
    for (int i = 0; i < 4; i++)
        CHECK_OK(rondo_task_retain(task));
    factory.gives = task;
    expect_no_task(loop, RONDO_E_WRONG_LOOP);
    end_task(task);
    factory = (struct factory){ 0 };
    end_future(run_frame(loop, returns_step, &own));
    kit_loop_end(loop);
    kit_loop_drop(other);
}

/* A coroutine that somebody else holds is closed, and stays his. */
KIT_TEST(fails_with_a_coroutine_that_is_held)
{
    rondo_loop *loop = kit_loop();
    struct factory factory = { .fails = -EPERM };
    struct frame frame = { .name = "kept" };
    use_factory(loop, &factory);
    rondo_coroutine *coroutine = coroutine_of(returns_step, &frame);
    CHECK_OK(rondo_coroutine_retain(coroutine));
    CHECK_STATUS(rondo_loop_create_task(loop, coroutine, NULL, NULL), -EPERM);
    CHECK_EQ_INT(frame.drops, 0);
    factory.fails = RONDO_OK;
    CHECK_OK(rondo_loop_run_until_complete(loop, coroutine, NULL));
    kit_expect_log("kept");
    kit_loop_end(loop);
}

/* It made the task and fails then: the task is the loop's. */
KIT_TEST(fails_after_it_made_the_task)
{
    rondo_loop *loop = kit_loop();
    struct factory factory = { .fails_after = -EPERM };
    struct frame frame = { .name = "ran" };
    use_factory(loop, &factory);
    CHECK_STATUS(rondo_loop_create_task(loop, coroutine_of(returns_step, &frame), NULL, NULL), -EPERM);
    kit_pass(loop);
    kit_expect_log("ran");
    CHECK_EQ_INT(frame.drops, 1);
    kit_loop_end(loop);
}

static rondo_status asks_itself(rondo_loop *loop, rondo_coroutine *coroutine,
                                const rondo_task_options *options, void *arg, rondo_task **out_task)
{
    *(int *)arg += 1;
    return rondo_loop_create_task(loop, coroutine, options, out_task);
}

/* CPython's RecursionError. */
KIT_TEST(asks_itself_for_ever)
{
    rondo_loop *loop = kit_loop();
    int calls = 0;
    CHECK_OK(rondo_loop_set_task_factory(loop, asks_itself, &calls, NULL));
    expect_no_task(loop, RONDO_E_RUNTIME);
    CHECK(calls >= 4 * 100);
    CHECK_OK(rondo_loop_set_task_factory(loop, NULL, NULL, NULL));
    struct frame frame = { .name = "ran" };
    end_future(run_frame(loop, returns_step, &frame));
    kit_expect_log("ran");
    kit_loop_end(loop);
}

static rondo_status replaces_itself(rondo_loop *loop, rondo_coroutine *coroutine,
                                    const rondo_task_options *options, void *arg, rondo_task **out_task)
{
    struct factory *factory = arg;
    CHECK_OK(rondo_loop_set_task_factory(loop, rondo_eager_task_factory, NULL, NULL));
    CHECK_EQ_INT(factory->drops, 0); /* it is still running */
    factory->calls++;
    return rondo_task_new(loop, coroutine, options, out_task);
}

KIT_TEST(replaced_inside_itself)
{
    rondo_loop *loop = kit_loop();
    struct factory factory = { 0 };
    struct frame frames[2] = { { .name = "a" }, { .name = "b" } };
    CHECK_OK(rondo_loop_set_task_factory(loop, replaces_itself, &factory, factory_drop));
    end_future(run_frame(loop, returns_step, &frames[0]));
    end_future(run_frame(loop, returns_step, &frames[1]));
    CHECK_EQ_INT(factory.calls, 1);
    CHECK_EQ_INT(factory.drops, 1);
    kit_expect_log("a b");
    kit_loop_end(loop);
}

/* ---- the eager factory ---------------------------------------------------------------------- */

RONDO_STEP(creates_step)
{
    struct frame *self = frame;
    rondo_task_options options = { .size = sizeof options, .eager_start = RONDO_EAGER_NO };
    RONDO_BEGIN(self);
    kit_log("main");
    CHECK_OK(rondo_loop_create_task(self->loop, coroutine_of(returns_step, &self[1]), NULL, &self->task));
    kit_log("made:%d", rondo_future_is_done(as_future(self->task)));
    end_task(self->task);
    CHECK_OK(rondo_loop_create_task(self->loop, coroutine_of(returns_step, &self[2]), &options, NULL));
    kit_log("not-eager");
    CHECK_OK(rondo_loop_spawn(self->loop, returns_step, &self[3], frame_drop, NULL, NULL));
    kit_log("spawned");
    RONDO_YIELD(self);
    RONDO_END(self);
}

/* Not before the loop runs: main itself takes its first step in a pass. */
KIT_TEST(eager_factory)
{
    rondo_loop *loop = kit_loop();
    struct frame frames[4] = { { .loop = loop }, { .name = "a" }, { .name = "b" }, { .name = "c" } };
    CHECK_OK(rondo_loop_set_task_factory(loop, rondo_eager_task_factory, NULL, NULL));
    CHECK_OK(rondo_loop_call_soon(loop, kit_log_call, "before", NULL, NULL));
    end_future(run_frame(loop, creates_step, frames));
    kit_expect_log("before main a made:1 not-eager c spawned b");
    kit_loop_end(loop);
}

/* ---- the exception handler's context -------------------------------------------------------- */

static rondo_contextvar *variable;

static const char *value_of(void)
{
    void *value = NULL;
    CHECK_OK(rondo_contextvar_get(variable, &value));
    return value;
}

/* Logs the variable as the handler sees it, and sets it. */
static void looks_around(rondo_loop *loop, rondo_exception_context *context, void *arg)
{
    (void)loop;
    (void)context;
    kit_log("handler:%s", value_of());
    CHECK_OK(rondo_contextvar_set(variable, arg, NULL));
}

static rondo_step sets_and_raises(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct frame *self = frame;
    (void)sent;
    (void)thrown;
    CHECK_OK(rondo_contextvar_set(variable, (void *)self->name, NULL));
    return rondo_coroutine_raise(co, self->error);
}

static void sets_and_raises_call(void *arg)
{
    struct frame *self = arg;
    CHECK_OK(rondo_contextvar_set(variable, "callback", NULL));
    CHECK_OK(rondo_loop_raise(self->loop, self->error));
}

static rondo_loop *loop_with_handler(void)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_contextvar_new("v", "default", &variable));
    CHECK_OK(rondo_loop_set_exception_handler(loop, looks_around, "by-handler", NULL));
    return loop;
}

static void end_handler_test(rondo_loop *loop)
{
    CHECK_EQ_STR(value_of(), "default"); /* nothing came out */
    kit_loop_drop(loop);
    CHECK_OK(rondo_contextvar_release(variable));
}

/* "Task exception was never retrieved" is told in the context of the task, who has set the variable;
 * what the handler sets stays in it. */
KIT_TEST(handler_in_the_tasks_context)
{
    rondo_loop *loop = loop_with_handler();
    struct frame frame = { .name = "by-task", .error = kit_error(5, "five") };
    rondo_task *task = task_of(loop, sets_and_raises, &frame);
    kit_pass(loop);
    end_task(task);
    kit_expect_log("handler:by-task");
    CHECK_OK(rondo_error_release(frame.error));
    end_handler_test(loop);
}

/* Also where the task was made in a context object: that is entered, and keeps what is set. */
KIT_TEST(handler_in_a_named_context)
{
    rondo_loop *loop = loop_with_handler();
    struct frame frame = { .name = "by-task", .error = kit_error(5, "five") };
    rondo_task_options options = { .size = sizeof options };
    rondo_task *task = NULL;
    CHECK_OK(rondo_context_new(&options.context));
    CHECK_OK(rondo_loop_create_task(loop, coroutine_of(sets_and_raises, &frame), &options, &task));
    kit_pass(loop);
    end_task(task);
    kit_expect_log("handler:by-task");
    CHECK_OK(rondo_error_release(frame.error));
    CHECK_OK(rondo_context_release(options.context));
    end_handler_test(loop);
}

KIT_TEST(handler_in_the_callbacks_context)
{
    rondo_loop *loop = loop_with_handler();
    rondo_context *context = NULL;
    struct frame frame = { .loop = loop, .error = kit_error(5, "five") };
    rondo_handle *handle = NULL;
    CHECK_OK(rondo_loop_call_soon(loop, sets_and_raises_call, &frame, NULL, NULL));
    CHECK_OK(rondo_loop_call_soon(loop, sets_and_raises_call, &frame, NULL, &handle));
    CHECK_OK(rondo_context_new(&context));
    CHECK_OK(rondo_loop_call_soon_in_context(loop, context, sets_and_raises_call, &frame, NULL, NULL));
    kit_pass(loop);
    kit_expect_log("handler:callback handler:callback handler:callback");
    CHECK_OK(rondo_handle_release(handle));
    CHECK_OK(rondo_context_release(context));
    CHECK_OK(rondo_error_release(frame.error));
    end_handler_test(loop);
}

RONDO_STEP(sets_and_waits)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_contextvar_set(variable, (void *)self->name, NULL));
    RONDO_AWAIT(self, self->future);
    RONDO_END(self);
}

/* "Task was destroyed but it is pending!" */
KIT_TEST(handler_for_a_pending_task)
{
    rondo_loop *loop = loop_with_handler();
    struct frame frame = { .name = "by-task", .future = future_of(loop) };
    rondo_task *task = task_of(loop, sets_and_waits, &frame);
    kit_pass(loop);
    end_task(task);
    end_future(frame.future);
    CHECK_OK(rondo_loop_close(loop, NULL));
    kit_expect_log("handler:by-task");
    CHECK_EQ_STR(value_of(), "default");
    CHECK_OK(rondo_loop_release(loop));
    CHECK_OK(rondo_contextvar_release(variable));
}

/* The handler asks for the task's context, which is the one that it is in. */
static void asks_for_context(rondo_loop *loop, rondo_exception_context *context, void *arg)
{
    rondo_context *of_task = NULL;
    (void)loop;
    (void)arg;
    CHECK_OK(rondo_task_get_context(rondo_exception_context_get_task(context), &of_task));
    CHECK_OK(rondo_contextvar_set(variable, "changed", NULL));
    CHECK_OK(rondo_context_release(of_task));
    kit_log("asked:%s", value_of());
}

KIT_TEST(handler_asks_for_the_context)
{
    rondo_loop *loop = loop_with_handler();
    struct frame frame = { .name = "by-task", .error = kit_error(5, "five") };
    CHECK_OK(rondo_loop_set_exception_handler(loop, asks_for_context, NULL, NULL));
    rondo_task *task = task_of(loop, sets_and_raises, &frame);
    kit_pass(loop);
    end_task(task);
    kit_expect_log("asked:changed");
    CHECK_OK(rondo_error_release(frame.error));
    end_handler_test(loop);
}
