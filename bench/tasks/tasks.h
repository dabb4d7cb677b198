/*
 * tasks.h - the works of this folder. A loop here runs coroutines only: nobody watches descriptors.
 *
 * await: two coroutines take turns. The one whose turn it is makes a future, completes the one that
 *        the other awaits, and awaits its own. Every wake-up goes through the loop's queue, as in
 *        asyncio; every future is an object of its own that both sides can outlive. Nanoseconds per
 *        turn: one future made, one completed, one awaited, one coroutine switched to.
 * spawn: COUNT coroutines are started, yield once and finish, 1,000 alive at a time. Starting means
 *        scheduling: the first step runs in a later pass. Each has a frame of its own on the heap.
 *        Nanoseconds per coroutine.
 * bytes: COUNT coroutines are started and all wait for one future. Resident memory that this added,
 *        per coroutine. Then the future is completed and each must have finished.
 */
#ifndef BENCH_TASKS_H
#define BENCH_TASKS_H

#include "../bench.h"

#define ALIVE 1000

/** What "await" and "spawn" do: run the work twice, the second time on the clock. */
static inline int tasks_measure(void (*work)(long count), long count)
{
    int64_t start;

    work(count / 10 + ALIVE);
    start = bench_work_now();
    work(count);
    return bench_report((double)(bench_work_now() - start) / (double)count);
}

/** What "bytes" does: suspend count coroutines, weigh them, wake them. */
static inline int tasks_weigh(void (*suspend)(long count), void (*wake)(void), long count)
{
    long before = bench_resident_bytes(), bytes;

    suspend(count);
    bytes = bench_resident_bytes() - before;
    wake();
    return bench_report((double)bytes / (double)count);
}

#endif
