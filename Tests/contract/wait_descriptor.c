/* wait_descriptor.c - futures that are done when a descriptor is readable or writable. */
#define _GNU_SOURCE
#include "coro.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static rondo_future *readable(rondo_loop *loop, int fd)
{
    rondo_future *future = NULL;
    CHECK_OK(rondo_loop_wait_readable(loop, fd, &future));
    return future;
}

static rondo_future *writable(rondo_loop *loop, int fd)
{
    rondo_future *future = NULL;
    CHECK_OK(rondo_loop_wait_writable(loop, fd, &future));
    return future;
}

static void finish(rondo_loop *loop, rondo_future *future)
{
    CHECK_OK(rondo_loop_run_until_complete(loop, future, NULL));
    expect_result(future, NULL);
    end_future(future);
}

static void close_pair(int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

static void never(int32_t fd, void *arg)
{
    (void)arg;
    kit_fail(__FILE__, __LINE__, "descriptor %d was reported", fd);
}

static void log_fd(int32_t fd, void *arg)
{
    (void)fd;
    kit_log("%s", (const char *)arg);
}

/* ---- when it is done ------------------------------------------------------------------------- */

KIT_TEST(readable_at_once_and_later)
{
    rondo_loop *loop = kit_loop();
    char buffer[4];
    int fds[2];
    kit_socketpair(fds);
    rondo_future *future = readable(loop, fds[0]);
    expect_pending(future);
    kit_pass(loop);
    expect_pending(future);
    CHECK_EQ_INT(write(fds[1], "ab", 2), 2);
    finish(loop, future);
    future = readable(loop, fds[0]); /* nothing was read, so it still is */
    CHECK_EQ_INT(rondo_future_is_done(future), 1);
    expect_result(future, NULL);
    end_future(future);
    CHECK_EQ_INT(read(fds[0], buffer, sizeof buffer), 2);
    future = readable(loop, fds[0]);
    expect_pending(future);
    CHECK_OK(rondo_future_cancel(future, NULL, NULL));
    end_future(future);
    close_pair(fds);
    kit_loop_end(loop);
}

KIT_TEST(writable_at_once_and_later)
{
    rondo_loop *loop = kit_loop();
    int fds[2];
    kit_socketpair(fds);
    rondo_future *future = writable(loop, fds[0]);
    CHECK_EQ_INT(rondo_future_is_done(future), 1);
    end_future(future);
    kit_fill(fds[0]);
    future = writable(loop, fds[0]);
    kit_pass(loop);
    expect_pending(future);
    kit_drain(fds[1]);
    finish(loop, future);
    close_pair(fds);
    kit_loop_end(loop);
}

/* A hang-up is something to read and something to write: who tries will hear of it. */
KIT_TEST(hung_up)
{
    rondo_loop *loop = kit_loop();
    int fds[2];
    kit_socketpair(fds);
    kit_fill(fds[0]);
    rondo_future *in = readable(loop, fds[0]), *out = writable(loop, fds[0]);
    kit_pass(loop);
    expect_pending(in);
    expect_pending(out);
    close(fds[1]);
    finish(loop, in);
    finish(loop, out);
    finish(loop, readable(loop, fds[0]));
    close(fds[0]);
    kit_loop_end(loop);
}

/* The writing end of a pipe that nobody reads any more is in error, and not readable: a reader is told, too. */
KIT_TEST(error_of_a_pipe)
{
    rondo_loop *loop = kit_loop();
    int fds[2];
    kit_pipe(fds);
    kit_fill(fds[1]);
    rondo_future *out = writable(loop, fds[1]), *in = readable(loop, fds[1]);
    kit_pass(loop);
    expect_pending(out);
    expect_pending(in);
    close(fds[0]);
    finish(loop, out);
    finish(loop, in);
    close(fds[1]);
    kit_loop_end(loop);
}

/* What poll(2) never waits for is ready, though epoll refuses it. */
KIT_TEST(files_are_ready)
{
    rondo_loop *loop = kit_loop();
    FILE *file = tmpfile();
    CHECK(file != NULL);
    finish(loop, readable(loop, fileno(file)));
    finish(loop, writable(loop, fileno(file)));
    fclose(file);
    kit_loop_end(loop);
}

/* It is a blocking descriptor, and stays one. */
KIT_TEST(blocking_descriptor)
{
    rondo_loop *loop = kit_loop();
    int fds[2];
    CHECK_EQ_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    rondo_future *future = readable(loop, fds[0]);
    expect_pending(future);
    CHECK_EQ_INT(write(fds[1], "a", 1), 1);
    finish(loop, future);
    CHECK_EQ_INT(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
    close_pair(fds);
    kit_loop_end(loop);
}

struct emptied {
    int fd;
    rondo_future *wait;
};

static void take_it(void *arg)
{
    struct emptied *emptied = arg;
    char byte;
    CHECK_EQ_INT(read(emptied->fd, &byte, 1), 1);
}

/* Reported in this pass, read by an earlier call of the same batch: it goes on waiting. */
KIT_TEST(emptied_before_its_turn)
{
    rondo_loop *loop = kit_loop();
    struct emptied emptied;
    int fds[2];
    kit_socketpair(fds);
    emptied.fd = fds[0];
    emptied.wait = readable(loop, fds[0]);
    CHECK_EQ_INT(write(fds[1], "a", 1), 1);
    CHECK_OK(rondo_loop_call_soon(loop, take_it, &emptied, NULL, NULL));
    kit_pass(loop);
    kit_pass(loop);
    expect_pending(emptied.wait);
    CHECK_EQ_INT(write(fds[1], "b", 1), 1);
    finish(loop, emptied.wait);
    close_pair(fds);
    kit_loop_end(loop);
}

struct waiter {
    RONDO_FRAME;
    int fd;
    rondo_future *wait;
    char byte;
};

RONDO_STEP(read_a_byte)
{
    struct waiter *self = frame;
    RONDO_BEGIN(self);
    while (read(self->fd, &self->byte, 1) < 0) {
        if (errno != EAGAIN)
            return rondo_coroutine_raise_status(co, -errno, "read");
        RONDO_CHECK(rondo_loop_wait_readable(rondo_running_loop(), self->fd, &self->wait), "wait");
        RONDO_AWAIT_MOVED(self, self->wait);
    }
    RONDO_END(self);
}

KIT_TEST(in_a_coroutine)
{
    rondo_loop *loop = kit_loop();
    struct waiter waiter = { .byte = '-' };
    rondo_task *task = NULL;
    int fds[2];
    kit_socketpair(fds);
    waiter.fd = fds[0];
    CHECK_OK(rondo_loop_spawn(loop, read_a_byte, &waiter, NULL, NULL, &task));
    kit_pass(loop);
    CHECK_EQ_INT(write(fds[1], "x", 1), 1);
    CHECK_OK(rondo_loop_run_until_complete(loop, task, NULL));
    CHECK_EQ_INT(waiter.byte, 'x');
    end_task(task);
    close_pair(fds);
    kit_loop_end(loop);
}

/* ---- who else is there ----------------------------------------------------------------------- */

KIT_TEST(one_wait_for_each_direction)
{
    rondo_loop *loop = kit_loop();
    rondo_future *refused = NULL;
    char byte;
    int fds[2];
    kit_socketpair(fds);
    kit_fill(fds[0]);
    rondo_future *in = readable(loop, fds[0]), *out = writable(loop, fds[0]);
    CHECK_STATUS(rondo_loop_wait_readable(loop, fds[0], &refused), -EBUSY);
    CHECK_STATUS(rondo_loop_wait_writable(loop, fds[0], &refused), -EBUSY);
    CHECK_STATUS(rondo_loop_sock_recv(loop, fds[0], &byte, 1, &refused), -EBUSY);
    CHECK_STATUS(rondo_loop_sock_sendall(loop, fds[0], "x", 1, &refused), -EBUSY);
    CHECK_STATUS(rondo_loop_add_reader(loop, fds[0], never, NULL, kit_drop), -EBUSY);
    CHECK_STATUS(rondo_loop_add_writer(loop, fds[0], never, NULL, kit_drop), -EBUSY);
    CHECK_EQ_INT(kit_drops, 2);
    CHECK_EQ_PTR(refused, NULL);
    CHECK_EQ_INT(write(fds[1], "x", 1), 1);
    finish(loop, in);
    expect_pending(out);
    kit_drain(fds[1]);
    finish(loop, out);
    close_pair(fds);
    kit_loop_end(loop);
}

/* A reader of the program's is not pushed aside, whether there is something to read or not. */
KIT_TEST(beside_a_reader)
{
    rondo_loop *loop = kit_loop();
    rondo_future *refused = NULL;
    int32_t removed = -1;
    int fds[2];
    kit_socketpair(fds);
    CHECK_OK(rondo_loop_add_reader(loop, fds[0], log_fd, "r", NULL));
    CHECK_STATUS(rondo_loop_wait_readable(loop, fds[0], &refused), -EBUSY);
    finish(loop, writable(loop, fds[0]));
    CHECK_EQ_INT(write(fds[1], "x", 1), 1);
    CHECK_STATUS(rondo_loop_wait_readable(loop, fds[0], &refused), -EBUSY);
    CHECK_EQ_PTR(refused, NULL);
    kit_pass(loop);
    kit_expect_log("r");
    CHECK_OK(rondo_loop_remove_reader(loop, fds[0], &removed));
    CHECK_EQ_INT(removed, 1);
    finish(loop, readable(loop, fds[0]));
    close_pair(fds);
    kit_loop_end(loop);
}

/* remove_reader() is for readers: a wait is ended by cancelling it. */
KIT_TEST(not_a_reader)
{
    rondo_loop *loop = kit_loop();
    int32_t removed = -1;
    int fds[2];
    kit_socketpair(fds);
    rondo_future *future = readable(loop, fds[0]);
    CHECK_OK(rondo_loop_remove_reader(loop, fds[0], &removed));
    CHECK_EQ_INT(removed, 0);
    CHECK_EQ_INT(write(fds[1], "x", 1), 1);
    finish(loop, future);
    close_pair(fds);
    kit_loop_end(loop);
}

/* ---- cancelling, letting go, closing --------------------------------------------------------- */

KIT_TEST(cancelled_it_watches_no_more)
{
    rondo_loop *loop = kit_loop();
    int fds[2];
    kit_socketpair(fds);
    rondo_future *future = readable(loop, fds[0]);
    CHECK_OK(rondo_future_cancel(future, "enough", NULL));
    expect_cancelled(future, "enough");
    CHECK_EQ_INT(write(fds[1], "x", 1), 1);
    CHECK_OK(rondo_loop_add_reader(loop, fds[0], log_fd, "r", NULL)); /* the place is free at once */
    kit_pass(loop);
    kit_expect_log("r");
    CHECK_OK(rondo_loop_remove_reader(loop, fds[0], NULL));
    end_future(future);
    close_pair(fds);
    kit_loop_end(loop);
}

/* Cancelled between the report and its turn: it stays cancelled. */
static void cancel_wait(void *arg)
{
    CHECK_OK(rondo_future_cancel(arg, NULL, NULL));
}

KIT_TEST(cancelled_in_the_same_batch)
{
    rondo_loop *loop = kit_loop();
    int fds[2];
    kit_socketpair(fds);
    rondo_future *future = readable(loop, fds[0]);
    CHECK_EQ_INT(write(fds[1], "x", 1), 1);
    CHECK_OK(rondo_loop_call_soon(loop, cancel_wait, future, NULL, NULL));
    kit_pass(loop);
    expect_cancelled(future, NULL);
    end_future(future);
    close_pair(fds);
    kit_loop_end(loop);
}

KIT_TEST(cancelled_with_its_task)
{
    rondo_loop *loop = kit_loop();
    struct waiter waiter = { .byte = '-' };
    rondo_task *task = NULL;
    int fds[2];
    kit_socketpair(fds);
    waiter.fd = fds[0];
    CHECK_OK(rondo_loop_spawn(loop, read_a_byte, &waiter, NULL, NULL, &task));
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    CHECK_OK(rondo_loop_run_until_complete(loop, task, NULL));
    CHECK_EQ_INT(rondo_future_is_cancelled(as_future(task)), 1);
    rondo_future *again = readable(loop, fds[0]);
    CHECK_OK(rondo_future_cancel(again, NULL, NULL));
    end_future(again);
    end_task(task);
    close_pair(fds);
    kit_loop_end(loop);
}

static void log_state(rondo_future *future, void *arg)
{
    (void)arg;
    kit_log("%s", rondo_future_is_cancelled(future) ? "cancelled" : "done");
}

/* Nobody holds it: it waits on for its done callbacks. */
KIT_TEST(released_it_waits_on)
{
    rondo_loop *loop = kit_loop();
    int fds[2];
    kit_socketpair(fds);
    rondo_future *future = readable(loop, fds[0]);
    CHECK_OK(rondo_future_add_done_callback(future, log_state, NULL, kit_drop));
    end_future(future);
    CHECK_EQ_INT(write(fds[1], "x", 1), 1);
    kit_pass(loop);
    kit_pass(loop);
    kit_expect_log("done");
    CHECK_EQ_INT(kit_drops, 1);
    close_pair(fds);
    kit_loop_end(loop);
}

/* Closing cancels it, and every other operation that waits; callbacks do not run any more. */
KIT_TEST(closing_cancels)
{
    rondo_loop *loop = kit_loop();
    rondo_future *received = NULL;
    struct kit_arg arg = { 0 };
    char byte;
    int fds[2];
    kit_socketpair(fds);
    kit_fill(fds[0]);
    rondo_future *in = readable(loop, fds[0]), *out = writable(loop, fds[0]);
    kit_drain(fds[1]);
    CHECK_OK(rondo_loop_sock_recv(loop, fds[1], &byte, 1, &received));
    CHECK_OK(rondo_future_add_done_callback(in, kit_arg_future, &arg, kit_arg_drop));
    CHECK_OK(rondo_loop_close(loop, NULL));
    expect_cancelled(in, NULL);
    expect_cancelled(out, NULL);
    expect_cancelled(received, NULL);
    CHECK_EQ_INT(arg.calls, 0);
    CHECK_EQ_INT(arg.drops, 1);
    CHECK(fcntl(fds[0], F_GETFD) >= 0);
    end_future(in);
    end_future(out);
    end_future(received);
    CHECK_OK(rondo_loop_release(loop));
    close_pair(fds);
}

/* ---- misuse ---------------------------------------------------------------------------------- */

KIT_TEST(what_is_refused)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL;
    int32_t own = -1;
    int fds[2];
    kit_socketpair(fds);
    CHECK_STATUS(rondo_loop_wait_readable(loop, -1, &future), -EBADF);
    CHECK_STATUS(rondo_loop_wait_writable(loop, 1 << 30, &future), -EBADF);
    CHECK_STATUS(rondo_loop_wait_readable(loop, fds[0], NULL), -EINVAL);
    CHECK_STATUS(rondo_loop_wait_writable(loop, fds[0], NULL), -EINVAL);
    CHECK_OK(rondo_loop_get_fd(loop, &own));
    CHECK_STATUS(rondo_loop_wait_readable(loop, own, &future), -EINVAL);
    rondo_future *waiting = readable(loop, fds[0]);
    CHECK_STATUS(rondo_future_set_result(waiting, NULL, NULL), RONDO_E_RUNTIME); /* it is the library's */
    CHECK_OK(rondo_future_cancel(waiting, NULL, NULL));
    end_future(waiting);
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_STATUS(rondo_loop_wait_readable(loop, fds[0], &future), RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_loop_wait_writable(loop, fds[0], &future), RONDO_E_LOOP_CLOSED);
    CHECK_EQ_PTR(future, NULL);
    CHECK_OK(rondo_loop_release(loop));
    close_pair(fds);
}
