/*
 * thread_queue.c - two threads feed a task through a bounded queue; another thread writes what it makes of it.
 *
 * The threads wait in the call, the task awaits a coroutine, and neither holds the other up: when the queue
 * is full a thread sleeps until the task has taken something out. Shutting a queue down is the end of the
 * work: what is in it is still got, then everybody is told.
 */
#include <pthread.h>
#include <rondo.h>
#include <stdio.h>

#define THREADS 2
#define NUMBERS 500

static rondo_thread_queue *numbers, *lines;

static void *producer(void *arg)
{
    for (long i = 1; i <= NUMBERS; i++) {
        long number = *(long *)arg * NUMBERS + i;
        if (rondo_thread_queue_put(numbers, (void *)number, NULL, RONDO_NEVER) != RONDO_OK)
            return "the queue was shut down";
    }
    return NULL;
}

static void *writer(void *arg)
{
    void *line = NULL;

    (void)arg;
    while (rondo_thread_queue_get(lines, RONDO_NEVER, &line) == RONDO_OK)
        puts(line);
    return NULL;
}

struct adder {
    RONDO_FRAME;
    rondo_coroutine *next;
    long sum, count;
    char text[3][64];
};

/* Adds up what comes; tells the writer three times. */
RONDO_STEP(adder_step)
{
    struct adder *self = frame;

    RONDO_BEGIN(self);
    snprintf(self->text[0], sizeof self->text[0], "adding");
    RONDO_CHECK(rondo_thread_queue_put_nowait(lines, self->text[0], NULL), "put");
    while (self->count < THREADS * NUMBERS) {
        RONDO_CHECK(rondo_thread_queue_get_async(numbers, &self->next), "get");
        RONDO_AWAIT_MOVED(self, self->next);
        self->sum += (long)sent;
        if (++self->count == THREADS * NUMBERS / 2) {
            snprintf(self->text[1], sizeof self->text[1], "half of them");
            RONDO_CHECK(rondo_thread_queue_put_nowait(lines, self->text[1], NULL), "put");
        }
    }
    snprintf(self->text[2], sizeof self->text[2], "%ld numbers, their sum is %ld", self->count, self->sum);
    RONDO_CHECK(rondo_thread_queue_put_nowait(lines, self->text[2], NULL), "put");
    RONDO_END(self);
}

int main(void)
{
    static struct adder adder;
    pthread_t threads[THREADS], output;
    long index[THREADS];
    rondo_coroutine *main = NULL;
    rondo_status status;

    if (rondo_thread_queue_new(16, &numbers) != RONDO_OK || rondo_thread_queue_new(0, &lines) != RONDO_OK ||
        rondo_coroutine_new("adder", adder_step, &adder, NULL, &main) != RONDO_OK)
        return 1;
    pthread_create(&output, NULL, writer, NULL);
    for (int i = 0; i < THREADS; i++) {
        index[i] = i;
        pthread_create(&threads[i], NULL, producer, &index[i]);
    }
    status = rondo_run(main, NULL, NULL, NULL);
    rondo_thread_queue_shutdown(numbers, 1); /* nobody waits for ever, whatever happened */
    rondo_thread_queue_shutdown(lines, 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_join(output, NULL);
    rondo_thread_queue_release(numbers);
    rondo_thread_queue_release(lines);
    return status == RONDO_OK ? 0 : 1;
}
