/* Getters and putters that are cancelled before and after they were woken. */
#include "told.h"

static rondo_queue *queue;
static rondo_task *tasks[3];
static const char *const names[] = { "a", "b", "c" };

static void renew(const char *part_name, int64_t maxsize)
{
    part(part_name);
    rondo_queue_release(queue);
    MUST(rondo_queue_new(loop, maxsize, &queue));
}

static void put(const char *item)
{
    MUST(rondo_queue_put_nowait(queue, (void *)item, NULL));
}

static const char *get(void)
{
    void *item = NULL;

    MUST(rondo_queue_get_nowait(queue, &item));
    return item;
}

static int size(void)
{
    size_t count = 0;

    MUST(rondo_queue_qsize(queue, &count));
    return (int)count;
}

static void getters(const char *part_name)
{
    renew(part_name, 0);
    for (int i = 0; i < 3; i++)
        tasks[i] = tell(names[i], CO(rondo_queue_get, queue));
}

static void putters(const char *part_name)
{
    renew(part_name, 1);
    put("0");
    for (int i = 0; i < 3; i++)
        tasks[i] = tell(names[i], CO(rondo_queue_put, queue, (void *)names[i], NULL));
}

RONDO_STEP(main_step)
{
    SELF;
    getters("getter cancelled, then put");
    PASSES(1);
    cancel(tasks[0]);
    put("1");
    PASSES(3);
    getters("put, then getter cancelled");
    PASSES(1);
    put("1");
    cancel(tasks[0]);
    PASSES(1);
    cancel(tasks[1]);
    PASSES(3);
    getters("all cancelled");
    PASSES(1);
    put("1");
    for (int i = 0; i < 3; i++)
        cancel(tasks[i]);
    PASSES(3);
    printf("size %d, ", size());
    say("%s", get());
    putters("putter cancelled, then got");
    PASSES(1);
    cancel(tasks[0]);
    say("%s", get());
    PASSES(3);
    say("%s", get());
    PASSES(3);
    putters("got, then putter cancelled");
    PASSES(1);
    say("%s", get());
    cancel(tasks[0]);
    PASSES(3);
    say("%s", get());
    put("pushes in");
    PASSES(3);
    say("%s", get());
    PASSES(3);
    say("size %d", size());
    MUST(rondo_queue_release(queue));
    RONDO_END(self);
}

int main(void)
{
    loop = new_loop();
    return run_told(main_step);
}
