/* Queue, PriorityQueue, LifoQueue without waiting: order, full, empty, task_done. */
#include "told.h"

static rondo_queue *queue;

static int32_t by_text(const void *a, const void *b, void *arg)
{
    (void)arg;
    return strcmp(a, b);
}

static void make(int kind)
{
    if (kind == 0)
        MUST(rondo_queue_new(loop, 4, &queue));
    else if (kind == 1)
        MUST(rondo_queue_new_lifo(loop, 4, &queue));
    else
        MUST(rondo_queue_new_priority(loop, 4, by_text, NULL, NULL, &queue));
}

static void get(void)
{
    void *item = NULL;
    rondo_status status = rondo_queue_get_nowait(queue, &item);

    say("get: %s", status == RONDO_OK ? (char *)item : class_of(status));
}

static void put(const char *item)
{
    rondo_status status = rondo_queue_put_nowait(queue, (void *)item, NULL);

    say("put %s: %s", item, status == RONDO_OK ? "ok" : class_of(status));
}

static void size(void)
{
    int64_t maxsize = 0;
    size_t count = 0;

    MUST(rondo_queue_qsize(queue, &count));
    MUST(rondo_queue_get_maxsize(queue, &maxsize));
    printf("size %d of %d, full %d", (int)count, (int)maxsize, rondo_queue_is_full(queue));
}

RONDO_STEP(main_step)
{
    static const char *const kinds[] = { "Queue", "LifoQueue", "PriorityQueue" };
    static const char *const items[] = { "5a", "1b", "4c", "0d", "9e" };

    SELF;
    for (int kind = 0; kind < 3; kind++) {
        part(kinds[kind]);
        make(kind);
        get();
        for (int i = 0; i < 5; i++)
            put(items[i]);
        size();
        say(", empty %d", rondo_queue_is_empty(queue));
        get();
        get();
        put("3f");
        for (int i = 0; i < 4; i++)
            get();
        for (int i = 0; i < 6; i++)
            say(rondo_queue_task_done(queue) == RONDO_OK ? "done" : "done too often");
        MUST(rondo_queue_release(queue));
    }
    part("no limit");
    MUST(rondo_queue_new(loop, -1, &queue));
    for (int i = 0; i < 100; i++)
        MUST(rondo_queue_put_nowait(queue, "x", NULL));
    size();
    say("%s", "");
    MUST(rondo_queue_release(queue));
    RONDO_END(self);
}

int main(void)
{
    loop = new_loop();
    return run_told(main_step);
}
