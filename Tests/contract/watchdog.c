/* watchdog.c - a thread that tells where the loop's thread is when a callback does not come back.
 *
 * A callback here blocks until the report of it has come: no test waits for time to pass. */
#define _GNU_SOURCE
#include "coro.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HOUR INT64_C(3600000000000)

/* ---- a callback that blocks until it is reported --------------------------------------------- */

static int gate[2];
static char last_message[8192];
static atomic_int stalls;
static int64_t stall_loop, stall_task, stall_handle, stall_duration;

static void stall_sink(int32_t level, const char *message, const rondo_log_field *fields, size_t count, void *arg)
{
    (void)arg;
    if (strstr(message, "so far") == NULL)
        return;
    CHECK_EQ_INT(level, RONDO_LOG_WARNING);
    snprintf(last_message, sizeof last_message, "%s", message);
    stall_loop = stall_task = stall_handle = stall_duration = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].key, "loop") == 0)
            stall_loop = fields[i].number;
        else if (strcmp(fields[i].key, "task") == 0)
            stall_task = fields[i].number;
        else if (strcmp(fields[i].key, "handle") == 0)
            stall_handle = fields[i].number;
        else if (strcmp(fields[i].key, "duration_ns") == 0)
            stall_duration = fields[i].number;
    }
    atomic_fetch_add(&stalls, 1);
    CHECK_EQ_INT(write(gate[1], "x", 1), 1);
}

/* In the loop's thread; the signal of the capture may cut the read short. */
static void block_until_reported(void *arg)
{
    char byte;
    (void)arg;
    while (read(gate[0], &byte, 1) != 1)
        CHECK_EQ_INT(errno, EINTR);
}

static rondo_loop *watched_loop(int64_t threshold)
{
    rondo_loop *loop = kit_loop();
    CHECK_EQ_INT(pipe(gate), 0);
    CHECK_OK(rondo_log_set_sink(stall_sink, NULL, NULL));
    CHECK_OK(rondo_loop_set_watchdog(loop, threshold));
    atomic_store(&stalls, 0);
    return loop;
}

static void end_watched_loop(rondo_loop *loop)
{
    kit_loop_end(loop);
    CHECK_OK(rondo_log_set_sink(NULL, NULL, NULL));
    close(gate[0]);
    close(gate[1]);
}

static void pass_with(rondo_loop *loop, rondo_call_fn fn)
{
    CHECK_OK(rondo_loop_call_soon(loop, fn, NULL, NULL, NULL));
    kit_pass(loop);
}

static int count_handlers(void)
{
    int count = 0;
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++) {
        struct sigaction now;
        CHECK_EQ_INT(sigaction(number, NULL, &now), 0);
        count += now.sa_handler != SIG_DFL;
    }
    return count;
}

/* ---- reports --------------------------------------------------------------------------------- */

KIT_TEST(a_stall_is_told_while_it_lasts)
{
    rondo_loop *loop = watched_loop(1000000);
    int handlers = count_handlers();
    pass_with(loop, block_until_reported);
    CHECK_EQ_INT(stalls, 1); /* in time to end it */
    CHECK_EQ_INT(strncmp(last_message, "Executing <Handle 0x", 20), 0);
    CHECK(strstr(last_message, "()> has taken ") != NULL);
    CHECK(strstr(last_message, " seconds so far; the loop's thread is in\n") != NULL);
    CHECK_EQ_INT(stall_loop, (intptr_t)loop);
    CHECK(stall_duration >= 1000000);
    CHECK_EQ_INT(stall_task + stall_handle, 0);
    CHECK_EQ_INT(count_handlers(), handlers); /* what was installed is again */
    pass_with(loop, block_until_reported);
    CHECK_EQ_INT(stalls, 2); /* once a stall */
    end_watched_loop(loop);
}

/* The stack is that of the loop's thread: read() is in it, and the library's functions that run the loop. */
KIT_TEST(the_stack_of_the_loops_thread)
{
    rondo_loop *loop = watched_loop(1000000);
    pass_with(loop, block_until_reported);
    kit_note("%.600s", last_message);
    CHECK(strstr(last_message, "\n  ") != NULL);
    CHECK(strstr(last_message, "rondo_loop_run_forever") != NULL);
    CHECK(strstr(last_message, "read") != NULL);
    CHECK(strstr(last_message, "watchdog") != NULL); /* this program */
    end_watched_loop(loop);
}

RONDO_STEP(blocking_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    block_until_reported(NULL);
    RONDO_END(self);
}

KIT_TEST(a_task_that_blocks)
{
    rondo_loop *loop = watched_loop(1000000);
    struct frame frame = { .name = "worker" };
    rondo_task *task = task_of(loop, blocking_step, &frame);
    CHECK_OK(rondo_task_set_name(task, "stuck"));
    kit_pass(loop);
    CHECK_EQ_INT(strncmp(last_message, "Executing <Task pending name='stuck' coro=<worker()>> has taken ", 63), 0);
    CHECK_EQ_INT(stall_task, (intptr_t)task);
    run_until_done(loop, task);
    end_task(task);
    rondo_handle *handle = NULL;
    CHECK_OK(rondo_loop_call_soon(loop, block_until_reported, NULL, NULL, &handle));
    kit_pass(loop);
    CHECK_EQ_INT(stall_handle, (intptr_t)handle);
    CHECK_EQ_INT(stall_task, 0);
    CHECK_OK(rondo_handle_release(handle));
    CHECK_EQ_INT(stalls, 2);
    end_watched_loop(loop);
}

static int threads_now(void)
{
    char line[200];
    int count = 0;
    FILE *file = fopen("/proc/self/status", "r");
    CHECK(file != NULL);
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "Threads: %d", &count) == 1)
            break;
    fclose(file);
    return count;
}

/* No thread before it is wanted, one while it is, none afterwards (the kit looks); debug mode wants it. */
KIT_TEST(the_thread_comes_and_goes)
{
    int before = threads_now();
    rondo_loop *loop = watched_loop(0);
    pass_with(loop, kit_drop);
    CHECK_EQ_INT(threads_now(), before);
    CHECK_OK(rondo_loop_set_watchdog(loop, HOUR));
    CHECK_EQ_INT(threads_now(), before); /* with the next pass */
    pass_with(loop, kit_drop);
    CHECK_EQ_INT(threads_now(), before + 1);
    CHECK_OK(rondo_loop_set_watchdog(loop, RONDO_NEVER));
    while (threads_now() != before) /* joined, but the kernel takes a moment */
        sched_yield();
    pass_with(loop, kit_drop);
    CHECK_EQ_INT(threads_now(), before);
    CHECK_OK(rondo_loop_set_watchdog(loop, 0));
    CHECK_OK(rondo_loop_set_debug(loop, 1));
    pass_with(loop, kit_drop);
    CHECK_EQ_INT(threads_now(), before + 1);
    CHECK_OK(rondo_loop_set_debug(loop, 0));
    while (threads_now() != before)
        sched_yield();
    CHECK_OK(rondo_loop_set_debug(loop, 1));
    pass_with(loop, kit_drop);
    end_watched_loop(loop);
}

static rondo_step count_threads(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)sent, (void)thrown;
    *(int *)frame = threads_now();
    return rondo_coroutine_return(co, NULL, NULL);
}

/* Debug mode wants it however it is switched on. */
KIT_TEST(debug_mode_has_a_watchdog)
{
    int before = threads_now(), count = 0;
    rondo_coroutine *coroutine = NULL;
    rondo_run_options run = { .size = sizeof run, .debug = 1 };
    rondo_loop_options options = { .size = sizeof options, .flags = RONDO_LOOP_DEBUG };
    rondo_loop *loop = NULL;
    CHECK_OK(rondo_coroutine_new("main", count_threads, &count, NULL, &coroutine));
    CHECK_OK(rondo_run(coroutine, &run, NULL, NULL));
    CHECK_EQ_INT(count, before + 1);
    while (threads_now() != before)
        sched_yield();
    CHECK_OK(rondo_loop_new(&options, &loop));
    pass_with(loop, kit_drop);
    CHECK_EQ_INT(threads_now(), before + 1);
    kit_loop_end(loop);
    while (threads_now() != before)
        sched_yield();
    setenv("RONDO_DEBUG", "1", 1);
    loop = kit_loop();
    unsetenv("RONDO_DEBUG");
    pass_with(loop, kit_drop);
    CHECK_EQ_INT(threads_now(), before + 1);
    kit_loop_end(loop);
}

KIT_TEST(thresholds)
{
    rondo_loop *loop = watched_loop(HOUR);
    CHECK_STATUS(rondo_loop_set_watchdog(loop, -1), -EINVAL);
    pass_with(loop, kit_drop);
    CHECK_EQ_INT(stalls, 0);
    CHECK_OK(rondo_loop_set_watchdog(loop, INT64_MAX - 1)); /* not a wrap */
    pass_with(loop, kit_drop);
    CHECK_OK(rondo_loop_set_watchdog(loop, 1000000)); /* of the thread that runs already */
    pass_with(loop, block_until_reported);
    CHECK_EQ_INT(stalls, 1);
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_STATUS(rondo_loop_set_watchdog(loop, 1), RONDO_E_LOOP_CLOSED);
    end_watched_loop(loop);
}

/* ---- other threads and loops ----------------------------------------------------------------- */

static void run_it(void *loop)
{
    CHECK_OK(rondo_loop_run_forever(loop));
}

/* The loop goes to another thread: it is that one's stack. */
KIT_TEST(the_loop_moves_to_another_thread)
{
    rondo_loop *loop = watched_loop(1000000);
    pass_with(loop, block_until_reported);
    CHECK_OK(rondo_loop_call_soon(loop, block_until_reported, NULL, NULL, NULL));
    kit_stop_soon(loop);
    kit_in_thread(run_it, loop);
    CHECK_EQ_INT(stalls, 2);
    CHECK(strstr(last_message, "rondo_loop_run_forever") != NULL);
    kit_loop_drop(loop);
    CHECK_OK(rondo_log_set_sink(NULL, NULL, NULL));
    close(gate[0]);
    close(gate[1]);
}

/* The sink of the watching thread blocks: closing the loop does not wait for it. */
static struct kit_event in_sink = KIT_EVENT_INIT, may_leave = KIT_EVENT_INIT;

static void blocking_sink(int32_t level, const char *message, const rondo_log_field *fields, size_t count, void *arg)
{
    (void)level, (void)message, (void)fields, (void)count, (void)arg;
    kit_event_set(&in_sink);
    kit_event_wait(&may_leave);
}

static void wait_for_sink(void *arg)
{
    (void)arg;
    kit_event_wait(&in_sink);
}

KIT_TEST(close_does_not_wait_for_the_sink)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_log_set_sink(blocking_sink, NULL, kit_drop));
    CHECK_OK(rondo_loop_set_watchdog(loop, 1000000));
    pass_with(loop, wait_for_sink);
    kit_loop_end(loop);
    CHECK_OK(rondo_log_set_sink(NULL, NULL, NULL));
    CHECK_EQ_INT(kit_drops, 0);
    kit_event_set(&may_leave);
    while (kit_drops == 0)
        sched_yield();
}

/* ---- signals --------------------------------------------------------------------------------- */

static void program_handler(int number)
{
    (void)number;
}

static int use_all_signals(void)
{
    int used = 0;
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++) {
        struct sigaction now;
        CHECK_EQ_INT(sigaction(number, NULL, &now), 0);
        if (now.sa_handler == SIG_DFL && signal(number, program_handler) != SIG_ERR)
            used++;
    }
    return used;
}

/* A program that has all real-time signals keeps them, and is told why there is no stack. */
KIT_TEST(no_signal_is_free)
{
    rondo_loop *loop = watched_loop(1000000);
    use_all_signals();
    pass_with(loop, block_until_reported);
    CHECK(strstr(last_message, "(unknown: no real-time signal is free)") != NULL);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++) {
        struct sigaction now;
        CHECK_EQ_INT(sigaction(number, NULL, &now), 0);
        if (now.sa_handler == program_handler)
            signal(number, SIG_DFL);
    }
    end_watched_loop(loop);
}

/* Signals that the loop's thread blocks may be the program's by signalfd: they are left alone. */
KIT_TEST(blocked_signals_are_left_alone)
{
    rondo_loop *loop = watched_loop(1000000);
    sigset_t all, before, pending;
    sigfillset(&all);
    CHECK_EQ_INT(pthread_sigmask(SIG_SETMASK, &all, &before), 0);
    pass_with(loop, block_until_reported);
    CHECK(strstr(last_message, "(unknown: no real-time signal is free)") != NULL);
    sigpending(&pending);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
        CHECK_EQ_INT(sigismember(&pending, number), 0);
    sigfillset(&all);
    sigdelset(&all, SIGRTMIN + 3);
    CHECK_EQ_INT(pthread_sigmask(SIG_SETMASK, &all, NULL), 0);
    pass_with(loop, block_until_reported); /* this one is free */
    CHECK(strstr(last_message, "rondo_loop_run_forever") != NULL);
    CHECK_EQ_INT(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
    end_watched_loop(loop);
}

/* ---- fork ------------------------------------------------------------------------------------ */

/* A child has no such thread until it uses the loop again; then the stall is told there. */
KIT_TEST(after_fork)
{
#ifdef KIT_TSAN
    return kit_skip("this sanitizer has no threads in children of fork()");
#endif
    rondo_loop *loop = watched_loop(1000000);
    pass_with(loop, block_until_reported);
    int pid = kit_fork();
    if (pid == 0) {
        CHECK_EQ_INT(threads_now(), 1);
        CHECK_OK(rondo_loop_reset_after_fork(loop));
        pass_with(loop, block_until_reported);
        CHECK_EQ_INT(stalls, 2);
        CHECK_OK(rondo_loop_close(loop, NULL));
        _exit(0);
    }
    CHECK_EQ_INT(kit_wait_child(pid), 0);
    pid = kit_fork();
    if (pid == 0)
        _exit(rondo_loop_close(loop, NULL) == RONDO_OK ? 0 : 1); /* without */
    CHECK_EQ_INT(kit_wait_child(pid), 0);
    pass_with(loop, block_until_reported);
    CHECK_EQ_INT(stalls, 2);
    end_watched_loop(loop);
}

static void fork_in_call(void *arg)
{
    int pid = kit_fork();
    if (pid == 0)
        return; /* the child's callback comes back, too */
    *(int *)arg = pid;
}

KIT_TEST(fork_inside_a_callback)
{
    rondo_loop *loop = watched_loop(HOUR);
    int pid = 0;
    CHECK_OK(rondo_loop_call_soon(loop, fork_in_call, &pid, NULL, NULL));
    int self = getpid();
    CHECK_OK(rondo_loop_begin(loop));
    CHECK_OK(rondo_loop_iterate(loop, 0));
    if (getpid() != self)
        _exit(threads_now() == 1 ? 0 : 1);
    CHECK_OK(rondo_loop_end(loop));
    CHECK_EQ_INT(kit_wait_child(pid), 0);
    end_watched_loop(loop);
}
