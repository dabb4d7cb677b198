/*
 * A limit for timers: a four-ary heap written for this benchmark, with no loop around it.
 *
 * It keeps rondo's promise: earliest first, equal deadlines in the order of starting. Entries of 16
 * bytes hold all that comparing needs, and four children share a cache line.
 */
#include "timers.h"

struct entry {
    int64_t when;
    uint32_t order; /* breaks ties */
    uint32_t timer;
};

struct timer {
    void (*fn)(void *arg);
    void *arg;
    uint32_t place; /* in the heap */
};

static struct entry *heap;
static struct timer *timers;
static uint32_t heap_count, last_order;
static int64_t now;

static void on_timer(void *arg)
{
    (void)arg;
    fired();
}

static void timers_init(long count)
{
    /* entry 1, the first of four siblings, begins a cache line */
    char *lines = aligned_alloc(64, (((size_t)count + 4) * sizeof *heap + 63) / 64 * 64);

    timers = calloc((size_t)count, sizeof *timers);
    BENCH_CHECK(lines != NULL && timers != NULL);
    heap = (struct entry *)(lines + 64 - sizeof *heap);
}

static void timers_run(void (*fn)(long count), long count)
{
    now = bench_now();
    fn(count);
}

static inline int is_before(struct entry a, struct entry b)
{
    return a.when < b.when || (a.when == b.when && a.order < b.order);
}

static inline void put(uint32_t place, struct entry entry)
{
    heap[place] = entry;
    timers[entry.timer].place = place;
}

static uint32_t sift_up(uint32_t place, struct entry entry)
{
    while (place > 0) {
        uint32_t parent = (place - 1) / 4;
        if (!is_before(entry, heap[parent]))
            break;
        put(place, heap[parent]);
        place = parent;
    }
    put(place, entry);
    return place;
}

static void sift_down(uint32_t place, struct entry entry)
{
    for (;;) {
        uint32_t child = 4 * place + 1, end = child + 4 < heap_count ? child + 4 : heap_count, best;
        if (child >= heap_count)
            break;
        for (best = child++; child < end; child++)
            if (is_before(heap[child], heap[best]))
                best = child;
        if (!is_before(heap[best], entry))
            break;
        put(place, heap[best]);
        place = best;
    }
    put(place, entry);
}

static void remove_at(uint32_t place)
{
    struct entry last = heap[--heap_count];

    if (place != heap_count && sift_up(place, last) == place)
        sift_down(place, last);
}

static void timer_start(long i, int64_t delay_ns)
{
    struct entry entry = { now + delay_ns, last_order++, (uint32_t)i };

    timers[i].fn = on_timer;
    timers[i].arg = NULL;
    sift_up(heap_count++, entry);
}

static void timer_cancel(long i)
{
    remove_at(timers[i].place);
}

static void timer_move(long i, int64_t delay_ns)
{
    struct entry entry = { now + delay_ns, last_order++, (uint32_t)i };
    uint32_t place = timers[i].place;

    if (sift_up(place, entry) == place)
        sift_down(place, entry);
}

static void timers_fire(void)
{
    now = bench_now();
    while (heap_count > 0 && heap[0].when <= now) {
        struct timer *timer = &timers[heap[0].timer];
        remove_at(0);
        timer->fn(timer->arg);
    }
}
