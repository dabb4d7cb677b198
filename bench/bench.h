/*
 * bench.h - what every benchmark program needs: a clock, its two arguments, one number as its answer.
 *
 * A program is called as PROGRAM WORK COUNT and prints a single number, so that the runner can stay
 * small. Whatever fails ends it: a benchmark that goes on after an error measures the error.
 */
#ifndef BENCH_H
#define BENCH_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/** End the program unless ok; unlike assert() it is there in every build, and its side effects too. */
#define BENCH_CHECK(ok)                                                                            \
    do {                                                                                           \
        if (!(ok)) {                                                                               \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #ok);                       \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static inline int64_t bench_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline int64_t bench_now(void)
{
    return bench_clock(CLOCK_MONOTONIC);
}

/**
 * For work that one thread does without sleeping: the time that this process had a processor. On a
 * quiet machine it is the same as bench_now(), on a busy one it leaves out the turns of the others.
 */
static inline int64_t bench_work_now(void)
{
    return bench_clock(CLOCK_PROCESS_CPUTIME_ID);
}

/** xorshift64*: the same numbers for every contestant, and cheap beside what is measured. */
static inline uint64_t bench_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dull;
}

static inline int bench_is(char **argv, const char *work)
{
    return strcmp(argv[1], work) == 0;
}

static inline long bench_count(int argc, char **argv)
{
    long count;

    if (argc != 3 || (count = atol(argv[2])) <= 0) {
        fprintf(stderr, "usage: %s WORK COUNT\n", argv[0]);
        exit(2);
    }
    return count;
}

static inline int bench_unknown(char **argv)
{
    fprintf(stderr, "%s does not do %s\n", argv[0], argv[1]);
    return 2;
}

static inline int bench_report(double value)
{
    printf("%.3f\n", value);
    return 0;
}

/** Memory of this process that is really there. */
static inline long bench_resident_bytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    BENCH_CHECK(file != NULL && fscanf(file, "%*s %ld", &pages) == 1);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

/**
 * Keep the calling thread on one processor, counted from 0 among those the process was given: two
 * threads that the kernel puts on one processor in one run and on two in the next cannot be compared.
 */
static inline void bench_pin(int number)
{
    static cpu_set_t allowed;
    static int read_already;
    cpu_set_t mine;
    int cpu, left;

    if (!read_already) {
        BENCH_CHECK(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
        read_already = 1;
    }
    left = number % CPU_COUNT(&allowed);
    for (cpu = 0; !CPU_ISSET(cpu, &allowed) || left-- > 0; cpu++)
        continue;
    CPU_ZERO(&mine);
    CPU_SET(cpu, &mine);
    BENCH_CHECK(pthread_setaffinity_np(pthread_self(), sizeof mine, &mine) == 0);
}

#endif
