/* Producers, consumers, a queue that takes two: who gets what in which pass; join. */
#include "told.h"

static rondo_queue *queue;
static rondo_task *consumers[3];

struct worker {
    RONDO_FRAME;
    const char *name;
    int i, k, n;
};

static int size(void)
{
    size_t count = 0;

    MUST(rondo_queue_qsize(queue, &count));
    return (int)count;
}

static rondo_coroutine *put(struct worker *self)
{
    char *item = malloc(32);

    snprintf(item, 32, "%s%d", self->name, self->i);
    return CO(rondo_queue_put, queue, item, free);
}

RONDO_STEP(produce_step)
{
    struct worker *self = frame;

    RONDO_BEGIN(self);
    for (self->i = 0; self->i < self->n; self->i++) {
        RONDO_AWAIT(self, put(self));
        say("%d %s put %d, size %d", ticks, self->name, self->i, size());
    }
    RONDO_END(self);
}

RONDO_STEP(consume_step)
{
    struct worker *self = frame;

    RONDO_BEGIN(self);
    for (;;) {
        RONDO_AWAIT(self, CO(rondo_queue_get, queue));
        say("%d %s got %s, size %d", ticks, self->name, (char *)sent, size());
        for (self->k = 0; self->k < self->n; self->k++)
            RONDO_SLEEP(self, 0);
        MUST(rondo_queue_task_done(queue));
    }
    RONDO_END(self);
}

static rondo_coroutine *worker(rondo_step_fn step, struct worker *frame, const char *name, int n)
{
    rondo_coroutine *made = NULL;

    frame->name = name;
    frame->n = n;
    MUST(rondo_coroutine_new(name, step, frame, NULL, &made));
    return made;
}

RONDO_STEP(main_step)
{
    static struct worker workers[5];

    SELF;
    part("work");
    tell("p done", worker(produce_step, &workers[0], "p", 4));
    tell("q done", worker(produce_step, &workers[1], "q", 3));
    tell("join", CO(rondo_queue_join, queue));
    PASSES(1);
    consumers[0] = tell("c", worker(consume_step, &workers[2], "c", 1));
    consumers[1] = tell("d", worker(consume_step, &workers[3], "d", 2));
    consumers[2] = tell("e", worker(consume_step, &workers[4], "e", 0));
    PASSES(1);
    RONDO_AWAIT(self, CO(rondo_queue_join, queue));
    say("%d joined", ticks);
    for (int i = 0; i < 3; i++)
        cancel(consumers[i]);
    PASSES(2);
    MUST(rondo_queue_release(queue));
    RONDO_END(self);
}

int main(void)
{
    loop = new_loop();
    MUST(rondo_queue_new(loop, 2, &queue));
    return run_told(main_step);
}
