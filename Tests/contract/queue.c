/*
 * queue.c - queues, order, room, items that move and are dropped, cancellation,
 * shutdown, join, a comparison that misbehaves, misuse, a loop that is closed.
 */
#include "coro.h"

#include <errno.h>
#include <stdlib.h>

/* ---- what the tests share -------------------------------------------------------------------- */

#define MAKE(call, type, ...)                                                                     \
    ({                                                                                            \
        type made_ = NULL;                                                                        \
        CHECK_OK(call(__VA_ARGS__, &made_));                                                      \
        made_;                                                                                    \
    })
#define QUEUE(loop, maxsize) MAKE(rondo_queue_new, rondo_queue *, loop, maxsize)
#define GET(queue) MAKE(rondo_queue_get, rondo_coroutine *, queue)
#define PUT(queue, item) MAKE(rondo_queue_put, rondo_coroutine *, queue, item, kit_drop)
#define JOIN(queue) MAKE(rondo_queue_join, rondo_coroutine *, queue)

/* Awaits child; logs name:ITEM or name:STATUS and takes the item. */
RONDO_STEP(actor_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_AWAIT(self, self->child);
    if (thrown == NULL) {
        kit_log("%s:%s", self->name, sent != NULL ? (char *)sent : "ok");
        if (sent != NULL)
            CHECK_OK(rondo_coroutine_take_sent(co, &self->value));
        return rondo_coroutine_return(co, NULL, NULL);
    }
    kit_log("%s:%s", self->name, rondo_status_name(rondo_error_get_status(thrown)) + 8);
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

struct world {
    rondo_loop *loop;
    rondo_queue *queue;
    struct frame frames[5];
    rondo_task *tasks[5];
    int count;
};

static struct world *world_of(int64_t maxsize)
{
    static struct world self;
    self = (struct world){ .loop = kit_loop() };
    self.queue = QUEUE(self.loop, maxsize);
    return &self;
}

static rondo_task *actor(struct world *self, const char *name, rondo_coroutine *child)
{
    struct frame *frame = &self->frames[self->count];
    CHECK(self->count < 5);
    *frame = (struct frame){ .name = name, .child = child };
    return self->tasks[self->count++] = task_of(self->loop, actor_step, frame);
}

static void end_actors(struct world *self)
{
    for (int i = 0; i < self->count; i++) {
        rondo_future *future = as_future(self->tasks[i]);
        CHECK_EQ_INT(rondo_future_is_done(future), 1);
        (void)rondo_future_exception(future, NULL); /* it counts as read */
        end_task(self->tasks[i]);
    }
    self->count = 0;
}

static void end_world(struct world *self)
{
    end_actors(self);
    CHECK_OK(rondo_queue_release(self->queue));
    kit_loop_end(self->loop);
}

static void passes(struct world *self, int count)
{
    while (count-- > 0)
        kit_pass(self->loop);
}

static void cancel(rondo_task *task)
{
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
}

static void put(rondo_queue *queue, char *item)
{
    CHECK_OK(rondo_queue_put_nowait(queue, item, kit_drop));
}

static const char *get(rondo_queue *queue)
{
    void *item = NULL;
    CHECK_OK(rondo_queue_get_nowait(queue, &item));
    return item;
}

static size_t qsize(rondo_queue *queue)
{
    size_t count = 77;
    CHECK_OK(rondo_queue_qsize(queue, &count));
    return count;
}

/* ---- without waiting ------------------------------------------------------------------------- */

/* */
KIT_TEST(Q06_nowait)
{
    struct world *self = world_of(2);
    void *item = self;
    int64_t maxsize = 0;
    CHECK_STATUS(rondo_queue_get_nowait(self->queue, &item), RONDO_E_QUEUE_EMPTY);
    CHECK_EQ_PTR(item, self);
    CHECK_EQ_INT(rondo_queue_is_empty(self->queue), 1);
    put(self->queue, "1");
    CHECK_EQ_INT(rondo_queue_is_full(self->queue), 0);
    put(self->queue, "2");
    CHECK_EQ_INT(rondo_queue_is_full(self->queue), 1);
    CHECK_STATUS(rondo_queue_put_nowait(self->queue, "3", kit_drop), RONDO_E_QUEUE_FULL);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_STATUS(rondo_queue_put_nowait(self->queue, "3", NULL), RONDO_E_QUEUE_FULL);
    CHECK_EQ_INT(qsize(self->queue), 2);
    CHECK_OK(rondo_queue_get_maxsize(self->queue, &maxsize));
    CHECK_EQ_INT(maxsize, 2);
    CHECK_EQ_STR(get(self->queue), "1");
    CHECK_EQ_STR(get(self->queue), "2");
    CHECK_EQ_INT(qsize(self->queue), 0);
    CHECK_EQ_INT(kit_drops, 1);
    end_world(self);
}

/* no limit; the ring grows in the middle of it; NULL is an item. */
KIT_TEST(Q07_no_limit)
{
    struct world *self = world_of(-5);
    void *item = NULL;
    uintptr_t in = 0, out = 0;
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 2 * round; i++)
            CHECK_OK(rondo_queue_put_nowait(self->queue, (void *)in++, NULL));
        CHECK_EQ_INT(rondo_queue_is_full(self->queue), 0);
        for (int i = 0; i < round; i++) {
            CHECK_OK(rondo_queue_get_nowait(self->queue, &item));
            CHECK_EQ_INT((uintptr_t)item, out++);
        }
    }
    CHECK_EQ_INT(qsize(self->queue), in - out);
    end_world(self);
}

static int32_t by_text(const void *a, const void *b, void *arg)
{
    (void)arg;
    return strncmp(a, b, 1);
}

/* what is the same leaves in the order of coming. */
KIT_TEST(Q08_priority_and_lifo)
{
    struct world *self = world_of(0);
    rondo_queue *priority = NULL, *lifo = MAKE(rondo_queue_new_lifo, rondo_queue *, self->loop, 0);
    CHECK_OK(rondo_queue_new_priority(self->loop, 0, by_text, NULL, kit_drop, &priority));
    static char *const in[] = { "1b", "1a", "0z", "3", "0y", "2", "1c" };
    static char *const out[] = { "0z", "0y", "1b", "1a", "1c", "2", "3" };
    for (int i = 0; i < 7; i++)
        put(priority, in[i]);
    for (int i = 0; i < 7; i++)
        CHECK_EQ_STR(get(priority), out[i]);
    for (int i = 0; i < 3; i++)
        put(lifo, in[i]);
    CHECK_EQ_STR(get(lifo), "0z");
    put(lifo, "more");
    CHECK_EQ_STR(get(lifo), "more");
    CHECK_EQ_STR(get(lifo), "1a");
    CHECK_EQ_STR(get(lifo), "1b");
    CHECK_EQ_INT(kit_drops, 0);
    CHECK_OK(rondo_queue_release(priority));
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_queue_release(lifo));
    end_world(self);
}

static int32_t by_number(const void *a, const void *b, void *arg)
{
    ++*(long *)arg;
    uint64_t x = (uintptr_t)a % 1000, y = (uintptr_t)b % 1000;
    return x < y ? -1 : x > y;
}

/* Many, in and out by turns: always the smallest, and of the same ones the oldest. */
KIT_TEST_WITHIN(priority_against_a_model, 60)
{
    struct world *self = world_of(0);
    rondo_queue *queue = NULL;
    long comparisons = 0;
    static uint64_t model[3000];
    int count = 0, total = kit_rounds(3000);
    uint64_t seed = 88172645463325252u;
    CHECK_OK(rondo_queue_new_priority(self->loop, 0, by_number, &comparisons, NULL, &queue));
    for (int i = 0; i < total || count > 0; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        if (i < total) { /* the number that it is compared by is that of the last three digits */
            uint64_t item = (uint64_t)(i + 1) * 1000 + (seed >> 40) % 50;
            CHECK_OK(rondo_queue_put_nowait(queue, (void *)(uintptr_t)item, NULL));
            model[count++] = item;
        }
        if (i >= total || (seed >> 33) % 3 == 0) {
            void *item = NULL;
            int best = 0;
            for (int k = 1; k < count; k++)
                if (model[k] % 1000 < model[best] % 1000)
                    best = k;
            CHECK_OK(rondo_queue_get_nowait(queue, &item));
            CHECK_EQ_INT((uintptr_t)item, model[best]);
            memmove(&model[best], &model[best + 1], (size_t)(--count - best) * sizeof *model);
        }
    }
    CHECK(comparisons < 40L * total);
    CHECK_OK(rondo_queue_release(queue));
    end_world(self);
}

/* What is left goes with the queue, in order, and finds it empty. */
static void drop_and_look(void *item)
{
    rondo_queue *queue = *(rondo_queue **)item;
    kit_log("%zu", qsize(queue));
    CHECK_STATUS(rondo_queue_put_nowait(queue, "again", kit_drop), RONDO_E_QUEUE_SHUT_DOWN);
}

KIT_TEST(items_are_dropped_with_the_queue)
{
    struct world *self = world_of(0);
    rondo_queue *queue = QUEUE(self->loop, 0);
    for (int i = 0; i < 3; i++)
        CHECK_OK(rondo_queue_put_nowait(queue, &queue, drop_and_look));
    CHECK_OK(rondo_queue_release(queue));
    kit_expect_log("0 0 0");
    CHECK_EQ_INT(kit_drops, 3);
    CHECK_STATUS(rondo_queue_release(queue), RONDO_E_STALE_HANDLE);
    put(self->queue, "left");
    end_world(self);
    CHECK_EQ_INT(kit_drops, 4);
}

/* ---- waiting --------------------------------------------------------------------------------- */

KIT_TEST(getters_wait_in_order)
{
    struct world *self = world_of(0);
    actor(self, "a", GET(self->queue));
    actor(self, "b", GET(self->queue));
    passes(self, 2);
    put(self->queue, "1");
    put(self->queue, "2");
    kit_pass(self->loop);
    kit_expect_log("a:1 b:2");
    put(self->queue, "3");
    actor(self, "c", GET(self->queue));
    kit_pass(self->loop);
    kit_expect_log("c:3");
    CHECK_EQ_INT(kit_drops, 0);
    end_world(self);
}

KIT_TEST(putters_wait_for_room)
{
    struct world *self = world_of(1);
    actor(self, "a", PUT(self->queue, "1"));
    actor(self, "b", PUT(self->queue, "2"));
    actor(self, "c", PUT(self->queue, "3"));
    passes(self, 2);
    kit_expect_log("a:ok");
    CHECK_EQ_STR(get(self->queue), "1");
    passes(self, 2);
    kit_expect_log("b:ok");
    CHECK_EQ_STR(get(self->queue), "2");
    CHECK_OK(rondo_queue_put_nowait(self->queue, "pushes in", NULL));
    passes(self, 2);
    kit_expect_log(""); /* woken, and too late */
    CHECK_EQ_STR(get(self->queue), "pushes in");
    passes(self, 1);
    kit_expect_log("c:ok");
    CHECK_EQ_STR(get(self->queue), "3");
    CHECK_EQ_INT(kit_drops, 0);
    end_world(self);
}

/* the item stays, and the next one gets it. */
KIT_TEST(Q03_getter_cancelled_after_it_was_woken)
{
    struct world *self = world_of(0);
    for (int i = 0; i < 3; i++)
        actor(self, (const char *[]){ "a", "b", "c" }[i], GET(self->queue));
    kit_pass(self->loop);
    put(self->queue, "1");
    cancel(self->tasks[0]);
    kit_pass(self->loop);
    kit_expect_log("a:CANCELLED");
    CHECK_EQ_INT(qsize(self->queue), 1);
    cancel(self->tasks[1]);
    passes(self, 2);
    kit_expect_log("b:CANCELLED c:1");
    CHECK_EQ_INT(kit_drops, 0);
    end_actors(self);
    actor(self, "a", GET(self->queue)); /* alone: the item is there for who comes */
    kit_pass(self->loop);
    put(self->queue, "2");
    cancel(self->tasks[0]);
    passes(self, 2);
    kit_expect_log("a:CANCELLED");
    CHECK_EQ_STR(get(self->queue), "2");
    end_world(self);
}

/* A getter that is cancelled while it waits is passed over. */
KIT_TEST(getter_cancelled_before)
{
    struct world *self = world_of(0);
    actor(self, "a", GET(self->queue));
    actor(self, "b", GET(self->queue));
    kit_pass(self->loop);
    cancel(self->tasks[0]);
    put(self->queue, "1");
    kit_pass(self->loop);
    kit_expect_log("a:CANCELLED b:1");
    end_world(self);
}

/* */
KIT_TEST(Q04_putter_cancelled_after_it_was_woken)
{
    struct world *self = world_of(1);
    put(self->queue, "0");
    for (int i = 0; i < 3; i++)
        actor(self, (const char *[]){ "a", "b", "c" }[i], PUT(self->queue, "item"));
    kit_pass(self->loop);
    CHECK_EQ_STR(get(self->queue), "0");
    cancel(self->tasks[0]);
    kit_pass(self->loop);
    kit_expect_log("a:CANCELLED");
    CHECK_EQ_INT(kit_drops, 1);
    cancel(self->tasks[2]);
    kit_pass(self->loop);
    kit_expect_log("b:ok c:CANCELLED");
    CHECK_EQ_INT(kit_drops, 2);
    CHECK_EQ_INT(qsize(self->queue), 1);
    end_world(self);
    CHECK_EQ_INT(kit_drops, 3);
}

/* An item that was got and not taken is dropped as every value is; a task's is its result. */
KIT_TEST(items_that_nobody_takes)
{
    struct world *self = world_of(0);
    rondo_task *task = NULL;
    void *item = NULL;
    put(self->queue, "1");
    put(self->queue, "2");
    for (int i = 0; i < 2; i++) {
        CHECK_OK(rondo_loop_create_task(self->loop, GET(self->queue), NULL, &task));
        kit_pass(self->loop);
        if (i == 1) {
            CHECK_OK(rondo_future_take_result(as_future(task), &item));
            CHECK_EQ_STR(item, "2");
        }
        end_task(task);
        CHECK_EQ_INT(kit_drops, 1);
    }
    rondo_coroutine *never = PUT(self->queue, "3");
    kit_catch_log();
    CHECK_OK(rondo_coroutine_release(never));
    CHECK(kit_logged_containing("coroutine 'Queue.put' was never awaited"));
    CHECK_EQ_INT(kit_drops, 2);
    end_world(self);
}

static rondo_coroutine *get_within(rondo_queue *queue, int64_t timeout_ns)
{
    rondo_coroutine *coroutine = NULL;
    CHECK_OK(rondo_wait_for(GET(queue), timeout_ns, &coroutine));
    return coroutine;
}

KIT_TEST(get_with_a_limit)
{
    struct world *self = world_of(0);
    actor(self, "a", get_within(self->queue, 1000000));
    run_until_done(self->loop, self->tasks[0]);
    put(self->queue, "1");
    actor(self, "b", get_within(self->queue, INT64_C(3600000000000)));
    kit_pass(self->loop);
    kit_expect_log("a:TIMEOUT b:1");
    CHECK_EQ_INT(kit_drops, 0);
    end_world(self);
}

/* ---- join ------------------------------------------------------------------------------------ */

KIT_TEST(join_waits_for_task_done)
{
    struct world *self = world_of(0);
    CHECK_STATUS(rondo_queue_task_done(self->queue), RONDO_E_INVALID_STATE);
    actor(self, "early", JOIN(self->queue));
    kit_pass(self->loop);
    kit_expect_log("early:ok");
    put(self->queue, "1");
    put(self->queue, "2");
    actor(self, "a", JOIN(self->queue));
    actor(self, "b", JOIN(self->queue));
    actor(self, "c", JOIN(self->queue));
    kit_pass(self->loop);
    CHECK_OK(rondo_queue_task_done(self->queue));
    cancel(self->tasks[2]);
    get(self->queue);
    passes(self, 2);
    kit_expect_log("b:CANCELLED");
    CHECK_OK(rondo_queue_task_done(self->queue));
    put(self->queue, "3"); /* too late to keep them */
    kit_pass(self->loop);
    kit_expect_log("a:ok c:ok");
    CHECK_OK(rondo_queue_task_done(self->queue));
    CHECK_STATUS(rondo_queue_task_done(self->queue), RONDO_E_INVALID_STATE);
    end_world(self);
}

/* ---- shutdown -------------------------------------------------------------------------------- */

/* */
KIT_TEST(Q10_shutdown_of_an_empty_queue)
{
    struct world *self = world_of(0);
    void *item = NULL;
    actor(self, "a", GET(self->queue));
    actor(self, "b", GET(self->queue));
    kit_pass(self->loop);
    CHECK_OK(rondo_queue_shutdown(self->queue, 0));
    kit_pass(self->loop);
    kit_expect_log("a:QUEUE_SHUT_DOWN b:QUEUE_SHUT_DOWN");
    actor(self, "join", JOIN(self->queue));
    actor(self, "get", GET(self->queue));
    actor(self, "put", PUT(self->queue, "1"));
    kit_pass(self->loop);
    kit_expect_log("join:ok get:QUEUE_SHUT_DOWN put:QUEUE_SHUT_DOWN");
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_STATUS(rondo_queue_get_nowait(self->queue, &item), RONDO_E_QUEUE_SHUT_DOWN);
    CHECK_STATUS(rondo_queue_put_nowait(self->queue, "1", kit_drop), RONDO_E_QUEUE_SHUT_DOWN);
    CHECK_EQ_INT(kit_drops, 2);
    expect_failed(as_future(self->tasks[0]), RONDO_E_QUEUE_SHUT_DOWN, NULL);
    end_world(self);
}

/* */
KIT_TEST(Q12_one_item_for_three_getters)
{
    struct world *self = world_of(0);
    for (int i = 0; i < 3; i++)
        actor(self, (const char *[]){ "a", "b", "c" }[i], GET(self->queue));
    kit_pass(self->loop);
    put(self->queue, "1");
    CHECK_OK(rondo_queue_shutdown(self->queue, 0));
    kit_pass(self->loop);
    kit_expect_log("a:1 b:QUEUE_SHUT_DOWN c:QUEUE_SHUT_DOWN");
    CHECK_OK(rondo_queue_task_done(self->queue)); /* it was the one that was not done */
    CHECK_STATUS(rondo_queue_task_done(self->queue), RONDO_E_INVALID_STATE);
    end_world(self);
}

/* Full, with putters: they are refused; what is in it can be got. */
KIT_TEST(shutdown_of_a_full_queue)
{
    struct world *self = world_of(1);
    void *item = NULL;
    put(self->queue, "0");
    actor(self, "a", PUT(self->queue, "1"));
    actor(self, "b", PUT(self->queue, "2"));
    actor(self, "join", JOIN(self->queue));
    kit_pass(self->loop);
    CHECK_OK(rondo_queue_shutdown(self->queue, 0));
    kit_pass(self->loop);
    kit_expect_log("a:QUEUE_SHUT_DOWN b:QUEUE_SHUT_DOWN");
    CHECK_EQ_INT(kit_drops, 2);
    CHECK_EQ_STR(get(self->queue), "0");
    CHECK_STATUS(rondo_queue_get_nowait(self->queue, &item), RONDO_E_QUEUE_SHUT_DOWN);
    CHECK_OK(rondo_queue_task_done(self->queue));
    kit_pass(self->loop);
    kit_expect_log("join:ok");
    end_world(self);
}

/* twice, the second time at once: what is left counts as done. */
KIT_TEST(Q14_shutdown_escalates)
{
    struct world *self = world_of(0);
    void *item = NULL;
    for (int i = 0; i < 3; i++)
        put(self->queue, "item");
    actor(self, "join", JOIN(self->queue));
    kit_pass(self->loop);
    CHECK_OK(rondo_queue_shutdown(self->queue, 0));
    get(self->queue);
    kit_pass(self->loop);
    CHECK_EQ_INT(kit_drops, 0);
    CHECK_OK(rondo_queue_shutdown(self->queue, 1));
    CHECK_EQ_INT(kit_drops, 2);
    CHECK_OK(rondo_queue_shutdown(self->queue, 1));
    CHECK_EQ_INT(qsize(self->queue), 0);
    CHECK_STATUS(rondo_queue_get_nowait(self->queue, &item), RONDO_E_QUEUE_SHUT_DOWN);
    kit_pass(self->loop);
    kit_expect_log(""); /* one was got and is not done */
    CHECK_OK(rondo_queue_task_done(self->queue));
    kit_pass(self->loop);
    kit_expect_log("join:ok");
    end_world(self);
}

/* A drop of what an immediate shutdown throws away may use the queue, and end it. */
static void drop_and_release(void *item)
{
    rondo_queue **queue = item;
    kit_log("dropped");
    CHECK_OK(rondo_queue_shutdown(*queue, 1));
    CHECK_OK(rondo_queue_release(*queue));
}

KIT_TEST(shutdown_drops_what_ends_the_queue)
{
    struct world *self = world_of(0);
    rondo_queue *queue = QUEUE(self->loop, 0);
    CHECK_OK(rondo_queue_put_nowait(queue, &queue, drop_and_release));
    CHECK_OK(rondo_queue_put_nowait(queue, "2", kit_drop));
    CHECK_OK(rondo_queue_shutdown(queue, 1));
    kit_expect_log("dropped");
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_STATUS(rondo_queue_task_done(queue), RONDO_E_STALE_HANDLE);
    end_world(self);
}

/* ---- a comparison that misbehaves ------------------------------------------------------------ */

static int32_t meddles(const void *a, const void *b, void *arg)
{
    rondo_queue *queue = *(rondo_queue **)arg;
    void *item = NULL;
    CHECK_STATUS(rondo_queue_put_nowait(queue, "more", kit_drop), -EBUSY);
    CHECK_STATUS(rondo_queue_get_nowait(queue, &item), -EBUSY);
    CHECK_STATUS(rondo_queue_shutdown(queue, 1), -EBUSY);
    CHECK(qsize(queue) > 0);
    return ((const char *)a)[0] ^ ((const char *)b)[0] ? 1 : -1; /* no order at all */
}

KIT_TEST(comparison_that_meddles)
{
    struct world *self = world_of(0);
    rondo_queue *queue = NULL;
    CHECK_OK(rondo_queue_new_priority(self->loop, 0, meddles, &queue, NULL, &queue));
    for (int i = 0; i < 20; i++)
        CHECK_OK(rondo_queue_put_nowait(queue, i % 3 ? "a" : "b", NULL));
    for (int i = 0; i < 10; i++)
        CHECK(get(queue) != NULL);
    CHECK_EQ_INT(qsize(queue), 10);
    CHECK_OK(rondo_queue_release(queue));
    end_world(self);
}

static int32_t releases(const void *a, const void *b, void *arg)
{
    rondo_queue **queue = arg;
    if (*queue != NULL)
        CHECK_OK(rondo_queue_release(*queue));
    *queue = NULL;
    return strcmp(a, b);
}

KIT_TEST(comparison_that_ends_the_queue)
{
    struct world *self = world_of(0);
    rondo_queue *queue = NULL;
    CHECK_OK(rondo_queue_new_priority(self->loop, 0, releases, &queue, kit_drop, &queue));
    CHECK_OK(rondo_queue_put_nowait(queue, "b", kit_drop));
    CHECK_EQ_INT(kit_drops, 0);
    CHECK_OK(rondo_queue_put_nowait(queue, "a", kit_drop));
    CHECK_EQ_PTR(queue, NULL);
    CHECK_EQ_INT(kit_drops, 3); /* both items, and the comparison's argument */
    end_world(self);
}

/* ---- closing, misuse ------------------------------------------------------------------------- */

KIT_TEST(loop_closed_with_getters_and_putters)
{
    struct world *self = world_of(1);
    rondo_queue *empty = QUEUE(self->loop, 0);
    rondo_coroutine *none = NULL;
    void *item = NULL;
    kit_record_reports(self->loop);
    put(self->queue, "0");
    actor(self, "put", PUT(self->queue, "1"));
    actor(self, "get", GET(empty));
    actor(self, "woken", GET(empty));
    actor(self, "join", JOIN(self->queue));
    kit_pass(self->loop);
    put(empty, "2"); /* on its way to "get" */
    CHECK_OK(rondo_loop_close(self->loop, NULL));
    kit_expect_log("put:GENERATOR_EXIT get:GENERATOR_EXIT woken:GENERATOR_EXIT join:GENERATOR_EXIT");
    CHECK_EQ_INT(kit_drops, 1);
    end_actors(self);
    CHECK_STATUS(rondo_queue_get(empty, &none), RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_queue_join(empty, &none), RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_queue_put(empty, "3", kit_drop, &none), RONDO_E_LOOP_CLOSED);
    CHECK_EQ_INT(kit_drops, 2);
    CHECK_OK(rondo_queue_get_nowait(empty, &item));
    CHECK_EQ_STR(item, "2");
    CHECK_OK(rondo_loop_release(self->loop));
    CHECK_OK(rondo_queue_release(empty));
    CHECK_OK(rondo_queue_release(self->queue));
    CHECK_EQ_INT(kit_drops, 3);
}

KIT_TEST(queue_of_another_loop)
{
    struct world *self = world_of(0);
    rondo_loop *other = kit_loop();
    rondo_task *task = NULL;
    put(self->queue, "1");
    CHECK_OK(rondo_loop_create_task(other, GET(self->queue), NULL, &task));
    kit_pass(other);
    expect_failed(as_future(task), RONDO_E_WRONG_LOOP, NULL);
    end_task(task);
    kit_loop_end(other);
    CHECK_EQ_STR(get(self->queue), "1");
    end_world(self);
}

static void release_queue(void *arg)
{
    CHECK_STATUS(rondo_queue_put_nowait(arg, "no", kit_drop), RONDO_E_WRONG_THREAD);
    CHECK_OK(rondo_queue_retain(arg));
    CHECK_OK(rondo_queue_release(arg));
    CHECK_OK(rondo_queue_release(arg));
}

/* Let go of on another thread: its items are dropped on the loop's. */
KIT_TEST(released_on_another_thread)
{
    struct world *self = world_of(0);
    rondo_queue *queue = QUEUE(self->loop, 0);
    put(queue, "1");
    kit_in_thread(release_queue, queue);
    CHECK_EQ_INT(kit_drops, 1); /* that of the refused one */
    kit_pass(self->loop);
    CHECK_EQ_INT(kit_drops, 2);
    CHECK_STATUS(rondo_queue_release(queue), RONDO_E_STALE_HANDLE);
    end_world(self);
}
