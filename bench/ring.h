/*
 * ring.h - the limit for every "call this soon": a growing ring of function pointers, nothing else.
 *
 * No cancelling, no dropping of arguments, no context, no checks, and the compiler sees both ends,
 * unless RING_ELSEWHERE says that a library has the two functions that do the work.
 */
#ifndef BENCH_RING_H
#define BENCH_RING_H

#include "bench.h"

#ifndef RING_API
#define RING_API static inline
#endif

struct ring_call {
    void (*fn)(void *arg);
    void *arg;
};

struct ring {
    struct ring_call *calls;
    size_t head, tail, mask;
};

static inline void ring_init(struct ring *ring)
{
    ring->head = ring->tail = 0;
    ring->mask = 63;
    ring->calls = (struct ring_call *)malloc((ring->mask + 1) * sizeof *ring->calls);
    BENCH_CHECK(ring->calls != NULL);
}

#ifdef RING_ELSEWHERE
void ring_push(struct ring *ring, void (*fn)(void *), void *arg);
void ring_run_pass(struct ring *ring);
#else
/** Double a ring that is full; it is rolled out so that the oldest call comes first. */
static __attribute__((noinline)) void ring_grow(struct ring *ring)
{
    size_t count = ring->mask + 1, first = ring->head & ring->mask, i;
    struct ring_call *calls = (struct ring_call *)malloc(2 * count * sizeof *calls);

    BENCH_CHECK(calls != NULL);
    for (i = 0; i < count; i++)
        calls[i] = ring->calls[(first + i) & ring->mask];
    free(ring->calls);
    ring->calls = calls;
    ring->head = 0;
    ring->tail = count;
    ring->mask = 2 * count - 1;
}

RING_API void ring_push(struct ring *ring, void (*fn)(void *), void *arg)
{
    struct ring_call *call;

    if (ring->tail - ring->head > ring->mask)
        ring_grow(ring);
    call = &ring->calls[ring->tail++ & ring->mask];
    call->fn = fn;
    call->arg = arg;
}

/** One pass as in asyncio: the calls that are there now, not those that they schedule. */
RING_API void ring_run_pass(struct ring *ring)
{
    size_t left = ring->tail - ring->head;

    for (; left > 0; left--) {
        struct ring_call call = ring->calls[ring->head++ & ring->mask];
        call.fn(call.arg);
    }
}
#endif

static inline int ring_is_empty(const struct ring *ring)
{
    return ring->head == ring->tail;
}

#endif
