/*
 * The limit of cross-thread ping-pong: two threads, two eventfds, a blocking read and a write each.
 * There is no queue and no poll; a loop that also watches descriptors has a system call more to make.
 */
#include "../bench.h"

#include <sys/eventfd.h>

static int there, here, processor_there;
static long round_trips;

static void send_to(int fd)
{
    uint64_t one = 1;

    BENCH_CHECK(write(fd, &one, sizeof one) == sizeof one);
}

static void receive(int fd)
{
    uint64_t count;

    BENCH_CHECK(read(fd, &count, sizeof count) == sizeof count);
}

static void *return_all(void *arg)
{
    long i;

    (void)arg;
    bench_pin(processor_there);
    for (i = 0; i < round_trips; i++) {
        receive(there);
        send_to(here);
    }
    return NULL;
}

static int compare_samples(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int64_t *samples;
    pthread_t thread;
    long i;

    round_trips = bench_count(argc, argv);
    if (!bench_is(argv, "pingpong") && !bench_is(argv, "pingpong1"))
        return bench_unknown(argv);
    processor_there = bench_is(argv, "pingpong");
    samples = calloc((size_t)round_trips, sizeof *samples);
    there = eventfd(0, EFD_CLOEXEC);
    here = eventfd(0, EFD_CLOEXEC);
    BENCH_CHECK(samples != NULL && there >= 0 && here >= 0);
    bench_pin(0);
    BENCH_CHECK(pthread_create(&thread, NULL, return_all, NULL) == 0);
    for (i = 0; i < round_trips; i++) {
        int64_t start = bench_now();
        send_to(there);
        receive(here);
        samples[i] = bench_now() - start;
    }
    pthread_join(thread, NULL);
    qsort(samples, (size_t)round_trips, sizeof *samples, compare_samples);
    return bench_report((double)samples[round_trips / 2]);
}
