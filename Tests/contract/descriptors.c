/* descriptors.c - readers and writers: replaced, removed, dropped once, never called when removed. */
#define _GNU_SOURCE
#include "kit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct watch {
    rondo_loop *loop;
    int fds[2];
    int count;
    struct kit_arg arg;
};

static struct watch open_watch(void)
{
    struct watch watch = { .loop = kit_loop() };
    kit_socketpair(watch.fds);
    return watch;
}

static void close_watch(struct watch *watch)
{
    CHECK_OK(rondo_loop_remove_reader(watch->loop, watch->fds[0], NULL));
    CHECK_OK(rondo_loop_remove_writer(watch->loop, watch->fds[0], NULL));
    CHECK_OK(rondo_loop_remove_reader(watch->loop, watch->fds[1], NULL));
    CHECK_OK(rondo_loop_remove_writer(watch->loop, watch->fds[1], NULL));
    kit_loop_end(watch->loop);
    close(watch->fds[0]);
    close(watch->fds[1]);
}

static void log_reader(int32_t fd, void *arg)
{
    (void)fd;
    kit_log("%s", arg != NULL ? (const char *)arg : "r");
}

static void never(int32_t fd, void *arg)
{
    (void)fd;
    kit_no_call(arg);
}

/* ---- add, remove, replace -------------------------------------------------------------------- */

/* Level: called in every pass in which it is readable. */
KIT_TEST(reader_is_called_while_readable)
{
    struct watch watch = open_watch();
    CHECK_OK(rondo_loop_add_reader(watch.loop, watch.fds[0], log_reader, "r", kit_drop));
    kit_pass(watch.loop);
    kit_expect_log("");
    CHECK_EQ_INT(write(watch.fds[1], "x", 1), 1);
    kit_pass(watch.loop);
    kit_pass(watch.loop);
    kit_expect_log("r r");
    kit_drain(watch.fds[0]);
    kit_pass(watch.loop);
    kit_expect_log("");
    CHECK_EQ_INT(kit_drops, 0);
    close_watch(&watch);
    CHECK_EQ_INT(kit_drops, 1);
}

KIT_TEST(writer_is_called_while_writable)
{
    struct watch watch = open_watch();
    CHECK_OK(rondo_loop_add_writer(watch.loop, watch.fds[0], log_reader, "w", kit_drop));
    kit_pass(watch.loop);
    kit_expect_log("w");
    kit_fill(watch.fds[0]);
    kit_pass(watch.loop);
    kit_expect_log("");
    kit_drain(watch.fds[1]);
    kit_pass(watch.loop);
    kit_expect_log("w");
    close_watch(&watch);
    CHECK_EQ_INT(kit_drops, 1);
}

/* Within one event the reader is called before the writer. */
KIT_TEST(reader_before_writer)
{
    struct watch watch = open_watch();
    CHECK_OK(rondo_loop_add_writer(watch.loop, watch.fds[0], log_reader, "w", NULL));
    CHECK_OK(rondo_loop_add_reader(watch.loop, watch.fds[0], log_reader, "r", NULL));
    CHECK_EQ_INT(write(watch.fds[1], "x", 1), 1);
    kit_pass(watch.loop);
    kit_expect_log("r w");
    close_watch(&watch);
}

/* What was ready comes first, then descriptors, then timers. */
KIT_TEST(order_of_a_pass)
{
    struct watch watch = open_watch();
    CHECK_OK(rondo_loop_call_later(watch.loop, 0, kit_log_call, "timer", NULL, NULL));
    CHECK_OK(rondo_loop_add_writer(watch.loop, watch.fds[0], log_reader, "io", NULL));
    CHECK_OK(rondo_loop_call_soon(watch.loop, kit_log_call, "soon", NULL, NULL));
    kit_pass(watch.loop);
    kit_expect_log("soon io timer");
    close_watch(&watch);
}

KIT_TEST(replacing_drops_the_old_arg)
{
    struct watch watch = open_watch();
    struct kit_arg first = { 0 }, second = { 0 };
    CHECK_EQ_INT(write(watch.fds[1], "x", 1), 1);
    CHECK_OK(rondo_loop_add_reader(watch.loop, watch.fds[0], never, &first, kit_arg_drop));
    CHECK_OK(rondo_loop_add_reader(watch.loop, watch.fds[0], kit_arg_fd, &second, kit_arg_drop));
    CHECK_EQ_INT(first.drops, 1);
    CHECK_EQ_INT(second.drops, 0);
    kit_pass(watch.loop);
    CHECK_EQ_INT(second.calls, 1);
    close_watch(&watch);
    CHECK_EQ_INT(second.drops, 1);
}

KIT_TEST(remove_tells_whether_there_was_one)
{
    struct watch watch = open_watch();
    int32_t removed = 7;
    CHECK_OK(rondo_loop_remove_reader(watch.loop, watch.fds[0], &removed));
    CHECK_EQ_INT(removed, 0);
    CHECK_OK(rondo_loop_add_reader(watch.loop, watch.fds[0], never, NULL, kit_drop));
    removed = 7;
    CHECK_OK(rondo_loop_remove_writer(watch.loop, watch.fds[0], &removed));
    CHECK_EQ_INT(removed, 0);
    CHECK_OK(rondo_loop_remove_reader(watch.loop, watch.fds[0], &removed));
    CHECK_EQ_INT(removed, 1);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_loop_remove_reader(watch.loop, watch.fds[0], &removed));
    CHECK_EQ_INT(removed, 0);
    CHECK_OK(rondo_loop_remove_reader(watch.loop, 900, &removed));
    CHECK_EQ_INT(removed, 0);
    close_watch(&watch);
}

KIT_TEST(reader_and_writer_are_independent)
{
    struct watch watch = open_watch();
    CHECK_EQ_INT(write(watch.fds[1], "x", 1), 1);
    CHECK_OK(rondo_loop_add_reader(watch.loop, watch.fds[0], log_reader, "r", kit_drop));
    CHECK_OK(rondo_loop_add_writer(watch.loop, watch.fds[0], log_reader, "w", kit_drop));
    CHECK_OK(rondo_loop_remove_reader(watch.loop, watch.fds[0], NULL));
    kit_pass(watch.loop);
    kit_expect_log("w");
    CHECK_OK(rondo_loop_add_reader(watch.loop, watch.fds[0], log_reader, "r", kit_drop));
    CHECK_OK(rondo_loop_remove_writer(watch.loop, watch.fds[0], NULL));
    kit_pass(watch.loop);
    kit_expect_log("r");
    CHECK_EQ_INT(kit_drops, 2);
    close_watch(&watch);
    CHECK_EQ_INT(kit_drops, 3);
}

/* ---- inside callbacks ------------------------------------------------------------------------ */

static void remove_self(int32_t fd, void *arg)
{
    struct watch *watch = arg;
    int32_t removed = 0;
    CHECK_OK(rondo_loop_remove_reader(watch->loop, fd, &removed));
    CHECK_EQ_INT(removed, 1);
    CHECK_EQ_INT(kit_drops, 0); /* not while fn runs */
    watch->count++;
}

/* F42: a reader that removes itself; its arg lives until it returns. */
KIT_TEST(remove_in_its_own_callback)
{
    struct watch watch = open_watch();
    CHECK_EQ_INT(write(watch.fds[1], "x", 1), 1);
    CHECK_OK(rondo_loop_add_reader(watch.loop, watch.fds[0], remove_self, &watch, kit_drop));
    kit_pass(watch.loop);
    kit_pass(watch.loop);
    CHECK_EQ_INT(watch.count, 1);
    CHECK_EQ_INT(kit_drops, 1);
    close_watch(&watch);
}

static void replace_self(int32_t fd, void *arg)
{
    struct watch *watch = arg;
    CHECK_OK(rondo_loop_add_reader(watch->loop, fd, log_reader, "new", NULL));
    CHECK_EQ_INT(kit_drops, 0);
    kit_log("old");
}

KIT_TEST(replace_in_its_own_callback)
{
    struct watch watch = open_watch();
    CHECK_EQ_INT(write(watch.fds[1], "x", 1), 1);
    CHECK_OK(rondo_loop_add_reader(watch.loop, watch.fds[0], replace_self, &watch, kit_drop));
    kit_pass(watch.loop);
    CHECK_EQ_INT(kit_drops, 1);
    kit_pass(watch.loop);
    kit_expect_log("old new");
    close_watch(&watch);
}

static void remove_other(int32_t fd, void *arg)
{
    struct watch *watch = arg;
    int other = fd == watch->fds[0] ? watch->fds[1] : watch->fds[0];
    CHECK_OK(rondo_loop_remove_reader(watch->loop, other, NULL));
    CHECK_OK(rondo_loop_remove_writer(watch->loop, fd, NULL));
    watch->count++;
}

/* F19's shape: whoever of two ready readers comes first removes the other: it is not called. */
KIT_TEST(remove_the_others_call_of_the_same_batch)
{
    struct watch watch = open_watch();
    CHECK_EQ_INT(write(watch.fds[0], "x", 1), 1);
    CHECK_EQ_INT(write(watch.fds[1], "x", 1), 1);
    CHECK_OK(rondo_loop_add_reader(watch.loop, watch.fds[0], remove_other, &watch, kit_drop));
    CHECK_OK(rondo_loop_add_reader(watch.loop, watch.fds[1], remove_other, &watch, kit_drop));
    kit_pass(watch.loop);
    CHECK_EQ_INT(watch.count, 1);
    CHECK_EQ_INT(kit_drops, 1);
    close_watch(&watch);
    CHECK_EQ_INT(kit_drops, 2);
}

/* A reader removes the writer of the same descriptor in the same event. */
KIT_TEST(remove_the_writer_of_the_same_event)
{
    struct watch watch = open_watch();
    CHECK_EQ_INT(write(watch.fds[1], "x", 1), 1);
    CHECK_OK(rondo_loop_add_writer(watch.loop, watch.fds[0], never, NULL, kit_drop));
    CHECK_OK(rondo_loop_add_reader(watch.loop, watch.fds[0], remove_other, &watch, NULL));
    kit_pass(watch.loop);
    CHECK_EQ_INT(watch.count, 1);
    CHECK_EQ_INT(kit_drops, 1);
    close_watch(&watch);
}

static void remove_by_call(void *arg)
{
    struct watch *watch = arg;
    CHECK_OK(rondo_loop_remove_reader(watch->loop, watch->fds[0], NULL));
}

/* Ready in this pass, but a call that comes before it removes it. */
KIT_TEST(remove_by_an_earlier_call)
{
    struct watch watch = open_watch();
    CHECK_EQ_INT(write(watch.fds[1], "x", 1), 1);
    CHECK_OK(rondo_loop_add_reader(watch.loop, watch.fds[0], never, NULL, kit_drop));
    CHECK_OK(rondo_loop_call_soon(watch.loop, remove_by_call, &watch, NULL, NULL));
    kit_pass(watch.loop);
    CHECK_EQ_INT(kit_drops, 1);
    close_watch(&watch);
}

static void replace_by_call(void *arg)
{
    struct watch *watch = arg;
    CHECK_OK(rondo_loop_add_reader(watch->loop, watch->fds[0], log_reader, "new", NULL));
}

/* Replaced after the old one's call became ready: the old one does not run, the new one may. */
KIT_TEST(replace_by_an_earlier_call)
{
    struct watch watch = open_watch();
    CHECK_EQ_INT(write(watch.fds[1], "x", 1), 1);
    CHECK_OK(rondo_loop_add_reader(watch.loop, watch.fds[0], never, NULL, kit_drop));
    CHECK_OK(rondo_loop_call_soon(watch.loop, replace_by_call, &watch, NULL, NULL));
    kit_pass(watch.loop);
    CHECK_EQ_INT(kit_drops, 1);
    kit_expect_log("");
    kit_pass(watch.loop);
    kit_expect_log("new");
    close_watch(&watch);
}

/* Whichever of the two comes first: it closes the other, whose event waits in this batch. */
static void close_and_reopen(int32_t fd, void *arg)
{
    struct watch *watch = arg;
    int fresh[2], other = fd == watch->fds[0] ? watch->fds[1] : watch->fds[0];
    CHECK_OK(rondo_loop_remove_reader(watch->loop, fd, NULL));
    CHECK_OK(rondo_loop_remove_reader(watch->loop, other, NULL));
    close(other);
    /* A new descriptor with the old number, and nothing to read. */
    kit_socketpair(fresh);
    CHECK(fresh[0] == other || fresh[1] == other);
    CHECK_OK(rondo_loop_add_reader(watch->loop, other, never, NULL, kit_drop));
    close(fd);
    watch->fds[0] = fresh[0];
    watch->fds[1] = fresh[1];
    kit_log("reopened");
}

/* F29's shape: an event of a descriptor that is gone does not reach the one that has its number now. */
KIT_TEST(stale_event_of_a_reused_number)
{
    struct watch watch = { .loop = kit_loop() };
    int first[2], second[2];
    kit_socketpair(first);
    kit_socketpair(second);
    CHECK_EQ_INT(write(first[1], "x", 1), 1);
    CHECK_EQ_INT(write(second[1], "x", 1), 1);
    watch.fds[0] = first[0];
    watch.fds[1] = second[0];
    CHECK_OK(rondo_loop_add_reader(watch.loop, first[0], close_and_reopen, &watch, NULL));
    CHECK_OK(rondo_loop_add_reader(watch.loop, second[0], close_and_reopen, &watch, NULL));
    kit_pass(watch.loop);
    kit_expect_log("reopened");
    kit_pass(watch.loop);
    close_watch(&watch);
    CHECK_EQ_INT(kit_drops, 1);
    close(first[1]);
    close(second[1]);
}

/* ---- descriptors that end -------------------------------------------------------------------- */

/* A hang-up is readable and writable: both are called, or nobody would ever learn of it. */
KIT_TEST(hang_up_calls_reader_and_writer)
{
    struct watch watch = open_watch();
    CHECK_OK(rondo_loop_add_reader(watch.loop, watch.fds[0], log_reader, "r", NULL));
    CHECK_OK(rondo_loop_add_writer(watch.loop, watch.fds[0], log_reader, "w", NULL));
    CHECK_EQ_INT(close(watch.fds[1]), 0);
    kit_pass(watch.loop);
    kit_expect_log("r w");
    CHECK_OK(rondo_loop_remove_reader(watch.loop, watch.fds[0], NULL));
    CHECK_OK(rondo_loop_remove_writer(watch.loop, watch.fds[0], NULL));
    kit_loop_end(watch.loop);
    close(watch.fds[0]);
}

/* A pipe whose reader has gone shows only an error, which wakes the writer. */
KIT_TEST(error_wakes_the_writer)
{
    rondo_loop *loop = kit_loop();
    int fds[2];
    kit_pipe(fds);
    kit_fill(fds[1]);
    close(fds[0]);
    CHECK_OK(rondo_loop_add_writer(loop, fds[1], log_reader, "w", NULL));
    kit_pass(loop);
    kit_expect_log("w");
    CHECK_OK(rondo_loop_remove_writer(loop, fds[1], NULL));
    kit_loop_end(loop);
    close(fds[1]);
}

/* The caller closes the descriptor and forgets the reader: quiet, and removable afterwards. */
KIT_TEST(closed_under_the_loop)
{
    struct watch watch = open_watch();
    int32_t removed = 0;
    int number = watch.fds[0], again[2];
    CHECK_OK(rondo_loop_add_reader(watch.loop, number, never, NULL, kit_drop));
    CHECK_EQ_INT(close(number), 0);
    kit_pass(watch.loop);
    CHECK_OK(rondo_loop_remove_reader(watch.loop, number, &removed));
    CHECK_EQ_INT(removed, 1);
    CHECK_EQ_INT(kit_drops, 1);
    /* The number comes back and works. */
    kit_socketpair(again);
    CHECK_EQ_INT(write(again[1], "x", 1), 1);
    CHECK_OK(rondo_loop_add_reader(watch.loop, again[0], log_reader, "r", NULL));
    kit_pass(watch.loop);
    kit_expect_log("r");
    CHECK_OK(rondo_loop_remove_reader(watch.loop, again[0], NULL));
    kit_loop_end(watch.loop);
    close(again[0]);
    close(again[1]);
    close(watch.fds[1]);
}

/* The number was closed without remove and is in use again: adding a reader must watch the new one. */
KIT_TEST(replaced_after_the_number_was_reused)
{
    struct watch watch = open_watch();
    int old = watch.fds[0], again[2];
    CHECK_OK(rondo_loop_add_reader(watch.loop, old, never, NULL, kit_drop));
    CHECK_EQ_INT(close(old), 0);
    kit_socketpair(again);
    int fresh = again[0] == old ? again[0] : again[1];
    CHECK_EQ_INT(fresh, old);
    CHECK_EQ_INT(write(again[0] == old ? again[1] : again[0], "x", 1), 1);
    CHECK_OK(rondo_loop_add_reader(watch.loop, fresh, log_reader, "r", NULL));
    CHECK_EQ_INT(kit_drops, 1);
    kit_pass(watch.loop);
    kit_expect_log("r");
    CHECK_OK(rondo_loop_remove_reader(watch.loop, fresh, NULL));
    kit_loop_end(watch.loop);
    close(again[0]);
    close(again[1]);
    close(watch.fds[1]);
}

static void count_poll(rondo_loop *loop, void *arg)
{
    (void)loop;
    ++*(int *)arg;
}

/* F29: the original is closed, a duplicate keeps it in the kernel's set, and it is ready: no reader
 * is called for a number that is gone, and the loop does not spin on it for ever. */
KIT_TEST(duplicate_keeps_reporting)
{
    struct watch watch = open_watch();
    int polls = 0, copy = dup(watch.fds[0]);
    CHECK_OK(rondo_loop_add_reader(watch.loop, watch.fds[0], log_reader, "r", kit_drop));
    kit_pass(watch.loop);
    CHECK_EQ_INT(close(watch.fds[0]), 0);
    CHECK_OK(rondo_loop_remove_reader(watch.loop, watch.fds[0], NULL));
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_EQ_INT(write(watch.fds[1], "x", 1), 1);
    CHECK_OK(rondo_loop_set_poll_hooks(watch.loop, count_poll, NULL, &polls, NULL));
    CHECK_OK(rondo_loop_call_later(watch.loop, 20000000, kit_stop_call, watch.loop, NULL, NULL));
    CHECK_OK(rondo_loop_run_forever(watch.loop));
    kit_expect_log("");
    CHECK(polls < 50);
    kit_loop_end(watch.loop);
    close(copy);
    close(watch.fds[1]);
}

/* ---- what cannot be watched ------------------------------------------------------------------ */

static void check_refused(rondo_loop *loop, int fd, rondo_status expected)
{
    long before = kit_drops;
    CHECK_STATUS(rondo_loop_add_reader(loop, fd, never, NULL, kit_drop), expected);
    CHECK_STATUS(rondo_loop_add_writer(loop, fd, never, NULL, kit_drop), expected);
    CHECK_EQ_INT(kit_drops, before + 2);
    int32_t removed = 7;
    CHECK_OK(rondo_loop_remove_reader(loop, fd, &removed));
    CHECK_EQ_INT(removed, 0);
}

/* F09, F30: regular files, directories, numbers that are no descriptors. */
KIT_TEST(descriptors_that_cannot_be_watched)
{
    rondo_loop *loop = kit_loop();
    char path[] = "/tmp/rondo-test-XXXXXX";
    int file = mkstemp(path), directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    unlink(path);
    check_refused(loop, file, -EPERM);
    check_refused(loop, directory, -EPERM);
    check_refused(loop, 900, -EBADF);
    check_refused(loop, 1 << 20, -EBADF);
    check_refused(loop, INT32_MAX, -EBADF);
    long before = kit_drops;
    rondo_status status = rondo_loop_add_reader(loop, -1, never, NULL, kit_drop);
    CHECK(status == -EBADF || status == -EINVAL);
    status = rondo_loop_add_writer(loop, INT32_MIN, never, NULL, kit_drop);
    CHECK(status == -EBADF || status == -EINVAL);
    CHECK_EQ_INT(kit_drops, before + 2);
    CHECK_STATUS(rondo_loop_add_reader(loop, 0, NULL, NULL, kit_drop), -EINVAL);
    CHECK_EQ_INT(kit_drops, before + 3);
    kit_pass(loop);
    kit_loop_end(loop);
    close(file);
    close(directory);
}

/* F30: a refused replacement leaves the reader that is there alone. */
KIT_TEST(refused_replacement_keeps_the_old_one)
{
    struct watch watch = open_watch();
    CHECK_EQ_INT(write(watch.fds[1], "x", 1), 1);
    CHECK_OK(rondo_loop_add_reader(watch.loop, watch.fds[0], log_reader, "r", kit_drop));
    CHECK_STATUS(rondo_loop_add_reader(watch.loop, watch.fds[0], NULL, &watch.arg, kit_arg_drop), -EINVAL);
    CHECK_EQ_INT(watch.arg.drops, 1);
    CHECK_EQ_INT(kit_drops, 0);
    kit_pass(watch.loop);
    kit_expect_log("r");
    close_watch(&watch);
}

KIT_TEST(busy_with_a_socket_operation)
{
    struct watch watch = open_watch();
    rondo_future *future = NULL;
    char byte;
    CHECK_OK(rondo_loop_sock_recv(watch.loop, watch.fds[0], &byte, 1, &future));
    CHECK_STATUS(rondo_loop_add_reader(watch.loop, watch.fds[0], never, NULL, kit_drop), -EBUSY);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_loop_add_writer(watch.loop, watch.fds[0], log_reader, "w", NULL));
    kit_pass(watch.loop);
    kit_expect_log("w");
    CHECK_OK(rondo_future_cancel(future, NULL, NULL));
    CHECK_OK(rondo_future_release(future));
    kit_pass(watch.loop);
    CHECK_OK(rondo_loop_add_reader(watch.loop, watch.fds[0], log_reader, "r", NULL));
    close_watch(&watch);
}

/* ---- closing --------------------------------------------------------------------------------- */

/* F31: close drops the readers and leaves the descriptors open. */
KIT_TEST(close_leaves_descriptors_alone)
{
    struct watch watch = open_watch();
    rondo_close_report report = { .size = sizeof report };
    CHECK_OK(rondo_loop_add_reader(watch.loop, watch.fds[0], never, NULL, kit_drop));
    CHECK_OK(rondo_loop_add_writer(watch.loop, watch.fds[0], never, NULL, kit_drop));
    CHECK_OK(rondo_loop_close(watch.loop, &report));
    CHECK_EQ_INT(report.readers, 1);
    CHECK_EQ_INT(report.writers, 1);
    CHECK_EQ_INT(kit_drops, 2);
    CHECK(fcntl(watch.fds[0], F_GETFD) >= 0);
    CHECK_EQ_INT(write(watch.fds[1], "x", 1), 1);
    CHECK_OK(rondo_loop_release(watch.loop));
    close(watch.fds[0]);
    close(watch.fds[1]);
}

static void stop_from_reader(int32_t fd, void *arg)
{
    struct watch *watch = arg;
    char byte;
    CHECK_EQ_INT(read(fd, &byte, 1), 1);
    CHECK_STATUS(rondo_loop_close(watch->loop, NULL), RONDO_E_LOOP_RUNNING);
    CHECK_OK(rondo_loop_stop(watch->loop));
}

static void write_byte(void *arg)
{
    CHECK_EQ_INT(write(*(int *)arg, "x", 1), 1);
}

KIT_TEST(reader_wakes_a_sleeping_loop)
{
    struct watch watch = open_watch();
    CHECK_OK(rondo_loop_add_reader(watch.loop, watch.fds[0], stop_from_reader, &watch, NULL));
    CHECK_OK(rondo_loop_call_later(watch.loop, 2000000, write_byte, &watch.fds[1], NULL, NULL));
    CHECK_OK(rondo_loop_run_forever(watch.loop));
    close_watch(&watch);
}

/* Our own descriptors do not reach a child program. */
KIT_TEST(own_descriptors_are_close_on_exec)
{
    rondo_loop *loop = kit_loop();
    int32_t fd = -1;
    bool inherited[64];
    for (int each = 3; each < 64; each++)
        inherited[each] = fcntl(each, F_GETFD) >= 0;
    CHECK_OK(rondo_loop_get_fd(loop, &fd));
    CHECK_OK(rondo_loop_call_soon_threadsafe(loop, kit_arg_call, NULL, NULL, NULL));
    kit_pass(loop);
    CHECK(fd >= 0 && fd < 64 && !inherited[fd]);
    for (int each = 3; each < 64; each++) {
        int flags = fcntl(each, F_GETFD);
        CHECK(inherited[each] || flags < 0 || (flags & FD_CLOEXEC));
    }
    kit_loop_end(loop);
}

/* Many descriptors at once, more than one poll's worth of events. */
KIT_TEST(many_descriptors)
{
    enum { PAIRS = 400 };
    static int fds[PAIRS][2];
    static struct kit_arg args[PAIRS];
    rondo_loop *loop = kit_loop();
    memset(args, 0, sizeof args);
    for (int i = 0; i < PAIRS; i++) {
        kit_socketpair(fds[i]);
        CHECK_EQ_INT(write(fds[i][1], "x", 1), 1);
        CHECK_OK(rondo_loop_add_reader(loop, fds[i][0], kit_arg_fd, &args[i], kit_arg_drop));
    }
    for (int pass = 0; pass < 4; pass++)
        kit_pass(loop);
    for (int i = 0; i < PAIRS; i++) {
        CHECK(args[i].calls >= 1); /* nobody starves behind the first ones */
        CHECK_OK(rondo_loop_remove_reader(loop, fds[i][0], NULL));
        CHECK_EQ_INT(args[i].drops, 1);
        close(fds[i][0]);
        close(fds[i][1]);
    }
    kit_loop_end(loop);
}

static void raise_from_reader(int32_t fd, void *arg)
{
    struct watch *watch = arg;
    rondo_error *error = kit_error(5, "from a reader");
    (void)fd;
    CHECK_OK(rondo_loop_raise(watch->loop, error));
    CHECK_OK(rondo_error_release(error));
}

/* A reader that raises is reported and stays registered. */
KIT_TEST(reader_raises)
{
    struct watch watch = open_watch();
    kit_record_reports(watch.loop);
    CHECK_EQ_INT(write(watch.fds[1], "x", 1), 1);
    CHECK_OK(rondo_loop_add_reader(watch.loop, watch.fds[0], raise_from_reader, &watch, kit_drop));
    kit_pass(watch.loop);
    kit_pass(watch.loop);
    CHECK_EQ_INT(kit_reports(), 2);
    CHECK_EQ_INT(kit_report_code(0), 5);
    CHECK_EQ_INT(kit_drops, 0);
    close_watch(&watch);
    CHECK_EQ_INT(kit_drops, 1);
}

/* A reader keeps the context of add_reader. */
static rondo_contextvar *reader_variable;

static void read_in_context(int32_t fd, void *arg)
{
    (void)fd;
    (void)arg;
    void *value = NULL;
    CHECK_OK(rondo_contextvar_get(reader_variable, &value));
    kit_log("%s", (const char *)value);
    CHECK_OK(rondo_contextvar_set(reader_variable, "again", NULL));
}

static void add_in_context(void *arg)
{
    struct watch *watch = arg;
    CHECK_OK(rondo_contextvar_set(reader_variable, "added", NULL));
    CHECK_OK(rondo_loop_add_reader(watch->loop, watch->fds[0], read_in_context, NULL, NULL));
}

KIT_TEST(reader_runs_in_the_context_of_add_reader)
{
    struct watch watch = open_watch();
    CHECK_OK(rondo_contextvar_new("v", "default", &reader_variable));
    CHECK_EQ_INT(write(watch.fds[1], "x", 1), 1);
    CHECK_OK(rondo_loop_call_soon(watch.loop, add_in_context, &watch, NULL, NULL));
    kit_pass(watch.loop);
    kit_pass(watch.loop);
    kit_pass(watch.loop);
    kit_expect_log("added again");
    close_watch(&watch);
    CHECK_OK(rondo_contextvar_release(reader_variable));
}

static void log_and_stop(int32_t fd, void *arg)
{
    (void)fd;
    kit_log("r");
    CHECK_OK(rondo_loop_stop(arg));
}

/* L-19: stopped and started again, an event is one call for each poll, never two. */
KIT_TEST(one_call_a_poll_across_stop_and_restart)
{
    struct watch watch = open_watch();
    CHECK_EQ_INT(write(watch.fds[1], "x", 1), 1);
    CHECK_OK(rondo_loop_add_reader(watch.loop, watch.fds[0], log_and_stop, watch.loop, NULL));
    for (int i = 0; i < 3; i++)
        CHECK_OK(rondo_loop_run_forever(watch.loop));
    kit_expect_log("r r r");
    close_watch(&watch);
}
