/*
 * foreign.h - the two works of this folder.
 *
 * typed: 1,000 calls with three arguments are scheduled and one pass runs them, again and again.
 * completer: 1,000 futures exist; the time is that of completing them from another thread, and of the
 *         pass that brings it to the futures.
 *
 * A contestant includes this file and defines the functions below.
 */
#ifndef BENCH_FOREIGN_H
#define BENCH_FOREIGN_H

#include "../bench.h"

#include <rondo.h>

#define BATCH 1000

/** Schedule one call. */
static void schedule(rondo_loop *loop, void *target, int32_t number, double half);
/** Get ready to complete this future. */
static void prepare(int index, rondo_future *future);
/** Complete it, from any thread, with this number. */
static void complete(int index, rondo_future *future, int32_t number);
/** Tidy up. */
static void finish(int index);

static rondo_future *futures[BATCH];

static void pass(rondo_loop *loop)
{
    BENCH_CHECK(rondo_loop_stop(loop) == RONDO_OK);
    BENCH_CHECK(rondo_loop_run_forever(loop) == RONDO_OK);
}

static void typed(rondo_loop *loop, long count)
{
    int64_t total = 0;
    for (long done = 0; done < count; done += BATCH) {
        for (int i = 0; i < BATCH; i++)
            schedule(loop, &total, i, 0.5);
        pass(loop);
    }
}

static void *complete_all(void *arg)
{
    int64_t start = bench_now();
    for (int i = 0; i < BATCH; i++)
        complete(i, futures[i], i);
    *(int64_t *)arg += bench_now() - start;
    return NULL;
}

static int64_t completer(rondo_loop *loop, long count)
{
    int64_t total = 0;
    for (long done = 0; done < count; done += BATCH) {
        pthread_t thread;
        for (int i = 0; i < BATCH; i++) {
            BENCH_CHECK(rondo_future_new(loop, &futures[i]) == RONDO_OK);
            prepare(i, futures[i]);
        }
        BENCH_CHECK(pthread_create(&thread, NULL, complete_all, &total) == 0);
        pthread_join(thread, NULL);
        int64_t start = bench_now();
        pass(loop);
        total += bench_now() - start;
        for (int i = 0; i < BATCH; i++) {
            BENCH_CHECK(rondo_future_is_done(futures[i]));
            finish(i);
            BENCH_CHECK(rondo_future_release(futures[i]) == RONDO_OK);
        }
    }
    return total;
}

int main(int argc, char **argv)
{
    long count = bench_count(argc, argv);
    rondo_loop *loop;

    BENCH_CHECK(rondo_loop_new(NULL, &loop) == RONDO_OK);
    if (bench_is(argv, "typed")) {
        typed(loop, count / 10 + BATCH);
        int64_t start = bench_work_now();
        typed(loop, count);
        return bench_report((double)(bench_work_now() - start) / (double)count);
    }
    if (bench_is(argv, "completer")) {
        completer(loop, count / 10 + BATCH);
        return bench_report((double)completer(loop, count) / (double)count);
    }
    return bench_unknown(argv);
}

#endif
