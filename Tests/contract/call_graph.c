/* call_graph.c - who waits for whom: stacks, every helper's edge, circles, text, the table of tasks. */
#define _GNU_SOURCE
#include "coro.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ALL RONDO_CALL_GRAPH_NO_LIMIT

/* ---- a graph as a line: "depth:name[innermost ... outermost]" for each entry ------------------ */

static const char *shape(const rondo_call_graph *graph)
{
    static char text[8192];
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < rondo_call_graph_count(graph); i++) {
        int32_t flags = rondo_call_graph_get_flags(graph, i);
        bool is_task = rondo_call_graph_get_kind(graph, i) == RONDO_CALL_GRAPH_TASK;
        at += snprintf(text + at, sizeof text - at, "%s%zu:%s[", i > 0 ? " " : "", rondo_call_graph_get_depth(graph, i),
                       is_task ? rondo_call_graph_get_name(graph, i) : "(future)");
        for (size_t k = 0; k < rondo_call_graph_get_call_count(graph, i); k++)
            at += snprintf(text + at, sizeof text - at, "%s%s", k > 0 ? " " : "", rondo_call_graph_get_call(graph, i, k));
        at += snprintf(text + at, sizeof text - at, "]%s%s", flags & RONDO_CALL_GRAPH_REPEATED ? "^" : "",
                       flags & RONDO_CALL_GRAPH_CYCLE ? "@" : "");
        CHECK(at < sizeof text);
    }
    return text;
}

static rondo_call_graph *graph_of(rondo_awaitable *future)
{
    rondo_call_graph *graph = NULL;
    CHECK_OK(rondo_capture_call_graph(future, 0, ALL, &graph));
    CHECK(graph != NULL);
    return graph;
}

static void check_shape(int line, rondo_awaitable *future, int32_t limit, const char *expected)
{
    rondo_call_graph *graph = NULL;
    CHECK_OK(rondo_capture_call_graph(future, 0, limit, &graph));
    kit_check_str(__FILE__, line, "the graph", shape(graph), expected);
    CHECK_OK(rondo_call_graph_release(graph));
}
#define EXPECT_SHAPE(future, expected) check_shape(__LINE__, future, ALL, expected)

/* ---- bodies ---------------------------------------------------------------------------------- */

/* Awaits frame->child, else frame->future, else frame->task, once. */
RONDO_STEP(await_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    self->started++;
    if (self->child != NULL)
        RONDO_AWAIT(self, self->child);
    else if (self->future != NULL)
        RONDO_AWAIT(self, self->future);
    else
        RONDO_AWAIT(self, self->task);
    RONDO_END(self);
}

static rondo_task *named_task(rondo_loop *loop, const char *name, rondo_coroutine *coroutine)
{
    rondo_task_options options = { .size = sizeof options, .name = name };
    rondo_task *task = NULL;
    CHECK_OK(rondo_loop_create_task(loop, coroutine, &options, &task));
    return task;
}

/* A task that awaits one thing: a coroutine (which moves) or a future. */
static rondo_task *awaiting(rondo_loop *loop, const char *name, struct frame *frame, rondo_coroutine *child,
                            rondo_future *future)
{
    *frame = (struct frame){ .name = name, .child = child, .future = future };
    return named_task(loop, name, coroutine_of(await_step, frame));
}

static void stop_task(rondo_loop *loop, rondo_task *task)
{
    if (task == NULL)
        return;
    rondo_task_cancel(task, NULL, NULL);
    rondo_loop_run_until_complete(loop, task, NULL);
    CHECK_OK(rondo_task_release(task));
}

/* ---- a stack --------------------------------------------------------------------------------- */

struct chain {
    rondo_loop *loop;
    rondo_future *future;
    struct frame frames[4];
    rondo_task *task;
};

/* Task "main": main awaits c1 awaits c2 awaits c3 awaits a future. */
static void begin_chain(struct chain *chain, rondo_loop *loop)
{
    static const char *const names[] = { "c3", "c2", "c1" };
    chain->loop = loop;
    chain->future = future_of(loop);
    rondo_coroutine *inner = NULL;
    for (int i = 0; i < 3; i++) {
        chain->frames[i] = (struct frame){ .name = names[i], .child = inner, .future = chain->future };
        inner = coroutine_of(await_step, &chain->frames[i]);
    }
    chain->task = awaiting(loop, "main", &chain->frames[3], inner, NULL);
    kit_pass(loop);
}

static void end_chain(struct chain *chain)
{
    stop_task(chain->loop, chain->task);
    end_future(chain->future);
}

KIT_TEST(a_stack_is_innermost_first)
{
    struct chain chain;
    begin_chain(&chain, kit_loop());
    EXPECT_SHAPE(chain.task, "0:main[c3 c2 c1 main]");
    /* A future has no calls; who awaits it has. */
    EXPECT_SHAPE(chain.future, "0:(future)[] 1:main[c3 c2 c1 main]");
    end_chain(&chain);
    kit_loop_end(chain.loop);
}

KIT_TEST(limits_keep_the_outermost_or_the_innermost)
{
    struct chain chain;
    begin_chain(&chain, kit_loop());
    check_shape(__LINE__, chain.future, 2, "0:(future)[] 1:main[c1 main]");
    check_shape(__LINE__, chain.future, -2, "0:(future)[] 1:main[c3 c2]");
    check_shape(__LINE__, chain.future, 0, "0:(future)[] 1:main[]");
    check_shape(__LINE__, chain.future, 4, "0:(future)[] 1:main[c3 c2 c1 main]");
    check_shape(__LINE__, chain.future, -9, "0:(future)[] 1:main[c3 c2 c1 main]");
    check_shape(__LINE__, chain.future, INT32_MIN, "0:(future)[] 1:main[c3 c2 c1 main]");
    CHECK_STATUS(rondo_capture_call_graph(chain.future, -1, 0, &(rondo_call_graph *){ NULL }), -EINVAL);
    CHECK_STATUS(rondo_capture_call_graph(chain.future, 0, 0, NULL), -EINVAL);
    end_chain(&chain);
    kit_loop_end(chain.loop);
}

KIT_TEST(a_task_that_never_ran_and_one_that_is_done)
{
    rondo_loop *loop = kit_loop();
    struct frame frame;
    rondo_future *future = future_of(loop);
    rondo_task *task = awaiting(loop, "t", &frame, NULL, future);
    EXPECT_SHAPE(task, "0:t[t]");
    kit_pass(loop);
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    run_until_done(loop, task);
    EXPECT_SHAPE(task, "0:t[]");
    CHECK_OK(rondo_task_release(task));
    end_future(future);
    kit_loop_end(loop);
}

/* ---- the running task ------------------------------------------------------------------------ */

static char captured[4][256];

static void capture_here(int slot, int32_t depth, int32_t limit)
{
    rondo_call_graph *graph = NULL;
    CHECK_OK(rondo_capture_call_graph(NULL, depth, limit, &graph));
    CHECK(graph != NULL);
    snprintf(captured[slot], sizeof captured[slot], "%s", shape(graph));
    CHECK_OK(rondo_call_graph_release(graph));
}

RONDO_STEP(capture_step)
{
    struct frame *self = frame;
    rondo_call_graph *graph = NULL;
    rondo_task *task = NULL;
    RONDO_BEGIN(self);
    RONDO_YIELD(self); /* both ways of taking a step: the first one and a resumed one */
    capture_here(0, 0, ALL);
    capture_here(1, 1, ALL);
    capture_here(2, 0, 1);
    capture_here(3, 1, -1);
    CHECK_OK(rondo_current_task(NULL, &task));
    CHECK_OK(rondo_capture_call_graph(task, 0, ALL, &graph)); /* the same, by name */
    CHECK_EQ_STR(shape(graph), captured[0]);
    CHECK_OK(rondo_call_graph_release(graph));
    RONDO_END(self);
}

KIT_TEST(the_running_task_is_the_default)
{
    rondo_loop *loop = kit_loop();
    struct frame inner = { .name = "inner" }, outer;
    rondo_task *task = awaiting(loop, "t", &outer, coroutine_of(capture_step, &inner), NULL);
    run_until_done(loop, task);
    CHECK_EQ_STR(captured[0], "0:t[inner t]");
    CHECK_EQ_STR(captured[1], "0:t[t]");
    CHECK_EQ_STR(captured[2], "0:t[t]");
    CHECK_EQ_STR(captured[3], "0:t[t]");
    CHECK_OK(rondo_task_release(task));
    kit_loop_end(loop);
}

/* Its own step drives another coroutine by hand: that one is further in. */
RONDO_STEP(by_hand_step)
{
    struct frame *self = frame;
    rondo_step step;
    void *value = NULL;
    RONDO_BEGIN(self);
    RONDO_YIELD(self);
    CHECK_OK(rondo_coroutine_send(self->child, NULL, &step, &value, NULL));
    CHECK_EQ_INT(step, RONDO_STEP_YIELD);
    CHECK_OK(rondo_coroutine_send(self->child, NULL, &step, &value, NULL));
    CHECK_EQ_INT(step, RONDO_STEP_RETURN);
    RONDO_END(self);
}

KIT_TEST(what_a_step_drives_by_hand_is_in_its_stack)
{
    rondo_loop *loop = kit_loop();
    struct frame inner = { .name = "inner" }, outer = { .name = "driver" };
    outer.child = coroutine_of(capture_step, &inner);
    rondo_coroutine *driven = outer.child;
    rondo_task *task = named_task(loop, "t", coroutine_of(by_hand_step, &outer));
    run_until_done(loop, task);
    CHECK_EQ_STR(captured[0], "0:t[inner driver]");
    CHECK_OK(rondo_coroutine_release(driven));
    CHECK_OK(rondo_task_release(task));
    kit_loop_end(loop);
}

static void capture_in_callback(void *arg)
{
    rondo_call_graph *graph = (rondo_call_graph *)&graph;
    size_t size = 99;
    CHECK_OK(rondo_capture_call_graph(NULL, 0, ALL, &graph));
    CHECK(graph == NULL); /* a loop runs, and no task in it: None */
    char buffer[8] = "x";
    CHECK_OK(rondo_format_call_graph(NULL, 0, ALL, buffer, sizeof buffer, &size));
    CHECK_EQ_INT(size, 0);
    CHECK_EQ_STR(buffer, "");
    *(int *)arg = 1;
}

static void capture_elsewhere(void *future)
{
    rondo_call_graph *graph = NULL;
    CHECK_STATUS(rondo_capture_call_graph(future, 0, ALL, &graph), RONDO_E_WRONG_THREAD);
    CHECK_STATUS(rondo_capture_call_graph(NULL, 0, ALL, &graph), RONDO_E_NO_LOOP);
    CHECK(graph == NULL);
}

KIT_TEST(CG04_no_future_no_loop_no_task)
{
    rondo_loop *loop = kit_loop();
    rondo_call_graph *graph = NULL;
    rondo_future *future = future_of(loop);
    struct frame frame = { .name = "c" };
    int ran = 0;
    CHECK_STATUS(rondo_capture_call_graph(NULL, 0, ALL, &graph), RONDO_E_NO_LOOP);
    CHECK_STATUS(rondo_format_call_graph(NULL, 0, ALL, NULL, 0, NULL), RONDO_E_NO_LOOP);
    CHECK_STATUS(rondo_print_call_graph(NULL, 0, ALL, 1), RONDO_E_NO_LOOP);
    CHECK_OK(rondo_loop_call_soon(loop, capture_in_callback, &ran, NULL, NULL));
    kit_pass(loop);
    CHECK_EQ_INT(ran, 1);
    rondo_coroutine *coroutine = coroutine_of(await_step, &frame);
    CHECK_STATUS(rondo_capture_call_graph(coroutine, 0, ALL, &graph), RONDO_E_TYPE);
    CHECK(graph == NULL);
    kit_catch_log();
    CHECK_OK(rondo_coroutine_release(coroutine));
    kit_in_thread(capture_elsewhere, future);
    end_future(future);
    kit_loop_end(loop);
}

/* ---- edges ----------------------------------------------------------------------------------- */

RONDO_STEP(group_main_step)
{
    struct frame *self = frame;
    rondo_task_options options = { .size = sizeof options };
    RONDO_BEGIN(self);
    RONDO_TASK_GROUP_ENTER(self, *(rondo_task_group **)self->value, rondo_running_loop());
    struct frame *children = self->parent;
    for (int i = 0; i < 3; i++) {
        options.name = children[i].name;
        RONDO_CHECK(rondo_task_group_create_task(*(rondo_task_group **)self->value, children[i].child, &options,
                                                 (rondo_task **)&children[i].value), "child");
        children[i].child = i == 0 ? children[0].child : NULL;
        if (i == 0)
            children[1].task = children[2].task = children[0].value;
    }
    RONDO_TASK_GROUP_EXIT(self, part, *(rondo_task_group **)self->value);
    RONDO_END(self);
}

/* CG-01: main -> c2 in a group, and two tasks of the group that await the task of c2. */
KIT_TEST(CG01_task_group)
{
    rondo_loop *loop = kit_loop();
    rondo_task_group *group = NULL;
    rondo_future *future = future_of(loop);
    struct frame inner[3], children[3], top = { .name = "main", .parent = children, .value = &group };
    rondo_coroutine *next = NULL;
    static const char *const names[] = { "c5", "c4", "c3" };
    for (int i = 0; i < 3; i++) {
        inner[i] = (struct frame){ .name = names[i], .child = next, .future = future };
        next = coroutine_of(await_step, &inner[i]);
    }
    struct frame c2 = { .name = "c2", .child = next };
    static const char *const subs[] = { "sub_main_1", "sub_main_2" };
    children[0] = (struct frame){ .name = "c2_root", .child = coroutine_of(await_step, &c2) };
    for (int i = 0; i < 2; i++) {
        children[i + 1] = (struct frame){ .name = subs[i] };
        children[i + 1].child = coroutine_of(await_step, &children[i + 1]);
    }
    rondo_task *main_task = named_task(loop, "main", coroutine_of(group_main_step, &top));
    kit_pass(loop);
    kit_pass(loop);
    EXPECT_SHAPE(children[0].value, "0:c2_root[c5 c4 c3 c2] 1:main[__aexit__ main] "
                                    "1:sub_main_1[sub_main_1] 2:main[__aexit__ main] "
                                    "1:sub_main_2[sub_main_2] 2:main[__aexit__ main]");
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    run_until_done(loop, main_task);
    EXPECT_SHAPE(children[0].value, "0:c2_root[]"); /* nobody awaits what is done */
    for (int i = 0; i < 3; i++)
        CHECK_OK(rondo_task_release(children[i].value));
    CHECK_OK(rondo_task_release(main_task));
    end_future(future);
    kit_loop_end(loop);
}

static rondo_future *gathered(rondo_loop *loop, rondo_awaitable *a, rondo_awaitable *b)
{
    rondo_future *gather = NULL;
    CHECK_OK(rondo_gather(loop, (rondo_awaitable *[]){ a, b }, b != NULL ? 2 : 1, 0, &gather));
    return gather;
}

static rondo_future *shielded(rondo_loop *loop, rondo_awaitable *inner)
{
    rondo_future *shield = NULL;
    CHECK_OK(rondo_shield(loop, inner, &shield));
    return shield;
}

/* CG-02: the edge is there while the child runs, and gone as soon as it is done. */
static void check_edge(rondo_loop *loop, rondo_task *waiter, rondo_future *child, const char *expected)
{
    kit_pass(loop);
    EXPECT_SHAPE(child, expected);
    CHECK_OK(rondo_future_set_result(child, NULL, NULL));
    EXPECT_SHAPE(child, "0:(future)[]");
    run_until_done(loop, waiter);
    CHECK_OK(rondo_task_release(waiter));
    end_future(child);
}

KIT_TEST(CG02_gather)
{
    rondo_loop *loop = kit_loop();
    rondo_future *a = future_of(loop), *b = future_of(loop), *gather = gathered(loop, a, b);
    struct frame frame;
    EXPECT_SHAPE(a, "0:(future)[]"); /* nobody waits for the gather yet */
    rondo_task *waiter = awaiting(loop, "w", &frame, NULL, gather);
    kit_pass(loop);
    EXPECT_SHAPE(a, "0:(future)[] 1:w[w]");
    EXPECT_SHAPE(gather, "0:(future)[] 1:w[w]");
    CHECK_OK(rondo_future_set_result(a, NULL, NULL));
    check_edge(loop, waiter, b, "0:(future)[] 1:w[w]");
    end_future(a);
    end_future(gather);
    kit_loop_end(loop);
}

KIT_TEST(CG02_shield)
{
    rondo_loop *loop = kit_loop();
    rondo_future *a = future_of(loop), *shield = shielded(loop, a);
    struct frame frame;
    check_edge(loop, awaiting(loop, "w", &frame, NULL, shield), a, "0:(future)[] 1:w[w]");
    end_future(shield);
    kit_loop_end(loop);
}

/* A shield that was cancelled no longer stands for anybody. */
KIT_TEST(a_cancelled_shield_waits_no_longer)
{
    rondo_loop *loop = kit_loop();
    rondo_future *a = future_of(loop), *shield = shielded(loop, a);
    struct frame frame;
    rondo_task *waiter = awaiting(loop, "w", &frame, NULL, shield);
    kit_pass(loop);
    CHECK_OK(rondo_future_cancel(shield, NULL, NULL));
    EXPECT_SHAPE(a, "0:(future)[]");
    stop_task(loop, waiter);
    end_future(shield);
    end_future(a);
    kit_pass(loop); /* the shield's callback hears that nobody is left who could complete it */
    kit_loop_end(loop);
}

KIT_TEST(CG02_wait)
{
    rondo_loop *loop = kit_loop();
    rondo_future *a = future_of(loop);
    rondo_coroutine *wait = NULL;
    struct frame frame;
    CHECK_OK(rondo_wait(loop, (rondo_awaitable *[]){ a }, 1, RONDO_NEVER, RONDO_WAIT_ALL_COMPLETED, &wait));
    check_edge(loop, awaiting(loop, "w", &frame, wait, NULL), a, "0:(future)[] 1:w[wait w]");
    kit_loop_end(loop);
}

KIT_TEST(CG02_wait_for)
{
    rondo_loop *loop = kit_loop();
    rondo_future *a = future_of(loop);
    rondo_coroutine *wait = NULL;
    struct frame frame;
    CHECK_OK(rondo_wait_for(a, INT64_C(3600000000000), &wait));
    check_edge(loop, awaiting(loop, "w", &frame, wait, NULL), a, "0:(future)[] 1:w[wait_for w]");
    kit_loop_end(loop);
}

/* Ignores the first cancellation and then waits for frame->future. */
RONDO_STEP(stubborn_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_AWAIT(self, self->other);
    RONDO_AWAIT(self, self->future);
    RONDO_END(self);
}

/* wait_for without any time waits for the end of what it cancelled. */
KIT_TEST(CG02_wait_for_zero)
{
    rondo_loop *loop = kit_loop();
    rondo_future *a = future_of(loop), *b = future_of(loop);
    struct frame stubborn = { .name = "s", .other = a, .future = b }, frame;
    rondo_coroutine *wait = NULL;
    rondo_task *child = named_task(loop, "s", coroutine_of(stubborn_step, &stubborn));
    kit_pass(loop);
    CHECK_OK(rondo_wait_for(child, 0, &wait));
    rondo_task *waiter = awaiting(loop, "w", &frame, wait, NULL);
    kit_pass(loop);
    kit_pass(loop);
    EXPECT_SHAPE(b, "0:(future)[] 1:s[s] 2:w[wait_for w]");
    CHECK_OK(rondo_future_set_result(b, NULL, NULL));
    run_until_done(loop, waiter);
    CHECK_OK(rondo_task_release(waiter));
    CHECK_OK(rondo_task_release(child));
    end_future(a);
    end_future(b);
    kit_loop_end(loop);
}

KIT_TEST(CG02_as_completed)
{
    rondo_loop *loop = kit_loop();
    rondo_future *a = future_of(loop), *b = future_of(loop);
    rondo_as_completed *completed = NULL;
    rondo_coroutine *next[2];
    struct frame frames[2];
    rondo_task *tasks[2];
    CHECK_OK(rondo_as_completed_new(loop, (rondo_awaitable *[]){ a, b }, 2, RONDO_NEVER, &completed));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(rondo_as_completed_next(completed, &next[i]));
        tasks[i] = awaiting(loop, i == 0 ? "x" : "y", &frames[i], next[i], NULL);
    }
    kit_pass(loop);
    EXPECT_SHAPE(a, "0:(future)[] 1:x[_wait_for_one x] 1:y[_wait_for_one y]");
    CHECK_OK(rondo_future_set_result(b, NULL, NULL));
    run_until_done(loop, tasks[0]);
    check_edge(loop, tasks[1], a, "0:(future)[] 1:y[_wait_for_one y]");
    CHECK_OK(rondo_task_release(tasks[0]));
    CHECK_OK(rondo_as_completed_release(completed));
    end_future(b);
    kit_loop_end(loop);
}

RONDO_STEP(timeout_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TIMEOUT_ENTER(self, *(rondo_timeout **)self->value, rondo_running_loop(), INT64_C(3600000000000));
    RONDO_AWAIT_IN(self, part, self->future);
    RONDO_TIMEOUT_EXIT(self, part, *(rondo_timeout **)self->value);
    RONDO_END(self);
}

KIT_TEST(CG02_timeout)
{
    rondo_loop *loop = kit_loop();
    rondo_future *a = future_of(loop);
    rondo_timeout *timeout = NULL;
    struct frame frame = { .name = "w", .future = a, .value = &timeout };
    check_edge(loop, named_task(loop, "w", coroutine_of(timeout_step, &frame)), a, "0:(future)[] 1:w[w]");
    kit_loop_end(loop);
}

/* Who waits for a lock or a queue is in the helper's coroutine, and awaited as everybody. */
KIT_TEST(waiting_for_locks_and_queues)
{
    rondo_loop *loop = kit_loop();
    struct frame frames[4];
    rondo_lock *lock = NULL;
    rondo_queue *queue = NULL;
    rondo_coroutine *acquire = NULL, *get = NULL;
    CHECK_OK(rondo_lock_new(loop, &lock));
    CHECK_OK(rondo_queue_new(loop, 0, &queue));
    CHECK_OK(rondo_lock_acquire(lock, &acquire));
    rondo_task *holder = awaiting(loop, "h", &frames[0], acquire, NULL);
    run_until_done(loop, holder);
    CHECK_OK(rondo_lock_acquire(lock, &acquire));
    CHECK_OK(rondo_queue_get(queue, &get));
    rondo_task *locker = awaiting(loop, "l", &frames[1], acquire, NULL);
    rondo_task *getter = awaiting(loop, "g", &frames[2], get, NULL);
    rondo_task *outer = awaiting(loop, "o", &frames[3], NULL, as_future(getter));
    kit_pass(loop);
    EXPECT_SHAPE(locker, "0:l[Lock.acquire l]");
    EXPECT_SHAPE(getter, "0:g[Queue.get g] 1:o[o]");
    stop_task(loop, locker);
    stop_task(loop, outer);
    stop_task(loop, getter);
    CHECK_OK(rondo_task_release(holder));
    CHECK_OK(rondo_lock_release(lock));
    CHECK_OK(rondo_queue_release(queue));
    kit_loop_end(loop);
}

/* Helpers inside of helpers: the task is named, once. */
KIT_TEST(helpers_are_passed_through)
{
    rondo_loop *loop = kit_loop();
    rondo_future *a = future_of(loop), *s1 = shielded(loop, a), *g1 = gathered(loop, a, s1);
    rondo_future *s2 = shielded(loop, g1), *g2 = gathered(loop, s2, g1);
    rondo_coroutine *wait = NULL;
    struct frame frames[2];
    CHECK_OK(rondo_wait(loop, (rondo_awaitable *[]){ g2, a }, 2, RONDO_NEVER, RONDO_WAIT_ALL_COMPLETED, &wait));
    rondo_task *waiter = awaiting(loop, "w", &frames[0], wait, NULL);
    rondo_task *direct = awaiting(loop, "d", &frames[1], NULL, a);
    kit_pass(loop);
    EXPECT_SHAPE(a, "0:(future)[] 1:w[wait w] 1:d[d]");
    CHECK_OK(rondo_future_set_result(a, NULL, NULL));
    run_until_done(loop, waiter);
    run_until_done(loop, direct);
    CHECK_OK(rondo_task_release(waiter));
    CHECK_OK(rondo_task_release(direct));
    rondo_future *futures[] = { a, s1, g1, s2, g2 };
    for (int i = 0; i < 5; i++)
        end_future(futures[i]);
    kit_loop_end(loop);
}

/* Many ways lead from the future to the last task: it grows by an entry a way, not by a power. */
KIT_TEST(what_was_shown_is_not_shown_again)
{
    enum { LAYERS = 40 };
    rondo_loop *loop = kit_loop();
    struct frame frames[LAYERS][2];
    rondo_task *tasks[LAYERS][2];
    rondo_coroutine *waits[2];
    rondo_future *a = future_of(loop);
    for (int i = 0; i < LAYERS; i++)
        for (int k = 0; k < 2; k++) {
            rondo_awaitable *both[] = { i > 0 ? (void *)tasks[i - 1][0] : (void *)a,
                                        i > 0 ? (void *)tasks[i - 1][1] : (void *)a };
            CHECK_OK(rondo_wait(loop, both, 2, RONDO_NEVER, RONDO_WAIT_ALL_COMPLETED, &waits[k]));
            tasks[i][k] = awaiting(loop, k == 0 ? "x" : "y", &frames[i][k], waits[k], NULL);
        }
    kit_pass(loop);
    rondo_call_graph *graph = graph_of(a);
    CHECK_EQ_INT(rondo_call_graph_count(graph), 1 + 4 * LAYERS - 2);
    CHECK_OK(rondo_call_graph_release(graph));
    EXPECT_SHAPE(tasks[LAYERS - 3][0], "0:x[wait x] 1:x[wait x] 2:x[wait x] 2:y[wait y] 1:y[wait y] 2:x[wait x] "
                                       "2:y[wait y]");
    EXPECT_SHAPE(tasks[LAYERS - 4][0], "0:x[wait x] 1:x[wait x] 2:x[wait x] 3:x[wait x] 3:y[wait y] 2:y[wait y] "
                                       "3:x[wait x] 3:y[wait y] 1:y[wait y] 2:x[wait x]^ 2:y[wait y]^");
    CHECK_OK(rondo_future_set_result(a, NULL, NULL));
    for (int i = 0; i < LAYERS; i++)
        for (int k = 0; k < 2; k++) {
            run_until_done(loop, tasks[i][k]);
            CHECK_OK(rondo_task_release(tasks[i][k]));
        }
    end_future(a);
    kit_loop_end(loop);
}

KIT_TEST(circles_end)
{
    rondo_loop *loop = kit_loop();
    struct frame frames[4] = { 0 };
    rondo_task *tasks[4];
    static const char *const names[] = { "a", "b", "c", "outside" };
    for (int i = 0; i < 4; i++) {
        frames[i].name = names[i];
        tasks[i] = named_task(loop, names[i], coroutine_of(await_step, &frames[i]));
    }
    for (int i = 0; i < 3; i++)
        frames[i].task = tasks[(i + 1) % 3];
    frames[3].task = tasks[1];
    kit_pass(loop);
    EXPECT_SHAPE(tasks[0], "0:a[a] 1:c[c] 2:b[b] 3:a[a]@ 3:outside[outside]");
    char text[2048];
    CHECK_OK(rondo_format_call_graph(tasks[0], 0, 0, text, sizeof text, NULL));
    CHECK(strstr(text, "+ Awaited by: a cycle, it waits for itself") != NULL);
    for (int i = 3; i >= 0; i--)
        stop_task(loop, tasks[i]);
    kit_loop_end(loop);
}

/* ---- a graph as an object -------------------------------------------------------------------- */

static void read_elsewhere(void *graph)
{
    CHECK_EQ_STR(shape(graph), "0:(future)[] 1:main[c3 c2 c1 main]");
    rondo_future *future = NULL;
    CHECK_STATUS(rondo_call_graph_get_future(graph, 0, &future), RONDO_E_STALE_HANDLE);
    CHECK_STATUS(rondo_call_graph_get_future(graph, 2, &future), -ENOENT);
    CHECK(future == NULL);
    CHECK_OK(rondo_call_graph_release(graph));
}

KIT_TEST(a_graph_outlives_what_it_shows)
{
    struct chain chain;
    size_t parent = 99;
    rondo_future *future = NULL;
    begin_chain(&chain, kit_loop());
    rondo_call_graph *graph = graph_of(chain.future);
    CHECK_OK(rondo_call_graph_get_future(graph, 1, &future));
    CHECK_EQ_PTR(future, as_future(chain.task));
    CHECK_OK(rondo_future_release(future));
    CHECK_STATUS(rondo_call_graph_get_parent(graph, 0, &parent), -ENOENT);
    CHECK_STATUS(rondo_call_graph_get_parent(graph, 2, &parent), -ENOENT);
    CHECK_OK(rondo_call_graph_get_parent(graph, 1, &parent));
    CHECK_EQ_INT(parent, 0);
    CHECK_EQ_INT(rondo_call_graph_get_kind(graph, SIZE_MAX), 0);
    CHECK_EQ_STR(rondo_call_graph_get_name(graph, SIZE_MAX), "");
    CHECK_EQ_STR(rondo_call_graph_get_call(graph, 1, 4), "");
    CHECK_EQ_STR(rondo_call_graph_get_call(graph, 1, SIZE_MAX), "");
    end_chain(&chain);
    kit_loop_end(chain.loop);
    CHECK_OK(rondo_call_graph_retain(graph));
    CHECK_OK(rondo_call_graph_release(graph));
    kit_in_thread(read_elsewhere, graph);
    CHECK_STATUS(rondo_call_graph_release(graph), RONDO_E_STALE_HANDLE);
    CHECK_EQ_INT(rondo_call_graph_count(graph), 0);
}

/* ---- text ------------------------------------------------------------------------------------ */

/* As in a program without debug information. */
static void without_places(void)
{
    CHECK_EQ_INT(setenv("RONDO_SYMBOLIZER", "none", 1), 0);
}

static bool has_places(void)
{
    void *libdw = getenv("RONDO_SYMBOLIZER") != NULL ? NULL : dlopen("libdw.so.1", RTLD_NOW);
    if (libdw == NULL)
        return false;
    dlclose(libdw);
    return true;
}

KIT_TEST(the_text_has_the_words_of_asyncio)
{
    without_places();
    struct chain chain;
    struct frame frame;
    char text[1024], expected[1024];
    size_t size = 0;
    begin_chain(&chain, kit_loop());
    rondo_task *outer = awaiting(chain.loop, "outer", &frame, NULL, as_future(chain.task));
    kit_pass(chain.loop);
    snprintf(expected, sizeof expected,
             "* Future(id=%p)\n"
             "  + Awaited by:\n"
             "    * Task(name='main', id=%p)\n"
             "      + Call stack:\n"
             "      |   in async c3()\n"
             "      |   in async c2()\n"
             "      |   in async c1()\n"
             "      |   in async main()\n"
             "      + Awaited by:\n"
             "        * Task(name='outer', id=%p)\n"
             "          + Call stack:\n"
             "          |   in async outer()",
             (void *)chain.future, (void *)chain.task, (void *)outer);
    CHECK_OK(rondo_format_call_graph(chain.future, 0, ALL, text, sizeof text, &size));
    CHECK_EQ_STR(text, expected);
    CHECK_EQ_INT(size, strlen(text));
    CHECK_STATUS(rondo_format_call_graph(chain.future, 0, ALL, NULL, 0, &size), -ERANGE);
    CHECK_EQ_INT(size, strlen(text));
    CHECK_STATUS(rondo_format_call_graph(chain.future, 0, ALL, NULL, 1, &size), -EINVAL);
    rondo_call_graph *graph = graph_of(chain.future);
    CHECK_OK(rondo_call_graph_format(graph, text, sizeof text, NULL));
    CHECK_EQ_STR(text, expected);
    CHECK_OK(rondo_call_graph_release(graph));
    stop_task(chain.loop, outer);
    CHECK_OK(rondo_task_release(chain.task));
    end_future(chain.future);
    kit_loop_end(chain.loop);
}

static int parks_at;

RONDO_STEP(parks_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    parks_at = __LINE__ + 1;
    RONDO_AWAIT(self, self->future);
    RONDO_END(self);
}

static void expect_part(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        kit_fail(__FILE__, __LINE__, "\"%s\" is not in \"%s\"", part, text);
}

/* Function, file and the line that it waits at; nothing of the sort about the library's own. */
KIT_TEST(calls_have_places)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .name = "parks", .future = future_of(loop) };
    struct frame outer_frame = { .name = "outer" };
    rondo_coroutine *sleep = NULL;
    char text[2048], expected[300];
    rondo_task *task = named_task(loop, "task", coroutine_of(parks_step, &frame));
    kit_pass(loop);
    CHECK_OK(rondo_format_call_graph(task, 0, ALL, text, sizeof text, NULL));
    snprintf(expected, sizeof expected, "call_graph.c', line %d, in async parks_step()", parks_at);
    expect_part(text, has_places() ? "\n  |   File '" : "\n  |   in async parks()");
    expect_part(text, has_places() ? expected : "");
    CHECK_OK(rondo_loop_format_task_tree(loop, text, sizeof text, NULL));
    snprintf(expected, sizeof expected, "call_graph.c:%d", parks_at);
    expect_part(text, has_places() ? "└── (T) task\n    └──  parks_step " : "└── (T) task\n    └──  parks");
    expect_part(text, has_places() ? expected : "");
    CHECK_OK(rondo_sleep(1000000000, NULL, NULL, &sleep));
    rondo_task *outer = awaiting(loop, "outer", &outer_frame, sleep, NULL);
    kit_pass(loop);
    CHECK_OK(rondo_format_call_graph(outer, 0, -1, text, sizeof text, NULL));
    CHECK(strstr(text, "\n  |   in async sleep()") != NULL);
    stop_task(loop, outer);
    stop_task(loop, task);
    end_future(frame.future);
    kit_loop_end(loop);
}

/* ---- asynchronous generators ----------------------------------------------------------------- */

RONDO_STEP(rows_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_AWAIT(self, self->future);
    RONDO_END(self);
}

/* The body that waits for the generator's next value, straight or through the coroutine that asks. */
static void see_generator(rondo_async_generator *generator, rondo_loop *loop, rondo_coroutine *asks)
{
    struct frame frame;
    char text[1024];
    rondo_task *task = awaiting(loop, "main", &frame, asks, NULL);
    kit_pass(loop);
    EXPECT_SHAPE(task, "0:main[rows main]");
    CHECK_OK(rondo_format_call_graph(task, 0, ALL, text, sizeof text, NULL));
    const char *calls = strstr(text, "\n  + Call stack:");
    CHECK(calls != NULL);
    CHECK_EQ_STR(calls, "\n  + Call stack:\n  |   in async generator rows()\n  |   in async main()");
    CHECK_OK(rondo_loop_format_task_tree(loop, text, sizeof text, NULL));
    CHECK_EQ_STR(text, "└── (T) main\n    └──  main\n        └──  rows");
    stop_task(loop, task);
    int32_t state = 0;
    CHECK_OK(rondo_async_generator_get_state(generator, &state));
    CHECK_EQ_INT(state, RONDO_GENERATOR_CLOSED);
}

KIT_TEST(a_generator_is_a_call)
{
    rondo_loop *loop = kit_loop();
    without_places();
    for (int i = 0; i < 2; i++) {
        struct frame frame = { .future = future_of(loop) };
        rondo_async_generator *generator = NULL;
        rondo_coroutine *asks = NULL;
        CHECK_OK(rondo_async_generator_new("rows", rows_step, &frame, NULL, &generator));
        if (i == 0)
            CHECK_OK(rondo_async_generator_anext(generator, &asks));
        else
            CHECK_OK(rondo_async_generator_asend(generator, NULL, NULL, &asks));
        see_generator(generator, loop, asks);
        CHECK_OK(rondo_async_generator_release(generator));
        end_future(frame.future);
    }
    kit_loop_end(loop);
}

/* Nobody but the question itself awaits it: then that is the outermost call. */
KIT_TEST(a_task_may_be_a_question)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .future = future_of(loop) };
    rondo_async_generator *generator = NULL;
    rondo_coroutine *asks = NULL;
    CHECK_OK(rondo_async_generator_new("rows", rows_step, &frame, NULL, &generator));
    CHECK_OK(rondo_async_generator_anext(generator, &asks));
    rondo_task *task = named_task(loop, "asks", asks);
    kit_pass(loop);
    EXPECT_SHAPE(task, "0:asks[rows <async_generator_asend without __name__>]");
    stop_task(loop, task);
    CHECK_OK(rondo_async_generator_release(generator));
    end_future(frame.future);
    kit_loop_end(loop);
}

static void *drain_slowly(void *arg)
{
    int fd = *(int *)arg;
    static char text[1 << 20];
    size_t size = 0;
    ssize_t got;
    while ((got = read(fd, text + size, 4000)) > 0)
        size += (size_t)got;
    text[size] = '\0';
    return strdup(text);
}

/* A pipe that does not block and is smaller than the text: everything arrives all the same. */
KIT_TEST(printing_writes_everything)
{
    struct chain chain;
    int fds[2];
    char *whole;
    void *read_text = NULL;
    size_t size = 0;
    begin_chain(&chain, kit_loop());
    char name[60000];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    struct frame frames[4];
    rondo_task *more[4];
    for (int i = 0; i < 4; i++) {
        more[i] = awaiting(chain.loop, "t", &frames[i], NULL, chain.future);
        CHECK_OK(rondo_task_set_name(more[i], name));
    }
    kit_pass(chain.loop);
    CHECK_STATUS(rondo_format_call_graph(chain.future, 0, ALL, NULL, 0, &size), -ERANGE);
    CHECK(size > 200000);
    whole = malloc(size + 2);
    CHECK_OK(rondo_format_call_graph(chain.future, 0, ALL, whole, size + 1, NULL));
    strcat(whole, "\n");
    CHECK_EQ_INT(pipe2(fds, O_CLOEXEC), 0);
    CHECK_EQ_INT(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    pthread_t reader = kit_thread_start(drain_slowly, &fds[0]);
    CHECK_OK(rondo_print_call_graph(chain.future, 0, ALL, fds[1]));
    close(fds[1]);
    CHECK_EQ_INT(pthread_join(reader, &read_text), 0);
    CHECK(strcmp(read_text, whole) == 0);
    free(read_text);
    free(whole);
    close(fds[0]);
    CHECK_STATUS(rondo_print_call_graph(chain.future, 0, ALL, -1), -EBADF);
    CHECK_STATUS(rondo_loop_print_tasks(chain.loop, -1), -EBADF);
    for (int i = 0; i < 4; i++)
        stop_task(chain.loop, more[i]);
    end_chain(&chain);
    kit_loop_end(chain.loop);
}

/* ---- names ----------------------------------------------------------------------------------- */

/* Exported (the test programs are linked with -rdynamic), so that it can be found by its address. */
rondo_step a_step_that_is_exported(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown);
rondo_step a_step_that_is_exported(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)frame;
    (void)sent;
    if (thrown != NULL)
        return rondo_coroutine_raise(co, thrown);
    return rondo_coroutine_sleep(co, INT64_C(3600000000000));
}

KIT_TEST(a_body_without_a_name_has_its_functions)
{
    rondo_loop *loop = kit_loop();
    rondo_task *task = NULL;
    CHECK_OK(rondo_loop_spawn(loop, a_step_that_is_exported, NULL, NULL, NULL, &task));
    kit_pass(loop);
    rondo_call_graph *graph = graph_of(task);
    const char *name = rondo_call_graph_get_call(graph, 0, 0);
    CHECK(strcmp(name, "a_step_that_is_exported") == 0 || strcmp(name, "coroutine") == 0);
    CHECK_OK(rondo_call_graph_release(graph));
    stop_task(loop, task);
    kit_loop_end(loop);
}

/* ---- the table of tasks ---------------------------------------------------------------------- */

KIT_TEST(the_table_of_tasks)
{
    struct chain chain;
    struct frame frames[2];
    char text[2048], expected[2048];
    size_t size = 0;
    begin_chain(&chain, kit_loop());
    rondo_future *gather = gathered(chain.loop, chain.task, NULL);
    rondo_task *outer = awaiting(chain.loop, "outer", &frames[0], NULL, gather);
    rondo_task *other = awaiting(chain.loop, "other", &frames[1], NULL, as_future(chain.task));
    kit_pass(chain.loop);
    snprintf(expected, sizeof expected,
             "%-18s %-20s %-40s %-40s %-20s %s\n"
             "%-18p %-20s %-40s %-40s %-20s %p\n"
             "%-18p %-20s %-40s %-40s %-20s %p\n"
             "%-18p %-20s %-40s %-40s %-20s 0x0\n"
             "%-18p %-20s %-40s %-40s %-20s 0x0",
             "task id", "task name", "coroutine stack", "awaiter chain", "awaiter name", "awaiter id",
             (void *)chain.task, "main", "c3 -> c2 -> c1 -> main", "outer", "outer", (void *)outer,
             (void *)chain.task, "main", "c3 -> c2 -> c1 -> main", "other", "other", (void *)other,
             (void *)outer, "outer", "outer", "", "", (void *)other, "other", "other", "", "");
    CHECK_OK(rondo_loop_format_tasks(chain.loop, text, sizeof text, &size));
    CHECK_EQ_STR(text, expected);
    CHECK_STATUS(rondo_loop_format_tasks(chain.loop, NULL, 0, &size), -ERANGE);
    CHECK_EQ_INT(size, strlen(expected));
    CHECK_OK(rondo_future_set_result(chain.future, NULL, NULL));
    run_until_done(chain.loop, outer);
    run_until_done(chain.loop, other);
    CHECK_OK(rondo_loop_format_tasks(chain.loop, text, sizeof text, &size));
    CHECK(strchr(text, '\n') == NULL); /* the head alone */
    CHECK_OK(rondo_task_release(outer));
    CHECK_OK(rondo_task_release(other));
    CHECK_OK(rondo_task_release(chain.task));
    end_future(gather);
    end_future(chain.future);
    kit_loop_end(chain.loop);
}

/* ---- the tree of tasks ----------------------------------------------------------------------- */

static void expect_tree(int line, rondo_loop *loop, const char *expected)
{
    static char text[8192];
    size_t size = 0;
    CHECK_OK(rondo_loop_format_task_tree(loop, text, sizeof text, &size));
    kit_check_str(__FILE__, line, "the tree", text, expected);
    CHECK_EQ_INT(size, strlen(expected));
}
#define EXPECT_TREE(loop, expected) expect_tree(__LINE__, loop, expected)

KIT_TEST(the_tree_of_tasks)
{
    struct chain chain;
    struct frame frames[3];
    int fds[2];
    char text[1024] = "";
    without_places();
    rondo_loop *loop = kit_loop();
    EXPECT_TREE(loop, "");
    begin_chain(&chain, loop);
    rondo_task *leaf = awaiting(loop, "leaf", &frames[0], NULL, chain.future);
    rondo_future *both = gathered(loop, chain.task, leaf);
    rondo_task *top = awaiting(loop, "top", &frames[1], NULL, both);
    rondo_task *alone = awaiting(loop, "alone", &frames[2], NULL, chain.future);
    kit_pass(loop);
    const char *expected = "└── (T) top\n"
                           "    └──  top\n"
                           "        ├── (T) main\n"
                           "        │   └──  main\n"
                           "        │       └──  c1\n"
                           "        │           └──  c2\n"
                           "        │               └──  c3\n"
                           "        └── (T) leaf\n"
                           "            └──  leaf\n"
                           "└── (T) alone\n"
                           "    └──  alone";
    EXPECT_TREE(loop, expected);
    CHECK_EQ_INT(pipe2(fds, O_CLOEXEC), 0);
    CHECK_OK(rondo_loop_print_task_tree(loop, fds[1]));
    ssize_t size = read(fds[0], text, sizeof text - 1);
    CHECK_EQ_INT(size, strlen(expected) + 1);
    text[size - 1] = '\0';
    CHECK_EQ_STR(text, expected);
    close(fds[0]);
    close(fds[1]);
    CHECK_STATUS(rondo_loop_print_task_tree(loop, -1), -EBADF);
    CHECK_STATUS(rondo_loop_format_task_tree(loop, NULL, 1, NULL), -EINVAL);
    CHECK_STATUS(rondo_loop_format_task_tree(loop, NULL, 0, NULL), -ERANGE);
    stop_task(loop, alone);
    stop_task(loop, top);
    CHECK_OK(rondo_task_release(leaf));
    CHECK_OK(rondo_task_release(chain.task));
    end_future(both);
    end_future(chain.future);
    kit_loop_end(loop);
}

/* A task that two await stands below both, what is below it once. */
KIT_TEST(a_tree_that_grows_together_again)
{
    struct frame frames[4];
    without_places();
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    rondo_task *inner = awaiting(loop, "inner", &frames[0], NULL, future);
    rondo_task *shared = awaiting(loop, "shared", &frames[1], NULL, as_future(inner));
    rondo_task *a = awaiting(loop, "a", &frames[2], NULL, as_future(shared));
    rondo_task *b = awaiting(loop, "b", &frames[3], NULL, as_future(shared));
    kit_pass(loop);
    EXPECT_TREE(loop, "└── (T) a\n"
                      "    └──  a\n"
                      "        └── (T) shared\n"
                      "            └──  shared\n"
                      "                └── (T) inner\n"
                      "                    └──  inner\n"
                      "└── (T) b\n"
                      "    └──  b\n"
                      "        └── (T) shared (shown above)");
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    run_until_done(loop, a);
    run_until_done(loop, b);
    rondo_task *all[] = { inner, shared, a, b };
    for (int i = 0; i < 4; i++)
        CHECK_OK(rondo_task_release(all[i]));
    end_future(future);
    kit_loop_end(loop);
}

/* a awaits b awaits c awaits a, and another awaits one of them: no tree, the circle. */
KIT_TEST(a_circle_is_no_tree)
{
    static const char *const names[] = { "a", "b", "c", "other" };
    struct frame frames[4];
    rondo_task *tasks[4];
    rondo_loop *loop = kit_loop();
    for (int i = 0; i < 4; i++) {
        frames[i] = (struct frame){ .name = names[i] };
        tasks[i] = named_task(loop, names[i], coroutine_of(await_step, &frames[i]));
    }
    for (int i = 0; i < 4; i++)
        frames[i].task = tasks[i < 3 ? (i + 1) % 3 : 1];
    kit_pass(loop);
    EXPECT_TREE(loop, "ERROR: await-graph contains cycles - cannot print a tree!\n\ncycle: a → b → c → a");
    EXPECT_TREE(loop, "ERROR: await-graph contains cycles - cannot print a tree!\n\ncycle: a → b → c → a");
    for (int i = 3; i >= 0; i--)
        stop_task(loop, tasks[i]);
    kit_loop_end(loop);
}

/* Far down the depth is a number. */
KIT_TEST(a_deep_tree_is_indented_so_far)
{
    enum { N = 40 };
    static struct frame frames[N];
    static char text[65536];
    rondo_task *tasks[N];
    static char names[N][8];
    without_places();
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "t%d", i);
        tasks[i] = awaiting(loop, names[i], &frames[i], NULL, i == 0 ? future : as_future(tasks[i - 1]));
    }
    kit_pass(loop);
    CHECK_OK(rondo_loop_format_task_tree(loop, text, sizeof text, NULL));
    CHECK(strncmp(text, "└── (T) t39\n", strlen("└── (T) t39\n")) == 0);
    CHECK(strstr(text, "    (depth 49) └──  t15\n") != NULL);
    CHECK(strstr(text, "\n    (depth 49)") == NULL); /* behind as many blanks as at the depth before */
    CHECK(strstr(text, "    (depth 78) └── (T) t0\n") != NULL);
    CHECK(strstr(text, "(depth 48)") == NULL);
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    run_until_done(loop, tasks[N - 1]);
    for (int i = 0; i < N; i++)
        CHECK_OK(rondo_task_release(tasks[i]));
    end_future(future);
    kit_loop_end(loop);
}
