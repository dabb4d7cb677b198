/*
 * The limit of posting: a lock-free queue and an eventfd in C, with no loop around it.
 *
 * Producers put nodes on a stack with one compare-and-swap; the consumer takes the whole stack with
 * one exchange, turns it round and runs it, so the two sides meet once a batch and not once a call.
 * Nodes come from chunks that belong to a producer, so that one malloc serves 256 posts; the
 * consumer frees a chunk after its last node. The producer that finds the consumer's mark instead
 * of nodes wakes it.
 */
#include "threads.h"

#include <stdatomic.h>
#include <sys/eventfd.h>

#define CHUNK 256

struct node {
    struct node *older;
    call_fn fn;
    void *arg;
    struct chunk *last_of; /* the chunk that may go after this node, else NULL */
};

struct chunk {
    struct node nodes[CHUNK];
};

struct loop {
    _Alignas(64) _Atomic(struct node *) newest; /* NULL: none, and the consumer is awake */
    _Alignas(64) int wake;
    int is_ended;
};

static struct node asleep; /* the consumer's mark */
static _Thread_local struct chunk *chunk;
static _Thread_local int used;

static struct loop *loop_make(void)
{
    struct loop *loop = aligned_alloc(64, sizeof *loop);

    BENCH_CHECK(loop != NULL);
    memset(loop, 0, sizeof *loop);
    loop->wake = eventfd(0, EFD_CLOEXEC);
    BENCH_CHECK(loop->wake >= 0);
    return loop;
}

static struct node *take_node(void)
{
    struct node *node;

    if (chunk == NULL) {
        chunk = malloc(sizeof *chunk);
        BENCH_CHECK(chunk != NULL);
        used = 0;
    }
    node = &chunk->nodes[used++];
    node->last_of = NULL;
    if (used == CHUNK) {
        node->last_of = chunk;
        chunk = NULL;
    }
    return node;
}

static void loop_post(struct loop *loop, call_fn fn, void *arg)
{
    struct node *node = take_node(), *newest = atomic_load_explicit(&loop->newest, memory_order_relaxed);
    uint64_t one = 1;

    node->fn = fn;
    node->arg = arg;
    do
        node->older = newest == &asleep ? NULL : newest;
    while (!atomic_compare_exchange_weak_explicit(&loop->newest, &newest, node, memory_order_release,
                                                  memory_order_relaxed));
    if (newest == &asleep)
        BENCH_CHECK(write(loop->wake, &one, sizeof one) == sizeof one);
}

static struct node *oldest_first(struct node *newest)
{
    struct node *oldest = NULL;

    while (newest != NULL) {
        struct node *older = newest->older;
        newest->older = oldest;
        oldest = newest;
        newest = older;
    }
    return oldest;
}

static void run_all(struct node *node)
{
    while (node != NULL) {
        struct node *newer = node->older; /* turned round */
        struct chunk *last_of = node->last_of;
        node->fn(node->arg);
        free(last_of);
        node = newer;
    }
}

static void loop_run(struct loop *loop)
{
    struct node *nothing;
    uint64_t count;

    loop->is_ended = 0;
    while (!loop->is_ended) {
        nothing = NULL;
        if (atomic_compare_exchange_strong(&loop->newest, &nothing, &asleep))
            BENCH_CHECK(read(loop->wake, &count, sizeof count) == sizeof count);
        run_all(oldest_first(atomic_exchange_explicit(&loop->newest, NULL, memory_order_acquire)));
    }
}

static void loop_end(struct loop *loop)
{
    loop->is_ended = 1;
}
