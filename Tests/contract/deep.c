/*
 * deep.c - a million of everything in a thread with a small stack: F84. What recurses dies here.
 *
 * The thread that runs the loop has 64 KiB, so a recursion of a few hundred levels is a crash. Each
 * test makes a long chain, then lets it finish, be cancelled, or be let go of as it stands.
 */
#define _GNU_SOURCE
#include "coro.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define NUMBER(n) ((void *)(intptr_t)(n))

/* ---- a small stack --------------------------------------------------------------------------- */

static void in_small_thread(void *(*body)(void *))
{
    pthread_attr_t attributes;
    pthread_t thread;
    /* Sanitizers put more into each frame and keep things of their own on the stack. */
    size_t size = KIT_SANITIZED ? 512 * 1024 : 64 * 1024;
    CHECK_EQ_INT(pthread_attr_init(&attributes), 0);
    CHECK_EQ_INT(pthread_attr_setstacksize(&attributes, size), 0);
    CHECK_EQ_INT(pthread_create(&thread, &attributes, body, NULL), 0);
    kit_thread_join(thread);
    pthread_attr_destroy(&attributes);
}

#define DEEP_TEST(name)                                                                           \
    static void *deep_##name(void *unused);                                                       \
    KIT_TEST_WITHIN(name, 60) { in_small_thread(deep_##name); }                                   \
    static void *deep_##name(void *unused)

static int how_deep(int n)
{
    return KIT_SANITIZED ? n / 20 : n;
}
#define MILLION how_deep(1000000)

/* One frame for a link of a chain. */
struct link {
    RONDO_FRAME;
    int32_t outcome; /* of the link before */
    rondo_awaitable *awaited;
    rondo_task_group *group;
    rondo_timeout *timeout;
};

static struct link *links_of(int n)
{
    struct link *links = calloc((size_t)n, sizeof *links);
    CHECK(links != NULL);
    return links;
}

/* Awaits what it is told to and returns one more than came. */
RONDO_STEP(link_step)
{
    struct link *self = frame;
    RONDO_BEGIN(self);
    if (self->awaited != NULL)
        RONDO_AWAIT(self, self->awaited);
    RONDO_RETURN((char *)sent + 1);
    RONDO_END(self);
}

static rondo_coroutine *link_coroutine(rondo_step_fn step, struct link *link)
{
    rondo_coroutine *coroutine = NULL;
    CHECK_OK(rondo_coroutine_new("link", step, link, NULL, &coroutine));
    return coroutine;
}

static rondo_task *link_task(rondo_loop *loop, rondo_step_fn step, struct link *link)
{
    rondo_task *task = NULL;
    CHECK_OK(rondo_loop_spawn(loop, step, link, NULL, NULL, &task));
    return task;
}

static void release_all(rondo_task **tasks, int n)
{
    for (int i = 0; i < n; i++)
        CHECK_OK(rondo_task_release(tasks[i]));
    free(tasks);
}

/* ---- coroutines that await coroutines -------------------------------------------------------- */

/* The outermost of n coroutines of which each awaits the next, the last one `awaited`. */
static rondo_coroutine *inline_chain(struct link *links, int n, rondo_awaitable *awaited)
{
    rondo_coroutine *inner = NULL;
    for (int i = 0; i < n; i++) {
        links[i].awaited = inner != NULL ? inner : awaited;
        inner = link_coroutine(link_step, &links[i]);
    }
    return inner;
}

DEEP_TEST(a_million_coroutines_await_each_other)
{
    (void)unused;
    int n = MILLION;
    rondo_loop *loop = kit_loop();
    struct link *links = links_of(n);
    rondo_future *future = future_of(loop), *done = NULL;
    rondo_coroutine *outermost = inline_chain(links, n, future);
    CHECK_OK(rondo_loop_create_task(loop, outermost, NULL, (rondo_task **)&done));
    kit_pass(loop);
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    kit_pass(loop);
    expect_result(done, NUMBER(n));
    end_future(done);
    end_future(future);
    free(links);
    kit_loop_end(loop);
    return NULL;
}

DEEP_TEST(a_chain_of_coroutines_is_cancelled)
{
    (void)unused;
    int n = MILLION;
    rondo_loop *loop = kit_loop();
    struct link *links = links_of(n);
    rondo_task *task = NULL;
    rondo_future *future = future_of(loop);
    CHECK_OK(rondo_loop_create_task(loop, inline_chain(links, n, future), NULL, &task));
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(task, "deep", NULL));
    kit_pass(loop);
    expect_cancelled(as_future(task), "deep");
    end_task(task);
    end_future(future);
    free(links);
    kit_loop_end(loop);
    return NULL;
}

/* Closed with the loop: each is thrown into, from the innermost outward. */
DEEP_TEST(a_chain_of_coroutines_is_given_up)
{
    (void)unused;
    int n = MILLION;
    rondo_loop *loop = kit_loop();
    struct link *links = links_of(n), *more = links_of(n);
    rondo_future *future = future_of(loop);
    rondo_step step;
    kit_catch_log();
    CHECK_OK(rondo_loop_create_task(loop, inline_chain(links, n, future), NULL, NULL));
    kit_pass(loop);
    rondo_coroutine *driven = inline_chain(more, n, future);
    CHECK_OK(rondo_coroutine_send(driven, NULL, &step, NULL, NULL)); /* and one that is driven by hand */
    CHECK_EQ_INT(step, RONDO_STEP_AWAIT);
    CHECK_OK(rondo_coroutine_release(driven));
    end_future(future);
    kit_loop_drop(loop);
    free(links);
    free(more);
    return NULL;
}

/* ---- tasks that await tasks ------------------------------------------------------------------ */

static rondo_task **task_chain(rondo_loop *loop, struct link *links, int n, rondo_awaitable *awaited)
{
    rondo_task **tasks = calloc((size_t)n, sizeof *tasks);
    CHECK(tasks != NULL);
    for (int i = 0; i < n; i++) {
        links[i].awaited = i > 0 ? tasks[i - 1] : awaited;
        tasks[i] = link_task(loop, link_step, &links[i]);
    }
    return tasks;
}

DEEP_TEST(a_million_tasks_await_each_other)
{
    (void)unused;
    int n = MILLION;
    rondo_loop *loop = kit_loop();
    struct link *links = links_of(n);
    rondo_future *future = future_of(loop);
    rondo_task **tasks = task_chain(loop, links, n, future);
    kit_pass(loop);
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    run_until_done(loop, tasks[n - 1]);
    expect_result(as_future(tasks[n - 1]), NUMBER(n));
    release_all(tasks, n);
    end_future(future);
    free(links);
    kit_loop_end(loop);
    return NULL;
}

DEEP_TEST(a_million_tasks_are_cancelled_from_the_outside_in)
{
    (void)unused;
    int n = MILLION;
    rondo_loop *loop = kit_loop();
    struct link *links = links_of(n);
    rondo_future *future = future_of(loop);
    rondo_task **tasks = task_chain(loop, links, n, future);
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(tasks[n - 1], "deep", NULL));
    CHECK_EQ_INT(cancelling(tasks[0]), 1);
    CHECK_OK(rondo_loop_run_until_complete(loop, tasks[n - 1], NULL));
    expect_cancelled(as_future(tasks[n - 1]), "deep");
    expect_cancelled(as_future(tasks[0]), "deep");
    release_all(tasks, n);
    end_future(future);
    free(links);
    kit_loop_end(loop);
    return NULL;
}

DEEP_TEST(the_call_graph_of_a_million_tasks)
{
    (void)unused;
    int n = MILLION;
    rondo_loop *loop = kit_loop();
    struct link *links = links_of(n);
    rondo_future *future = future_of(loop);
    rondo_task **tasks = task_chain(loop, links, n, future);
    rondo_call_graph *graph = NULL;
    size_t size = 0, parent = 0;
    kit_pass(loop);
    CHECK_OK(rondo_capture_call_graph(future, 0, RONDO_CALL_GRAPH_NO_LIMIT, &graph));
    CHECK_EQ_INT(rondo_call_graph_count(graph), n + 1);
    CHECK_EQ_INT(rondo_call_graph_get_depth(graph, (size_t)n), n);
    CHECK_OK(rondo_call_graph_get_parent(graph, (size_t)n, &parent));
    CHECK_EQ_INT(parent, n - 1);
    CHECK_EQ_STR(rondo_call_graph_get_call(graph, (size_t)n, 0), "coroutine");
    CHECK_STATUS(rondo_call_graph_format(graph, NULL, 0, &size), -ERANGE); /* a line each, not a square */
    CHECK(size < (size_t)n * 600);
    CHECK_OK(rondo_call_graph_release(graph));
    CHECK_STATUS(rondo_loop_format_tasks(loop, NULL, 0, &size), -ERANGE);
    CHECK_STATUS(rondo_loop_format_task_tree(loop, NULL, 0, &size), -ERANGE);
    CHECK(size > (size_t)n * 20 && size < (size_t)n * 800);
    CHECK_OK(rondo_task_cancel(tasks[n - 1], NULL, NULL));
    CHECK_OK(rondo_loop_run_until_complete(loop, tasks[n - 1], NULL));
    release_all(tasks, n);
    end_future(future);
    free(links);
    kit_loop_end(loop);
    return NULL;
}

DEEP_TEST(the_call_graph_of_a_million_coroutines)
{
    (void)unused;
    int n = MILLION;
    rondo_loop *loop = kit_loop();
    struct link *links = links_of(n);
    rondo_task *task = NULL;
    rondo_call_graph *graph = NULL;
    rondo_future *future = future_of(loop);
    CHECK_OK(rondo_loop_create_task(loop, inline_chain(links, n, future), NULL, &task));
    kit_pass(loop);
    CHECK_OK(rondo_capture_call_graph(task, 0, RONDO_CALL_GRAPH_NO_LIMIT, &graph));
    CHECK_EQ_INT(rondo_call_graph_get_call_count(graph, 0), n);
    CHECK_OK(rondo_call_graph_release(graph));
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    run_until_done(loop, task);
    end_task(task);
    end_future(future);
    free(links);
    kit_loop_end(loop);
    return NULL;
}

/* Closed as it stands: every task is given up. */
DEEP_TEST(a_million_waiting_tasks_are_closed_with_their_loop)
{
    (void)unused;
    int n = MILLION;
    rondo_loop *loop = kit_loop();
    struct link *links = links_of(n);
    rondo_future *future = future_of(loop);
    rondo_task **tasks = task_chain(loop, links, n, future);
    kit_record_reports(loop);
    kit_pass(loop);
    release_all(tasks, n);
    end_future(future);
    kit_loop_drop(loop);
    CHECK_EQ_INT(kit_reports(), n);
    free(links);
    return NULL;
}

/* ---- gather ---------------------------------------------------------------------------------- */

DEEP_TEST(a_gather_of_a_million)
{
    (void)unused;
    int n = MILLION;
    rondo_loop *loop = kit_loop();
    struct link *links = links_of(n);
    rondo_awaitable **awaitables = calloc((size_t)n, sizeof *awaitables);
    rondo_future *gather = NULL;
    void *value = NULL;
    for (int i = 0; i < n; i++)
        awaitables[i] = link_coroutine(link_step, &links[i]);
    CHECK_OK(rondo_gather(loop, awaitables, (size_t)n, 0, &gather));
    CHECK_OK(rondo_loop_run_until_complete(loop, gather, NULL));
    for (int i = 0; i < n; i += 1000) {
        CHECK_OK(rondo_gather_get_result(gather, (size_t)i, &value));
        CHECK_EQ_PTR(value, NUMBER(1));
    }
    end_future(gather);
    free(awaitables);
    free(links);
    kit_loop_end(loop);
    return NULL;
}

enum nest { GATHER, SHIELD, MIXED };

/* The outermost of n futures around each other; the references of the inner ones are given up. */
static rondo_future *nested(rondo_loop *loop, enum nest how, int n, rondo_future *innermost)
{
    rondo_future *inner = innermost;
    CHECK_OK(rondo_future_retain(inner));
    for (int i = 0; i < n; i++) {
        rondo_future *outer = NULL;
        if (how == SHIELD || (how == MIXED && i % 2 == 1))
            CHECK_OK(rondo_shield(loop, inner, &outer));
        else
            CHECK_OK(rondo_gather(loop, (rondo_awaitable *[]){ inner }, 1, 0, &outer));
        CHECK_OK(rondo_future_release(inner));
        inner = outer;
    }
    return inner;
}

static void finish_nested(enum nest how)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop), *outermost = nested(loop, how, MILLION, future);
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    CHECK_OK(rondo_loop_run_until_complete(loop, outermost, NULL));
    end_future(future);
    end_future(outermost); /* and with it all that only it held */
    kit_loop_end(loop);
}

DEEP_TEST(a_million_gathers_around_each_other_finish)
{
    (void)unused;
    finish_nested(GATHER);
    return NULL;
}

DEEP_TEST(a_million_shields_around_each_other_finish)
{
    (void)unused;
    finish_nested(SHIELD);
    return NULL;
}

DEEP_TEST(gathers_and_shields_in_turn_finish)
{
    (void)unused;
    finish_nested(MIXED);
    return NULL;
}

DEEP_TEST(a_million_gathers_around_each_other_are_cancelled)
{
    (void)unused;
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop), *outermost = nested(loop, GATHER, MILLION, future);
    CHECK_OK(rondo_future_cancel(outermost, NULL, NULL));
    CHECK_EQ_INT(rondo_future_is_cancelled(future), 1);
    CHECK_OK(rondo_loop_run_until_complete(loop, outermost, NULL));
    CHECK_STATUS(rondo_future_result(outermost, NULL), RONDO_E_RAISED);
    end_future(future);
    end_future(outermost);
    kit_loop_end(loop);
    return NULL;
}

static void drop_nested(enum nest how)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop), *outermost = nested(loop, how, MILLION, future);
    end_future(outermost); /* pending, and held by the callbacks inside */
    end_future(future);    /* now nobody can complete it */
    kit_loop_drop(loop);
}

DEEP_TEST(nested_gathers_are_let_go_of_as_they_stand)
{
    (void)unused;
    drop_nested(GATHER);
    return NULL;
}

DEEP_TEST(nested_shields_are_let_go_of_as_they_stand)
{
    (void)unused;
    drop_nested(SHIELD);
    return NULL;
}

DEEP_TEST(the_call_graph_goes_through_a_million_gathers)
{
    (void)unused;
    rondo_loop *loop = kit_loop();
    struct link link = { 0 };
    rondo_call_graph *graph = NULL;
    rondo_future *future = future_of(loop), *outermost = nested(loop, MIXED, MILLION, future);
    link.awaited = outermost;
    rondo_task *task = link_task(loop, link_step, &link);
    kit_pass(loop);
    CHECK_OK(rondo_capture_call_graph(future, 0, 0, &graph));
    CHECK_EQ_INT(rondo_call_graph_count(graph), 2);
    CHECK_OK(rondo_call_graph_release(graph));
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    run_until_done(loop, task);
    end_task(task);
    end_future(future);
    end_future(outermost);
    kit_loop_end(loop);
    return NULL;
}

/* A task awaits a gather of a task that awaits a gather of a task ... */
static rondo_task **gathering_tasks(rondo_loop *loop, struct link *links, int n, rondo_future *innermost)
{
    rondo_task **tasks = calloc((size_t)n, sizeof *tasks);
    for (int i = 0; i < n; i++) {
        rondo_future *gather = NULL;
        rondo_awaitable *inner = i > 0 ? (void *)tasks[i - 1] : (void *)innermost;
        CHECK_OK(rondo_gather(loop, &inner, 1, 0, &gather));
        links[i].awaited = gather;
        tasks[i] = link_task(loop, link_step, &links[i]);
    }
    return tasks;
}

static void end_gathering(rondo_task **tasks, struct link *links, int n)
{
    for (int i = 0; i < n; i++)
        CHECK_OK(rondo_future_release(links[i].awaited));
    release_all(tasks, n);
    free(links);
}

DEEP_TEST(tasks_that_gather_tasks_are_cancelled)
{
    (void)unused;
    int n = MILLION / 2;
    rondo_loop *loop = kit_loop();
    struct link *links = links_of(n);
    rondo_future *future = future_of(loop);
    rondo_task **tasks = gathering_tasks(loop, links, n, future);
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(tasks[n - 1], NULL, NULL));
    CHECK_EQ_INT(rondo_future_is_cancelled(future), 1);
    CHECK_EQ_INT(cancelling(tasks[0]), 1);
    CHECK_OK(rondo_loop_run_until_complete(loop, tasks[n - 1], NULL));
    expect_cancelled(as_future(tasks[n - 1]), NULL);
    end_gathering(tasks, links, n);
    end_future(future);
    kit_loop_end(loop);
    return NULL;
}

/* ---- task groups and timeouts ---------------------------------------------------------------- */

/* A parent of one child, which is the next link's parent. */
struct nesting {
    struct link *links;
    int n;
    rondo_future *future;
} nesting;

RONDO_STEP(group_step)
{
    struct link *self = frame;
    RONDO_BEGIN(self);
    RONDO_TASK_GROUP_ENTER(self, self->group, rondo_running_loop());
    if (self + 1 < nesting.links + nesting.n) {
        RONDO_CHECK(rondo_task_group_spawn(self->group, group_step, self + 1, NULL, NULL, NULL), "spawn");
    } else {
        self->awaited = nesting.future;
        RONDO_CHECK(rondo_task_group_spawn(self->group, link_step, self + 1, NULL, NULL, NULL), "spawn");
    }
    RONDO_TASK_GROUP_EXIT(self, part, self->group);
    RONDO_END(self);
}

static rondo_task *begin_groups(rondo_loop *loop, int n)
{
    nesting.links = links_of(n + 1);
    nesting.n = n;
    nesting.future = future_of(loop);
    nesting.links[n].awaited = nesting.future;
    rondo_task *task = link_task(loop, group_step, nesting.links);
    for (int i = 0; i < n + 2; i++)
        kit_pass(loop);
    return task;
}

static void end_groups(rondo_loop *loop, rondo_task *task)
{
    end_task(task);
    end_future(nesting.future);
    free(nesting.links);
    kit_loop_end(loop);
}

DEEP_TEST(groups_inside_of_groups_finish)
{
    (void)unused;
    rondo_loop *loop = kit_loop();
    rondo_task *task = begin_groups(loop, MILLION / 4);
    CHECK_OK(rondo_future_set_result(nesting.future, NULL, NULL));
    run_until_done(loop, task);
    expect_result(as_future(task), NULL);
    end_groups(loop, task);
    return NULL;
}

DEEP_TEST(groups_inside_of_groups_are_cancelled)
{
    (void)unused;
    rondo_loop *loop = kit_loop();
    rondo_task *task = begin_groups(loop, MILLION / 4);
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    CHECK_OK(rondo_loop_run_until_complete(loop, task, NULL));
    expect_cancelled(as_future(task), NULL);
    end_groups(loop, task);
    return NULL;
}

/* The innermost fails: each group wraps the group inside of it. */
DEEP_TEST(groups_of_errors_around_each_other)
{
    (void)unused;
    int n = MILLION / 4, depth = 0;
    rondo_loop *loop = kit_loop();
    rondo_task *task = begin_groups(loop, n);
    rondo_error *error = kit_error(7, "deep"), *outer = NULL;
    CHECK_OK(rondo_future_set_exception(nesting.future, error));
    CHECK_OK(rondo_loop_run_until_complete(loop, task, NULL));
    CHECK_OK(rondo_future_exception(as_future(task), &outer));
    for (rondo_error *at = outer; rondo_error_get_count(at) == 1; at = rondo_error_get_member(at, 0))
        depth++;
    CHECK_EQ_INT(depth, n);
    CHECK_OK(rondo_error_release(outer));
    CHECK_OK(rondo_error_release(error));
    end_groups(loop, task);
    return NULL;
}

/* n timeouts around each other in one task, of which the outermost is over. */
RONDO_STEP(timeouts_step)
{
    struct link *self = frame;
    RONDO_BEGIN(self);
    for (int i = 0; i < nesting.n; i++) {
        int64_t delay = i == 0 ? 0 : INT64_C(3600000000000);
        CHECK_OK(rondo_timeout_new(rondo_running_loop(), delay, &nesting.links[i].timeout));
        CHECK_OK(rondo_timeout_enter(nesting.links[i].timeout));
    }
    RONDO_TRY_AWAIT(self, nesting.future);
    CHECK(thrown != NULL);
    rondo_error *left = thrown;
    CHECK_OK(rondo_error_retain(left));
    for (int i = nesting.n - 1; i >= 0; i--) {
        rondo_error *next = NULL;
        CHECK_OK(rondo_timeout_exit(nesting.links[i].timeout, left, &next));
        CHECK_OK(rondo_error_release(left));
        CHECK_OK(rondo_timeout_release(nesting.links[i].timeout));
        left = next;
    }
    int32_t code = rondo_error_get_code(left);
    CHECK_OK(rondo_error_release(left));
    RONDO_RETURN(NUMBER(code));
    RONDO_END(self);
}

DEEP_TEST(timeouts_inside_of_timeouts)
{
    (void)unused;
    rondo_loop *loop = kit_loop();
    struct link link = { 0 };
    nesting.n = MILLION;
    nesting.links = links_of(nesting.n);
    nesting.future = future_of(loop);
    rondo_task *task = link_task(loop, timeouts_step, &link);
    run_until_done(loop, task);
    expect_result(as_future(task), NUMBER(RONDO_E_TIMEOUT));
    end_groups(loop, task);
    return NULL;
}

/* wait_for around wait_for, in one task. */
DEEP_TEST(wait_for_inside_of_wait_for)
{
    (void)unused;
    int n = MILLION / 4;
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    rondo_coroutine *wait = NULL;
    rondo_awaitable *inner = future;
    rondo_task *task = NULL;
    for (int i = 0; i < n; i++) {
        CHECK_OK(rondo_wait_for(inner, INT64_C(3600000000000), &wait));
        inner = wait;
    }
    CHECK_OK(rondo_loop_create_task(loop, wait, NULL, &task));
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    kit_pass(loop);
    expect_cancelled(as_future(task), NULL);
    end_task(task);
    end_future(future);
    kit_loop_end(loop);
    return NULL;
}

/* Never awaited: each holds the next one in its frame. */
DEEP_TEST(wait_for_inside_of_wait_for_is_never_awaited)
{
    (void)unused;
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    rondo_coroutine *wait = NULL;
    rondo_awaitable *inner = future;
    kit_catch_log();
    for (int i = 0; i < MILLION / 4; i++) {
        CHECK_OK(rondo_wait_for(inner, INT64_C(3600000000000), &wait));
        inner = wait;
    }
    CHECK_OK(rondo_coroutine_release(wait));
    end_future(future);
    kit_loop_end(loop);
    return NULL;
}

/* ---- errors ---------------------------------------------------------------------------------- */

enum chain { CAUSES, CONTEXTS };

RONDO_STEP(raise_step)
{
    struct link *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_AWAIT(self, self->awaited);
    CHECK(thrown != NULL);
    RONDO_RAISE(1, NULL); /* what is being handled becomes its context */
    RONDO_END(self);
}

DEEP_TEST(an_error_with_a_million_causes)
{
    (void)unused;
    rondo_error *error = kit_error(0, NULL);
    char text[64];
    size_t size = 0;
    for (int i = 1; i < MILLION; i++) {
        rondo_error *next = kit_error(i, NULL);
        CHECK_OK(rondo_error_set_cause(next, error));
        CHECK_OK(rondo_error_release(error));
        error = next;
    }
    CHECK_STATUS(rondo_error_describe(error, text, sizeof text, &size), -ERANGE);
    CHECK_OK(rondo_error_release(error));
    return NULL;
}

DEEP_TEST(an_error_with_a_million_contexts)
{
    (void)unused;
    int n = MILLION;
    rondo_loop *loop = kit_loop();
    struct link *links = links_of(n);
    rondo_future *future = future_of(loop);
    rondo_error *error = kit_error(7, "deep"), *last = NULL;
    rondo_task **tasks = calloc((size_t)n, sizeof *tasks);
    for (int i = 0; i < n; i++) {
        links[i].awaited = i > 0 ? (void *)tasks[i - 1] : (void *)future;
        tasks[i] = link_task(loop, raise_step, &links[i]);
    }
    kit_pass(loop);
    CHECK_OK(rondo_future_set_exception(future, error));
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_loop_run_until_complete(loop, tasks[n - 1], NULL));
    CHECK_OK(rondo_future_exception(as_future(tasks[n - 1]), &last));
    release_all(tasks, n);
    end_future(future);
    CHECK_OK(rondo_error_release(last)); /* all of them at once */
    free(links);
    kit_loop_end(loop);
    return NULL;
}

DEEP_TEST(a_group_of_a_million_errors)
{
    (void)unused;
    int n = MILLION;
    rondo_error **errors = calloc((size_t)n, sizeof *errors), *group = NULL;
    for (int i = 0; i < n; i++)
        errors[i] = kit_error(i, NULL);
    CHECK_OK(rondo_error_group_new("many", errors, (size_t)n, &group));
    for (int i = 0; i < n; i++)
        CHECK_OK(rondo_error_release(errors[i]));
    CHECK_EQ_INT(rondo_error_get_count(group), n);
    CHECK_OK(rondo_error_release(group));
    free(errors);
    return NULL;
}

/* ---- many at one place ----------------------------------------------------------------------- */

DEEP_TEST(a_million_wait_for_one_future)
{
    (void)unused;
    int n = MILLION;
    rondo_loop *loop = kit_loop();
    struct link *links = links_of(n);
    rondo_future *future = future_of(loop);
    rondo_task **tasks = calloc((size_t)n, sizeof *tasks);
    for (int i = 0; i < n; i++) {
        links[i].awaited = future;
        tasks[i] = link_task(loop, link_step, &links[i]);
    }
    kit_pass(loop);
    CHECK_OK(rondo_future_set_result(future, NUMBER(4), NULL));
    kit_pass(loop);
    for (int i = 0; i < n; i++)
        expect_result(as_future(tasks[i]), NUMBER(5));
    release_all(tasks, n);
    end_future(future);
    free(links);
    kit_loop_end(loop);
    return NULL;
}

/* A result that holds the next future, and so on: each drop lets go of the next one. */
static void release_next(void *future)
{
    CHECK_OK(rondo_future_release(future));
}

DEEP_TEST(futures_that_hold_futures_are_let_go_of)
{
    (void)unused;
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    for (int i = 0; i < MILLION; i++) {
        rondo_future *outer = future_of(loop);
        CHECK_OK(rondo_future_set_result(outer, future, release_next));
        future = outer;
    }
    end_future(future);
    kit_loop_end(loop);
    return NULL;
}
