/* Queue.shutdown(): getters, putters, join; at once and not. */
#include "told.h"

static rondo_queue *queue;
static const char *const names[] = { "a", "b", "c" };

static void renew(const char *part_name, int64_t maxsize)
{
    part(part_name);
    rondo_queue_release(queue);
    MUST(rondo_queue_new(loop, maxsize, &queue));
}

static void get(void)
{
    void *item = NULL;
    rondo_status status = rondo_queue_get_nowait(queue, &item);

    say("get: %s", status == RONDO_OK ? (char *)item : class_of(status));
}

static void getters(int count)
{
    for (int i = 0; i < count; i++)
        tell(names[i], CO(rondo_queue_get, queue));
}

RONDO_STEP(main_step)
{
    SELF;
    renew("empty", 0);
    getters(2);
    PASSES(1);
    MUST(rondo_queue_shutdown(queue, 0));
    PASSES(2);
    tell("join", CO(rondo_queue_join, queue));
    tell("get", CO(rondo_queue_get, queue));
    tell("put", CO(rondo_queue_put, queue, "x", NULL));
    get();
    say("put: %s", class_of(rondo_queue_put_nowait(queue, "x", NULL)));
    PASSES(2);
    renew("one item for three", 0);
    getters(3);
    PASSES(1);
    MUST(rondo_queue_put_nowait(queue, "1", NULL));
    MUST(rondo_queue_shutdown(queue, 0));
    PASSES(3);
    tell("join", CO(rondo_queue_join, queue));
    PASSES(1);
    MUST(rondo_queue_task_done(queue));
    PASSES(2);
    renew("full", 1);
    MUST(rondo_queue_put_nowait(queue, "0", NULL));
    for (int i = 0; i < 2; i++)
        tell(names[i], CO(rondo_queue_put, queue, (void *)names[i], NULL));
    tell("join", CO(rondo_queue_join, queue));
    PASSES(1);
    MUST(rondo_queue_shutdown(queue, 0));
    PASSES(2);
    get();
    get();
    MUST(rondo_queue_task_done(queue));
    PASSES(2);
    renew("twice, the second time at once", 0);
    for (int i = 0; i < 3; i++)
        MUST(rondo_queue_put_nowait(queue, (char *[]){ "1", "2", "3" }[i], NULL));
    tell("join", CO(rondo_queue_join, queue));
    PASSES(1);
    MUST(rondo_queue_shutdown(queue, 0));
    get();
    MUST(rondo_queue_shutdown(queue, 1));
    get();
    PASSES(2);
    MUST(rondo_queue_task_done(queue));
    PASSES(2);
    say("size %d", !rondo_queue_is_empty(queue));
    MUST(rondo_queue_release(queue));
    RONDO_END(self);
}

int main(void)
{
    loop = new_loop();
    return run_told(main_step);
}
