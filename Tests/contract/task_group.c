/* task_group.c - task groups: asyncio.TaskGroup, as CPython 3.13, with cancel() of 3.15. */
#include "coro.h"

#define LONG INT64_C(3600000000000)
#define SHORT INT64_C(1000000)

/* A parent whose body is in a group; what it does in it is the test's own. */
struct parent {
    RONDO_FRAME;
    rondo_loop *loop;
    rondo_task *task;
    rondo_task_group *group, *outer;
    rondo_future *future; /* pending, for who shall wait */
    rondo_error *error;   /* what the body raises */
    rondo_error *left;    /* what left the group; owned */
    struct frame children[4];
    int mode, drops, i, after;
};

static void parent_drop(void *frame)
{
    struct parent *self = frame;
    CHECK_OK(rondo_task_group_release(self->group));
    CHECK_OK(rondo_task_group_release(self->outer));
    self->drops++;
}

static void begin_parent(struct parent *self, rondo_loop *loop)
{
    self->loop = loop;
    if (self->future == NULL)
        self->future = future_of(loop);
}

static rondo_task *spawn_parent(rondo_loop *loop, rondo_step_fn step, struct parent *self)
{
    rondo_task *task = NULL;
    begin_parent(self, loop);
    CHECK_OK(rondo_loop_spawn(loop, step, self, parent_drop, NULL, &task));
    return task;
}

static void end_parent(struct parent *self, rondo_task *task)
{
    CHECK_EQ_INT(self->drops, 1);
    if (self->left != NULL)
        CHECK_OK(rondo_error_release(self->left));
    self->left = NULL;
    if (task != NULL)
        end_task(task);
    end_future(self->future);
}

/* Run it as a task to its end. */
static rondo_task *run_parent(rondo_loop *loop, rondo_step_fn step, struct parent *self)
{
    rondo_task *task = spawn_parent(loop, step, self);
    run_until_done(loop, task);
    return task;
}

/* A child of the group of number i, whose name is NAME. */
static void add_child(struct parent *self, int i, rondo_step_fn step, const char *name)
{
    self->children[i].name = name;
    CHECK_OK(rondo_task_group_spawn(self->group, step, &self->children[i], frame_drop, NULL, NULL));
}

static void fail_with(struct parent *self, int i, int code, int passes)
{
    self->children[i].error = kit_error(code, "child");
    self->children[i].n = passes;
    add_child(self, i, raises_step, NULL);
}

/* Waits for ever on a future of its own; tells how it ended. */
RONDO_STEP(waits_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY(self, rondo_coroutine_sleep(co, LONG));
    kit_log("%s:%s", self->name, thrown == NULL ? "ok" : rondo_status_name(rondo_error_get_status(thrown)));
    if (thrown != NULL && self->error != NULL) /* something else goes wrong while it ends */
        return rondo_coroutine_raise(co, self->error);
    if (thrown != NULL)
        return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

static void drop_errors(struct parent *self)
{
    for (int i = 0; i < 4; i++)
        if (self->children[i].error != NULL)
            CHECK_OK(rondo_error_release(self->children[i].error));
}

static void expect_group(rondo_error *error, int count)
{
    expect_thrown(error, RONDO_E_GROUP, "unhandled errors in a TaskGroup");
    CHECK_EQ_INT(rondo_error_get_count(error), count);
}

static void expect_member(rondo_error *error, int index, int32_t code)
{
    rondo_error *member = rondo_error_get_member(error, (size_t)index);
    CHECK(member != NULL);
    CHECK_EQ_INT(rondo_error_get_code(member), code);
}

/* Keep what left the group, in a body that has just awaited the exit. */
static void keep(struct parent *self, rondo_error *thrown)
{
    self->left = thrown;
    CHECK_OK(rondo_error_retain(thrown));
    self->after = 1;
}

/* ---- ends well ------------------------------------------------------------------------------- */

RONDO_STEP(two_children)
{
    struct parent *self = frame;
    RONDO_BEGIN(self);
    RONDO_TASK_GROUP_ENTER(self, self->group, self->loop);
    self->children[0].n = 3;
    add_child(self, 0, passes_step, "three");
    self->children[1].n = 1;
    add_child(self, 1, passes_step, "one");
    kit_log("body");
    RONDO_TASK_GROUP_EXIT(self, work, self->group);
    kit_log("after");
    RONDO_END(self);
}

KIT_TEST(TG01_waits_for_all)
{
    rondo_loop *loop = kit_virtual_loop();
    struct parent self = { 0 };
    rondo_task *task = run_parent(loop, two_children, &self);
    expect_result(as_future(task), NULL);
    kit_expect_log("body one three after");
    end_parent(&self, task);
    kit_loop_end(loop);
}

/* Tasks that are handed out, made of coroutine objects; and a child that makes another while the
 * parent waits at the exit (TG-13). */
RONDO_STEP(makes_a_sibling)
{
    struct frame *self = frame;
    struct parent *parent = self->value;
    RONDO_BEGIN(self);
    RONDO_YIELD(self);
    RONDO_YIELD(self);
    CHECK_OK(rondo_task_group_create_task(parent->outer, coroutine_of(returns_step, &parent->children[1]),
                                          NULL, NULL));
    kit_log("made");
    RONDO_END(self);
}

RONDO_STEP(children_spawn)
{
    struct parent *self = frame;
    rondo_task *child = NULL;
    RONDO_BEGIN(self);
    RONDO_TASK_GROUP_ENTER(self, self->group, self->loop);
    CHECK_OK(rondo_task_group_retain(self->group));
    self->outer = self->group;
    self->children[0].value = self;
    self->children[1].name = "sibling";
    rondo_task_options options = { .size = sizeof options, .name = "kid" };
    CHECK_OK(rondo_task_group_create_task(self->group, coroutine_of(makes_a_sibling, &self->children[0]),
                                          &options, &child));
    char name[8];
    size_t size;
    CHECK_OK(rondo_task_get_name(child, name, sizeof name, &size));
    CHECK_EQ_STR(name, "kid");
    CHECK_OK(rondo_task_release(child));
    RONDO_TASK_GROUP_EXIT(self, work, self->group);
    kit_log("after");
    CHECK_STATUS(rondo_task_group_spawn(self->outer, no_step, &self->children[2], frame_drop, NULL, NULL),
                 RONDO_E_RUNTIME); /* TG-14: finished */
    CHECK_EQ_INT(self->children[2].drops, 1);
    RONDO_END(self);
}

KIT_TEST(TG13_children_make_children)
{
    rondo_loop *loop = kit_virtual_loop();
    struct parent self = { 0 };
    rondo_task *task = run_parent(loop, children_spawn, &self);
    expect_result(as_future(task), NULL);
    kit_expect_log("made sibling after");
    end_parent(&self, task);
    kit_loop_end(loop);
}

/* Nothing in it: the exit does not wait at all (0 hops); one instant child: 3. */
struct counting {
    RONDO_FRAME;
    rondo_loop *loop;
    rondo_task_group *group;
    int children, ticks, stop;
};

static void count_tick(void *arg)
{
    struct counting *self = arg;
    if (self->stop)
        return;
    self->ticks++;
    CHECK_OK(rondo_loop_call_soon(self->loop, count_tick, self, NULL, NULL));
}

static rondo_step ends_at_once(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)co;
    (void)frame;
    (void)sent;
    (void)thrown;
    return RONDO_STEP_RETURN;
}

RONDO_STEP(counts_hops)
{
    struct counting *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_loop_call_soon(self->loop, count_tick, self, NULL, NULL));
    RONDO_TASK_GROUP_ENTER(self, self->group, self->loop);
    for (int i = 0; i < self->children; i++)
        CHECK_OK(rondo_task_group_spawn(self->group, ends_at_once, NULL, NULL, NULL, NULL));
    RONDO_TASK_GROUP_EXIT(self, work, self->group);
    self->stop = 1;
    RONDO_YIELD(self);
    RONDO_END(self);
}

static int hops(int children, int eager)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_coroutine *main = NULL;
    struct counting self = { .loop = loop, .children = children };
    CHECK_OK(rondo_loop_set_eager_tasks(loop, eager));
    CHECK_OK(rondo_coroutine_new("hops", counts_hops, &self, NULL, &main));
    CHECK_OK(rondo_loop_run_until_complete(loop, main, NULL));
    kit_loop_end(loop);
    return self.ticks;
}

KIT_TEST(hops_of_the_exit)
{
    CHECK_EQ_INT(hops(0, 0), 0);
    CHECK_EQ_INT(hops(1, 0), 3);
    CHECK_EQ_INT(hops(10, 0), 3);
    CHECK_EQ_INT(hops(10, 1), 0); /* eager, and done before the exit */
}

/* ---- errors ---------------------------------------------------------------------------------- */

/* mode 0: the body waits; 1: it is at the exit already; 2: it raises as well. */
RONDO_STEP(one_fails)
{
    struct parent *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_current_task(NULL, &self->task));
    RONDO_TASK_GROUP_ENTER(self, self->group, self->loop);
    fail_with(self, 0, 5, 1);
    add_child(self, 1, waits_step, "sibling");
    if (self->mode == 0)
        RONDO_AWAIT_IN(self, work, self->future);
    if (self->mode == 2) {
        RONDO_TRY_AWAIT(self, self->future);
        expect_thrown(thrown, RONDO_E_CANCELLED, NULL);
        CHECK_EQ_INT(cancelling(self->task), 1);
        thrown = self->error;
    }
    RONDO_TRY_TASK_GROUP_EXIT(self, work, self->group);
    keep(self, thrown);
    CHECK_EQ_INT(cancelling(self->task), 0);
    RONDO_SLEEP(self, SHORT); /* nothing is left to be delivered */
    RONDO_END(self);
}

KIT_TEST(TG02_first_error_cancels_the_rest)
{
    rondo_loop *loop = kit_virtual_loop();
    for (int mode = 0; mode < 2; mode++) {
        struct parent self = { .mode = mode };
        rondo_task *task = run_parent(loop, one_fails, &self);
        expect_result(as_future(task), NULL);
        expect_group(self.left, 1);
        expect_member(self.left, 0, 5);
        kit_expect_log("sibling:RONDO_E_CANCELLED");
        drop_errors(&self);
        end_parent(&self, task);
    }
    kit_loop_end(loop);
}

KIT_TEST(TG03_body_raises_too)
{
    rondo_loop *loop = kit_virtual_loop();
    struct parent self = { .mode = 2, .error = kit_error(9, "body") };
    rondo_task *task = run_parent(loop, one_fails, &self);
    expect_group(self.left, 2);
    expect_member(self.left, 0, 5);
    expect_member(self.left, 1, 9); /* the body's is the last */
    kit_expect_log("sibling:RONDO_E_CANCELLED");
    drop_errors(&self);
    CHECK_OK(rondo_error_release(self.error));
    end_parent(&self, task);
    kit_loop_end(loop);
}

/* The body raises error at once: children are cancelled, one fails on the way (mode 1). */
RONDO_STEP(body_fails)
{
    struct parent *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_current_task(NULL, &self->task));
    RONDO_TASK_GROUP_ENTER(self, self->group, self->loop);
    if (self->mode == 1)
        self->children[0].error = kit_error(6, "while it ended");
    add_child(self, 0, waits_step, "child");
    RONDO_SLEEP_IN(self, work, 0);
    thrown = self->error;
    RONDO_TRY_TASK_GROUP_EXIT(self, work, self->group);
    keep(self, thrown);
    CHECK_EQ_INT(cancelling(self->task), 0);
    RONDO_END(self);
}

KIT_TEST(TG04_body_raises)
{
    rondo_loop *loop = kit_virtual_loop();
    for (int mode = 0; mode < 2; mode++) {
        struct parent self = { .mode = mode, .error = kit_error(9, "body") };
        rondo_task *task = run_parent(loop, body_fails, &self);
        kit_expect_log("child:RONDO_E_CANCELLED");
        expect_group(self.left, 1 + mode);
        expect_member(self.left, mode, 9);
        if (mode == 1)
            expect_member(self.left, 0, 6);
        drop_errors(&self);
        CHECK_OK(rondo_error_release(self.error));
        end_parent(&self, task);
    }
    kit_loop_end(loop);
}

/* TG-09: a child is cancelled by itself: that is no error, the others go on. */
RONDO_STEP(one_is_cancelled)
{
    struct parent *self = frame;
    rondo_task *child = NULL;
    RONDO_BEGIN(self);
    RONDO_TASK_GROUP_ENTER(self, self->group, self->loop);
    self->children[0].name = "cancelled";
    CHECK_OK(rondo_task_group_spawn(self->group, waits_step, &self->children[0], frame_drop, NULL, &child));
    self->children[1].n = 5;
    add_child(self, 1, passes_step, "other");
    self->task = child;
    RONDO_SLEEP_IN(self, work, 0);
    CHECK_OK(rondo_task_cancel(self->task, NULL, NULL));
    CHECK_OK(rondo_task_release(self->task));
    RONDO_TASK_GROUP_EXIT(self, work, self->group);
    RONDO_END(self);
}

KIT_TEST(TG09_cancelled_child_is_no_error)
{
    rondo_loop *loop = kit_virtual_loop();
    struct parent self = { 0 };
    rondo_task *task = run_parent(loop, one_is_cancelled, &self);
    expect_result(as_future(task), NULL);
    kit_expect_log("cancelled:RONDO_E_CANCELLED other");
    end_parent(&self, task);
    kit_loop_end(loop);
}

/* ---- cancelled from outside ------------------------------------------------------------------ */

/* mode 0: waits in the body; 1: at the exit. */
RONDO_STEP(is_cancelled)
{
    struct parent *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_current_task(NULL, &self->task));
    RONDO_TASK_GROUP_ENTER(self, self->group, self->loop);
    if (self->error != NULL) {
        self->children[0].error = self->error;
        CHECK_OK(rondo_error_retain(self->error));
    }
    add_child(self, 0, waits_step, "child");
    if (self->mode == 0)
        RONDO_AWAIT_IN(self, work, self->future);
    RONDO_TRY_TASK_GROUP_EXIT(self, work, self->group);
    keep(self, thrown);
    CHECK_EQ_INT(cancelling(self->task), 1);
    if (self->error != NULL) {
        RONDO_TRY(self, rondo_coroutine_sleep(co, LONG)); /* TG-07: cancelled again at the next await */
        expect_thrown(thrown, RONDO_E_CANCELLED, NULL);
        CHECK_EQ_INT(cancelling(self->task), 1);
        kit_log("again");
    }
    return rondo_coroutine_raise(co, self->left);
    RONDO_END(self);
}

KIT_TEST(TG05_cancelled_from_outside)
{
    rondo_loop *loop = kit_virtual_loop();
    for (int mode = 0; mode < 2; mode++) {
        struct parent self = { .mode = mode };
        rondo_task *task = spawn_parent(loop, is_cancelled, &self);
        kit_pass(loop);
        kit_pass(loop);
        CHECK_OK(rondo_task_cancel(task, "test", NULL));
        run_until_done(loop, task);
        expect_cancelled(as_future(task), "test");
        kit_expect_log("child:RONDO_E_CANCELLED");
        end_parent(&self, task);
    }
    kit_loop_end(loop);
}

/* Cancelled while the child's first step is in the ring already. */
KIT_TEST(TG05_cancelled_at_once)
{
    rondo_loop *loop = kit_virtual_loop();
    struct parent self = { .mode = 1 };
    rondo_task *task = spawn_parent(loop, is_cancelled, &self);
    kit_pass(loop); /* the parent waits at the exit, the child has not begun */
    CHECK_OK(rondo_task_cancel(task, "early", NULL));
    run_until_done(loop, task);
    expect_cancelled(as_future(task), "early");
    kit_expect_log("child:RONDO_E_CANCELLED");
    CHECK_EQ_INT(self.children[0].drops, 1);
    end_parent(&self, task);
    kit_loop_end(loop);
}

KIT_TEST(TG07_cancelled_and_a_child_fails)
{
    rondo_loop *loop = kit_virtual_loop();
    for (int mode = 0; mode < 2; mode++) {
        struct parent self = { .mode = mode, .error = kit_error(6, "six") };
        rondo_task *task = spawn_parent(loop, is_cancelled, &self);
        kit_pass(loop);
        kit_pass(loop);
        CHECK_OK(rondo_task_cancel(task, NULL, NULL));
        run_until_done(loop, task);
        expect_group(self.left, 1);
        expect_member(self.left, 0, 6);
        expect_failed(as_future(task), RONDO_E_GROUP, NULL);
        kit_expect_log("child:RONDO_E_CANCELLED again");
        drop_errors(&self);
        CHECK_OK(rondo_error_release(self.error));
        end_parent(&self, task);
    }
    kit_loop_end(loop);
}

/* Does not end when it is cancelled, but n passes later. */
RONDO_STEP(ends_slowly)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY(self, rondo_coroutine_sleep(co, LONG));
    for (self->i = 0; self->i < self->n; self->i++)
        RONDO_YIELD(self);
    kit_log("slow");
    RONDO_END(self);
}

RONDO_STEP(has_a_slow_child)
{
    struct parent *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_current_task(NULL, &self->task));
    RONDO_TASK_GROUP_ENTER(self, self->group, self->loop);
    self->children[0].n = 20;
    add_child(self, 0, ends_slowly, NULL);
    RONDO_TRY_TASK_GROUP_EXIT(self, work, self->group);
    keep(self, thrown);
    return rondo_coroutine_raise(co, self->left);
    RONDO_END(self);
}

/* Cancelled again and again while it waits: it waits until the child has ended, and the first
 * cancellation is the one that goes on. */
KIT_TEST(cancelled_repeatedly_at_the_exit)
{
    rondo_loop *loop = kit_virtual_loop();
    struct parent self = { 0 };
    rondo_task *task = spawn_parent(loop, has_a_slow_child, &self);
    kit_pass(loop);
    kit_pass(loop);
    for (int i = 0; i < 5; i++) {
        CHECK_OK(rondo_task_cancel(task, i == 0 ? "first" : "later", NULL));
        kit_pass(loop);
        expect_pending(as_future(task));
    }
    run_until_done(loop, task);
    kit_expect_log("slow");
    expect_cancelled(as_future(task), "first");
    CHECK_EQ_INT(cancelling(task), 5);
    end_parent(&self, task);
    kit_loop_end(loop);
}

/* ---- nested ---------------------------------------------------------------------------------- */

/* mode 0: both children fail in the same pass; 1: only the outer one's. */
RONDO_STEP(nested)
{
    struct parent *self = frame;
    rondo_error *thrown_on = NULL;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_current_task(NULL, &self->task));
    RONDO_TASK_GROUP_ENTER(self, self->outer, self->loop);
    self->children[0].error = kit_error(1, "outer");
    CHECK_OK(rondo_task_group_spawn(self->outer, raises_step, &self->children[0], frame_drop, NULL, NULL));
    RONDO_TASK_GROUP_ENTER(self, self->group, self->loop);
    if (self->mode == 0)
        fail_with(self, 1, 2, 0);
    else
        add_child(self, 1, waits_step, "inner");
    RONDO_AWAIT_IN(self, inner, self->future);
    RONDO_TRY_TASK_GROUP_EXIT(self, inner, self->group);
    kit_log("inner:%s", thrown == NULL ? "-" : rondo_status_name(rondo_error_get_status(thrown)));
    CHECK_EQ_INT(cancelling(self->task), 1); /* the outer group's */
    thrown_on = thrown;
    if (self->mode == 0) {
        expect_group(thrown, 1);
        expect_member(thrown, 0, 2);
        RONDO_TRY(self, rondo_coroutine_sleep(co, LONG)); /* handled; the outer one's comes now */
        expect_thrown(thrown, RONDO_E_CANCELLED, NULL);
        thrown_on = thrown;
    }
    thrown = thrown_on;
    RONDO_TRY_TASK_GROUP_EXIT(self, outer, self->outer);
    keep(self, thrown);
    CHECK_EQ_INT(cancelling(self->task), 0);
    RONDO_END(self);
}

KIT_TEST(TG08_nested_both_fail)
{
    rondo_loop *loop = kit_virtual_loop();
    struct parent self = { .mode = 0 };
    rondo_task *task = run_parent(loop, nested, &self);
    expect_result(as_future(task), NULL);
    kit_expect_log("inner:RONDO_E_GROUP");
    expect_group(self.left, 1);
    expect_member(self.left, 0, 1);
    drop_errors(&self);
    end_parent(&self, task);
    kit_loop_end(loop);
}

KIT_TEST(TG10_outer_fails_inside_the_inner)
{
    rondo_loop *loop = kit_virtual_loop();
    struct parent self = { .mode = 1 };
    rondo_task *task = run_parent(loop, nested, &self);
    kit_expect_log("inner:RONDO_E_CANCELLED inner:RONDO_E_CANCELLED");
    expect_group(self.left, 1);
    expect_member(self.left, 0, 1);
    drop_errors(&self);
    end_parent(&self, task);
    kit_loop_end(loop);
}

/* A timeout around a group: its children are cancelled, and RONDO_E_TIMEOUT comes out. */
struct limited {
    RONDO_FRAME;
    struct parent *parent;
    rondo_timeout *limit;
    rondo_error *left;
};

RONDO_STEP(group_under_a_timeout)
{
    struct limited *self = frame;
    struct parent *parent = self->parent;
    RONDO_BEGIN(self);
    RONDO_TIMEOUT_ENTER(self, self->limit, parent->loop, SHORT);
    RONDO_TASK_GROUP_ENTER(self, parent->group, parent->loop);
    add_child(parent, 0, waits_step, "child");
    RONDO_TRY_TASK_GROUP_EXIT(self, group, parent->group);
    RONDO_TRY_TIMEOUT_EXIT(self, limit, self->limit, self->left);
    RONDO_END(self);
}

KIT_TEST(inside_a_timeout)
{
    rondo_loop *loop = kit_virtual_loop();
    struct parent parent = { .loop = loop };
    struct limited self = { .parent = &parent };
    rondo_coroutine *main = NULL;
    CHECK_OK(rondo_coroutine_new("limited", group_under_a_timeout, &self, NULL, &main));
    CHECK_OK(rondo_loop_run_until_complete(loop, main, NULL));
    kit_expect_log("child:RONDO_E_CANCELLED");
    expect_thrown(self.left, RONDO_E_TIMEOUT, NULL);
    CHECK_OK(rondo_error_release(self.left));
    kit_loop_end(loop);
}

/* ---- errors that leave the loop -------------------------------------------------------------- */

/* The body's own SystemExit, with a child that fails while it ends. */
KIT_TEST(TG11_body_exits)
{
    rondo_loop *loop = kit_virtual_loop();
    kit_record_reports(loop);
    struct parent self = { .mode = 1, .error = kit_rondo_error(RONDO_E_EXIT, "bye") };
    rondo_task *task = run_parent(loop, body_fails, &self);
    CHECK_EQ_PTR(self.left, self.error); /* bare */
    kit_expect_log("child:RONDO_E_CANCELLED");
    CHECK_EQ_INT(kit_reports(), 1); /* 3.15: the child's is not lost */
    CHECK_EQ_INT(kit_report_code(0), 6);
    drop_errors(&self);
    CHECK_OK(rondo_error_release(self.error));
    end_parent(&self, task);
    kit_loop_end(loop);
}

RONDO_STEP(child_exits)
{
    struct parent *self = frame;
    RONDO_BEGIN(self);
    RONDO_TASK_GROUP_ENTER(self, self->group, self->loop);
    self->children[0].error = kit_rondo_error(RONDO_E_EXIT, "bye");
    add_child(self, 0, raises_step, NULL);
    add_child(self, 1, waits_step, "sibling");
    RONDO_AWAIT_IN(self, work, self->future);
    RONDO_TRY_TASK_GROUP_EXIT(self, work, self->group);
    keep(self, thrown);
    RONDO_END(self);
}

KIT_TEST(TG11_child_exits)
{
    rondo_loop *loop = kit_virtual_loop();
    struct parent self = { 0 };
    rondo_error *escaped = NULL;
    rondo_task *task = spawn_parent(loop, child_exits, &self);
    CHECK_STATUS(rondo_loop_run_until_complete(loop, task, NULL), RONDO_E_EXIT);
    CHECK_OK(rondo_loop_take_escaped(loop, &escaped));
    CHECK_EQ_PTR(escaped, self.children[0].error);
    run_until_done(loop, task); /* the loop goes on: so does the group */
    CHECK_EQ_PTR(self.left, self.children[0].error);
    kit_expect_log("sibling:RONDO_E_CANCELLED");
    CHECK_OK(rondo_error_release(escaped));
    drop_errors(&self);
    end_parent(&self, task);
    kit_loop_end(loop);
}

/* TG-24: GeneratorExit alone leaves as it is. */
KIT_TEST(TG24_generator_exit)
{
    rondo_loop *loop = kit_virtual_loop();
    for (int mode = 0; mode < 2; mode++) {
        struct parent self = { .mode = mode, .error = kit_rondo_error(RONDO_E_GENERATOR_EXIT, NULL) };
        rondo_task *task = run_parent(loop, body_fails, &self);
        if (mode == 0)
            CHECK_EQ_PTR(self.left, self.error);
        else
            expect_group(self.left, 2); /* a child failed, too */
        kit_expect_log("child:RONDO_E_CANCELLED");
        drop_errors(&self);
        CHECK_OK(rondo_error_release(self.error));
        end_parent(&self, task);
    }
    kit_loop_end(loop);
}

/* ---- wrong use ------------------------------------------------------------------------------- */

RONDO_STEP(uses_it_wrongly)
{
    struct parent *self = frame;
    rondo_coroutine *coroutine = NULL;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_task_group_new(self->loop, &self->group));
    CHECK_STATUS(rondo_task_group_create_task(self->group, coroutine_of(no_step, &self->children[0]), NULL,
                                              NULL), RONDO_E_RUNTIME); /* TG-14: not entered */
    CHECK_EQ_INT(self->children[0].drops, 1);
    CHECK_OK(rondo_task_group_exit(self->group, NULL, &coroutine));
    RONDO_TRY_AWAIT(self, coroutine);
    expect_thrown(thrown, RONDO_E_RUNTIME, "TaskGroup has not been entered");
    CHECK_OK(rondo_task_group_enter(self->group));
    CHECK_STATUS(rondo_task_group_enter(self->group), RONDO_E_RUNTIME);
    CHECK_OK(rondo_task_group_exit(self->group, NULL, &coroutine));
    RONDO_AWAIT(self, coroutine);
    CHECK_STATUS(rondo_task_group_create_task(self->group, coroutine_of(no_step, &self->children[1]), NULL,
                                              NULL), RONDO_E_RUNTIME); /* finished */
    CHECK_EQ_INT(self->children[1].drops, 1);
    CHECK_OK(rondo_task_group_exit(self->group, NULL, &coroutine));
    RONDO_TRY_AWAIT(self, coroutine);
    expect_thrown(thrown, RONDO_E_RUNTIME, "TaskGroup is finished");
    CHECK_OK(rondo_task_group_cancel(self->group)); /* no-op */
    RONDO_SLEEP(self, SHORT);
    RONDO_END(self);
}

KIT_TEST(TG14_wrong_state)
{
    rondo_loop *loop = kit_virtual_loop();
    struct parent self = { 0 };
    kit_catch_log();
    rondo_task *task = run_parent(loop, uses_it_wrongly, &self);
    expect_result(as_future(task), NULL);
    CHECK_EQ_INT(kit_logged(), 0); /* refused coroutines are closed, not "never awaited" */
    end_parent(&self, task);
    kit_loop_end(loop);
}

KIT_TEST(TG12_outside_a_task)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_task_group *group = NULL;
    CHECK_OK(rondo_task_group_new(loop, &group));
    CHECK_STATUS(rondo_task_group_enter(group), RONDO_E_RUNTIME);
    CHECK_OK(rondo_task_group_release(group));
    CHECK_STATUS(rondo_task_group_release(group), RONDO_E_STALE_HANDLE);
    kit_loop_end(loop);
}

RONDO_STEP(makes_one_while_it_aborts)
{
    struct parent *self = frame;
    RONDO_BEGIN(self);
    RONDO_TASK_GROUP_ENTER(self, self->group, self->loop);
    fail_with(self, 0, 5, 0);
    RONDO_TRY_AWAIT(self, self->future);
    expect_thrown(thrown, RONDO_E_CANCELLED, NULL);
    CHECK_STATUS(rondo_task_group_create_task(self->group, coroutine_of(no_step, &self->children[1]), NULL,
                                              NULL), RONDO_E_RUNTIME); /* TG-14: shutting down */
    CHECK_EQ_INT(self->children[1].drops, 1);
    RONDO_TRY_TASK_GROUP_EXIT(self, work, self->group);
    keep(self, thrown);
    RONDO_END(self);
}

KIT_TEST(TG14_shutting_down)
{
    rondo_loop *loop = kit_virtual_loop();
    struct parent self = { 0 };
    rondo_task *task = run_parent(loop, makes_one_while_it_aborts, &self);
    expect_group(self.left, 1);
    drop_errors(&self);
    end_parent(&self, task);
    kit_loop_end(loop);
}

/* ---- cancel() -------------------------------------------------------------------------------- */

/* mode 0: waits afterwards; 1: leaves without; 2: cancelled before entering, waits; 3: as 2, without. */
RONDO_STEP(ends_early)
{
    struct parent *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_current_task(NULL, &self->task));
    CHECK_OK(rondo_task_group_new(self->loop, &self->group));
    if (self->mode >= 2)
        CHECK_OK(rondo_task_group_cancel(self->group));
    CHECK_EQ_INT(cancelling(self->task), 0);
    CHECK_OK(rondo_task_group_enter(self->group));
    if (self->mode < 2) {
        add_child(self, 0, waits_step, "child");
        RONDO_SLEEP_IN(self, work, 0);
        CHECK_OK(rondo_task_group_cancel(self->group));
        CHECK_OK(rondo_task_group_cancel(self->group)); /* once is enough */
    }
    CHECK_EQ_INT(cancelling(self->task), 1);
    CHECK_STATUS(rondo_task_group_spawn(self->group, no_step, &self->children[1], frame_drop, NULL, NULL),
                 RONDO_E_RUNTIME);
    if (self->mode % 2 == 0) {
        RONDO_SLEEP_IN(self, work, LONG);
        kit_log("not reached");
    }
    RONDO_TASK_GROUP_EXIT(self, work, self->group);
    CHECK_EQ_INT(cancelling(self->task), 0);
    RONDO_SLEEP(self, SHORT); /* TG-20: later awaits are fine */
    kit_log("after");
    RONDO_END(self);
}

KIT_TEST(TG19_TG20_TG21_cancel)
{
    rondo_loop *loop = kit_virtual_loop();
    for (int mode = 0; mode < 4; mode++) {
        struct parent self = { .mode = mode };
        rondo_task *task = run_parent(loop, ends_early, &self);
        expect_result(as_future(task), NULL);
        kit_expect_log(mode < 2 ? "child:RONDO_E_CANCELLED after" : "after");
        end_parent(&self, task);
    }
    kit_loop_end(loop);
}

/* TG-22: a child ends the group, while the parent is in its body (0) or at the exit (1). */
RONDO_STEP(ends_the_group)
{
    struct frame *self = frame;
    struct parent *parent = self->value;
    RONDO_BEGIN(self);
    RONDO_YIELD(self);
    RONDO_YIELD(self);
    CHECK_OK(rondo_task_group_cancel(parent->outer));
    RONDO_TRY(self, rondo_coroutine_sleep(co, LONG));
    expect_thrown(thrown, RONDO_E_CANCELLED, NULL);
    kit_log("child");
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

RONDO_STEP(is_ended_by_a_child)
{
    struct parent *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_current_task(NULL, &self->task));
    RONDO_TASK_GROUP_ENTER(self, self->group, self->loop);
    CHECK_OK(rondo_task_group_retain(self->group));
    self->outer = self->group;
    self->children[0].value = self;
    add_child(self, 0, ends_the_group, NULL);
    self->children[1].n = 30; /* ends long after it was cancelled */
    add_child(self, 1, ends_slowly, NULL);
    if (self->mode == 0)
        RONDO_AWAIT_IN(self, work, self->future);
    RONDO_TRY_TASK_GROUP_EXIT(self, work, self->group);
    if (thrown != NULL)
        return rondo_coroutine_raise(co, thrown);
    CHECK_EQ_INT(cancelling(self->task), 0);
    kit_log("after");
    RONDO_END(self);
}

KIT_TEST(TG22_a_child_cancels_the_group)
{
    rondo_loop *loop = kit_virtual_loop();
    for (int mode = 0; mode < 2; mode++) {
        struct parent self = { .mode = mode };
        rondo_task *task = run_parent(loop, is_ended_by_a_child, &self);
        expect_result(as_future(task), NULL);
        kit_expect_log("child slow after");
        end_parent(&self, task);
    }
    kit_loop_end(loop);
}

/* TG-23: somebody else cancels as well: that is delivered. */
KIT_TEST(TG23_cancel_and_a_real_one)
{
    rondo_loop *loop = kit_virtual_loop();
    for (int mode = 0; mode < 2; mode++) {
        struct parent self = { .mode = mode };
        rondo_task *task = spawn_parent(loop, is_ended_by_a_child, &self);
        for (int i = 0; i < 8; i++)
            kit_pass(loop); /* the group is ending, the slow child is left */
        expect_pending(as_future(task));
        CHECK_EQ_INT(cancelling(task), 1);
        CHECK_OK(rondo_task_cancel(task, "real", NULL));
        run_until_done(loop, task);
        CHECK_EQ_INT(rondo_future_is_cancelled(as_future(task)), 1);
        expect_cancelled(as_future(task), "real");
        CHECK_EQ_INT(cancelling(task), 1);
        kit_expect_log("child slow");
        end_parent(&self, task);
    }
    kit_loop_end(loop);
}

/* cancel() and an error: the error goes on. */
RONDO_STEP(ends_early_with_an_error)
{
    struct parent *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_current_task(NULL, &self->task));
    RONDO_TASK_GROUP_ENTER(self, self->group, self->loop);
    self->children[0].error = kit_error(6, "six");
    add_child(self, 0, waits_step, "child");
    RONDO_SLEEP_IN(self, work, 0);
    CHECK_OK(rondo_task_group_cancel(self->group));
    RONDO_TRY_TASK_GROUP_EXIT(self, work, self->group);
    keep(self, thrown);
    CHECK_EQ_INT(cancelling(self->task), 0);
    RONDO_SLEEP(self, 0);
    RONDO_END(self);
}

KIT_TEST(cancel_and_an_error)
{
    rondo_loop *loop = kit_virtual_loop();
    struct parent self = { 0 };
    rondo_task *task = run_parent(loop, ends_early_with_an_error, &self);
    expect_result(as_future(task), NULL);
    expect_group(self.left, 1);
    expect_member(self.left, 0, 6);
    kit_expect_log("child:RONDO_E_CANCELLED");
    drop_errors(&self);
    end_parent(&self, task);
    kit_loop_end(loop);
}

/* ---- parents and loops that are gone --------------------------------------------------------- */

/* Leaves without its exit: what the children raise goes to the exception handler. */
RONDO_STEP(forgets_the_exit)
{
    struct parent *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_task_group_new(self->loop, &self->group));
    CHECK_OK(rondo_task_group_enter(self->group));
    fail_with(self, 0, 5, 2);
    RONDO_END(self);
}

KIT_TEST(TG17_parent_is_done)
{
    rondo_loop *loop = kit_virtual_loop();
    struct parent self = { 0 };
    kit_record_reports(loop);
    rondo_task *task = run_parent(loop, forgets_the_exit, &self);
    for (int i = 0; i < 5; i++)
        kit_pass(loop);
    CHECK_EQ_INT(kit_reports(), 1);
    CHECK_EQ_INT(kit_report_code(0), 5);
    CHECK(strstr(kit_report_message(0), "has errored out but its parent task") != NULL);
    drop_errors(&self);
    end_parent(&self, task);
    kit_loop_end(loop);
}

KIT_TEST(loop_closed_with_a_group)
{
    for (int mode = 0; mode < 2; mode++) {
        rondo_loop *loop = kit_virtual_loop();
        kit_record_reports(loop);
        struct parent self = { .mode = mode };
        rondo_task_group *group = NULL;
        rondo_task *task = spawn_parent(loop, is_ended_by_a_child, &self);
        kit_pass(loop);
        group = self.outer;
        CHECK_OK(rondo_task_group_retain(group));
        CHECK_OK(rondo_loop_close(loop, NULL));
        CHECK_EQ_INT(self.drops, 1);
        CHECK_EQ_INT(self.children[0].drops + self.children[1].drops, 2);
        CHECK_STATUS(rondo_task_group_cancel(group), RONDO_E_LOOP_CLOSED);
        CHECK_STATUS(rondo_task_group_spawn(group, no_step, &self.children[2], frame_drop, NULL, NULL),
                     RONDO_E_LOOP_CLOSED);
        CHECK_OK(rondo_task_group_release(group));
        end_parent(&self, task);
        CHECK_OK(rondo_loop_release(loop));
    }
}

/* Closed with its loop, it waits on, in a coroutine of its own: RuntimeError, and no leak. */
RONDO_STEP(ignores_closing)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_AWAIT(self, self->future);
    expect_thrown(thrown, RONDO_E_GENERATOR_EXIT, NULL);
    RONDO_TRY_AWAIT(self, coroutine_of(awaits_step, self->parent));
    kit_fail(__FILE__, __LINE__, "not reached");
    RONDO_END(self);
}

KIT_TEST(closing_ignored)
{
    rondo_loop *loop = kit_virtual_loop();
    kit_record_reports(loop);
    struct frame inner = { .future = future_of(loop) };
    struct frame outer = { .future = inner.future, .parent = &inner };
    rondo_task *task = task_of(loop, ignores_closing, &outer);
    kit_pass(loop);
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_EQ_INT(outer.drops, 1);
    CHECK_EQ_INT(inner.drops, 1);
    end_task(task);
    end_future(inner.future);
    CHECK_OK(rondo_loop_release(loop));
}

/* An exit that is never awaited holds the group and lets go of it. */
KIT_TEST(exit_never_awaited)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_task_group *group = NULL;
    rondo_coroutine *coroutine = NULL;
    rondo_error *error = kit_error(5, "five");
    kit_catch_log();
    CHECK_OK(rondo_task_group_new(loop, &group));
    CHECK_OK(rondo_task_group_exit(group, error, &coroutine));
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_task_group_release(group));
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK(kit_logged_containing("was never awaited"));
    kit_loop_end(loop);
}

/* ---- many ------------------------------------------------------------------------------------ */

struct many {
    RONDO_FRAME;
    rondo_loop *loop;
    rondo_task_group *group;
    int count;
};

RONDO_STEP(many_children)
{
    struct many *self = frame;
    RONDO_BEGIN(self);
    RONDO_TASK_GROUP_ENTER(self, self->group, self->loop);
    for (int i = 0; i < self->count; i++)
        CHECK_OK(rondo_task_group_spawn(self->group, ends_at_once, NULL, NULL, NULL, NULL));
    RONDO_TASK_GROUP_EXIT(self, work, self->group);
    RONDO_END(self);
}

KIT_TEST(TG16_a_hundred_thousand)
{
    rondo_loop *loop = kit_virtual_loop();
    struct many self = { .loop = loop, .count = kit_rounds(100000) };
    rondo_coroutine *main = NULL;
    CHECK_OK(rondo_coroutine_new("many", many_children, &self, NULL, &main));
    CHECK_OK(rondo_loop_run_until_complete(loop, main, NULL));
    kit_loop_end(loop);
}
