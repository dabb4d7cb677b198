/*
 * calls.h - the two works of this folder.
 *
 * batch: 1,000 calls that do nothing are scheduled, one pass of the loop runs them, again and again.
 *        Where the library's order allows it the last call of a batch schedules the next batch, so
 *        the loop never stops, as in a program; where it does not, the loop is told to make one pass.
 * chain: a call schedules the next, which schedules the next: one call alive at any time.
 *
 * The answer is nanoseconds per call.
 */
#ifndef BENCH_CALLS_H
#define BENCH_CALLS_H

#include "../bench.h"

#define BATCH 1000

/** Run work(count) twice, the second time on the clock: caches, rings and pages are warm then. */
static inline int calls_measure(void (*work)(long count), long count)
{
    int64_t start;

    work(count / 10 + BATCH);
    start = bench_work_now();
    work(count);
    return bench_report((double)(bench_work_now() - start) / (double)count);
}

#endif
