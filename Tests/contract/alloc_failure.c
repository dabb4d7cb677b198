/*
 * alloc_failure.c - every n-th allocation of the library fails, once and for good, in each of many
 * scenarios (F81). Each call answers RONDO_OK or -ENOMEM; what it failed to do it did not do; what
 * it was given is dropped once; nothing leaks; and the same scenario then runs without a fault.
 */
#define _GNU_SOURCE
#include "kit.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- the sweep ------------------------------------------------------------------------------- */

static bool clean; /* no allocation fails: everything must work */
static long given; /* how many args with kit_drop the library was given */
static long points;

/* Was the call refused for want of memory? Any other failure fails the test. */
static bool refused(const char *file, int line, const char *call, rondo_status status)
{
    if (status == -ENOMEM && !clean)
        return true;
    kit_check_status(file, line, call, status, RONDO_OK);
    return false;
}

#define REFUSED(call) refused(__FILE__, __LINE__, #call, (call))
#define TRY(call)                                                                                 \
    do {                                                                                          \
        if (REFUSED(call))                                                                        \
            goto out;                                                                             \
    } while (0)

/* An outcome is right, or it is an error that stands for want of memory. */
static void check_outcome(rondo_future *future, const char *expected)
{
    void *value = NULL;
    rondo_error *error = NULL;
    rondo_status status = rondo_future_result(future, &value);
    if (status == RONDO_OK) {
        if (expected != NULL)
            CHECK_EQ_STR(value, expected);
        return;
    }
    CHECK(!clean);
    CHECK_STATUS(status, RONDO_E_RAISED);
    CHECK_OK(rondo_future_exception(future, &error));
    CHECK_STATUS(rondo_error_get_status(error), -ENOMEM);
    CHECK_OK(rondo_error_release(error));
}

static void run_once(void (*scenario)(void))
{
    kit_drops = given = 0;
    scenario();
    if (kit_drops != given)
        kit_fail(__FILE__, __LINE__, "%ld args were given and %ld dropped", given, (long)kit_drops);
}

static void sweep_one(void (*scenario)(void), bool sticky)
{
    uint64_t live = rondo_debug_live();
    for (long n = 1;; n++) {
        kit_alloc_mark();
        clean = false;
        kit_alloc_fail(n, sticky);
        run_once(scenario);
        kit_alloc_end();
        long failed = kit_alloc_failed();
        clean = true;
        run_once(scenario);
        int leaks = kit_alloc_leaks(true);
        if (leaks > 0 || rondo_debug_live() != live)
            kit_fail(__FILE__, __LINE__, "allocation %ld%s: %d leaks, %+lld live objects", n,
                     sticky ? " and all after it" : "", leaks, (long long)(rondo_debug_live() - live));
        if (failed == 0)
            return;
        points++;
        CHECK(n < 100000);
    }
}

static void ignore_log(int32_t level, const char *message, const rondo_log_field *fields,
                       size_t field_count, void *arg)
{
    (void)fields, (void)field_count;
    (void)level;
    (void)message;
    (void)arg;
}

static void sweep(void (*scenario)(void))
{
    if (!kit_alloc_works()) {
        kit_skip("a sanitizer has the allocator");
        return;
    }
    CHECK_OK(rondo_log_set_sink(ignore_log, NULL, NULL)); /* reports may be many */
    points = 0;
    clean = true;
    run_once(scenario); /* what is made once and kept */
    sweep_one(scenario, false);
    sweep_one(scenario, true);
    CHECK_OK(rondo_log_set_sink(NULL, NULL, NULL));
    kit_note("alloc-points=%ld", points);
}

#define GIVEN (given++, kit_drop)

static void end_loop(rondo_loop *loop)
{
    if (loop == NULL)
        return;
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_OK(rondo_loop_release(loop));
}

/* A pass may itself want memory: for the poller, for instance. */
static void pass(rondo_loop *loop)
{
    CHECK_OK(rondo_loop_stop(loop));
    rondo_status status = rondo_loop_run_forever(loop);
    CHECK(status == RONDO_OK || (!clean && status == -ENOMEM));
    if (status != RONDO_OK)
        CHECK_EQ_INT(rondo_loop_is_running(loop), 0);
}

/* ---- loop and calls -------------------------------------------------------------------------- */

static void loop_and_run(void)
{
    rondo_loop_options options = { .size = sizeof options, .ready_capacity = 1000 };
    rondo_loop *loop = NULL;
    struct kit_arg arg = { 0 };
    TRY(rondo_loop_new(&options, &loop));
    TRY(rondo_loop_call_soon(loop, kit_arg_call, &arg, NULL, NULL));
    pass(loop);
    CHECK_EQ_INT(arg.calls, 1);
out:
    end_loop(loop);
}

KIT_TEST(oom_loop_new_and_run) { sweep(loop_and_run); }

static void many_calls(void)
{
    enum { COUNT = 3000 };
    static rondo_handle *handles[COUNT];
    rondo_loop *loop = NULL;
    struct kit_arg arg = { 0 };
    int accepted = 0;
    memset(handles, 0, sizeof handles);
    TRY(rondo_loop_new(NULL, &loop));
    for (int i = 0; i < COUNT; i++) {
        bool keep = i % 3 == 0;
        if (!REFUSED(rondo_loop_call_soon(loop, kit_arg_call, &arg, keep ? GIVEN : NULL,
                                          keep ? &handles[i] : NULL)))
            accepted++;
    }
    pass(loop);
    if (arg.calls != 0 || clean)
        CHECK_EQ_INT(arg.calls, accepted);
out:
    end_loop(loop);
    for (int i = 0; i < COUNT; i++)
        CHECK_OK(rondo_handle_release(handles[i]));
}

KIT_TEST_WITHIN(oom_call_soon_growth, 30) { sweep(many_calls); }

static void many_timers(void)
{
    enum { COUNT = 2000 };
    static rondo_handle *handles[COUNT];
    rondo_loop *loop = NULL;
    struct kit_arg arg = { 0 };
    int cancelled = 0, accepted = 0;
    memset(handles, 0, sizeof handles);
    TRY(rondo_loop_new(NULL, &loop));
    for (int i = 0; i < COUNT; i++)
        accepted += !REFUSED(rondo_loop_call_later(loop, i % 2 ? -i : 3600000000000, kit_arg_call, &arg,
                                                   GIVEN, &handles[i]));
    for (int i = 0; i < COUNT; i += 4) {
        if (handles[i] == NULL)
            continue;
        CHECK_OK(rondo_handle_cancel(handles[i])); /* cancelling never needs memory */
        cancelled++;
    }
    for (int i = 2; i < COUNT; i += 4)
        if (handles[i] != NULL)
            (void)REFUSED(rondo_handle_rearm(handles[i], i % 8 == 2 ? 0 : 7200000000000));
    pass(loop);
    CHECK(arg.calls <= accepted - cancelled);
    if (clean)
        CHECK_EQ_INT(arg.calls, 1000 + 250);
out:
    end_loop(loop);
    for (int i = 0; i < COUNT; i++)
        CHECK_OK(rondo_handle_release(handles[i]));
}

KIT_TEST_WITHIN(oom_timers, 30) { sweep(many_timers); }

static int pairs[40][2];

static void watch_many(void)
{
    rondo_loop *loop = NULL;
    struct kit_arg arg = { 0 };
    TRY(rondo_loop_new(NULL, &loop));
    for (int i = 0; i < 40; i++) {
        (void)REFUSED(rondo_loop_add_reader(loop, pairs[i][0], kit_arg_fd, &arg, GIVEN));
        (void)REFUSED(rondo_loop_add_writer(loop, pairs[i][0], kit_arg_fd, &arg, GIVEN));
        (void)REFUSED(rondo_loop_add_writer(loop, pairs[i][0], kit_arg_fd, &arg, GIVEN));
    }
    pass(loop);
    if (clean)
        CHECK_EQ_INT(arg.calls, 40);
    for (int i = 0; i < 20; i++) {
        CHECK_OK(rondo_loop_remove_reader(loop, pairs[i][0], NULL));
        CHECK_OK(rondo_loop_remove_writer(loop, pairs[i][0], NULL));
    }
out:
    end_loop(loop);
}

KIT_TEST_WITHIN(oom_descriptors, 30)
{
    for (int i = 0; i < 40; i++)
        kit_socketpair(pairs[i]);
    sweep(watch_many);
    for (int i = 0; i < 40; i++) {
        close(pairs[i][0]);
        close(pairs[i][1]);
    }
}

/* ---- futures --------------------------------------------------------------------------------- */

static void futures_and_callbacks(void)
{
    rondo_loop *loop = NULL;
    rondo_future *futures[5] = { NULL };
    rondo_error *error = NULL;
    struct kit_arg arg = { 0 };
    int accepted = 0;
    TRY(rondo_loop_new(NULL, &loop));
    for (int i = 0; i < 5; i++)
        TRY(rondo_future_new(loop, &futures[i]));
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 20; k++)
            accepted += !REFUSED(rondo_future_add_done_callback(futures[i], kit_arg_future, &arg, GIVEN));
    /* Completing may be refused, and then the future is what it was. */
    if (REFUSED(rondo_future_set_result(futures[0], "one", GIVEN)))
        CHECK_EQ_INT(rondo_future_is_done(futures[0]), 0);
    if (REFUSED(rondo_future_cancel(futures[1], "two", NULL)))
        CHECK_EQ_INT(rondo_future_is_done(futures[1]), 0);
    TRY(rondo_error_new(RONDO_DOMAIN_USER, 3, "three", &error));
    if (REFUSED(rondo_future_set_exception(futures[2], error)))
        CHECK_EQ_INT(rondo_future_is_done(futures[2]), 0);
    if (REFUSED(rondo_future_set_exception_status(futures[3], RONDO_E_TIMEOUT, "four")))
        CHECK_EQ_INT(rondo_future_is_done(futures[3]), 0);
    if (REFUSED(rondo_future_set_exception_status(futures[4], RONDO_E_STOP_ITERATION, "five")))
        CHECK_EQ_INT(rondo_future_is_done(futures[4]), 0);
    pass(loop);
    if (clean)
        CHECK_EQ_INT(arg.calls, accepted);
out:
    CHECK_OK(rondo_error_release(error));
    for (int i = 0; i < 5; i++) {
        if (futures[i] != NULL && rondo_future_is_done(futures[i]))
            rondo_future_exception(futures[i], NULL);
        CHECK_OK(rondo_future_release(futures[i]));
    }
    end_loop(loop);
}

KIT_TEST(oom_futures) { sweep(futures_and_callbacks); }

/* There is room for no error any more, and still the future gets one: that of -ENOMEM, which is always there. */
KIT_TEST(exception_of_a_status_without_memory)
{
    static rondo_error *errors[100000];
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL;
    rondo_error *error = NULL;
    size_t count = 0;
    if (!kit_alloc_works()) {
        kit_skip("allocations cannot be made to fail in this build");
        kit_loop_end(loop);
        return;
    }
    CHECK_OK(rondo_future_new(loop, &future));
    kit_alloc_fail(1, true);
    while (rondo_error_new(RONDO_DOMAIN_POSIX, EIO, NULL, &errors[count]) == RONDO_OK)
        CHECK(++count < sizeof errors / sizeof *errors);
    rondo_status status = rondo_future_set_exception_status(future, -EIO, "read");
    kit_alloc_end();
    CHECK_OK(status);
    CHECK_OK(rondo_future_exception(future, &error));
    CHECK_EQ_INT(rondo_error_get_status(error), -ENOMEM);
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_future_release(future));
    while (count > 0)
        CHECK_OK(rondo_error_release(errors[--count]));
    kit_loop_end(loop);
}

static void futures_threadsafe(void)
{
    rondo_loop *loop = NULL;
    rondo_future *future = NULL;
    rondo_error *error = NULL;
    rondo_handle *handle = NULL;
    struct kit_arg arg = { 0 };
    TRY(rondo_loop_new(NULL, &loop));
    TRY(rondo_future_new(loop, &future));
    for (int i = 0; i < 50; i++)
        (void)REFUSED(rondo_loop_call_soon_threadsafe(loop, kit_arg_call, &arg, GIVEN, NULL));
    (void)REFUSED(rondo_loop_call_soon_threadsafe(loop, kit_arg_call, &arg, GIVEN, &handle));
    (void)REFUSED(rondo_future_set_result_threadsafe(future, "value", GIVEN));
    TRY(rondo_error_new(RONDO_DOMAIN_USER, 1, "late", &error));
    (void)REFUSED(rondo_future_set_exception_threadsafe(future, error));
    (void)REFUSED(rondo_future_set_exception_status_threadsafe(future, -EIO, "late"));
    (void)REFUSED(rondo_future_cancel_threadsafe(future, "later", error));
    pass(loop);
    if (clean) {
        CHECK_EQ_INT(arg.calls, 51);
        check_outcome(future, "value");
    }
out:
    if (future != NULL && rondo_future_is_done(future))
        rondo_future_exception(future, NULL);
    CHECK_OK(rondo_handle_release(handle));
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_future_release(future));
    end_loop(loop);
}

KIT_TEST(oom_threadsafe) { sweep(futures_threadsafe); }

/* ---- coroutines and tasks -------------------------------------------------------------------- */

struct count {
    int steps;
};

/* Yields twice, sleeps, awaits a coroutine (rondo_sleep), returns. */
static rondo_step walk(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct count *count = frame;
    rondo_coroutine *inner = NULL;
    (void)sent;
    if (thrown != NULL)
        return rondo_coroutine_raise(co, thrown);
    switch (count->steps++) {
    case 0:
    case 1: return rondo_coroutine_yield(co, NULL);
    case 2: return rondo_coroutine_sleep(co, 1000);
    case 3: {
        rondo_status status = rondo_sleep(0, "inner", GIVEN, &inner);
        if (status != RONDO_OK)
            return rondo_coroutine_raise_status(co, status, "rondo_sleep");
        return rondo_coroutine_await_moved(co, inner);
    }
    default: return rondo_coroutine_return(co, "walked", NULL);
    }
}

static void by_hand(void)
{
    rondo_coroutine *coroutine = NULL;
    void *frame = NULL;
    TRY(rondo_coroutine_new_with_frame("walk", walk, sizeof(struct count), NULL, &frame, &coroutine));
    for (int i = 0; i < 2; i++) {
        rondo_step step = -1;
        void *value = NULL;
        rondo_error *error = NULL;
        rondo_status status = rondo_coroutine_send(coroutine, NULL, &step, &value, &error);
        if (REFUSED(status))
            break;
        CHECK_EQ_INT(step, RONDO_STEP_YIELD);
        CHECK_OK(rondo_error_release(error));
    }
    (void)REFUSED(rondo_coroutine_close(coroutine, NULL));
out:
    CHECK_OK(rondo_coroutine_release(coroutine));
}

KIT_TEST(oom_coroutine_by_hand) { sweep(by_hand); }

static rondo_status run_to_the_end(rondo_loop *loop, rondo_awaitable *awaitable, const char *expected)
{
    rondo_future *out = NULL;
    rondo_status status = rondo_loop_run_until_complete(loop, awaitable, &out);
    if (status != RONDO_OK) {
        CHECK(!clean && status == -ENOMEM);
        CHECK_OK(rondo_future_release(out));
        return status;
    }
    check_outcome(out, expected);
    return rondo_future_release(out);
}

static void run_coroutine(void)
{
    rondo_loop *loop = NULL;
    rondo_coroutine *coroutine = NULL;
    void *frame = NULL;
    TRY(rondo_loop_new(NULL, &loop));
    TRY(rondo_coroutine_new_with_frame("walk", walk, sizeof(struct count), NULL, &frame, &coroutine));
    run_to_the_end(loop, coroutine, "walked");
out:
    end_loop(loop);
}

KIT_TEST(oom_run_until_complete) { sweep(run_coroutine); }

static void tasks(void)
{
    static struct count counts[4];
    rondo_loop *loop = NULL;
    rondo_context *context = NULL;
    rondo_task *made[4] = { NULL };
    rondo_coroutine *coroutine = NULL;
    memset(counts, 0, sizeof counts);
    TRY(rondo_loop_new(NULL, &loop));
    TRY(rondo_context_new(&context));
    rondo_task_options options = { .size = sizeof options, .name = "a name that is copied",
                                   .context = context, .coroutine_name = "walk" };
    TRY(rondo_loop_spawn(loop, walk, &counts[0], GIVEN, NULL, &made[0]));
    TRY(rondo_loop_spawn(loop, walk, &counts[1], GIVEN, &options, &made[1]));
    TRY(rondo_coroutine_new("walk", walk, &counts[2], GIVEN, &coroutine));
    TRY(rondo_loop_create_task(loop, coroutine, &options, &made[2]));
    (void)REFUSED(rondo_task_set_name(made[0], "another name"));
    (void)REFUSED(rondo_task_cancel(made[1], "not needed", NULL));
    run_to_the_end(loop, made[0], "walked");
    pass(loop);
out:
    for (int i = 0; i < 4; i++)
        CHECK_OK(rondo_task_release(made[i]));
    CHECK_OK(rondo_context_release(context));
    end_loop(loop);
}

KIT_TEST(oom_tasks) { sweep(tasks); }

static void waiting(void)
{
    static struct count counts[3];
    rondo_loop *loop = NULL;
    rondo_task *task = NULL;
    rondo_coroutine *first = NULL, *second = NULL, *timed = NULL;
    rondo_future *gather = NULL, *shield = NULL;
    memset(counts, 0, sizeof counts);
    TRY(rondo_loop_new(NULL, &loop));
    TRY(rondo_loop_spawn(loop, walk, &counts[0], GIVEN, NULL, &task));
    TRY(rondo_coroutine_new("walk", walk, &counts[1], GIVEN, &first));
    rondo_awaitable *awaitables[3] = { task, first, task };
    TRY(rondo_gather(loop, awaitables, 3, 0, &gather));
    run_to_the_end(loop, gather, NULL);
    TRY(rondo_shield(loop, task, &shield));
    run_to_the_end(loop, shield, NULL);
    TRY(rondo_coroutine_new("walk", walk, &counts[2], GIVEN, &second));
    TRY(rondo_wait_for(second, 10000000000, &timed));
    run_to_the_end(loop, timed, "walked");
out:
    CHECK_OK(rondo_future_release(gather));
    CHECK_OK(rondo_future_release(shield));
    CHECK_OK(rondo_task_release(task));
    end_loop(loop);
}

KIT_TEST_WITHIN(oom_gather_shield_wait_for, 30) { sweep(waiting); }

static void several(void)
{
    static struct count counts[3];
    rondo_loop *loop = NULL;
    rondo_task *task = NULL;
    rondo_coroutine *first = NULL, *wait = NULL, *next = NULL;
    rondo_as_completed *iterator = NULL;
    memset(counts, 0, sizeof counts);
    TRY(rondo_loop_new(NULL, &loop));
    TRY(rondo_loop_spawn(loop, walk, &counts[0], GIVEN, NULL, &task));
    rondo_awaitable *awaitables[3] = { task, task, NULL };
    TRY(rondo_wait(loop, awaitables, 2, 10000000000, RONDO_WAIT_ALL_COMPLETED, &wait));
    run_to_the_end(loop, wait, NULL);
    TRY(rondo_coroutine_new("walk", walk, &counts[1], GIVEN, &first));
    awaitables[2] = first;
    TRY(rondo_as_completed_new(loop, awaitables, 3, 10000000000, &iterator));
    for (int i = 0; i < 2; i++) {
        TRY(rondo_as_completed_next(iterator, &next));
        run_to_the_end(loop, next, "walked");
    }
out:
    CHECK_OK(rondo_as_completed_release(iterator));
    CHECK_OK(rondo_task_release(task));
    end_loop(loop);
}

KIT_TEST_WITHIN(oom_wait_as_completed, 30) { sweep(several); }

static void graph(void)
{
    static struct count counts[2];
    rondo_loop *loop = NULL;
    rondo_task *task = NULL, *waiter = NULL;
    rondo_future *gather = NULL;
    rondo_coroutine *wait = NULL;
    rondo_call_graph *captured = NULL;
    char text[4096];
    memset(counts, 0, sizeof counts);
    TRY(rondo_loop_new(NULL, &loop));
    TRY(rondo_loop_spawn(loop, walk, &counts[0], GIVEN, NULL, &task));
    rondo_awaitable *awaitables[] = { task, task };
    TRY(rondo_gather(loop, awaitables, 2, 0, &gather));
    TRY(rondo_wait_for(gather, 10000000000, &wait));
    TRY(rondo_loop_create_task(loop, wait, NULL, &waiter));
    pass(loop);
    TRY(rondo_capture_call_graph(task, 0, RONDO_CALL_GRAPH_NO_LIMIT, &captured));
    TRY(rondo_call_graph_format(captured, text, sizeof text, NULL));
    TRY(rondo_loop_format_tasks(loop, text, sizeof text, NULL));
    TRY(rondo_loop_format_task_tree(loop, text, sizeof text, NULL));
    run_to_the_end(loop, waiter, NULL);
out:
    CHECK_OK(rondo_call_graph_release(captured));
    CHECK_OK(rondo_future_release(gather));
    CHECK_OK(rondo_task_release(waiter));
    CHECK_OK(rondo_task_release(task));
    end_loop(loop);
}

KIT_TEST_WITHIN(oom_call_graph, 30) { sweep(graph); }

struct structured {
    RONDO_FRAME;
    rondo_loop *loop;
    rondo_timeout *limit;
    rondo_task_group *group;
    struct count counts[3];
    rondo_error *left;
};

/* What fails for want of memory inside of the group comes out of it as one error. */
RONDO_STEP(structured_step)
{
    struct structured *self = frame;
    rondo_coroutine *child = NULL;
    RONDO_BEGIN(self);
    RONDO_TIMEOUT_ENTER(self, self->limit, self->loop, 10000000000);
    RONDO_CHECK(rondo_timeout_reschedule(self->limit, RONDO_NEVER), "reschedule");
    RONDO_CHECK(rondo_timeout_reschedule(self->limit, 0), "reschedule");
    RONDO_CHECK(rondo_timeout_reschedule(self->limit, RONDO_NEVER), "reschedule");
    RONDO_TASK_GROUP_ENTER(self, self->group, self->loop);
    RONDO_CHECK(rondo_task_group_spawn(self->group, walk, &self->counts[0], GIVEN, NULL, NULL), "spawn");
    RONDO_CHECK(rondo_coroutine_new("walk", walk, &self->counts[1], GIVEN, &child), "child");
    RONDO_CHECK(rondo_task_group_create_task(self->group, child, NULL, NULL), "create_task");
    RONDO_TRY_TASK_GROUP_EXIT(self, work, self->group);
    CHECK(thrown == NULL || !clean); /* the group's, -ENOMEM, or that the loop was closed early */
    thrown = NULL;
    RONDO_TRY_TIMEOUT_EXIT(self, limit, self->limit, self->left);
    CHECK_EQ_PTR(self->left, NULL);
    RONDO_RETURN("structured");
    RONDO_END(self);
}

static void structured(void)
{
    struct structured frame = { 0 };
    rondo_coroutine *main = NULL;
    TRY(rondo_loop_new(NULL, &frame.loop));
    TRY(rondo_coroutine_new("structured", structured_step, &frame, GIVEN, &main));
    run_to_the_end(frame.loop, main, "structured");
out:
    CHECK_OK(rondo_timeout_release(frame.limit));
    CHECK_OK(rondo_task_group_release(frame.group));
    end_loop(frame.loop);
}

KIT_TEST_WITHIN(oom_task_group_timeout, 60) { sweep(structured); }

struct scoped {
    RONDO_FRAME;
    rondo_loop *loop;
    rondo_cancel_scope *outer, *inner;
    rondo_task_group *group;
    struct count counts[3];
    rondo_error *left;
    rondo_status status;
    rondo_future *request;
};

/* Scopes, deadlines, grace periods and children inside; whatever fails, the part can be left. */
RONDO_STEP(scoped_step)
{
    struct scoped *self = frame;
    rondo_cancel_scope_options options = { .size = sizeof options, .grace_ns = 10000000000 };
    RONDO_BEGIN(self);
    RONDO_CANCEL_SCOPE_ENTER(self, self->outer, self->loop, &options);
    RONDO_CHECK(rondo_cancel_scope_set_deadline(self->outer, RONDO_NEVER - 1), "deadline");
    RONDO_CHECK(rondo_cancel_scope_get_request(self->outer, &self->request), "request");
    RONDO_TASK_GROUP_ENTER(self, self->group, self->loop);
    RONDO_CHECK(rondo_task_group_spawn(self->group, walk, &self->counts[0], GIVEN, NULL, NULL), "spawn");
    RONDO_CHECK(rondo_cancel_scope_new_after(self->loop, 10000000000, NULL, &self->inner), "inner");
    RONDO_CHECK(rondo_cancel_scope_enter(self->inner), "inner");
    RONDO_CHECK(rondo_cancel_scope_cancel_here(self->inner, "enough"), "cancel");
    RONDO_TRY(self, rondo_coroutine_sleep(co, 10000000000));
    CHECK(thrown != NULL);
    RONDO_CHECK(rondo_cancel_scope_exit(self->inner, thrown, &self->left), "inner");
    if (self->left != NULL) { /* a child failed for want of memory: that cancels, too */
        CHECK(!clean);
        CHECK_OK(rondo_error_release(self->left));
    }
    RONDO_CHECK(rondo_cancel_scope_cancel(self->outer, "ask", NULL), "cancel");
    RONDO_CHECK(rondo_cancel_scope_insist(self->outer), "insist");
    RONDO_TRY_TASK_GROUP_EXIT(self, work, self->group);
    CHECK(thrown == NULL || !clean || rondo_error_get_status(thrown) == RONDO_E_CANCELLED);
    RONDO_TRY_CANCEL_SCOPE_EXIT(self, scope, self->outer, self->left);
    CHECK(self->left == NULL || !clean);
    CHECK_OK(rondo_error_release(self->left));
    RONDO_RETURN("scoped");
    RONDO_END(self);
}

static void scoped(void)
{
    struct scoped frame = { 0 };
    rondo_coroutine *main = NULL;
    TRY(rondo_loop_new(NULL, &frame.loop));
    TRY(rondo_coroutine_new("scoped", scoped_step, &frame, GIVEN, &main));
    run_to_the_end(frame.loop, main, "scoped");
out:
    CHECK_OK(rondo_cancel_scope_release(frame.inner));
    CHECK_OK(rondo_cancel_scope_release(frame.outer));
    CHECK_OK(rondo_task_group_release(frame.group));
    CHECK_OK(rondo_future_release(frame.request));
    end_loop(frame.loop);
}

KIT_TEST_WITHIN(oom_cancel_scopes, 60) { sweep(scoped); }

static rondo_status make_walk(size_t index, void *arg, rondo_coroutine **out)
{
    (void)index;
    return rondo_coroutine_new("walk", walk, arg, GIVEN, out);
}

struct racing {
    RONDO_FRAME;
    rondo_loop *loop;
    struct count count;
    rondo_coroutine *race;
};

RONDO_STEP(racing_step)
{
    struct racing *self = frame;
    const rondo_race_result *result;
    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_staggered_race(3, RONDO_NEVER, make_walk, &self->count, GIVEN, &self->race),
                "race");
    RONDO_TRY_AWAIT(self, self->race);
    CHECK(thrown == NULL || !clean);
    result = sent;
    if (thrown != NULL)
        return rondo_coroutine_raise(co, thrown);
    CHECK(!clean || (result->winner == 0 && result->started == 1));
    RONDO_RETURN("raced");
    RONDO_END(self);
}

static void racing(void)
{
    struct racing frame = { 0 };
    rondo_coroutine *main = NULL;
    TRY(rondo_loop_new(NULL, &frame.loop));
    TRY(rondo_coroutine_new("racing", racing_step, &frame, GIVEN, &main));
    run_to_the_end(frame.loop, main, "raced");
out:
    end_loop(frame.loop);
}

KIT_TEST_WITHIN(oom_staggered_race, 60) { sweep(racing); }

struct generates {
    RONDO_FRAME;
    rondo_async_generator *generator, *other;
    rondo_error *left;
    void *item;
    int i;
};

RONDO_STEP(items_step)
{
    struct generates *self = frame;
    RONDO_BEGIN(self);
    for (self->i = 0; self->i < 3; self->i++) {
        if (self->i > 0) /* what is asked after was given when it was asked */
            given++;
        RONDO_YIELD_VALUE_IN(self, items, "item", self->i > 0 ? kit_drop : NULL);
    }
    RONDO_FINALLY(self, items, self->left);
    RONDO_YIELD(self);
    RONDO_END_FINALLY(self, self->left);
    RONDO_END(self);
}

static void end_items(void *frame)
{
    struct generates *self = frame;
    kit_drop(NULL);
    CHECK_OK(rondo_error_release(self->left));
}

static rondo_status new_items(rondo_async_generator **out)
{
    void *frame = NULL;
    rondo_status status = rondo_async_generator_new_with_frame("items", items_step,
                                                               sizeof(struct generates), end_items,
                                                               &frame, out);
    given += status == RONDO_OK;
    return status;
}

/* One is asked to its end, one is closed, one dropped half-way, and one left to the shutdown. */
RONDO_STEP(generates_step)
{
    struct generates *self = frame;
    rondo_coroutine *asking = NULL;
    RONDO_BEGIN(self);
    RONDO_CHECK(new_items(&self->generator), "generator");
    RONDO_ASYNC_FOR(self, self->generator, self->item)
        CHECK_EQ_STR(self->item, "item");
    CHECK_OK(rondo_async_generator_release(self->generator));
    self->generator = NULL;
    RONDO_CHECK(new_items(&self->generator), "generator");
    RONDO_CHECK(rondo_async_generator_asend(self->generator, NULL, GIVEN, &asking), "asend");
    RONDO_AWAIT(self, asking);
    RONDO_CHECK(rondo_async_generator_anext_default(self->generator, "default", GIVEN, &asking), "anext");
    RONDO_AWAIT(self, asking);
    RONDO_TRY_ACLOSING_EXIT(self, items, self->generator);
    CHECK(thrown == NULL || !clean);
    RONDO_CHECK(new_items(&self->generator), "generator");
    RONDO_DO(self, rondo_coroutine_anext(co, self->generator));
    CHECK_OK(rondo_async_generator_release(self->generator));
    self->generator = NULL;
    RONDO_CHECK(new_items(&self->other), "generator");
    RONDO_DO(self, rondo_coroutine_anext(co, self->other));
    RONDO_RETURN("generated");
    RONDO_END(self);
}

static void generators(void)
{
    struct generates frame = { 0 };
    rondo_loop *loop = NULL;
    rondo_coroutine *main = NULL, *shutdown = NULL;
    TRY(rondo_loop_new(NULL, &loop));
    TRY(rondo_coroutine_new("generates", generates_step, &frame, GIVEN, &main));
    run_to_the_end(loop, main, "generated");
    TRY(rondo_loop_shutdown_asyncgens(loop, &shutdown));
    run_to_the_end(loop, shutdown, NULL);
out:
    CHECK_OK(rondo_async_generator_release(frame.generator));
    CHECK_OK(rondo_async_generator_release(frame.other));
    end_loop(loop);
}

KIT_TEST_WITHIN(oom_generators, 60) { sweep(generators); }

static void whole_run(void)
{
    rondo_coroutine *coroutine = NULL;
    rondo_error *error = NULL;
    void *frame = NULL, *value = NULL;
    TRY(rondo_coroutine_new_with_frame("walk", walk, sizeof(struct count), NULL, &frame, &coroutine));
    rondo_status status = rondo_run(coroutine, NULL, &value, &error);
    if (status == RONDO_E_RAISED && !clean) {
        CHECK_STATUS(rondo_error_get_status(error), -ENOMEM);
        CHECK_OK(rondo_error_release(error));
    } else if (!REFUSED(status)) {
        CHECK_EQ_STR(value, "walked");
    }
out:
    return;
}

KIT_TEST(oom_run) { sweep(whole_run); }

/* ---- locks and queues ------------------------------------------------------------------------ */

struct meeting {
    RONDO_FRAME;
    rondo_condition *condition;
    rondo_queue *queue;
    rondo_semaphore *semaphore;
    rondo_coroutine *next;
    int i;
};

/* Waits for a notification, then for an item; whatever fails, it has the lock in between. */
RONDO_STEP(takes_step)
{
    struct meeting *self = frame;
    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_semaphore_acquire(self->semaphore, &self->next), "semaphore");
    RONDO_AWAIT(self, self->next);
    RONDO_CHECK(rondo_condition_acquire(self->condition, &self->next), "acquire");
    RONDO_AWAIT(self, self->next);
    if (!REFUSED(rondo_condition_wait(self->condition, &self->next))) {
        RONDO_TRY_AWAIT(self, self->next);
        if (thrown == NULL)
            CHECK_EQ_INT(rondo_condition_is_locked(self->condition), 1);
        else if (rondo_error_get_code(thrown) != RONDO_E_GENERATOR_EXIT)
            CHECK_STATUS(rondo_error_get_status(thrown), -ENOMEM);
    }
    if (rondo_condition_is_locked(self->condition))
        (void)REFUSED(rondo_condition_unlock(self->condition));
    if (thrown != NULL)
        return rondo_coroutine_raise(co, thrown);
    RONDO_CHECK(rondo_queue_get(self->queue, &self->next), "get");
    RONDO_AWAIT(self, self->next);
    RONDO_CHECK(rondo_queue_task_done(self->queue), "task_done");
    return rondo_coroutine_return(co, "walked", NULL);
    RONDO_END(self);
}

/* Notifies, keeps the lock for some passes, puts items in. */
RONDO_STEP(gives_step)
{
    struct meeting *self = frame;
    RONDO_BEGIN(self);
    for (self->i = 0; self->i < 3; self->i++)
        RONDO_YIELD(self);
    RONDO_CHECK(rondo_condition_acquire(self->condition, &self->next), "acquire");
    RONDO_AWAIT(self, self->next);
    (void)REFUSED(rondo_condition_notify_all(self->condition));
    for (self->i = 0; self->i < 3; self->i++)
        RONDO_YIELD(self);
    (void)REFUSED(rondo_condition_unlock(self->condition));
    for (self->i = 0; self->i < 2; self->i++) {
        RONDO_CHECK(rondo_queue_put(self->queue, "item", GIVEN, &self->next), "put");
        RONDO_AWAIT(self, self->next);
    }
    RONDO_CHECK(rondo_queue_join(self->queue, &self->next), "join");
    RONDO_AWAIT(self, self->next);
    return rondo_coroutine_return(co, "walked", NULL);
    RONDO_END(self);
}

static int32_t same(const void *a, const void *b, void *arg)
{
    (void)arg;
    return (a > b) - (a < b);
}

static void locks_and_queues(void)
{
    static struct meeting meetings[3];
    rondo_loop *loop = NULL;
    rondo_task *made[3] = { NULL };
    rondo_queue *queue = NULL, *priority = NULL;
    rondo_event *event = NULL;
    rondo_barrier *barrier = NULL;
    rondo_condition *condition = NULL;
    rondo_semaphore *semaphore = NULL;
    memset(meetings, 0, sizeof meetings);
    TRY(rondo_loop_new(NULL, &loop));
    TRY(rondo_condition_new(loop, NULL, &condition));
    TRY(rondo_semaphore_new(loop, 1, 0, &semaphore));
    TRY(rondo_event_new(loop, &event));
    TRY(rondo_barrier_new(loop, 2, &barrier));
    TRY(rondo_queue_new(loop, 1, &queue));
    TRY(rondo_queue_new_priority(loop, 0, same, NULL, GIVEN, &priority));
    for (int i = 0; i < 40; i++)
        if (!REFUSED(rondo_queue_put_nowait(priority, "item", GIVEN)) && i % 2)
            (void)REFUSED(rondo_queue_put_nowait(priority, "item", GIVEN));
    for (int i = 0; i < 3; i++) {
        meetings[i] = (struct meeting){ .condition = condition, .queue = queue, .semaphore = semaphore };
        TRY(rondo_loop_spawn(loop, i < 2 ? takes_step : gives_step, &meetings[i], GIVEN, NULL, &made[i]));
    }
    pass(loop);
    (void)REFUSED(rondo_semaphore_post(semaphore));
    (void)REFUSED(rondo_event_set(event));
    for (int i = 0; i < 20; i++)
        pass(loop);
    (void)REFUSED(rondo_queue_shutdown(priority, 1));
    for (int i = 0; i < 3; i++)
        if (clean || rondo_future_is_done(rondo_task_as_future(made[i])))
            check_outcome(rondo_task_as_future(made[i]), "walked");
out:
    for (int i = 0; i < 3; i++)
        CHECK_OK(rondo_task_release(made[i]));
    end_loop(loop);
    CHECK_OK(rondo_condition_release(condition));
    CHECK_OK(rondo_semaphore_release(semaphore));
    CHECK_OK(rondo_event_release(event));
    CHECK_OK(rondo_barrier_release(barrier));
    CHECK_OK(rondo_queue_release(queue));
    CHECK_OK(rondo_queue_release(priority));
}

KIT_TEST_WITHIN(oom_locks_and_queues, 30) { sweep(locks_and_queues); }

/* ---- threads --------------------------------------------------------------------------------- */

static void thread_coroutine(void)
{
    rondo_loop *loop = NULL;
    rondo_coroutine *coroutine = NULL;
    rondo_thread_future *future = NULL;
    rondo_error *error = NULL;
    void *frame = NULL, *value = NULL;
    TRY(rondo_loop_new(NULL, &loop));
    TRY(rondo_coroutine_new_with_frame("walk", walk, sizeof(struct count), NULL, &frame, &coroutine));
    TRY(rondo_loop_run_coroutine_threadsafe(loop, coroutine, &future));
    for (int i = 0; i < 1000 && !rondo_thread_future_is_done(future); i++) {
        pass(loop);
        usleep(clean ? 10 : 1);
    }
    rondo_status status = rondo_thread_future_result(future, 0, &value);
    if (clean)
        CHECK_OK(status);
    if (status == RONDO_OK) {
        CHECK_EQ_STR(value, "walked");
    } else if (status == RONDO_E_RAISED) {
        CHECK_OK(rondo_thread_future_exception(future, 0, &error));
        CHECK_STATUS(rondo_error_get_status(error), -ENOMEM);
        CHECK_OK(rondo_error_release(error));
    } else {
        CHECK(status == RONDO_E_TIMEOUT || status == RONDO_E_CANCELLED);
    }
out:
    end_loop(loop);
    CHECK_OK(rondo_thread_future_release(future));
}

KIT_TEST_WITHIN(oom_run_coroutine_threadsafe, 60) { sweep(thread_coroutine); }

static void note_thread_future(rondo_thread_future *future, void *arg)
{
    (void)future;
    kit_arg_call(arg);
}

static void thread_futures(void)
{
    rondo_loop *loop = NULL;
    rondo_thread_future *future = NULL;
    rondo_future *wrapped = NULL;
    struct kit_arg arg = { 0 };
    int accepted = 0;
    TRY(rondo_loop_new(NULL, &loop));
    TRY(rondo_thread_future_new(&future));
    for (int i = 0; i < 20; i++)
        accepted += !REFUSED(rondo_thread_future_add_done_callback(future, note_thread_future, &arg, GIVEN));
    TRY(rondo_wrap_future(loop, future, &wrapped));
    if (!REFUSED(rondo_thread_future_set_result(future, "value", GIVEN)))
        CHECK_EQ_INT(arg.calls, accepted);
    pass(loop);
    pass(loop);
    if (clean)
        check_outcome(wrapped, "value");
out:
    if (wrapped != NULL && rondo_future_is_done(wrapped))
        rondo_future_exception(wrapped, NULL);
    CHECK_OK(rondo_future_release(wrapped));
    CHECK_OK(rondo_thread_future_release(future));
    end_loop(loop);
}

KIT_TEST(oom_thread_futures) { sweep(thread_futures); }

/* ---- sockets --------------------------------------------------------------------------------- */

static void sockets(void)
{
    rondo_loop *loop = NULL;
    rondo_future *sending = NULL, *receiving = NULL, *waiting = NULL, *ready = NULL;
    char buffer[64];
    int fds[2];
    kit_socketpair(fds);
    TRY(rondo_loop_new(NULL, &loop));
    TRY(rondo_loop_wait_readable(loop, fds[1], &waiting));
    TRY(rondo_loop_wait_writable(loop, fds[1], &ready));
    TRY(rondo_loop_sock_sendall(loop, fds[0], "hello", 5, &sending));
    run_to_the_end(loop, ready, NULL);
    run_to_the_end(loop, waiting, NULL);
    TRY(rondo_loop_sock_recv(loop, fds[1], buffer, sizeof buffer, &receiving));
    run_to_the_end(loop, sending, NULL);
    run_to_the_end(loop, receiving, NULL);
    if (clean)
        CHECK_EQ_INT(memcmp(buffer, "hello", 5), 0);
out:
    CHECK_OK(rondo_future_release(sending));
    CHECK_OK(rondo_future_release(receiving));
    CHECK_OK(rondo_future_release(waiting));
    CHECK_OK(rondo_future_release(ready));
    end_loop(loop);
    close(fds[0]);
    close(fds[1]);
}

KIT_TEST(oom_sockets) { sweep(sockets); }

/* ---- errors, contexts, reports --------------------------------------------------------------- */

static void errors(void)
{
    rondo_error *first = NULL, *second = NULL, *group = NULL;
    char text[512];
    TRY(rondo_error_new(RONDO_DOMAIN_USER, 1, "a message that is copied", &first));
    TRY(rondo_error_new(RONDO_DOMAIN_POSIX, ECONNREFUSED, NULL, &second));
    if (!REFUSED(rondo_error_set_operation(second, "connect")))
        CHECK_EQ_STR(rondo_error_get_operation(second), "connect");
    if (!REFUSED(rondo_error_set_cause(first, second)))
        CHECK_EQ_PTR(rondo_error_get_cause(first), second);
    rondo_error *members[2] = { first, second };
    TRY(rondo_error_group_new("both", members, 2, &group));
    CHECK_EQ_INT(rondo_error_get_count(group), 2);
    (void)REFUSED(rondo_error_describe(group, text, sizeof text, NULL));
out:
    CHECK_OK(rondo_error_release(group));
    CHECK_OK(rondo_error_release(second));
    CHECK_OK(rondo_error_release(first));
}

KIT_TEST(oom_errors) { sweep(errors); }

static rondo_contextvar *variable;

static void set_variable(void *arg)
{
    (void)arg;
    (void)REFUSED(rondo_contextvar_set(variable, "inside", GIVEN));
}

static void contexts(void)
{
    rondo_loop *loop = NULL;
    rondo_context *context = NULL, *copy = NULL;
    void *value = NULL;
    variable = NULL;
    TRY(rondo_loop_new(NULL, &loop));
    TRY(rondo_contextvar_new("variable", "default", &variable));
    TRY(rondo_context_new(&context));
    TRY(rondo_context_copy_current(&copy));
    (void)REFUSED(rondo_context_run(context, set_variable, NULL));
    (void)REFUSED(rondo_loop_call_soon_in_context(loop, context, set_variable, NULL, GIVEN, NULL));
    (void)REFUSED(rondo_loop_call_soon(loop, set_variable, NULL, GIVEN, NULL));
    pass(loop);
    CHECK_OK(rondo_contextvar_get(variable, &value));
    CHECK_EQ_STR(value, "default");
out:
    end_loop(loop);
    CHECK_OK(rondo_context_release(copy));
    CHECK_OK(rondo_context_release(context));
    CHECK_OK(rondo_contextvar_release(variable));
}

KIT_TEST(oom_contexts) { sweep(contexts); }

static rondo_error *to_raise;

static void raise_it(void *arg)
{
    (void)REFUSED(rondo_loop_raise(arg, to_raise));
}

static void reports(void)
{
    rondo_loop *loop = NULL;
    rondo_exception_context *context = NULL;
    to_raise = NULL;
    TRY(rondo_error_new(RONDO_DOMAIN_USER, 1, "raised", &to_raise));
    TRY(rondo_loop_new(NULL, &loop));
    TRY(rondo_loop_call_soon(loop, raise_it, loop, NULL, NULL));
    pass(loop);
    TRY(rondo_exception_context_new("a message", &context));
    (void)REFUSED(rondo_exception_context_set_error(context, to_raise));
    (void)REFUSED(rondo_loop_call_exception_handler(loop, context));
out:
    CHECK_OK(rondo_exception_context_release(context));
    end_loop(loop);
    CHECK_OK(rondo_error_release(to_raise));
}

KIT_TEST(oom_reports) { sweep(reports); }

/* ---- executors ------------------------------------------------------------------------------- */

static rondo_status give_value(rondo_job *job, void *arg)
{
    (void)arg;
    rondo_status status = rondo_job_return(job, "value", NULL);
    return status;
}

/* Whatever fails on the way, a job that was taken completes its future. */
static void wait_for_job(rondo_loop *loop, rondo_future *future)
{
    while (rondo_future_is_done(future) == 0)
        pass(loop);
    check_outcome(future, "value");
    CHECK_OK(rondo_future_release(future));
}

static void executors(void)
{
    rondo_thread_pool_options options = { .size = sizeof options, .max_workers = 1, .name = "oom" };
    rondo_job_options named = { .size = sizeof named, .flags = RONDO_JOB_COPY_CONTEXT, .name = "job" };
    rondo_loop *loop = NULL;
    rondo_executor *pool = NULL, *made = NULL;
    rondo_future *future = NULL;
    rondo_thread_future *plain = NULL;
    TRY(rondo_loop_new(NULL, &loop));
    TRY(rondo_executor_new_thread_pool(&options, &pool));
    if (!REFUSED(rondo_loop_run_in_executor(loop, pool, &named, give_value, NULL, GIVEN, &future)))
        wait_for_job(loop, future);
    if (!REFUSED(rondo_loop_to_thread(loop, give_value, NULL, GIVEN, &future)))
        wait_for_job(loop, future);
    if (!REFUSED(rondo_executor_submit(pool, &named, give_value, NULL, GIVEN, &plain))) {
        CHECK_OK(rondo_thread_future_result(plain, RONDO_NEVER, NULL));
        CHECK_OK(rondo_thread_future_release(plain));
    }
    if (!REFUSED(rondo_loop_shutdown_executor(loop, pool, 0, 60 * INT64_C(1000000000), &future))) {
        while (rondo_future_is_done(future) == 0)
            pass(loop);
        CHECK_OK(rondo_future_release(future));
    }
    if (!REFUSED(rondo_loop_shutdown_default_executor(loop, 60 * INT64_C(1000000000), &future))) {
        while (rondo_future_is_done(future) == 0)
            pass(loop);
        CHECK_OK(rondo_future_release(future));
    }
    else if (rondo_loop_get_default_executor(loop, &made) == RONDO_OK && made != NULL) {
        CHECK_OK(rondo_executor_shutdown(made, 0, RONDO_NEVER, NULL));
        CHECK_OK(rondo_executor_release(made));
    }
out:
    if (pool != NULL) {
        CHECK_OK(rondo_executor_shutdown(pool, 0, RONDO_NEVER, NULL));
        CHECK_OK(rondo_executor_release(pool));
    }
    end_loop(loop);
}

KIT_TEST(oom_executors) { sweep(executors); }

/* ---- process pools ----------------------------------------------------------------------------- */

/* Whatever fails on the way, in whichever thread, the future is done: with the echo or without. */
static void check_echo(rondo_thread_future *future)
{
    void *value = NULL;
    rondo_status status = rondo_thread_future_result(future, RONDO_NEVER, &value);
    if (status == RONDO_OK)
        CHECK(((rondo_bytes *)value)->size == 4 && memcmp(((rondo_bytes *)value)->data, "text", 4) == 0);
    else
        CHECK_STATUS(status, RONDO_E_RAISED);
    CHECK_OK(rondo_thread_future_release(future));
}

static void process_pools(void)
{
    static char library[4096];
    rondo_process_pool_options options = { .size = sizeof options, .max_workers = 1, .library = library,
        .initializer = "do_first", .finalizer = "say_nothing", .input = "first", .input_size = 5 };
    rondo_process_call call = { .size = sizeof call, .library = library, .symbol = "echo" };
    rondo_executor *pool = NULL;
    rondo_thread_future *future = NULL;
    ssize_t size = readlink("/proc/self/exe", library, sizeof library - 20);
    CHECK(size > 0);
    library[size] = '\0';
    strcpy(strrchr(library, '/'), "/process_jobs.so");
    TRY(rondo_executor_new_process_pool(&options, &pool));
    for (int i = 0; i < 2; i++)
        if (!REFUSED(rondo_executor_submit_process(pool, &call, "text", 4, GIVEN, &future)))
            check_echo(future);
    call.symbol = "fail_with_words";
    if (!REFUSED(rondo_executor_submit_process(pool, &call, "text", 4, GIVEN, &future)))
        check_echo(future);
out:
    if (pool != NULL) {
        CHECK_OK(rondo_executor_shutdown(pool, 0, RONDO_NEVER, NULL));
        CHECK_OK(rondo_executor_release(pool));
    }
}

KIT_TEST_WITHIN(oom_process_pools, 60) { sweep(process_pools); }

/* ---- embedding ------------------------------------------------------------------------------- */

static void guest(void)
{
    rondo_loop *loop = NULL;
    int32_t fd = -1;
    struct kit_arg arg = { 0 };
    TRY(rondo_loop_new(NULL, &loop));
    TRY(rondo_loop_get_fd(loop, &fd));
    TRY(rondo_loop_call_soon(loop, kit_arg_call, &arg, NULL, NULL));
    TRY(rondo_loop_call_later(loop, 0, kit_arg_call, &arg, GIVEN, NULL));
    TRY(rondo_loop_drive(loop, 0, 0, NULL));
    CHECK_EQ_INT(arg.calls, 2);
out:
    end_loop(loop);
}

KIT_TEST(oom_embedding) { sweep(guest); }

/* ---- runners, factories, queues between threads ----------------------------------------------- */

static rondo_step returns_text(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)frame;
    (void)sent;
    (void)thrown;
    return rondo_coroutine_return(co, "text", NULL);
}

static void runner_runs(void)
{
    rondo_runner *runner = NULL;
    rondo_loop *loop = NULL;
    TRY(rondo_runner_new(NULL, &runner));
    TRY(rondo_runner_get_loop(runner, &loop));
    for (int i = 0; i < 2; i++) {
        rondo_coroutine *main = NULL;
        void *value = NULL;
        TRY(rondo_coroutine_new("main", returns_text, NULL, GIVEN, &main));
        TRY(rondo_runner_run(runner, main, &value, NULL));
        CHECK_EQ_STR(value, "text");
    }
out:
    if (runner != NULL) {
        rondo_status status = rondo_runner_close(runner);
        CHECK(status == RONDO_OK || (!clean && status == -ENOMEM));
    }
    CHECK_OK(rondo_runner_release(runner));
}

KIT_TEST(oom_runner) { sweep(runner_runs); }

static void run_in_one_go(void)
{
    rondo_coroutine *main = NULL;
    TRY(rondo_coroutine_new("main", returns_text, NULL, GIVEN, &main));
    TRY(rondo_run(main, NULL, NULL, NULL));
out:;
}

KIT_TEST(oom_run_in_one_go) { sweep(run_in_one_go); }

static void task_factory(void)
{
    rondo_loop *loop = NULL;
    rondo_task *task = NULL;
    TRY(rondo_loop_new(NULL, &loop));
    TRY(rondo_loop_set_task_factory(loop, rondo_eager_task_factory, NULL, GIVEN));
    TRY(rondo_loop_spawn(loop, returns_text, NULL, GIVEN, NULL, &task));
    pass(loop);
out:
    CHECK_OK(rondo_task_release(task));
    end_loop(loop);
}

KIT_TEST(oom_task_factory) { sweep(task_factory); }

struct shared_queue {
    rondo_thread_queue *queue;
    rondo_thread_event *event;
    rondo_status status;
};

static rondo_step gets_shared(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct { struct shared_queue *shared; int step; } *self = frame;
    rondo_coroutine *next = NULL;
    (void)sent;
    if (thrown != NULL)
        return rondo_coroutine_raise(co, thrown);
    if (self->step++ == 2)
        return RONDO_STEP_RETURN;
    rondo_status status = self->step == 1 ? rondo_thread_queue_get_async(self->shared->queue, &next)
                                          : rondo_thread_event_wait_async(self->shared->event, &next);
    if (REFUSED(status))
        return rondo_coroutine_raise_status(co, status, NULL);
    return rondo_coroutine_await_moved(co, next);
}

static void puts_shared(void *arg)
{
    struct shared_queue *shared = arg;
    shared->status = rondo_thread_queue_put_nowait(shared->queue, NULL, GIVEN);
    CHECK_OK(rondo_thread_event_set(shared->event));
}

/* A wake-up never fails: with no memory for a call in the inbox there is a way that needs none. */
static void thread_queues(void)
{
    struct shared_queue shared = { 0 };
    struct { struct shared_queue *shared; int step; } frame = { &shared, 0 };
    rondo_loop *loop = NULL;
    rondo_task *task = NULL;
    rondo_future *future = NULL;
    TRY(rondo_loop_new(NULL, &loop));
    TRY(rondo_thread_queue_new(0, &shared.queue));
    TRY(rondo_thread_event_new(&shared.event));
    TRY(rondo_loop_spawn(loop, gets_shared, &frame, NULL, NULL, &task));
    pass(loop);
    kit_in_thread(puts_shared, &shared);
    if (REFUSED(shared.status))
        CHECK_OK(rondo_thread_queue_shutdown(shared.queue, 0));
    TRY(rondo_loop_run_until_complete(loop, task, &future));
    if (rondo_future_result(future, NULL) == RONDO_E_RAISED)
        CHECK(!clean);
out:
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_task_release(task));
    end_loop(loop);
    CHECK_OK(rondo_thread_queue_release(shared.queue));
    CHECK_OK(rondo_thread_event_release(shared.event));
}

KIT_TEST(oom_thread_queues) { sweep(thread_queues); }
/* ---- debug mode: what it has to say is text, and a report is never worth a failure ------------ */

static void debug_mode(void)
{
    rondo_loop_options options = { .size = sizeof options, .flags = RONDO_LOOP_DEBUG };
    rondo_loop *loop = NULL;
    struct kit_arg arg = { 0 };
    TRY(rondo_loop_new(&options, &loop));
    CHECK_OK(rondo_loop_set_slow_callback_duration(loop, 0));
    TRY(rondo_loop_call_soon(loop, kit_arg_call, &arg, NULL, NULL));
    TRY(rondo_loop_spawn(loop, walk, calloc(1, sizeof(struct count)), free, NULL, NULL));
    pass(loop);
    CHECK_EQ_INT(arg.calls, 1);
out:
    end_loop(loop);
}

KIT_TEST(oom_debug_mode) { sweep(debug_mode); }

/* ---- typed calls and completers -------------------------------------------------------------- */

static void take_typed(void *own, const char *text, int32_t number)
{
    (void)own;
    CHECK_EQ_STR(text, "text");
    CHECK_EQ_INT(number, 7);
}

static int64_t return_typed(const char *text) { return (int64_t)strlen(text); }

static void typed_calls(void)
{
    rondo_loop *loop = NULL;
    rondo_thread_future *future = NULL;
    int64_t size = 0;
    TRY(rondo_loop_new(NULL, &loop));
    (void)REFUSED(rondo_loop_call_soon_typed(loop, RONDO_ANY(take_typed), "void(own,str,i32)", NULL, GIVEN, "text", 7));
    (void)REFUSED(rondo_loop_call_soon_threadsafe_typed(loop, RONDO_ANY(take_typed), "void(own,str,i32)", NULL, GIVEN,
                                                        "text", 7));
    TRY(rondo_loop_run_coroutine_threadsafe_typed(loop, &future, RONDO_ANY(return_typed), "i64(str)", "text"));
    for (int i = 0; i < 5; i++)
        pass(loop);
    rondo_status status = rondo_thread_future_result_typed(future, 0, &size, sizeof size);
    if (clean) {
        CHECK_OK(status);
        CHECK_EQ_INT(size, 4);
    }
out:
    CHECK_OK(rondo_thread_future_release(future));
    end_loop(loop);
}

KIT_TEST_WITHIN(oom_typed_calls, 60) { sweep(typed_calls); }

/* The loop knows of the call, whatever fails: the future is done, if only with the want of memory. */
static void completer_and_queue(void)
{
    rondo_loop *loop = NULL;
    rondo_future *future = NULL;
    rondo_completer *completer = NULL, *feeder = NULL;
    rondo_thread_queue *queue = NULL;
    rondo_any_fn fn = NULL;
    TRY(rondo_loop_new(NULL, &loop));
    TRY(rondo_future_new(loop, &future));
    TRY(rondo_thread_queue_new(0, &queue));
    TRY(rondo_future_completer(future, "void(str,user)", NULL, NULL, GIVEN, &completer));
    TRY(rondo_thread_queue_completer(queue, "void(bytes,user)", NULL, NULL, GIVEN, &feeder));
    CHECK_OK(rondo_completer_get_function(completer, &fn));
    ((void (*)(const char *, void *))fn)("text", completer);
    CHECK_OK(rondo_completer_get_function(feeder, &fn));
    ((void (*)(const void *, size_t, void *))fn)("text", 4, feeder);
    pass(loop);
    pass(loop);
    CHECK_EQ_INT(rondo_future_is_done(future), 1);
    check_outcome(future, NULL);
out:
    CHECK_OK(rondo_completer_release(completer));
    CHECK_OK(rondo_completer_release(feeder));
    CHECK_OK(rondo_thread_queue_release(queue));
    CHECK_OK(rondo_future_release(future));
    end_loop(loop);
}

KIT_TEST_WITHIN(oom_completers, 60) { sweep(completer_and_queue); }

/* ---- object memory itself: the pool of chunks grows only once, so a fresh process for each point ---- */

static void many_objects(void)
{
    enum { COUNT = 4000 };
    static rondo_future *futures[COUNT];
    static rondo_error *errors_made[COUNT];
    static rondo_coroutine *coroutines[COUNT];
    static rondo_thread_future *thread_futures_made[COUNT];
    rondo_loop *loop = NULL;
    memset(futures, 0, sizeof futures);
    memset(errors_made, 0, sizeof errors_made);
    memset(coroutines, 0, sizeof coroutines);
    memset(thread_futures_made, 0, sizeof thread_futures_made);
    TRY(rondo_loop_new(NULL, &loop));
    for (int i = 0; i < COUNT; i++) {
        (void)REFUSED(rondo_future_new(loop, &futures[i]));
        (void)REFUSED(rondo_error_new(RONDO_DOMAIN_USER, i, NULL, &errors_made[i]));
        (void)REFUSED(rondo_coroutine_new("walk", walk, NULL, GIVEN, &coroutines[i]));
        (void)REFUSED(rondo_thread_future_new(&thread_futures_made[i]));
        (void)REFUSED(rondo_loop_spawn(loop, walk, calloc(1, sizeof(struct count)), free, NULL, NULL));
    }
out:
    for (int i = 0; i < COUNT; i++) {
        CHECK_OK(rondo_future_release(futures[i]));
        CHECK_OK(rondo_error_release(errors_made[i]));
        CHECK_OK(rondo_coroutine_release(coroutines[i]));
        CHECK_OK(rondo_thread_future_release(thread_futures_made[i]));
    }
    end_loop(loop);
}

static int cold_point(long n, bool sticky)
{
    uint64_t live = rondo_debug_live();
    kit_alloc_mark();
    clean = false;
    kit_alloc_fail(n, sticky);
    run_once(many_objects);
    kit_alloc_end();
    bool failed = kit_alloc_failed() > 0;
    clean = true;
    run_once(many_objects);
    CHECK_EQ_INT(rondo_debug_live(), live);
    return failed ? 1 : 0;
}

KIT_TEST_WITHIN(oom_object_memory, 120)
{
    long counted = 0;
    if (!kit_alloc_works()) {
        kit_skip("a sanitizer has the allocator");
        return;
    }
    CHECK_OK(rondo_log_set_sink(ignore_log, NULL, NULL));
    for (int sticky = 0; sticky < 2; sticky++) {
        /* Most points are one text a task: the first ones, and then ever fewer. */
        for (long n = 1;; n += 1 + n / 50) {
            int pid = kit_fork();
            if (pid == 0)
                _exit(cold_point(n, sticky));
            int status = kit_wait_child(pid);
            CHECK(status == 0 || status == 1);
            if (status == 0)
                break;
            counted++;
        }
    }
    CHECK_OK(rondo_log_set_sink(NULL, NULL, NULL));
    CHECK(counted > 10);
    kit_note("alloc-points=%ld", counted);
}
