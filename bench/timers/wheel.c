/*
 * A limit for timers: a hierarchical timing wheel written for this benchmark, with no loop around it.
 *
 * Eight wheels of 64 slots, each slot of one as wide as the next smaller wheel; the smallest slot is
 * 1,024 ns. A timer stands in the wheel of the highest digit in which its tick differs from the
 * present one and comes down as time gets there. It keeps rondo's promise: earliest first to the
 * nanosecond, equal deadlines in the order of starting, so the few of one tick are sorted when due.
 */
#include "timers.h"

#define WHEELS 8
#define DIGIT_BITS 6
#define SLOTS (1 << DIGIT_BITS)
#define TICK_BITS 10

struct timer {
    struct timer *next, *previous; /* in a ring with the slot as its head */
    int64_t when;
    uint64_t order; /* breaks ties */
    void (*fn)(void *arg);
    void *arg;
};

static struct timer slots[WHEELS][SLOTS];
static uint64_t occupied[WHEELS]; /* may say so of a slot that was emptied by cancelling */
static struct timer *timers;
static uint64_t tick, last_order;
static int64_t now;

static void on_timer(void *arg)
{
    (void)arg;
    fired();
}

static void timers_init(long count)
{
    int wheel, slot;

    timers = calloc((size_t)count, sizeof *timers);
    BENCH_CHECK(timers != NULL);
    for (wheel = 0; wheel < WHEELS; wheel++)
        for (slot = 0; slot < SLOTS; slot++)
            slots[wheel][slot].next = slots[wheel][slot].previous = &slots[wheel][slot];
}

static void timers_run(void (*fn)(long count), long count)
{
    now = bench_now();
    if (tick == 0)
        tick = (uint64_t)now >> TICK_BITS;
    fn(count);
}

static inline void unlink_timer(struct timer *timer)
{
    timer->next->previous = timer->previous;
    timer->previous->next = timer->next;
}

static inline void link_before(struct timer *timer, struct timer *place)
{
    timer->next = place;
    timer->previous = place->previous;
    place->previous->next = timer;
    place->previous = timer;
}

/** Put a timer into the slot that its deadline belongs to, as seen from the present tick. */
static inline void place_timer(struct timer *timer)
{
    uint64_t due = (uint64_t)timer->when >> TICK_BITS, difference;
    int wheel, slot;

    if (due < tick)
        due = tick;
    difference = (due ^ tick) | 1;
    wheel = (63 - __builtin_clzll(difference)) / DIGIT_BITS;
    slot = (int)(due >> (wheel * DIGIT_BITS)) & (SLOTS - 1);
    occupied[wheel] |= 1ull << slot;
    link_before(timer, &slots[wheel][slot]);
}

static void timer_start(long i, int64_t delay_ns)
{
    struct timer *timer = &timers[i];

    timer->fn = on_timer;
    timer->arg = NULL;
    timer->when = now + delay_ns;
    timer->order = last_order++;
    place_timer(timer);
}

static void timer_cancel(long i)
{
    unlink_timer(&timers[i]);
}

static void timer_move(long i, int64_t delay_ns)
{
    struct timer *timer = &timers[i];

    unlink_timer(timer);
    timer->when = now + delay_ns;
    timer->order = last_order++;
    place_timer(timer);
}

static inline int is_before(const struct timer *a, const struct timer *b)
{
    return a->when < b->when || (a->when == b->when && a->order < b->order);
}

/** Sort the timers of one tick, which are few, by insertion. */
static void sort_slot(struct timer *head)
{
    struct timer *timer = head->next, *following, *place;

    for (; timer != head; timer = following) {
        following = timer->next;
        for (place = timer->previous; place != head && is_before(timer, place); place = place->previous)
            continue;
        if (place != timer->previous) {
            unlink_timer(timer);
            link_before(timer, place->next);
        }
    }
}

/** Run what is due in the slot of the present tick; 0 if something there is not due yet. */
static int run_slot(struct timer *head)
{
    sort_slot(head);
    while (head->next != head) {
        struct timer *timer = head->next;
        if (timer->when > now)
            return 0;
        unlink_timer(timer);
        timer->fn(timer->arg);
    }
    return 1;
}

/** Let the timers of a wide slot, which has just begun, come down into the smaller wheels. */
static void bring_down(struct timer *head)
{
    struct timer *timer = head->next, *following;

    head->next = head->previous = head;
    for (; timer != head; timer = following) {
        following = timer->next;
        place_timer(timer);
    }
}

/** Go on to the next occupied slot; 0 if there is none, or it begins later than now. */
static int advance(void)
{
    uint64_t last = (uint64_t)now >> TICK_BITS;
    int wheel;

    for (wheel = 0; wheel < WHEELS; wheel++) {
        int shift = wheel * DIGIT_BITS, digit = (int)(tick >> shift) & (SLOTS - 1), slot;
        uint64_t ahead = digit == SLOTS - 1 ? 0 : occupied[wheel] & (~0ull << (digit + 1)), begin;
        if (ahead == 0)
            continue;
        slot = __builtin_ctzll(ahead);
        begin = ((tick >> shift >> DIGIT_BITS << DIGIT_BITS) | (uint64_t)slot) << shift;
        if (begin > last)
            return 0;
        tick = begin;
        occupied[wheel] &= ~(1ull << slot);
        if (wheel > 0)
            bring_down(&slots[wheel][slot]);
        return 1;
    }
    return 0;
}

static void timers_fire(void)
{
    now = bench_now();
    do {
        if (!run_slot(&slots[0][tick & (SLOTS - 1)]))
            return;
    } while (advance());
}
