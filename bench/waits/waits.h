/*
 * waits.h - the works of this folder: what tasks wait for one another with. One thread, no sleeping.
 *
 * lock:      two tasks want one lock, COUNT times in all. Who has it keeps it for a pass of the loop
 *            and hands it over, so that every acquisition but the first waits. Nanoseconds per acquisition.
 * semaphore: the same with eight tasks and four units.
 * queue:     one task puts COUNT items into a queue with room for one, another gets them. Nanoseconds
 *            per item.
 * group:     COUNT children in groups of 1,000: each yields once, the group waits for all of its own.
 *            Nanoseconds per child.
 * gather:    the same with gather: the 1,000 results in order.
 * timeout:   COUNT parts under a timeout of ten seconds, entered and left at once. Nanoseconds per part.
 */
#ifndef BENCH_WAITS_H
#define BENCH_WAITS_H

#include "../bench.h"

#define CHILDREN 1000
#define LOCKERS 2
#define USERS 8
#define UNITS 4
#define TIMEOUT_NS INT64_C(10000000000)

/** Run the work twice, the second time on the clock. */
static inline int waits_measure(void (*work)(long count), long count)
{
    int64_t start;

    work(count / 10 + CHILDREN);
    start = bench_work_now();
    work(count);
    return bench_report((double)(bench_work_now() - start) / (double)count);
}

#endif
