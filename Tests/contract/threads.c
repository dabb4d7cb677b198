/* threads.c - what other threads may do: calls, futures and coroutines across threads; owners that end. */
#define _GNU_SOURCE
#include "kit.h"

#include <sched.h>

#include <errno.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

/* ---- a loop that runs in a thread of its own ------------------------------------------------- */

struct worker {
    rondo_loop *loop;
    pthread_t thread;
    struct kit_event started;
    atomic_int tid;
};

static void tell_started(void *arg)
{
    struct worker *worker = arg;
    atomic_store(&worker->tid, kit_tid());
    kit_event_set(&worker->started);
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    CHECK_OK(rondo_loop_new(NULL, &worker->loop));
    CHECK_OK(rondo_loop_call_soon(worker->loop, tell_started, worker, NULL, NULL));
    CHECK_OK(rondo_loop_run_forever(worker->loop));
    CHECK_OK(rondo_loop_close(worker->loop, NULL));
    return NULL;
}

static void start_worker(struct worker *worker)
{
    *worker = (struct worker){ .started = KIT_EVENT_INIT };
    worker->thread = kit_thread_start(work, worker);
    kit_event_wait(&worker->started);
}

static void end_worker(struct worker *worker)
{
    CHECK_OK(rondo_loop_call_soon_threadsafe(worker->loop, kit_stop_call, worker->loop, NULL, NULL));
    kit_thread_join(worker->thread);
    CHECK_OK(rondo_loop_release(worker->loop));
}

static void set_event_call(void *arg)
{
    kit_event_set(arg);
}

/* Wait until the worker has run everything that was posted before. */
static void sync_worker(struct worker *worker)
{
    struct kit_event event = KIT_EVENT_INIT;
    CHECK_OK(rondo_loop_call_soon_threadsafe(worker->loop, set_event_call, &event, NULL, NULL));
    kit_event_wait(&event);
}

/* ---- call_soon_threadsafe -------------------------------------------------------------------- */

KIT_TEST(wakes_a_sleeping_loop)
{
    struct worker worker;
    start_worker(&worker);
    for (int i = 0; i < 20; i++) {
        kit_wait_asleep(atomic_load(&worker.tid));
        sync_worker(&worker);
    }
    end_worker(&worker);
}

KIT_TEST(from_the_own_thread_too)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_call_soon_threadsafe(loop, kit_log_call, "a", kit_drop, NULL));
    CHECK_OK(rondo_loop_call_soon_threadsafe(loop, kit_log_call, "b", kit_drop, NULL));
    CHECK_OK(rondo_loop_call_soon_threadsafe(loop, kit_stop_call, loop, NULL, NULL));
    CHECK_OK(rondo_loop_run_forever(loop));
    kit_expect_log("a b");
    CHECK_EQ_INT(kit_drops, 2);
    kit_loop_end(loop);
}

static void call_from_callback(void *arg)
{
    CHECK_OK(rondo_loop_call_soon_threadsafe(arg, kit_log_call, "next", NULL, NULL));
    kit_log("now");
}

KIT_TEST(from_a_callback_it_is_the_next_pass)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_call_soon(loop, call_from_callback, loop, NULL, NULL));
    kit_pass(loop);
    kit_expect_log("now");
    kit_pass(loop);
    kit_expect_log("next");
    kit_loop_end(loop);
}

#define PRODUCERS 4
#define POSTS 250000

static struct {
    unsigned char ran[PRODUCERS][POSTS], dropped[PRODUCERS][POSTS];
    int last[PRODUCERS];
    atomic_long ran_count, drop_count, accepted, refused;
    long stop_after;
    int posts;
    rondo_loop *loop;
} ledger;

static void ledger_run(void *arg)
{
    size_t index = (size_t)arg, producer = index / POSTS, number = index % POSTS;
    CHECK_EQ_INT(ledger.ran[producer][number], 0);
    CHECK_EQ_INT(ledger.dropped[producer][number], 0);
    ledger.ran[producer][number] = 1;
    CHECK_EQ_INT(number, ledger.last[producer] + 1); /* first in, first out */
    ledger.last[producer] = (int)number;
    if (atomic_fetch_add(&ledger.ran_count, 1) + 1 == ledger.stop_after)
        CHECK_OK(rondo_loop_stop(ledger.loop));
}

static void ledger_drop(void *arg)
{
    size_t index = (size_t)arg;
    CHECK_EQ_INT(ledger.dropped[index / POSTS][index % POSTS]++, 0);
    atomic_fetch_add(&ledger.drop_count, 1);
}

static void *produce(void *arg)
{
    size_t first = (size_t)arg * POSTS;
    bool closed = false;
    for (int i = 0; i < ledger.posts; i++) {
        rondo_status status = rondo_loop_call_soon_threadsafe(
            ledger.loop, ledger_run, (void *)(first + (size_t)i), ledger_drop, NULL);
        CHECK(status == RONDO_OK || status == RONDO_E_LOOP_CLOSED);
        CHECK(!closed || status == RONDO_E_LOOP_CLOSED);
        closed = status != RONDO_OK;
        atomic_fetch_add(closed ? &ledger.refused : &ledger.accepted, 1);
    }
    return NULL;
}

static void run_ledger(int posts, long stop_after)
{
    pthread_t threads[PRODUCERS];
    rondo_close_report report = { .size = sizeof report };
    memset(&ledger, 0, sizeof ledger);
    for (int i = 0; i < PRODUCERS; i++)
        ledger.last[i] = -1;
    ledger.loop = kit_loop();
    ledger.posts = posts;
    ledger.stop_after = stop_after;
    for (size_t i = 0; i < PRODUCERS; i++)
        threads[i] = kit_thread_start(produce, (void *)i);
    CHECK_OK(rondo_loop_run_forever(ledger.loop));
    CHECK_OK(rondo_loop_close(ledger.loop, &report));
    for (int i = 0; i < PRODUCERS; i++)
        kit_thread_join(threads[i]);
    long total = (long)PRODUCERS * posts;
    CHECK_EQ_INT(ledger.accepted + ledger.refused, total);
    CHECK_EQ_INT(ledger.drop_count, total);
    CHECK_EQ_INT(ledger.ran_count + (long)report.threadsafe_calls + (long)report.ready_calls,
                 ledger.accepted);
    CHECK_OK(rondo_loop_release(ledger.loop));
    kit_note("posted=%ld ran=%ld dropped-unrun=%ld refused=%ld", total, ledger.ran_count,
             ledger.accepted - ledger.ran_count, ledger.refused);
}

/* F51: 4 producers x 250,000 calls, all of them run, in order, each once. */
KIT_TEST_WITHIN(a_million_calls, 60)
{
    int posts = kit_rounds(POSTS);
    run_ledger(posts, (long)PRODUCERS * posts);
    CHECK_EQ_INT(ledger.ran_count, (long)PRODUCERS * posts);
    CHECK_EQ_INT(ledger.refused, 0);
}

/* ... and against a loop that closes in the middle: run, dropped or refused, there is no fourth way. */
KIT_TEST_WITHIN(a_million_calls_against_a_closing_loop, 60)
{
    int posts = kit_rounds(POSTS);
    run_ledger(posts, posts / 25);
}

struct race {
    rondo_loop *loop;
    atomic_int ran, dropped;
    int accepted[2], posted[2];
};

static void race_run(void *arg)
{
    atomic_fetch_add(&((struct race *)arg)->ran, 1);
}

static void race_drop(void *arg)
{
    atomic_fetch_add(&((struct race *)arg)->dropped, 1);
}

struct racer {
    struct race *race;
    int index;
};

static void *race_post(void *arg)
{
    struct racer *racer = arg;
    struct race *race = racer->race;
    rondo_status status;
    do {
        rondo_handle *handle = NULL;
        /* A loop that comes to a halt must not cost all memory. */
        while (race->posted[racer->index] >= 300000 && !rondo_loop_is_closed(race->loop))
            sched_yield();
        bool keep = race->posted[racer->index] % 3 == 0;
        status = rondo_loop_call_soon_threadsafe(race->loop, race_run, race, race_drop,
                                                 keep ? &handle : NULL);
        race->posted[racer->index]++;
        if (status == RONDO_OK) {
            race->accepted[racer->index]++;
            if (keep)
                CHECK_OK(rondo_handle_release(handle));
        }
    } while (status == RONDO_OK);
    CHECK_STATUS(status, RONDO_E_LOOP_CLOSED);
    return NULL;
}

/* F52: close races with posts, many rounds. */
KIT_TEST_WITHIN(close_races_with_posts, 120)
{
    int rounds = kit_rounds(1000);
    for (int round = 0; round < rounds; round++) {
        struct race race = { .loop = kit_loop() };
        struct racer racers[2] = { { &race, 0 }, { &race, 1 } };
        rondo_close_report report = { .size = sizeof report };
        pthread_t threads[2];
        for (int i = 0; i < 2; i++)
            threads[i] = kit_thread_start(race_post, &racers[i]);
        for (int i = 0; i < round % 4; i++)
            kit_pass(race.loop);
        CHECK_OK(rondo_loop_close(race.loop, &report));
        for (int i = 0; i < 2; i++)
            kit_thread_join(threads[i]);
        CHECK_EQ_INT(race.dropped, race.posted[0] + race.posted[1]);
        CHECK_EQ_INT(race.ran + (int)(report.threadsafe_calls + report.ready_calls),
                     race.accepted[0] + race.accepted[1]);
        CHECK_OK(rondo_loop_release(race.loop));
    }
}

/* ---- handles of threadsafe calls ------------------------------------------------------------- */

struct block {
    struct kit_event entered, leave;
    atomic_int done, tid, cancelled, asked;
    rondo_handle *handle;
};

#define BLOCK_INIT { .entered = KIT_EVENT_INIT, .leave = KIT_EVENT_INIT }

static void blocking_call(void *arg)
{
    struct block *block = arg;
    kit_event_set(&block->entered);
    kit_event_wait(&block->leave);
    atomic_store(&block->done, 1);
}

/* cancelled by another thread before it starts: it never runs, its arg is dropped. */
KIT_TEST(cancel_by_another_thread_before_it_starts)
{
    struct worker worker;
    struct block block = BLOCK_INIT;
    rondo_handle *handle = NULL;
    start_worker(&worker);
    CHECK_OK(rondo_loop_call_soon_threadsafe(worker.loop, blocking_call, &block, NULL, NULL));
    kit_event_wait(&block.entered);
    CHECK_OK(rondo_loop_call_soon_threadsafe(worker.loop, kit_no_call, NULL, kit_drop, &handle));
    CHECK_EQ_INT(rondo_handle_is_cancelled(handle), 0);
    CHECK_OK(rondo_handle_cancel(handle));
    CHECK_EQ_INT(rondo_handle_is_cancelled(handle), 1);
    CHECK_OK(rondo_handle_cancel(handle));
    kit_event_set(&block.leave);
    sync_worker(&worker);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_handle_release(handle));
    end_worker(&worker);
}

static void *cancel_there(void *arg)
{
    struct block *block = arg;
    atomic_store(&block->tid, kit_tid());
    CHECK_OK(rondo_handle_cancel(block->handle));
    CHECK_EQ_INT(atomic_load(&block->done), 1); /* not before the callback has returned */
    atomic_store(&block->cancelled, 1);
    return NULL;
}

/* 3.14: cancelling what runs at the moment waits until it has returned. */
KIT_TEST(cancel_waits_while_the_call_runs)
{
    struct worker worker;
    struct block block = BLOCK_INIT;
    start_worker(&worker);
    CHECK_OK(rondo_loop_call_soon_threadsafe(worker.loop, blocking_call, &block, kit_drop, &block.handle));
    kit_event_wait(&block.entered);
    pthread_t thread = kit_thread_start(cancel_there, &block);
    while (atomic_load(&block.tid) == 0)
        usleep(100);
    kit_wait_asleep(atomic_load(&block.tid));
    CHECK_EQ_INT(atomic_load(&block.cancelled), 0);
    kit_event_set(&block.leave);
    kit_thread_join(thread);
    CHECK_EQ_INT(rondo_handle_is_cancelled(block.handle), 1);
    sync_worker(&worker);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_handle_release(block.handle));
    end_worker(&worker);
}

static void cancel_itself(void *arg)
{
    struct block *block = arg;
    while (block->handle == NULL)
        usleep(100);
    CHECK_OK(rondo_handle_cancel(block->handle));
    CHECK_EQ_INT(rondo_handle_is_cancelled(block->handle), 1);
    CHECK_EQ_INT(kit_drops, 0);
    CHECK_OK(rondo_handle_release(block->handle));
    atomic_store(&block->done, 1);
}

/* F42: from inside its own call it does not wait for itself. */
KIT_TEST(cancel_inside_its_own_call)
{
    rondo_loop *loop = kit_loop();
    struct block block = BLOCK_INIT;
    CHECK_OK(rondo_loop_call_soon_threadsafe(loop, cancel_itself, &block, kit_drop, &block.handle));
    kit_pass(loop);
    CHECK_EQ_INT(block.done, 1);
    CHECK_EQ_INT(kit_drops, 1);
    kit_loop_end(loop);
}

KIT_TEST(cancel_after_it_ran)
{
    rondo_loop *loop = kit_loop();
    rondo_handle *handle = NULL;
    CHECK_OK(rondo_loop_call_soon_threadsafe(loop, kit_log_call, "ran", kit_drop, &handle));
    kit_pass(loop);
    kit_expect_log("ran");
    CHECK_OK(rondo_handle_cancel(handle));
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_handle_release(handle));
    CHECK_STATUS(rondo_handle_cancel(handle), RONDO_E_STALE_HANDLE);
    kit_loop_end(loop);
}

KIT_TEST(cancel_after_close)
{
    rondo_loop *loop = kit_loop();
    rondo_handle *handle = NULL;
    CHECK_OK(rondo_loop_call_soon_threadsafe(loop, kit_no_call, NULL, kit_drop, &handle));
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_handle_cancel(handle));
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_loop_release(loop));
    CHECK_OK(rondo_handle_release(handle));
}

struct cancels {
    rondo_loop *loop;
    atomic_int ran, dropped, cancelled_in_time;
    int posts;
};

static void cancels_run(void *arg)
{
    atomic_fetch_add(&((struct cancels *)arg)->ran, 1);
}

static void cancels_drop(void *arg)
{
    atomic_fetch_add(&((struct cancels *)arg)->dropped, 1);
}

static void *post_and_cancel(void *arg)
{
    struct cancels *cancels = arg;
    for (int i = 0; i < cancels->posts; i++) {
        rondo_handle *handle = NULL;
        CHECK_OK(rondo_loop_call_soon_threadsafe(cancels->loop, cancels_run, cancels, cancels_drop,
                                                 &handle));
        if (i % 2 == 0)
            CHECK_OK(rondo_handle_cancel(handle));
        CHECK_OK(rondo_handle_release(handle));
    }
    return NULL;
}

/* Cancels race with the loop that runs the calls: each call runs at most once and drops once. */
KIT_TEST_WITHIN(cancel_races_with_the_run, 30)
{
    struct worker worker;
    start_worker(&worker);
    struct cancels cancels = { .loop = worker.loop, .posts = kit_rounds(20000) };
    pthread_t first = kit_thread_start(post_and_cancel, &cancels);
    pthread_t second = kit_thread_start(post_and_cancel, &cancels);
    kit_thread_join(first);
    kit_thread_join(second);
    sync_worker(&worker);
    CHECK_EQ_INT(cancels.dropped, 2 * cancels.posts);
    CHECK(cancels.ran >= cancels.posts); /* the ones that nobody cancelled */
    CHECK(cancels.ran <= 2 * cancels.posts);
    end_worker(&worker);
}

/* ---- owners ---------------------------------------------------------------------------------- */

struct orphan {
    rondo_loop *loop;
    rondo_handle *handle;
    rondo_future *future;
};

static void make_orphan(void *arg)
{
    struct orphan *orphan = arg;
    CHECK_OK(rondo_loop_new(NULL, &orphan->loop));
    CHECK_OK(rondo_loop_call_soon(orphan->loop, kit_no_call, NULL, kit_drop, &orphan->handle));
    CHECK_OK(rondo_future_new(orphan->loop, &orphan->future));
}

/* F55: the owner ends while its loop lives: posts are refused, close from elsewhere works. */
KIT_TEST(owner_thread_ends)
{
    struct orphan orphan = { 0 };
    kit_in_thread(make_orphan, &orphan);
    CHECK_STATUS(rondo_loop_call_soon_threadsafe(orphan.loop, kit_no_call, NULL, kit_drop, NULL),
                 RONDO_E_OWNER_DEAD);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_STATUS(rondo_future_set_result_threadsafe(orphan.future, NULL, kit_drop), RONDO_E_OWNER_DEAD);
    CHECK_EQ_INT(kit_drops, 2);
    rondo_status status = rondo_loop_call_soon(orphan.loop, kit_no_call, NULL, kit_drop, NULL);
    CHECK(status == RONDO_E_WRONG_THREAD || status == RONDO_E_OWNER_DEAD);
    CHECK_EQ_INT(kit_drops, 3);
    CHECK_EQ_INT(rondo_loop_is_closed(orphan.loop), 0);
    CHECK_OK(rondo_loop_close(orphan.loop, NULL));
    CHECK_EQ_INT(kit_drops, 4);
    CHECK_OK(rondo_handle_release(orphan.handle));
    CHECK_OK(rondo_future_release(orphan.future));
    CHECK_OK(rondo_loop_release(orphan.loop));
}

static void make_orphan_with_work(void *arg)
{
    struct orphan *orphan = arg;
    CHECK_OK(rondo_loop_new(NULL, &orphan->loop));
    CHECK_OK(rondo_loop_call_soon(orphan->loop, kit_log_call, "inherited", kit_drop, NULL));
    CHECK_OK(rondo_loop_call_soon_threadsafe(orphan->loop, kit_log_call, "posted", kit_drop, NULL));
}

/* ... and another thread may run it and so take it over. */
KIT_TEST(orphan_is_taken_over)
{
    struct orphan orphan = { 0 };
    kit_in_thread(make_orphan_with_work, &orphan);
    CHECK_OK(rondo_loop_drive(orphan.loop, 0, 0, NULL));
    CHECK_OK(rondo_loop_drive(orphan.loop, 0, 0, NULL));
    kit_expect_log("inherited posted");
    CHECK_OK(rondo_loop_call_soon_threadsafe(orphan.loop, kit_log_call, "new", kit_drop, NULL));
    kit_pass(orphan.loop);
    kit_expect_log("new");
    CHECK_EQ_INT(kit_drops, 3);
    kit_loop_end(orphan.loop);
}

static void release_there(void *arg)
{
    CHECK_OK(rondo_future_release(arg));
}

/* The last release may come from any thread. */
KIT_TEST(release_from_another_thread)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL;
    CHECK_OK(rondo_future_new(loop, &future));
    CHECK_OK(rondo_future_set_result(future, NULL, kit_drop));
    kit_in_thread(release_there, future);
    kit_pass(loop);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_STATUS(rondo_future_release(future), RONDO_E_STALE_HANDLE);
    kit_loop_end(loop);
}

static void release_loop_there(void *arg)
{
    CHECK_OK(rondo_loop_release(arg));
}

/* The owner lives, so it may just use the loop: it closes it itself when it next comes by. */
KIT_TEST(loop_released_elsewhere)
{
    uint64_t live = rondo_debug_live();
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_call_soon(loop, kit_no_call, NULL, kit_drop, NULL));
    CHECK_OK(rondo_loop_call_later(loop, RONDO_NEVER, kit_no_call, NULL, kit_drop, NULL));
    kit_in_thread(release_loop_there, loop);
    rondo_loop *other = kit_loop();
    kit_pass(other);
    CHECK_EQ_INT(kit_drops, 2);
    CHECK_EQ_INT(rondo_loop_is_closed(loop), 1);
    kit_loop_end(other);
    CHECK_EQ_INT(rondo_debug_live(), live);
}

static void release_handles_there(void *arg)
{
    rondo_handle **handles = arg;
    for (int i = 0; i < 3; i++)
        CHECK_OK(rondo_handle_release(handles[i]));
}

/* What another thread lets go of after the close is settled when the closing thread comes by. */
KIT_TEST(handles_of_a_closed_loop_released_elsewhere)
{
    uint64_t live = rondo_debug_live();
    rondo_loop *loop = kit_loop();
    rondo_handle *handles[3] = { NULL };
    CHECK_OK(rondo_loop_call_soon(loop, kit_no_call, NULL, kit_drop, &handles[0]));
    CHECK_OK(rondo_loop_call_later(loop, RONDO_NEVER, kit_no_call, NULL, kit_drop, &handles[1]));
    CHECK_OK(rondo_loop_call_soon_threadsafe(loop, kit_no_call, NULL, kit_drop, &handles[2]));
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_EQ_INT(kit_drops, 3);
    kit_in_thread(release_handles_there, handles);
    CHECK_OK(rondo_loop_release(loop));
    CHECK_EQ_INT(rondo_debug_live(), live);
    CHECK_EQ_INT(kit_drops, 3);
}

static void begin_and_leave(void *arg)
{
    CHECK_OK(rondo_loop_begin(arg));
}

/* A thread that ends inside a run by hand ends the run. */
KIT_TEST(owner_ends_inside_a_run)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_call_soon(loop, kit_log_call, "later", NULL, NULL));
    kit_in_thread(begin_and_leave, loop);
    CHECK_EQ_INT(rondo_loop_is_running(loop), 0);
    CHECK_OK(rondo_loop_drive(loop, 0, 0, NULL));
    kit_expect_log("later");
    kit_loop_end(loop);
}

/* ---- futures from other threads -------------------------------------------------------------- */

static void *set_there(void *arg)
{
    CHECK_OK(rondo_future_set_result_threadsafe(arg, "value", NULL));
    return NULL;
}

KIT_TEST(set_result_threadsafe)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL;
    void *value = NULL;
    CHECK_OK(rondo_future_new(loop, &future));
    pthread_t thread = kit_thread_start(set_there, future);
    CHECK_OK(rondo_loop_run_until_complete(loop, future, NULL));
    kit_thread_join(thread);
    CHECK_OK(rondo_future_result(future, &value));
    CHECK_EQ_STR(value, "value");
    CHECK_OK(rondo_future_release(future));
    kit_loop_end(loop);
}

static void *fail_there(void *arg)
{
    CHECK_OK(rondo_future_set_exception_status_threadsafe(arg, -ENOENT, "open"));
    return NULL;
}

KIT_TEST(set_exception_status_threadsafe)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL;
    rondo_error *error = NULL;
    CHECK_OK(rondo_future_new(loop, &future));
    pthread_t thread = kit_thread_start(fail_there, future);
    CHECK_OK(rondo_loop_run_until_complete(loop, future, NULL));
    kit_thread_join(thread);
    CHECK_OK(rondo_future_exception(future, &error));
    CHECK_EQ_INT(rondo_error_get_status(error), -ENOENT);
    CHECK_EQ_STR(rondo_error_get_operation(error), "open");
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_future_set_exception_status_threadsafe(future, -EIO, NULL)); /* too late: comes to nothing */
    kit_pass(loop);
    CHECK_OK(rondo_future_exception(future, &error));
    CHECK_EQ_INT(rondo_error_get_status(error), -ENOENT);
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_STATUS(rondo_future_set_exception_status_threadsafe(future, -EIO, NULL), RONDO_E_LOOP_CLOSED);
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_loop_release(loop));
}

static void complete_three_ways(void *arg)
{
    rondo_error *error = kit_error(9, "nine");
    CHECK_OK(rondo_future_set_exception_threadsafe(arg, error));
    CHECK_OK(rondo_future_set_result_threadsafe(arg, NULL, kit_drop));
    CHECK_OK(rondo_future_cancel_threadsafe(arg, NULL, NULL));
    CHECK_OK(rondo_error_release(error));
}

/* The first wins; a late value is dropped. */
KIT_TEST(first_completion_wins)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL;
    rondo_error *error = NULL;
    CHECK_OK(rondo_future_new(loop, &future));
    kit_record_reports(loop);
    kit_in_thread(complete_three_ways, future);
    CHECK_EQ_INT(rondo_future_is_done(future), 0);
    CHECK_OK(rondo_loop_run_until_complete(loop, future, NULL));
    kit_pass(loop);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_future_exception(future, &error));
    CHECK_EQ_INT(rondo_error_get_code(error), 9);
    CHECK_OK(rondo_error_release(error));
    CHECK_EQ_INT(kit_reports(), 0);
    CHECK_OK(rondo_future_release(future));
    kit_loop_end(loop);
}

static void cancel_future_there(void *arg)
{
    CHECK_OK(rondo_future_cancel_threadsafe(arg, "from afar", NULL));
}

KIT_TEST(cancel_threadsafe)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL;
    rondo_error *error = NULL;
    CHECK_OK(rondo_future_new(loop, &future));
    kit_in_thread(cancel_future_there, future);
    CHECK_OK(rondo_loop_run_until_complete(loop, future, NULL));
    CHECK_STATUS(rondo_future_result(future, NULL), RONDO_E_CANCELLED);
    CHECK_OK(rondo_future_get_cancelled_error(future, &error));
    CHECK_EQ_STR(rondo_error_get_message(error), "from afar");
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_future_release(future));
    kit_loop_end(loop);
}

KIT_TEST(threadsafe_completion_of_a_closed_loop)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL;
    CHECK_OK(rondo_future_new(loop, &future));
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_STATUS(rondo_future_set_result_threadsafe(future, NULL, kit_drop), RONDO_E_LOOP_CLOSED);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_STATUS(rondo_future_cancel_threadsafe(future, NULL, NULL), RONDO_E_LOOP_CLOSED);
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_loop_release(loop));
}

/* Posted, then the loop closes before it ran: the value is dropped, the future stays pending. */
KIT_TEST(threadsafe_completion_then_close)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL;
    CHECK_OK(rondo_future_new(loop, &future));
    CHECK_OK(rondo_future_set_result_threadsafe(future, NULL, kit_drop));
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_EQ_INT(rondo_future_is_done(future), 0);
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_loop_release(loop));
}

/* ---- two loops ------------------------------------------------------------------------------- */

static void touch_foreign_future(void *arg)
{
    rondo_future *future = arg;
    int32_t state = 7;
    CHECK_STATUS(rondo_future_set_result(future, NULL, kit_drop), RONDO_E_WRONG_THREAD);
    CHECK_STATUS(rondo_future_cancel(future, NULL, NULL), RONDO_E_WRONG_THREAD);
    CHECK_STATUS(rondo_future_get_state(future, &state), RONDO_E_WRONG_THREAD);
    CHECK_STATUS(rondo_future_add_done_callback(future, kit_arg_future, NULL, kit_drop),
                 RONDO_E_WRONG_THREAD);
    CHECK_EQ_INT(state, 7);
}

static rondo_step await_foreign(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)sent;
    if (thrown == NULL)
        return rondo_coroutine_await(co, frame);
    kit_log("%s", rondo_status_name(rondo_error_get_status(thrown)));
    CHECK(strstr(rondo_error_get_message(thrown), "attached to a different loop") != NULL);
    return rondo_coroutine_return(co, NULL, NULL);
}

/* F56, F-15: a future belongs to one loop. */
KIT_TEST(futures_of_two_loops)
{
    rondo_loop *first = kit_loop(), *second = kit_loop();
    rondo_future *future = NULL, *out = NULL;
    rondo_coroutine *coroutine = NULL;
    CHECK_OK(rondo_future_new(first, &future));
    CHECK_STATUS(rondo_loop_run_until_complete(second, future, NULL), RONDO_E_WRONG_LOOP);
    CHECK_STATUS(rondo_ensure_future(second, future, &out), RONDO_E_WRONG_LOOP);
    CHECK_STATUS(rondo_shield(second, future, &out), RONDO_E_WRONG_LOOP);
    CHECK_OK(rondo_coroutine_new("c", await_foreign, future, NULL, &coroutine));
    CHECK_OK(rondo_loop_run_until_complete(second, coroutine, NULL));
    kit_expect_log("RONDO_E_WRONG_LOOP");
    kit_in_thread(touch_foreign_future, future);
    CHECK_EQ_INT(kit_drops, 2);
    CHECK_OK(rondo_future_release(future));
    kit_loop_end(first);
    kit_loop_end(second);
}

/* ---- run_coroutine_threadsafe ---------------------------------------------------------------- */

enum what { RETURN_VALUE, RAISE, WAIT, CANCEL_SELF, SLEEP_THEN_RETURN };

struct job {
    enum what what;
    struct kit_event started;
    atomic_int steps, ended, cancelled;
    rondo_thread_future *future;
    rondo_task *task;
};

static rondo_step job_step(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct job *job = frame;
    (void)sent;
    if (thrown != NULL) {
        atomic_store(&job->cancelled, rondo_error_get_code(thrown) == RONDO_E_CANCELLED);
        return rondo_coroutine_raise(co, thrown);
    }
    if (atomic_fetch_add(&job->steps, 1) == 1)
        return rondo_coroutine_return(co, "slept", NULL);
    kit_event_set(&job->started);
    switch (job->what) {
    case RETURN_VALUE:
        return rondo_coroutine_return(co, "value", kit_drop);
    case RAISE:
        return rondo_coroutine_raise_new(co, RONDO_DOMAIN_USER, 11, "eleven");
    case CANCEL_SELF:
        return rondo_coroutine_raise_new(co, RONDO_DOMAIN_RONDO, RONDO_E_CANCELLED, NULL);
    case SLEEP_THEN_RETURN:
        return rondo_coroutine_sleep(co, 2000000);
    default:
        return rondo_coroutine_sleep(co, 3600 * SECOND);
    }
}

static void job_end(void *arg)
{
    atomic_fetch_add(&((struct job *)arg)->ended, 1);
}

static void submit(struct worker *worker, struct job *job, enum what what)
{
    rondo_coroutine *coroutine = NULL;
    *job = (struct job){ .what = what, .started = KIT_EVENT_INIT };
    CHECK_OK(rondo_coroutine_new("job", job_step, job, job_end, &coroutine));
    CHECK_OK(rondo_loop_run_coroutine_threadsafe(worker->loop, coroutine, &job->future));
}

KIT_TEST(run_coroutine_result)
{
    struct worker worker;
    struct job job;
    void *value = NULL;
    rondo_error *error = (rondo_error *)&job;
    start_worker(&worker);
    submit(&worker, &job, RETURN_VALUE);
    CHECK_OK(rondo_thread_future_result(job.future, 10 * SECOND, &value));
    CHECK_EQ_STR(value, "value");
    CHECK_EQ_INT(rondo_thread_future_is_done(job.future), 1);
    CHECK_EQ_INT(rondo_thread_future_is_cancelled(job.future), 0);
    CHECK_OK(rondo_thread_future_exception(job.future, 0, &error));
    CHECK_EQ_PTR(error, NULL);
    CHECK_STATUS(rondo_thread_future_cancel(job.future), RONDO_E_INVALID_STATE);
    CHECK_STATUS(rondo_thread_future_set_result(job.future, NULL, NULL), RONDO_E_RUNTIME);
    sync_worker(&worker);
    CHECK_EQ_INT(job.ended, 1);
    CHECK_EQ_INT(kit_drops, 0); /* alive while the future is */
    CHECK_OK(rondo_thread_future_release(job.future));
    sync_worker(&worker);
    sync_worker(&worker);
    CHECK_EQ_INT(kit_drops, 1);
    end_worker(&worker);
}

KIT_TEST(run_coroutine_sleeps)
{
    struct worker worker;
    struct job job;
    void *value = NULL;
    start_worker(&worker);
    submit(&worker, &job, SLEEP_THEN_RETURN);
    CHECK_OK(rondo_thread_future_result(job.future, RONDO_NEVER, &value));
    CHECK_EQ_STR(value, "slept");
    CHECK_OK(rondo_thread_future_release(job.future));
    end_worker(&worker);
}

KIT_TEST(run_coroutine_exception)
{
    struct worker worker;
    struct job job;
    rondo_error *error = NULL;
    start_worker(&worker);
    submit(&worker, &job, RAISE);
    CHECK_STATUS(rondo_thread_future_result(job.future, 10 * SECOND, NULL), RONDO_E_RAISED);
    CHECK_OK(rondo_thread_future_exception(job.future, 0, &error));
    CHECK_EQ_INT(rondo_error_get_code(error), 11);
    CHECK_EQ_STR(rondo_error_get_message(error), "eleven");
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_thread_future_release(job.future));
    end_worker(&worker);
}

KIT_TEST(run_coroutine_timeout)
{
    struct worker worker;
    struct job job;
    void *value = &job;
    start_worker(&worker);
    submit(&worker, &job, WAIT);
    int64_t before = kit_now();
    CHECK_STATUS(rondo_thread_future_result(job.future, 0, &value), RONDO_E_TIMEOUT);
    CHECK_STATUS(rondo_thread_future_result(job.future, 3000000, &value), RONDO_E_TIMEOUT);
    CHECK(kit_now() >= before + 3000000);
    CHECK_STATUS(rondo_thread_future_result(job.future, -1, &value), -EINVAL);
    CHECK_STATUS(rondo_thread_future_exception(job.future, 0, NULL), RONDO_E_TIMEOUT);
    CHECK_EQ_PTR(value, &job);
    CHECK_EQ_INT(rondo_thread_future_is_done(job.future), 0); /* a timeout changes nothing */
    CHECK_OK(rondo_thread_future_cancel(job.future));
    sync_worker(&worker);
    sync_worker(&worker);
    CHECK_EQ_INT(job.ended, 1);
    CHECK_OK(rondo_thread_future_release(job.future));
    end_worker(&worker);
}

/* Cancelling the thread future cancels the task. */
KIT_TEST(run_coroutine_cancel_from_outside)
{
    struct worker worker;
    struct job job;
    start_worker(&worker);
    submit(&worker, &job, WAIT);
    kit_event_wait(&job.started);
    CHECK_OK(rondo_thread_future_cancel(job.future));
    CHECK_STATUS(rondo_thread_future_result(job.future, 10 * SECOND, NULL), RONDO_E_CANCELLED);
    CHECK_STATUS(rondo_thread_future_exception(job.future, 10 * SECOND, NULL), RONDO_E_CANCELLED);
    CHECK_EQ_INT(rondo_thread_future_is_cancelled(job.future), 1);
    for (int i = 0; i < 3; i++)
        sync_worker(&worker);
    CHECK_EQ_INT(job.cancelled, 1);
    CHECK_EQ_INT(job.ended, 1);
    CHECK_OK(rondo_thread_future_release(job.future));
    end_worker(&worker);
}

/* The task's cancellation arrives at the thread future. */
KIT_TEST(run_coroutine_cancel_from_inside)
{
    struct worker worker;
    struct job job;
    start_worker(&worker);
    submit(&worker, &job, CANCEL_SELF);
    CHECK_STATUS(rondo_thread_future_result(job.future, 10 * SECOND, NULL), RONDO_E_CANCELLED);
    CHECK_EQ_INT(rondo_thread_future_is_cancelled(job.future), 1);
    CHECK_OK(rondo_thread_future_release(job.future));
    end_worker(&worker);
}

/* Nobody keeps the thread future: the task runs on. */
KIT_TEST(run_coroutine_without_a_future)
{
    struct worker worker;
    struct job job = { .what = SLEEP_THEN_RETURN, .started = KIT_EVENT_INIT };
    rondo_coroutine *coroutine = NULL;
    start_worker(&worker);
    CHECK_OK(rondo_coroutine_new("job", job_step, &job, job_end, &coroutine));
    CHECK_OK(rondo_loop_run_coroutine_threadsafe(worker.loop, coroutine, NULL));
    while (atomic_load(&job.ended) == 0)
        usleep(200);
    CHECK_EQ_INT(job.steps, 2);
    end_worker(&worker);
}

static void result_on_the_loop(void *arg)
{
    struct job *job = arg;
    void *value = NULL;
    CHECK_STATUS(rondo_thread_future_result(job->future, RONDO_NEVER, &value), -EDEADLK);
    CHECK_STATUS(rondo_thread_future_exception(job->future, SECOND, NULL), -EDEADLK);
    CHECK_STATUS(rondo_thread_future_result(job->future, 0, &value), RONDO_E_TIMEOUT);
    atomic_store(&job->cancelled, 1);
}

/* Waiting on the loop's own thread is an error, not a deadlock; not waiting is fine. */
KIT_TEST(waiting_on_the_own_thread)
{
    struct worker worker;
    struct job job;
    start_worker(&worker);
    submit(&worker, &job, WAIT);
    kit_event_wait(&job.started);
    CHECK_OK(rondo_loop_call_soon_threadsafe(worker.loop, result_on_the_loop, &job, NULL, NULL));
    sync_worker(&worker);
    CHECK_EQ_INT(job.cancelled, 1);
    CHECK_OK(rondo_thread_future_cancel(job.future));
    for (int i = 0; i < 3; i++)
        sync_worker(&worker);
    CHECK_EQ_INT(job.ended, 1);
    CHECK_OK(rondo_thread_future_release(job.future));
    end_worker(&worker);
}

struct done {
    struct kit_event called;
    atomic_int calls;
    int32_t tid;
};

static void note_done(rondo_thread_future *future, void *arg)
{
    struct done *done = arg;
    CHECK_EQ_INT(rondo_thread_future_is_done(future), 1);
    atomic_fetch_add(&done->calls, 1);
    done->tid = kit_tid();
    kit_event_set(&done->called);
}

KIT_TEST(run_coroutine_done_callbacks)
{
    struct worker worker;
    struct job job;
    struct done before = { .called = KIT_EVENT_INIT }, after = { .called = KIT_EVENT_INIT };
    start_worker(&worker);
    submit(&worker, &job, SLEEP_THEN_RETURN);
    CHECK_OK(rondo_thread_future_add_done_callback(job.future, note_done, &before, kit_drop));
    kit_event_wait(&before.called);
    CHECK_EQ_INT(before.tid, worker.tid); /* in the thread that completes it */
    CHECK_OK(rondo_thread_future_add_done_callback(job.future, note_done, &after, kit_drop));
    CHECK_EQ_INT(after.calls, 1);
    CHECK_EQ_INT(after.tid, kit_tid()); /* here and now, as it is done */
    sync_worker(&worker);
    CHECK_EQ_INT(before.calls, 1);
    CHECK_EQ_INT(kit_drops, 2);
    CHECK_OK(rondo_thread_future_release(job.future));
    end_worker(&worker);
}

/* A loop that is closed refuses; the coroutine is closed and its frame dropped. */
KIT_TEST(run_coroutine_on_a_closed_loop)
{
    rondo_loop *loop = kit_loop();
    struct job job = { .what = WAIT, .started = KIT_EVENT_INIT };
    rondo_coroutine *coroutine = NULL;
    kit_catch_log();
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_OK(rondo_coroutine_new("job", job_step, &job, job_end, &coroutine));
    CHECK_STATUS(rondo_loop_run_coroutine_threadsafe(loop, coroutine, &job.future), RONDO_E_LOOP_CLOSED);
    CHECK_EQ_PTR(job.future, NULL);
    CHECK_EQ_INT(job.ended, 1);
    CHECK_EQ_INT(job.steps, 0);
    CHECK_OK(rondo_loop_release(loop));
}

static void *wait_for_result(void *arg)
{
    struct job *job = arg;
    atomic_store(&job->steps, kit_tid());
    rondo_status status = rondo_thread_future_result(job->future, RONDO_NEVER, NULL);
    CHECK(status == RONDO_E_CANCELLED || status == RONDO_E_RAISED);
    return NULL;
}

/* The loop closes while somebody waits: the wait ends. */
KIT_TEST(loop_closes_while_somebody_waits)
{
    rondo_loop *loop = kit_loop();
    struct job job = { .what = WAIT, .started = KIT_EVENT_INIT };
    rondo_coroutine *coroutine = NULL;
    kit_record_reports(loop);
    CHECK_OK(rondo_coroutine_new("job", job_step, &job, job_end, &coroutine));
    CHECK_OK(rondo_loop_run_coroutine_threadsafe(loop, coroutine, &job.future));
    kit_pass(loop);
    kit_pass(loop);
    CHECK_EQ_INT(job.steps, 1);
    atomic_store(&job.steps, 0);
    pthread_t thread = kit_thread_start(wait_for_result, &job);
    while (atomic_load(&job.steps) == 0)
        usleep(100);
    kit_wait_asleep(atomic_load(&job.steps));
    CHECK_OK(rondo_loop_close(loop, NULL));
    kit_thread_join(thread);
    CHECK_EQ_INT(job.ended, 1);
    CHECK_OK(rondo_thread_future_release(job.future));
    CHECK_OK(rondo_loop_release(loop));
}

/* ... also when its coroutine had not even become a task. */
KIT_TEST(loop_closes_before_the_coroutine_starts)
{
    rondo_loop *loop = kit_loop();
    struct job job = { .what = WAIT, .started = KIT_EVENT_INIT };
    rondo_coroutine *coroutine = NULL;
    kit_catch_log();
    CHECK_OK(rondo_coroutine_new("job", job_step, &job, job_end, &coroutine));
    CHECK_OK(rondo_loop_run_coroutine_threadsafe(loop, coroutine, &job.future));
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_EQ_INT(job.ended, 1);
    CHECK_EQ_INT(job.steps, 0);
    rondo_status status = rondo_thread_future_result(job.future, SECOND, NULL);
    CHECK(status == RONDO_E_CANCELLED || status == RONDO_E_RAISED);
    CHECK_OK(rondo_thread_future_release(job.future));
    CHECK_OK(rondo_loop_release(loop));
}

static void *submit_many(void *arg)
{
    struct worker *worker = arg;
    for (int i = 0; i < kit_rounds(500); i++) {
        struct job job;
        submit(worker, &job, i % 3 == 0 ? WAIT : i % 3 == 1 ? RETURN_VALUE : RAISE);
        if (i % 3 == 0)
            CHECK_OK(rondo_thread_future_cancel(job.future));
        rondo_status status = rondo_thread_future_result(job.future, 10 * SECOND, NULL);
        CHECK_STATUS(status, i % 3 == 0 ? RONDO_E_CANCELLED : i % 3 == 1 ? RONDO_OK : RONDO_E_RAISED);
        CHECK_OK(rondo_thread_future_release(job.future));
        while (atomic_load(&job.ended) == 0) /* the frame is on this stack */
            usleep(50);
    }
    return NULL;
}

KIT_TEST_WITHIN(run_coroutine_from_many_threads, 30)
{
    struct worker worker;
    pthread_t threads[4];
    kit_catch_log();
    start_worker(&worker);
    for (int i = 0; i < 4; i++)
        threads[i] = kit_thread_start(submit_many, &worker);
    for (int i = 0; i < 4; i++)
        kit_thread_join(threads[i]);
    end_worker(&worker);
}

/* ---- thread futures of one's own, wrap_future ------------------------------------------------ */

static void *complete_there(void *arg)
{
    kit_wait_asleep((int32_t)getpid()); /* the main thread, that waits */
    CHECK_OK(rondo_thread_future_set_result(arg, "mine", kit_drop));
    return NULL;
}

KIT_TEST(thread_future_by_hand)
{
    rondo_thread_future *future = NULL;
    rondo_error *error = kit_error(4, NULL);
    struct done done = { .called = KIT_EVENT_INIT };
    void *value = NULL;
    CHECK_OK(rondo_thread_future_new(&future));
    CHECK_OK(rondo_thread_future_add_done_callback(future, note_done, &done, kit_drop));
    CHECK_STATUS(rondo_thread_future_result(future, 0, NULL), RONDO_E_TIMEOUT);
    pthread_t thread = kit_thread_start(complete_there, future);
    CHECK_OK(rondo_thread_future_result(future, RONDO_NEVER, &value));
    CHECK_EQ_STR(value, "mine");
    kit_thread_join(thread);
    CHECK_EQ_INT(done.calls, 1);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_STATUS(rondo_thread_future_set_result(future, NULL, kit_drop), RONDO_E_INVALID_STATE);
    CHECK_EQ_INT(kit_drops, 2);
    CHECK_STATUS(rondo_thread_future_set_exception(future, error), RONDO_E_INVALID_STATE);
    CHECK_OK(rondo_thread_future_release(future));
    CHECK_EQ_INT(kit_drops, 3);
    CHECK_OK(rondo_error_release(error));
}

KIT_TEST(thread_future_cancel_and_exception)
{
    rondo_thread_future *future = NULL;
    rondo_error *error = kit_error(4, NULL), *read = NULL;
    struct done done = { .called = KIT_EVENT_INIT };
    CHECK_OK(rondo_thread_future_new(&future));
    CHECK_OK(rondo_thread_future_add_done_callback(future, note_done, &done, NULL));
    CHECK_OK(rondo_thread_future_cancel(future));
    CHECK_EQ_INT(done.calls, 1);
    CHECK_STATUS(rondo_thread_future_cancel(future), RONDO_E_INVALID_STATE);
    CHECK_STATUS(rondo_thread_future_result(future, 0, NULL), RONDO_E_CANCELLED);
    CHECK_STATUS(rondo_thread_future_set_result(future, NULL, NULL), RONDO_E_INVALID_STATE);
    CHECK_OK(rondo_thread_future_release(future));
    CHECK_OK(rondo_thread_future_new(&future));
    CHECK_OK(rondo_thread_future_set_exception(future, error));
    CHECK_STATUS(rondo_thread_future_result(future, 0, NULL), RONDO_E_RAISED);
    CHECK_OK(rondo_thread_future_exception(future, 0, &read));
    CHECK_EQ_INT(rondo_error_get_code(read), 4);
    CHECK_OK(rondo_error_release(read));
    CHECK_OK(rondo_thread_future_release(future));
    CHECK_OK(rondo_error_release(error));
}

static void set_thread_future(void *arg)
{
    CHECK_OK(rondo_thread_future_set_result(arg, "wrapped", NULL));
}

KIT_TEST(wrap_future_brings_the_result)
{
    rondo_loop *loop = kit_loop();
    rondo_thread_future *thread_future = NULL;
    rondo_future *future = NULL;
    void *value = NULL;
    CHECK_OK(rondo_thread_future_new(&thread_future));
    CHECK_OK(rondo_wrap_future(loop, thread_future, &future));
    kit_in_thread(set_thread_future, thread_future);
    CHECK_OK(rondo_loop_run_until_complete(loop, future, NULL));
    CHECK_OK(rondo_future_result(future, &value));
    CHECK_EQ_STR(value, "wrapped");
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_thread_future_release(thread_future));
    kit_loop_end(loop);
}

/* F-16: cancelling the loop's side cancels the thread future. */
KIT_TEST(wrap_future_cancel)
{
    rondo_loop *loop = kit_loop();
    rondo_thread_future *thread_future = NULL;
    rondo_future *future = NULL;
    CHECK_OK(rondo_thread_future_new(&thread_future));
    CHECK_OK(rondo_wrap_future(loop, thread_future, &future));
    CHECK_OK(rondo_future_cancel(future, NULL, NULL));
    kit_pass(loop);
    CHECK_EQ_INT(rondo_thread_future_is_cancelled(thread_future), 1);
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_thread_future_release(thread_future));
    kit_pass(loop);
    kit_loop_end(loop);
}

/* F-16: finished with 42 it keeps 42, while the loop's side is cancelled. */
KIT_TEST(wrap_future_cancel_too_late)
{
    rondo_loop *loop = kit_loop();
    rondo_thread_future *thread_future = NULL;
    rondo_future *future = NULL;
    void *value = NULL;
    CHECK_OK(rondo_thread_future_new(&thread_future));
    CHECK_OK(rondo_wrap_future(loop, thread_future, &future));
    CHECK_OK(rondo_thread_future_set_result(thread_future, "42", NULL));
    CHECK_OK(rondo_future_cancel(future, NULL, NULL));
    kit_pass(loop);
    kit_pass(loop);
    CHECK_EQ_INT(rondo_future_is_cancelled(future), 1);
    CHECK_OK(rondo_thread_future_result(thread_future, 0, &value));
    CHECK_EQ_STR(value, "42");
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_thread_future_release(thread_future));
    kit_loop_end(loop);
}

KIT_TEST(wrap_future_that_is_done)
{
    rondo_loop *loop = kit_loop();
    rondo_thread_future *thread_future = NULL;
    rondo_future *future = NULL;
    rondo_error *error = kit_error(6, NULL), *read = NULL;
    CHECK_OK(rondo_thread_future_new(&thread_future));
    CHECK_OK(rondo_thread_future_set_exception(thread_future, error));
    CHECK_OK(rondo_wrap_future(loop, thread_future, &future));
    CHECK_OK(rondo_loop_run_until_complete(loop, future, NULL));
    CHECK_OK(rondo_future_exception(future, &read));
    CHECK_EQ_INT(rondo_error_get_code(read), 6);
    CHECK_OK(rondo_error_release(read));
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_thread_future_release(thread_future));
    kit_loop_end(loop);
}

/* ---- all_tasks from another thread (K-10) ---------------------------------------------------- */

KIT_TEST(all_tasks_from_another_thread)
{
    struct worker worker;
    struct job jobs[5];
    rondo_task *tasks[8] = { 0 };
    size_t count = 0;
    start_worker(&worker);
    for (int i = 0; i < 5; i++)
        submit(&worker, &jobs[i], WAIT);
    for (int i = 0; i < 5; i++)
        kit_event_wait(&jobs[i].started);
    CHECK_OK(rondo_all_tasks(worker.loop, tasks, 8, &count));
    CHECK_EQ_INT(count, 5);
    for (int i = 0; i < 5; i++) {
        CHECK(tasks[i] != NULL);
        CHECK_OK(rondo_task_release(tasks[i]));
        CHECK_OK(rondo_thread_future_cancel(jobs[i].future));
        CHECK_OK(rondo_thread_future_release(jobs[i].future));
    }
    for (int i = 0; i < 3; i++)
        sync_worker(&worker);
    CHECK_OK(rondo_all_tasks(worker.loop, NULL, 0, &count));
    CHECK_EQ_INT(count, 0);
    end_worker(&worker);
}
