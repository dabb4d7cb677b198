/*
 * locked_queue.h - what one puts beside a wake-up that carries nothing: calls behind a mutex.
 *
 * Two arrays that change places: the loop takes all there is at once, and once they have grown
 * nothing is allocated any more. Only a post that finds the queue empty has to wake the loop.
 */
#ifndef BENCH_LOCKED_QUEUE_H
#define BENCH_LOCKED_QUEUE_H

#include "threads.h"

struct queued_call {
    call_fn fn;
    void *arg;
};

struct call_array {
    struct queued_call *calls;
    size_t count, capacity;
};

struct locked_queue {
    pthread_mutex_t lock;
    struct call_array filling, running;
};

static inline void queue_init(struct locked_queue *queue)
{
    memset(queue, 0, sizeof *queue);
    pthread_mutex_init(&queue->lock, NULL);
}

static inline void array_grow(struct call_array *array)
{
    array->capacity = array->capacity == 0 ? 64 : 2 * array->capacity;
    array->calls = realloc(array->calls, array->capacity * sizeof *array->calls);
    BENCH_CHECK(array->calls != NULL);
}

/** Append a call; true if the queue was empty, and so the loop has to be woken. */
static inline int queue_push(struct locked_queue *queue, call_fn fn, void *arg)
{
    struct call_array *filling = &queue->filling;
    int was_empty;

    pthread_mutex_lock(&queue->lock);
    was_empty = filling->count == 0;
    if (filling->count == filling->capacity)
        array_grow(filling);
    filling->calls[filling->count++] = (struct queued_call){ fn, arg };
    pthread_mutex_unlock(&queue->lock);
    return was_empty;
}

/** Run what is there; in the loop's thread. The lock is not held while calls run. */
static inline void queue_run(struct locked_queue *queue)
{
    struct call_array taken;
    size_t i;

    pthread_mutex_lock(&queue->lock);
    taken = queue->filling;
    queue->filling = queue->running;
    queue->filling.count = 0;
    queue->running = taken;
    pthread_mutex_unlock(&queue->lock);
    for (i = 0; i < taken.count; i++)
        taken.calls[i].fn(taken.calls[i].arg);
}

#endif
