/*
 * threads.h - the works of this folder, done with whatever a contestant has for "run this over there".
 *
 * posts1, posts2: one or two threads post COUNT calls in all, as fast as they can, to a loop in a
 *         third. Each call counts itself in the loop's thread. Nanoseconds per call, from the start
 *         signal until the last call has run.
 * pingpong: two loops in two threads on two processors post to each other, one call at a time; both
 *         sleep in between. The median of COUNT round trips, in nanoseconds.
 * pingpong1: the same with both threads on one processor, where nothing has to be woken from idling.
 *
 * A contestant includes this file and defines struct loop and the functions below.
 */
#ifndef BENCH_THREADS_H
#define BENCH_THREADS_H

#include "../bench.h"

#define PRODUCERS_MAX 2

typedef void (*call_fn)(void *arg);

struct loop;
/** Make a loop; the thread that does is the one that runs it. */
static struct loop *loop_make(void);
/** Run fn(arg) once in the loop's thread; from any thread. */
static void loop_post(struct loop *loop, call_fn fn, void *arg);
/** Run until loop_end() is called. */
static void loop_run(struct loop *loop);
/** Make loop_run() return; from a call in the loop's thread. */
static void loop_end(struct loop *loop);

static pthread_barrier_t start_line;

/* ---- posts --------------------------------------------------------------------------------- */

struct count_down {
    struct loop *loop;
    long left;
};

struct producer {
    pthread_t thread;
    struct count_down *target;
    long count;
};

static void one_less(void *arg)
{
    struct count_down *target = (struct count_down *)arg;

    if (--target->left == 0)
        loop_end(target->loop);
}

static void *produce(void *arg)
{
    struct producer *self = (struct producer *)arg;
    long i;

    pthread_barrier_wait(&start_line);
    for (i = 0; i < self->count; i++)
        loop_post(self->target->loop, one_less, self->target);
    return NULL;
}

static int64_t post_once(struct loop *loop, int producers, long count)
{
    struct count_down target = { loop, count };
    struct producer all[PRODUCERS_MAX];
    int64_t start;
    int i;

    BENCH_CHECK(pthread_barrier_init(&start_line, NULL, (unsigned)producers + 1) == 0);
    for (i = 0; i < producers; i++) {
        all[i].target = &target;
        all[i].count = count / producers;
        BENCH_CHECK(pthread_create(&all[i].thread, NULL, produce, &all[i]) == 0);
    }
    target.left = count / producers * producers;
    pthread_barrier_wait(&start_line);
    start = bench_now();
    loop_run(loop);
    start = bench_now() - start;
    for (i = 0; i < producers; i++)
        pthread_join(all[i].thread, NULL);
    pthread_barrier_destroy(&start_line);
    return start;
}

static int measure_posts(int producers, long count)
{
    struct loop *loop = loop_make();

    post_once(loop, producers, count / 10 + producers);
    return bench_report((double)post_once(loop, producers, count) / (double)count);
}

/* ---- ping-pong ----------------------------------------------------------------------------- */

static struct {
    struct loop *here, *there;
    int64_t *samples, start;
    long count, taken;
    int processor_there;
} match;

static void end_there(void *arg)
{
    loop_end((struct loop *)arg);
}

static void pong(void *arg);

static void ping(void *arg)
{
    (void)arg;
    loop_post(match.here, pong, NULL);
}

static void serve(void)
{
    match.start = bench_now();
    loop_post(match.there, ping, NULL);
}

static void first_serve(void *arg)
{
    (void)arg;
    serve();
}

static void pong(void *arg)
{
    (void)arg;
    match.samples[match.taken++] = bench_now() - match.start;
    if (match.taken < match.count) {
        serve();
    } else {
        loop_post(match.there, end_there, match.there);
        loop_end(match.here);
    }
}

static void *run_there(void *arg)
{
    (void)arg;
    bench_pin(match.processor_there);
    match.there = loop_make();
    pthread_barrier_wait(&start_line);
    loop_run(match.there);
    return NULL;
}

static int compare_samples(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int measure_ping_pong(long count, int processor_there)
{
    pthread_t thread;

    match.processor_there = processor_there;
    match.count = count;
    match.samples = (int64_t *)calloc((size_t)count, sizeof *match.samples);
    BENCH_CHECK(match.samples != NULL && pthread_barrier_init(&start_line, NULL, 2) == 0);
    bench_pin(0);
    match.here = loop_make();
    BENCH_CHECK(pthread_create(&thread, NULL, run_there, NULL) == 0);
    pthread_barrier_wait(&start_line);
    loop_post(match.here, first_serve, NULL);
    loop_run(match.here);
    pthread_join(thread, NULL);
    qsort(match.samples, (size_t)count, sizeof *match.samples, compare_samples);
    return bench_report((double)match.samples[count / 2]);
}

int main(int argc, char **argv)
{
    long count = bench_count(argc, argv);

    if (bench_is(argv, "posts1"))
        return measure_posts(1, count);
    if (bench_is(argv, "posts2"))
        return measure_posts(2, count);
    if (bench_is(argv, "pingpong"))
        return measure_ping_pong(count, 1);
    if (bench_is(argv, "pingpong1"))
        return measure_ping_pong(count, 0);
    return bench_unknown(argv);
}

#endif
