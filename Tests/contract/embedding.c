/* embedding.c - a loop inside somebody else's loop: one descriptor, bounded drive, runs by hand, hooks. */
#include "kit.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

struct host {
    rondo_loop *loop;
    int32_t fd;
    int count;
    int limit;
    rondo_error *error;
};

static struct host open_host(void)
{
    struct host host = { .loop = kit_loop(), .fd = -1 };
    CHECK_OK(rondo_loop_get_fd(host.loop, &host.fd));
    CHECK(host.fd >= 0);
    return host;
}

static int readable(const struct host *host, int timeout_ms)
{
    struct pollfd poll_fd = { .fd = host->fd, .events = POLLIN };
    return poll(&poll_fd, 1, timeout_ms) == 1;
}

static uint64_t drive(const struct host *host)
{
    uint64_t calls = 999999;
    CHECK_OK(rondo_loop_drive(host->loop, 0, 0, &calls));
    return calls;
}

static void again(void *arg)
{
    struct host *host = arg;
    if (++host->count < host->limit)
        CHECK_OK(rondo_loop_call_soon(host->loop, again, host, NULL, NULL));
}

/* ---- the descriptor -------------------------------------------------------------------------- */

KIT_TEST(fd_is_quiet_when_there_is_nothing)
{
    struct host host = open_host();
    int32_t again_fd = -1;
    CHECK(!readable(&host, 0));
    CHECK_EQ_INT(drive(&host), 0);
    CHECK(!readable(&host, 0));
    CHECK_OK(rondo_loop_get_fd(host.loop, &again_fd));
    CHECK_EQ_INT(again_fd, host.fd);
    kit_loop_end(host.loop);
}

KIT_TEST(fd_shows_ready_calls)
{
    struct host host = open_host();
    CHECK_OK(rondo_loop_call_soon(host.loop, kit_log_call, "a", NULL, NULL));
    CHECK(readable(&host, 0));
    CHECK(readable(&host, 0)); /* until it is driven */
    CHECK_EQ_INT(drive(&host), 1);
    kit_expect_log("a");
    CHECK(!readable(&host, 0));
    kit_loop_end(host.loop);
}

/* Calls that were there before the descriptor was asked for count, too. */
KIT_TEST(fd_shows_calls_made_before_get_fd)
{
    struct host host = { .loop = kit_loop() };
    CHECK_OK(rondo_loop_call_soon(host.loop, kit_log_call, "a", NULL, NULL));
    CHECK_OK(rondo_loop_call_soon_threadsafe(host.loop, kit_log_call, "b", NULL, NULL));
    CHECK_OK(rondo_loop_get_fd(host.loop, &host.fd));
    CHECK(readable(&host, 0));
    while (readable(&host, 0))
        drive(&host);
    kit_expect_log("a b");
    kit_loop_end(host.loop);
}

KIT_TEST(fd_shows_calls_made_in_callbacks)
{
    struct host host = open_host();
    host.limit = 3;
    CHECK_OK(rondo_loop_call_soon(host.loop, again, &host, NULL, NULL));
    for (int i = 1; i <= 3; i++) {
        CHECK(readable(&host, 0));
        CHECK_EQ_INT(drive(&host), 1);
        CHECK_EQ_INT(host.count, i);
    }
    CHECK(!readable(&host, 0));
    kit_loop_end(host.loop);
}

KIT_TEST(fd_shows_due_timers)
{
    struct host host = open_host();
    CHECK_OK(rondo_loop_call_later(host.loop, 3000000, kit_log_call, "t", NULL, NULL));
    int64_t when = kit_now() + 3000000;
    while (kit_now() < when - 2000000)
        CHECK(!readable(&host, 0) || kit_now() >= when - 2000000);
    CHECK(readable(&host, 5000));
    CHECK_EQ_INT(drive(&host), 1);
    kit_expect_log("t");
    CHECK(!readable(&host, 0));
    kit_loop_end(host.loop);
}

KIT_TEST(fd_follows_the_earliest_timer)
{
    struct host host = open_host();
    rondo_handle *handle = NULL;
    CHECK_OK(rondo_loop_call_later(host.loop, 3600000000000, kit_no_call, NULL, kit_drop, NULL));
    CHECK(!readable(&host, 0));
    CHECK_OK(rondo_loop_call_later(host.loop, 0, kit_log_call, "t", NULL, &handle));
    CHECK(readable(&host, 1000));
    CHECK_OK(rondo_handle_rearm(handle, 3600000000000));
    drive(&host);
    kit_expect_log("");
    CHECK(!readable(&host, 0));
    CHECK_OK(rondo_handle_rearm(handle, 0));
    CHECK(readable(&host, 1000));
    drive(&host);
    kit_expect_log("t");
    CHECK(!readable(&host, 0));
    CHECK_OK(rondo_handle_release(handle));
    kit_loop_drop(host.loop);
    CHECK_EQ_INT(kit_drops, 1);
}

KIT_TEST(fd_is_quiet_after_the_timer_was_cancelled)
{
    struct host host = open_host();
    rondo_handle *handle = NULL;
    CHECK_OK(rondo_loop_call_later(host.loop, 1000000, kit_no_call, NULL, kit_drop, &handle));
    CHECK_OK(rondo_handle_cancel(handle));
    CHECK_OK(rondo_handle_release(handle));
    readable(&host, 5); /* at most one wake-up for nothing */
    drive(&host);
    CHECK(!readable(&host, 5));
    kit_loop_end(host.loop);
}

static void log_io(int32_t fd, void *arg)
{
    (void)arg;
    kit_drain(fd);
    kit_log("io");
}

KIT_TEST(fd_shows_descriptors)
{
    struct host host = open_host();
    int fds[2];
    kit_socketpair(fds);
    CHECK_OK(rondo_loop_add_reader(host.loop, fds[0], log_io, NULL, NULL));
    CHECK(!readable(&host, 0));
    CHECK_EQ_INT(write(fds[1], "x", 1), 1);
    CHECK(readable(&host, 0));
    CHECK_EQ_INT(drive(&host), 1);
    kit_expect_log("io");
    CHECK(!readable(&host, 0));
    CHECK_EQ_INT(write(fds[1], "x", 1), 1);
    CHECK_OK(rondo_loop_remove_reader(host.loop, fds[0], NULL)); /* applied eagerly */
    CHECK(!readable(&host, 0));
    CHECK_OK(rondo_loop_add_writer(host.loop, fds[0], log_io, NULL, NULL));
    CHECK(readable(&host, 0));
    CHECK_OK(rondo_loop_remove_writer(host.loop, fds[0], NULL));
    CHECK(!readable(&host, 0));
    kit_loop_end(host.loop);
    close(fds[0]);
    close(fds[1]);
}

static void post(void *arg)
{
    struct host *host = arg;
    for (int i = 0; i < 3; i++)
        CHECK_OK(rondo_loop_call_soon_threadsafe(host->loop, kit_log_call, "x", kit_drop, NULL));
}

static void count_read(int32_t fd, void *arg)
{
    kit_drain(fd);
    ++*(int *)arg;
}

/* F29: an orphan in the kernel's set has the loop make another; a host that has the descriptor in
 * an epoll set of its own must not notice. */
KIT_TEST(fd_survives_a_new_poller)
{
    struct host host = open_host();
    struct epoll_event event = { .events = EPOLLIN };
    int pair[2], other[2], outer = epoll_create1(EPOLL_CLOEXEC), reads = 0;
    CHECK_EQ_INT(epoll_ctl(outer, EPOLL_CTL_ADD, host.fd, &event), 0);
    kit_socketpair(pair);
    kit_socketpair(other);
    CHECK_OK(rondo_loop_add_reader(host.loop, pair[0], count_read, &reads, NULL));
    CHECK_OK(rondo_loop_add_reader(host.loop, other[0], count_read, &reads, NULL));
    int copy = dup(pair[0]);
    close(pair[0]);
    CHECK_OK(rondo_loop_remove_reader(host.loop, pair[0], NULL));
    CHECK_EQ_INT(write(pair[1], "x", 1), 1);
    CHECK_EQ_INT(epoll_wait(outer, &event, 1, 1000), 1);
    CHECK_EQ_INT(drive(&host), 0);
    CHECK_EQ_INT(epoll_wait(outer, &event, 1, 0), 0);
    CHECK_EQ_INT(write(other[1], "x", 1), 1);
    CHECK_EQ_INT(epoll_wait(outer, &event, 1, 1000), 1);
    CHECK_EQ_INT(drive(&host), 1);
    CHECK_EQ_INT(reads, 1);
    CHECK_OK(rondo_loop_call_soon(host.loop, kit_arg_call, NULL, NULL, NULL));
    CHECK_EQ_INT(epoll_wait(outer, &event, 1, 1000), 1);
    CHECK_EQ_INT(drive(&host), 1);
    CHECK_EQ_INT(epoll_wait(outer, &event, 1, 0), 0);
    CHECK_OK(rondo_loop_remove_reader(host.loop, other[0], NULL));
    kit_loop_end(host.loop);
    int open_fds[] = { copy, pair[1], other[0], other[1], outer };
    for (int i = 0; i < 5; i++)
        close(open_fds[i]);
}

KIT_TEST(fd_shows_threadsafe_calls)
{
    struct host host = open_host();
    kit_in_thread(post, &host);
    CHECK(readable(&host, 0));
    CHECK_EQ_INT(drive(&host), 3);
    kit_expect_log("x x x");
    CHECK(!readable(&host, 0));
    kit_in_thread(post, &host);
    CHECK(readable(&host, 0));
    CHECK_EQ_INT(drive(&host), 3);
    CHECK_EQ_INT(kit_drops, 6);
    CHECK(!readable(&host, 0));
    kit_loop_end(host.loop);
}

KIT_TEST(fd_shows_futures_that_complete)
{
    struct host host = open_host();
    rondo_future *future = NULL;
    struct kit_arg arg = { 0 };
    CHECK_OK(rondo_future_new(host.loop, &future));
    CHECK_OK(rondo_future_add_done_callback(future, kit_arg_future, &arg, kit_arg_drop));
    CHECK(!readable(&host, 0));
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    CHECK(readable(&host, 0));
    drive(&host);
    CHECK_EQ_INT(arg.calls, 1);
    CHECK_EQ_INT(arg.drops, 1);
    CHECK(!readable(&host, 0));
    CHECK_OK(rondo_future_release(future));
    kit_loop_end(host.loop);
}

/* ---- drive ----------------------------------------------------------------------------------- */

KIT_TEST(drive_is_bounded_by_calls)
{
    struct host host = open_host();
    uint64_t calls = 0;
    for (int i = 0; i < 10; i++)
        CHECK_OK(rondo_loop_call_soon(host.loop, kit_log_call, "x", kit_drop, NULL));
    CHECK_OK(rondo_loop_drive(host.loop, 3, 0, &calls));
    CHECK_EQ_INT(calls, 3);
    CHECK_EQ_INT(kit_drops, 3);
    CHECK(readable(&host, 0)); /* the rest is still something to do */
    CHECK_OK(rondo_loop_drive(host.loop, 5, 0, &calls));
    CHECK_EQ_INT(calls, 5);
    CHECK_OK(rondo_loop_drive(host.loop, 100, 0, &calls));
    CHECK_EQ_INT(calls, 2);
    CHECK_EQ_INT(kit_drops, 10);
    CHECK(!readable(&host, 0));
    kit_loop_end(host.loop);
}

static void log_and_add(void *arg)
{
    kit_log("a");
    CHECK_OK(rondo_loop_call_soon(arg, kit_log_call, "late", NULL, NULL));
}

/* Cut off in the middle, the rest comes first the next time: the order is the same. */
KIT_TEST(drive_keeps_the_order_when_cut_off)
{
    struct host host = open_host();
    CHECK_OK(rondo_loop_call_soon(host.loop, log_and_add, host.loop, NULL, NULL));
    CHECK_OK(rondo_loop_call_soon(host.loop, kit_log_call, "b", NULL, NULL));
    CHECK_OK(rondo_loop_call_soon(host.loop, kit_log_call, "c", NULL, NULL));
    for (int i = 0; i < 4; i++)
        CHECK_OK(rondo_loop_drive(host.loop, 1, 0, NULL));
    kit_expect_log("a b c late");
    kit_loop_end(host.loop);
}

KIT_TEST(drive_with_a_limit_makes_several_passes)
{
    struct host host = open_host();
    uint64_t calls = 0;
    host.limit = 1000000000;
    CHECK_OK(rondo_loop_call_soon(host.loop, again, &host, NULL, NULL));
    CHECK_OK(rondo_loop_drive(host.loop, 100, 0, &calls));
    CHECK_EQ_INT(calls, 100);
    CHECK_EQ_INT(host.count, 100);
    CHECK_OK(rondo_loop_drive(host.loop, 0, 1000000, &calls)); /* ends although work never does */
    CHECK(calls >= 1);
    CHECK_EQ_INT(host.count, 100 + calls);
    kit_loop_drop(host.loop);
}

KIT_TEST(drive_without_a_descriptor)
{
    rondo_loop *loop = kit_loop();
    uint64_t calls = 9;
    CHECK_OK(rondo_loop_drive(loop, 0, 0, &calls));
    CHECK_EQ_INT(calls, 0);
    CHECK_OK(rondo_loop_call_soon(loop, kit_log_call, "a", NULL, NULL));
    CHECK_OK(rondo_loop_call_later(loop, 0, kit_log_call, "t", NULL, NULL));
    CHECK_OK(rondo_loop_drive(loop, 0, 0, &calls));
    CHECK_EQ_INT(calls, 2);
    kit_expect_log("a t");
    CHECK_STATUS(rondo_loop_drive(loop, 0, -1, &calls), -EINVAL);
    kit_loop_end(loop);
}

static void check_running(void *arg)
{
    CHECK_EQ_PTR(rondo_running_loop(), arg);
    CHECK_EQ_INT(rondo_loop_is_running(arg), 1);
    CHECK_STATUS(rondo_loop_drive(arg, 0, 0, NULL), RONDO_E_LOOP_RUNNING);
    CHECK_STATUS(rondo_loop_close(arg, NULL), RONDO_E_LOOP_RUNNING);
    kit_log("ok");
}

KIT_TEST(driven_loop_is_the_running_one)
{
    struct host host = open_host();
    CHECK_OK(rondo_loop_call_soon(host.loop, check_running, host.loop, NULL, NULL));
    CHECK_EQ_INT(drive(&host), 1);
    kit_expect_log("ok");
    CHECK_EQ_PTR(rondo_running_loop(), NULL);
    CHECK_EQ_INT(rondo_loop_is_running(host.loop), 0);
    kit_loop_end(host.loop);
}

KIT_TEST(drive_tells_stop_once)
{
    struct host host = open_host();
    kit_stop_soon(host.loop);
    CHECK_OK(rondo_loop_call_soon(host.loop, kit_log_call, "rest", NULL, NULL));
    CHECK_STATUS(rondo_loop_drive(host.loop, 0, 0, NULL), RONDO_E_LOOP_STOPPED);
    kit_expect_log("rest");
    CHECK_OK(rondo_loop_drive(host.loop, 0, 0, NULL));
    CHECK(!readable(&host, 0));
    kit_loop_end(host.loop);
}

static void raise_exit(void *arg)
{
    struct host *host = arg;
    CHECK_OK(rondo_loop_raise(host->loop, host->error));
}

KIT_TEST(exit_leaves_drive)
{
    struct host host = open_host();
    rondo_error *escaped = NULL;
    host.error = kit_rondo_error(RONDO_E_EXIT, NULL);
    CHECK_OK(rondo_loop_call_soon(host.loop, raise_exit, &host, NULL, NULL));
    CHECK_OK(rondo_loop_call_soon(host.loop, kit_log_call, "rest", NULL, NULL));
    CHECK_STATUS(rondo_loop_drive(host.loop, 0, 0, NULL), RONDO_E_EXIT);
    kit_expect_log("");
    CHECK(readable(&host, 0));
    CHECK_EQ_INT(drive(&host), 1);
    kit_expect_log("rest");
    CHECK_OK(rondo_loop_take_escaped(host.loop, &escaped));
    CHECK_EQ_PTR(escaped, host.error);
    CHECK_OK(rondo_error_release(escaped));
    CHECK_OK(rondo_error_release(host.error));
    kit_loop_end(host.loop);
}

static void drive_there(void *arg)
{
    uint64_t calls = 0;
    CHECK_OK(rondo_loop_drive(arg, 0, 0, &calls));
    CHECK_EQ_INT(calls, 1);
}

KIT_TEST(the_driving_thread_is_the_owner)
{
    struct host host = open_host();
    CHECK_OK(rondo_loop_call_soon(host.loop, kit_log_call, "there", NULL, NULL));
    kit_in_thread(drive_there, host.loop);
    kit_expect_log("there");
    CHECK_OK(rondo_loop_drive(host.loop, 0, 0, NULL)); /* and back again */
    CHECK_OK(rondo_loop_call_soon(host.loop, kit_log_call, "here", NULL, NULL));
    CHECK_EQ_INT(drive(&host), 1);
    kit_expect_log("here");
    kit_loop_end(host.loop);
}

/* After get_fd the loop can still be run the ordinary way. */
KIT_TEST(run_forever_after_get_fd)
{
    struct host host = open_host();
    CHECK_OK(rondo_loop_call_later(host.loop, 1000000, kit_stop_call, host.loop, NULL, NULL));
    CHECK_OK(rondo_loop_run_forever(host.loop));
    CHECK(!readable(&host, 0));
    CHECK_OK(rondo_loop_call_soon(host.loop, kit_log_call, "a", NULL, NULL));
    CHECK(readable(&host, 0));
    drive(&host);
    kit_expect_log("a");
    kit_loop_end(host.loop);
}

/* ---- begin, iterate, end --------------------------------------------------------------------- */

KIT_TEST(run_by_hand)
{
    struct host host = { .loop = kit_loop(), .limit = 3 };
    CHECK_STATUS(rondo_loop_iterate(host.loop, 0), RONDO_E_INVALID_STATE);
    CHECK_STATUS(rondo_loop_end(host.loop), RONDO_E_INVALID_STATE);
    CHECK_OK(rondo_loop_begin(host.loop));
    CHECK_EQ_PTR(rondo_running_loop(), host.loop);
    CHECK_EQ_INT(rondo_loop_is_running(host.loop), 1);
    CHECK_STATUS(rondo_loop_begin(host.loop), RONDO_E_LOOP_RUNNING);
    CHECK_STATUS(rondo_loop_run_forever(host.loop), RONDO_E_LOOP_RUNNING);
    CHECK_STATUS(rondo_loop_close(host.loop, NULL), RONDO_E_LOOP_RUNNING);
    CHECK_OK(rondo_loop_call_soon(host.loop, again, &host, NULL, NULL));
    for (int i = 1; i <= 3; i++) {
        CHECK_OK(rondo_loop_iterate(host.loop, 0));
        CHECK_EQ_INT(host.count, i);
    }
    CHECK_OK(rondo_loop_iterate(host.loop, 0)); /* nothing to do, and it comes back */
    CHECK_OK(rondo_loop_iterate(host.loop, 1000000));
    CHECK_OK(rondo_loop_end(host.loop));
    CHECK_EQ_PTR(rondo_running_loop(), NULL);
    CHECK_EQ_INT(rondo_loop_is_running(host.loop), 0);
    CHECK_STATUS(rondo_loop_end(host.loop), RONDO_E_INVALID_STATE);
    kit_loop_end(host.loop);
}

KIT_TEST(iterate_sleeps_until_a_timer)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_begin(loop));
    CHECK_OK(rondo_loop_call_later(loop, 2000000, kit_log_call, "t", kit_drop, NULL));
    while (kit_drops == 0)
        CHECK_OK(rondo_loop_iterate(loop, RONDO_NEVER));
    kit_expect_log("t");
    CHECK_OK(rondo_loop_end(loop));
    kit_loop_end(loop);
}

KIT_TEST(iterate_tells_stop)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_begin(loop));
    CHECK_OK(rondo_loop_stop(loop));
    CHECK_OK(rondo_loop_call_soon(loop, kit_log_call, "a", NULL, NULL));
    CHECK_STATUS(rondo_loop_iterate(loop, RONDO_NEVER), RONDO_E_LOOP_STOPPED);
    kit_expect_log("a");
    CHECK_OK(rondo_loop_iterate(loop, 0));
    CHECK_OK(rondo_loop_end(loop));
    kit_loop_end(loop);
}

static void end_inside(void *arg)
{
    CHECK_STATUS(rondo_loop_end(arg), RONDO_E_INVALID_STATE);
    CHECK_STATUS(rondo_loop_iterate(arg, 0), RONDO_E_LOOP_RUNNING);
    kit_log("refused");
}

/* F40: neither end nor iterate from inside a callback. */
KIT_TEST(end_and_iterate_inside_a_callback)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_begin(loop));
    CHECK_OK(rondo_loop_call_soon(loop, end_inside, loop, NULL, NULL));
    CHECK_OK(rondo_loop_iterate(loop, 0));
    kit_expect_log("refused");
    CHECK_OK(rondo_loop_end(loop));
    kit_loop_end(loop);
}

KIT_TEST(two_loops_by_hand_in_one_thread)
{
    rondo_loop *first = kit_loop(), *second = kit_loop();
    CHECK_OK(rondo_loop_begin(first));
    CHECK_STATUS(rondo_loop_begin(second), RONDO_E_OTHER_LOOP_RUNNING);
    CHECK_OK(rondo_loop_end(first));
    CHECK_OK(rondo_loop_begin(second));
    CHECK_OK(rondo_loop_end(second));
    kit_loop_end(first);
    kit_loop_end(second);
}

/* ---- hooks ----------------------------------------------------------------------------------- */

static void hook_before(rondo_loop *loop, void *arg)
{
    (void)loop;
    (void)arg;
    kit_log("before");
}

static void hook_after(rondo_loop *loop, void *arg)
{
    (void)loop;
    (void)arg;
    kit_log("after");
}

KIT_TEST(hooks_surround_the_poll)
{
    rondo_loop *loop = kit_loop();
    int fds[2];
    kit_socketpair(fds);
    CHECK_EQ_INT(write(fds[1], "x", 1), 1);
    CHECK_OK(rondo_loop_set_poll_hooks(loop, hook_before, hook_after, NULL, kit_drop));
    CHECK_OK(rondo_loop_add_reader(loop, fds[0], log_io, NULL, NULL));
    kit_pass(loop);
    kit_expect_log("before after io");
    CHECK_OK(rondo_loop_set_poll_hooks(loop, NULL, hook_after, NULL, kit_drop));
    CHECK_EQ_INT(kit_drops, 1);
    kit_pass(loop);
    kit_expect_log("after");
    CHECK_OK(rondo_loop_set_poll_hooks(loop, NULL, NULL, NULL, kit_drop));
    CHECK_EQ_INT(kit_drops, 3); /* the old arg, and the one that nobody wants */
    kit_pass(loop);
    kit_expect_log("");
    CHECK_OK(rondo_loop_remove_reader(loop, fds[0], NULL));
    kit_loop_end(loop);
    close(fds[0]);
    close(fds[1]);
}

/* No poll, no hooks: there is work and nothing to watch. */
KIT_TEST(no_hooks_without_a_poll)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_set_poll_hooks(loop, hook_before, hook_after, NULL, kit_drop));
    CHECK_OK(rondo_loop_call_soon(loop, kit_log_call, "a", NULL, NULL));
    kit_pass(loop);
    kit_expect_log("a");
    kit_loop_end(loop);
    CHECK_EQ_INT(kit_drops, 1);
}

static void hook_schedules_stop(rondo_loop *loop, void *arg)
{
    (void)arg;
    kit_log("hook");
    CHECK_OK(rondo_loop_call_soon(loop, kit_stop_call, loop, NULL, NULL));
    CHECK_OK(rondo_loop_set_poll_hooks(loop, NULL, NULL, NULL, NULL));
    CHECK_EQ_INT(kit_drops, 0); /* not while it runs */
}

/* F42: a hook that schedules keeps the loop from sleeping, and may remove itself. */
KIT_TEST(hook_schedules_and_removes_itself)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_set_poll_hooks(loop, hook_schedules_stop, hook_after, NULL, kit_drop));
    CHECK_OK(rondo_loop_run_forever(loop));
    CHECK_EQ_INT(kit_drops, 1);
    kit_loop_end(loop);
}
