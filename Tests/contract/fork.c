/* fork.c - a loop in a child process: refused until it is reset, and the parent never notices (F57). */
#define _GNU_SOURCE
#include "kit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct state {
    rondo_loop *loop;
    int fds[2];
    rondo_future *future;
};

static struct state make_state(void)
{
    struct state state = { .loop = kit_loop() };
    kit_socketpair(state.fds);
    CHECK_OK(rondo_future_new(state.loop, &state.future));
    return state;
}

static void end_state(struct state *state)
{
    CHECK_OK(rondo_future_release(state->future));
    kit_loop_drop(state->loop);
    close(state->fds[0]);
    close(state->fds[1]);
}

static void log_reader(int32_t fd, void *arg)
{
    kit_drain(fd);
    kit_log("%s", (const char *)arg);
}

/* ---- refused --------------------------------------------------------------------------------- */

static int use_inherited(struct state *state)
{
    rondo_handle *handle = NULL;
    int32_t fd = -1;
    CHECK_STATUS(rondo_loop_call_soon(state->loop, kit_no_call, NULL, kit_drop, &handle),
                 RONDO_E_WRONG_PROCESS);
    CHECK_STATUS(rondo_loop_call_soon_threadsafe(state->loop, kit_no_call, NULL, kit_drop, NULL),
                 RONDO_E_WRONG_PROCESS);
    CHECK_STATUS(rondo_loop_run_forever(state->loop), RONDO_E_WRONG_PROCESS);
    CHECK_STATUS(rondo_loop_drive(state->loop, 0, 0, NULL), RONDO_E_WRONG_PROCESS);
    CHECK_STATUS(rondo_loop_get_fd(state->loop, &fd), RONDO_E_WRONG_PROCESS);
    CHECK_STATUS(rondo_loop_stop(state->loop), RONDO_E_WRONG_PROCESS);
    CHECK_STATUS(rondo_future_set_result(state->future, NULL, kit_drop), RONDO_E_WRONG_PROCESS);
    CHECK_EQ_INT(kit_drops, 3);
    CHECK_EQ_INT(rondo_loop_is_running(state->loop), 0);
    CHECK_EQ_PTR(rondo_running_loop(), NULL);
    return 0;
}

KIT_TEST(inherited_loop_is_refused)
{
    struct state state = make_state();
    int pid = kit_fork();
    if (pid == 0)
        _exit(use_inherited(&state));
    CHECK_EQ_INT(kit_wait_child(pid), 0);
    end_state(&state);
}

static void fork_inside(void *arg)
{
    struct state *state = arg;
    int pid = kit_fork();
    if (pid == 0) {
        int result = use_inherited(state);
        CHECK_STATUS(rondo_loop_reset_after_fork(state->loop), RONDO_E_INVALID_STATE);
        _exit(result);
    }
    CHECK_EQ_INT(kit_wait_child(pid), 0);
    CHECK_EQ_PTR(rondo_running_loop(), state->loop);
    kit_log("forked");
}

/* Forked while it runs: refused, too, and it cannot be reset. */
KIT_TEST(fork_inside_a_callback)
{
    struct state state = make_state();
    CHECK_OK(rondo_loop_call_soon(state.loop, fork_inside, &state, NULL, NULL));
    kit_pass(state.loop);
    kit_expect_log("forked");
    end_state(&state);
}

/* A loop of the child's own works as ever. */
static int use_own_loop(void)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_call_soon(loop, kit_log_call, "own", NULL, NULL));
    CHECK_OK(rondo_loop_call_soon_threadsafe(loop, kit_log_call, "too", NULL, NULL));
    CHECK_OK(rondo_loop_call_later(loop, 1000000, kit_stop_call, loop, NULL, NULL));
    CHECK_OK(rondo_loop_run_forever(loop));
    kit_expect_log("own too");
    kit_loop_end(loop);
    return 0;
}

KIT_TEST(own_loop_in_a_child)
{
    struct state state = make_state();
    int pid = kit_fork();
    if (pid == 0)
        _exit(use_own_loop());
    CHECK_EQ_INT(kit_wait_child(pid), 0);
    end_state(&state);
}

KIT_TEST(reset_in_the_parent)
{
    struct state state = make_state();
    CHECK_STATUS(rondo_loop_reset_after_fork(state.loop), RONDO_E_INVALID_STATE);
    end_state(&state);
}

/* ---- reset ----------------------------------------------------------------------------------- */

static int reset_and_run(struct state *state)
{
    CHECK_OK(rondo_loop_reset_after_fork(state->loop));
    CHECK_OK(rondo_loop_call_soon(state->loop, kit_log_call, "new", NULL, NULL));
    CHECK_EQ_INT(write(state->fds[1], "x", 1), 1);
    CHECK_OK(rondo_loop_call_later(state->loop, 20000000, kit_stop_call, state->loop, NULL, NULL));
    CHECK_OK(rondo_loop_run_forever(state->loop));
    kit_expect_log("ready posted new read timer");
    CHECK_OK(rondo_future_set_result(state->future, NULL, NULL));
    CHECK_EQ_INT(rondo_future_is_done(state->future), 1);
    CHECK_STATUS(rondo_loop_reset_after_fork(state->loop), RONDO_E_INVALID_STATE);
    end_state(state);
    return 0;
}

/* Reset, it has everything that it had: ready calls, timers, readers, what was posted. */
KIT_TEST(reset_keeps_everything)
{
    struct state state = make_state();
    CHECK_OK(rondo_loop_call_soon_threadsafe(state.loop, kit_arg_call, NULL, NULL, NULL));
    kit_pass(state.loop); /* the poller is open now */
    CHECK_OK(rondo_loop_call_soon(state.loop, kit_log_call, "ready", NULL, NULL));
    CHECK_OK(rondo_loop_call_soon_threadsafe(state.loop, kit_log_call, "posted", NULL, NULL));
    CHECK_OK(rondo_loop_call_later(state.loop, 10000000, kit_log_call, "timer", NULL, NULL));
    CHECK_OK(rondo_loop_add_reader(state.loop, state.fds[0], log_reader, "read", NULL));
    int pid = kit_fork();
    if (pid == 0)
        _exit(reset_and_run(&state));
    CHECK_EQ_INT(kit_wait_child(pid), 0);
    end_state(&state);
}

static int disturb(struct state *state)
{
    CHECK_OK(rondo_loop_reset_after_fork(state->loop));
    CHECK_OK(rondo_loop_remove_reader(state->loop, state->fds[0], NULL));
    CHECK_OK(rondo_loop_call_soon_threadsafe(state->loop, kit_arg_call, NULL, NULL, NULL));
    kit_pass(state->loop);
    CHECK_OK(rondo_loop_close(state->loop, NULL));
    CHECK_OK(rondo_future_release(state->future));
    CHECK_OK(rondo_loop_release(state->loop));
    return 0;
}

/* Whatever a child does with its copy, the parent's loop goes on: its poller is another one. */
KIT_TEST(parent_is_unharmed)
{
    struct state state = make_state();
    CHECK_OK(rondo_loop_add_reader(state.loop, state.fds[0], log_reader, "read", NULL));
    kit_pass(state.loop);
    int pid = kit_fork();
    if (pid == 0)
        _exit(disturb(&state));
    CHECK_EQ_INT(kit_wait_child(pid), 0);
    kit_pass(state.loop);
    kit_expect_log(""); /* the child's wake-up was not ours */
    CHECK_EQ_INT(write(state.fds[1], "x", 1), 1);
    kit_pass(state.loop);
    kit_expect_log("read");
    CHECK_OK(rondo_loop_call_soon_threadsafe(state.loop, kit_log_call, "posted", NULL, NULL));
    kit_pass(state.loop);
    kit_expect_log("posted");
    CHECK_OK(rondo_loop_remove_reader(state.loop, state.fds[0], NULL));
    end_state(&state);
}

static int close_inherited(struct state *state)
{
    /* Closing or letting go without a reset may be refused, but must not reach the parent. */
    rondo_status status = rondo_loop_close(state->loop, NULL);
    CHECK(status == RONDO_OK || status == RONDO_E_WRONG_PROCESS);
    CHECK_OK(rondo_future_release(state->future));
    CHECK_OK(rondo_loop_release(state->loop));
    return 0;
}

/* The child's close does not take the parent's descriptors out of its poller. */
KIT_TEST(close_in_a_child)
{
    struct state state = make_state();
    CHECK_OK(rondo_loop_add_reader(state.loop, state.fds[0], log_reader, "read", NULL));
    kit_pass(state.loop);
    int pid = kit_fork();
    if (pid == 0)
        _exit(close_inherited(&state));
    CHECK_EQ_INT(kit_wait_child(pid), 0);
    CHECK_EQ_INT(write(state.fds[1], "x", 1), 1);
    kit_pass(state.loop);
    kit_expect_log("read");
    CHECK_OK(rondo_loop_remove_reader(state.loop, state.fds[0], NULL));
    end_state(&state);
}

/* A thread future made before the fork, and objects of no loop, are plain memory in the child. */
static int use_loopless(rondo_error *error, rondo_thread_future *future)
{
    void *value = NULL;
    CHECK_EQ_INT(rondo_error_get_code(error), 5);
    CHECK_OK(rondo_thread_future_set_result(future, "child", NULL));
    CHECK_OK(rondo_thread_future_result(future, 0, &value));
    CHECK_EQ_STR(value, "child");
    CHECK_OK(rondo_error_release(error));
    return 0;
}

KIT_TEST(objects_of_no_loop_go_on)
{
    rondo_error *error = kit_error(5, "five");
    rondo_thread_future *future = NULL;
    CHECK_OK(rondo_thread_future_new(&future));
    int pid = kit_fork();
    if (pid == 0)
        _exit(use_loopless(error, future));
    CHECK_EQ_INT(kit_wait_child(pid), 0);
    CHECK_EQ_INT(rondo_thread_future_is_done(future), 0);
    CHECK_OK(rondo_thread_future_release(future));
    CHECK_OK(rondo_error_release(error));
}

/* ---- exits ----------------------------------------------------------------------------------- */

enum way { EXIT, UNDERSCORE_EXIT, ABORT, EXEC };

static void leave(void *arg)
{
    switch (*(enum way *)arg) {
    case EXIT: exit(7);
    case UNDERSCORE_EXIT: _exit(7);
    case ABORT: abort();
    case EXEC: execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
    }
    _exit(99);
}

static int leave_from_a_callback(enum way way)
{
    rondo_loop *loop = kit_loop();
    if (way == EXEC)
        CHECK_OK(rondo_loop_call_soon_threadsafe(loop, kit_arg_call, NULL, NULL, NULL));
    CHECK_OK(rondo_loop_call_later(loop, 1000, leave, &way, kit_drop, NULL));
    rondo_loop_run_forever(loop);
    return 98;
}

/* F49: exit(), _exit(), abort() and exec() inside a callback: no handler of ours is in the way. */
KIT_TEST(leaving_from_a_callback)
{
    static const int expected[] = { 7, 7, 128 + 6, 7 };
    for (int way = EXIT; way <= EXEC; way++) {
        int pid = kit_fork();
        if (pid == 0)
            _exit(leave_from_a_callback((enum way)way));
        int status = kit_wait_child(pid);
        if (KIT_SANITIZED && way == EXIT)
            continue; /* the leak checker has its own opinion of exit() with a live loop */
        CHECK_EQ_INT(status, expected[way]);
    }
}

/* ---- while other threads work ---------------------------------------------------------------- */

static bool enough; /* atomic */

static bool goes_on(void)
{
    return !__atomic_load_n(&enough, __ATOMIC_RELAXED);
}

static void use_loops(void)
{
    rondo_loop *loop = NULL;
    rondo_handle *handle = NULL;
    CHECK_OK(rondo_loop_new(NULL, &loop));
    CHECK_OK(rondo_loop_call_soon_threadsafe(loop, kit_no_call, NULL, NULL, &handle));
    CHECK_OK(rondo_handle_cancel(handle));
    CHECK_OK(rondo_handle_release(handle));
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_OK(rondo_loop_release(loop));
}

static void use_errors(void)
{
    rondo_error *first = kit_error(0, "first"), *last = first;
    for (int i = 0; i < 100; i++) {
        rondo_error *next = kit_error(i, NULL);
        CHECK_OK(rondo_error_set_cause(last, next));
        CHECK_STATUS(rondo_error_set_cause(next, first), -ELOOP);
        CHECK_OK(rondo_error_release(next));
        last = next;
    }
    CHECK_OK(rondo_error_release(first));
}

static void ignore_message(int32_t level, const char *message, const rondo_log_field *fields,
                           size_t field_count, void *arg)
{
    (void)fields, (void)field_count;
    (void)level;
    (void)message;
    (void)arg;
}

static void use_everything(void)
{
    use_loops();
    use_errors();
    CHECK_OK(rondo_log_set_sink(ignore_message, NULL, NULL));
}

static void *work_with_loops(void *arg)
{
    while (goes_on())
        use_loops();
    return arg;
}

static void *work_with_errors(void *arg)
{
    while (goes_on())
        use_errors();
    return arg;
}

/* The child inherits no lock that a thread held which it does not have. */
KIT_TEST_WITHIN(fork_while_other_threads_work, 60)
{
    if (KIT_SANITIZED) {
        kit_skip("a sanitizer's own locks do not survive such a fork");
        return;
    }
    pthread_t threads[] = { kit_thread_start(work_with_loops, NULL), kit_thread_start(work_with_loops, NULL),
                            kit_thread_start(work_with_errors, NULL) };
    use_everything();
    for (int i = 0; i < 300; i++) {
        int pid = kit_fork();
        if (pid == 0) {
            use_everything();
            _exit(0);
        }
        CHECK_EQ_INT(kit_wait_child(pid), 0);
    }
    __atomic_store_n(&enough, true, __ATOMIC_RELAXED);
    for (int i = 0; i < 3; i++)
        kit_thread_join(threads[i]);
    CHECK_OK(rondo_log_set_sink(NULL, NULL, NULL));
}
