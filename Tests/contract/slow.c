/* slow.c - debug mode looks at the clock: slow callbacks, steps and polls; and calls from the wrong thread.
 *
 * Nothing here takes time: with a duration of 0 every call is slow, and what the clock said is masked. */
#define _GNU_SOURCE
#include "coro.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HOUR INT64_C(3600000000000)
#define WRONG "Non-thread-safe operation invoked on an event loop other than the current one"

static int64_t duration, field_loop, field_task, field_handle, field_events;
static int missing_duration;

/* What the text says it took is what the field says. */
static void check_duration(const char *message)
{
    char expected[100];
    if (duration < 0)
        return;
    if (strncmp(message, "poll ", 5) == 0)
        snprintf(expected, sizeof expected, " took %lld.%03lld ms: ", (long long)(duration / 1000000),
                 (long long)(duration / 1000 % 1000));
    else
        snprintf(expected, sizeof expected, " took %lld.%03lld seconds",
                 (long long)((duration + 500000) / 1000000000), (long long)((duration + 500000) / 1000000 % 1000));
    CHECK(strstr(message, expected) != NULL);
}

/* Says the message with every number that a clock gave as N, addresses as @, a caller as !. */
static void masked_sink(int32_t level, const char *message, const rondo_log_field *fields, size_t count, void *arg)
{
    char text[300];
    size_t size = 0;
    (void)arg;
    field_task = field_handle = field_loop = 0;
    duration = -1;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].key, "duration_ns") == 0)
            duration = fields[i].number;
        else if (strcmp(fields[i].key, "loop") == 0)
            field_loop = fields[i].number;
        else if (strcmp(fields[i].key, "task") == 0)
            field_task = fields[i].number;
        else if (strcmp(fields[i].key, "handle") == 0)
            field_handle = fields[i].number;
        else if (strcmp(fields[i].key, "events") == 0)
            field_events = fields[i].number;
        else if (strcmp(fields[i].key, "caller") == 0)
            CHECK(fields[i].number != 0);
    }
    missing_duration += duration < 0;
    check_duration(message);
    for (const char *at = message; *at != '\0' && size < sizeof text - 2;) {
        if (strncmp(at, ", by ", 5) == 0) {
            CHECK(strstr(at, "slow") != NULL); /* somewhere in this program */
            text[size++] = '!';
            break;
        } else if (strncmp(at, " created at ", 12) == 0) {
            at += strcspn(at, ">"); /* contract/origins is about that */
        } else if (strncmp(at, "Task-", 5) == 0) {
            text[size++] = 'T';
            at += 5 + strspn(at + 5, "0123456789");
        } else if (strncmp(at, "0x", 2) == 0) {
            text[size++] = '@';
            at += 2 + strspn(at + 2, "0123456789abcdef");
        } else if (*at >= '0' && *at <= '9' && strchr("0123456789.", at[1]) != NULL && at[1] != '\0') {
            text[size++] = 'N';
            at += strspn(at, "0123456789.");
        } else {
            text[size++] = *at++;
        }
    }
    text[size] = '\0';
    kit_log("[%d %s]", (int)level, text);
}

static rondo_loop *debug_loop(void)
{
    rondo_loop_options options = { .size = sizeof options, .flags = RONDO_LOOP_DEBUG };
    rondo_loop *loop = NULL;
    setenv("RONDO_SYMBOLIZER", "none", 1); /* the same names with and without debug information */
    CHECK_OK(rondo_loop_new(&options, &loop));
    CHECK_OK(rondo_loop_set_slow_callback_duration(loop, 0));
    CHECK_OK(rondo_loop_set_watchdog(loop, RONDO_NEVER));
    CHECK_OK(rondo_log_set_sink(masked_sink, NULL, NULL));
    missing_duration = 0;
    return loop;
}

static void end_debug_loop(rondo_loop *loop)
{
    CHECK_OK(rondo_log_set_sink(NULL, NULL, NULL));
    kit_loop_end(loop);
}

/* Exported by the linker's flag for tests, or not: then the name is an address. */
void slow_call(void *arg);
void slow_call(void *arg) { (void)arg; }

static rondo_status passes(rondo_loop *loop, int count)
{
    rondo_status status = rondo_loop_begin(loop);
    for (int i = 0; i < count && status == RONDO_OK; i++)
        status = rondo_loop_iterate(loop, 0);
    CHECK_OK(rondo_loop_end(loop));
    return status;
}

/* ---- the duration ---------------------------------------------------------------------------- */

KIT_TEST(slow_callback_duration)
{
    rondo_loop *loop = kit_loop();
    int64_t value = -1;
    CHECK_OK(rondo_loop_get_slow_callback_duration(loop, &value));
    CHECK_EQ_INT(value, 100000000); /* asyncio's 0.1 s */
    CHECK_STATUS(rondo_loop_set_slow_callback_duration(loop, -1), -EINVAL);
    CHECK_OK(rondo_loop_set_slow_callback_duration(loop, RONDO_NEVER));
    CHECK_OK(rondo_loop_get_slow_callback_duration(loop, &value));
    CHECK(value == RONDO_NEVER);
    CHECK_STATUS(rondo_loop_get_slow_callback_duration(loop, NULL), -EINVAL);
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_STATUS(rondo_loop_set_slow_callback_duration(loop, 1), RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_loop_get_slow_callback_duration(loop, &value), RONDO_E_LOOP_CLOSED);
    CHECK_OK(rondo_loop_release(loop));
}

/* ---- slow callbacks -------------------------------------------------------------------------- */

/* D-01: one warning for each, in asyncio's words. */
KIT_TEST(D01_callbacks)
{
    rondo_loop *loop = debug_loop();
    rondo_handle *handle = NULL;
    CHECK_OK(rondo_loop_call_soon(loop, slow_call, NULL, NULL, NULL));
    CHECK_OK(passes(loop, 1));
    kit_expect_log("[30 Executing <Handle @()> took N seconds]");
    CHECK_EQ_INT(field_loop, (intptr_t)loop);
    CHECK_EQ_INT(field_handle, 0);
    CHECK(duration >= 0);
    CHECK_OK(rondo_loop_call_soon(loop, slow_call, NULL, kit_drop, &handle));
    CHECK_OK(passes(loop, 1));
    kit_expect_log("[30 Executing <Handle @()> took N seconds]");
    CHECK_EQ_INT(field_handle, (intptr_t)handle);
    CHECK_OK(rondo_handle_release(handle));
    CHECK_OK(rondo_loop_call_later(loop, 0, slow_call, NULL, kit_drop, NULL));
    CHECK_OK(passes(loop, 1));
    kit_expect_log("[30 Executing <TimerHandle @()> took N seconds]");
    CHECK_OK(rondo_loop_call_soon_threadsafe(loop, slow_call, NULL, kit_drop, &handle));
    CHECK_OK(passes(loop, 1));
    kit_expect_log("[30 Executing <_ThreadSafeHandle @()> took N seconds]");
    CHECK_OK(rondo_handle_release(handle));
    CHECK_OK(rondo_loop_call_soon_threadsafe(loop, slow_call, NULL, kit_drop, NULL));
    CHECK_OK(passes(loop, 1));
    kit_expect_log("[30 Executing <Handle @()> took N seconds]");
    CHECK_EQ_INT(kit_drops, 4);
    CHECK_EQ_INT(missing_duration, 0);
    end_debug_loop(loop);
}

static void write_future(rondo_future *future, void *arg)
{
    (void)future, (void)arg;
}

KIT_TEST(D01_done_callbacks_and_readers)
{
    rondo_loop *loop = debug_loop();
    rondo_future *future = future_of(loop);
    CHECK_OK(rondo_future_add_done_callback(future, write_future, NULL, kit_drop));
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    CHECK_OK(passes(loop, 1));
    kit_expect_log("[30 Executing <Handle @()> took N seconds]");
    CHECK_OK(rondo_future_release(future));
    CHECK_EQ_INT(kit_drops, 1);
    int fds[2];
    struct kit_arg arg = { 0 };
    kit_socketpair(fds);
    CHECK_OK(rondo_loop_add_reader(loop, fds[0], kit_arg_fd, &arg, kit_arg_drop));
    CHECK_EQ_INT(write(fds[1], "x", 1), 1);
    CHECK_OK(passes(loop, 1));
    kit_expect_log("[30 Executing <Handle @()> took N seconds]");
    CHECK_EQ_INT(arg.calls, 1);
    CHECK_OK(rondo_loop_remove_reader(loop, fds[0], NULL));
    close(fds[0]);
    close(fds[1]);
    end_debug_loop(loop);
}

RONDO_STEP(two_steps)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_SLEEP(self, 0);
    RONDO_END(self);
}

/* D-01: a step of a task tells the task, as the step has left it. */
KIT_TEST(D01_tasks)
{
    rondo_loop *loop = debug_loop();
    struct frame frame = { .name = "work" };
    rondo_task *task = task_of(loop, two_steps, &frame);
    CHECK_OK(rondo_task_set_name(task, "slowpoke"));
    CHECK_OK(passes(loop, 1));
    kit_expect_log("[30 Executing <Task pending name='slowpoke' coro=<work()>> took N seconds]");
    CHECK_EQ_INT(field_task, (intptr_t)task);
    CHECK_OK(rondo_task_release(task)); /* the report is what still holds it */
    CHECK_OK(passes(loop, 1));
    kit_expect_log("[30 Executing <Task finished name='slowpoke' coro=<work()> result=@> took N seconds]");
    CHECK_EQ_INT(frame.drops, 1);
    CHECK_EQ_INT(missing_duration, 0);
    end_debug_loop(loop);
}

RONDO_STEP(waiting_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_AWAIT(self, self->future);
    RONDO_END(self);
}

/* However the step came into the ring: spawned, woken alone, or with others. */
KIT_TEST(D01_all_ways_to_a_step)
{
    rondo_loop *loop = debug_loop();
    rondo_future *future = future_of(loop);
    struct frame frames[2];
    rondo_task *tasks[2];
    for (int together = 0; together < 2; together++) {
        for (int i = 0; i <= together; i++) {
            frames[i] = (struct frame){ .future = future };
            CHECK_OK(rondo_loop_spawn(loop, waiting_step, &frames[i], NULL, NULL, &tasks[i]));
        }
        CHECK_OK(passes(loop, 1));
        CHECK_EQ_INT(field_task, (intptr_t)tasks[together]);
        CHECK_OK(rondo_future_set_result(future, NULL, NULL));
        field_task = 0;
        CHECK_OK(passes(loop, 1));
        CHECK_EQ_INT(field_task, (intptr_t)tasks[together]);
        for (int i = 0; i <= together; i++)
            end_task(tasks[i]);
        CHECK_OK(rondo_future_release(future));
        future = future_of(loop);
    }
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_log_set_sink(NULL, NULL, NULL));
    kit_check_log(__FILE__, __LINE__,
                  "[30 Executing <Task pending name='T' coro=<coroutine()> wait_for=<Future pending>> took N seconds] "
                  "[30 Executing <Task finished name='T' coro=<coroutine()> result=@> took N seconds] "
                  "[30 Executing <Task pending name='T' coro=<coroutine()> wait_for=<Future pending>> took N seconds] "
                  "[30 Executing <Task pending name='T' coro=<coroutine()> wait_for=<Future pending>> took N seconds] "
                  "[30 Executing <Task finished name='T' coro=<coroutine()> result=@> took N seconds] "
                  "[30 Executing <Task finished name='T' coro=<coroutine()> result=@> took N seconds]");
    end_debug_loop(loop);
}

static void raise_in_call(void *arg)
{
    CHECK_OK(rondo_loop_raise(rondo_running_loop(), arg));
}

/* First what it raised, then how long it took; and its context, its stop and its escape still work. */
KIT_TEST(D01_calls_that_raise)
{
    rondo_loop *loop = debug_loop();
    rondo_error *error = kit_error(5, "five");
    kit_record_reports(loop);
    CHECK_OK(rondo_loop_call_soon(loop, raise_in_call, error, NULL, NULL));
    CHECK_OK(rondo_loop_call_soon(loop, slow_call, NULL, NULL, NULL));
    CHECK_OK(passes(loop, 1));
    CHECK_EQ_INT(kit_reports(), 1);
    kit_expect_log("[30 Executing <Handle @()> took N seconds] [30 Executing <Handle @()> took N seconds]");
    CHECK_OK(rondo_error_release(error));
    error = kit_rondo_error(RONDO_E_EXIT, "leave");
    CHECK_OK(rondo_loop_call_soon(loop, raise_in_call, error, NULL, NULL));
    CHECK_OK(rondo_loop_call_soon(loop, kit_log_call, "later", NULL, NULL));
    CHECK_STATUS(rondo_loop_run_forever(loop), RONDO_E_EXIT);
    kit_expect_log("");
    CHECK_OK(rondo_error_release(error));
    kit_stop_soon(loop);
    CHECK_OK(rondo_loop_run_forever(loop));
    kit_expect_log("later [30 Executing <Handle @()> took N seconds] [30 Executing <Handle @()> took N seconds]");
    end_debug_loop(loop);
}

/* The batch rule and a limit hold in debug mode as well. */
static void again(void *arg)
{
    kit_log("%s", (char *)arg);
    CHECK_OK(rondo_loop_call_soon(rondo_running_loop(), kit_log_call, "added", NULL, NULL));
}

KIT_TEST(order_in_debug_mode)
{
    rondo_loop *loop = debug_loop();
    uint64_t ran = 0;
    CHECK_OK(rondo_loop_set_slow_callback_duration(loop, RONDO_NEVER));
    CHECK_OK(rondo_loop_call_soon(loop, again, "a", NULL, NULL));
    CHECK_OK(rondo_loop_call_soon(loop, again, "b", kit_drop, NULL));
    CHECK_OK(passes(loop, 1));
    kit_expect_log("a b");
    CHECK_OK(passes(loop, 1));
    kit_expect_log("added added");
    for (int i = 0; i < 3; i++)
        CHECK_OK(rondo_loop_call_soon(loop, kit_log_call, "x", NULL, NULL));
    CHECK_OK(rondo_loop_drive(loop, 2, 0, &ran));
    CHECK_EQ_INT(ran, 2);
    kit_expect_log("x x");
    CHECK_OK(rondo_loop_drive(loop, 2, 0, &ran));
    CHECK_EQ_INT(ran, 1);
    kit_expect_log("x");
    end_debug_loop(loop);
}

/* A warning that nobody would see is not made; nothing is timed in production mode. */
KIT_TEST(nothing_in_production_mode)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_log_set_sink(masked_sink, NULL, NULL));
    CHECK_OK(rondo_log_set_level(RONDO_LOG_DEBUG));
    CHECK_OK(rondo_loop_set_slow_callback_duration(loop, 0));
    CHECK_OK(rondo_loop_call_soon(loop, slow_call, NULL, NULL, NULL));
    CHECK_OK(rondo_loop_call_later(loop, 1, slow_call, NULL, NULL, NULL));
    CHECK_OK(passes(loop, 2));
    kit_expect_log("");
    CHECK_OK(rondo_log_set_level(RONDO_LOG_INFO));
    end_debug_loop(loop);
}

/* ---- the ways to switch it on ---------------------------------------------------------------- */

static void set_debug(void *arg)
{
    CHECK_OK(rondo_loop_set_debug(rondo_running_loop(), *(int *)arg));
}

KIT_TEST(switched_at_run_time)
{
    rondo_loop *loop = kit_loop();
    int on = 1, off = 0;
    CHECK_OK(rondo_log_set_sink(masked_sink, NULL, NULL));
    CHECK_OK(rondo_loop_set_slow_callback_duration(loop, 0));
    CHECK_OK(rondo_loop_set_watchdog(loop, RONDO_NEVER));
    CHECK_OK(rondo_loop_call_soon(loop, set_debug, &on, NULL, NULL));
    CHECK_OK(passes(loop, 1)); /* not this one: its pass began before */
    CHECK_OK(rondo_loop_call_soon(loop, slow_call, NULL, NULL, NULL));
    CHECK_OK(passes(loop, 1));
    kit_expect_log("[30 Executing <Handle @()> took N seconds]");
    CHECK_OK(rondo_loop_call_soon(loop, set_debug, &off, NULL, NULL));
    CHECK_OK(rondo_loop_call_soon(loop, slow_call, NULL, NULL, NULL));
    CHECK_OK(passes(loop, 1)); /* it says nothing once it is off */
    kit_expect_log("");
    CHECK_OK(rondo_loop_call_soon(loop, slow_call, NULL, NULL, NULL));
    CHECK_OK(passes(loop, 1));
    kit_expect_log("");
    end_debug_loop(loop);
}

KIT_TEST(switched_on_by_the_environment)
{
    setenv("RONDO_DEBUG", "1", 1);
    rondo_loop *loop = kit_loop();
    unsetenv("RONDO_DEBUG");
    CHECK_OK(rondo_log_set_sink(masked_sink, NULL, NULL));
    CHECK_OK(rondo_loop_set_slow_callback_duration(loop, 0));
    CHECK_OK(rondo_loop_call_soon(loop, slow_call, NULL, NULL, NULL));
    CHECK_OK(passes(loop, 1));
    kit_expect_log("[30 Executing <Handle @()> took N seconds]");
    end_debug_loop(loop);
}

static rondo_step set_duration(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)frame, (void)sent, (void)thrown;
    CHECK_OK(rondo_loop_set_slow_callback_duration(rondo_running_loop(), 0));
    return rondo_coroutine_return(co, NULL, NULL);
}

KIT_TEST(switched_on_by_run)
{
    rondo_run_options options = { .size = sizeof options, .debug = 1 };
    rondo_coroutine *coroutine = NULL;
    CHECK_OK(rondo_log_set_sink(masked_sink, NULL, NULL));
    CHECK_OK(rondo_coroutine_new("main", set_duration, NULL, NULL, &coroutine));
    CHECK_OK(rondo_run(coroutine, &options, NULL, NULL));
    CHECK_OK(rondo_coroutine_new("main", set_duration, NULL, NULL, &coroutine));
    options.debug = -1;
    CHECK_OK(rondo_run(coroutine, &options, NULL, NULL));
    CHECK_OK(rondo_log_set_sink(NULL, NULL, NULL));
    /* The rest of the first run: its main task, the end of generators, and what ends each of them. The
     * second says nothing. */
    kit_expect_log("[30 Executing <Task finished name='T' coro=<main()> result=@> took N seconds] "
                   "[30 Executing <Handle @()> took N seconds] "
                   "[30 Executing <Task finished name='T' coro=<shutdown_asyncgens()> result=@> took N seconds] "
                   "[30 Executing <Handle @()> took N seconds]");
}

/* ---- slow polls ------------------------------------------------------------------------------ */

/* In the words of CPython 3.7, of polls that took longer than they were asked to. */
KIT_TEST(slow_polls)
{
    rondo_loop *loop = debug_loop();
    struct kit_arg arg = { 0 };
    int fds[2];
    kit_socketpair(fds);
    CHECK_OK(rondo_log_set_level(RONDO_LOG_DEBUG));
    CHECK_OK(rondo_loop_add_reader(loop, fds[0], kit_arg_fd, &arg, kit_arg_drop));
    field_events = -1;
    CHECK_OK(passes(loop, 1));
    kit_expect_log("[10 poll N ms took N ms: timeout]");
    CHECK_EQ_INT(field_events, 0);
    CHECK_EQ_INT(field_loop, (intptr_t)loop);
    CHECK_EQ_INT(write(fds[1], "x", 1), 1);
    CHECK_OK(passes(loop, 1));
    kit_expect_log("[10 poll N ms took N ms: 1 events] [30 Executing <Handle @()> took N seconds]");
    CHECK_EQ_INT(field_events, 1);
    CHECK_OK(rondo_loop_set_slow_callback_duration(loop, HOUR));
    CHECK_OK(passes(loop, 1));
    kit_expect_log("");
    CHECK_OK(rondo_loop_set_slow_callback_duration(loop, 0));
    CHECK_OK(rondo_log_set_level(RONDO_LOG_INFO)); /* below a second it is a matter of debugging */
    CHECK_OK(rondo_loop_remove_reader(loop, fds[0], NULL));
    CHECK_OK(passes(loop, 1));
    kit_expect_log("");
    CHECK_EQ_INT(missing_duration, 0);
    close(fds[0]);
    close(fds[1]);
    end_debug_loop(loop);
}

/* ---- the wrong thread ------------------------------------------------------------------------ */

static void use_elsewhere(void *arg)
{
    void **objects = arg;
    CHECK_STATUS(rondo_loop_call_soon(objects[0], kit_no_call, NULL, NULL, NULL), RONDO_E_WRONG_THREAD);
    CHECK_STATUS(rondo_future_set_result(objects[1], NULL, NULL), RONDO_E_WRONG_THREAD);
    CHECK_STATUS(rondo_loop_stop(objects[0]), RONDO_E_WRONG_THREAD);
}

/* each refused call is logged in asyncio's words, for who does not look at statuses. */
KIT_TEST(X07_wrong_thread)
{
    rondo_loop *loop = debug_loop();
    void *objects[] = { loop, future_of(loop) };
    kit_in_thread(use_elsewhere, objects);
    kit_expect_log("[40 " WRONG "!] [40 " WRONG "!] [40 " WRONG "!]");
    CHECK_EQ_INT(field_loop, (intptr_t)loop);
    CHECK_OK(rondo_loop_set_debug(loop, 0));
    kit_in_thread(use_elsewhere, objects);
    kit_expect_log(""); /* a status is enough in production mode */
    CHECK_OK(rondo_future_release(objects[1]));
    end_debug_loop(loop);
}

static rondo_step awaits_foreign(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)sent;
    if (thrown != NULL) {
        kit_log("%s", rondo_status_name(rondo_error_get_status(thrown)));
        return rondo_coroutine_return(co, NULL, NULL);
    }
    return rondo_coroutine_await(co, frame);
}

static void await_elsewhere(void *future)
{
    rondo_loop *loop = kit_loop();
    rondo_coroutine *coroutine = NULL;
    CHECK_OK(rondo_coroutine_new("foreign", awaits_foreign, future, NULL, &coroutine));
    CHECK_OK(rondo_loop_run_until_complete(loop, coroutine, NULL));
    kit_loop_end(loop);
}

/* A future of another loop is no call on the wrong thread. */
KIT_TEST(X07_not_for_another_loops_future)
{
    rondo_loop *loop = debug_loop();
    rondo_future *future = future_of(loop);
    kit_in_thread(await_elsewhere, future);
    kit_expect_log("RONDO_E_WRONG_LOOP");
    CHECK_OK(rondo_future_release(future));
    end_debug_loop(loop);
}
