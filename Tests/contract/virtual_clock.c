/* virtual_clock.c - a clock of the loop's own: it jumps when nothing is ready, or is moved by hand. */
#define _GNU_SOURCE
#include "coro.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
#define HOUR (3600 * SECOND)

static int64_t time_of(rondo_loop *loop)
{
    int64_t now = -1;
    CHECK_OK(rondo_loop_time(loop, &now));
    return now;
}

static rondo_loop *manual_loop(void)
{
    return kit_loop_of(RONDO_LOOP_MANUAL_CLOCK, 0);
}

/* Logs its name and the time in seconds. */
static rondo_loop *the_loop;

static void tell(void *name)
{
    kit_log("%s@%d", (const char *)name, (int)(time_of(the_loop) / SECOND));
}

RONDO_STEP(sleeps_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    for (self->i = 0; self->i < self->n; self->i++) {
        RONDO_SLEEP(self, HOUR);
        tell((void *)(uintptr_t)self->name);
    }
    RONDO_RETURN(NULL);
    RONDO_END(self);
}

/* ---- a clock that jumps --------------------------------------------------------------------- */

KIT_TEST(it_begins_at_zero_and_stands_still)
{
    rondo_loop *loop = kit_virtual_loop();
    CHECK_EQ_INT(time_of(loop), 0);
    kit_pass(loop);
    CHECK_OK(rondo_loop_begin(loop));
    CHECK_OK(rondo_loop_iterate(loop, 0));
    CHECK_OK(rondo_loop_end(loop));
    CHECK_EQ_INT(time_of(loop), 0);
    kit_loop_end(loop);
}

/* Sleeps of hours end at once, in the order of their deadlines, each at its exact time. */
KIT_TEST(it_jumps_from_deadline_to_deadline)
{
    rondo_loop *loop = the_loop = kit_virtual_loop();
    struct frame a = { .name = "a", .n = 3 }, b = { .name = "b", .n = 2 };
    CHECK_OK(rondo_loop_call_later(loop, 90 * 60 * SECOND, tell, "t", NULL, NULL));
    rondo_task *other = task_of(loop, sleeps_step, &b);
    end_future(run_frame(loop, sleeps_step, &a));
    CHECK_EQ_INT(time_of(loop), 3 * HOUR);
    kit_expect_log("b@3600 a@3600 t@5400 b@7200 a@7200 a@10800");
    end_task(other);
    kit_loop_end(loop);
}

KIT_TEST(delays_count_from_the_loops_time)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_handle *handle = NULL;
    int64_t when = 0;
    CHECK_OK(rondo_loop_advance(loop, HOUR));
    CHECK_OK(rondo_loop_call_later(loop, SECOND, kit_log_call, "t", NULL, &handle));
    CHECK_OK(rondo_handle_get_when(handle, &when));
    CHECK_EQ_INT(when, HOUR + SECOND);
    CHECK_OK(rondo_handle_rearm(handle, 2 * SECOND));
    CHECK_OK(rondo_handle_get_when(handle, &when));
    CHECK_EQ_INT(when, HOUR + 2 * SECOND);
    rondo_timeout *timeout = NULL;
    CHECK_OK(rondo_timeout_new(loop, SECOND, &timeout));
    CHECK_OK(rondo_timeout_get_when(timeout, &when));
    CHECK_EQ_INT(when, HOUR + SECOND);
    CHECK_OK(rondo_timeout_release(timeout));
    CHECK_OK(rondo_handle_cancel(handle));
    CHECK_OK(rondo_handle_release(handle));
    kit_loop_end(loop);
}

/* iterate() is told how long it may sleep: that long the clock goes, or to the deadline before. */
KIT_TEST(iterate_goes_no_further_than_it_may)
{
    rondo_loop *loop = the_loop = kit_virtual_loop();
    CHECK_OK(rondo_loop_call_later(loop, 10 * SECOND, tell, "t", NULL, NULL));
    CHECK_OK(rondo_loop_begin(loop));
    CHECK_OK(rondo_loop_iterate(loop, 4 * SECOND));
    CHECK_EQ_INT(time_of(loop), 4 * SECOND);
    CHECK_OK(rondo_loop_iterate(loop, 0));
    CHECK_EQ_INT(time_of(loop), 4 * SECOND);
    CHECK_OK(rondo_loop_iterate(loop, HOUR));
    CHECK_EQ_INT(time_of(loop), 10 * SECOND);
    CHECK_OK(rondo_loop_iterate(loop, HOUR));
    CHECK_EQ_INT(time_of(loop), HOUR + 10 * SECOND);
    CHECK_OK(rondo_loop_end(loop));
    kit_expect_log("t@10");
    kit_loop_end(loop);
}

/* What can be read is read before any time passes. */
static void on_readable(int32_t fd, void *arg)
{
    char byte;
    CHECK_EQ_INT(read(fd, &byte, 1), 1);
    tell(arg);
}

static void write_byte(void *arg)
{
    CHECK_EQ_INT(write(*(int *)arg, "x", 1), 1);
}

KIT_TEST(the_kernel_is_asked_before_a_jump)
{
    rondo_loop *loop = the_loop = kit_virtual_loop();
    int fds[2];
    kit_socketpair(fds);
    CHECK_OK(rondo_loop_add_reader(loop, fds[0], on_readable, "read", NULL));
    CHECK_OK(rondo_loop_call_later(loop, SECOND, write_byte, &fds[1], NULL, NULL));
    CHECK_OK(rondo_loop_call_at(loop, SECOND + 1, kit_log_call, "then", NULL, NULL));
    CHECK_OK(rondo_loop_call_later(loop, 2 * SECOND, kit_stop_call, loop, NULL, NULL));
    CHECK_OK(rondo_loop_run_forever(loop));
    kit_expect_log("read@1 then");
    CHECK_OK(rondo_loop_remove_reader(loop, fds[0], NULL));
    close(fds[0]);
    close(fds[1]);
    kit_loop_end(loop);
}

KIT_TEST(advance_is_time_that_the_program_took)
{
    rondo_loop *loop = the_loop = kit_virtual_loop();
    CHECK_OK(rondo_loop_call_later(loop, SECOND, tell, "late", NULL, NULL));
    CHECK_OK(rondo_loop_advance(loop, 5 * SECOND));
    kit_pass(loop);
    kit_expect_log("late@5");
    kit_loop_end(loop);
}

KIT_TEST(advance_refuses)
{
    rondo_loop *loop = kit_virtual_loop(), *real = kit_loop();
    CHECK_STATUS(rondo_loop_advance(loop, -1), -EINVAL);
    CHECK_STATUS(rondo_loop_advance(loop, INT64_MIN), -EINVAL);
    CHECK_STATUS(rondo_loop_advance(loop, INT64_MAX), -EINVAL);
    CHECK_OK(rondo_loop_advance(loop, 0));
    CHECK_OK(rondo_loop_advance(loop, INT64_MAX - 1));
    CHECK_STATUS(rondo_loop_advance(loop, 1), -EINVAL);
    CHECK_EQ_INT(time_of(loop), INT64_MAX - 1);
    CHECK_STATUS(rondo_loop_advance(real, 1), RONDO_E_INVALID_STATE);
    CHECK_STATUS(rondo_loop_advance(NULL, 1), -EINVAL);
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_STATUS(rondo_loop_advance(loop, 0), RONDO_E_LOOP_CLOSED);
    CHECK_OK(rondo_loop_release(loop));
    kit_loop_end(real);
}

KIT_TEST(one_clock_or_the_other)
{
    rondo_loop_options options = { .size = sizeof options,
                                   .flags = RONDO_LOOP_VIRTUAL_CLOCK | RONDO_LOOP_MANUAL_CLOCK };
    rondo_loop *loop = NULL;
    CHECK_STATUS(rondo_loop_new(&options, &loop), -EINVAL);
    CHECK_EQ_PTR(loop, NULL);
}

/* At the end of time nothing is lost: what is due runs, and "never" does not come. */
KIT_TEST(the_end_of_time)
{
    rondo_loop *loop = kit_virtual_loop();
    CHECK_OK(rondo_loop_call_at(loop, RONDO_NEVER - 1, kit_log_call, "last", NULL, NULL));
    CHECK_OK(rondo_loop_call_at(loop, RONDO_NEVER, kit_no_call, NULL, kit_drop, NULL));
    CHECK_STATUS(rondo_loop_run_forever(loop), RONDO_E_DEADLOCK);
    kit_expect_log("last");
    CHECK_EQ_INT(time_of(loop), RONDO_NEVER - 1);
    CHECK_OK(rondo_loop_call_later(loop, HOUR, kit_no_call, NULL, kit_drop, NULL));
    CHECK_STATUS(rondo_loop_run_forever(loop), RONDO_E_DEADLOCK);
    kit_loop_drop(loop);
    CHECK_EQ_INT(kit_drops, 2);
}

/* ---- nothing can ever happen ---------------------------------------------------------------- */

KIT_TEST(a_deadlock_is_told)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_future *future = future_of(loop);
    struct frame waiter = { .future = future, .name = "w" };
    CHECK_STATUS(rondo_loop_run_forever(loop), RONDO_E_DEADLOCK);
    rondo_task *task = task_of(loop, awaits_step, &waiter);
    CHECK_STATUS(rondo_loop_run_until_complete(loop, task, NULL), RONDO_E_DEADLOCK);
    CHECK_EQ_INT(rondo_loop_is_running(loop), 0);
    CHECK_OK(rondo_loop_begin(loop));
    CHECK_OK(rondo_loop_iterate(loop, 0));
    CHECK_OK(rondo_loop_iterate(loop, SECOND));
    CHECK_STATUS(rondo_loop_iterate(loop, RONDO_NEVER), RONDO_E_DEADLOCK);
    CHECK_OK(rondo_loop_end(loop));
    /* It goes on as if nothing had been. */
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    run_until_done(loop, task);
    kit_expect_log("w");
    end_task(task);
    end_future(future);
    kit_loop_end(loop);
}

RONDO_STEP(main_waits_for_ever)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_future_new(rondo_running_loop(), &self->future));
    RONDO_TRY_AWAIT_MOVED(self, self->future);
    kit_log("%s", rondo_status_name(rondo_error_get_status(thrown)));
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

static rondo_status make_virtual(void *arg, rondo_loop **out_loop)
{
    (void)arg;
    *out_loop = kit_virtual_loop();
    return RONDO_OK;
}

/* rondo_run() ends what is left as it always does. */
KIT_TEST(run_tells_a_deadlock_and_cleans_up)
{
    struct frame self = { 0 };
    rondo_run_options options = { .size = sizeof options, .loop_factory = make_virtual };
    CHECK_STATUS(rondo_run(coroutine_of(main_waits_for_ever, &self), &options, NULL, NULL),
                 RONDO_E_DEADLOCK);
    kit_expect_log("RONDO_E_CANCELLED");
    CHECK_EQ_INT(self.drops, 1);
}

/* With a descriptor that is watched nobody can know: the loop sleeps in the kernel. */
static void *write_when_asleep(void *arg)
{
    int *what = arg;
    kit_wait_asleep(what[1]);
    CHECK_EQ_INT(write(what[0], "x", 1), 1);
    return NULL;
}

static void read_and_stop(int32_t fd, void *arg)
{
    char byte;
    CHECK_EQ_INT(read(fd, &byte, 1), 1);
    CHECK_OK(rondo_loop_stop(arg));
}

KIT_TEST(a_watched_descriptor_is_waited_for)
{
    rondo_loop *loop = kit_virtual_loop();
    int fds[2];
    kit_socketpair(fds);
    CHECK_OK(rondo_loop_add_reader(loop, fds[0], read_and_stop, loop, NULL));
    int what[2] = { fds[1], kit_tid() };
    pthread_t thread = kit_thread_start(write_when_asleep, what);
    CHECK_OK(rondo_loop_run_forever(loop));
    kit_thread_join(thread);
    CHECK_EQ_INT(time_of(loop), 0);
    CHECK_OK(rondo_loop_remove_reader(loop, fds[0], NULL));
    CHECK_STATUS(rondo_loop_run_forever(loop), RONDO_E_DEADLOCK);
    close(fds[0]);
    close(fds[1]);
    kit_loop_end(loop);
}

/* ---- holding it ----------------------------------------------------------------------------- */

struct outside {
    rondo_loop *loop;
    rondo_thread_future *future;
    int tid;
};

static void *unhold_when_asleep(void *arg)
{
    struct outside *self = arg;
    kit_wait_asleep(self->tid);
    CHECK_OK(rondo_loop_unhold(self->loop));
    return NULL;
}

KIT_TEST(a_held_clock_stands_still)
{
    rondo_loop *loop = the_loop = kit_virtual_loop();
    CHECK_STATUS(rondo_loop_unhold(loop), RONDO_E_INVALID_STATE);
    CHECK_OK(rondo_loop_hold(loop));
    CHECK_OK(rondo_loop_hold(loop));
    CHECK_OK(rondo_loop_unhold(loop));
    CHECK_OK(rondo_loop_call_later(loop, SECOND, tell, "t", NULL, NULL));
    CHECK_OK(rondo_loop_begin(loop));
    CHECK_OK(rondo_loop_iterate(loop, 1));
    CHECK_EQ_INT(time_of(loop), 0);
    CHECK_OK(rondo_loop_end(loop));
    struct outside outside = { .loop = loop, .tid = kit_tid() };
    pthread_t thread = kit_thread_start(unhold_when_asleep, &outside);
    CHECK_STATUS(rondo_loop_run_forever(loop), RONDO_E_DEADLOCK);
    kit_thread_join(thread);
    kit_expect_log("t@1");
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_STATUS(rondo_loop_hold(loop), RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_loop_unhold(loop), RONDO_E_LOOP_CLOSED);
    CHECK_OK(rondo_loop_release(loop));
}

/* Nothing but a hold is there, and it goes while the loop sleeps: then that is a deadlock. */
KIT_TEST(the_last_unhold_wakes_a_loop_that_waits_for_nothing)
{
    rondo_loop *loop = kit_virtual_loop();
    CHECK_OK(rondo_loop_hold(loop));
    struct outside outside = { .loop = loop, .tid = kit_tid() };
    pthread_t thread = kit_thread_start(unhold_when_asleep, &outside);
    CHECK_STATUS(rondo_loop_run_forever(loop), RONDO_E_DEADLOCK);
    kit_thread_join(thread);
    kit_loop_end(loop);
}

static void *complete_when_asleep(void *arg)
{
    struct outside *self = arg;
    kit_wait_asleep(self->tid);
    CHECK_OK(rondo_thread_future_set_result(self->future, "done", NULL));
    return NULL;
}

/* The library holds the clock while a thread works on a wrapped future. */
KIT_TEST(a_wrapped_future_holds_the_clock)
{
    rondo_loop *loop = kit_virtual_loop();
    struct outside outside = { .loop = loop, .tid = kit_tid() };
    rondo_future *wrapped = NULL;
    CHECK_OK(rondo_thread_future_new(&outside.future));
    CHECK_OK(rondo_wrap_future(loop, outside.future, &wrapped));
    CHECK_OK(rondo_loop_call_later(loop, HOUR, kit_no_call, NULL, kit_drop, NULL));
    pthread_t thread = kit_thread_start(complete_when_asleep, &outside);
    CHECK_OK(rondo_loop_run_until_complete(loop, wrapped, NULL));
    kit_thread_join(thread);
    CHECK_EQ_INT(time_of(loop), 0);
    CHECK_STATUS(rondo_loop_unhold(loop), RONDO_E_INVALID_STATE);
    end_future(wrapped);
    CHECK_OK(rondo_thread_future_release(outside.future));
    kit_loop_drop(loop);
}

/* Cancelled, or let go of, it holds no longer. */
KIT_TEST(a_wrapped_future_that_is_given_up_lets_the_clock_go)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_thread_future *source = NULL;
    rondo_future *wrapped = NULL;
    CHECK_OK(rondo_thread_future_new(&source));
    CHECK_OK(rondo_wrap_future(loop, source, &wrapped));
    CHECK_OK(rondo_future_cancel(wrapped, NULL, NULL));
    CHECK_STATUS(rondo_loop_unhold(loop), RONDO_E_INVALID_STATE);
    CHECK_STATUS(rondo_loop_run_forever(loop), RONDO_E_DEADLOCK);
    end_future(wrapped);
    CHECK_OK(rondo_thread_future_release(source));
    kit_loop_end(loop);
}

/* ---- held by tasks that wait for threads ------------------------------------------------------ */

struct meets {
    rondo_loop *loop;
    rondo_thread_queue *queue;
    rondo_thread_event *event;
    int tid;
};

static rondo_coroutine *get_of(rondo_thread_queue *queue)
{
    rondo_coroutine *get = NULL;
    CHECK_OK(rondo_thread_queue_get_async(queue, &get));
    return get;
}

static rondo_coroutine *put_of(rondo_thread_queue *queue)
{
    rondo_coroutine *put = NULL;
    CHECK_OK(rondo_thread_queue_put_async(queue, NULL, NULL, &put));
    return put;
}

static rondo_coroutine *join_of(rondo_thread_queue *queue)
{
    rondo_coroutine *join = NULL;
    CHECK_OK(rondo_thread_queue_join_async(queue, &join));
    return join;
}

static rondo_coroutine *wait_of(rondo_thread_event *event)
{
    rondo_coroutine *wait = NULL;
    CHECK_OK(rondo_thread_event_wait_async(event, &wait));
    return wait;
}

/* Each time once the loop sleeps in the kernel, so without the hold it would have jumped. */
static void *meet_when_asleep(void *arg)
{
    struct meets *self = arg;
    void *item = NULL;
    kit_wait_asleep(self->tid);
    CHECK_OK(rondo_thread_queue_put_nowait(self->queue, "got", NULL));
    kit_wait_asleep(self->tid);
    CHECK_OK(rondo_thread_queue_get(self->queue, RONDO_NEVER, &item));
    CHECK_OK(rondo_thread_queue_get(self->queue, RONDO_NEVER, &item));
    kit_wait_asleep(self->tid);
    for (int i = 0; i < 3; i++)
        CHECK_OK(rondo_thread_queue_task_done(self->queue));
    kit_wait_asleep(self->tid);
    CHECK_OK(rondo_thread_event_set(self->event));
    return NULL;
}

RONDO_STEP(meets_step)
{
    struct frame *self = frame;
    struct meets *meets = self->value;
    RONDO_BEGIN(self);
    RONDO_AWAIT_MOVED(self, get_of(meets->queue));
    kit_log("%s@%d", (const char *)sent, (int)time_of(meets->loop));
    RONDO_AWAIT_MOVED(self, put_of(meets->queue));
    RONDO_AWAIT_MOVED(self, put_of(meets->queue)); /* there is room for one */
    kit_log("put@%d", (int)time_of(meets->loop));
    RONDO_AWAIT_MOVED(self, join_of(meets->queue));
    kit_log("joined@%d", (int)time_of(meets->loop));
    RONDO_AWAIT_MOVED(self, wait_of(meets->event));
    kit_log("set@%d", (int)time_of(meets->loop));
    RONDO_RETURN(NULL);
    RONDO_END(self);
}

static struct meets meets_of(rondo_loop *loop)
{
    struct meets meets = { .loop = loop, .tid = kit_tid() };
    CHECK_OK(rondo_thread_queue_new(1, &meets.queue));
    CHECK_OK(rondo_thread_event_new(&meets.event));
    return meets;
}

static void end_meets(struct meets *meets)
{
    CHECK_OK(rondo_thread_queue_release(meets->queue));
    CHECK_OK(rondo_thread_event_release(meets->event));
}

KIT_TEST(a_task_that_waits_for_a_thread_holds_the_clock)
{
    rondo_loop *loop = kit_virtual_loop();
    struct meets meets = meets_of(loop);
    struct frame self = { .value = &meets };
    CHECK_OK(rondo_loop_call_later(loop, HOUR, kit_no_call, NULL, kit_drop, NULL));
    pthread_t thread = kit_thread_start(meet_when_asleep, &meets);
    end_future(run_frame(loop, meets_step, &self));
    kit_thread_join(thread);
    kit_expect_log("got@0 put@0 joined@0 set@0");
    CHECK_STATUS(rondo_loop_unhold(loop), RONDO_E_INVALID_STATE);
    end_meets(&meets);
    kit_loop_drop(loop);
}

/* The four of them, each waiting. */
static void begin_waits(struct meets *meets, rondo_task *tasks[4])
{
    rondo_coroutine *waits[4];
    waits[0] = join_of(meets->queue);
    waits[1] = wait_of(meets->event);
    waits[2] = put_of(meets->queue);
    rondo_thread_queue *empty = NULL;
    CHECK_OK(rondo_thread_queue_new(0, &empty));
    waits[3] = get_of(empty);
    CHECK_OK(rondo_thread_queue_release(empty)); /* the coroutine holds it */
    CHECK_OK(rondo_thread_queue_put_nowait(meets->queue, NULL, NULL));
    for (int i = 0; i < 4; i++)
        CHECK_OK(rondo_loop_create_task(meets->loop, waits[i], NULL, &tasks[i]));
    kit_pass(meets->loop);
}

KIT_TEST(cancelled_it_lets_the_clock_go)
{
    rondo_loop *loop = kit_virtual_loop();
    struct meets meets = meets_of(loop);
    rondo_task *tasks[4];
    begin_waits(&meets, tasks);
    for (int i = 0; i < 4; i++) {
        CHECK_OK(rondo_loop_unhold(loop)); /* there is a hold still */
        CHECK_OK(rondo_loop_hold(loop));
        CHECK_OK(rondo_task_cancel(tasks[i], NULL, NULL));
        run_until_done(loop, tasks[i]);
        end_task(tasks[i]);
    }
    CHECK_STATUS(rondo_loop_unhold(loop), RONDO_E_INVALID_STATE);
    CHECK_STATUS(rondo_loop_run_forever(loop), RONDO_E_DEADLOCK);
    end_meets(&meets);
    kit_loop_end(loop);
}

/* Driven by hand, as a body may, and closed where it waits. */
RONDO_STEP(closes_a_wait_step)
{
    struct frame *self = frame;
    struct meets *meets = self->value;
    rondo_coroutine *wait = wait_of(meets->event);
    rondo_step step = -1;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_coroutine_send(wait, NULL, &step, NULL, NULL));
    CHECK_EQ_INT(step, RONDO_STEP_AWAIT);
    CHECK_OK(rondo_loop_unhold(meets->loop));
    CHECK_OK(rondo_loop_hold(meets->loop));
    CHECK_OK(rondo_coroutine_close(wait, NULL));
    CHECK_STATUS(rondo_loop_unhold(meets->loop), RONDO_E_INVALID_STATE);
    CHECK_OK(rondo_coroutine_release(wait));
    RONDO_RETURN(NULL);
    RONDO_END(self);
}

KIT_TEST(closed_it_lets_the_clock_go)
{
    rondo_loop *loop = kit_virtual_loop();
    struct meets meets = meets_of(loop);
    struct frame self = { .value = &meets };
    end_future(run_frame(loop, closes_a_wait_step, &self));
    end_meets(&meets);
    kit_loop_end(loop);
}

/* With its loop, whose memory the next loop gets: that one is held by nobody. */
KIT_TEST(a_closed_loop_leaves_no_hold)
{
    rondo_loop *loop = kit_virtual_loop();
    struct meets meets = meets_of(loop);
    rondo_task *tasks[4];
    begin_waits(&meets, tasks);
    kit_record_reports(loop);
    for (int i = 0; i < 4; i++)
        end_task(tasks[i]);
    kit_loop_drop(loop);
    CHECK_EQ_INT(kit_reports(), 4);
    loop = kit_virtual_loop();
    CHECK_STATUS(rondo_loop_unhold(loop), RONDO_E_INVALID_STATE);
    CHECK_STATUS(rondo_loop_run_forever(loop), RONDO_E_DEADLOCK);
    end_meets(&meets);
    kit_loop_end(loop);
}

/* ---- a clock that is moved by hand ---------------------------------------------------------- */

KIT_TEST(by_hand_nothing_is_due_until_it_is_moved)
{
    rondo_loop *loop = the_loop = manual_loop();
    CHECK_OK(rondo_loop_call_later(loop, 10, tell, "a", NULL, NULL));
    CHECK_OK(rondo_loop_call_later(loop, SECOND, tell, "b", NULL, NULL));
    kit_pass(loop);
    kit_expect_log("");
    CHECK_OK(rondo_loop_advance(loop, 9));
    kit_pass(loop);
    kit_expect_log("");
    CHECK_OK(rondo_loop_advance(loop, 1));
    kit_pass(loop);
    kit_expect_log("a@0");
    CHECK_OK(rondo_loop_advance(loop, HOUR));
    kit_pass(loop);
    kit_expect_log("b@3600");
    kit_loop_end(loop);
}

static void *advance_when_asleep(void *arg)
{
    struct outside *self = arg;
    kit_wait_asleep(self->tid);
    CHECK_OK(rondo_loop_advance(self->loop, SECOND));
    kit_wait_asleep(self->tid);
    CHECK_OK(rondo_loop_advance(self->loop, SECOND));
    return NULL;
}

KIT_TEST(by_hand_another_thread_wakes_the_loop)
{
    rondo_loop *loop = the_loop = manual_loop();
    CHECK_OK(rondo_loop_call_later(loop, 2 * SECOND, tell, "t", NULL, NULL));
    CHECK_OK(rondo_loop_call_later(loop, 2 * SECOND, kit_stop_call, loop, NULL, NULL));
    struct outside outside = { .loop = loop, .tid = kit_tid() };
    pthread_t thread = kit_thread_start(advance_when_asleep, &outside);
    CHECK_OK(rondo_loop_run_forever(loop));
    kit_thread_join(thread);
    kit_expect_log("t@2");
    kit_loop_end(loop);
}

/* Many threads move it, and every nanosecond counts. */
static void *advance_often(void *arg)
{
    for (int i = 0; i < 10000; i++)
        CHECK_OK(rondo_loop_advance(arg, 1));
    return NULL;
}

KIT_TEST(by_hand_from_many_threads)
{
    rondo_loop *loop = manual_loop();
    pthread_t threads[4];
    CHECK_OK(rondo_loop_call_at(loop, 40000, kit_stop_call, loop, NULL, NULL));
    for (int i = 0; i < 4; i++)
        threads[i] = kit_thread_start(advance_often, loop);
    CHECK_OK(rondo_loop_run_forever(loop));
    for (int i = 0; i < 4; i++)
        kit_thread_join(threads[i]);
    CHECK_EQ_INT(time_of(loop), 40000);
    kit_loop_end(loop);
}

/* ---- drives and hosts ----------------------------------------------------------------------- */

KIT_TEST(a_drive_with_nothing_ready_jumps)
{
    rondo_loop *loop = the_loop = kit_virtual_loop();
    uint64_t calls = 0;
    CHECK_OK(rondo_loop_call_later(loop, HOUR, tell, "t", NULL, NULL));
    CHECK_OK(rondo_loop_call_later(loop, 2 * HOUR, tell, "u", NULL, NULL));
    CHECK_OK(rondo_loop_drive(loop, 0, 0, &calls));
    CHECK_EQ_INT(calls, 1);
    kit_expect_log("t@3600");
    CHECK_OK(rondo_loop_drive(loop, 100, 0, &calls));
    kit_expect_log("u@7200");
    CHECK_OK(rondo_loop_drive(loop, 100, 0, &calls));
    CHECK_EQ_INT(calls, 0);
    CHECK_EQ_INT(time_of(loop), 2 * HOUR);
    kit_loop_end(loop);
}

static bool is_readable(int fd)
{
    struct pollfd one = { fd, POLLIN, 0 };
    return poll(&one, 1, 0) == 1;
}

/* A host's descriptor is readable when the clock could move, and not before when it is moved by hand. */
KIT_TEST(a_host_is_told)
{
    rondo_loop *loop = kit_virtual_loop(), *manual = manual_loop();
    int32_t fd = -1;
    CHECK_OK(rondo_loop_get_fd(loop, &fd));
    CHECK(!is_readable(fd));
    CHECK_OK(rondo_loop_call_later(loop, HOUR, kit_log_call, "jumped", NULL, NULL));
    CHECK(is_readable(fd));
    CHECK_OK(rondo_loop_drive(loop, 0, 0, NULL));
    kit_expect_log("jumped");
    CHECK(!is_readable(fd));
    CHECK_OK(rondo_loop_get_fd(manual, &fd));
    CHECK_OK(rondo_loop_call_later(manual, HOUR, kit_log_call, "moved", NULL, NULL));
    CHECK(!is_readable(fd));
    CHECK_OK(rondo_loop_advance(manual, HOUR));
    CHECK(is_readable(fd));
    CHECK_OK(rondo_loop_drive(manual, 0, 0, NULL));
    kit_expect_log("moved");
    CHECK(!is_readable(fd));
    kit_loop_end(loop);
    kit_loop_end(manual);
}

/* Poll hooks are called as ever, and may bring the next thing to do. */
static void before_poll(rondo_loop *loop, void *arg)
{
    int *left = arg;
    if ((*left)-- > 0)
        CHECK_OK(rondo_loop_call_soon(loop, kit_log_call, "hook", NULL, NULL));
}

KIT_TEST(poll_hooks_come_before_a_deadlock)
{
    rondo_loop *loop = kit_virtual_loop();
    int left = 2;
    CHECK_OK(rondo_loop_set_poll_hooks(loop, before_poll, NULL, &left, NULL));
    CHECK_STATUS(rondo_loop_run_forever(loop), RONDO_E_DEADLOCK);
    kit_expect_log("hook hook");
    kit_loop_end(loop);
}

/* In a child the loop goes on at the time at which it was inherited. */
KIT_TEST(fork_keeps_the_time)
{
    rondo_loop *loop = kit_virtual_loop();
    CHECK_OK(rondo_loop_advance(loop, HOUR));
    int child = kit_fork();
    if (child == 0) {
        CHECK_STATUS(rondo_loop_advance(loop, 1), RONDO_E_WRONG_PROCESS);
        CHECK_STATUS(rondo_loop_hold(loop), RONDO_E_WRONG_PROCESS);
        CHECK_OK(rondo_loop_reset_after_fork(loop));
        CHECK_OK(rondo_loop_call_later(loop, HOUR, kit_stop_call, loop, NULL, NULL));
        CHECK_OK(rondo_loop_run_forever(loop));
        CHECK_EQ_INT(time_of(loop), 2 * HOUR);
        _exit(0);
    }
    CHECK_EQ_INT(kit_wait_child(child), 0);
    CHECK_EQ_INT(time_of(loop), HOUR);
    kit_loop_end(loop);
}
