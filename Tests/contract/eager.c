/* eager.c - eager tasks: the first step runs inside create_task (asyncio 3.12). */
#include "coro.h"

static rondo_task *eager_task(rondo_loop *loop, rondo_step_fn step, struct frame *frame)
{
    rondo_task_options options = { .size = sizeof options, .eager_start = RONDO_EAGER_YES };
    rondo_task *task = NULL;
    frame->loop = loop;
    options.name = frame->name;
    CHECK_OK(rondo_loop_create_task(loop, coroutine_of(step, frame), &options, &task));
    return task;
}

/* Run a body inside a running loop, as most of these need one. */
static void run_body(rondo_step_fn body, struct frame *frame)
{
    rondo_loop *loop = kit_loop();
    rondo_future *done = run_frame(loop, body, frame);
    expect_result(done, NULL);
    end_future(done);
    kit_loop_end(loop);
}

RONDO_STEP(two_steps)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    kit_log("step1");
    RONDO_YIELD(self);
    kit_log("step2");
    return rondo_coroutine_return(co, self->loop, NULL);
    RONDO_END(self);
}

RONDO_STEP(E01_body)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    self->task = eager_task(self->loop, two_steps, self->parent);
    kit_log("created");
    expect_pending(as_future(self->task));
    RONDO_AWAIT(self, self->task);
    CHECK_EQ_PTR(sent, self->loop);
    end_task(self->task);
    RONDO_END(self);
}

/* E-01: it runs inline up to its first suspension. */
KIT_TEST(E01_runs_until_it_blocks)
{
    struct frame child = { 0 }, main = { .parent = &child };
    run_body(E01_body, &main);
    kit_expect_log("step1 created step2");
    CHECK_EQ_INT(child.drops, 1);
}

RONDO_STEP(E02_body)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    rondo_task *task = eager_task(self->loop, returns_step, self->parent);
    CHECK_EQ_INT(self->parent->drops, 1);
    expect_result(as_future(task), self); /* done before create_task returned */
    CHECK_STATUS(rondo_task_cancel(task, "late", NULL), RONDO_E_INVALID_STATE);
    expect_result(as_future(task), self); /* E-04 */
    end_task(task);
    task = eager_task(self->loop, raises_step, self->parent + 1);
    expect_failed(as_future(task), 5, "five");
    end_task(task);
    RONDO_END(self);
}

/* E-04: cancel() after an eager completion is False and keeps the result. */
KIT_TEST(E04_eager_completion)
{
    struct frame children[] = { { 0 }, { .error = kit_error(5, "five") } };
    struct frame main = { .parent = children };
    children[0].value = &main;
    run_body(E02_body, &main);
    CHECK_OK(rondo_error_release(children[1].error));
    CHECK_EQ_INT(children[1].drops, 1);
}

RONDO_STEP(E04_body)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    self->task = eager_task(self->loop, tells_step, self->parent);
    CHECK_EQ_INT(self->parent->started, 1);
    CHECK_OK(rondo_task_cancel(self->task, "msg", NULL));
    RONDO_TRY_AWAIT(self, self->task);
    expect_thrown(thrown, RONDO_E_CANCELLED, "msg");
    expect_cancelled(as_future(self->task), "msg");
    end_task(self->task);
    RONDO_END(self);
}

/* E-04: cancel() after it blocked: CancelledError with the message; what it awaits is cancelled. */
KIT_TEST(E04_cancel_after_it_blocked)
{
    rondo_loop *loop = kit_loop();
    struct frame child = { .name = "child", .future = future_of(loop) }, main = { .parent = &child };
    rondo_future *done = run_frame(loop, E04_body, &main);
    expect_result(done, NULL);
    kit_expect_log("child:cancelled");
    expect_cancelled(child.future, "msg");
    end_future(child.future);
    end_future(done);
    kit_loop_end(loop);
}

RONDO_STEP(knows_itself_step)
{
    struct frame *self = frame;
    rondo_task *current = NULL;
    char name[64];
    RONDO_BEGIN(self);
    for (; self->i < 2; self->i++) {
        CHECK_OK(rondo_current_task(NULL, &current));
        CHECK_OK(rondo_task_get_name(current, name, sizeof name, NULL));
        kit_log("%s", name);
        RONDO_YIELD(self);
    }
    RONDO_END(self);
}

RONDO_STEP(E06_body)
{
    struct frame *self = frame;
    rondo_task *current = NULL, *child = NULL;
    size_t count = 0;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_current_task(NULL, &self->task));
    child = eager_task(self->loop, knows_itself_step, self->parent);
    CHECK_OK(rondo_current_task(NULL, &current));
    CHECK_EQ_PTR(current, self->task); /* the outer one is current again */
    CHECK_OK(rondo_all_tasks(NULL, NULL, 0, &count));
    CHECK_EQ_INT(count, 2); /* a blocked eager task is one of all tasks */
    kit_log("created");
    RONDO_AWAIT_MOVED(self, child);
    RONDO_END(self);
}

/* E-06: the name is set before the first step, which is the current task's. */
KIT_TEST(E06_name_and_current_task)
{
    struct frame child = { .name = "eager" }, main = { .parent = &child };
    run_body(E06_body, &main);
    kit_expect_log("eager created eager");
}

RONDO_STEP(E06_default_body)
{
    struct frame *self = frame;
    rondo_task_options no = { .size = sizeof no, .eager_start = RONDO_EAGER_NO };
    RONDO_BEGIN(self);
    CHECK_OK(rondo_loop_set_eager_tasks(self->loop, 1));
    CHECK_OK(rondo_loop_create_task(self->loop, coroutine_of(returns_step, &self->parent[0]), NULL, NULL));
    kit_log("made-a");
    CHECK_OK(rondo_loop_create_task(self->loop, coroutine_of(returns_step, &self->parent[1]), &no, NULL));
    kit_log("made-b");
    CHECK_OK(rondo_loop_spawn(self->loop, returns_step, &self->parent[2], frame_drop, NULL, NULL));
    kit_log("made-c");
    CHECK_OK(rondo_loop_set_eager_tasks(self->loop, 0));
    CHECK_OK(rondo_loop_create_task(self->loop, coroutine_of(returns_step, &self->parent[3]), NULL, NULL));
    kit_log("made-d");
    RONDO_YIELD(self);
    RONDO_END(self);
}

/* E-06: the loop's default, and a task that overrides it. */
KIT_TEST(E06_default_and_override)
{
    struct frame children[] = { { .name = "a" }, { .name = "b" }, { .name = "c" }, { .name = "d" } };
    struct frame main = { .parent = children };
    run_body(E06_default_body, &main);
    kit_expect_log("a made-a made-b c made-c made-d b d");
    for (int i = 0; i < 4; i++)
        CHECK_EQ_INT(children[i].drops, 1);
}

/* E-07: eager is ignored while the loop is not running. */
KIT_TEST(E07_loop_not_running)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .name = "a" }, second = { .name = "b" };
    rondo_task *task = eager_task(loop, returns_step, &frame), *other;
    CHECK_EQ_INT(frame.started, 0);
    CHECK_OK(rondo_loop_set_eager_tasks(loop, 1));
    other = task_of(loop, returns_step, &second);
    CHECK_EQ_INT(second.started, 0);
    run_until_done(loop, other);
    kit_expect_log("a b");
    end_task(task);
    end_task(other);
    kit_loop_end(loop);
}

static rondo_contextvar *variable;

static rondo_step sets_variable(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    void *value = NULL;
    (void)co;
    (void)frame;
    (void)sent;
    (void)thrown;
    CHECK_OK(rondo_contextvar_get(variable, &value));
    kit_log("%s", (const char *)value);
    CHECK_OK(rondo_contextvar_set(variable, "child", NULL));
    return RONDO_STEP_RETURN;
}

RONDO_STEP(context_body)
{
    struct frame *self = frame;
    void *value = NULL;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_contextvar_set(variable, "main", NULL));
    end_task(eager_task(self->loop, sets_variable, self->parent));
    CHECK_OK(rondo_contextvar_get(variable, &value));
    kit_log("%s", (const char *)value);
    RONDO_END(self);
}

/* The eager step runs in the task's own copy of the context. */
KIT_TEST(E08_eager_step_has_its_own_context)
{
    struct frame child = { 0 }, main = { .parent = &child };
    CHECK_OK(rondo_contextvar_new("v", NULL, &variable));
    run_body(context_body, &main);
    kit_expect_log("main main");
    CHECK_OK(rondo_contextvar_release(variable));
}

RONDO_STEP(nested_eager)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    kit_log("in%d", self->n);
    if (self->n > 0)
        end_task(eager_task(self->loop, nested_eager, self + 1));
    kit_log("out%d", self->n);
    RONDO_END(self);
}

KIT_TEST(E09_eager_tasks_make_eager_tasks)
{
    struct frame frames[] = { { .n = 2 }, { .n = 1 }, { .n = 0 } };
    run_body(nested_eager, frames);
    kit_expect_log("in2 in1 in0 out0 out1 out2");
}
