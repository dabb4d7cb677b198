/* How many passes it takes to ask a generator, inline and in a task, with bodies that await and that do not. */
#include "told.h"

struct body {
    RONDO_FRAME;
    int i, k, before, after;
    rondo_error *left;
};

RONDO_STEP(body_step)
{
    struct body *self = frame;

    RONDO_BEGIN(self);
    for (self->i = 0; self->i < 3; self->i++) {
        for (self->k = 0; self->k < self->before; self->k++)
            RONDO_SLEEP_IN(self, body, 0);
        RONDO_YIELD_VALUE_IN(self, body, (void *)(intptr_t)self->i, NULL);
    }
    RONDO_FINALLY(self, body, self->left);
    for (self->k = 0; self->k < self->after; self->k++)
        RONDO_SLEEP(self, 0);
    RONDO_END_FINALLY(self, self->left);
    RONDO_END(self);
}

static int before, after;
static rondo_async_generator *g;

static void make(void)
{
    void *memory = NULL;
    struct body *body;

    rondo_async_generator_release(g);
    g = NULL;
    MUST(rondo_async_generator_new_with_frame("g", body_step, sizeof *body, NULL, &memory, &g));
    body = memory;
    body->before = before;
    body->after = after;
}

struct iterates {
    RONDO_FRAME;
    rondo_async_generator *generator;
    void *item;
    int end;
};

static void end_iterates(void *frame)
{
    struct iterates *self = frame;

    rondo_async_generator_release(self->generator);
}

RONDO_STEP(iterates_step)
{
    struct iterates *self = frame;

    RONDO_BEGIN(self);
    make();
    self->generator = g;
    g = NULL;
    RONDO_ASYNC_FOR(self, self->generator, self->item)
        if ((intptr_t)self->item == self->end)
            break;
    rondo_async_generator_release(self->generator);
    self->generator = NULL;
    RONDO_END(self);
}

static rondo_coroutine *iterate(int end)
{
    void *memory = NULL;
    rondo_coroutine *made = NULL;

    MUST(rondo_coroutine_new_with_frame("iterate", iterates_step, sizeof(struct iterates), end_iterates,
                                        &memory, &made));
    ((struct iterates *)memory)->end = end;
    return made;
}

#define HOPS(label, awaitable)                                                                    \
    do {                                                                                          \
        start_ticks();                                                                            \
        RONDO_TRY_AWAIT(self, awaitable);                                                         \
        say("%s: %d", (label), stop_ticks());                                                     \
    } while (0)

#define ANEXT CO(rondo_async_generator_anext, g)
#define ACLOSE CO(rondo_async_generator_aclose, g)
#define FIRST                                                                                     \
    do {                                                                                          \
        make();                                                                                   \
        RONDO_AWAIT(self, ANEXT);                                                                 \
    } while (0)

static rondo_task *task_of(rondo_coroutine *coroutine)
{
    rondo_task *made = NULL;

    MUST(rondo_loop_create_task(loop, coroutine, NULL, &made));
    return made;
}

static rondo_coroutine *athrow(void)
{
    rondo_error *error = new_error("");
    rondo_coroutine *made = CO(rondo_async_generator_athrow, g, error);

    rondo_error_release(error);
    return made;
}

/* What is done with the answer of a task besides: nothing. */
static void let_go(rondo_task *task)
{
    rondo_future_exception(rondo_task_as_future(task), NULL);
    rondo_task_release(task);
}

RONDO_STEP(operations)
{
    SELF;
    say("before %d, after %d", before, after);
    make();
    HOPS("first", ANEXT);
    HOPS("anext", ANEXT);
    self->t = task_of(CO(rondo_async_generator_asend, g, NULL, NULL));
    HOPS("task", self->t);
    let_go(self->t);
    HOPS("end", ANEXT);
    HOPS("ended", ANEXT);
    FIRST;
    HOPS("athrow", athrow());
    FIRST;
    HOPS("aclose", ACLOSE);
    HOPS("aclose again", ACLOSE);
    FIRST;
    self->t = task_of(ACLOSE);
    HOPS("aclose task", self->t);
    let_go(self->t);
    make();
    HOPS("aclose unstarted", ACLOSE);
    HOPS("async for", iterate(9));
    HOPS("break", iterate(1));
    for (self->i = 0; self->i < 10; self->i++)
        RONDO_SLEEP(self, 0);
    FIRST;
    self->t = task_of(ANEXT);
    MUST(rondo_task_cancel(self->t, NULL, NULL));
    HOPS("cancelled early", self->t);
    let_go(self->t);
    FIRST;
    rondo_async_generator_release(g);
    g = NULL;
    HOPS("dropped", CO(rondo_sleep, 0, NULL, NULL));
    FIRST;
    HOPS("shutdown", CO(rondo_loop_shutdown_asyncgens, loop));
    RONDO_END(self);
}

RONDO_STEP(main_step)
{
    static struct frame part;

    SELF;
    for (self->i = 0; self->i < 6; self->i++) {
        before = (self->i / 2) * (self->i / 2 + 1) / 2;
        after = self->i % 2 * 2;
        part = (struct frame){ 0 };
        RONDO_AWAIT(self, new_coroutine("operations", operations, &part));
    }
    RONDO_END(self);
}

static void no_log(int32_t level, const char *message, const rondo_log_field *fields, size_t field_count,
                   void *arg)
{
    (void)fields, (void)field_count;
    (void)level, (void)message, (void)arg;
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    MUST(rondo_log_set_sink(no_log, NULL, NULL)); /* "after loop.shutdown_asyncgens() call" */
    run(main_step, &frame);
    rondo_async_generator_release(g);
    return finish();
}
