/*
 * executor.h - the work of this folder, done with whatever a contestant has for "run this in another
 * thread and tell the loop".
 *
 * jobs:   1,000 jobs that do nothing are handed in at once, from the loop; when the loop has been told
 *         of the last of them the next thousand follow, until COUNT are done. Nanoseconds per job.
 * single: one job at a time: the loop is told, and hands the next one in. Nanoseconds per job.
 *
 * Everybody has four threads. A contestant includes this file and defines the functions below.
 */
#ifndef BENCH_EXECUTOR_H
#define BENCH_EXECUTOR_H

#include "../bench.h"

#define WORKERS 4
#define BATCH 1000

/** Make the loop and the threads. */
static void pool_open(void);
/** Hand in job number `index` of the batch; in the loop's thread. */
static void pool_submit(int index);
/** Run the loop until pool_stop(). */
static void pool_run(void);
static void pool_stop(void);

static struct {
    long left;
    int waiting, batch;
    long ran[BATCH]; /* one for each job of a batch, so that threads do not share it */
} bench;

/* What a job does, in whatever thread. */
static inline void bench_job(int index)
{
    bench.ran[index]++;
}

static void next_batch(void)
{
    int i, count = bench.left < bench.batch ? (int)bench.left : bench.batch;

    bench.left -= count;
    bench.waiting = count;
    for (i = 0; i < count; i++)
        pool_submit(i);
}

/* The loop has been told of a job; in its thread. */
static inline void bench_job_done(void)
{
    if (--bench.waiting > 0)
        return;
    if (bench.left > 0)
        next_batch();
    else
        pool_stop();
}

static int64_t go_once(long count, int batch)
{
    int64_t start = bench_now();
    long ran = 0;
    int i;

    bench.left = count;
    bench.batch = batch;
    memset(bench.ran, 0, sizeof bench.ran);
    next_batch();
    pool_run();
    start = bench_now() - start;
    for (i = 0; i < BATCH; i++)
        ran += bench.ran[i];
    BENCH_CHECK(ran == count);
    return start;
}

int main(int argc, char **argv)
{
    long count = bench_count(argc, argv);
    int batch = bench_is(argv, "jobs") ? BATCH : bench_is(argv, "single") ? 1 : 0;

    if (batch == 0)
        return bench_unknown(argv);
    pool_open();
    go_once(count / 10 + 1, batch);
    return bench_report((double)go_once(count, batch) / (double)count);
}

#endif
